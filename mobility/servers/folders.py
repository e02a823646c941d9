"""
The home folder of the embedded servers: private folders, short sockets, locks and logs.

    <home>/postgres/   cluster in data/, its socket      0700, owned by the server's account
    <home>/valkey/     its socket                        0700, owned by the server's account
    <home>/logs/       postgres.log, valkey.log          0600, owned by the server's account
    <home>/*.lock      held while a server is being started or stopped

The sockets ask for no password. What protects them is the folder: nobody but the server's
account and root can enter it, and neither server listens on TCP.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import time
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from mobility.servers.account import ServerUnavailable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mobility.servers.account import Account

# `sun_path` holds 108 bytes on Linux and 104 on macOS, its final zero included.
SOCKET_PATH_BYTE_LIMIT = 103
# Fixed, not TMPDIR: two processes with different environments must find the same socket.
SHORT_FOLDER = Path("/tmp")  # noqa: S108 - sockets go to a 0700 folder in it, whose owner is checked
LOG_BYTE_LIMIT = 10_000_000  # beyond it the log of the last runs moves aside at the next start
LOG_TAIL_LINE_COUNT = 15  # enough for a FATAL with its hint, short enough for a terminal
LOG_TAIL_BYTE_COUNT = 20_000
POLL_S = 0.05


def home_path(home: Path) -> Path:
    """Give the one absolute name of a home folder, whatever links lead to it."""
    return home.expanduser().resolve()


def make_folder(folder: Path) -> None:
    """
    Create a folder and its missing parents; what exists is left as it is.

    Mode 0711: the server's account must pass through, and nobody needs to list it.
    """
    missing = [path for path in (folder, *folder.parents) if not path.exists()]
    for path in reversed(missing):
        path.mkdir(exist_ok=True)
        path.chmod(0o711)


def make_private_folder(folder: Path, account: Account) -> None:
    """
    Create a folder that only `account` (and root) can enter, or check the one that is there.

    The check is what makes a folder in a temp directory safe: another user may have made it.
    """
    with suppress(FileExistsError):
        folder.mkdir(mode=0o700)
    refusal = ServerUnavailable(
        f"{folder} should be a folder of the account {account.name!r}, and is not: "
        "remove it, or set MOBILITY_HOME to another place."
    )
    try:
        # By descriptor, so that what is checked is what is changed.
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    except NotADirectoryError as error:
        raise refusal from error
    try:
        # Made by the caller just now, or by hand before the first start.
        if os.fstat(descriptor).st_uid not in (account.uid, os.geteuid()):
            raise refusal
        if not account.is_caller:
            os.fchown(descriptor, account.uid, account.gid)
        os.fchmod(descriptor, 0o700)
    finally:
        os.close(descriptor)


def socket_folder(folder: Path, socket_name: str) -> Path:
    """
    Choose where a server's socket goes: its own folder, or a short one when the path is too long.

    The short one is named after a hash of the long one, so two homes never share it and every
    process finds the same. It is only named here, not made.
    """
    if len(os.fsencode(folder / socket_name)) <= SOCKET_PATH_BYTE_LIMIT:
        return folder
    digest = hashlib.sha256(os.fsencode(folder)).hexdigest()[:16]
    return SHORT_FOLDER / f"mobility-{digest}"


@contextmanager
def locked(path: Path, *, timeout_s: float) -> Iterator[None]:
    """
    Hold the lock on `path`, against other processes and other threads.

    The kernel drops it when the holder dies, and servers do not inherit it.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        deadline_s = time.monotonic() + timeout_s
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() >= deadline_s:
                    raise ServerUnavailable(
                        f"Another process has held {path} for {timeout_s:g} s: it is starting or "
                        "stopping the server. Try again when it has finished."
                    ) from None
                time.sleep(POLL_S)
        yield
    finally:
        os.close(descriptor)


@contextmanager
def system_errors_explained(doing: str) -> Iterator[None]:
    """Turn a refusal of the operating system (permission, disk full) into one of ours."""
    try:
        yield
    except OSError as error:
        what = error.strerror or str(error)
        where = f" ({error.filename})" if error.filename else ""
        raise ServerUnavailable(f"{doing}: {what}{where}.") from error


def make_log(path: Path, account: Account) -> None:
    """Create a server's log for its account; a long one moves to `<name>.1` first."""
    make_folder(path.parent)
    if path.exists() and path.stat().st_size > LOG_BYTE_LIMIT:
        path.replace(path.with_name(f"{path.name}.1"))
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW, 0o600)
    try:
        if not account.is_caller:
            os.fchown(descriptor, account.uid, account.gid)
    finally:
        os.close(descriptor)


def log_tail(path: Path, *, from_byte: int = 0) -> str:
    """Give the last lines of a log, written after `from_byte`; empty when it cannot be read."""
    try:
        with path.open("rb") as log:
            end_byte = log.seek(0, os.SEEK_END)
            log.seek(max(from_byte, end_byte - LOG_TAIL_BYTE_COUNT, 0))
            text = log.read(LOG_TAIL_BYTE_COUNT).decode(errors="replace")
    except OSError:
        return ""
    return "\n".join(text.splitlines()[-LOG_TAIL_LINE_COUNT:])
