"""The search by price, CO2 and walking against the oracle, on random small worlds."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gtfs_data.store import frozen
from routing.raptor.criteria import (
    MORE_VEHICLES,
    SLACK_S,
    SLACK_SHARE,
    CriteriaTable,
    search_criteria,
    values_of,
)
from routing.raptor.search import Window
from routing.raptor.unroll import RawJourney
from tests.oracles.criteria_oracle import Journey, PlainPrices, best_journeys, best_of
from tests.routing.raptor.test_search import check_legs, fixed_seed, plain_worlds
from tests.strategies import RandomWorld

pytestmark = pytest.mark.unit

CENTS = (0, 130, 140)
ONCE = (True, False, True)


@st.composite
def tables(draw: st.DrawFn, world: RandomWorld) -> CriteriaTable:
    count = len(world.patterns)
    product = draw(st.lists(st.integers(-1, 2), min_size=count, max_size=count))
    factor = draw(st.lists(st.sampled_from((4.0, 33.0, 113.0)), min_size=count, max_size=count))
    return CriteriaTable(
        route_product=frozen(np.array(product, np.int32)),
        product_cents=frozen(np.array(CENTS, np.int32)),
        product_once=frozen(np.array(ONCE, np.uint8)),
        route_g_per_km=frozen(np.array(factor)),
    )


def prices_of(world: RandomWorld, table: CriteriaTable) -> PlainPrices:
    grams, at = [], 0
    for number, (stops, _) in enumerate(world.patterns):
        metres = np.array(world.metres[at : at + len(stops)])
        grams.append(np.rint(metres * table.route_g_per_km[number] / 1000).astype(int).tolist())
        at += len(stops)
    product = table.route_product.tolist()
    for chain in world.chains:  # paid where it is boarded; emits on all of its trips
        patterns = [world.trips[trip].pattern for trip in chain]
        product.append(product[patterns[0]])
        along: list[int] = []
        for pattern in patterns:
            along += [(along or [0])[-1] + more for more in grams[pattern]]
        grams.append(along)
    return PlainPrices(product, grams, CENTS, ONCE)


def patterns_of(world: RandomWorld) -> list[int]:
    """Of each trip of the oracle; every chain is one of its own."""
    behind = range(len(world.patterns), len(world.patterns) + len(world.chains))
    return [*(trip.pattern for trip in world.trips), *behind]


def within_slack(journey: Journey, anchors: list[RawJourney], most: int) -> bool:
    end_s, vehicles, *_ = journey
    reach = min(max(a.vehicle_count for a in anchors) + MORE_VEHICLES, most)
    limits_s = [
        a.end_s + max(SLACK_S, round(SLACK_SHARE * (a.end_s - a.start_s)))
        for a in anchors
        if a.vehicle_count <= vehicles
    ]
    return vehicles <= reach and end_s <= min(limits_s, default=-1)


@settings(fixed_seed, max_examples=300)
@given(st.data(), plain_worlds)
def test_best_journeys_by_all_criteria_are_the_oracles(
    data: st.DataObject, world: RandomWorld
) -> None:
    table = data.draw(tables(world))
    search = replace(world.search(seats=0), direct_s=None)
    anchors = search.run(Window(world.leave_s, world.leave_s))
    if not anchors:
        return
    start_s = world.leave_s
    found = search_criteria(search, table, anchors, Window(start_s, start_s))
    for journey in found:
        check_legs(world, journey)
    told = set()
    for journey in found:
        values = values_of(search.network, table, journey)
        assert values is not None
        told.add((journey.end_s, journey.vehicle_count, *values))
    every = best_journeys(
        world.plain(), patterns_of(world), prices_of(world, table),
        world.access, world.egress, start_s, most=world.most,
    )  # fmt: skip
    assert told == {j for j in every if within_slack(j, anchors, world.most)}


@settings(fixed_seed, max_examples=300)
@given(st.data(), plain_worlds)
def test_arriving_finds_what_departing_finds(data: st.DataObject, world: RandomWorld) -> None:
    """A journey that arrives by a time, turned round, is one that leaves at its departure."""
    table = data.draw(tables(world))
    search = replace(world.search(arrive_by=True, seats=0), direct_s=None)
    anchors = search.run(Window(world.arrive_s, world.arrive_s))
    if not anchors:
        return
    found = search_criteria(search, table, anchors, Window(world.arrive_s, world.arrive_s))
    for journey in found:
        check_legs(world, journey)
        assert journey.end_s <= world.arrive_s
        values = values_of(search.network, table, journey)
        assert values is not None
        # Nothing that leaves when it does is better in everything, arriving no later.
        every = best_journeys(
            world.plain(), patterns_of(world), prices_of(world, table),
            world.access, world.egress, journey.start_s, most=world.most,
        )  # fmt: skip
        mine = (journey.end_s, journey.vehicle_count, *values)
        assert any(all(a <= b for a, b in zip(j, mine, strict=True)) for j in every)
    told = {(-j.start_s, j.vehicle_count, *values_of(search.network, table, j)) for j in found}  # type: ignore[misc] # no rides
    assert best_of(told) == told
