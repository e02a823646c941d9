"""The command line as a person and a script meet it."""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from typer.main import get_command

from mobility.cli import app

AGENCY = "agency_name,agency_url,agency_timezone\nT,https://example.org,Europe/Paris\n"
STOPS = "stop_id,stop_name,stop_lat,stop_lon\nA,Mairie,46.5,1.2\nB,Gare,46.51,1.21\n"
ROUTES = "route_id,route_short_name,route_type\nL1,1,3\n"
TRIPS = "route_id,service_id,trip_id\nL1,W,T1\n"
CALENDAR = (
    "service_id,monday,tuesday,wednesday,thursday,friday,saturday,sunday,start_date,end_date\n"
    "W,1,1,1,1,1,0,0,20260901,20991231\n"
)
INFO = (
    "feed_publisher_name,feed_publisher_url,feed_lang,feed_end_date\n"
    "T,https://example.org,fr,20991231\n"
)
TIMES = (
    "trip_id,arrival_time,departure_time,stop_id,stop_sequence\n"
    "T1,07:00:00,07:00:00,A,1\nT1,07:10:00,07:10:00,B,2\n"
)


NAMED = "id: x\nname: X\nosm: {path: o.pbf}\n"


def feed(path: Path, times: str) -> Path:
    tables = {
        "agency": AGENCY,
        "stops": STOPS,
        "routes": ROUTES,
        "trips": TRIPS,
        "calendar": CALENDAR,
        "stop_times": times,
        "feed_info": INFO,
    }
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in tables.items():
            archive.writestr(f"{name}.txt", text)
    return path


def run(*words: str | Path, home: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "mobility.cli", *map(str, words)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        env={"MOBILITY_HOME": str(home), "PATH": "/usr/bin:/bin", "COLUMNS": "200"},
    )


def test_every_command_has_help_with_an_example() -> None:
    commands = dict(get_command(app).commands)  # type: ignore[attr-defined] # typer's group
    for name, command in list(commands.items()):
        commands |= {f"{name} {sub}": c for sub, c in getattr(command, "commands", {}).items()}
    lacking = [
        name
        for name, command in commands.items()
        if not hasattr(command, "commands") and "Example: mobility" not in (command.help or "")
    ]
    assert lacking == []


def test_good_feed_passes_with_exit_code_0(tmp_path: Path) -> None:
    done = run("check", feed(tmp_path / "good.zip", TIMES), "--json", home=tmp_path)
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    assert answer["findings"] == []
    assert answer["counts"]["stop_times"] == 2


def test_feed_with_errors_names_file_and_row_and_exits_2(tmp_path: Path) -> None:
    bad = feed(tmp_path / "bad.zip", TIMES + "T1,late,late,Nowhere,3\n")
    done = run("check", bad, "--json", home=tmp_path)
    assert done.returncode == 2
    findings = {(f["file"], f["row"], f["rule"]) for f in json.loads(done.stdout)["findings"]}
    assert ("feed/stop_times.txt", 4, "unknown_stop") in findings


def test_file_that_is_no_feed_ends_in_one_line_and_exit_code_1(tmp_path: Path) -> None:
    (tmp_path / "no.zip").write_text("not a zip")
    done = run("check", tmp_path / "no.zip", home=tmp_path)
    assert done.returncode == 1
    assert "unreadable_feed" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("content", "named"),
    [
        ("id: x\nname: X\n", "timezone"),
        (f"{NAMED}timezone: Mars/Base\nfeeds: [{{id: a, path: a.zip}}]\n", "Mars"),
        (f"{NAMED}timezone: UTC\nfeeds: []\n", "feeds"),
        (f"{NAMED}timezone: UTC\nfeeds: [{{id: a, path: a.zip}}]\n", "a.zip"),
        ("[", "territory"),
    ],
)
def test_bad_territory_is_refused_by_name_and_leaves_nothing(
    tmp_path: Path, content: str, named: str
) -> None:
    (tmp_path / "territory.yaml").write_text(content)
    done = run("build", tmp_path / "territory.yaml", home=tmp_path / "home")
    assert done.returncode == 1
    assert named in done.stderr
    assert not (tmp_path / "home").exists()


def test_serving_without_a_snapshot_says_what_to_do(tmp_path: Path) -> None:
    done = run("serve", home=tmp_path / "home")
    assert done.returncode == 1
    assert "mobility build" in done.stderr


def test_demo_home_plans_on_the_command_line(demo_home: Path) -> None:
    done = run(
        *("plan", "Gare de Valmont", "Hôtel de Ville", "--depart", "2026-11-24T08:00"),
        home=demo_home,
    )
    assert done.returncode == 0, done.stderr
    assert "EUR" in done.stdout
    assert "generated territory" in done.stdout
    asked = run(
        *("plan", "Gare de Valmont", "xyzzy", "--depart", "2026-11-24T08:00"), home=demo_home
    )
    assert asked.returncode == 1
    assert "xyzzy" in asked.stderr


def test_home_of_another_territory_is_refused(demo_home: Path, tmp_path: Path) -> None:
    snapshot = (demo_home / "snapshots" / "current").resolve()
    other = tmp_path / "other"
    other.mkdir()
    for path in snapshot.iterdir():
        (other / path.name).symlink_to(path)
    (other / "manifest.json").unlink()
    about = json.loads((snapshot / "manifest.json").read_text())
    (other / "manifest.json").write_text(json.dumps({**about, "id": "elsewhere"}))
    done = run("serve", "--snapshot", other, home=demo_home)
    assert done.returncode == 1
    assert "belongs to territory 'demo-valmont'" in done.stderr


def test_navitia_feed_is_refused_by_its_name_in_one_line(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "n.zip", "w") as archive:
        for name in ("lines", "physical_modes", "commercial_modes", "stops", "networks"):
            archive.writestr(f"{name}.txt", "a\n")
    done = run("check", tmp_path / "n.zip", home=tmp_path)
    assert done.returncode == 1
    assert "NTFS" in done.stderr
    assert done.stderr.count("\n") == 1


def test_file_name_that_looks_like_markup_is_shown_as_it_is(tmp_path: Path) -> None:
    done = run("check", tmp_path / "[/bold] [red].zip", home=tmp_path)
    assert done.returncode == 1
    assert "[/bold] [red].zip" in done.stderr
    assert "Traceback" not in done.stderr


def test_report_is_written_as_a_page_and_the_exit_code_stays(tmp_path: Path) -> None:
    bad = feed(tmp_path / "bad.zip", TIMES + "T1,late,late,Nowhere,3\n")
    done = run("check", bad, "--html", tmp_path / "report.html", home=tmp_path)
    assert done.returncode == 2, done.stderr
    assert "what to do" in done.stdout
    assert "stop_times.txt:4" in done.stdout
    assert "unknown_stop" in (tmp_path / "report.html").read_text()
    refused = run("check", bad, "--html", tmp_path / "no" / "report.html", home=tmp_path)
    assert refused.returncode == 1
    assert "page_unwritable" in refused.stderr
