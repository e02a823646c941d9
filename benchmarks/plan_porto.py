"""
Door to door on Porto: build time and memory, and time per query with and without 1,000 offers.

    python benchmarks/plan_porto.py            # writes benchmarks/results/plan_porto.json

One process, one thread; 200 seeded coordinate pairs, Tuesday 2025-10-14, 08:00. Times include
legs, geometry and prices. Figures depend on the machine; compare runs of one machine only.
"""

from __future__ import annotations

import datetime as dt
import resource
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parent.parent))

from benchmarks.recorded import build_porto, record
from mobility.actions.plan_itineraries import plan_itineraries
from mobility.world import World
from routing.query import Endpoint, PlanQuery
from tests.support.territories import random_offers, random_places

PAIRS = 200
OFFERS = 1_000
KINDS: dict[str, dict[str, Any]] = {
    "single departure, no carpool": {"window_s": 0, "carpool": False},
    "single departure, carpool": {"window_s": 0},
    "15 min interval (default), no carpool": {"carpool": False},
    "15 min interval (default), carpool": {},
    "15 min interval (default), no carpool, by time alone": {"carpool": False, "criteria": False},
    "one hour, no carpool": {"window_s": 3600, "carpool": False},
    "one hour, carpool": {"window_s": 3600},
    "arrive by, 15 min interval, carpool": {"arrive_by": True, "backwards": True},
}


def main() -> None:
    began = time.perf_counter()
    snapshot = build_porto()
    result: dict[str, Any] = {
        "build_s": round(time.perf_counter() - began, 1),
        "build_peak_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
        "meeting_points": len(snapshot.network.points.lat),
    }
    began = time.perf_counter()
    offers, bodies = random_offers(snapshot.network, OFFERS, seed=11)
    result["compile_ms_per_offer"] = round((time.perf_counter() - began) * 1000 / OFFERS, 2)
    world = World(snapshot, offers, bodies)
    at = dt.datetime(2025, 10, 14, 8, tzinfo=snapshot.network.zone)
    places = random_places(snapshot.network, 2 * PAIRS, seed=5)
    for name, options in KINDS.items():
        times = []
        for a, b in zip(places[:PAIRS], places[PAIRS:], strict=True):
            query = PlanQuery(Endpoint(a), Endpoint(b), at, **options)
            began = time.perf_counter()
            plan_itineraries(world, query)
            times.append((time.perf_counter() - began) * 1000)
        middle, high = np.percentile(times[1:], [50, 95])  # the first may compile
        result[name] = {"p50_ms": round(float(middle), 1), "p95_ms": round(float(high), 1)}
        print(f"{name:45} p50 {middle:7.1f} ms   p95 {high:7.1f} ms")
    record("plan_porto", result)


if __name__ == "__main__":
    main()
