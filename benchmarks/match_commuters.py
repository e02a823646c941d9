"""
Batch matching: seats for 5,000 riders and 3,000 drivers, and bundles corridor by corridor.

    python benchmarks/match_commuters.py [--home FOLDER] [--riders 5000] [--drivers 3000]
        [--seconds 60]

Writes benchmarks/results/match_commuters.json. On Porto, riders live near random stops and work
near one of eight, from half past six to nine and back in the evening; seven in ten want to come
back. Drivers do the same drives, eight in ten both ways, with up to 15 minutes of detour and two
to four seats. Gaps are against the linear bound over the bundles that are listed. The hard cases
are random bundles, as in no town: 300 riders, each driver with twelve of them at random.
"""

from __future__ import annotations

import argparse
import datetime as dt
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parent.parent))

from benchmarks.recorded import build_porto, record
from carpool.assignment import assign_seats, pack_bundles
from carpool.bundles import Driven, RiderLeg, list_bundles
from carpool.commuters import Weeks, ends_m, find_pairs, leg_of
from carpool.compile import OfferUnusable, compile_offer
from carpool.crews import choose_crews
from carpool.offers import Offer
from carpool.ports import PublishedOffer
from carpool.ride_plans import RideWay
from carpool.wishes import Direction, Times, Wish, reach_of_wish
from core.geo import Coordinate
from core.ids import OfferId
from mobility.actions.way_without_car import without_car_s
from mobility.settings import Settings
from mobility.world import Snapshot, World, open_snapshot
from tests.support.territories import random_places

DATE = dt.date(2025, 10, 14)
LAST = DATE + dt.timedelta(days=180)
WORKDAYS = frozenset(("mon", "tue", "wed", "thu", "fri"))
HUBS = 8
ARCS = 100_000
MORNING_S, EVENING_S = 6 * 3600 + 1800, 16 * 3600 + 1800


def homes_and_work(
    snapshot: Snapshot, count: int, seed: int
) -> Iterator[tuple[Coordinate, Coordinate, int, int]]:
    """Where somebody lives and works, and when he sets out."""
    rng = np.random.default_rng(seed)
    homes = random_places(snapshot.network, count, seed)
    hubs = random_places(snapshot.network, HUBS, 3)
    for home in homes:
        hub = hubs[int(rng.integers(HUBS))]
        lat, lon = rng.normal(0, 0.006, 2)
        work = Coordinate(hub.lat + float(lat), hub.lon + float(lon))
        quarters = rng.integers(0, 10, 2) * 900
        yield home, work, MORNING_S + int(quarters[0]), EVENING_S + int(quarters[1])


def riders_of(snapshot: Snapshot, count: int) -> list[Wish]:
    rng = np.random.default_rng(1)
    return [
        Wish(
            id=uuid.UUID(int=n), rider_id=uuid.UUID(int=n), start=home, end=work,
            out=Times(out_s, out_s + 5400),
            back=Times(back_s, back_s + 5400) if rng.random() < 0.7 else None,
            weekdays=WORKDAYS, valid_from=DATE, valid_to=LAST, seats=1, walk_limit_s=900,
        )
        for n, (home, work, out_s, back_s) in enumerate(homes_and_work(snapshot, count, 5))
    ]  # fmt: skip


def drivers_of(snapshot: Snapshot, count: int) -> tuple[list[PublishedOffer], list[int]]:
    """Compiled offers, and the row of the driver of each."""
    rng, found, driver_of = np.random.default_rng(2), [], []
    for n, (home, work, out_s, back_s) in enumerate(homes_and_work(snapshot, count, 6)):
        seats, budget_s = int(rng.integers(2, 5)), int(rng.integers(2, 16)) * 60
        ways = [(home, work, out_s)] + ([(work, home, back_s)] if rng.random() < 0.8 else [])
        for start, end, leaves_s in ways:
            offer = Offer(
                id=OfferId(str(uuid.UUID(int=len(found)))), driver=f"driver-{n}", start=start,
                end=end, vias=(), depart_from_s=leaves_s, depart_to_s=leaves_s + 900,
                weekdays=WORKDAYS, valid_from=DATE, valid_to=LAST, seat_count=seats,
                detour_budget_s=budget_s,
            )  # fmt: skip
            try:
                found.append(PublishedOffer(offer, compile_offer(snapshot.network, offer)))
            except OfferUnusable:
                continue
            driver_of.append(n)
    return found, driver_of


