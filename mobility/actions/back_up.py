"""Back up what people entered, while the servers go on serving."""

from __future__ import annotations

import datetime as dt
import fcntl
import os
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import BinaryIO

from core.errors import Conflict, NotFound
from gtfs_data.store import MANIFEST, SnapshotInvalid, read_manifest
from mobility.backup_file import (
    DUMP,
    FORMAT,
    SUFFIX,
    BackupWriter,
    Index,
    opened_dump,
    read_backup,
    written_backup,
)
from mobility.db.contents import RECOMPUTED, Contents, one_moment, read_contents
from mobility.db.databases import address_of
from mobility.db.engine import Engine
from mobility.installation import opened_as_owner
from mobility.servers.dumps import check_dump, dump_database
from mobility.settings import Settings
from mobility.snapshots import current_snapshot

BESIDE = (MANIFEST, "tariff.yaml")
"""Files of the served snapshot that tell what the people's data belonged to."""
LOCK, DRAFT = ".backup.lock", ".draft"
TIME_FORMAT = "%Y%m%dT%H%M%SZ"
Step = Callable[[str], None]


class NothingToBackUp(NotFound):
    """The database was never set up."""

    code = "nothing_to_back_up"


class BackupRefused(Conflict):
    """A file of this name is there, or another backup is being written beside it."""

    code = "backup_refused"


@dataclass(frozen=True, slots=True)
class Written:
    """A backup that was written and read again."""

    path: Path
    byte_count: int
    index: Index
    took_s: float
    removed: tuple[str, ...]
    """Names of the older backups that had to go."""


def back_up(
    settings: Settings, target: Path | None, *, keep: int | None, now: dt.datetime, on_step: Step
) -> Written:
    """
    Write one moment of the database into a new file, verify it, and give it its name.

    Parameters
    ----------
    target
        A folder, or a file that is not there yet; the home's `backups` when absent.
    keep
        How many backups of the territory may stay in the folder; None removes none.

    Raises
    ------
    NothingToBackUp, BackupRefused
        See there.
    Unavailable
        The database cannot be reached or dumped. Nothing is left behind.
    """
    begun_s = time.monotonic()
    with opened_as_owner(settings) as engine, one_moment(engine) as (connection, moment):
        on_step("counting rows")
        contents = read_contents(connection)
        if contents.territory_id is None or contents.schema_revision is None:
            raise NothingToBackUp("the database holds no territory yet: mobility db upgrade")
        path = _place(settings, target, contents.territory_id, now)
        with _alone_in(path.parent):
            if path.exists():
                raise BackupRefused(f"{path} is there already: name another file, or a folder")
            draft = path.with_name(f".{path.name}{DRAFT}")
            try:
                on_step("dumping the database")
                with written_backup(draft) as backup:
                    _write(backup, engine, settings, moment=moment, contents=contents, now=now)
                on_step("reading it again")
                index = _verify(draft)
                _publish(draft, path)
            finally:
                draft.unlink(missing_ok=True)
            removed = () if keep is None else _remove_old(path, index.territory, keep)
    return Written(path, path.stat().st_size, index, time.monotonic() - begun_s, removed)


def _place(settings: Settings, target: Path | None, territory: str, now: dt.datetime) -> Path:
    """Choose the file, and make its folder where that is missing."""
    folder = settings.home / "backups" if target is None else target
    if target is not None and not target.is_dir():
        target.parent.mkdir(parents=True, exist_ok=True)
        return target
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    return folder / f"mobility-{territory}-{now:{TIME_FORMAT}}{SUFFIX}"


def _write(
    backup: BackupWriter,
    engine: Engine,
    settings: Settings,
    *,
    moment: str,
    contents: Contents,
    now: dt.datetime,
) -> None:
    assert contents.territory_id is not None
    assert contents.schema_revision is not None
    address = address_of(engine)

    def dump(out: BinaryIO) -> None:
        dump_database(address, out, moment=moment, without=RECOMPUTED)

    backup.add(DUMP, dump)
    snapshot = _snapshot(settings)
    beside = () if snapshot is None else [snapshot / name for name in BESIDE]
    for path in beside:
        if path.is_file():
            backup.add_file(path)
    backup.add_index(
        Index(
            format=FORMAT,
            program=metadata.version("mobility"),
            territory=contents.territory_id,
            schema=contents.schema_revision,
            postgres=address.major,
            created_at=now,
            snapshot=None if snapshot is None else snapshot.name,
            rows=dict(contents.rows),
            members=backup.members,
        )
    )


def _snapshot(settings: Settings) -> Path | None:
    """Find the snapshot that is served, if there is one."""
    try:
        folder = settings.snapshot or current_snapshot(settings.snapshots)
        read_manifest(folder)
    except SnapshotInvalid:
        return None
    return folder.resolve()


def _verify(draft: Path) -> Index:
    """Read the written file: every checksum, and the dump unpacked to its last row."""
    index = read_backup(draft)
    with opened_dump(draft) as dump:
        check_dump(index.postgres, dump)
    return index


def _publish(draft: Path, path: Path) -> None:
    draft.rename(path)
    descriptor = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _remove_old(path: Path, territory: str, keep: int) -> tuple[str, ...]:
    """Remove all but the newest backups of the territory, by the time in their names."""
    ours = re.compile(rf"mobility-{re.escape(territory)}-\d{{8}}T\d{{6}}Z{re.escape(SUFFIX)}")
    found = sorted(p.name for p in path.parent.iterdir() if ours.fullmatch(p.name))
    old = [name for name in found[:-keep] if name != path.name]
    for name in old:
        (path.parent / name).unlink()
    return tuple(old)


@contextmanager
def _alone_in(folder: Path) -> Iterator[None]:
    """One backup at a time in a folder; drafts of those that were killed go."""
    with (folder / LOCK).open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise BackupRefused(f"another backup is being written to {folder}") from None
        for draft in folder.glob(f".*{DRAFT}"):
            draft.unlink()
        yield
