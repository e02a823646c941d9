"""Snapshots switched under load: every answer is whole, of one version, and none is late."""

from __future__ import annotations

import csv
import io
import itertools
import json
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
import yaml

from gtfs_data.store import open_arrays, read_manifest
from mobility.actions.build_territory import build_territory
from mobility.actions.run_demo import RunningServer, prepare_demo, start_server
from mobility.installation import stop_servers
from mobility.service_drop import ServiceDropped
from mobility.settings import Settings
from mobility.snapshots import current_snapshot, roll_back, use_snapshot
from mobility.territory import read_territory
from tests.conftest import free_port

pytestmark = pytest.mark.alone

CLIENT_COUNT = 8
SWITCH_COUNT = 20
SWITCH_LIMIT_S = 20.0
PAUSE_LIMIT_S = 0.1
MARK = "Neu "
"""Stands before every line's name in the second version."""


@dataclass(frozen=True, slots=True)
class Versions:
    """A served home with three snapshots: as generated, lines renamed, and streets too."""

    settings: Settings
    server: RunningServer
    names: tuple[str, str, str]


@pytest.fixture(scope="module")
def versions() -> Iterator[Versions]:
    home = Path(tempfile.mkdtemp(prefix="mobility-switch-"))
    home.chmod(0o711)
    settings = Settings(home=home)
    demo = prepare_demo(settings, on_step=lambda _: None)
    first = current_snapshot(settings.snapshots).name
    renamed = shutil.copytree(demo.parent, home / "renamed")
    for feed in yaml.safe_load(demo.read_text())["feeds"]:
        rename_lines(renamed / feed["path"])
    second = build_territory(read_territory(renamed / demo.name), settings.snapshots)
    content = yaml.safe_load((renamed / demo.name).read_text())
    content["speeds"] = {"car_kmh": {"residential": 17}}
    (renamed / demo.name).write_text(yaml.safe_dump(content, allow_unicode=True))
    third = build_territory(read_territory(renamed / demo.name), settings.snapshots)
    server = start_server(settings, free_port(), workers=2)
    yield Versions(settings, server, (first, second.folder.name, third.folder.name))
    server.process.terminate()
    server.process.wait(timeout=30)
    stop_servers(settings)
    shutil.rmtree(home, ignore_errors=True)


def rename_lines(archive: Path) -> None:
    """Put `MARK` before the names of all lines of a feed."""
    with zipfile.ZipFile(archive) as old:
        tables = {name: old.read(name) for name in old.namelist()}
    rows = list(csv.DictReader(io.StringIO(tables["routes.txt"].decode("utf-8-sig"))))
    for row in rows:
        row["route_short_name"] = MARK + row["route_short_name"]
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    tables["routes.txt"] = text.getvalue().encode()
    with zipfile.ZipFile(archive, "w") as new:
        for name, table in tables.items():
            new.writestr(name, table)


@dataclass(slots=True)
class Load:
    """Clients that ask for journeys until they are killed, and what they saw."""

    clients: subprocess.Popen[str]
    renamed: set[str]
    finished: list[tuple[float, float, str]] = field(default_factory=list)
    """When an answer came, how long it took (seconds), and of which snapshot it is."""
    failed: list[str] = field(default_factory=list)
    mixed: list[str] = field(default_factory=list)

    def listen(self) -> None:
        """Take down what the clients say until they are gone."""
        for line in self.clients.stdout or ():
            match json.loads(line):
                case ["failed", why]:
                    self.failed.append(why)
                case [at, seconds, snapshot, names]:
                    self.finished.append((at, seconds, snapshot))
                    if any(n.startswith(MARK) != (snapshot in self.renamed) for n in names):
                        self.mixed.append(f"{snapshot}: {names}")

    def gaps_s(self, since: float, until: float) -> np.ndarray[Any, np.dtype[np.float64]]:
        """Seconds between answers that came one after the other."""
        at = [since, *sorted(t for t, _, _ in self.finished if since < t < until), until]
        return np.diff(at)


