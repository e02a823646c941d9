"""
Cars under way: how many positions one core takes over, and how soon a delay is in the search.

    python benchmarks/live_positions.py [--home HOME] [--cars 1000] [--seconds 30] [--json]

Every car has a rider and reports every ten seconds, from a place on its way, by the same action as
the API; the database and Valkey are real, HTTP is left out. What one core can do at most is
measured first, then the reports at their pace: from a report to where a rider sees the new time,
and from a report of a new delay to a world that searches by it.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import os
import random
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.recorded import record, this_machine
from carpool.offers import parse_offer
from carpool.tracking import Fix
from core.errors import MobilityError
from core.geo import Coordinate
from core.ids import OfferId
from core.time import to_instant
from mobility.actions.book_seats import confirm_seats
from mobility.actions.follow_ride import report_positions
from mobility.actions.run_demo import prepare_demo
from mobility.installation import open_installation
from mobility.settings import Settings
from mobility.users.scopes import Principal
from mobility.world import open_snapshot
from mobility.world_keeper import WorldKeeper
from routing.street.access import StreetRoute
from tests.support.bookings import Booth, Driven, pairs_alone

EVERY_S = 10.0
TARGET_PER_S, TARGET_DELAY_S = 100.0, 5.0


class Car:
    """One driver, one rider, and where he is on his way by now."""

    def __init__(self, driven: Driven, ride_id: Any, leaves_s: int, way: StreetRoute) -> None:
        self.driver: Principal = driven.driver
        self.ride_id, self.leaves_s, self.way = ride_id, leaves_s, way
        self.reports = 0

    def fix(self, dice: random.Random) -> Fix:
        """The next report: ten seconds later, ten seconds farther on."""
        share = min(EVERY_S * self.reports / self.way.seconds, 0.9)
        self.reports += 1
        row, lat, lon = int(share * (len(self.way.lat) - 1)), self.way.lat, self.way.lon
        place = Coordinate(float(lat[row]) + dice.uniform(-1e-5, 1e-5), float(lon[row]))
        return Fix(self.leaves_s + EVERY_S * self.reports, place, accuracy_m=400.0)


def book_cars(booth: Booth, home: Path, count: int, dice: random.Random) -> list[Car]:
    """Publish drives like those of the demo, tomorrow at eight, and book each once."""
    offers = json.loads((home / "demo" / "offers.json").read_text(encoding="utf-8"))
    date = dt.datetime.now(dt.UTC).date() + dt.timedelta(days=1)
    network, cars = booth.desk.snapshot.network, []
    while len(cars) < count:
        values = {**dice.choice(offers), "seats": 3, "detour_budget_s": 300}
        like = parse_offer(values, OfferId("like"))
        try:
            driven = booth.offer(like, date=date, window_s=(8 * 3600, 8 * 3600 + 600))
            body, pairs = driven.way.body, pairs_alone(driven.way)[:1]
            if not pairs:
                continue
            (p, q, _), rider = pairs[0], booth.person("rider")
            early = to_instant(driven.way.earliest_s - 7_200)
            (held,) = booth.hold(rider, booth.quote(driven, p, q), now=early)
            confirm_seats(booth.desk, rider, held.id, now=early)
        except MobilityError:
            continue
        start, end = (network.find_snapped("car", at, 500.0) for at in (like.start, like.end))
        if start is None or end is None:
            continue
        way = network.find_route("car", start, end, limit_s=7_200)
        if way is None:
            continue
        leaves_s = int(held.pickup_from.timestamp()) - int(body.from_start_s[p])
        cars.append(Car(driven, held.ride_id, leaves_s, way))
    return cars


def percentiles(seconds: list[float]) -> dict[str, float]:
    ordered = sorted(seconds)
    return {
        f"p{share}": round(ordered[min(len(ordered) * share // 100, len(ordered) - 1)], 4)
        for share in (50, 95, 99)
    }


def main() -> None:
    """Measure and record."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--home", type=Path, help="the demo's data directory; else one is made")
    parser.add_argument("--cars", type=int, default=1_000)
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--json", action="store_true", help="print the result, record nothing")
    given = parser.parse_args()
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    home = given.home or Path(tempfile.mkdtemp(prefix="mobility-bench-"))
    prepare_demo(Settings(home=home), on_step=lambda step: print(step, file=sys.stderr))
    here, dice = open_installation(Settings(home=home)), random.Random(11)
    snapshot = open_snapshot(here.snapshot_folder)
    booth = Booth.of(here, snapshot)
    cars = book_cars(booth, home, given.cars, dice)
    keeper = WorldKeeper(snapshot, here.engine, here.wakeups)
    keeper.start()

    def report(car: Car) -> bool:
        """Report once; True where the database was told of it."""
        fix = car.fix(dice)
        now, before = to_instant(int(fix.at_s) + 1), keeper.world.rides[car.ride_id].ride
        left_out = report_positions(
            keeper.world, booth.desk, here.cars, car.driver, car.ride_id, [fix], now=now
        )
        assert not left_out, left_out
        return before.seen_at is None

    for car in cars:  # the first report of each is always stored
        report(car)
    began_s, count = time.perf_counter(), 0
    while time.perf_counter() - began_s < given.seconds / 3:
        report(cars[count % len(cars)])
        count += 1
    most_per_s = count / (time.perf_counter() - began_s)
    eta_s, late_by_s = at_pace(cars, report, given.seconds)
    search_s = searched_after(keeper, booth, here, cars, dice)
    result = {
        "cars": len(cars),
        "one_core_reports_per_s": round(most_per_s, 1),
        "at_pace": {
            "reports_per_s": round(len(eta_s) / given.seconds, 1),
            "report_to_new_time_s": percentiles(eta_s),
            "longest_behind_pace_s": round(max(late_by_s), 3),
        },
        "new_delay_to_search_s": percentiles(search_s),
        "target": {"reports_per_s": TARGET_PER_S, "delay_s": TARGET_DELAY_S},
    }
    keeper.stop()
    here.close()
    if given.json:
        print(json.dumps({**result, "machine": this_machine()}))
    else:
        record("live_positions", result)


