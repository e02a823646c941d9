"""Rides that are followed: expected times against a slow twin, stops passed, who is believed."""

from __future__ import annotations

import datetime as dt
import itertools
import random
import uuid
from collections.abc import Iterator
from dataclasses import replace

import networkx as nx
import pytest
from hypothesis import assume, event, given, settings
from hypothesis import strategies as st

from carpool.booked_rides import AT_STOP_S, planned_parts, searched_parts, visits_of
from carpool.bookings import Booking, BookingState, RideState
from carpool.offers import Offer, OfferState
from carpool.ports import PlannedVisit, StoredRide
from carpool.ride_plans import RideWay
from carpool.tracking import (
    HIDDEN_M,
    REACHED_M,
    Fix,
    Reason,
    Track,
    follow,
    late_in_force_s,
    track_ride,
)
from core.geo import METRES_PER_DEGREE, Coordinate, distance_m
from core.time import day_start_epoch_s, to_instant
from tests.carpool.test_ride_plans import EARLIEST_S, random_booking, random_way
from tests.support.grids import END, START, Grid, car_graph_between, random_offer

pytestmark = pytest.mark.unit

fixed_seed = settings(derandomize=True, deadline=None, database=None, max_examples=60)
seeds = st.integers(0, 2**31)
DAY = dt.date(1970, 1, 12)
NOW = dt.datetime(2026, 11, 30, 8, tzinfo=dt.UTC)


def ride_of(grid: Grid, way: RideWay, offer: Offer, dice: random.Random) -> StoredRide | None:
    """A ride with one or two riders, planned; None where they do not fit."""
    visits, bookings, points = (), [], grid.network.points
    for _ in range(dice.randint(1, 2)):
        booking_id = uuid.UUID(int=dice.getrandbits(128))
        wanted = random_booking(dice, way, str(booking_id))
        found = None if wanted is None else way.insert(visits, *wanted)
        if wanted is None or found is None:
            continue
        visits = found[0]
        pickup, dropoff = wanted
        bookings.append(
            Booking(
                id=booking_id, ride_id=uuid.UUID(int=1), rider_id=uuid.UUID(int=2),
                together_id=uuid.UUID(int=3), state=BookingState.CONFIRMED, seats=pickup.seats,
                pickup_point=points.id[pickup.point], dropoff_point=points.id[dropoff.point],
                pickup_from=to_instant(pickup.earliest_s), pickup_to=to_instant(pickup.latest_s),
                dropoff_by=to_instant(dropoff.latest_s), price_cents=None, currency="EUR",
                code="0000", until=None, created_at=NOW,
            )
        )  # fmt: skip
    schedule = way.schedule(visits)
    if not visits or schedule is None:
        return None
    seen: set[str] = set()
    plan = []
    for visit, at_s in zip(visits, schedule.at_s, strict=True):
        is_pickup = visit.booking not in seen
        seen.add(visit.booking)
        of = uuid.UUID(visit.booking)
        plan.append(PlannedVisit(of, is_pickup, visit.segment, to_instant(at_s)))
    return StoredRide(
        id=uuid.UUID(int=1), offer=offer, offer_version=1, driver_id=uuid.UUID(int=4), date=DAY,
        version=1, state=RideState.EN_ROUTE, late_s=0, plan=tuple(plan), bookings=tuple(bookings),
        offer_state=OfferState.PUBLISHED, latest_version=1, start_private=False,
        end_private=False,
    )  # fmt: skip


def followed(dice: random.Random) -> tuple[Grid, Track]:
    """A grid and a ride on it that can be followed."""
    grid, way = random_way(dice)
    offer = random_offer(grid, dice.randrange(10**6))
    ride = ride_of(grid, way, offer, dice)
    assume(ride is not None)
    assert ride is not None
    track = track_ride(grid.network, ride, way.body)
    assert track is not None
    return grid, track


def somewhere(grid: Grid, dice: random.Random) -> Coordinate:
    east_m, north_m = dice.random() * grid.east_m, dice.random() * grid.north_m
    return Coordinate(north_m / METRES_PER_DEGREE, east_m / METRES_PER_DEGREE)


