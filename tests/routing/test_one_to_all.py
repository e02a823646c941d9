"""Within reach of one place: tiny worlds by hand, and Porto against the planner itself."""

from __future__ import annotations

import datetime as dt
from typing import Any

import numpy as np
import pytest

from carpool.running import RunningDates
from core.geo import Coordinate
from routing.network import Network
from routing.one_to_all import ReachedStops, ReachQuery, search_one_to_all
from routing.planner import plan
from routing.query import Endpoint, Limits, PlanQuery
from routing.raptor.search import rides_of
from routing.walks import FOOT_LIMIT_S
from tests.support.territories import TestedTerritory, random_places
from tests.support.tiny import World, endpoint, instant, tiny_world

DAY_S = 86_400
TOWN = """
    street   Ferme 100min Mairie 100min Gare 4min Halle
    L1   Mairie  Gare         Lycée
         07:00   07:10        07:25
    L2   Halle   Hôpital
         07:20   07:40
"""


def reach(world: World, place: str, *, at: str, minutes: int = 120, **options: Any) -> list[str]:
    """``Gare 07:12 k1``, by row of the stop: when one is there (or leaves), and vehicles."""
    query = ReachQuery(endpoint(world, place), instant(at), minutes * 60, **options)
    found = search_one_to_all(
        world.network,
        query,
        flexible=world.flexible,
        rides_on=lambda date: rides_of(RunningDates(world.offers).windows(world.network, date)),
        limits=Limits(),
    )
    return [told(world.network, query, found, i) for i in range(len(found.stop))]


def told(network: Network, query: ReachQuery, found: ReachedStops, i: int) -> str:
    sign = -1 if query.arrive_by else 1
    there = query.at + sign * dt.timedelta(seconds=int(found.seconds[i]))
    name = network.timetable.stop_name[int(found.stop[i])]
    return f"{name} {there:%H:%M} k{found.vehicle_count[i]}"


@pytest.mark.unit
def test_everything_after_a_departure_is_reached_by_vehicle_and_on_foot() -> None:
    # Five minutes to Mairie, L1 at 7:00; from Gare (7:10) four minutes to Halle (7:14), where
    # L2 leaves at 7:20.
    found = reach(tiny_world(TOWN), "walk 5min > Mairie", at="06:50")
    assert sorted(found) == [
        "Gare 07:10 k1",
        "Halle 07:14 k1",
        "Hôpital 07:40 k2",
        "Lycée 07:25 k1",
        "Mairie 06:55 k0",
    ]


@pytest.mark.unit
def test_everything_from_which_one_arrives_in_time() -> None:
    # For Hôpital by 7:45 one takes L2 at 7:20, so leaves Gare on foot one minute for the change
    # before that, or Mairie by L1 at 7:00.
    found = reach(tiny_world(TOWN), "Hôpital > walk 2min", at="07:45", arrive_by=True)
    assert sorted(found) == [
        "Gare 07:16 k1",
        "Halle 07:20 k1",
        "Hôpital 07:43 k0",
        "Mairie 07:00 k2",
    ]


@pytest.mark.unit
def test_what_takes_longer_or_more_changes_is_left_out() -> None:
    world = tiny_world(TOWN)
    at = {"at": "06:50"}
    quick = reach(world, "walk 5min > Mairie", **at, minutes=20)
    assert sorted(quick) == ["Gare 07:10 k1", "Mairie 06:55 k0"]
    direct = reach(world, "walk 5min > Mairie", **at, max_vehicles=1)
    assert "Hôpital 07:40 k2" not in direct
    assert "Lycée 07:25 k1" in direct
    assert reach(world, "walk 5min > Mairie", **at, max_vehicles=0) == ["Mairie 06:55 k0"]
    assert reach(world, "walk 20min > Mairie", **at) == []


@pytest.mark.unit
def test_drivers_bring_one_to_stops() -> None:
    # Anna leaves Ferme at 7:00, is at Mairie ten minutes later (a tenth of 100 on foot) and
    # needs one for letting the rider in.
    world = tiny_world(TOWN + "    offer Anna Ferme > Mairie 07:00 budget 5min seats 2\n")
    assert "Mairie 07:11 k1" in reach(world, "walk 5min > Ferme", at="06:50")
    assert reach(world, "walk 5min > Ferme", at="06:50", carpool=False) == []


def sample(territory: TestedTerritory, seed: int) -> list[ReachQuery]:
    noon = dt.datetime.combine(territory.date, dt.time(8, 7), tzinfo=territory.zone)
    places = random_places(territory.network, 6, seed)
    return [
        ReachQuery(Endpoint(place), noon, 5400, arrive_by=bool(i % 2), carpool=i > 3)
        for i, place in enumerate(places)
    ]


@pytest.mark.slow
def test_porto_is_reached_as_soon_as_the_planner_says(porto: TestedTerritory) -> None:
    network, world = porto.network, porto.world
    compared = 0
    for query in sample(porto, seed=5):
        found = search_one_to_all(
            network, query, flexible=world.flexible, rides_on=world.rides_on,
            limits=world.snapshot.limits,
        )  # fmt: skip
        by_vehicle = found.vehicle_count > 0
        known = dict(zip(found.stop[by_vehicle], found.seconds[by_vehicle], strict=True))
        rng = np.random.default_rng(7)
        for stop in rng.choice(np.unique(network.timetable.pattern_stop), 60).tolist():
            if stop in known:
                compared += 1
                planned = planned_seconds(porto, query, stop)
                # Of rides the planner shows those that are worth it, not each that is sooner.
                assert known[stop] == planned or (query.carpool and known[stop] < planned)
    assert compared > 150


def planned_seconds(territory: TestedTerritory, query: ReachQuery, stop: int) -> int:
    """Seconds of the best itinerary; at the stop it may walk as far as between two vehicles."""
    t, world = territory.network.timetable, territory.world
    where = Coordinate(float(t.stop_lat[stop]), float(t.stop_lon[stop]))
    at_stop = Endpoint(where, t.stop_id[stop])
    ends = (at_stop, query.place) if query.arrive_by else (query.place, at_stop)
    answer = plan(
        territory.network,
        PlanQuery(
            *ends, at=query.at, arrive_by=query.arrive_by, backwards=query.arrive_by, window_s=0,
            carpool=query.carpool, max_access_s=FOOT_LIMIT_S, max_egress_s=FOOT_LIMIT_S,
            detailed=False, direct_modes=(),
        ),
        flexible=world.flexible,
        rides_on=world.rides_on,
        limits=world.snapshot.limits,
    )  # fmt: skip
    gaps = [
        query.at - it.start_at if query.arrive_by else it.end_at - query.at
        for it in answer.itineraries
    ]
    return min((round(gap.total_seconds()) for gap in gaps), default=DAY_S)
