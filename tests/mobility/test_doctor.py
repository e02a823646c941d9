"""The doctor finds what is wrong, says what to do, and changes nothing."""

from __future__ import annotations

import datetime as dt
import json
import socket
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from mobility.actions import examine_installation as doctor
from mobility.actions.examine_installation import Case, Check, Level, examine_installation
from mobility.cli import app
from mobility.settings import Settings
from mobility.territory import read_territory

NOW = dt.datetime(2026, 11, 24, 12, tzinfo=dt.UTC)


def manifest(*validity: tuple[str, str], generated: bool = False) -> dict[str, Any]:
    feeds = [{"id": f"f{i}", "valid_from": a, "valid_to": b} for i, (a, b) in enumerate(validity)]
    return {"id": "x", "generated": generated, "feeds": feeds, "built_at": "2026-11-01"}


def examined(
    home: Path, monkeypatch: pytest.MonkeyPatch, about: dict[str, Any] | None = None, **more: Any
) -> dict[str, Check]:
    if about is not None:
        monkeypatch.setattr(doctor, "_about", lambda _: about)
    given = {"environment": {}, "now": NOW, **more}
    return {check.name: check for check in examine_installation(Case(Settings(home=home), **given))}


def test_empty_home_lacks_only_a_snapshot_and_stays_empty(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tmp_path.chmod(0o711)
    home = tmp_path / "home"
    checks = examined(home, monkeypatch)
    assert checks["snapshot"].level is Level.ERROR
    assert "mobility build" in checks["snapshot"].advice
    for name in ("python", "disk", "memory", "home", "compile cache", "settings", "valkey"):
        assert checks[name].level is Level.OK, checks[name]
    assert not home.exists()


@pytest.mark.parametrize(
    ("first", "last", "level", "said"),
    [
        ("2026-09-01", "2027-08-31", Level.OK, "valid from"),
        ("2026-09-01", "2026-11-24", Level.ERROR, "expires in 0 days"),
        ("2026-09-01", "2026-11-30", Level.ERROR, "expires in 6 days"),
        ("2026-09-01", "2026-12-01", Level.WARNING, "expires in 7 days"),
        ("2026-09-01", "2026-12-07", Level.WARNING, "expires in 13 days"),
        ("2026-09-01", "2026-12-08", Level.OK, "valid from"),
        ("2026-09-01", "2026-11-23", Level.ERROR, "expired"),
        ("2026-11-25", "2027-08-31", Level.WARNING, "not begun"),
    ],
)
def test_feed_is_judged_by_its_days(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, first: str, last: str, level: Level, said: str
) -> None:
    check = examined(tmp_path, monkeypatch, manifest((first, last)))["feed f0"]
    assert check.level is level
    assert said in check.message


def test_misspelt_setting_is_named_with_the_right_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = {"MOBILITY_DATABASE_ULR": "x", "MOBILITY_SHARED_DATA": "y", "MOBILITY_HOME": "z"}
    check = examined(tmp_path, monkeypatch, environment=given)["settings"]
    assert check.level is Level.WARNING
    assert check.message == "MOBILITY_DATABASE_ULR is no setting"
    assert check.advice == "did you mean MOBILITY_DATABASE_URL?"


def test_port_in_use_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        check = examined(tmp_path, monkeypatch, port=port)["port"]
    assert check.level is Level.WARNING
    assert str(port) in check.message


def test_too_little_disk_is_a_warning(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "FIXED_DISK_BYTES", 10**18)
    assert examined(tmp_path, monkeypatch)["disk"].level is Level.WARNING


def test_servers_that_cannot_be_reached_are_named(tmp_path: Path) -> None:
    settings = Settings(
        home=tmp_path,
        database_url="postgresql://nobody@127.0.0.1:1/none",
        redis_url="redis://127.0.0.1:1/0",
    )
    checks = {c.name: c for c in examine_installation(Case(settings, {}, NOW))}
    assert checks["postgresql"].level is Level.ERROR
    assert checks["valkey"].level is Level.WARNING
    assert "MOBILITY_REDIS_URL" in checks["valkey"].advice


def test_sources_that_are_absent_or_old_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "territory.yaml").write_text(
        "{id: x, name: X, timezone: UTC, osm: {path: o.pbf}, feeds: [{id: a, path: a.zip}]}"
    )
    (tmp_path / "o.pbf").write_bytes(b"x")
    later = dt.datetime.now(dt.UTC) + dt.timedelta(days=400)
    territory = read_territory(tmp_path / "territory.yaml")
    checks = examined(tmp_path, monkeypatch, territory=territory, now=later)
    assert checks["source a"].level is Level.ERROR
    assert checks["osm"].level is Level.WARNING
    assert "400 days ago" in checks["osm"].message


def test_script_reads_json_and_exit_code_2(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MOBILITY_HOME", str(tmp_path / "home"))
    done = CliRunner().invoke(app, ["doctor", "--json"])
    assert done.exit_code == 2
    checks = {check["name"]: check for check in json.loads(done.stdout)}
    assert checks["snapshot"]["level"] == "error"
    assert set(checks["python"]) == {"name", "level", "message", "advice"}


def test_demo_drivers_are_refused_in_a_real_territory_only(
    demo_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    always = ("2026-01-01", "2030-01-01")
    real = examined(demo_home, monkeypatch, manifest(always))["demo drivers"]
    assert real.level is Level.ERROR
    assert "active offers of demo drivers" in real.message
    assert "mobility offers end" in real.advice
    invented = examined(demo_home, monkeypatch, manifest(always, generated=True))["demo drivers"]
    assert invented.level is Level.OK


def test_ledger_of_an_embedded_database_is_kept_by_rights(
    demo_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    check = examined(demo_home, monkeypatch)["ledger"]
    assert check.level is Level.OK
    assert "no connection of the application may change" in check.message
    assert "does not run" in examined(tmp_path, monkeypatch)["ledger"].message
