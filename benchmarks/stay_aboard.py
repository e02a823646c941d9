"""
What staying aboard costs and gives: searches with blocks joined for so many trips, and not at all.

    python benchmarks/stay_aboard.py FEED.zip 2018-07-06 [--json OUT.json]

Random pairs of stops of the feed, walks in straight lines, one departure at 08:00 and all of the
hour from there. Interleaved, one thread, best of five per query. `trips` 1 is the timetable
without any joined trips.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import os
import platform
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

sys.path.insert(0, str(Path(__file__).parent.parent))

import numpy as np

from gtfs_data import blocks
from gtfs_data.build import build_timetable
from gtfs_data.checks import Findings
from gtfs_data.reader import read_feed
from gtfs_data.throughs import is_through
from routing.build import build_network
from routing.ends import reach_on_foot
from routing.network import Network
from routing.raptor.body_table import no_flexible_trips
from routing.raptor.search import Search, Window, no_rides
from routing.street.rules import Speeds
from routing.terrain import Conditions

TRIPS = (1, 2, 3)
QUERIES = 150
REPEATS = 5
SEED = 8
EIGHT_S = 8 * 3600
WALK_S = 900
WINDOWS = {"departure": Window(EIGHT_S, EIGHT_S), "hour": Window(EIGHT_S, EIGHT_S + 3600)}

Front = list[tuple[int, int, int]]


def networks(archive: Path, date: dt.date) -> dict[int, Network]:
    """Networks in which riders stay aboard for so many trips."""
    feed = read_feed(archive, "f")
    made = {}
    for count in TRIPS:
        blocks.MOST_TRIPS = count
        timetable = build_timetable([feed], Findings())
        zone = ZoneInfo(timetable.feed_zone[0])
        made[count] = build_network(
            timetable, None, zone=zone, sites=[], speeds=Speeds(), findings=Findings()
        )
        made[count].day(date)
    return made


def searches(network: Network, date: dt.date, pairs: Sequence[tuple[int, int]]) -> list[Search]:
    """One search for each pair of stops."""
    found = []
    terrain = network.terrain(date, Conditions(change_s=60, carpool_change_s=300))
    for pair in pairs:
        reaches = [
            reach_on_foot(network, network.place_at_stop(stop), [stop], WALK_S, carpool=False)
            for stop in pair
        ]
        found.append(
            Search(
                network=network, terrain=terrain, flexible=no_flexible_trips(),
                rides=no_rides(), access=reaches[0], egress=reaches[1], arrive_by=False,
                max_vehicles=8, seats=0, direct_s=None, carpool_change_s=300, pickup_stop_s=60,
            )
        )  # fmt: skip
    return found


def main(archive: Path, date: dt.date) -> dict[str, Any]:
    """Measure and tell."""
    nets = networks(archive, date)
    called = np.unique(nets[1].timetable.pattern_stop)
    rng = np.random.default_rng(SEED)
    pairs = [tuple(rng.choice(called, 2, replace=False).tolist()) for _ in range(QUERIES)]
    asked = {count: searches(network, date, pairs) for count, network in nets.items()}
    result: dict[str, Any] = {
        "feed": archive.name, "date": str(date), "queries": QUERIES,
        "machine": f"{platform.machine()}, {os.cpu_count()} cores", "trips": {},
    }  # fmt: skip
    best: dict[tuple[str, int], list[float]] = {
        (name, count): [float("inf")] * QUERIES for name in WINDOWS for count in TRIPS
    }
    fronts: dict[tuple[str, int], list[Front]] = {key: [[]] * QUERIES for key in best}
    aboard = dict.fromkeys(best, 0)
    for _ in range(REPEATS):
        for n in rng.permutation(QUERIES).tolist():
            for name, window in WINDOWS.items():
                for count in TRIPS:
                    begun = time.perf_counter()
                    journeys = asked[count][n].run(window)
                    took = time.perf_counter() - begun
                    best[name, count][n] = min(best[name, count][n], took)
                    fronts[name, count][n] = [(j.start_s, j.end_s, len(j.legs)) for j in journeys]
                    t = nets[count].timetable
                    aboard[name, count] += any(
                        is_through(t, getattr(leg, "trip", 0)) for j in journeys for leg in j.legs
                    )
    for count, network in nets.items():
        t, day = network.timetable, network.day(date)[0]
        result["trips"][count] = {
            "through_trips": len(t.through_pattern), "rolled_events": len(day.arrival_s),
            "rolled_patterns": len(day.first_stop) - 1,
        } | {
            name: {
                "median_ms": round(1000 * float(np.median(best[name, count])), 3),
                "answers_changed": sum(
                    sorted(a) != sorted(b)
                    for a, b in zip(fronts[name, count], fronts[name, 1], strict=True)
                ),
                "answers_aboard": aboard[name, count] // REPEATS,
            }
            for name in WINDOWS
        }  # fmt: skip
    return result


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("feed", type=Path)
    parser.add_argument("date", type=dt.date.fromisoformat)
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    told = json.dumps(main(given.feed, given.date), indent=1)
    print(told)
    if given.json:
        given.json.write_text(told + "\n")
