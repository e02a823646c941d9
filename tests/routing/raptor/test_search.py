"""The kernels against the oracle, on random small worlds."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from gtfs_data.throughs import parts_of_ride
from routing.raptor.ride_range import WORTH_A_CHANGE_S
from routing.raptor.search import Search, Window
from routing.raptor.unroll import RawJourney, RawRide, RawVehicle
from tests.oracles.raptor_oracle import (
    NEVER,
    PlainCandidate,
    PlainRide,
    best_of_range,
    earliest_arrivals,
    latest_departures,
)
from tests.strategies import random_worlds
from tests.support.random_world import OPENING_S, RandomWorld

pytestmark = pytest.mark.unit

fixed_seed = settings(
    derandomize=True,
    deadline=None,
    database=None,
    max_examples=200,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
plain_worlds = random_worlds(rides=False)
ride_worlds = st.one_of(
    random_worlds(rides=True),
    random_worlds(rides=True, unit_s=37),
    random_worlds(rides=True, doors=True),
    random_worlds(rides=True, unit_s=37, doors=True),
)
"""In half of them drivers come to the door, which is a point like any other to the oracle."""


def has_ride(journey: RawJourney) -> bool:
    return any(isinstance(leg, RawRide) for leg in journey.legs)


def alone(journeys: list[RawJourney]) -> list[RawJourney]:
    """Rides all the way."""
    return [j for j in journeys if len(j.legs) == 1 and isinstance(j.legs[0], RawRide)]


def at_doors(world: RandomWorld, journeys: list[RawJourney]) -> int:
    """How many begin or end in a car at the rider's own door."""
    if not world.doors:
        return 0
    first = world.stop_count + world.point_count - 2
    return sum(max(j.legs[0].board_node, j.legs[-1].alight_node) >= first for j in journeys)


def found(search: Search, window: Window) -> tuple[list[RawJourney], list[RawJourney]]:
    journeys = search.run(window)
    return [j for j in journeys if not has_ride(j)], [j for j in journeys if has_ride(j)]


def arrivals_worth_it(world: RandomWorld) -> tuple[set[tuple[int, int]], set[tuple[int, int]]]:
    """(arrival, vehicles) without rides, and those that only a ride makes possible."""
    direct_s = NEVER if world.direct_s is None else world.leave_s + world.direct_s
    best = {
        seats: [
            min(at_s, direct_s)
            for at_s in earliest_arrivals(
                world.plain(), world.access, world.egress, world.leave_s,
                most=world.most, seats=seats,
            )
        ]
        for seats in (0, world.seats)
    }  # fmt: skip
    rows = range(1, world.most + 1)
    bus, car = best[0], best[world.seats]
    return (
        {(bus[k], k) for k in rows if bus[k] < bus[k - 1]},
        {(car[k], k) for k in rows if car[k] < min(bus[k], car[k - 1])},
    )


def departures_worth_it(world: RandomWorld) -> tuple[set[tuple[int, int]], set[tuple[int, int]]]:
    """(departure, vehicles) without rides, and those that only a ride makes possible."""
    direct_s = -NEVER if world.direct_s is None else world.arrive_s - world.direct_s
    best = {
        seats: [
            max(at_s, direct_s)
            for at_s in latest_departures(
                world.plain(), world.access, world.egress, world.arrive_s,
                most=world.most, seats=seats, earliest_s=OPENING_S - 3600,
            )
        ]
        for seats in (0, world.seats)
    }  # fmt: skip
    rows = range(1, world.most + 1)
    bus, car = best[0], best[world.seats]
    return (
        {(bus[k], k) for k in rows if bus[k] > bus[k - 1]},
        {(car[k], k) for k in rows if car[k] > max(bus[k], car[k - 1])},
    )


def check_rides(
    journeys: list[RawJourney], times: set[tuple[int, int]], wanted: set[tuple[int, int]]
) -> None:
    """
    Everything wanted is there. A ride all the way does not hide journeys that join rides and
    vehicles, so that some of these may stand beside it though they are not better.
    """
    assert wanted <= times
    for journey in journeys:
        time_s = {journey.end_s, journey.start_s}
        better = any((at_s, len(journey.legs)) in wanted for at_s in time_s)
        assert better or any(isinstance(leg, RawVehicle) for leg in journey.legs)


