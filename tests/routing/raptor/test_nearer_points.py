"""Offers of which the search looks at few points, and what it makes of the others."""

from __future__ import annotations

from dataclasses import replace
from itertools import permutations, product
from typing import Any

import pytest
from hypothesis import event, given
from hypothesis import strategies as st

from gtfs_data.enums import CAN_ALIGHT, CAN_BOARD
from gtfs_data.throughs import calls_of_ride
from routing.raptor.search import Window
from routing.raptor.unroll import RawJourney, RawRide, RawVehicle
from tests.oracles.raptor_oracle import PlainCandidate, PlainRide, PlainTrip
from tests.routing.raptor.test_search import alone, check_legs, fixed_seed, ride_worlds
from tests.support.random_world import CARPOOL_CHANGE_S, RandomTrip, RandomWorld

pytestmark = pytest.mark.unit

few = st.integers(0, 2)
LEAVE_S = 8 * 3600
FAR_APART = dict.fromkeys(permutations(range(4, 10), 2), 5000)
"""Drives that take more than any driver accepts."""


@fixed_seed
@given(ride_worlds, few)
def test_who_is_driven_all_the_way_arrives_as_early_as_by_all_points(
    world: RandomWorld, searched: int
) -> None:
    window = Window(world.leave_s, world.leave_s)
    journeys = world.search(searched=searched).run(window)
    for journey in journeys:
        check_legs(world, journey)
        assert world.leave_s <= journey.start_s
    event(f"{len(alone(journeys))} alone")
    best_s = [j.end_s for j in alone(world.search().run(window))]
    assert [j.end_s for j in alone(journeys)] == best_s


@fixed_seed
@given(ride_worlds, few)
def test_who_is_driven_all_the_way_leaves_as_late_as_by_all_points(
    world: RandomWorld, searched: int
) -> None:
    window = Window(world.arrive_s, world.arrive_s)
    journeys = world.search(arrive_by=True, searched=searched).run(window)
    for journey in journeys:
        check_legs(world, journey)
        assert journey.end_s <= world.arrive_s
    best_s = [j.start_s for j in alone(world.search(arrive_by=True).run(window))]
    event(f"{len(best_s)} alone")
    assert [j.start_s for j in alone(journeys)] == best_s


@fixed_seed
@given(ride_worlds, few, st.integers(1, 40))
def test_a_first_ride_is_boarded_as_late_and_a_last_one_left_as_early_as_any_place_allows(
    world: RandomWorld, searched: int, minutes: int
) -> None:
    window = Window(world.leave_s, world.leave_s + minutes * 60)
    journeys = [j for j in world.search(searched=searched).run(window) if len(j.legs) > 1]
    for journey in journeys:
        check_legs(world, journey)
        first, last = journey.legs[0], journey.legs[-1]
        # Of one vehicle between two rides each end narrows what the other may choose from.
        if isinstance(first, RawRide) and isinstance(last, RawRide) and len(journey.legs) == 3:
            continue
        if isinstance(first, RawRide):
            event("a first ride")
            assert journey.start_s == latest_start_s(world, journey)
        if isinstance(last, RawRide):
            event("a last ride")
            assert journey.end_s == soonest_end_s(world, journey)


def latest_start_s(world: RandomWorld, journey: RawJourney) -> int:
    """Of all pick-ups and drop-offs of the first ride, in time for the vehicle that follows."""
    first, then = journey.legs[0], journey.legs[1]
    assert isinstance(first, RawRide)
    ride, starts_s, calls = world.rides[first.ride], [], [(then.board_node, then.start_s)]
    if isinstance(then, RawVehicle):
        own = calls_of_ride(world.search().network.timetable, then.trip)
        shift_s = then.start_s - int(own.departure_s[then.board_position])
        calls = [
            (int(own.stop[i]), int(own.departure_s[i]) + shift_s)
            for i in range(then.alight_position)
            if own.flag[i] & CAN_BOARD
        ]
    for pickup, dropoff, (stop, leave_s) in product(ride.candidates, ride.candidates, calls):
        walk_s = world.point_walks.get((dropoff.node, stop))
        drive_s = ride.drive_s(pickup, dropoff, world.drive_s)
        df = ride.from_start_s(pickup)
        if walk_s is None or drive_s is None or pickup.node not in world.access:
            continue
        rest_s = world.pickup_stop_s + drive_s + CARPOOL_CHANGE_S + walk_s
        at_s = min(leave_s - rest_s, ride.latest_s + df)
        lawful = df + drive_s + ride.to_end_s(dropoff) <= sum(ride.segment_s) + ride.budget_s
        if lawful and at_s >= ride.earliest_s + df:
            starts_s.append(at_s - world.access[pickup.node])
    return max(starts_s)


