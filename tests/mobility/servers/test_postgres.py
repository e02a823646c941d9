from __future__ import annotations

import os
import shutil
import signal
import stat
import subprocess
import sys
from typing import TYPE_CHECKING

import psycopg
import pytest

from core.errors import Unavailable
from mobility.servers.account import account_for
from mobility.servers.cluster import DataVersionMismatch
from mobility.servers.folders import SOCKET_PATH_BYTE_LIMIT, locked
from mobility.servers.postgres import (
    PostgresServer,
    ensure_postgres,
    postgres_status,
    stop_postgres,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def ask(server: PostgresServer, query: str) -> str:
    url = server.url.replace("+psycopg", "")
    with psycopg.connect(url, autocommit=True, connect_timeout=5) as connection:
        cursor = connection.execute(query)  # type: ignore[call-overload,unused-ignore] # not literal
        row = cursor.fetchone() if cursor.description else None
    return str(row[0]) if row else ""


def postmaster_pid(home: Path) -> int:
    return int((home / "postgres/data/postmaster.pid").read_text().split("\n")[0])


def a_process_of_the_servers_account(home: Path) -> subprocess.Popen[bytes]:
    account = account_for(home / "postgres")
    if account.is_caller:
        return subprocess.Popen(["/bin/sleep", "60"])
    return subprocess.Popen(
        ["/bin/sleep", "60"], user=account.uid, group=account.gid, extra_groups=[]
    )


def test_the_first_call_installs_and_starts_and_the_next_one_attaches(home: Path) -> None:
    assert postgres_status(home) == "absent"
    first = ensure_postgres(home)
    assert first.started_now
    assert postgres_status(home) == "running"
    assert ask(first, "SELECT current_database()") == "mobility"

    second = ensure_postgres(home)
    assert not second.started_now
    assert second.url == first.url

    assert stop_postgres(home)
    assert postgres_status(home) == "stopped"
    assert not stop_postgres(home)


def test_the_server_is_durable_speaks_utc_and_is_closed_to_others(used_home: Path) -> None:
    server = ensure_postgres(used_home)
    shown = {
        name: ask(server, f"SHOW {name}")
        for name in (
            *("fsync", "synchronous_commit", "full_page_writes"),
            *("listen_addresses", "timezone", "server_encoding", "max_connections"),
        )
    }
    assert shown == {
        "fsync": "on",
        "synchronous_commit": "on",
        "full_page_writes": "on",
        "listen_addresses": "",
        "timezone": "UTC",
        "server_encoding": "UTF8",
        "max_connections": "60",
    }
    assert ask(server, "SELECT upper('éà')") == "ÉÀ"
    assert stat.S_IMODE(server.socket_dir.stat().st_mode) == 0o700
    assert stat.S_IMODE((used_home / "logs/postgres.log").stat().st_mode) == 0o600


def test_committed_data_survive_a_killed_server(used_home: Path) -> None:
    server = ensure_postgres(used_home)
    ask(server, "CREATE TABLE kept AS SELECT 42 AS answer")
    os.kill(postmaster_pid(used_home), signal.SIGKILL)

    again = ensure_postgres(used_home)

    assert again.started_now
    assert ask(again, "SELECT answer FROM kept") == "42"


def test_a_stale_pid_file_naming_a_live_process_neither_blocks_nor_hurts_it(
    used_home: Path,
) -> None:
    ensure_postgres(used_home)
    lock_files = [
        used_home / "postgres/data/postmaster.pid",
        used_home / "postgres/.s.PGSQL.5432.lock",
    ]
    texts = [lock_file.read_text() for lock_file in lock_files]
    pid = postmaster_pid(used_home)
    stop_postgres(used_home)
    with a_process_of_the_servers_account(used_home) as other:
        try:
            # What a killed server leaves, and a restarted container then contradicts.
            for lock_file, text in zip(lock_files, texts, strict=True):
                lock_file.write_text(text.replace(f"{pid}\n", f"{other.pid}\n", 1))
                shutil.chown(lock_file, *_owner(used_home / "postgres"))
            assert postgres_status(used_home) == "stopped"
            assert not stop_postgres(used_home)
            assert ensure_postgres(used_home).started_now
            assert postmaster_pid(used_home) != other.pid
            assert other.poll() is None
        finally:
            other.kill()


def test_a_killed_server_is_not_replaced_while_one_of_its_processes_still_writes(
    used_home: Path,
) -> None:
    server = ensure_postgres(used_home)
    with psycopg.connect(server.url.replace("+psycopg", "")) as connection:
        left_over_pid = connection.info.backend_pid
        os.kill(left_over_pid, signal.SIGSTOP)
        try:
            os.kill(postmaster_pid(used_home), signal.SIGKILL)
            with pytest.raises(Unavailable, match="pre-existing shared memory block"):
                ensure_postgres(used_home, timeout_s=0.3)
        finally:
            os.kill(left_over_pid, signal.SIGCONT)
    assert ensure_postgres(used_home).started_now


def test_an_empty_pid_file_left_by_a_full_disk_is_no_obstacle(used_home: Path) -> None:
    ensure_postgres(used_home)
    stop_postgres(used_home)
    (used_home / "postgres/data/postmaster.pid").touch()
    assert ensure_postgres(used_home).started_now


def test_two_homes_have_two_servers_at_once_whatever_their_names(
    new_home: Callable[..., Path],
) -> None:
    short, long = new_home("it's a home"), new_home("deep/" + "x" * SOCKET_PATH_BYTE_LIMIT)
    one, other = ensure_postgres(short), ensure_postgres(long)
    try:
        assert one.socket_dir == short / "postgres"
        assert long not in other.socket_dir.parents  # too long for a socket
        assert stat.S_IMODE(other.socket_dir.stat().st_mode) == 0o700
        assert ask(one, "SHOW data_directory") == str(short / "postgres/data")
        assert ask(other, "SHOW data_directory") == str(long / "postgres/data")
        assert not ensure_postgres(long).started_now
    finally:
        stop_postgres(long)
        other.socket_dir.rmdir()


def test_three_processes_at_once_get_one_server_that_outlives_them(home: Path) -> None:
    script = (
        "import sys, pathlib; from mobility.servers.postgres import ensure_postgres;"
        "print(ensure_postgres(pathlib.Path(sys.argv[1])).started_now)"
    )
    command = [sys.executable, "-c", script, str(home)]
    starters = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(3)]
    said = sorted(starter.communicate(timeout=60)[0].strip() for starter in starters)
    assert said == ["False", "False", "True"]
    assert not ensure_postgres(home).started_now


