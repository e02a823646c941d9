"""The file of a backup: closed to others, and no wrong byte in it goes unseen."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
import stat
import zipfile
from pathlib import Path

import pytest

from core.errors import InvalidInput
from mobility.backup_file import (
    DUMP,
    FORMAT,
    INDEX,
    BackupDamaged,
    BackupTooNew,
    Index,
    opened_dump,
    read_backup,
    written_backup,
)
from tests.support.backups import sealed

pytestmark = pytest.mark.unit
ROWS = {"person": 2, "offer": 1}


def written(path: Path, *, form: int = FORMAT) -> Path:
    (path.parent / "manifest.json").write_text('{"id": "x"}')
    at = dt.datetime(2026, 11, 27, 7, tzinfo=dt.UTC)
    with written_backup(path) as backup:
        backup.add(DUMP, lambda out: out.write(b"who drives where" * 20) and None)
        backup.add_file(path.parent / "manifest.json")
        backup.add_index(Index(form, "0", "x", "s", 18, at, "x-1", ROWS, backup.members))
    return path


def test_what_was_written_is_read_and_standard_tools_open_it(tmp_path: Path) -> None:
    path = written(tmp_path / "a.backup")
    index = read_backup(path)
    assert (index.territory, index.snapshot, index.rows) == ("x", "x-1", ROWS)
    assert index.created_at == dt.datetime(2026, 11, 27, 7, tzinfo=dt.UTC)
    with opened_dump(path) as dump:
        assert dump.read(16) == b"who drives where"
    with zipfile.ZipFile(path) as archive:
        assert archive.namelist() == [DUMP, "manifest.json", INDEX]
        assert json.loads(archive.read(INDEX))["members"].keys() == {DUMP, "manifest.json"}


def test_others_cannot_read_it_and_it_overwrites_nothing(tmp_path: Path) -> None:
    path = written(tmp_path / "a.backup")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with pytest.raises(FileExistsError):
        written(path)


def test_every_flipped_byte_is_refused(tmp_path: Path) -> None:
    path = written(tmp_path / "a.backup")
    whole = path.read_bytes()
    for i in range(len(whole)):
        spoilt = bytearray(whole)
        spoilt[i] ^= 0x11
        path.write_bytes(spoilt)
        with pytest.raises(BackupDamaged):
            read_backup(path)


@pytest.mark.parametrize("length", [0, 1, 100, -30, -1])
def test_cut_short_it_is_refused(tmp_path: Path, length: int) -> None:
    path = written(tmp_path / "a.backup")
    path.write_bytes(path.read_bytes()[:length])
    with pytest.raises(BackupDamaged, match=r"a\.backup is damaged"):
        read_backup(path)


@pytest.mark.parametrize("missing", [DUMP, "manifest.json", INDEX])
def test_member_that_is_missing_or_added_is_refused(tmp_path: Path, missing: str) -> None:
    path = written(tmp_path / "a.backup")
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    for changed in ({**members, "more": b""}, {n: b for n, b in members.items() if n != missing}):
        with pytest.raises(BackupDamaged, match=r"not as written|no item"):
            read_backup(sealed(tmp_path / "b.backup", changed))


def test_format_of_a_later_program_is_named(tmp_path: Path) -> None:
    with pytest.raises(BackupTooNew, match=f"format {FORMAT + 1}"):
        read_backup(written(tmp_path / "a.backup", form=FORMAT + 1))


def test_archive_that_is_no_backup_is_refused(tmp_path: Path) -> None:
    for members in ({INDEX: b"[]"}, {INDEX: b"{"}, {INDEX: b'{"format": 1}', DUMP: b""}, {}):
        with pytest.raises(BackupDamaged):
            read_backup(sealed(tmp_path / "a.backup", members))
    (tmp_path / "b.backup").write_text("no archive at all, but of many more than 64 bytes" * 9)
    with pytest.raises(BackupDamaged):
        read_backup(tmp_path / "b.backup")


def test_file_that_is_absent_is_no_damage(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="No such file") as caught:
        read_backup(tmp_path / "none.backup")
    assert caught.value.code == "invalid_input"


def test_password_of_the_address_is_not_printed() -> None:
    from mobility.servers.dumps import Address

    assert "secret" not in repr(Address("host=x", "secret", 18))
    assert dataclasses.is_dataclass(Address)
