"""Porto with 1,000 offers: the search against all pairs of all offers, and drives driven again."""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import networkx as nx
import pytest

from carpool.offers import Offer
from mobility.world import World
from routing.planner import plan
from routing.query import Endpoint, PlanQuery
from routing.raptor.flexible import IN_SEGMENT
from routing.raptor.ride_range import LATER_S
from routing.raptor.search import Search, Window
from routing.raptor.unroll import RawJourney, RawRide
from tests.oracles.rounds_oracle import arrivals, rides_of
from tests.oracles.street_oracle import Hung, StreetOracle
from tests.support.grids import car_graph
from tests.support.territories import random_offers, random_places

OFFERS, DATE = 1_000, dt.date(2025, 10, 14)
ON_ALL_POINTS = 1
"""Vehicles up to which nothing may be sooner than on all points: some offers have 2,000."""
COUNTS = [pytest.param(20, id="some"), pytest.param(500, id="many", marks=pytest.mark.slow)]


@dataclass(frozen=True)
class Asked:
    """One question as the planner put it to the search, and what this found."""

    search: Search
    window: Window
    journeys: list[RawJourney]


@pytest.fixture(scope="module")
def world(porto: Any) -> World:
    return World(porto.world.snapshot, *random_offers(porto.network, OFFERS, seed=11))


@pytest.fixture(scope="module")
def driver(world: World) -> Driver:
    return Driver(world)


def ask(world: World, count: int, monkeypatch: pytest.MonkeyPatch) -> Iterator[Asked]:
    asked: list[Asked] = []
    run = Search.run

    def noted(search: Search, window: Window) -> list[RawJourney]:
        found = run(search, window)
        if search.seats:
            asked.append(Asked(search, window, found))
        return found

    monkeypatch.setattr(Search, "run", noted)
    at = dt.datetime.combine(DATE, dt.time(8), world.network.zone)
    places = random_places(world.network, 2 * count, seed=77)
    for a, b in zip(places[:count], places[count:], strict=True):
        plan(
            world.network, PlanQuery(Endpoint(a), Endpoint(b), at, window_s=0),
            flexible=world.flexible, rides_on=world.rides_on, limits=world.snapshot.limits,
        )  # fmt: skip
        yield from asked
        asked.clear()


@pytest.mark.parametrize("count", COUNTS)
def test_search_finds_what_all_pairs_of_all_offers_give(
    world: World, count: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    wrong, asked, wanted_count, with_ride = [], 0, 0, 0
    for one in ask(world, count, monkeypatch):
        asked += 1
        search, start_s = one.search, one.window.from_s
        most = search.max_vehicles
        plain = arrivals(search, start_s, None, most)
        # Nothing is looked for that arrives hours later only to change less often.
        until_s = min(plain[-1] + LATER_S, 2**29)
        looked_at = arrivals(search, start_s, rides_of(search, until_s, every_point=False), most)
        all_points = rides_of(search, until_s, every_point=True)
        everywhere = arrivals(search, start_s, all_points, ON_ALL_POINTS)
        found = sorted((journey.end_s, len(journey.legs)) for journey in one.journeys)
        with_ride += any(isinstance(leg, RawRide) for j in one.journeys for leg in j.legs)
        for k in range(1, most + 1):
            wanted_s = min(plain[k], looked_at[k])
            is_new = wanted_s < min(plain[k - 1], looked_at[k - 1])
            if is_new and wanted_s < until_s:
                wanted_count += 1
                if not any(end_s <= wanted_s and vehicles <= k for end_s, vehicles in found):
                    wrong.append(f"{asked}: none of {found} by {wanted_s} with {k}")
        wrong += [
            f"{asked}: {end_s} with {vehicles} is sooner than {everywhere[vehicles]}"
            for end_s, vehicles in found
            if vehicles <= ON_ALL_POINTS and end_s < min(plain[vehicles], everywhere[vehicles])
        ]
    print(f"{asked} searches, {with_ride} with rides, {wanted_count} arrivals wanted")
    assert asked > 0.9 * count  # some walk, and nobody looks for a ride
    assert with_ride > count // 2
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("count", COUNTS)
def test_no_driver_is_taken_over_his_budget(
    world: World, driver: Driver, count: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    over, checked = [], set()
    for one in ask(world, count, monkeypatch):
        for leg in itertools.chain.from_iterable(journey.legs for journey in one.journeys):
            if not isinstance(leg, RawRide):
                continue
            offer = world.offers[int(one.search.rides.offer[leg.ride])]
            candidates = one.search.flexible.bodies.candidates
            pickup, dropoff = candidates[leg.pickup].tolist(), candidates[leg.dropoff].tolist()
            if (offer.id, *pickup, *dropoff) in checked:
                continue
            checked.add((offer.id, *pickup, *dropoff))
            extra_s = driver.extra_s(offer, pickup, dropoff)
            if extra_s > offer.detour_budget_s:
                over.append(f"{offer.id}: {extra_s} s more than alone")
    print(f"{len(checked)} drives driven again")
    assert len(checked) > count // 2
    assert not over, "\n".join(over)


class Driver:
    """Drives on a graph of networkx, from the streets alone."""

    def __init__(self, world: World) -> None:
        self._streets = StreetOracle(world.network.streets, world.network.points)
        self._graph = car_graph(world.network)

    def extra_s(self, offer: Offer, pickup: list[int], dropoff: list[int]) -> int:
        """By how much a driver's way is longer who lets somebody in and out (candidates)."""
        own = [self._streets.driver(p)[0] for p in (offer.start, *offer.vias, offer.end)]
        into, out = (self._streets.at_point(c[0], car=True) for c in (pickup, dropoff))
        first, last = pickup[IN_SEGMENT] + 1, dropoff[IN_SEGMENT] + 1
        way = [*own[:first], into, *own[first:last], out, *own[last:]]
        return self._whole_s(way) - self._whole_s(own)

    def _whole_s(self, way: list[Hung]) -> int:
        return sum(self._drive_s(a, b) for a, b in itertools.pairwise(way))

    def _drive_s(self, a: Hung, b: Hung) -> int:
        ways = [
            before + after + nx.bidirectional_dijkstra(self._graph, start, end, "s")[0]
            for start, before in a.leave
            for end, after in b.reach
        ]
        return int(min([*ways, self._streets.along_s(a, b)]))
