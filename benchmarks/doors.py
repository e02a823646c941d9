"""
What drivers who come to the door cost a search, and what they give riders, on Porto.

    python benchmarks/doors.py [--home FOLDER] [--pairs 100]

Writes benchmarks/results/doors.json. 10,000 offers as of benchmarks/carpool_porto.py; of each
hundred none, ten or all come to the door. Seeded pairs of coordinates on Tuesday 2025-10-14 at
08:00 are asked in all three worlds in turn, in one process on one core; the second ties the two
places to the streets, which the third then finds done. Sooner (at least a minute)
and found at all are told of one departure, against the world in which nobody comes to doors.
"""

from __future__ import annotations

import argparse
import datetime as dt
import os
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parent.parent))

from benchmarks.carpool_porto import DATE, KINDS, OFFERS, percentiles, random_pairs
from benchmarks.recorded import build_porto, record
from carpool.compile import OfferUnusable, compile_offer
from mobility.actions.plan_itineraries import plan_itineraries
from mobility.world import Snapshot, World, open_snapshot
from routing.query import Endpoint, PlanQuery
from tests.support.territories import generated_offers

SHARES = (0.0, 0.1, 1.0)
SOONER_S = 60


def worlds(snapshot: Snapshot) -> dict[float, World]:
    """Worlds of the same offers, of which shares come to doors."""
    offers, bodies = [], []
    for offer in generated_offers(snapshot.network, OFFERS, 0):
        try:
            bodies.append(compile_offer(snapshot.network, replace(offer, door=True)))
        except OfferUnusable:
            continue
        offers.append(offer)
        if len(offers) == OFFERS:
            break
    plain = [replace(body, stretches=()) for body in bodies]
    return {
        share: World(
            snapshot, offers, [*bodies[: round(share * OFFERS)], *plain[round(share * OFFERS) :]]
        )
        for share in SHARES
    }


def ask(world: World, query: PlanQuery) -> tuple[float, float | None, int]:
    """Seconds that a question takes, the soonest arrival, and rides at doors in the answer."""
    began = time.perf_counter()
    found = plan_itineraries(world, query).answer.itineraries
    took_s = time.perf_counter() - began
    ends = [leg for it in found for leg in it.legs if leg.mode == "RIDE_SHARING"]
    at_doors = sum(leg.start.point is None or leg.end.point is None for leg in ends)
    return took_s, min((it.end_at.timestamp() for it in found), default=None), at_doors


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--home", type=Path)
    parser.add_argument("--snapshot", type=Path, help="a snapshot of Porto that is built")
    parser.add_argument("--pairs", type=int, default=100)
    given = parser.parse_args()
    snapshot = open_snapshot(given.snapshot) if given.snapshot else build_porto(given.home)
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    asked = worlds(snapshot)
    pairs = random_pairs(snapshot, given.pairs, 11)
    at = dt.datetime.combine(DATE, dt.time(8), snapshot.network.zone)
    result: dict[str, Any] = {"offers": OFFERS, "pairs": len(pairs)}
    for kind, options in KINDS.items():
        answers: dict[float, list[tuple[float, float | None, int]]] = {s: [] for s in SHARES}
        for a, b in pairs[:1] + pairs:
            query = PlanQuery(Endpoint(a), Endpoint(b), at, **options)
            for share, world in asked.items():
                answers[share].append(ask(world, query))
        told = {}
        none = answers[0.0][1:]
        for share in SHARES:
            own = answers[share][1:]
            told[f"{share:.0%} come to doors"] = percentiles([took for took, _, _ in own]) | {
                "riders with a ride at a door": sum(at_doors > 0 for _, _, at_doors in own)
            }
            if kind == "one departure" and share:
                both = [(x, y) for (_, x, _), (_, y, _) in zip(none, own, strict=True)]
                told[f"{share:.0%} come to doors"] |= {
                    "sooner": sum(x is not None and y <= x - SOONER_S for x, y in both if y),
                    "found at all": sum(x is None and y is not None for x, y in both),
                    "mean_gain_s": round(float(np.mean([x - y for x, y in both if x and y])), 1),
                }
        result[kind] = told
    record("doors", result)


if __name__ == "__main__":
    main()
