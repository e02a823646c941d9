"""
What searching carpool inside the timetable search is worth: riders served of a thousand.

    python benchmarks/service.py [--riders 1000]

Writes benchmarks/results/service.json. Riders go from a dwelling to a dwelling (junctions of
streets open to walkers and cars) between 06:00 and 20:00, on the demo's countryside with its 150
offers and on Porto with 1,000 generated ones. Served is who arrives within twice the time by car
and 20 minutes, by the same search and the same limits, four times: by public transport alone; by
carpool alone; by both in one search; and by one search of offers frozen to trips with up to twenty
fixed stops, as planners that read timetables get them.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import random
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np

sys.path.insert(0, str(Path(__file__).parent.parent))

from benchmarks.recorded import build_porto, record
from carpool.compile import compile_offer
from carpool.fixed_trips import fixed_trip
from carpool.offers import Offer, parse_offer
from core.geo import Coordinate
from core.ids import OfferId
from core.modes import Mode
from mobility.actions.build_territory import build_territory
from mobility.actions.plan_itineraries import plan_itineraries
from mobility.demo.territory import build_demo_territory
from mobility.snapshots import current_snapshot
from mobility.territory import read_territory
from mobility.world import Snapshot, World, open_snapshot
from routing.query import Endpoint, PlanQuery
from routing.raptor.body_table import Body
from tests.support.attacker import Plane
from tests.support.territories import random_offers

SEED = 2026
DAY_HOURS = 6, 20
CAR_FACTOR, CAR_SLACK_S = 2, 20 * 60
LONGEST_DRIVE_S = 3 * 3600
PORTO_DATE = dt.date(2025, 10, 14)
Rider = tuple[Coordinate, Coordinate, dt.datetime]


def frozen(snapshot: Snapshot, offers: Sequence[Offer], bodies: Sequence[Body]) -> World:
    """The offers as trips with fixed stops and times, which stop nowhere else."""
    drive_s, car_node = snapshot.network.ground.drive_s, snapshot.network.points.car_node
    fixed_offers, fixed_bodies = [], []
    for offer, body in zip(offers, bodies, strict=True):
        stops = fixed_trip(body, drive_s)
        if not stops:
            continue
        point, at_s = np.array(stops).T
        own = Body(
            point=point.astype(np.uint16), from_start_s=at_s.astype(np.uint16),
            to_end_s=(at_s[-1] - at_s).astype(np.uint16),
            segment=np.arange(len(stops), dtype=np.uint16), solo_s=int(at_s[-1]), budget_s=0,
            seat_count=offer.seat_count, via_nodes=tuple(car_node[point[1:]].tolist()),
        )  # fmt: skip
        fixed_bodies.append(own)
        fixed_offers.append(replace(offer, depart_to_s=offer.depart_from_s, detour_budget_s=0))
    limits = replace(snapshot.limits, pickup_stop_s=0)  # in the times of a timetable already
    return World(replace(snapshot, limits=limits), fixed_offers, fixed_bodies)


def riders_of(snapshot: Snapshot, date: dt.date, count: int) -> list[Rider]:
    """Riders of a seed: dwellings and times."""
    dice, plane = random.Random(SEED), Plane(snapshot.network)
    midnight = dt.datetime.combine(date, dt.time(), snapshot.network.zone)
    minutes = [dice.randrange(DAY_HOURS[0] * 60, DAY_HOURS[1] * 60) for _ in range(count)]
    return [
        (plane.dwelling(dice), plane.dwelling(dice), midnight + dt.timedelta(minutes=minute))
        for minute in minutes
    ]


def measure(
    snapshot: Snapshot, offers: Sequence[Offer], date: dt.date, count: int
) -> dict[str, Any]:
    """Shares of riders that are served in each way."""
    bodies = [compile_offer(snapshot.network, offer) for offer in offers]
    world, fixed = World(snapshot, offers, bodies), frozen(snapshot, offers, bodies)
    served: dict[str, list[bool]] = {
        name: [] for name in ("transit", "carpool", "together", "frozen")
    }
    for start, end, at in riders_of(snapshot, date, count):
        query = PlanQuery(
            Endpoint(start), Endpoint(end), at, window_s=0, criteria=False, detailed=False,
            direct_modes=(Mode.WALK, Mode.CAR), max_direct_s=LONGEST_DRIVE_S,
        )  # fmt: skip
        ways = {
            "transit": plan_itineraries(world, replace(query, carpool=False)),
            "carpool": plan_itineraries(world, replace(query, transit_modes=frozenset())),
            "together": plan_itineraries(world, query),
            "frozen": plan_itineraries(fixed, query),
        }
        by_car = [
            it.itinerary.end_at
            for it in ways["transit"].direct
            if it.itinerary.legs[0].mode is Mode.CAR
        ]
        if not by_car:
            continue
        most_s = CAR_FACTOR * (by_car[0] - at).total_seconds() + CAR_SLACK_S
        for name, answer in ways.items():
            walks = [d for d in answer.direct if d.itinerary.legs[0].mode is Mode.WALK]
            ends = [p.itinerary.end_at for p in (*walks, *answer.itineraries)]
            served[name].append(any((end - at).total_seconds() <= most_s for end in ends))
    own = {name: np.array(values) for name, values in served.items()}
    side_by_side = own["transit"] | own["carpool"]
    shares = {name: round(float(values.mean()), 4) for name, values in own.items()}
    told = {
        "riders": len(side_by_side), "offers": len(offers), "served": shares,
        "side by side": round(float(side_by_side.mean()), 4),
        "together to side by side": round(float(own["together"].mean() / side_by_side.mean()), 3),
        "together to frozen": round(float(own["together"].mean() / own["frozen"].mean()), 3),
    }  # fmt: skip
    print(told, flush=True)
    return told


def demo() -> tuple[Snapshot, list[Offer], dt.date]:
    """The demo's territory, with a working day to come."""
    home = Path(tempfile.mkdtemp(prefix="mobility-bench-"))
    build_demo_territory(home / "demo", seed=7, on_step=lambda _: None)
    territory = read_territory(home / "demo" / "territory.yaml")
    build_territory(territory, home / "snapshots", on_step=lambda _: None)
    content = json.loads((home / "demo" / "offers.json").read_text(encoding="utf-8"))
    offers = [parse_offer(values, OfferId(str(uuid4()))) for values in content]
    today = dt.datetime.now(dt.UTC).date()
    day = today + dt.timedelta(days=(1 - today.weekday()) % 7 + 7)
    return open_snapshot(current_snapshot(home / "snapshots")), offers, day


def main(count: int) -> None:
    """Measure both, and write the result."""
    snapshot, offers, day = demo()
    result = {"demo": measure(snapshot, offers, day, count)}
    porto = build_porto()
    result["porto"] = measure(porto, random_offers(porto.network, 1_000, 11)[0], PORTO_DATE, count)
    record("service", result)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--riders", type=int, default=1000)
    main(parser.parse_args().riders)
