"""Backups: taken under load, restored after a disaster, refused when damaged, never half done."""

from __future__ import annotations

import datetime as dt
import json
import shutil
import stat
import tempfile
import threading
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
import sqlalchemy as sa
from typer.testing import CliRunner, Result

from carpool.offers import OfferState, offer_as_json
from core.errors import MobilityError, Unavailable
from core.geo import Coordinate
from core.ids import OfferId
from mobility.actions import back_up as backing_up
from mobility.actions import restore_backup as restoring
from mobility.actions.examine_installation import (
    Case,
    Check,
    examine_installation,
)
from mobility.actions.publish_offer import change_and_announce, publish_and_announce
from mobility.actions.register_user import Registration, register_user
from mobility.actions.run_demo import RunningServer, start_server
from mobility.actions.sign_in import sign_in
from mobility.backup_file import DUMP, INDEX, BackupDamaged, BackupTooNew, read_backup
from mobility.cli import app
from mobility.db import databases
from mobility.db.engine import Engine, WrongTerritory, upgrade
from mobility.db.offers import SqlOfferStore
from mobility.db.users import find_principal
from mobility.installation import (
    Installation,
    open_installation,
    opened_as_owner,
    stop_servers,
)
from mobility.servers import dumps
from mobility.servers.account import ServerUnavailable
from mobility.servers.cluster import MAJOR
from mobility.settings import Settings
from mobility.users.bearer import digest
from mobility.world import open_snapshot
from mobility.world_keeper import WorldKeeper
from tests.conftest import free_port
from tests.support.backups import sealed
from tests.support.territories import TestedTerritory

FOLLOW_LIMIT_S = 10.0
LOOKS = 12
"""Answers in a row that must agree: the port leads to one process or the other."""


@dataclass(frozen=True, slots=True)
class Home:
    """An installation on the demo's snapshot, with some of its offers."""

    installation: Installation
    offers: list[dict[str, Any]]

    @property
    def settings(self) -> Settings:
        return self.installation.settings

    def publish(self, *numbers: int) -> list[str]:
        """Publish offers of the demo by their numbers; gives their new ids."""
        snapshot = open_snapshot(self.installation.snapshot_folder)
        given = [self.offers[n] for n in numbers]
        one = self.installation
        return [o.id for o in publish_and_announce(one.engine, one.wakeups, snapshot, given)]

    def end(self, offer_id: str) -> None:
        here = self.installation
        change_and_announce(here.engine, here.wakeups, OfferId(offer_id), OfferState.ENDED)

    def stored(self) -> dict[str, Any]:
        """All offers as people entered them, and whether they are active."""
        with self.installation.engine.connect() as connection:
            every = SqlOfferStore(connection).list_changed(0, "")
        return {s.offer.id: (s.state, s.version, offer_as_json(s.offer)) for s in every}

    def answers(self) -> list[Any]:
        """Journeys of the demo's riders, without what differs from one question to the next."""
        keeper = WorldKeeper(
            open_snapshot(self.installation.snapshot_folder),
            self.installation.engine,
            self.installation.wakeups,
        )
        keeper.catch_up()
        riders = json.loads((self.installation.snapshot_folder / "riders.json").read_text())
        zone = keeper.world.network.zone
        asked = TestedTerritory(keeper.world, {}, dt.date(2026, 11, 24))
        at = dt.datetime(2026, 11, 24, 7, tzinfo=zone)
        ends = [
            [Coordinate(r[end]["lat"], r[end]["lon"]) for end in ("from", "to")] for r in riders
        ]
        return [asked.plan(start, end, at)["itineraries"] for start, end in ends]

    def databases(self) -> set[str]:
        with self.installation.engine.connect() as connection:
            return set(connection.execute(sa.text("select datname from pg_database")).scalars())

    def run(self, *words: str | Path) -> Result:
        """Run a command on this home; it must go well."""
        done = CliRunner().invoke(app, [str(w) for w in words], env=environment_of(self.settings))
        assert done.exit_code == 0, f"{done.output}\n{done.exception!r}"
        return done

    def back_up(self, *words: str | Path) -> Path:
        return Path(json.loads(self.run("backup", *words, "--json").stdout)["file"])

    def refuse(self, path: Path, *, replace: bool = True) -> MobilityError:
        """Try to restore; gives the error, after a look that nothing changed."""
        before, beside = self.stored(), self.databases()
        now = dt.datetime.now(dt.UTC)
        with pytest.raises(MobilityError) as caught:
            restoring.restore_backup(
                self.settings, path, replace=replace, now=now, on_step=lambda _: None
            )
        assert self.stored() == before
        assert self.databases() == beside
        return caught.value