@fixed_seed
@given(seeds)
def test_times_ahead_are_those_of_the_fastest_drive_by_all_stops_with_waits(seed: int) -> None:
    """The slow twin drives by shortest paths of networkx from stop to stop, and waits."""
    dice = random.Random(seed)
    grid, track = followed(dice)
    place, at_s = somewhere(grid, dice), track.leaves_s + dice.randint(0, 900)
    progress, left_out = follow(grid.network, track, None, [Fix(at_s, place)], at_s)
    assume(left_out != {Reason.OUTSIDE: 1})  # in a block farther from its streets than any car
    assert not left_out
    assert progress is not None
    ahead = [stop for stop in track.stops if stop.key not in progress.reached_s]
    event(f"{len(ahead)} ahead, {sum(stop.visit is None for stop in ahead)} of the driver's own")
    graph = car_graph_between(grid.network, place, place)
    graph.remove_node(END)
    then_s, here = at_s, START
    for stop in ahead:
        drive_s = nx.shortest_path_length(graph, here, stop.reaching[0][0], weight="s")
        then_s = max(then_s + drive_s, stop.earliest_s)
        assert progress.expected_s[stop.key] == then_s
        here = stop.reaching[0][0]
    late = [progress.expected_s[s.key] - s.planned_s for s in ahead if s.visit is not None]
    assert progress.late_s == max([*late, 0])


@fixed_seed
@given(seeds)
def test_order_and_repetition_of_positions_change_nothing(seed: int) -> None:
    dice = random.Random(seed)
    grid, track = followed(dice)
    at_s, first = track.leaves_s, somewhere(grid, dice)
    fixes = [Fix(at_s + 10 * i, Coordinate(first.lat + i * 1e-4, first.lon), 5.0) for i in range(6)]
    now_s = at_s + 100
    whole, left_out = follow(grid.network, track, None, fixes, now_s)
    assume(Reason.OUTSIDE not in left_out and Reason.OVER not in left_out)
    assert not left_out
    mixed = dice.sample(fixes, len(fixes)) + dice.sample(fixes, 2)
    assert follow(grid.network, track, None, mixed, now_s)[0] == whole
    assert whole is not None
    again, left_out = follow(grid.network, track, whole, fixes, now_s)
    assert again is None
    assert left_out == {Reason.KNOWN: len(fixes)}
    one_by_one = None
    for fix in fixes:
        one_by_one = follow(grid.network, track, one_by_one, [fix], now_s)[0]
    assert one_by_one == whole


@fixed_seed
@given(seeds)
def test_stops_are_reached_in_their_order_also_between_two_positions(seed: int) -> None:
    dice = random.Random(seed)
    grid, track = followed(dice)
    stop = track.stops[0]
    at_s = max(stop.planned_s, stop.earliest_s)
    side = 3 * REACHED_M / METRES_PER_DEGREE
    before, behind = (Coordinate(stop.place.lat, stop.place.lon + step) for step in (-side, side))
    fixes = [Fix(at_s, before), Fix(at_s + 20, behind)]
    progress, left_out = follow(grid.network, track, None, fixes, at_s + 20)
    assume(not left_out)
    assert progress is not None
    assert progress.reached_s[stop.key] == at_s + 20
    reached = [s.key in progress.reached_s for s in track.stops]
    assert reached == sorted(reached, reverse=True)
    early = [Fix(fix.at_s - 360 - 20, fix.place) for fix in fixes]
    if stop.earliest_s and at_s == stop.earliest_s:
        opened = replace(track, leaves_s=at_s)
        too_soon, _ = follow(grid.network, opened, None, early, at_s)
        assert too_soon is None or stop.key not in too_soon.reached_s, "not yet for its rider"


def test_behind_a_private_start_lateness_is_that_of_the_departure_alone() -> None:
    dice, delays = random.Random(5), set()
    grid, track = next(tracks(dice))
    private = replace(track, ride=replace(track.ride, start_private=True))
    at_s = track.leaves_s + 600
    for _ in range(20):
        place = somewhere(grid, dice)
        if distance_m(place, track.ride.offer.start) > HIDDEN_M:
            continue
        if distance_m(place, track.stops[0].place) <= REACHED_M:
            continue
        progress, _ = follow(grid.network, private, None, [Fix(at_s, place)], at_s)
        assert progress is not None
        delays.add(progress.expected_s[track.stops[0].key] - track.stops[0].planned_s)
    assert delays == {600 - 180}


