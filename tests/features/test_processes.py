"""Every kind of process is killed under load: the service comes back, and no offer is lost."""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
import redis

from carpool.offers import OfferState
from mobility.actions.publish_offer import publish_and_announce
from mobility.actions.run_demo import RunningServer, prepare_demo, start_server
from mobility.db.engine import DatabaseError
from mobility.db.offers import SqlOfferStore
from mobility.installation import Installation, open_installation, stop_servers
from mobility.servers.cluster import find_cluster, find_postmaster_pid
from mobility.servers.valkey import ensure_valkey
from mobility.settings import Settings
from mobility.world import Snapshot, open_snapshot
from tests.conftest import free_port

pytestmark = pytest.mark.alone

PROCESSES = 2
CLIENT_COUNT = 4
PATIENCE_S = 0.2
"""How long a rider waits before asking again after a failure."""
BACK_LIMIT_S = 10.0
LOOKS = 12
"""Answers in a row that must be good: the port leads to one process or the other."""


@dataclass(slots=True)
class Service:
    """A served demo: API in two processes, a worker, a driver who publishes, and riders."""

    settings: Settings
    installation: Installation
    snapshot: Snapshot
    offer: dict[str, Any]
    port: int
    server: RunningServer
    worker: subprocess.Popen[bytes]
    http: httpx.Client
    acknowledged: set[str] = field(default_factory=set)
    stop: threading.Event = field(default_factory=threading.Event)
    failed: int = 0

    def publish(self) -> bool:
        """Publish one more offer; False when the database did not take it."""
        try:
            (offer,) = publish_and_announce(
                self.installation.engine, self.installation.wakeups, self.snapshot, [self.offer]
            )
        except DatabaseError:
            return False
        self.acknowledged.add(offer.id)
        return True

    def drive(self) -> None:
        while not self.stop.wait(0.2):
            self.publish()

    def ride(self) -> None:
        riders = json.loads((self.settings.home / "demo" / "riders.json").read_text())
        for rider in itertools.cycle(riders):
            if self.stop.is_set():
                return
            if not self.plan(rider):
                self.failed += 1
                time.sleep(PATIENCE_S)

    def plan(self, rider: dict[str, Any]) -> bool:
        ends = (f"{rider[end]['lat']},{rider[end]['lon']}" for end in ("from", "to"))
        given = dict(zip(("fromPlace", "toPlace"), ends, strict=True), time="2026-11-24T07:00Z")
        try:
            answer = self.http.get(f"{self.server.base_url}/api/v6/plan", params=given)
        except httpx.HTTPError:
            return False
        return answer.status_code == httpx.codes.OK

    def stored(self) -> set[str]:
        """Ids of all active offers in the database."""
        with self.installation.engine.connect() as connection:
            every = SqlOfferStore(connection).list_changed(0, "")
        return {stored.offer.id for stored in every if stored.state is OfferState.PUBLISHED}

    def served(self) -> set[int]:
        """How many offers the API serves, by the answers of several connections."""
        return {
            self.http.get(f"{self.server.base_url}/readyz").json()["offers"] for _ in range(LOOKS)
        }

    def missing(self) -> set[str]:
        """Parts that the processes say they miss; they may not all have noticed."""
        every = [
            self.http.get(f"{self.server.base_url}/readyz").json()["missing"] for _ in range(LOOKS)
        ]
        return {lack["part"] for missing in every for lack in missing}

    def is_back(self) -> bool:
        """Riders are answered, drivers can publish, and every process lives and knows it."""
        if len(self.api_pids()) != PROCESSES or not self.publish():
            return False
        stored = len(self.stored())
        try:
            return min(self.served()) >= stored
        except (httpx.HTTPError, ValueError, KeyError):
            return False

    def api_pids(self) -> list[int]:
        """Find the processes that answer requests."""
        found = subprocess.run(
            ["pgrep", "-P", str(self.server.process.pid), "-f", "spawn_main"],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        return [int(pid) for pid in found.stdout.split()]


def start_worker(settings: Settings) -> subprocess.Popen[bytes]:
    environment = {**os.environ, "MOBILITY_HOME": str(settings.home)}
    command = [sys.executable, "-m", "mobility.cli", "worker"]
    return subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL)


@pytest.fixture(scope="module")
def service() -> Iterator[Service]:
    home = Path(tempfile.mkdtemp(prefix="mobility-kill-"))
    home.chmod(0o711)
    settings = Settings(home=home)
    demo = prepare_demo(settings, on_step=lambda _: None)
    installation = open_installation(settings)
    port = free_port()
    service = Service(
        settings, installation, open_snapshot(installation.snapshot_folder),
        json.loads((demo.parent / "offers.json").read_text())[0], port,
        start_server(settings, port, workers=PROCESSES), start_worker(settings),
        httpx.Client(timeout=10, headers={"connection": "close"}),
    )  # fmt: skip
    yield service
    for process in (service.server.process, service.worker):
        process.terminate()
        process.wait(timeout=40)
    service.http.close()
    installation.close()
    stop_servers(settings)
    shutil.rmtree(home, ignore_errors=True)


