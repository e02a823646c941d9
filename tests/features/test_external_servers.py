"""PostgreSQL and Redis that somebody else runs, named by URL: over TCP, with a password."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
import redis

from core.errors import Unavailable
from mobility.actions.publish_offer import publish_and_announce
from mobility.actions.run_demo import prepare_demo, start_server
from mobility.db.engine import open_engine
from mobility.installation import open_installation
from mobility.live import Wakeups
from mobility.servers.account import Account, account_for, run_as
from mobility.servers.cluster import find_cluster, reachable_programs
from mobility.settings import Settings
from mobility.world import open_snapshot
from tests.conftest import free_port

PASSWORD = "a-pass:word/of@theirs"
ESCAPED = "a-pass%3Aword%2Fof%40theirs"
DEBIAN = Path("/usr/lib/postgresql")
OLDEST = 16
START_S = 30.0


@dataclass(frozen=True, slots=True)
class OwnFolder:
    """A folder of the account that may run servers."""

    path: Path
    account: Account

    def run(self, *command: str | Path) -> None:
        """Run a program there as that account; its output is the failure's message."""
        words = [str(word) for word in command]
        done = run_as(self.account, words, folder=self.path, timeout_s=60)
        assert done.returncode == 0, done.stdout


@pytest.fixture(scope="module")
def folder() -> Iterator[OwnFolder]:
    path = Path(tempfile.mkdtemp(prefix="mobility-external-"))
    path.chmod(0o755)
    account = account_for(path)
    os.chown(path, account.uid, account.gid)
    yield OwnFolder(path, account)
    shutil.rmtree(path, ignore_errors=True)


def start_postgres(folder: OwnFolder, programs: Path, name: str) -> tuple[str, list[str | Path]]:
    """Start a server on TCP with a password; gives its URL and the command that stops it."""
    data, secret, port = folder.path / name, folder.path / f"{name}.secret", free_port()
    secret.write_text(PASSWORD)
    secret.chmod(0o644)
    folder.run(
        programs / "initdb", "-D", data, "-U", "them", "-A", "scram-sha-256",
        f"--pwfile={secret}", "--encoding=UTF8", "--locale=C",
    )  # fmt: skip
    options = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories="
    log = folder.path / f"{name}.log"
    folder.run(programs / "pg_ctl", "start", "-w", "-D", data, "-l", log, "-o", options)
    url = f"postgresql://them:{ESCAPED}@127.0.0.1:{port}/postgres"
    return url, [programs / "pg_ctl", "stop", "-w", "-m", "fast", "-D", data]


@pytest.fixture(scope="module")
def postgres_url(folder: OwnFolder, home: Path) -> Iterator[str]:
    """The wheel's own PostgreSQL, started as a database administrator would."""
    url, stop = start_postgres(folder, reachable_programs(find_cluster(home)), "theirs")
    yield url
    folder.run(*stop)


@pytest.fixture(scope="module")
def redis_url(folder: OwnFolder) -> Iterator[str]:
    """Debian's Redis, where it is installed."""
    program, port = shutil.which("redis-server"), free_port()
    if program is None:
        pytest.skip("redis-server is not installed: apt install redis-server")
    folder.run(
        program, "--port", str(port), "--bind", "127.0.0.1", "--requirepass", PASSWORD,
        "--daemonize", "yes", "--save", "", "--dir", folder.path,
    )  # fmt: skip
    url = f"redis://:{ESCAPED}@127.0.0.1:{port}/0"
    wakeups = Wakeups(url)
    deadline_s = time.monotonic() + START_S
    while not wakeups.announce(0):
        assert time.monotonic() < deadline_s
        time.sleep(0.1)
    wakeups.close()
    yield url
    with redis.Redis.from_url(url) as client:
        client.shutdown(nosave=True)


def test_external_servers_do_what_the_embedded_ones_do(
    folder: OwnFolder, postgres_url: str, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = folder.path / "home"
    monkeypatch.setenv("MOBILITY_DATABASE_URL", postgres_url)
    monkeypatch.setenv("MOBILITY_REDIS_URL", redis_url)
    settings = Settings(home=home)
    demo = prepare_demo(settings, on_step=lambda _: None)
    server = start_server(settings, free_port(), workers=2)
    try:
        before = httpx.get(f"{server.base_url}/readyz").json()["offers"]
        installation = open_installation(settings)
        snapshot = open_snapshot(installation.snapshot_folder)
        offers = json.loads((demo.parent / "offers.json").read_text())[:3]
        publish_and_announce(installation.engine, installation.wakeups, snapshot, offers)
        installation.close()
        deadline_s = time.monotonic() + 5
        while {
            httpx.get(f"{server.base_url}/readyz").json()["offers"] for _ in range(8)
        } != {before + 3}:  # fmt: skip
            assert time.monotonic() < deadline_s, "not every process heard of the new offers"
    finally:
        server.process.terminate()
        server.process.wait(timeout=40)
    assert not (home / "postgres").exists()
    assert not (home / "valkey").exists()


def test_wrong_password_is_said_and_not_repeated(postgres_url: str) -> None:
    with pytest.raises(Unavailable, match="password authentication failed") as caught:
        open_engine(postgres_url.replace(ESCAPED, "guess"))
    assert "guess" not in str(caught.value)


def test_too_old_postgresql_of_debian_is_refused(folder: OwnFolder) -> None:
    found = sorted(DEBIAN.glob("*/bin/initdb")) if DEBIAN.is_dir() else []
    old = [program.parent for program in found if int(program.parts[-3]) < OLDEST]
    if not old:
        pytest.skip("Debian has no PostgreSQL older than 16 here: apt install postgresql")
    url, stop = start_postgres(folder, old[0], "old")
    try:
        with pytest.raises(Unavailable, match="16 or later is needed"):
            open_engine(url)
    finally:
        folder.run(*stop)
