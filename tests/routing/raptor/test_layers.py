"""Searches by way of stops against the oracle, on random small worlds, in both directions."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.layers import Layers
from routing.raptor.search import Search, Window
from routing.raptor.unroll import Reach, grounded
from routing.terrain import ViaStops
from tests.oracles.raptor_oracle import NEVER
from tests.oracles.via_oracle import PlainVia, earliest_arrivals_by
from tests.routing.raptor.test_search import fixed_seed, plain_worlds
from tests.support.random_world import OPENING_S, RandomWorld

pytestmark = pytest.mark.unit

STAYS_S = (0, 0, 30, 400)
worlds = plain_worlds.map(RandomWorld.without_blocks)
"""Whoever asks to pass by a stop changes where a vehicle goes on as another trip."""


@st.composite
def vias_of(draw: st.DrawFn, world: RandomWorld) -> tuple[ViaStops, ...]:
    stop = st.integers(0, world.stop_count - 1)
    via = st.builds(
        ViaStops,
        st.lists(stop, min_size=1, max_size=2, unique=True).map(tuple),
        st.sampled_from(STAYS_S),
    )
    return tuple(draw(st.lists(via, min_size=1, max_size=2)))


def layered(search: Search, vias: tuple[ViaStops, ...]) -> tuple[Search, Layers]:
    layers = Layers(search.terrain, vias)
    stops = search.terrain.stop_count

    def lifted(reach: Reach, lift: object) -> Reach:
        on = reach.node < stops
        return Reach(*lift(reach.node[on], reach.seconds[on]))  # type: ignore[operator] # a method

    return replace(
        search,
        terrain=layers.terrain,
        access=lifted(search.access, layers.access),
        egress=lifted(search.egress, layers.egress),
        seats=0,
        direct_s=None,
    ), layers


def wanted(world: RandomWorld, vias: tuple[ViaStops, ...], leave_s: int) -> set[tuple[int, int]]:
    best = earliest_arrivals_by(
        world.plain(), [PlainVia(frozenset(v.stops), v.stay_s) for v in vias],
        world.access, world.egress, leave_s, most=world.most,
    )  # fmt: skip
    return {(best[k], k) for k in range(1, world.most + 1) if best[k] < best[k - 1]}


@fixed_seed
@given(st.data(), worlds)
def test_earliest_arrivals_by_way_of_stops_are_the_oracles(
    data: st.DataObject, world: RandomWorld
) -> None:
    vias = data.draw(vias_of(world))
    search, _ = layered(world.search(seats=0), vias)
    journeys = search.run(Window(world.leave_s, world.leave_s))
    assert {(j.end_s, len(j.legs)) for j in journeys} == wanted(world, vias, world.leave_s)


@fixed_seed
@given(st.data(), worlds)
def test_latest_departures_by_way_of_stops_are_in_time_and_no_later_one_is(
    data: st.DataObject, world: RandomWorld
) -> None:
    vias = data.draw(vias_of(world))
    search, _ = layered(world.search(arrive_by=True, seats=0), vias)
    journeys = search.run(Window(world.arrive_s, world.arrive_s))
    plain = [PlainVia(frozenset(v.stops), v.stay_s) for v in vias]

    def in_time(start_s: int, vehicles: int) -> bool:
        arrivals = earliest_arrivals_by(
            world.plain(), plain, world.access, world.egress, start_s, most=vehicles
        )
        return arrivals[vehicles] <= world.arrive_s

    latest = dict.fromkeys(range(world.most + 1), -NEVER)
    for journey in journeys:
        for k in range(len(journey.legs), world.most + 1):
            latest[k] = max(latest[k], journey.start_s)
    for vehicles in range(1, world.most + 1):
        if latest[vehicles] > -NEVER:
            assert in_time(latest[vehicles], vehicles)
            assert not in_time(latest[vehicles] + 1, vehicles)
        else:
            assert not in_time(OPENING_S - 3600, vehicles)


@fixed_seed
@given(st.data(), worlds)
def test_every_via_is_called_at_or_walked_to_in_order(
    data: st.DataObject, world: RandomWorld
) -> None:
    vias = data.draw(vias_of(world))
    plain = world.search(seats=0)
    search, layers = layered(plain, vias)
    for found in search.run(Window(world.leave_s, world.leave_s + 3600)):
        journey = grounded(layers, plain.access, plain.egress, found)
        visited = []
        for i, gap in enumerate(journey.visits):
            visited += [visit.stop for visit in gap]
            if i < len(journey.legs):
                leg = journey.legs[i]
                stops = world.trips[leg.trip].plain.stops  # type: ignore[union-attr] # no rides
                calls = stops[leg.board_position : leg.alight_position + 1]  # type: ignore[union-attr]
                visited += calls
            gap_s = journey.walk_s[i - 1] if 0 < i < len(journey.legs) else None
            if gap_s is not None:
                assert sum(v.walk_s for v in gap) <= gap_s
        for via in vias:
            at = next(i for i, stop in enumerate(visited) if stop in via.stops)
            visited = visited[at:]
