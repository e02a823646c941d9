"""Bounds never say more than the truth, whatever the size of cells."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, cast

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from routing import bounds
from routing.bounds import MOST_ONWARD, UNREACHED_S, Bounds
from routing.raptor.search import Window
from tests.oracles.raptor_oracle import PlainWorld
from tests.strategies import random_worlds
from tests.support.random_world import RandomWorld

pytestmark = pytest.mark.unit
fixed_seed = settings(derandomize=True, deadline=None, database=None, max_examples=100)
cell_limits = st.sampled_from((1, 2, 4))


def with_cells(world: RandomWorld, limit: int) -> Any:
    """Search of a world whose stops share cells."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bounds, "_cell_limit", lambda _: limit)
        return world.search(seats=0)


def least_seconds(world: PlainWorld) -> np.ndarray[Any, Any]:
    """Fastest way from stop to stop if every vehicle left when one comes."""
    stops = range(world.stop_count)
    best = np.full((world.stop_count, world.stop_count), np.inf)
    np.fill_diagonal(best, 0)
    for trip in world.trips:
        for i in range(len(trip.stops) - 1):
            a, b = trip.stops[i], trip.stops[i + 1]
            best[a, b] = min(best[a, b], trip.arrive_s[i + 1] - trip.depart_s[i])
    for (a, b), walk_s in world.walks.items():
        if a in stops and b in stops:
            best[a, b] = min(best[a, b], walk_s)
    for k in stops:
        best = np.minimum(best, best[:, [k]] + best[[k], :])
    return best


@given(world=random_worlds(rides=False), limit=cell_limits)
@fixed_seed
def test_bounds_are_those_of_the_nearest_stops_of_two_cells(world: RandomWorld, limit: int) -> None:
    table = cast("Bounds", with_cells(world, limit).network.bounds)
    own = [trip.plain for trip in world.trips]
    aboard_s = least_seconds(world.plain())
    changing_s = least_seconds(replace(world.plain(), trips=tuple(own)))
    cells = range(int(table.cell.max()) + 1)
    for a in cells:
        for b in cells:
            least, most = (
                min(s[np.ix_(table.cell == a, table.cell == b)].min(), UNREACHED_S)
                for s in (aboard_s, changing_s)
            )
            # Where nobody gains by staying aboard, a vehicle that goes on is not looked at.
            assert least <= table.to_s[b, a] == table.from_s[a, b] <= most


@given(world=random_worlds(rides=False), limit=cell_limits)
@fixed_seed
def test_fewest_vehicles_are_never_more_than_a_journey_takes(
    world: RandomWorld, limit: int
) -> None:
    search = with_cells(world, limit)
    table = search.network.bounds
    for journey in search.run(Window(world.leave_s, world.leave_s + 3600)):
        first, last = journey.legs[0].board_node, journey.legs[-1].alight_node
        a, b = table.cell[first], table.cell[last]
        assert table.to_vehicles[b, a] <= len(journey.legs)
        assert table.from_vehicles[a, b] <= len(journey.legs)


@given(world=random_worlds(rides=False), limit=cell_limits)
@fixed_seed
def test_search_finds_the_same_with_bounds_and_without(world: RandomWorld, limit: int) -> None:
    bounded, free = with_cells(world, limit), world.search(seats=0)
    table = free.network.bounds
    free.network.bounds = Bounds(
        table.cell, *(np.zeros_like(a) for a in (table.to_s, table.to_vehicles) * 2)
    )
    window = Window(world.leave_s, world.leave_s + 3600)

    def told(search: Any) -> list[tuple[int, int, int]]:
        return sorted((j.start_s, j.end_s, len(j.legs)) for j in search.run(window))

    assert told(bounded) == told(free)


def test_stop_that_no_vehicle_leaves_is_never_left() -> None:
    class World:
        stop_count = 2
        stop_lat = stop_lon = np.zeros(2)
        pattern_first_stop = np.zeros(1, np.int32)
        pattern_stop = trip_pattern = np.zeros(0, np.int32)
        trip_first_event = np.zeros(1, np.int32)
        event_arrival_s = event_departure_s = np.zeros(0, np.int32)
        through_first_row = through_first_trip = np.zeros(1, np.int32)
        through_pattern = through_trip = through_row_stop = np.zeros(0, np.int32)

    walks = bounds.Walks(np.zeros(3, np.int32), np.zeros(0, np.int32), np.zeros(0, np.int32))
    table = bounds.build_bounds(cast("Any", World), walks, walks)
    assert table.to_s.tolist() == [[0, UNREACHED_S], [UNREACHED_S, 0]]
    assert table.to_vehicles.tolist() == [[0, MOST_ONWARD], [MOST_ONWARD, 0]]
