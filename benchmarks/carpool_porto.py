"""
Carpool on Porto with 10,000 and 50,000 live offers: compiling, loading, searching, publishing.

    python benchmarks/carpool_porto.py [--home FOLDER] [--pairs 200] [--no-50k]

Writes benchmarks/results/carpool_porto.json. Offers leave between 06:00 and 20:00 every day, from
anywhere near a stop to anywhere else; two in ten have stops of their own. Questions are seeded
pairs of coordinates on Tuesday 2025-10-14 at 08:00, each asked without and with carpool in turn, in
one process on one core; what carpool adds is the difference of the two. `FOLDER` is built where it
is not there yet, and kept with its first 10,000 offers.
"""

from __future__ import annotations

import argparse
import datetime as dt
import os
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import httpx
import numpy as np

sys.path.insert(0, str(Path(__file__).parent.parent))

from benchmarks.recorded import build_porto, record
from carpool.compile import OfferUnusable, compile_offer, pack_body
from carpool.offers import Offer, OfferState, offer_as_json
from core.geo import Coordinate
from mobility.actions.plan_itineraries import plan_itineraries
from mobility.actions.publish_offer import change_and_announce, publish_and_announce
from mobility.actions.run_demo import start_server
from mobility.db.offers import SqlOfferStore
from mobility.installation import Installation, open_installation, stop_servers
from mobility.settings import Settings
from mobility.world import Snapshot, World, open_snapshot
from mobility.world_keeper import WorldKeeper
from routing.network import ON_FOOT
from routing.query import Endpoint, PlanQuery
from routing.raptor.body_table import Body
from tests.conftest import free_port
from tests.support.territories import generated_offers, random_offers, random_places

OFFERS, MANY, PUBLISHED, RIDERS = 10_000, 50_000, 20, 1_000
DATE = dt.date(2025, 10, 14)
KINDS: dict[str, dict[str, Any]] = {
    "one departure": {"window_s": 0},
    "15 min interval (default)": {},
    "one hour": {"window_s": 3600},
    "arrive by": {"arrive_by": True, "backwards": True},
}
Compiled = tuple[list[Offer], list[Body]]
_snapshot: Snapshot | None = None


def resident_mb() -> float:
    """Memory of this process that is not shared with others, nor a file's."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("RssAnon")) / 1024


def percentiles(values: Sequence[float]) -> dict[str, float]:
    """Median and 95th percentile, in milliseconds."""
    middle, high = np.percentile(np.array(values) * 1000, [50, 95])
    return {"p50_ms": round(float(middle), 1), "p95_ms": round(float(high), 1)}


def random_pairs(snapshot: Snapshot, count: int, seed: int) -> list[tuple[Coordinate, Coordinate]]:
    """Places to go from and to."""
    places = random_places(snapshot.network, 2 * count, seed)
    return list(zip(places[:count], places[count:], strict=True))


def _open(folder: Path) -> None:
    global _snapshot  # noqa: PLW0603 — of a process of the pool
    _snapshot = open_snapshot(folder)
    _compile((1, 0))  # compiles the kernels


def _compile(part: tuple[int, int]) -> tuple[Compiled, list[float]]:
    """So many offers of a seed, and the seconds that each took."""
    assert _snapshot is not None
    count, seed = part
    offers: list[Offer] = []
    bodies: list[Body] = []
    took_s: list[float] = []
    for offer in generated_offers(_snapshot.network, count, seed):
        began = time.perf_counter()
        try:
            bodies.append(compile_offer(_snapshot.network, offer))
        except OfferUnusable:
            continue
        took_s.append(time.perf_counter() - began)
        offers.append(offer)
        if len(offers) == count:
            break
    return (offers, bodies), took_s


def compile_many(folder: Path, count: int, seed: int) -> tuple[Compiled, dict[str, Any]]:
    """Compile offers by two processes."""
    with ProcessPoolExecutor(2, get_context("spawn"), _open, (folder,)) as pool:
        list(pool.map(_compile, [(1, 0)] * 4))  # both have started
        began = time.perf_counter()
        parts = list(pool.map(_compile, [(count // 20, seed + part) for part in range(20)]))
        whole_s = time.perf_counter() - began
    offers = [offer for (some, _), _ in parts for offer in some]
    bodies = [body for (_, some), _ in parts for body in some]
    took_s = [seconds for _, times in parts for seconds in times]
    told = {"offers": len(offers), "two_processes_s": round(whole_s, 1), **percentiles(took_s)}
    return (offers, bodies), told


def store(installation: Installation, snapshot: Snapshot, compiled: Compiled) -> None:
    """Put offers into the database as if they had been published."""
    with installation.engine.begin() as connection:
        keeper = SqlOfferStore(connection)
        for offer, body in zip(*compiled, strict=True):
            keeper.add_offer(offer, snapshot.ground_hash, pack_body(body))


def load(installation: Installation) -> tuple[WorldKeeper, dict[str, Any]]:
    """A process's world from the database, as at its start."""
    snapshot = open_snapshot(installation.snapshot_folder)
    World(snapshot).rides_on(DATE)
    for profile in ON_FOOT:
        snapshot.network.walking(profile, frozenset())
    before_mb, began = resident_mb(), time.perf_counter()
    keeper = WorldKeeper(snapshot, installation.engine, installation.wakeups)
    keeper.start()
    keeper.world.rides_on(DATE)
    took_s = time.perf_counter() - began
    told = {"seconds": round(took_s, 1), "memory_mb": round(resident_mb() - before_mb)}
    return keeper, told


