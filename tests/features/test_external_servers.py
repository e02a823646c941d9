"""PostgreSQL and Redis that somebody else runs, named by URL: over TCP, with a password."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Iterator
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
from mobility.servers.cluster import find_cluster, reachable_programs
from mobility.settings import Settings
from mobility.world import open_snapshot
from tests.conftest import free_port
from tests.support.external import ESCAPED, PASSWORD, OwnFolder, own_folder, start_postgres

DEBIAN = Path("/usr/lib/postgresql")
OLDEST = 16
START_S = 30.0


@pytest.fixture(scope="module")
def folder() -> Iterator[OwnFolder]:
    with own_folder() as made:
        yield made


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
