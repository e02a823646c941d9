"""Offers of which the search looks at few points, and what it makes of the others."""

from __future__ import annotations

import pytest
from hypothesis import event, given
from hypothesis import strategies as st

from routing.raptor.search import Window
from routing.raptor.unroll import RawJourney, RawRide
from tests.routing.raptor.test_search import alone, check_legs, fixed_seed, ride_worlds
from tests.support.random_world import CARPOOL_CHANGE_S, RandomWorld

pytestmark = pytest.mark.unit

few = st.integers(0, 2)


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
def test_a_first_ride_is_boarded_as_late_and_a_last_one_left_as_early_as_any_point_allows(
    world: RandomWorld, searched: int, minutes: int
) -> None:
    window = Window(world.leave_s, world.leave_s + minutes * 60)
    journeys = [j for j in world.search(searched=searched).run(window) if len(j.legs) > 1]
    for journey in journeys:
        check_legs(world, journey)
        first, last = journey.legs[0], journey.legs[-1]
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
    ride, starts_s = world.rides[first.ride], []
    for pickup in ride.candidates:
        for dropoff in ride.candidates:
            walk_s = world.point_walks.get((dropoff.node, then.board_node))
            drive_s = ride.drive_s(pickup, dropoff, world.drive_s)
            df = ride.from_start_s(pickup)
            if walk_s is None or drive_s is None or pickup.node not in world.access:
                continue
            rest_s = world.pickup_stop_s + drive_s + CARPOOL_CHANGE_S + walk_s
            at_s = min(then.start_s - rest_s, ride.latest_s + df)
            lawful = df + drive_s + ride.to_end_s(dropoff) <= sum(ride.segment_s) + ride.budget_s
            if lawful and at_s >= ride.earliest_s + df:
                starts_s.append(at_s - world.access[pickup.node])
    return max(starts_s)


def soonest_end_s(world: RandomWorld, journey: RawJourney) -> int:
    """Of all pick-ups and drop-offs of the last ride, after the vehicle before."""
    before, last = journey.legs[-2], journey.legs[-1]
    assert isinstance(last, RawRide)
    ride, ends_s = world.rides[last.ride], []
    ready_s = before.end_s + world.change_at_s[before.alight_node]
    for pickup in ride.candidates:
        for dropoff in ride.candidates:
            walk_s = world.point_walks.get((before.alight_node, pickup.node))
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
