"""
Door to door by public transport on Porto: the best arrival with its legs, beside ferrobus.

    python benchmarks/door_to_door.py SNAPSHOT QUERIES.csv [--ferrobus OSM.pbf FEED DATE]

`QUERIES.csv` has from_lat, from_lon, to_lat, to_lon, departure. Both walk up to 15 minutes on the
streets, for one departure, without geometry. Each pair is asked by turns, five times; the fastest
counts. ferrobus 0.2.1 (an optional package) reads the feed and date given: those of the snapshot,
or only times can be compared. Writes benchmarks/results/door_to_door.json.
"""

from __future__ import annotations

import argparse
import csv
import datetime as dt
import importlib
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parent.parent))

from benchmarks.recorded import record
from core.geo import Coordinate
from mobility.world import World, open_snapshot
from routing.planner import plan
from routing.query import Endpoint, PlanQuery

REPEATS = 5
WALK_S, STOPS_NEAR, CHANGES = 900, 100, 7
Question = dict[str, str]
Ask = Callable[[Question], int | None]
"""Seconds from the departure to the best arrival, or None."""


def ours(folder: Path) -> Ask:
    """Search as the application does, for the earliest arrival."""
    world = World(open_snapshot(folder))

    def ask(question: Question) -> int | None:
        at = dt.datetime.fromisoformat(question["departure"]).replace(tzinfo=world.network.zone)
        ends = (
            Endpoint(Coordinate(float(question[f"{end}_lat"]), float(question[f"{end}_lon"])))
            for end in ("from", "to")
        )
        query = PlanQuery(
            *ends, at, window_s=0, carpool=False, detailed=False, criteria=False, direct_modes=(),
            max_access_s=WALK_S, max_egress_s=WALK_S,
        )  # fmt: skip
        found = plan(
            world.network, query, flexible=world.flexible, rides_on=world.rides_on,
            limits=world.snapshot.limits,
        )  # fmt: skip
        ends_at = [itinerary.end_at for itinerary in found.itineraries]
        return round((min(ends_at) - at).total_seconds()) if ends_at else None

    return ask


def theirs(osm: str, feed: str, date: str) -> Ask:
    """ferrobus, by its one-to-many search: its `find_route` arrives later than that."""
    ferrobus: Any = importlib.import_module("ferrobus")
    model = ferrobus.create_transit_model(osm, [feed], dt.date.fromisoformat(date), 600)

    def ask(question: Question) -> int | None:
        clock = dt.datetime.fromisoformat(question["departure"]).time()
        start, end = (
            ferrobus.create_transit_point(
                float(question[f"{name}_lat"]), float(question[f"{name}_lon"]), model, WALK_S,
                STOPS_NEAR,
            )
            for name in ("from", "to")
        )  # fmt: skip
        leave_s = clock.hour * 3600 + clock.minute * 60
        (found,) = ferrobus.find_routes_one_to_many(model, start, [end], leave_s, CHANGES)
        return None if found is None else int(found["travel_time_seconds"])

    return ask


def measure(asks: dict[str, Ask], questions: list[Question]) -> dict[str, Any]:
    """Times of each engine, and where another one arrives later than ours."""
    least_ms = {name: np.full(len(questions), np.inf) for name in asks}
    found: dict[str, list[int | None]] = {name: [None] * len(questions) for name in asks}
    for _ in range(REPEATS):
        for i, question in enumerate(questions):
            for name, ask in asks.items():
                began = time.perf_counter()
                found[name][i] = ask(question)
                took_ms = (time.perf_counter() - began) * 1000
                least_ms[name][i] = min(least_ms[name][i], took_ms)
    result: dict[str, Any] = {}
    for name, times_ms in least_ms.items():
        middle, high = np.percentile(times_ms, [50, 95])
        pairs = [
            (own, other)
            for own, other in zip(found["ours"], found[name], strict=True)
            if own is not None and other is not None
        ]
        result[name] = {
            "p50_ms": round(float(middle), 3),
            "p95_ms": round(float(high), 3),
            "found": sum(seconds is not None for seconds in found[name]),
            "later_than_ours": sum(other > own for own, other in pairs),
            "sooner_than_ours": sum(other < own for own, other in pairs),
        }
    return result


def main() -> None:
    """Measure, and write the result."""
    parser = argparse.ArgumentParser()
    parser.add_argument("snapshot", type=Path)
    parser.add_argument("queries", type=Path)
    parser.add_argument("--ferrobus", nargs=3, metavar=("OSM", "FEED", "DATE"))
    given = parser.parse_args()
    with given.queries.open() as file:
        questions = list(csv.DictReader(file))
    asks = {"ours": ours(given.snapshot)}
    if given.ferrobus:
        asks["ferrobus"] = theirs(*given.ferrobus)
    record("door_to_door", {"queries": len(questions), **measure(asks, questions)})


if __name__ == "__main__":
    main()
