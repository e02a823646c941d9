"""
Over HTTP on Porto with 1,000 offers: time per answer, answers per second, and the first answer.

    python benchmarks/http_porto.py [--home FOLDER]     # writes benchmarks/results/http_porto.json

A server of its own process on one core, the client on the other, one connection kept open; bodies
are read but not parsed. 200 seeded coordinate pairs, Tuesday 2025-10-14 at 08:00, departures of one
hour, with geometry and prices. Every question is asked once before. Then the same without carpool,
then eight clients against two processes on all cores. `FOLDER` is built where it is not there yet,
and kept; a first run compiles the kernels.
"""

from __future__ import annotations

import argparse
import datetime as dt
import http.client
import itertools
import os
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit
from zoneinfo import ZoneInfo

import numpy as np

sys.path.insert(0, str(Path(__file__).parent.parent))

from benchmarks.recorded import build_porto, record
from carpool.compile import pack_body
from core.modes import TRANSIT_MODES
from mobility.actions.run_demo import start_server
from mobility.db.offers import SqlOfferStore
from mobility.installation import open_installation, stop_servers
from mobility.settings import Settings
from mobility.world import open_snapshot
from tests.conftest import free_port
from tests.support.territories import random_offers, random_places

PAIRS, OFFERS, WINDOW_S = 200, 1_000, 3_600
CLIENTS, LOAD_S = 8, 20.0
KINDS: dict[str, dict[str, str]] = {
    "carpool": {},
    "without carpool": {"transitModes": ",".join(sorted(TRANSIT_MODES))},
}


def prepare(home: Path) -> list[tuple[str, str]]:
    """Build Porto and store its offers, unless that is done; returns the pairs to ask for."""
    settings = Settings(home=home)
    if not settings.snapshots.is_dir():
        build_porto(home)
    installation = open_installation(settings)
    snapshot = open_snapshot(installation.snapshot_folder)
    with installation.engine.begin() as connection:
        store = SqlOfferStore(connection)
        if store.latest_revision() == 0:
            for offer, body in zip(*random_offers(snapshot.network, OFFERS, seed=11), strict=True):
                store.add_offer(offer, snapshot.ground_hash, pack_body(body))
    installation.close()
    places = [f"{p.lat!r},{p.lon!r}" for p in random_places(snapshot.network, 2 * PAIRS, seed=5)]
    return list(zip(places[:PAIRS], places[PAIRS:], strict=True))


@contextmanager
def serving(home: Path, workers: int, cores: set[int]) -> Iterator[str]:
    """A server on these cores; the address where it answers."""
    own = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cores)  # as what it starts inherits
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # what is imported is compiled once, as usual
    server = start_server(Settings(home=home), free_port(), workers=workers)
    os.sched_setaffinity(0, own)
    try:
        yield urlsplit(server.base_url).netloc
    finally:
        server.process.terminate()
        server.process.wait(timeout=60)


def get(connection: http.client.HTTPConnection, path: str) -> float:
    """Milliseconds until an answer is read; anything but an answer ends the run."""
    began = time.perf_counter()
    connection.request("GET", path)
    response = connection.getresponse()
    body = response.read()
    took_ms = (time.perf_counter() - began) * 1000
    if response.status != http.client.OK:
        sys.exit(f"{response.status} for {path}: {body[:300]!r}")
    return took_ms


def ask_each(address: str, paths: Sequence[str]) -> dict[str, float]:
    """Percentiles over all questions, each asked once before."""
    connection = http.client.HTTPConnection(address, timeout=60)
    for path in paths:
        get(connection, path)
    times_ms = [get(connection, path) for path in paths]
    middle, high = np.percentile(times_ms, [50, 95])
    return {"p50_ms": round(float(middle), 1), "p95_ms": round(float(high), 1)}


def load(address: str, paths: Sequence[str]) -> float:
    """Answers per second to all clients together."""
    ends = time.perf_counter() + LOAD_S
    counts = [0] * CLIENTS

    def ask(client: int) -> None:
        connection = http.client.HTTPConnection(address, timeout=60)
        for path in itertools.islice(itertools.cycle(paths), client * len(paths) // CLIENTS, None):
            if time.perf_counter() > ends:
                return
            get(connection, path)
            counts[client] += 1

    threads = [threading.Thread(target=ask, args=(client,)) for client in range(CLIENTS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return round(sum(counts) / LOAD_S, 1)


def first_answer_s(home: Path, path: str, cores: set[int]) -> float:
    """Seconds from starting the server on a snapshot to its first answer."""
    began = time.perf_counter()
    with serving(home, 1, cores) as address:
        get(http.client.HTTPConnection(address, timeout=60), path)
        return round(time.perf_counter() - began, 1)


def main(home: Path) -> None:
    """Measure, and write the result."""
    pairs = prepare(home)
    at = dt.datetime(2025, 10, 14, 8, tzinfo=ZoneInfo("Europe/Lisbon")).isoformat()
    paths = {
        name: [
            "/api/v6/plan?"
            + urlencode(
                {"fromPlace": a, "toPlace": b, "time": at, "searchWindow": WINDOW_S, **options}
            )
            for a, b in pairs
        ]
        for name, options in KINDS.items()
    }
    cores = sorted(os.sched_getaffinity(0))
    result: dict[str, Any] = {"pairs": PAIRS, "offers": OFFERS, "window_s": WINDOW_S}
    with serving(home, 1, {cores[0]}) as address:
        os.sched_setaffinity(0, {cores[-1]})
        for name, some in paths.items():
            result[name] = ask_each(address, some)
            print(name, result[name], flush=True)
    os.sched_setaffinity(0, cores)
    result["first_answer_s"] = first_answer_s(home, paths["carpool"][0], set(cores))
    with serving(home, 2, set(cores)) as address:
        for name, some in paths.items():
            result[f"answers_per_s, 8 clients, 2 processes, {name}"] = load(address, some)
    stop_servers(Settings(home=home))
    record("http_porto", result)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--home", type=Path)
    given = parser.parse_args().home
    main(given or Path(tempfile.mkdtemp(prefix="mobility-bench-")))
