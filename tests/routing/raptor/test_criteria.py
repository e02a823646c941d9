"""The search by price, CO2 and walking against the oracle, on random small worlds."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gtfs_data.store import frozen
from routing.ranking import cost_s
from routing.raptor.criteria import (
    EVERY,
    MORE_VEHICLES,
    NEVER,
    SLACK_S,
    SLACK_SHARE,
    CriteriaTable,
    Values,
    search_criteria,
    values_of,
)
from routing.raptor.labels import FAR
from routing.raptor.search import Search, Window
from routing.raptor.unroll import RawJourney, RawVehicle
from tests.oracles.criteria_oracle import Journey, PlainPrices, best_journeys, best_of
from tests.routing.raptor.test_search import check_legs, fixed_seed, plain_worlds
from tests.support.random_world import RandomWorld

pytestmark = pytest.mark.unit

CENTS = (0, 130, 140)
ONCE = (True, False, True)


@st.composite
def tables(draw: st.DrawFn, world: RandomWorld) -> CriteriaTable:
    count = len(world.patterns)
    kind = draw(st.lists(st.integers(-1, 3), min_size=count, max_size=count))
    product = draw(st.lists(st.integers(-1, 2), min_size=4, max_size=4))
    factor = draw(st.lists(st.sampled_from((4.0, 33.0, 113.0)), min_size=count, max_size=count))
    return CriteriaTable(
        route_kind=frozen(np.array(kind, np.int32)),
        kind_product=frozen(np.array(product, np.int32)),
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
    paid_by = [*table.kind_product.tolist(), -1]
    product = [paid_by[kind] for kind in table.route_kind.tolist()]
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


def by_one(journeys: set[Journey], criterion: int, most: Values) -> set[tuple[int, int, int]]:
    """(arrival, vehicles, value) that no other journey is as good as; values up to `most`."""
    told = {(end_s, vehicles, values[criterion]) for end_s, vehicles, *values in journeys}
    return {best for best in best_of(told) if best[2] <= most[criterion]}


def told_of(search: Search, table: CriteriaTable, found: list[RawJourney]) -> set[Journey]:
    told = set()
    for journey in found:
        values = values_of(search.network, table, journey)
        assert values is not None
        end_s = -journey.start_s if search.arrive_by else journey.end_s
        told.add((end_s, journey.vehicle_count, *values))
    return told


mosts = st.one_of(
    st.just(EVERY),
    st.builds(Values, st.integers(0, 300), st.integers(0, 12), st.integers(0, 12)),
)


@settings(fixed_seed, max_examples=300)
@given(st.data(), plain_worlds, mosts)
def test_best_journeys_by_each_criterion_are_the_oracles(
    data: st.DataObject, world: RandomWorld, most: Values
) -> None:
    table = data.draw(tables(world))
    search = replace(world.search(seats=0), direct_s=None)
    anchors = search.run(Window(world.leave_s, world.leave_s))
    if not anchors:
        return
    start_s = world.leave_s
    found = search_criteria(search, table, anchors, Window(start_s, start_s), most, NEVER)
    for journey in found:
        check_legs(world, journey)
    told = told_of(search, table, found)
    every = best_journeys(
        world.plain(), patterns_of(world), prices_of(world, table),
        world.access, world.egress, start_s, most=world.most,
    )  # fmt: skip
    near = {j for j in every if within_slack(j, anchors, world.most)}
    for criterion in range(len(most)):
        assert by_one(told, criterion, most) == by_one(near, criterion, most)


@settings(fixed_seed, max_examples=300)
@given(st.data(), plain_worlds, st.sampled_from((600, 2400, FAR)))
def test_once_a_journey_is_not_too_costly_only_as_good_values_are_found(
    data: st.DataObject, world: RandomWorld, ceiling_s: int
) -> None:
    table = data.draw(tables(world))
    search = replace(world.search(seats=0), direct_s=None)
    start_s = world.leave_s
    window = Window(start_s, start_s)
    anchors = search.run(window)
    found = search_criteria(search, table, anchors, window, EVERY, ceiling_s)
    told = told_of(search, table, found)
    every = best_journeys(
        world.plain(), patterns_of(world), prices_of(world, table),
        world.access, world.egress, start_s, most=world.most,
    )  # fmt: skip
    near = {j for j in every if anchors and within_slack(j, anchors, world.most)}
    for criterion in range(3):
        best = by_one(near, criterion, EVERY)
        values = [value for _, _, value in best]
        # From the departure on, waiting counts: this is what the search goes by.
        affordable = [
            journey.end_s - start_s + cost_s(journey) - (journey.end_s - journey.start_s)
            <= ceiling_s
            for journey in found
        ]
        fair = [
            (j.end_s, n, v[criterion])
            for j, ok in zip(found, affordable, strict=True)
            for _, n, *v in told_of(search, table, [j])
            if ok
        ]
        worth = min((value for *_, value in fair if value in values), default=FAR)
        mine = by_one(told, criterion, EVERY)
        assert {b for b in best if b[2] <= worth} <= mine
        if ceiling_s == FAR and best:
            assert {m for m in mine if m[2] == min(values)} == {
                b for b in best if b[2] == min(values)
            }


@settings(fixed_seed, max_examples=300)
@given(st.data(), plain_worlds)
def test_every_journey_found_is_the_best_by_some_criterion(
    data: st.DataObject, world: RandomWorld
) -> None:
    table = data.draw(tables(world))
    search = replace(world.search(seats=0), direct_s=None)
    anchors = search.run(Window(world.leave_s, world.leave_s))
    start_s = world.leave_s
    found = search_criteria(search, table, anchors, Window(start_s, start_s), EVERY, NEVER)
    told = told_of(search, table, found)
    best = [by_one(told, criterion, EVERY) for criterion in range(3)]
    for end_s, vehicles, *values in told:
        assert any((end_s, vehicles, values[c]) in best[c] for c in range(3))


@settings(fixed_seed, max_examples=300)
@given(st.data(), plain_worlds)
def test_arriving_finds_what_departing_finds(data: st.DataObject, world: RandomWorld) -> None:
    """A journey that arrives by a time, turned round, is one that leaves at its departure."""
    table = data.draw(tables(world))
    search = replace(world.search(arrive_by=True, seats=0), direct_s=None)
    anchors = search.run(Window(world.arrive_s, world.arrive_s))
    if not anchors:
        return
    found = search_criteria(
        search, table, anchors, Window(world.arrive_s, world.arrive_s), EVERY, NEVER
    )
    told = told_of(search, table, found)
    best = [by_one(told, criterion, EVERY) for criterion in range(3)]
    for journey in found:
        check_legs(world, journey)
        assert journey.end_s <= world.arrive_s
        ((start_s, vehicles, *values),) = told_of(search, table, [journey])
        # By some criterion nothing that leaves when it does, arriving by then, is better.
        every = best_journeys(
            world.plain(), patterns_of(world), prices_of(world, table),
            world.access, world.egress, journey.start_s, most=world.most,
        )  # fmt: skip
        in_time = {(0, *j[1:]) for j in every if j[0] <= world.arrive_s}
        assert any(
            (0, vehicles, values[c]) in by_one(in_time, c, EVERY)
            and (start_s, vehicles, values[c]) in best[c]
            for c in range(3)
        )


@settings(fixed_seed, max_examples=300)
@given(st.data(), plain_worlds, st.booleans())
def test_no_other_stop_of_the_first_or_last_vehicle_costs_less_and_is_as_good(
    data: st.DataObject, world: RandomWorld, arrive_by: bool
) -> None:
    table = data.draw(tables(world))
    search = replace(world.search(arrive_by=arrive_by, seats=0), direct_s=None)
    at_s = world.arrive_s if arrive_by else world.leave_s
    anchors = search.run(Window(at_s, at_s))
    found = search_criteria(search, table, anchors, Window(at_s, at_s), EVERY, NEVER)
    for journey in found:
        # Of a single vehicle, the end that is chosen first is compared with the other one's place
        # before that was chosen.
        if len(journey.legs) > 1 or arrive_by:
            check_end(world, table, journey, first=True)
        if len(journey.legs) > 1 or not arrive_by:
            check_end(world, table, journey, first=False)


def check_end(
    world: RandomWorld, table: CriteriaTable, journey: RawJourney, *, first: bool
) -> None:
    """Compare where one boards first, or gets out last, with the other calls of that vehicle."""
    leg = journey.legs[0 if first else -1]
    assert isinstance(leg, RawVehicle)
    if leg.trip >= len(world.trips):  # through trips are listed by another number there
        return
    trip, pattern = world.plain().trips[leg.trip], patterns_of(world)[leg.trip]
    grams = prices_of(world, table).grams[pattern]
    board, alight = leg.board_position, leg.alight_position
    now, other = (board, alight) if first else (alight, board)
    walks = world.access if first else world.egress

    def end(position: int) -> tuple[int, int, int, int]:
        """(Cost, time outside, steps on foot, hectograms) with this call for an end."""
        walk_s = walks[trip.stops[position]]
        outside_s = walk_s + (-trip.depart_s[position] if first else trip.arrive_s[position])
        hectograms = -(-abs(grams[other] - grams[position]) // 100)
        return outside_s + walk_s, outside_s, -(-walk_s // 120), hectograms

    may = trip.may_board if first else trip.may_alight
    positions = range(other) if first else range(other + 1, len(trip.stops))
    ways = [end(i) for i in positions if may[i] and trip.stops[i] in walks]
    as_good = [
        way for way in ways if all(a <= b for a, b in zip(way[1:], end(now)[1:], strict=True))
    ]
    assert min(as_good)[0] == end(now)[0]
