"""Restore what people entered: beside what is served, verified, then switched in one moment."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from core.errors import Conflict
from gtfs_data.store import SnapshotInvalid, read_manifest
from mobility.backup_file import BackupDamaged, BackupTooNew, Index, opened_dump, read_backup
from mobility.db.changes import begin_epoch
from mobility.db.contents import Contents, read_contents
from mobility.db.databases import (
    address_of,
    drop_database,
    engine_beside,
    name_of,
    newest_kept,
    scratch_database,
    server_of,
    switch_database,
)
from mobility.db.engine import Engine, WrongTerritory, is_known_schema, upgrade
from mobility.db.users import end_all_sessions
from mobility.installation import opened_as_owner
from mobility.servers.dumps import restore_database
from mobility.settings import Settings
from mobility.snapshots import current_snapshot

Step = Callable[[str], None]


class InstallationNotEmpty(Conflict):
    """People have entered something here already."""

    code = "installation_not_empty"


@dataclass(frozen=True, slots=True)
class Restored:
    """What was restored or, by `check_backup`, could be."""

    index: Index
    took_s: float
    kept_as: str | None = None
    """Database that holds what was there before; None when that was nothing."""


def check_backup(settings: Settings, path: Path, *, on_step: Step) -> Restored:
    """Restore into a scratch database, compare the row counts, and drop it; nothing changes."""
    begun_s = time.monotonic()
    index = _read(path, on_step)
    with (
        opened_as_owner(settings) as engine,
        server_of(engine) as server,
        scratch_database(server, engine) as scratch,
    ):
        _fill(scratch, path, index, on_step=on_step)
    return Restored(index, time.monotonic() - begun_s)


def restore_backup(
    settings: Settings, path: Path, *, replace: bool, now: dt.datetime, on_step: Step
) -> Restored:
    """
    Serve what a backup holds; running processes take it over by themselves.

    Parameters
    ----------
    replace
        Whether it may take the place of something; that is kept beside.

    Raises
    ------
    BackupDamaged, BackupTooNew, WrongTerritory, InstallationNotEmpty
        The file or this installation forbids it.
    Unavailable
        The server cannot be reached, or does not let this role do it. After any error, what was
        there is served on, unchanged.
    """
    begun_s = time.monotonic()
    index = _read(path, on_step)
    _check_territory(settings, index)
    with opened_as_owner(settings) as engine:
        _check_free(_contents(engine), index, replace=replace)
        live = name_of(engine)
        with server_of(engine) as server, scratch_database(server, engine) as scratch:
            _fill(scratch, path, index, on_step=on_step)
            on_step("bringing the schema up to date")
            upgrade(scratch, index.territory)
            with scratch.begin() as connection:
                begin_epoch(connection)
                end_all_sessions(connection, now)  # one that was ended since must stay so
            on_step("switching over")
            incoming = name_of(scratch)
            engine.dispose()
            kept = switch_database(server, incoming, live, now)
            is_kept = not _contents(engine_beside(engine, kept)).is_empty
            if not is_kept:
                drop_database(server, kept)
    return Restored(index, time.monotonic() - begun_s, kept if is_kept else None)


def undo_restore(settings: Settings, *, now: dt.datetime) -> str:
    """
    Serve the database that the last restore replaced; doing it twice returns.

    Returns the name under which the one that was served until now is kept.
    """
    with opened_as_owner(settings) as engine, server_of(engine) as server:
        live = name_of(engine)
        incoming = newest_kept(server, live)
        before = engine_beside(engine, incoming)
        territory_id = _contents(before).territory_id
        assert territory_id is not None  # it was served
        upgrade(before, territory_id)
        engine.dispose()
        return switch_database(server, incoming, live, now)


def _check_free(here: Contents, index: Index, *, replace: bool) -> None:
    """Refuse what must not be replaced, or not without being told to."""
    if here.territory_id not in (None, index.territory):
        raise _wrong_territory(index, str(here.territory_id))
    if not (here.is_empty or replace):
        raise InstallationNotEmpty(
            "people have entered something here already: mobility restore --replace puts the "
            "backup in its place, and keeps it beside"
        )


def _contents(engine: Engine) -> Contents:
    with engine.connect() as connection:
        return read_contents(connection)


def _read(path: Path, on_step: Step) -> Index:
    on_step("reading the backup")
    index = read_backup(path)
    if not is_known_schema(index.schema):
        raise BackupTooNew(
            f"{path.name} was written by version {index.program} with the schema {index.schema}, "
            f"which this program does not know: update it, then restore again"
        )
    return index


def _check_territory(settings: Settings, index: Index) -> None:
    """Compare with the snapshot that is served; a home without one takes any territory."""
    try:
        about = read_manifest(settings.snapshot or current_snapshot(settings.snapshots))
    except SnapshotInvalid:
        return
    if about["id"] != index.territory:
        raise _wrong_territory(index, about["id"])


def _wrong_territory(index: Index, here: str) -> WrongTerritory:
    return WrongTerritory(
        f"the backup is of territory {index.territory!r}, this installation is of {here!r}: "
        "set MOBILITY_HOME to another one"
    )


def _fill(scratch: Engine, path: Path, index: Index, *, on_step: Step) -> None:
    """Restore into an empty database; raises unless it holds what the backup says it holds."""
    address = address_of(scratch)
    if index.postgres > address.major:
        raise BackupTooNew(
            f"{path.name} is of PostgreSQL {index.postgres}, this server is {address.major}: "
            f"restore it on {index.postgres} or later"
        )
    on_step("restoring the database")
    with opened_dump(path) as dump:
        restore_database(address, dump)
    on_step("counting rows")
    found = _contents(scratch)
    wrong = [
        f"{name}: {found.rows.get(name, 'absent')} of {index.rows.get(name, 'none')} rows"
        for name in sorted(found.rows.keys() | index.rows.keys())
        if found.rows.get(name) != index.rows.get(name)
    ]
    if wrong:
        raise BackupDamaged(f"{path.name} does not hold what its index says: {'; '.join(wrong)}")