def _light(versions: Versions, questions: list[dict[str, str]]) -> list[dict[str, str]]:
    """Keep the quarter that is answered fastest: a pause shows between quick answers."""
    took_s = []
    with httpx.Client(base_url=versions.server.base_url, timeout=30) as http:
        for question in [*questions, *questions]:  # the first round makes the dates ready
            asked = time.monotonic()
            http.get("/api/v6/plan", params=question).raise_for_status()
            took_s.append(time.monotonic() - asked)
    order = np.argsort(took_s[len(questions) :])
    return [questions[i] for i in order[: len(questions) // 4]]


@pytest.fixture
def load(versions: Versions) -> Iterator[Load]:
    riders = json.loads((versions.settings.home / "demo" / "riders.json").read_text())
    places = [f"{r[end]['lat']},{r[end]['lon']}" for r in riders for end in ("from", "to")]
    questions = [
        {
            "fromPlace": a,
            "toPlace": b,
            "time": f"2026-11-2{4 + hour % 3}T{hour:02}:00:00Z",
            "timetableView": "false",
        }
        for (a, b), hour in zip(itertools.permutations(places, 2), itertools.cycle(range(6, 18)))
    ]
    command = [sys.executable, "-m", "tests.support.plan_clients", versions.server.base_url]
    with subprocess.Popen(
        [*command, str(CLIENT_COUNT)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as clients:
        load = Load(clients, set(versions.names[1:]))
        listener = threading.Thread(target=load.listen)
        listener.start()
        assert clients.stdin is not None
        json.dump(_light(versions, questions), clients.stdin)
        clients.stdin.close()
        yield load
        clients.kill()
        listener.join()


def _wait_for(load: Load, name: str) -> float:
    """Wait until answers are of a snapshot only: a window of them as long as both processes."""
    begun = time.monotonic()
    while time.monotonic() - begun < SWITCH_LIMIT_S:
        latest = [snapshot for _, _, snapshot in load.finished[-4 * CLIENT_COUNT :]]
        if set(latest) == {name}:
            return time.monotonic() - begun
        time.sleep(0.05)
    raise AssertionError(f"after {SWITCH_LIMIT_S:.0f} s not every answer is of {name}")


def test_twenty_switches_under_load(versions: Versions, load: Load) -> None:
    _wait_for(load, versions.names[2])
    time.sleep(2)  # every kernel and date is warm, and the clients are under way
    calm_from = time.monotonic()
    time.sleep(4)
    calm_gaps_s = load.gaps_s(calm_from, time.monotonic())
    begun = time.monotonic()
    took_s = []
    for name in itertools.islice(itertools.cycle(versions.names), SWITCH_COUNT):
        use_snapshot(versions.settings.snapshots, name)
        took_s.append(_wait_for(load, name))
    gaps_s = load.gaps_s(begun, time.monotonic())
    late_s = [seconds for at, seconds, _ in load.finished if at > begun]
    calm_s = [seconds for at, seconds, _ in load.finished if calm_from < at < begun]
    print(
        f"\n{len(late_s)} answers during {SWITCH_COUNT} switches; "
        f"taken over after {np.median(took_s):.1f} s (median), {max(took_s):.1f} s at most"
    )
    for what, gaps, seconds in (("switching", gaps_s, late_s), ("calm", calm_gaps_s, calm_s)):
        p50, p99 = np.percentile(seconds, (50, 99))
        print(f"{what}: longest pause {gaps.max():.3f} s, answers p50 {p50:.3f}, p99 {p99:.3f} s")
    assert load.failed == []
    assert load.mixed == []
    assert len(late_s) > 10 * SWITCH_COUNT
    assert gaps_s.max() <= PAUSE_LIMIT_S


def test_rollback_is_taken_over_by_running_processes(versions: Versions, load: Load) -> None:
    first, second, _ = versions.names
    use_snapshot(versions.settings.snapshots, first)
    _wait_for(load, first)
    use_snapshot(versions.settings.snapshots, second)
    _wait_for(load, second)
    assert roll_back(versions.settings.snapshots).name == first
    _wait_for(load, first)
    assert load.failed == []


def test_ground_that_is_taken_over_is_that_which_would_be_compiled(
    versions: Versions, tmp_path: Path
) -> None:
    kept = versions.settings.snapshots / versions.names[1]
    source = read_territory(versions.settings.home / "renamed" / "territory.yaml")
    old = read_territory(versions.settings.home / "demo" / "territory.yaml")
    steps: list[str] = []
    use_snapshot(versions.settings.snapshots, versions.names[0])
    again = build_territory(source, versions.settings.snapshots, on_step=steps.append).folder
    assert "streets are those of the last snapshot" not in steps  # the speeds are others
    afresh = build_territory(old, tmp_path).folder
    names = sorted(n for n in read_manifest(kept)["arrays"] if not n.startswith("timetable.route"))
    one, other = (open_arrays(f, read_manifest(f)) for f in (kept, afresh))
    for name in names:
        np.testing.assert_array_equal(one[name], other[name], err_msg=name)
    use_snapshot(versions.settings.snapshots, again.name)
    steps.clear()
    build_territory(source, versions.settings.snapshots, on_step=steps.append)
    assert "streets are those of the last snapshot" in steps


def test_half_empty_feed_is_not_published(versions: Versions) -> None:
    before = current_snapshot(versions.settings.snapshots)
    folder = shutil.copytree(versions.settings.home / "renamed", versions.settings.home / "half")
    content = yaml.safe_load((folder / "territory.yaml").read_text())
    gone = content["feeds"].pop()["id"]
    (folder / "territory.yaml").write_text(yaml.safe_dump(content, allow_unicode=True))
    source = read_territory(folder / "territory.yaml")
    with pytest.raises(ServiceDropped, match=f"feed {gone} is gone"):
        build_territory(source, versions.settings.snapshots)
    assert current_snapshot(versions.settings.snapshots) == before
    assert not list(versions.settings.snapshots.glob("*.tmp-*"))
    built = build_territory(source, versions.settings.snapshots, allow_drop=True)
    assert current_snapshot(versions.settings.snapshots) == built.folder.resolve()
