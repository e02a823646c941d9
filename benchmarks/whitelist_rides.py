"""
Answers to another MOTIS server: 100 stops, twelve times each, on the demo with its 150 offers.

    python benchmarks/whitelist_rides.py        # writes benchmarks/results/whitelist_rides.json

The rider stands at the demo's busiest stop; on either side of the request are the 50 stops nearest
to it, every five minutes from seven to eight. Kernels are compiled before.
"""

from __future__ import annotations

import datetime as dt
import json
import sys
import tempfile
import time
import uuid
from pathlib import Path
from statistics import median

import numpy as np

sys.path.insert(0, str(Path(__file__).parent.parent))

from benchmarks.recorded import record
from carpool.compile import compile_offer
from carpool.offers import parse_offer
from core.geo import Coordinate
from core.ids import OfferId
from core.time import day_start_epoch_s
from mobility.actions.build_territory import build_territory
from mobility.actions.run_demo import SEED
from mobility.actions.whitelist_rides import RideWhitelist, TimedStop
from mobility.demo.territory import build_demo_territory
from mobility.snapshots import current_snapshot
from mobility.territory import read_territory
from mobility.world import World, open_snapshot
from routing.street.straight import great_circle_m

STOPS, TIMES, EVERY_S, SEVEN_S, REPEATS = 100, 12, 300, 7 * 3600, 20


def demo_world() -> World:
    """The demo with all of its offers, without a database."""
    home = Path(tempfile.mkdtemp(prefix="mobility-bench-"))
    build_demo_territory(home / "demo", seed=SEED, on_step=lambda _: None)
    territory = read_territory(home / "demo" / "territory.yaml")
    build_territory(territory, home / "snapshots", on_step=lambda _: None)
    snapshot = open_snapshot(current_snapshot(home / "snapshots"))
    rows = json.loads((home / "demo" / "offers.json").read_text(encoding="utf-8"))
    offers = [parse_offer(row, OfferId(str(uuid.uuid4()))) for row in rows]
    bodies = [compile_offer(snapshot.network, offer) for offer in offers]
    return World(snapshot, offers, bodies, quote_key=b"benchmark")


def main() -> None:
    world = demo_world()
    t, zone = world.network.timetable, world.network.zone
    date = dt.date.fromisoformat(world.snapshot.about["feeds"][0]["valid_from"])
    date += dt.timedelta(days=(1 - date.weekday()) % 7)  # a Tuesday
    base_s = day_start_epoch_s(date, zone) + SEVEN_S
    busiest = int(np.bincount(t.pattern_stop).argmax())
    here = Coordinate(float(t.stop_lat[busiest]), float(t.stop_lon[busiest]))
    near = np.argsort(great_circle_m(here.lat, here.lon, t.stop_lat, t.stop_lon))[
        1 : STOPS // 2 + 1
    ]
    times = tuple(base_s + k * EVERY_S for k in range(TIMES))
    stops = [TimedStop(Coordinate(float(t.stop_lat[s]), float(t.stop_lon[s])), times) for s in near]
    now = dt.datetime.fromtimestamp(base_s, zone) - dt.timedelta(days=1)
    took_ms, worked_ms, rides = [], [], 0
    for _ in range(REPEATS + 1):
        began, began_work = time.perf_counter(), time.process_time()
        whitelist = RideWhitelist(world, 1, now=now)
        found = whitelist.to_stops(here, stops) + whitelist.from_stops(stops, here)
        took_ms.append((time.perf_counter() - began) * 1000)
        worked_ms.append((time.process_time() - began_work) * 1000)
        rides = sum(len(of_time) for stop in found for of_time in stop)
    record(
        "whitelist_rides",
        {
            "offers": world.offer_count,
            "stops": 2 * len(stops),
            "times": TIMES,
            "rides_in_answer": rides,
            "median_ms": round(median(took_ms[1:]), 1),
            "best_ms": round(min(took_ms[1:]), 1),
            "median_cpu_ms": round(median(worked_ms[1:]), 1),
        },
    )


if __name__ == "__main__":
    main()