def environment_of(settings: Settings) -> dict[str, str]:
    given = {"MOBILITY_HOME": str(settings.home)}
    if settings.database_url is not None:
        given["MOBILITY_DATABASE_URL"] = settings.database_url
    return given


@contextmanager
def opened_home(demo_home: Path, *, url: str | None = None) -> Iterator[Home]:
    """Make a new home on a copy of the demo's snapshot."""
    folder = Path(tempfile.mkdtemp(prefix="mobility-backup-"))
    folder.chmod(0o711)
    shutil.copytree(demo_home / "snapshots", folder / "snapshots", symlinks=True)
    settings = Settings(home=folder, database_url=url)
    installation = open_installation(settings)
    try:
        offers = json.loads((demo_home / "demo" / "offers.json").read_text())
        yield Home(installation, offers)
    finally:
        installation.close()
        stop_servers(settings)
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="module")
def shared(demo_home: Path) -> Iterator[Home]:
    """A home for tests that cope with what others left."""
    with opened_home(demo_home) as home:
        home.publish(*range(40))
        yield home


def ledger_of(settings: Settings) -> Check:
    """What the doctor says about the ledger."""
    case = Case(settings, {}, dt.datetime.now(dt.UTC))
    return next(check for check in examine_installation(case) if check.name == "ledger")


def change_posting(engine: Engine) -> str:
    """Try to change postings; gives why not."""
    with (
        pytest.raises(sa.exc.ProgrammingError, match="posting") as refused,
        engine.begin() as connection,
    ):
        connection.execute(sa.text("update posting set amount_cents = 1"))
    return str(refused.value.orig)


def test_drill_after_the_loss_of_the_database(demo_home: Path, tmp_path: Path) -> None:
    with opened_home(demo_home) as home:
        before = home.publish(*range(60))
        order, stop = list(before), threading.Event()

        def drive() -> None:
            for number in range(60, len(home.offers)):
                if stop.is_set():
                    return
                order.extend(home.publish(number))

        writer = threading.Thread(target=drive)
        writer.start()
        under_load = home.back_up(tmp_path)
        stop.set()
        writer.join()
        assert len(order) > len(before)
        home.end(order[5])
        quiet = home.back_up(tmp_path / "quiet.backup")
        stored, answers = home.stored(), home.answers()
        stop_servers(home.settings)
        shutil.rmtree(home.settings.home / "postgres")

    with opened_home(demo_home) as other:
        other.run("restore", "--check", under_load)
        other.run("restore", under_load)
        taken = other.stored()
        assert len(before) <= len(taken) <= len(order)
        assert taken.keys() == set(order[: len(taken)])  # one moment: no gap in what was entered
        assert read_backup(under_load).rows["offer"] == len(taken)
        assert "permission denied" in change_posting(other.installation.engine)
        other.run("restore", quiet, "--replace", "--yes")
        assert other.stored() == stored
        assert other.answers() == answers
        assert any(
            leg["mode"] == "RIDE_SHARING" for its in answers for it in its for leg in it["legs"]
        )


def test_nobody_stays_signed_in_after_a_restore(demo_home: Path, tmp_path: Path) -> None:
    # A phone that was lost and shut out after the backup must not come in again by it.
    with opened_home(demo_home) as home:
        here, now = home.installation, dt.datetime.now(dt.UTC)
        given = Registration("perdu@example.org", "trois poules et un tracteur", "Perdu")
        register_user(here.engine, given, now)
        issued = sign_in(
            here.engine, here.limits, email=given.email, password=given.password, label="phone",
            now=now,
        )  # fmt: skip

        def is_signed_in() -> bool:
            with here.engine.begin() as connection:
                return find_principal(connection, digest(issued.secret), now) is not None

        backup = home.back_up(tmp_path)
        assert is_signed_in()
        home.run("restore", backup, "--replace", "--yes")
        assert not is_signed_in()


def test_running_server_follows_a_restore_and_its_undoing(demo_home: Path, tmp_path: Path) -> None:
    with opened_home(demo_home) as home:
        ids = home.publish(*range(30))
        server = start_server(home.settings, free_port(), workers=2)
        try:
            before = wait_until_served(server, lambda seen: seen[1] == 30)
            backup = home.back_up(tmp_path)
            home.end(ids[0])
            home.publish(*range(30, 35))
            after = wait_until_served(server, lambda seen: seen[1] == 34)
            begun_s = time.monotonic()
            home.run("restore", backup, "--replace", "--yes")
            wait_until_served(server, lambda seen: seen == before)
            print(f"\nrestored and served by both processes in {time.monotonic() - begun_s:.1f} s")
            home.run("restore", "--undo", "--yes")
            wait_until_served(server, lambda seen: seen == after)
            home.publish(36)
            wait_until_served(server, lambda seen: seen == (after[0] + 1, 35))
            assert server.process.poll() is None
        finally:
            server.process.terminate()
            server.process.wait(timeout=40)


