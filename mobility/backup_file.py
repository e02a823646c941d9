"""
One backup, one file: a ZIP archive (stored, not packed) that standard tools open.

    database.dump    what people entered, in the custom format of pg_dump
    manifest.json    of the snapshot that was served then, when there was one
    tariff.yaml      the same
    index.json       what the file is, row counts, and the SHA-256 of each other member

The archive's comment is its seal: the SHA-256 of every byte before it.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import os
import shutil
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, BinaryIO, cast

from core.errors import Conflict, InvalidInput

FORMAT = 1
INDEX, DUMP = "index.json", "database.dump"
SUFFIX = ".backup"
CHUNK_BYTE_COUNT = 1 << 20
SEAL_BYTE_COUNT = 64
"""A SHA-256 in hexadecimal digits."""
DAMAGE = (zipfile.BadZipFile, KeyError, TypeError, ValueError, NotImplementedError)
"""What reading raises in a sealed archive that is no backup."""


class BackupDamaged(InvalidInput):
    """The file is no backup, or not as it was written."""

    code = "backup_damaged"


class BackupTooNew(Conflict):
    """A newer program or server wrote the backup."""

    code = "backup_too_new"


@dataclass(frozen=True, slots=True)
class Member:
    """One file inside of a backup."""

    byte_count: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Index:
    """What a backup says of itself."""

    format: int
    program: str
    territory: str
    schema: str
    """Last migration of the database."""
    postgres: int
    """Major version of the server."""
    created_at: dt.datetime
    """The moment that the dump shows."""
    snapshot: str | None
    rows: dict[str, int]
    members: dict[str, Member]


class _Hashed:
    """Counts and hashes what is written through it."""

    def __init__(self, out: IO[bytes]) -> None:
        self._out = out
        self._sha256 = hashlib.sha256()
        self._byte_count = 0

    def write(self, data: bytes) -> int:
        self._sha256.update(data)
        self._byte_count += len(data)
        return self._out.write(data)

    @property
    def member(self) -> Member:
        return Member(self._byte_count, self._sha256.hexdigest())


class BackupWriter:
    """A backup that is being written; `add_index` comes last."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._archive = archive
        self.members: dict[str, Member] = {}

    def add(self, name: str, write: Callable[[BinaryIO], None]) -> None:
        """Add a member that `write` streams."""
        with self._archive.open(name, "w", force_zip64=True) as out:
            hashed = _Hashed(out)
            write(cast("BinaryIO", hashed))
        self.members[name] = hashed.member

    def add_file(self, path: Path) -> None:
        """Add a file under its own name."""
        self.add(path.name, lambda out: _copy(path, out))

    def add_index(self, index: Index) -> None:
        """End the backup with what it says of itself."""
        told = {**asdict(index), "created_at": index.created_at.isoformat()}
        self._archive.writestr(INDEX, json.dumps(told, indent=1) + "\n")


@contextmanager
def written_backup(path: Path) -> Iterator[BackupWriter]:
    """Write a new file that only its owner may read, and wait until it is on the disk."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w+b") as file:
        with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
            archive.comment = bytes(SEAL_BYTE_COUNT)
            yield BackupWriter(archive)
        seal(file)
        os.fsync(file.fileno())


def seal(file: BinaryIO) -> None:
    """Write the hash of all bytes before the last ones into these."""
    digest = _digest_before_seal(file)
    file.write(digest)
    file.flush()


@contextmanager
def opened_dump(path: Path) -> Iterator[BinaryIO]:
    """Read the dump of a backup that `read_backup` has found whole."""
    with zipfile.ZipFile(path) as archive, archive.open(DUMP) as dump:
        yield cast("BinaryIO", dump)


def read_backup(path: Path) -> Index:
    """
    Read every byte of a backup; gives its index.

    Raises
    ------
    BackupDamaged
        It cannot be read, or a member is not the one that was written.
    BackupTooNew
        Its format is one of a later program.
    """
    with _opened(path) as file:
        digest = _digest_before_seal(file)
        if file.read() != digest:
            raise _damaged(path, "its bytes are not those that were written")
    with _damage_told(path), zipfile.ZipFile(path) as archive:
        told = json.loads(archive.read(INDEX))
        if told["format"] > FORMAT:
            raise BackupTooNew(
                f"{path.name} is of format {told['format']}, this program reads up to {FORMAT}: "
                f"update it (the backup was written by {told.get('program')})"
            )
        found = {i.filename: _member(archive, i) for i in archive.infolist() if i.filename != INDEX}
        index = Index(
            **{
                **told,
                "created_at": dt.datetime.fromisoformat(told["created_at"]),
                "members": {name: Member(**m) for name, m in told["members"].items()},
            }
        )
    changed = sorted(
        name
        for name in found.keys() | index.members.keys() | {DUMP}
        if name not in found or found[name] != index.members.get(name)
    )
    if changed:
        raise _damaged(path, f"not as written: {', '.join(changed)}")
    return index


def _digest_before_seal(file: BinaryIO) -> bytes:
    """Hash a file but for its last bytes; leaves it standing before these."""
    left = max(file.seek(0, os.SEEK_END) - SEAL_BYTE_COUNT, 0)
    file.seek(0)
    sha256 = hashlib.sha256()
    while left and (chunk := file.read(min(CHUNK_BYTE_COUNT, left))):
        sha256.update(chunk)
        left -= len(chunk)
    return sha256.hexdigest().encode()


def _copy(path: Path, out: BinaryIO) -> None:
    with path.open("rb") as file:
        shutil.copyfileobj(file, out, CHUNK_BYTE_COUNT)


def _member(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> Member:
    sha256, byte_count = hashlib.sha256(), 0
    with archive.open(info) as file:
        while chunk := file.read(CHUNK_BYTE_COUNT):
            sha256.update(chunk)
            byte_count += len(chunk)
    return Member(byte_count, sha256.hexdigest())


def _opened(path: Path) -> BinaryIO:
    try:
        return path.open("rb")
    except OSError as error:
        raise InvalidInput(f"{path} cannot be read: {error.strerror or error}") from error


@contextmanager
def _damage_told(path: Path) -> Iterator[None]:
    try:
        yield
    except DAMAGE as error:
        raise _damaged(path, str(error)) from error


def _damaged(path: Path, what: str) -> BackupDamaged:
    return BackupDamaged(f"{path.name} is damaged ({what}): take another backup; nothing was done")