def at_pace(cars: list[Car], report: Any, seconds: float) -> tuple[list[float], list[float]]:
    """Every car every ten seconds: from when a report was due until it is done."""
    began_s, took_s, behind_s = time.perf_counter(), [], []
    gap_s = EVERY_S / len(cars)
    for nth in range(int(seconds / gap_s)):
        due_s = began_s + nth * gap_s
        time.sleep(max(due_s - time.perf_counter(), 0))
        behind_s.append(max(time.perf_counter() - due_s, 0.0))
        report(cars[nth % len(cars)])
        took_s.append(time.perf_counter() - due_s)
    return took_s, behind_s


def searched_after(
    keeper: WorldKeeper, booth: Booth, here: Any, cars: list[Car], dice: random.Random
) -> list[float]:
    """From a report that makes a car five minutes later until the world searches by it."""
    found_s = []
    for car in dice.sample(cars, min(20, len(cars))):
        fix = car.fix(dice)
        later = fix._replace(at_s=fix.at_s + 300)
        car.reports += 30
        before = keeper.world.rides[car.ride_id].ride.version
        began_s = time.perf_counter()
        report_positions(
            keeper.world, booth.desk, here.cars, car.driver, car.ride_id, [later],
            now=to_instant(int(later.at_s) + 1),
        )  # fmt: skip
        waited = threading.Event()
        while keeper.world.rides[car.ride_id].ride.version == before:
            waited.wait(0.005)
            if time.perf_counter() - began_s > 60:
                break
        found_s.append(time.perf_counter() - began_s)
    return found_s


if __name__ == "__main__":
    main()