def wait_until_served(
    server: RunningServer, wanted: Callable[[tuple[int, int]], bool]
) -> tuple[int, int]:
    """Wait until every process serves one wanted (revision, offer count)."""
    deadline_s = time.monotonic() + FOLLOW_LIMIT_S
    while True:
        probes = [httpx.get(f"{server.base_url}/readyz").json() for _ in range(LOOKS)]
        seen = {(probe["revision"], probe["offers"]) for probe in probes}
        if len(seen) == 1 and wanted(next(iter(seen))):
            return seen.pop()
        assert time.monotonic() < deadline_s, f"still served: {seen}"


def test_restored_database_is_noticed_at_the_same_revision(shared: Home, tmp_path: Path) -> None:
    keeper = WorldKeeper(
        open_snapshot(shared.installation.snapshot_folder),
        shared.installation.engine,
        shared.installation.wakeups,
    )
    backup = shared.back_up(tmp_path)
    lost = shared.publish(50, 51)
    keeper.catch_up()
    revision = keeper.world.revision
    shared.run("restore", backup, "--replace", "--yes")
    new = shared.publish(52, 53)
    assert keeper.catch_up()
    assert keeper.world.revision == revision
    served = {offer.id for offer in keeper.world.offers}
    assert served >= set(new)
    assert not served & set(lost)
    assert not keeper.catch_up()


def test_file_is_private_named_by_its_moment_and_old_ones_go(shared: Home, tmp_path: Path) -> None:
    made = shared.back_up()
    assert made.parent == shared.settings.home / "backups"
    assert made.name.startswith("mobility-demo-valmont-2")
    assert stat.S_IMODE(made.stat().st_mode) == 0o600
    assert stat.S_IMODE(made.parent.stat().st_mode) == 0o700
    with zipfile.ZipFile(made) as archive:
        assert set(archive.namelist()) == {DUMP, INDEX, "manifest.json", "tariff.yaml"}
        assert json.loads(archive.read("manifest.json"))["id"] == "demo-valmont"
    old = [f"mobility-demo-valmont-2026010{day}T000000Z.backup" for day in (1, 2, 3)]
    others = ["mobility-demo-valmont-2-20260101T000000Z.backup", "notes.txt"]
    for name in (*old, *others):
        (tmp_path / name).touch()
    (tmp_path / ".mobility-x.backup.draft").touch()  # of a backup that was killed
    newest = shared.back_up(tmp_path, "--keep", "2")
    assert {p.name for p in tmp_path.iterdir()} == {
        newest.name, old[-1], *others, backing_up.LOCK
    }  # fmt: skip


def test_second_backup_at_the_same_place_is_refused(shared: Home, tmp_path: Path) -> None:
    path = shared.back_up(tmp_path / "a.backup")
    whole = path.read_bytes()
    now = dt.datetime.now(dt.UTC)

    def again() -> None:
        backing_up.back_up(shared.settings, path, keep=None, now=now, on_step=lambda _: None)

    with pytest.raises(backing_up.BackupRefused, match="is there already"):
        again()
    with (
        backing_up._alone_in(tmp_path),
        pytest.raises(backing_up.BackupRefused, match="another backup is being written"),
    ):
        again()
    assert path.read_bytes() == whole


@pytest.mark.parametrize("where", [0.0, 0.01, 0.3, 0.6, 0.9, 0.99, 0.9999])
def test_damaged_file_is_refused(shared: Home, tmp_path: Path, where: float) -> None:
    path = shared.back_up(tmp_path)
    content = bytearray(path.read_bytes())
    content[int(where * len(content))] ^= 0x20
    path.write_bytes(content)
    assert isinstance(shared.refuse(path), BackupDamaged)


def rewritten(path: Path, **changed: Any) -> Path:
    """Write a backup again with another index, as a different program would have."""
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    index = json.loads(members[INDEX])
    members[INDEX] = json.dumps({**index, **changed}).encode()
    return sealed(path.with_name(f"other-{path.name}"), members)