@pytest.fixture
def load(service: Service) -> Iterator[None]:
    service.stop.clear()
    threads = [threading.Thread(target=service.ride) for _ in range(CLIENT_COUNT)]
    threads.append(threading.Thread(target=service.drive))
    for thread in threads:
        thread.start()
    yield
    service.stop.set()
    for thread in threads:
        thread.join()


def kill_api(service: Service) -> None:
    os.kill(service.api_pids()[0], signal.SIGKILL)


def kill_postgres(service: Service) -> None:
    pid = find_postmaster_pid(find_cluster(service.settings.home))
    assert pid is not None
    os.kill(pid, signal.SIGKILL)


def kill_valkey(service: Service) -> None:
    url = ensure_valkey(service.settings.home).url
    pid = redis.Redis.from_url(url).info("server")["process_id"]
    os.kill(int(pid), signal.SIGKILL)


def kill_worker(service: Service) -> None:
    """Kill the worker, and start it again as a service manager does."""
    service.worker.kill()
    service.worker.wait()
    service.worker = start_worker(service.settings)


def kill_parent(service: Service) -> None:
    """Kill `mobility serve`, and start it again as a service manager does."""
    service.server.process.kill()
    service.server.process.wait()
    with contextlib.suppress(httpx.ConnectError):  # its orphans may still answer, each for itself
        while True:
            with contextlib.suppress(httpx.ReadError, httpx.RemoteProtocolError):
                httpx.get(f"{service.server.base_url}/readyz", timeout=5)
            time.sleep(0.05)
    service.server = start_server(service.settings, service.port, workers=PROCESSES)


@pytest.mark.parametrize(
    "kill",
    [kill_api, kill_postgres, kill_valkey, kill_worker, kill_parent],
    ids=lambda kill: kill.__name__,
)
@pytest.mark.usefixtures("load")
def test_service_is_back_and_no_offer_is_lost(
    service: Service, kill: Callable[[Service], None]
) -> None:
    _wait_until(service.is_back)
    failed = service.failed
    killed_s = time.monotonic()
    kill(service)
    back_s = _assert_back(service, killed_s)
    print(
        f"\n{kill.__name__}: back after {back_s:.1f} s; {service.failed - failed} requests failed"
    )


@pytest.mark.usefixtures("load")
def test_database_may_be_away_at_any_moment_of_a_start(service: Service) -> None:
    _wait_until(service.is_back)
    kill_api(service)
    kills = 0
    for _ in range(20):
        time.sleep(0.3)
        with contextlib.suppress(AssertionError, ProcessLookupError):  # nobody has started it yet
            kill_postgres(service)
            kills += 1
            killed_s = time.monotonic()
    assert kills > 1
    back_s = _assert_back(service, killed_s)
    print(f"\n{kills} kills of the database while a process starts: back after {back_s:.1f} s")


def test_process_that_was_paused_catches_up(service: Service) -> None:
    _wait_until(service.is_back)
    paused = service.api_pids()[0]
    os.kill(paused, signal.SIGSTOP)
    try:
        assert all(service.publish() for _ in range(5))
        time.sleep(2)
    finally:
        os.kill(paused, signal.SIGCONT)
    expected = len(service.stored())
    assert _wait_until(lambda: service.served() == {expected}) < BACK_LIMIT_S


def test_stopped_servers_stay_down_until_they_are_needed(service: Service) -> None:
    _wait_until(service.is_back)
    assert stop_servers(service.settings) == ["postgres", "valkey"]
    time.sleep(2)  # several times as long as the processes take to miss them
    assert find_postmaster_pid(find_cluster(service.settings.home)) is None
    assert service.http.get(f"{service.server.base_url}/healthz").status_code == httpx.codes.OK
    _wait_until(lambda: service.missing() == {"database", "valkey"})
    open_installation(service.settings).close()
    assert _wait_until(service.is_back) < BACK_LIMIT_S
    acknowledged = set(service.acknowledged)  # more may be, while the database is asked
    assert acknowledged <= service.stored()
    _wait_until(lambda: service.missing() == set())


def test_processes_end_with_their_parent(service: Service) -> None:
    _wait_until(service.is_back)
    pids = service.api_pids()
    service.server.process.kill()
    service.server.process.wait()
    assert _wait_until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in pids)) < 10
    service.server = start_server(service.settings, service.port, workers=PROCESSES)


def _assert_back(service: Service, killed_s: float) -> float:
    """Assert that the service is back in time with all its offers; returns how long it took."""
    back_s = _wait_until(service.is_back, since_s=killed_s)
    assert back_s <= BACK_LIMIT_S
    acknowledged = set(service.acknowledged)  # more may be, while the database is asked
    assert acknowledged <= service.stored()
    return back_s


def _wait_until(condition: Callable[[], bool], *, since_s: float | None = None) -> float:
    """Wait for a condition, half a minute at most; returns the seconds that it took."""
    begun_s = time.monotonic() if since_s is None else since_s
    while not condition():
        assert time.monotonic() - begun_s < 3 * BACK_LIMIT_S, "it did not come back"
        time.sleep(0.1)
    return time.monotonic() - begun_s
