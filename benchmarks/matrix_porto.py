"""
Isochrones and matrices on Porto, by public transport and on foot.

    python benchmarks/matrix_porto.py        # writes benchmarks/results/matrix_porto.json

Isochrones: an hour from each of 20 places, four cutoffs, GeoJSON included, leaving at eight alone
and at every minute from eight to nine. Matrices: the same hour, travel times up to two hours, three
percentiles, one worker and two. Kernels are compiled before.
"""

from __future__ import annotations

import datetime as dt
import sys
import time
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import orjson

sys.path.insert(0, str(Path(__file__).parent.parent))

from benchmarks.recorded import build_porto, record
from mobility.matrices import compute_matrix
from mobility.world import Snapshot
from routing.isochrones import search_isochrone
from routing.query import Endpoint
from routing.travel_times import TravelQuery
from tests.support.territories import random_places

PLACES = 20
CUTOFFS_S = (900, 1800, 2700, 3600)
SIZES = ((100, 100), (1000, 100))


def isochrones(snapshot: Snapshot, places: list[Endpoint], query: TravelQuery) -> dict[str, Any]:
    """Milliseconds and kilobytes of one isochrone after the other."""
    times_ms, sizes = [], []
    for place in [places[0], *places]:
        began = time.perf_counter()
        found = search_isochrone(snapshot.network, place, query, CUTOFFS_S, limits=snapshot.limits)
        sizes.append(len(orjson.dumps(found.as_geojson())))
        times_ms.append((time.perf_counter() - began) * 1000)
    p95 = float(np.percentile(times_ms[1:], 95))
    return {
        "median_ms": round(median(times_ms[1:])),
        "p95_ms": round(p95),
        "median_kb": round(median(sizes[1:]) / 1000),
    }


def main() -> None:
    snapshot = build_porto()
    at = dt.datetime(2025, 10, 14, 8, tzinfo=snapshot.network.zone)
    most = max(max(size) for size in SIZES)
    ends = [Endpoint(place) for place in random_places(snapshot.network, 2 * most, seed=3)]
    result: dict[str, Any] = {"isochrones": {}, "matrices": []}
    for name, window_s in (("one departure", 0), ("60 departures", 3600)):
        query = TravelQuery(at, window_s, 3600)
        result["isochrones"][name] = isochrones(snapshot, ends[:PLACES], query)
        print(name, result["isochrones"][name])
    query = TravelQuery(at, 3600)
    for origins, destinations in SIZES:
        for workers in (1, 2):
            began = time.perf_counter()
            matrix = compute_matrix(
                snapshot.folder, ends[:origins], ends[most : most + destinations], query,
                workers=workers,
            )  # fmt: skip
            row = {
                "origins": origins,
                "destinations": destinations,
                "departures": query.departure_count,
                "workers": workers,
                "seconds": round(time.perf_counter() - began, 1),
                "reached_share": round(float(matrix.reached_share.mean()), 2),
            }
            result["matrices"].append(row)
            print(row)
    record("matrix_porto", result)


if __name__ == "__main__":
    main()