def test_what_does_not_belong_here_is_refused(shared: Home, tmp_path: Path) -> None:
    path = shared.back_up(tmp_path)
    assert shared.refuse(path, replace=False).code == "installation_not_empty"
    assert isinstance(shared.refuse(rewritten(path, territory="foix")), WrongTerritory)
    error = shared.refuse(rewritten(path, schema="2099_01_01_1"))
    assert isinstance(error, BackupTooNew)
    assert "update it" in str(error)
    assert isinstance(shared.refuse(rewritten(path, postgres=MAJOR + 1)), BackupTooNew)
    rows = {**read_backup(path).rows, "offer": 7}
    error = shared.refuse(rewritten(path, rows=rows))
    assert isinstance(error, BackupDamaged)
    assert "of 7 rows" in str(error)


def test_database_of_another_territory_is_refused_without_a_snapshot(
    shared: Home, tmp_path: Path
) -> None:
    path = shared.back_up(tmp_path)
    folder = Path(tempfile.mkdtemp(prefix="mobility-backup-"))
    folder.chmod(0o711)
    settings, now = Settings(home=folder), dt.datetime.now(dt.UTC)
    try:
        with opened_as_owner(settings) as engine:
            upgrade(engine, "elsewhere")
        with pytest.raises(WrongTerritory, match="'elsewhere'"):
            restoring.restore_backup(settings, path, replace=True, now=now, on_step=lambda _: None)
    finally:
        stop_servers(settings)
        shutil.rmtree(folder)


def killed_program(folder: Path) -> Path:
    """A program of PostgreSQL that is killed in the middle of its work."""
    script = folder / "killed"
    script.write_text("#!/bin/sh\nhead -c 900 >/dev/null\nkill -9 $$\n")
    script.chmod(0o755)
    return script


def test_restore_that_dies_leaves_what_was_there(
    shared: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = shared.back_up(tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr(dumps, "program", lambda *_: killed_program(tmp_path))
        assert shared.refuse(path).code == "dump_failed"
    for module, name in (
        (restoring, "upgrade"),
        (restoring, "begin_epoch"),
        (databases, "_rename"),
    ):
        with monkeypatch.context() as patch:
            patch.setattr(module, name, _fail)
            assert "injected" in str(shared.refuse(path))
    real = databases._rename

    def fail_in_the_middle(server: Any, busy: Any, names: list[str]) -> None:
        real(server, busy, [*names[:2], "absent_database"])

    with monkeypatch.context() as patch:
        patch.setattr(databases, "_rename", fail_in_the_middle)
        assert isinstance(shared.refuse(path), Unavailable)


def _fail(*_: Any) -> None:
    raise Unavailable("injected")


def test_restore_after_one_that_was_killed_finds_its_way(shared: Home, tmp_path: Path) -> None:
    path, stored = shared.back_up(tmp_path), shared.stored()
    with opened_as_owner(shared.settings) as engine, databases.server_of(engine) as server:
        server.execute(sa.text("create database mobility_scratch"))
        with pytest.raises(databases.RestoreRunning):
            restoring.check_backup(shared.settings, path, on_step=lambda _: None)
    shared.run("restore", path, "--replace", "--yes")
    assert shared.stored() == stored
    assert "mobility_scratch" not in shared.databases()
    # Dumps hold no rights: they are given again before the restored database is served.
    assert "permission denied" in change_posting(shared.installation.engine)
    shared.run("restore", "--undo", "--yes")
    assert "permission denied" in change_posting(shared.installation.engine)


def test_dump_that_dies_leaves_no_file(
    shared: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now, out = dt.datetime.now(dt.UTC), tmp_path / "out"
    monkeypatch.setattr(dumps, "program", lambda *_: killed_program(tmp_path))
    with pytest.raises(dumps.DumpFailed):
        backing_up.back_up(
            shared.settings, out / "a.backup", keep=None, now=now, on_step=lambda _: None
        )
    assert [p.name for p in out.iterdir()] == [backing_up.LOCK]


def test_empty_database_is_replaced_without_asking_and_not_kept(
    shared: Home, demo_home: Path, tmp_path: Path
) -> None:
    path = shared.back_up(tmp_path)
    with opened_home(demo_home) as other:
        told = json.loads(other.run("restore", path, "--json").stdout)
        assert told["kept_as"] is None
        assert other.stored() == shared.stored()
        assert other.databases() == {"mobility", "postgres", "template0", "template1"}


def test_server_newer_than_the_programs_is_named() -> None:
    with pytest.raises(ServerUnavailable, match=f"PostgreSQL {MAJOR + 1}, newer than"):
        dumps.program(MAJOR + 1, "pg_dump")