class Clock:
    """Seconds of each step."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._began = time.perf_counter()

    def step(self, name: str) -> None:
        now = time.perf_counter()
        self.seconds[name] = round(now - self._began, 2)
        print(name, self.seconds[name], flush=True)
        self._began = now


def flow(rider: Any, driver: Any, gain: Any, seats: Any) -> dict[str, Any]:
    """Best of five."""
    took = []
    for _ in range(5):
        began = time.perf_counter()
        chosen = assign_seats(rider, driver, gain, seats)
        took.append(time.perf_counter() - began)
    return {"arcs": len(rider), "seated": len(chosen), "best_ms": round(min(took) * 1000),
            "worst_ms": round(max(took) * 1000)}  # fmt: skip


def random_flow(riders: int, drivers: int) -> dict[str, Any]:
    rng = np.random.default_rng(1)
    return flow(
        rng.integers(0, riders, ARCS), rng.integers(0, drivers, ARCS),
        rng.integers(-300, 3600, ARCS), rng.integers(1, 4, drivers),
    )  # fmt: skip


def hard(riders: int, drivers: int, count: int, time_limit_s: float) -> dict[str, Any]:
    """Random bundles: for each driver, sets of up to four of his twelve riders."""
    rng = np.random.default_rng(2)
    first, item, value = [0], [], []
    for driver in range(drivers):
        near, gain = rng.choice(riders, 12, replace=False), rng.integers(300, 3000, 12)
        for _ in range(count // drivers):
            those = rng.choice(12, rng.integers(1, 5), replace=False)
            item += [*near[those].tolist(), riders + driver]
            first.append(len(item))
            value.append(int(gain[those].sum() * rng.uniform(0.7, 1.0)))
    began = time.perf_counter()
    packing = pack_bundles(
        np.array(first), np.array(item), np.array(value), time_limit_s=time_limit_s
    )
    return {
        "riders": riders, "drivers": drivers, "bundles": len(value),
        "gap_to_lp": round(packing.gap, 4),
        "gap_to_best_bound": round(1 - packing.value / packing.bound, 4),
        "seconds": round(time.perf_counter() - began, 1),
    }  # fmt: skip


def porto(snapshot: Snapshot, riders: int, drivers: int, time_limit_s: float) -> dict[str, Any]:
    """The whole run but the database."""
    clock = Clock()
    wishes = riders_of(snapshot, riders)
    looked = [(wish, reach_of_wish(snapshot.network, wish)) for wish in wishes]
    clock.step("walks of the riders")
    offers, driver_of = drivers_of(snapshot, drivers)
    clock.step("offers compiled")
    weeks = Weeks(wishes, [one.offer for one in offers], DATE)
    pairs = [p for some in find_pairs(snapshot.network, looked, offers, weeks) for p in some]
    clock.step("pairs")
    world, without = World(snapshot), {}
    for key in sorted({(pair.rider, pair.direction) for pair in pairs}):
        without[key] = without_car_s(world, wishes[key[0]], key[1], DATE)
    clock.step("ways without a car")
    legs: dict[Direction, list[dict[int, RiderLeg]]] = {
        direction: [{} for _ in offers] for direction in Direction
    }
    for pair in pairs:
        legs[pair.direction][pair.offer][pair.rider] = leg_of(
            snapshot.network, wishes[pair.rider], pair, without[pair.rider, pair.direction]
        )
    bundles = list(list_bundles(*driven(snapshot, offers, legs), returns_of(offers, driver_of),
        wants_back=[wish.back is not None for wish in wishes],
        same_day=lambda *_: True,
    ))  # fmt: skip
    clock.step("bundles")
    owner = np.array(driver_of)
    seats = np.array([one.offer.seat_count for one in offers])
    chosen, corridors = choose_crews(
        bundles, driver_of=owner, seats_of=seats, ends_m=ends_m(wishes), time_limit_s=time_limit_s,
        on_corridor=lambda result: print(result, flush=True),
    )  # fmt: skip
    clock.step("crews")
    alone = [b for b in bundles if len(b.riders) == 1]
    first = [c for c in corridors if c.round == 1]
    return {
        "riders": riders, "drivers": drivers, "offers": len(offers), "pairs": len(pairs),
        "bundles": len(bundles), "riders_in_some_bundle": len(
            {r for b in bundles for r in b.riders}),
        "riders_proposed": sum(len(b.riders) for b in chosen), "drivers_proposed": len(chosen),
        "value_s": sum(b.value_s for b in chosen),
        "value_of_first_round_s": sum(c.value_s for c in first),
        "largest_gap": round(max(c.gap for c in corridors), 4),
        "largest_gap_of_over_100_riders": round(
            max((c.gap for c in corridors if c.rider_count > 100), default=0.0), 4),
        "gap_of_all": round(1 - sum(c.value_s for c in corridors)
                            / sum(c.lp_bound_s for c in corridors), 4),
        "longest_corridor_s": max(c.seconds for c in corridors),
        "flow": flow(
            np.array([b.riders[0] for b in alone]), owner[[b.out for b in alone]],
            np.array([b.value_s for b in alone]), np.full(drivers, 3),
        ),
        "seconds": clock.seconds,
        "corridors": [asdict(c) | {"gap": round(c.gap, 4), "lp_bound_s": round(c.lp_bound_s)}
                      for c in corridors],
    }  # fmt: skip


def driven(
    snapshot: Snapshot, offers: Sequence[PublishedOffer], legs: Any
) -> tuple[list[Driven], list[Driven]]:
    drive_s = snapshot.network.ground.drive_s
    ways = [
        RideWay(one.body, drive_s, one.offer.depart_from_s, one.offer.depart_to_s,
                one.offer.seat_count)
        for one in offers
    ]  # fmt: skip
    out, back = (
        [Driven(way, own, 0) for way, own in zip(ways, legs[direction], strict=True)]
        for direction in (Direction.OUT, Direction.BACK)
    )
    return out, back


def returns_of(offers: Sequence[PublishedOffer], driver_of: Sequence[int]) -> dict[int, list[int]]:
    return {
        row: [row + 1] for row in range(len(offers) - 1) if driver_of[row] == driver_of[row + 1]
    }


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--home", type=Path)
    parser.add_argument("--riders", type=int, default=5_000)
    parser.add_argument("--drivers", type=int, default=3_000)
    parser.add_argument("--seconds", type=float, default=60)
    given = parser.parse_args()
    home = given.home or Path(tempfile.mkdtemp(prefix="mobility-bench-"))
    if not Settings(home=home).snapshots.is_dir():
        build_porto(home)
    opened = open_snapshot(max(path for path in (home / "snapshots").iterdir() if path.is_dir()))
    result: dict[str, Any] = {"flow": random_flow(given.riders, given.drivers)}
    print(result, flush=True)
    result["hard"] = [hard(*size, given.seconds) for size in
                      ((300, 200, 4_000), (300, 200, 20_000), (300, 100, 20_000))]  # fmt: skip
    print(result["hard"], flush=True)
    result["porto"] = porto(opened, given.riders, given.drivers, given.seconds)
    record("match_commuters", result)