def tracks(dice: random.Random) -> Iterator[tuple[Grid, Track]]:
    """Rides without stops of the driver's own."""
    for _ in itertools.repeat(None):
        grid, way = random_way(dice)
        if way.body.via_nodes:
            continue
        ride = ride_of(grid, way, random_offer(grid, dice.randrange(10**6)), dice)
        track = None if ride is None else track_ride(grid.network, ride, way.body)
        if track is not None:
            yield grid, track


SAID, SEEN = 600, 300


@pytest.mark.parametrize(
    ("state", "said_min", "seen_min", "expected_s"),
    [
        (RideState.SCHEDULED, 60, None, SAID),  # nobody has seen the car
        (RideState.SCHEDULED, 60, 1, SAID),  # before he leaves the longer
        (RideState.EN_ROUTE, 60, 1, SEEN),  # on the way what is measured
        (RideState.EN_ROUTE, 9, 1, SAID),  # but for what he has just said
        (RideState.EN_ROUTE, 60, 6, SAID),  # and while the car is seen
        (RideState.EN_ROUTE, None, 1, SEEN),
    ],
)
def test_what_is_said_and_what_is_measured_do_not_fight(
    state: RideState, said_min: int | None, seen_min: int | None, expected_s: int
) -> None:
    def ago(minutes: int | None) -> dt.datetime | None:
        return None if minutes is None else NOW - dt.timedelta(minutes=minutes)

    _, track = next(tracks(random.Random(1)))
    ride = replace(
        track.ride, state=state, said_late_s=0 if said_min is None else SAID,
        said_at=ago(said_min), seen_late_s=None if seen_min is None else SEEN,
        seen_at=ago(seen_min),
    )  # fmt: skip
    assert late_in_force_s(ride, NOW) == expected_s


@fixed_seed
@given(seeds)
def test_nobody_who_is_late_already_is_made_later_and_plans_stay_as_they_are(seed: int) -> None:
    dice = random.Random(seed)
    grid, way = random_way(dice)
    ride = ride_of(grid, way, random_offer(grid, dice.randrange(10**6)), dice)
    assume(ride is not None)
    assert ride is not None
    late = replace(ride, late_s=dice.choice((120, 900)))
    on_time, delayed = visits_of(grid.network, ride), visits_of(grid.network, late)
    assert on_time is not None
    assert delayed is not None
    schedule, same = way.schedule(on_time), way.schedule(delayed)
    assert schedule is not None
    assert same == schedule
    for visit, planned in zip(delayed, late.plan, strict=True):
        at_s = int(planned.at.timestamp())
        booking = late.booking(planned.booking)
        promised = booking.pickup_to if planned.is_pickup else booking.dropoff_by
        allowed_s = visit.latest_s + late.late_s
        assert allowed_s <= promised.timestamp() or visit.latest_s == at_s
    assert schedule.leaves_s >= EARLIEST_S


def test_search_finds_a_late_ride_with_its_delay_and_ahead_of_the_car_alone() -> None:
    dice, compared, dropped = random.Random(3), 0, 0
    for _ in range(200):
        grid, way = random_way(dice)
        day_s = day_start_epoch_s(DAY, grid.network.zone)
        offer = replace(
            random_offer(grid, dice.randrange(10**6)), seat_count=way.seat_count,
            depart_from_s=way.earliest_s - day_s, depart_to_s=way.latest_s - day_s,
        )  # fmt: skip
        ride = ride_of(grid, way, offer, dice)
        if ride is None:
            continue
        late = replace(ride, state=RideState.SCHEDULED, late_s=600)
        planned, parts = (
            of(grid.network, late, way.body) for of in (planned_parts, searched_parts)
        )
        leaves_s = {part.depart_from_s for part, _ in planned}
        compared += bool(parts)
        assert {part.depart_from_s for part, _ in parts} <= {at_s + 600 for at_s in leaves_s}
        unseen = replace(late, state=RideState.EN_ROUTE)
        assert searched_parts(grid.network, unseen, way.body) == [], "nobody knows where it is"
        seen_at = ride.plan[-1].at + dt.timedelta(seconds=600)
        seen = replace(unseen, seen_at=seen_at)
        ahead = searched_parts(grid.network, seen, way.body)
        for part, body in ahead:
            first_s = day_s + part.depart_from_s + int(body.from_start_s.min())
            assert first_s >= seen_at.timestamp() - AT_STOP_S
        dropped += len(ahead) < len(parts)
    assert min(compared, dropped) > 10
