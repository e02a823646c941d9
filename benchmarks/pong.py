"""
Range RAPTOR against forward and backward searches by turns ("pong"), and whether both agree.

    python benchmarks/pong.py porto=snapshots/porto@2025-10-14 [NAME=SNAPSHOTS@DATE …]

Pong searches forward from the moment t, then backward from each arrival found for the departure
that is the latest, and goes on a minute after the earliest of these. Here each of them is one
search by the usual kernels. nigiri bounds the backward ones by the forward labels besides, so the
time of pings alone is told, too: no pong is faster. Pairs of stops, one thread, least of three.
"""

from __future__ import annotations

import argparse
import datetime as dt
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parent.parent))

from benchmarks.recorded import record
from benchmarks.scale import CHANGES, MAX_VEHICLES, NO_OFFERS, NO_RIDES, Query, make_queries
from mobility.snapshots import current_snapshot
from routing.network import Network, open_network
from routing.raptor.search import Search, Window
from routing.raptor.unroll import RawJourney

WINDOWS_S = (3_600, 7_200)
STEP_S = 60
REPEATS = 3

Found = set[tuple[int, int, int]]
"""(minute of departure in seconds, arrival, vehicles) of each journey."""


class Asked:
    """Searches between the ends of one query."""

    def __init__(self, network: Network, date: dt.date, query: Query) -> None:
        self.access, self.egress, self.at_s = query
        self.network, self.terrain = network, network.terrain(date, CHANGES)

    def search(self, window: Window, *, back: bool = False, most: int = MAX_VEHICLES) -> Any:
        """Journeys of one search by the kernels."""
        return Search(
            network=self.network, terrain=self.terrain, flexible=NO_OFFERS, rides=NO_RIDES,
            access=self.access, egress=self.egress, arrive_by=back, max_vehicles=most, seats=0,
            direct_s=None, carpool_change_s=0, pickup_stop_s=0,
        ).run(window)  # fmt: skip

    def range(self, width_s: int) -> Found:
        """All of the window in one search."""
        window = Window(self.at_s, self.at_s + width_s)
        return {_told(journey) for journey in self.search(window)}

    def pong(self, width_s: int, pings: list[float]) -> Found:
        """By turns; `pings` takes the seconds spent on forward searches."""
        until_s, at_s = self.at_s + width_s, self.at_s
        found: Found = set()
        while at_s < until_s:
            began = time.perf_counter()
            ahead = self.search(Window(at_s, at_s))
            pings.append(time.perf_counter() - began)
            if not ahead:
                break
            latest = [self._latest(j.end_s, j.vehicle_count) for j in ahead]
            found.update(j for j in latest if j[0] < until_s)
            at_s = min(departure_s for departure_s, _, _ in latest) + STEP_S
        return {one for one in found if not any(_better(other, one) for other in found)}

    def _latest(self, arrive_s: int, vehicles: int) -> tuple[int, int, int]:
        back = self.search(Window(arrive_s, arrive_s), back=True, most=vehicles)
        departure_s, _, _ = max(_told(journey) for journey in back)
        return departure_s, arrive_s, vehicles


def _told(journey: RawJourney) -> tuple[int, int, int]:
    return journey.start_s // STEP_S * STEP_S, journey.end_s, journey.vehicle_count


def _better(other: tuple[int, int, int], one: tuple[int, int, int]) -> bool:
    return other != one and other[0] >= one[0] and other[1] <= one[1] and other[2] <= one[2]


def measure(
    network: Network, date: dt.date, width_s: int, pairs: int, *, same_town: bool
) -> dict[str, Any]:
    """Least of `REPEATS` for each pair, and how many pairs have other answers."""
    queries = make_queries(network, same_town=same_town)[:pairs]
    asked = [Asked(network, date, query) for query in queries]
    least_ms = np.full((3, len(asked)), np.inf)
    different, journeys, ping_count = 0, 0, 0
    asked[0].pong(width_s, [])  # loads the kernels
    for repeat in range(REPEATS):
        for i, query in enumerate(asked):
            pings: list[float] = []
            ways: tuple[Callable[[], Found], ...] = (
                partial(query.range, width_s), partial(query.pong, width_s, pings),
            )  # fmt: skip
            answers = []
            for way, ask in enumerate(ways):
                began = time.perf_counter()
                answers.append(ask())
                least_ms[way, i] = min(least_ms[way, i], (time.perf_counter() - began) * 1000)
            least_ms[2, i] = min(least_ms[2, i], sum(pings) * 1000)
            if repeat == 0:
                different += answers[0] != answers[1]
                journeys += len(answers[0])
                ping_count += len(pings)
    result: dict[str, Any] = {
        "pairs": len(asked), "different": different,
        "journeys": round(journeys / len(asked), 1), "pings": round(ping_count / len(asked), 1),
    }  # fmt: skip
    for name, row in zip(("range", "pong", "pings_alone"), least_ms, strict=True):
        p50, p95 = np.percentile(row, (50, 95))
        result[name] = {"p50_ms": round(float(p50), 2), "p95_ms": round(float(p95), 2)}
    return result


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[1])
    parser.add_argument("territory", nargs="+", help="NAME=FOLDER_OF_SNAPSHOTS@DATE")
    parser.add_argument("--pairs", type=int, default=200, help="at most 200")
    given = parser.parse_args()
    results: dict[str, Any] = {}
    for territory in given.territory:
        name, _, rest = territory.partition("=")
        folder, _, date = rest.rpartition("@")
        network = open_network(current_snapshot(Path(folder)))
        for kind, same_town in (("any_pair", False), ("same_town", True)):
            for width_s in WINDOWS_S:
                key = f"{name}, {kind}, {width_s // 3600} h"
                results[key] = measure(
                    network, dt.date.fromisoformat(date), width_s, given.pairs, same_town=same_town
                )
                print(key, results[key], flush=True)
    record("pong", results)


if __name__ == "__main__":
    main()