def check_legs(world: RandomWorld, journey: RawJourney) -> None:
    """Each leg is lawful and in time for the next."""
    change_s = world.change_at_s
    walks = {**world.walks, **world.point_walks}
    assert journey.access_s == world.access[journey.legs[0].board_node]
    assert journey.egress_s == world.egress[journey.legs[-1].alight_node]
    for leg in journey.legs:
        if isinstance(leg, RawVehicle):
            check_aboard(world, leg)
        else:
            check_ride(world, leg)
    for i, (leg, then) in enumerate(zip(journey.legs, journey.legs[1:], strict=False)):
        place, other = leg.alight_node, then.board_node
        assert journey.walk_s[i] == (0 if place == other else walks[place, other])
        assert leg.end_s + change_s[place] + journey.walk_s[i] <= then.start_s


def check_aboard(world: RandomWorld, leg: RawVehicle) -> None:
    """Each trip of a vehicle is run as listed; all but the last go on as the next."""
    table = world.search().network.timetable
    parts = parts_of_ride(table, leg.trip, leg.board_position, leg.alight_position)
    event(f"{len(parts)} trips in one vehicle")
    assert {(a.trip, b.trip) for a, b in itertools.pairwise(parts)} <= world.links
    for i, part in enumerate(parts):
        plain = world.trips[part.trip].plain
        own = RawVehicle(
            leg.board_node if i == 0 else plain.stops[0],
            leg.alight_node if i == len(parts) - 1 else plain.stops[-1],
            leg.start_s if i == 0 else plain.depart_s[0],
            leg.end_s if i == len(parts) - 1 else plain.arrive_s[-1],
            part.trip, leg.day, part.board, part.leave,
        )  # fmt: skip
        check_vehicle(world, own, first=i == 0, last=i == len(parts) - 1)


def check_vehicle(world: RandomWorld, leg: RawVehicle, *, first: bool, last: bool) -> None:
    trip = world.trips[leg.trip]
    plain, i, j = trip.plain, leg.board_position, leg.alight_position
    assert leg.day == -int(trip.late)
    assert i < j
    assert (plain.stops[i], plain.stops[j]) == (leg.board_node, leg.alight_node)
    assert (plain.depart_s[i], plain.arrive_s[j]) == (leg.start_s, leg.end_s)
    assert plain.may_board[i] or not first
    assert plain.may_alight[j] or not last


def check_ride(world: RandomWorld, leg: RawRide) -> None:
    """Some candidates of the driver are at these points, lawful together and at these times."""
    ride = world.rides[leg.ride]
    assert ride.seat_count >= world.seats
    assert any(
        _may_ride(world, ride, pickup, dropoff, leg)
        for pickup in ride.candidates
        for dropoff in ride.candidates
        if (pickup.node, dropoff.node) == (leg.board_node, leg.alight_node)
    )


def _may_ride(
    world: RandomWorld,
    ride: PlainRide,
    pickup: PlainCandidate,
    dropoff: PlainCandidate,
    leg: RawRide,
) -> bool:
    drive_s = ride.drive_s(pickup, dropoff, world.drive_s)
    df, db = ride.from_start_s(pickup), ride.to_end_s(dropoff)
    return (
        drive_s is not None
        and df + drive_s + db <= sum(ride.segment_s) + ride.budget_s
        and ride.earliest_s + df <= leg.start_s <= ride.latest_s + df
        and leg.end_s - leg.start_s == world.pickup_stop_s + drive_s
    )


@fixed_seed
@given(plain_worlds)
def test_earliest_arrival_for_each_number_of_vehicles(world: RandomWorld) -> None:
    journeys = world.search(seats=0).run(Window(world.leave_s, world.leave_s))
    event(f"{len(journeys)} journeys")
    assert sorted((j.end_s, len(j.legs)) for j in journeys) == sorted(arrivals_worth_it(world)[0])
    for journey in journeys:
        check_legs(world, journey)
        assert world.leave_s <= journey.start_s


@fixed_seed
@given(plain_worlds)
def test_latest_departure_for_each_number_of_vehicles(world: RandomWorld) -> None:
    journeys = world.search(seats=0, arrive_by=True).run(Window(world.arrive_s, world.arrive_s))
    event(f"{len(journeys)} journeys")
    wanted = departures_worth_it(world)[0]
    assert sorted((j.start_s, len(j.legs)) for j in journeys) == sorted(wanted)
    for journey in journeys:
        check_legs(world, journey)
        assert journey.end_s <= world.arrive_s


