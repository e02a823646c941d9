"""What a rider has if the driver does not come: plan B; and how he gets back: the way home."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace

from carpool.audience import ANYBODY, Seeker
from carpool.bookings import Booking, BookingEvent, BookingState, BookingStateConflict
from carpool.quotes import Quote, sign_quote
from core.errors import Conflict
from core.geo import Coordinate, distance_m
from core.ids import OfferId
from mobility.actions.book_seats import (
    TRIES,
    RideNotFree,
    TooLate,
    confirm_seats,
    hold_seats,
    own_booking,
)
from mobility.actions.change_booking import Said, Side, change_booking
from mobility.actions.plan_itineraries import plan_itineraries
from mobility.actions.ride_desk import RideDesk
from mobility.db.circles import read_person
from mobility.db.engine import Connection
from mobility.db.journeys import Fallbacks, JourneyEnds, Way, keep_fallbacks, read_journey
from mobility.db.rides import SqlRideStore
from mobility.mapping.priced import PricedItinerary
from mobility.mapping.quoted import quotes_of
from mobility.users.scopes import Principal
from mobility.world import World
from routing.query import Endpoint, PlanQuery

LEARNT_BEFORE = dt.timedelta(minutes=15)
"""So long before the car should come, a rider who is still at home learns that it does not."""
AT_HOME_M = 1_500.0
"""So near the start of the journey, a rider waits there, and not at the meeting point."""
HOME_BY = dt.time(4)
"""On the next morning: whoever is home by then has got home on the day."""
LEFT_WITHOUT = frozenset(
    {
        BookingState.CHANGE_PROPOSED, BookingState.CANCELLED_DRIVER, BookingState.NO_SHOW_DRIVER,
        BookingState.DECLINED, BookingState.EXPIRED,
    }
)  # fmt: skip
"""States of a booking in which its rider may take plan B."""


class NoPlanB(Conflict):
    """There is no other way on the day."""

    code = "no_plan_b"


@dataclass(frozen=True, slots=True)
class _Gap:
    """Where a rider stands when a driver does not come, and where he still wants to go."""

    start: Coordinate
    leave_at: dt.datetime
    end: Coordinate
    seats: int
    left_out: frozenset[OfferId]
    seeker: Seeker
    """The rider, and what he brings along."""


@dataclass(frozen=True, slots=True)
class Taken:
    """Plan B as it was taken."""

    priced: PricedItinerary
    bookings: tuple[Booking, ...]
    """Of the rides in it."""


def work_out_fallbacks(world: World, desk: RideDesk, journey: Sequence[Booking]) -> Fallbacks:
    """Find plan B of each ride of a journey and the last way home, once, and keep them."""
    together = journey[0].together_id
    with desk.engine.connect() as connection:
        known = read_journey(connection, together)
        if known.fallbacks is not None:
            return known.fallbacks
        gaps = {booking.id: _gap(world, connection, booking) for booking in journey}
    seeker = gaps[journey[-1].id].seeker
    found = {booking: find_plan_b(world, gap) for booking, gap in gaps.items()}
    fallbacks = Fallbacks(
        {b: None if priced is None else Way.of(priced.itinerary) for b, priced in found.items()},
        find_way_home(world, known.ends, journey[-1].dropoff_by, journey[-1].seats, seeker),
    )
    with desk.engine.begin() as connection:
        keep_fallbacks(connection, together, fallbacks)
    return fallbacks


def show_plan_b(
    world: World, desk: RideDesk, rider: Principal, booking_id: uuid.UUID, *, now: dt.datetime
) -> PricedItinerary | None:
    """Plan B as it is by now; None if there is no other way; raises `BookingNotFound`."""
    with desk.engine.connect() as connection:
        booking = own_booking(SqlRideStore(connection), rider, booking_id)
        gap = _gap(world, connection, booking)
    return find_plan_b(world, gap, now=now)


def take_plan_b(
    world: World, desk: RideDesk, rider: Principal, booking_id: uuid.UUID, *, now: dt.datetime
) -> Taken:
    """
    Leave a ride whose driver does not keep to it, and book what plan B needs.

    What else is booked of the same journey is given back: plan B leads all the way. Nothing is left
    or given back where there is none. A ride that others have filled meanwhile is left out, and
    the next best way taken.

    Raises
    ------
    BookingNotFound
        It is not one's own.
    BookingStateConflict
        The driver is still bound to come.
    NoPlanB
        There is no other way; who may still wait for a late driver keeps his seat.
    RideNotFree, TooLate, AlreadyOnTheWay
        Others were faster again and again, or the rider is in another car then.
    """
    with desk.engine.connect() as connection:
        store = SqlRideStore(connection)
        booking = own_booking(store, rider, booking_id)
        rest = [
            b
            for b in store.list_together(booking.together_id)
            if b.id != booking.id and b.takes_seats and b.pickup_from > booking.pickup_from
        ]
        gap = _gap(world, connection, booking)
    if booking.state not in LEFT_WITHOUT:
        raise BookingStateConflict(f"the booking is {booking.state}: its driver is to come")
    leaving = [(b, BookingEvent.CANCEL_RIDER) for b in rest]
    if booking.state is BookingState.CHANGE_PROPOSED:
        leaving.insert(0, (booking, BookingEvent.REFUSE_CHANGE))
    if find_plan_b(world, gap, now=now) is None:
        raise NoPlanB("there is no other way from here on this day")
    for left, event in leaving:
        change_booking(desk, rider, Side.RIDER, left.id, event, Said(now), now=now)
    for tries_left in reversed(range(TRIES)):
        priced = find_plan_b(world, gap, now=now)
        if priced is None:
            break
        quotes = list(quotes_of(world, priced, gap.seats, gap.seeker.needs).values())
        try:
            return Taken(priced, tuple(_book(world, desk, rider, gap, quotes, now)))
        except (RideNotFree, TooLate):
            if tries_left == 0:
                raise
            gap = replace(gap, left_out=gap.left_out | {quote.offer for quote in quotes})
    raise NoPlanB("the last other way has just been taken: search again")


def _book(
    world: World,
    desk: RideDesk,
    rider: Principal,
    gap: _Gap,
    quotes: Sequence[Quote],
    now: dt.datetime,
) -> list[Booking]:
    if not quotes:  # on foot or by timetable
        return []
    signed = [sign_quote(quote, world.quote_key) for quote in quotes]
    ends = JourneyEnds(gap.start, gap.end)
    held = hold_seats(desk, rider, signed, world.quote_key, key=None, now=now, ends=ends)
    return confirm_seats(desk, rider, held[0].id, now=now)


def find_plan_b(
    world: World, gap: _Gap, *, now: dt.datetime | None = None
) -> PricedItinerary | None:
    """The way that arrives first without the driver who does not come."""
    leave_at = gap.leave_at if now is None else max(gap.leave_at, now)
    query = PlanQuery(
        Endpoint(gap.start, None, "START"), Endpoint(gap.end, None, "END"), leave_at, window_s=0,
        seats=gap.seats, criteria=False, detailed=now is not None,
    )  # fmt: skip
    without = gap.left_out | world.outside_ids
    answer = plan_itineraries(world, query, seeker=gap.seeker, without=without)
    found = (*answer.direct, *answer.itineraries)
    return min(found, key=lambda priced: priced.itinerary.end_at, default=None)


def find_way_home(
    world: World,
    ends: JourneyEnds,
    after: dt.datetime,
    seats: int,
    seeker: Seeker = ANYBODY,
) -> Way | None:
    """The last way back on the day that leaves after a moment, on foot, by timetable or by car."""
    zone = world.network.zone
    next_day = after.astimezone(zone).date() + dt.timedelta(days=1)
    by = dt.datetime.combine(next_day, HOME_BY, tzinfo=zone)
    query = PlanQuery(
        Endpoint(ends.end), Endpoint(ends.start), by, arrive_by=True, window_s=0, backwards=True,
        seats=seats, criteria=False, detailed=False,
    )  # fmt: skip
    answer = plan_itineraries(world, query, seeker=seeker, without=world.outside_ids)
    ways = [Way.of(p.itinerary) for p in (*answer.direct, *answer.itineraries)]
    return max((w for w in ways if w.leave_at >= after), key=lambda w: w.leave_at, default=None)


def _gap(world: World, connection: Connection, booking: Booking) -> _Gap:
    store = SqlRideStore(connection)
    journey = store.list_together(booking.together_id)
    offer = frozenset({store.read_ride(booking.ride_id).offer.id})
    start, end = read_journey(connection, booking.together_id).ends
    needs = frozenset(need for each in journey for need in each.needs)
    seeker = Seeker(read_person(connection, booking.rider_id), needs)
    known = world.network.point_coordinate(booking.pickup_point)
    pickup = booking.pickup_door or known or start
    if booking.id == journey[0].id and distance_m(start, pickup) <= AT_HOME_M:
        return _Gap(start, booking.pickup_from - LEARNT_BEFORE, end, booking.seats, offer, seeker)
    return _Gap(pickup, booking.pickup_from, end, booking.seats, offer, seeker)