def soonest_end_s(world: RandomWorld, journey: RawJourney) -> int:
    """Of all pick-ups and drop-offs of the last ride, after the vehicle before."""
    before, last = journey.legs[-2], journey.legs[-1]
    assert isinstance(last, RawRide)
    ride, ends_s, calls = world.rides[last.ride], [], [(before.alight_node, before.end_s)]
    if isinstance(before, RawVehicle):
        own = calls_of_ride(world.search().network.timetable, before.trip)
        shift_s = before.end_s - int(own.arrival_s[before.alight_position])
        calls = [
            (int(own.stop[i]), int(own.arrival_s[i]) + shift_s)
            for i in range(before.board_position + 1, len(own.stop))
            if own.flag[i] & CAN_ALIGHT
        ]
    for pickup, dropoff, (stop, there_s) in product(ride.candidates, ride.candidates, calls):
        ready_s = there_s + world.change_at_s[stop]
        walk_s = world.point_walks.get((stop, pickup.node))
        drive_s = ride.drive_s(pickup, dropoff, world.drive_s)
        df = ride.from_start_s(pickup)
        if walk_s is None or drive_s is None or dropoff.node not in world.egress:
            continue
        at_s = max(ready_s + walk_s, ride.earliest_s + df)
        lawful = df + drive_s + ride.to_end_s(dropoff) <= sum(ride.segment_s) + ride.budget_s
        if lawful and at_s <= ride.latest_s + df:
            egress_s = world.egress[dropoff.node]
            ends_s.append(at_s + world.pickup_stop_s + drive_s + egress_s)
    return min(ends_s)


@fixed_seed
@given(ride_worlds, few, st.integers(1, 40))
def test_what_is_bettered_stays_on_the_page_that_it_was_found_for(
    world: RandomWorld, searched: int, minutes: int
) -> None:
    departures = Window(world.leave_s, world.leave_s + minutes * 60)
    for journey in world.search(searched=searched).run(departures):
        assert departures.from_s <= journey.start_s < departures.until_s
    arrivals = Window(world.arrive_s - minutes * 60, world.arrive_s)
    for journey in world.search(arrive_by=True, searched=searched).run(arrivals):
        assert arrivals.from_s < journey.end_s <= arrivals.until_s


def line_and_driver(**changes: Any) -> RandomWorld:
    """
    A vehicle 0 → 3 by the minutes 0, 5, 10, 15, and a driver at meeting points.

    Points 4, 5, 6 are a minute from the stops 1, 2, 3. The search is to look at the first two of
    his candidates alone.
    """
    may = (True,) * 4
    at_s = tuple(LEAVE_S + 300 * i for i in range(4))
    trip = RandomTrip(PlainTrip((0, 1, 2, 3), may, may, at_s, at_s), 0, late=False)
    beside = {(i, i + 3): 60 for i in (1, 2, 3)}
    world = RandomWorld(
        stop_count=4, point_count=6, patterns=(((0, 1, 2, 3), (3, 3, 3, 3)),), trips=(trip,),
        linked=frozenset(), parted=frozenset(), walks={},
        point_walks={**beside, **{(b, a): s for (a, b), s in beside.items()}},
        bodies=(), windows=((0, LEAVE_S, LEAVE_S + 1200),), drive_s={}, access={}, egress={},
        change_s=60, stop_change_s={}, pickup_stop_s=60, direct_s=None, most=3, seats=1,
        leave_s=LEAVE_S, arrive_s=LEAVE_S + 7200,
    )  # fmt: skip
    return replace(world, **changes)


def body(*candidates: tuple[int, int, int]) -> PlainRide:
    """A driver's way: of each candidate the node and the drives from his start and to his end."""
    own = tuple(PlainCandidate(node, 0, df, db) for node, df, db in candidates)
    return PlainRide(own, (2_000,), 2_000, 0, 0, 2)


@fixed_seed
@given(st.integers(0, 120))
def test_a_vehicle_is_left_where_the_driver_comes_by_sooner(stop_s: int) -> None:
    world = line_and_driver(
        bodies=(body((4, 1_200, 800), (7, 1_800, 200), (5, 300, 1_700)),),
        drive_s={**FAR_APART, (4, 7): 600, (5, 7): 600}, access={0: 0}, egress={7: 60},
        pickup_stop_s=stop_s,
    )  # fmt: skip
    search, window = world.search(searched=2), Window(LEAVE_S, LEAVE_S)
    ends_s = {}
    for anywhere in (False, True):
        (journey,) = replace(search, changes_anywhere=anywhere).run(window)
        check_legs(world, journey)
        assert [type(leg) for leg in journey.legs] == [RawVehicle, RawRide]
        ends_s[anywhere] = journey.end_s
    assert ends_s[True] == soonest_end_s(world, journey)
    assert ends_s == {False: LEAVE_S + 1_860 + stop_s, True: LEAVE_S + 1_380 + stop_s}


@fixed_seed
@given(st.integers(0, 120))
def test_a_vehicle_is_boarded_where_that_allows_the_latest_start(stop_s: int) -> None:
    world = line_and_driver(
        bodies=(body((7, 0, 2_000), (4, 100, 1_900), (5, 130, 1_870)),),
        drive_s={**FAR_APART, (7, 4): 100, (7, 5): 130}, access={7: 0}, egress={3: 0},
        pickup_stop_s=stop_s,
        windows=((0, LEAVE_S - 1_200, LEAVE_S + 1_200),),
    )  # fmt: skip
    search, window = world.search(searched=2), Window(LEAVE_S - 1_200, LEAVE_S - 1_200)
    starts_s = {}
    for anywhere in (False, True):
        (journey,) = replace(search, changes_anywhere=anywhere).run(window)
        check_legs(world, journey)
        assert [type(leg) for leg in journey.legs] == [RawRide, RawVehicle]
        starts_s[anywhere] = journey.start_s
    assert starts_s[True] == latest_start_s(world, journey)
    rest_s = CARPOOL_CHANGE_S + 60 + stop_s
    assert starts_s == {False: LEAVE_S + 200 - rest_s, True: LEAVE_S + 470 - rest_s}