@fixed_seed
@given(ride_worlds)
def test_earliest_arrival_with_rides_beside_that_without(world: RandomWorld) -> None:
    bus, car = found(world.search(), Window(world.leave_s, world.leave_s))
    event(f"{len(car)} with rides")
    event(f"{max((len(j.legs) for j in car), default=0)} legs")
    event(f"{at_doors(world, car)} at doors")
    wanted = arrivals_worth_it(world)
    assert sorted((j.end_s, len(j.legs)) for j in bus) == sorted(wanted[0])
    check_rides(car, {(j.end_s, len(j.legs)) for j in car}, wanted[1])
    for journey in bus + car:
        check_legs(world, journey)
        assert world.leave_s <= journey.start_s


@fixed_seed
@given(ride_worlds)
def test_latest_departure_with_rides_beside_that_without(world: RandomWorld) -> None:
    bus, car = found(world.search(arrive_by=True), Window(world.arrive_s, world.arrive_s))
    event(f"{len(car)} with rides")
    event(f"{max((len(j.legs) for j in car), default=0)} legs")
    event(f"{at_doors(world, car)} at doors")
    wanted = departures_worth_it(world)
    assert sorted((j.start_s, len(j.legs)) for j in bus) == sorted(wanted[0])
    check_rides(car, {(j.start_s, len(j.legs)) for j in car}, wanted[1])
    for journey in bus + car:
        check_legs(world, journey)
        assert journey.end_s <= world.arrive_s


@fixed_seed
@given(plain_worlds, st.integers(1, 40))
def test_range_gives_every_undominated_departure(world: RandomWorld, minutes: int) -> None:
    until_s = world.leave_s + minutes * 60
    journeys = world.search(seats=0).run(Window(world.leave_s, until_s))
    event(f"{len(journeys)} journeys")
    wanted = best_of_range(
        world.plain(), world.access, world.egress, world.leave_s, until_s, most=world.most,
        step_s=60, direct_s=NEVER if world.direct_s is None else world.direct_s,
    )  # fmt: skip
    assert sorted((j.start_s, j.end_s, len(j.legs)) for j in journeys) == sorted(wanted)
    for journey in journeys:
        check_legs(world, journey)


@fixed_seed
@given(random_worlds(rides=True), st.integers(1, 40))
def test_range_with_rides_gives_lawful_journeys_and_hides_no_bus(
    world: RandomWorld, minutes: int
) -> None:
    # In whole minutes: departures are taken down to them.
    window = Window(world.leave_s, world.leave_s + minutes * 60)
    bus, car = found(world.search(), window)
    event(f"{len(car)} with rides")
    alone = world.search(seats=0).run(window)
    assert [(j.start_s, j.end_s, len(j.legs)) for j in bus] == [
        (j.start_s, j.end_s, len(j.legs)) for j in alone
    ]
    for journey in bus + car:
        check_legs(world, journey)
        assert window.from_s <= journey.start_s


@fixed_seed
@given(ride_worlds, st.integers(1, 40))
def test_range_holds_the_best_ride_of_its_first_departure(world: RandomWorld, minutes: int) -> None:
    # Leaving in the window on what one catches at its start, unless its end is as good.
    until_s = world.leave_s + minutes * 60
    after = earliest_arrivals(
        world.plain(), world.access, world.egress, until_s, most=world.most, seats=world.seats
    )
    _, car = found(world.search(), Window(world.leave_s, until_s))
    wanted = [(at_s, k) for at_s, k in arrivals_worth_it(world)[1] if at_s < after[k]]
    event(f"{len(wanted)} wanted")
    for at_s, k in wanted:
        saves_little = any(j.end_s <= at_s + WORTH_A_CHANGE_S * (k - 1) for j in alone(car))
        assert saves_little or any(j.end_s == at_s and len(j.legs) <= k for j in car)


@fixed_seed
@given(ride_worlds, st.integers(1, 40))
def test_range_of_arrivals_holds_the_best_ride_of_its_last(
    world: RandomWorld, minutes: int
) -> None:
    from_s = world.arrive_s - minutes * 60
    before = latest_departures(
        world.plain(), world.access, world.egress, from_s,
        most=world.most, seats=world.seats, earliest_s=OPENING_S - 3600,
    )  # fmt: skip
    _, car = found(world.search(arrive_by=True), Window(from_s, world.arrive_s))
    wanted = [(at_s, k) for at_s, k in departures_worth_it(world)[1] if at_s > before[k]]
    event(f"{len(wanted)} wanted")
    for at_s, k in wanted:
        saves_little = any(j.start_s >= at_s - WORTH_A_CHANGE_S * (k - 1) for j in alone(car))
        assert saves_little or any(j.start_s >= at_s and len(j.legs) <= k for j in car)