def test_data_of_another_version_are_refused_and_left_alone(home: Path) -> None:
    data = home / "postgres/data"
    data.mkdir(parents=True)
    (data / "PG_VERSION").write_text("16\n")
    with pytest.raises(DataVersionMismatch, match="PostgreSQL 16, and this is PostgreSQL 18"):
        ensure_postgres(home)
    assert (data / "PG_VERSION").read_text() == "16\n"


def test_a_damaged_data_directory_is_refused_and_left_alone(home: Path) -> None:
    data = home / "postgres/data"
    data.mkdir(parents=True)
    (data / "pg_wal").touch()
    with pytest.raises(Unavailable, match="PG_VERSION is missing"):
        ensure_postgres(home)
    assert [path.name for path in data.iterdir()] == ["pg_wal"]


def test_a_failed_start_says_what_the_server_logged(home: Path) -> None:
    ensure_postgres(home)
    stop_postgres(home)
    with (home / "postgres/data/postgresql.conf").open("a") as settings:
        settings.write("shared_bufers = 1GB\n")
    with pytest.raises(Unavailable, match='unrecognized configuration parameter "shared_bufers"'):
        ensure_postgres(home)


def test_a_home_that_cannot_be_made_is_explained(home: Path) -> None:
    home.write_text("a file, not a folder")
    with pytest.raises(Unavailable, match="PostgreSQL cannot use"):
        ensure_postgres(home)
    home.unlink()


def test_a_home_with_shell_characters_is_refused(home: Path) -> None:
    with pytest.raises(Unavailable, match="dollar signs"):
        ensure_postgres(home / "$(id)")


def test_waiting_for_another_process_ends_with_the_timeout(home: Path) -> None:
    home.mkdir()
    with (
        locked(home / "postgres.lock", timeout_s=1),
        pytest.raises(Unavailable, match="Another process"),
    ):
        ensure_postgres(home, timeout_s=0.1)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root hands the server to another account")
def test_root_is_told_which_folder_the_servers_account_cannot_enter(home: Path) -> None:
    closed = home / "closed"
    closed.mkdir(parents=True)
    closed.chmod(0o700)
    with pytest.raises(Unavailable, match=rf"cannot enter {closed}: set MOBILITY_HOME"):
        ensure_postgres(closed / "inner")
    assert stat.S_IMODE(closed.stat().st_mode) == 0o700


def _owner(folder: Path) -> tuple[int, int]:
    found = folder.stat()
    return found.st_uid, found.st_gid