def load_alone(home: Path) -> dict[str, Any]:
    """What loading takes in a process that has done nothing else, whose memory is therefore new."""
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    installation = open_installation(Settings(home=home))
    keeper, told = load(installation)
    keeper.stop()
    installation.close()
    return told


def search(world: World, pairs: Sequence[tuple[Coordinate, Coordinate]]) -> dict[str, Any]:
    """Times without and with carpool, one question after the other."""
    at = dt.datetime.combine(DATE, dt.time(8), world.network.zone)
    told = {}
    for kind, options in KINDS.items():
        took: dict[bool, list[float]] = {False: [], True: []}
        for a, b in pairs[:1] + list(pairs):
            for carpool, times in took.items():
                query = PlanQuery(Endpoint(a), Endpoint(b), at, carpool=carpool, **options)
                began = time.perf_counter()
                plan_itineraries(world, query)
                times.append(time.perf_counter() - began)
        without, with_it = (np.array(times[1:]) for times in took.values())
        told[kind] = {
            "without": percentiles(without), "with": percentiles(with_it),
            "added": percentiles(with_it - without),
        }  # fmt: skip
        print(kind, told[kind], flush=True)
    return told


def lost_by_thinning(
    world: World, compiled: Compiled, pairs: Sequence[tuple[Coordinate, Coordinate]]
) -> dict[str, Any]:
    """How many arrive later than if the search looked at all points of every offer."""
    bodies = [replace(body, searched_count=None) for body in compiled[1]]
    whole = World(world.snapshot, compiled[0], bodies)
    at = dt.datetime.combine(DATE, dt.time(8), world.network.zone)
    late_s, asked = [], 0
    for a, b in pairs:
        query = PlanQuery(Endpoint(a), Endpoint(b), at, window_s=0)
        ends = [
            min((i.itinerary.end_at for i in plan_itineraries(w, query).itineraries), default=None)
            for w in (whole, world)
        ]
        if ends[0] is not None:
            asked += 1
            late_s.append((ends[1] - ends[0]).total_seconds() if ends[1] else np.inf)
    late = np.array(late_s)
    return {
        "riders": asked, "later_share": round(float((late > 0).mean()), 4),
        "mean_loss_s": round(float(late.clip(min=0).mean()), 1),
    }  # fmt: skip


def publish(installation: Installation, home: Path, snapshot: Snapshot) -> dict[str, Any]:
    """Seconds from publishing an offer until another process serves it."""
    server = start_server(Settings(home=home), free_port(), workers=1)
    took_s, published = [], []
    try:
        with httpx.Client(base_url=server.base_url, timeout=30) as http:
            served = http.get("/readyz").json()["offers"]
            for n, offer in enumerate(random_offers(snapshot.network, PUBLISHED, 99)[0]):
                began = time.perf_counter()
                (one,) = publish_and_announce(
                    installation.engine, installation.wakeups, snapshot, [offer_as_json(offer)]
                )
                published.append(one.id)
                while http.get("/readyz").json()["offers"] < served + n + 1:
                    time.sleep(0.005)
                took_s.append(time.perf_counter() - began)
    finally:
        server.process.terminate()
        server.process.wait(timeout=60)
        for offer_id in published:
            change_and_announce(
                installation.engine, installation.wakeups, offer_id, OfferState.ENDED
            )
    return {**percentiles(took_s), "most_ms": round(max(took_s) * 1000, 1)}


def main(home: Path, pair_count: int, *, many: bool) -> None:
    """Measure, and write the result."""
    settings = Settings(home=home)
    if not settings.snapshots.is_dir():
        build_porto(home)
    installation = open_installation(settings)
    folder = installation.snapshot_folder
    snapshot = open_snapshot(folder)
    result: dict[str, Any] = {"pairs": pair_count}
    compiled, result["compile"] = compile_many(folder, OFFERS, seed=11)
    print("compile", result["compile"], flush=True)
    with installation.engine.connect() as connection:
        known = len(SqlOfferStore(connection).list_changed(0, snapshot.ground_hash))
    if known == 0:
        store(installation, snapshot, compiled)
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    with ProcessPoolExecutor(1, get_context("spawn")) as pool:
        result["load"] = pool.submit(load_alone, home).result()
    keeper, _ = load(installation)
    keeper.stop()
    print("load", result["load"], flush=True)
    pairs = random_pairs(snapshot, pair_count, seed=5)
    result["10,000 offers"] = search(keeper.world, pairs)
    result["thinning"] = lost_by_thinning(
        keeper.world, compiled, random_pairs(snapshot, RIDERS, seed=6)
    )
    print("thinning", result["thinning"], flush=True)
    os.sched_setaffinity(0, set(range(os.cpu_count() or 1)))
    result["published until found"] = publish(installation, home, snapshot)
    print("published", result["published until found"], flush=True)
    if many:
        more, _ = compile_many(folder, MANY - OFFERS, seed=111)
        world = World(snapshot, compiled[0] + more[0], compiled[1] + more[1])
        os.sched_setaffinity(0, {0})
        result["50,000 offers"] = search(world, pairs)
    installation.close()
    stop_servers(settings)
    record("carpool_porto", result)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--home", type=Path)
    parser.add_argument("--pairs", type=int, default=200)
    parser.add_argument("--no-50k", action="store_true")
    given = parser.parse_args()
    home = given.home or Path(tempfile.mkdtemp(prefix="mobility-bench-"))
    main(home, given.pairs, many=not given.no_50k)
