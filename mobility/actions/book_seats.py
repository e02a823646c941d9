"""A rider books: seats of all rides of a journey are held together, then confirmed together."""

from __future__ import annotations

import datetime as dt
import secrets
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import NamedTuple

from carpool.audience import Person, carried
from carpool.booked_rides import point_of, room_left, visits_of
from carpool.bookings import (
    HOLD,
    LATE_ANSWER_BEFORE,
    PICKUP_WINDOW,
    Booking,
    BookingEvent,
    BookingState,
    BookingStateConflict,
    RideState,
    answer_until,
    locked,
)
from carpool.compile import OfferUnusable
from carpool.door_visits import spots_of, with_doors
from carpool.offers import Acceptance, OfferState
from carpool.ports import StoredRide
from carpool.quotes import Quote, read_quote
from carpool.ride_plans import NEVER_S, RideWay, Schedule, Visit
from core.errors import Conflict, InvalidInput
from core.ids import OfferId
from core.time import to_instant
from mobility.actions.ride_desk import LockedRide, RideDesk, Telling, announce, lock, save
from mobility.db.circles import read_person
from mobility.db.engagements import AlreadyOnTheWay, lock_person, one_car_at_a_time
from mobility.db.engine import Connection, again_after_deadlock, begin_in_trips
from mobility.db.idempotency import find_answer, keep_answer
from mobility.db.journeys import JourneyEnds, add_journey
from mobility.db.points import list_suspended, share_points
from mobility.db.rides import BookingNotFound, RideNotFound, SqlRideStore
from mobility.users.scopes import Principal

Also = Callable[[Connection, Sequence[Booking]], None]
RIDES_LIMIT = 4
"""Rides of one journey."""
TRIES = 5
"""How often a driver may change his offer while somebody books it."""
CODES = 10_000
NO_PLACE = "the ride cannot take you as it was quoted any more: search again"


class RideNotFree(Conflict):
    """The ride cannot take the rider as it was quoted: seats, budget, or somebody's promise."""

    code = "ride_not_free"


class CarDoesNotTake(Conflict):
    """What the rider brings along has no room, or none any more."""

    code = "car_does_not_take"


class PointSuspended(Conflict):
    """Nobody is let in or out at this meeting point until the authority has looked at it."""

    code = "point_suspended"


class TooLate(Conflict):
    """The car leaves too soon, or has left."""

    code = "too_late"


class _Changed(Exception):
    """The driver has changed his offer since it was read."""


@dataclass(frozen=True, slots=True)
class _Ready:
    """What takes time, made before a ride is locked: good for one version of its offer."""

    ride_id: uuid.UUID
    version: int
    way: RideWay


class Journey(NamedTuple):
    """Rides that are booked together."""

    quotes: tuple[Quote, ...]
    ends: JourneyEnds | None
    """From where to where the rider travels, if further than by these rides."""


class _Once(NamedTuple):
    """By which a request that comes twice is known."""

    user_id: uuid.UUID
    key: str
    asked: list[str]


class _Wanted(NamedTuple):
    """A request: one journey or several, of which all rides are held, or none."""

    rider_id: uuid.UUID
    journeys: tuple[Journey, ...]
    once: _Once | None = None
    also: Also | None = None
    confirms: bool = False
    """Confirm at once, and leave it to `also` to tell the drivers."""


READY_KEPT = 1_000
_ready: dict[tuple[uuid.UUID | None, str, OfferId, dt.date], _Ready] = {}
"""What this process has made before, by epoch of the database, ground, offer and date."""


@again_after_deadlock
def hold_seats(
    desk: RideDesk,
    rider: Principal,
    quotes: Sequence[str],
    quote_key: bytes,
    *,
    key: str | None,
    now: dt.datetime,
    ends: JourneyEnds | None = None,
    also: Also | None = None,
) -> list[Booking]:
    """
    Hold the seats of all quotes, or none, for five minutes.

    What takes time is done before the rides are locked, and made again if it turns out under the
    lock that an offer was changed. Asked again with the same `key`, nothing more happens.

    Parameters
    ----------
    ends
        From where to where the rider travels, if further than by these rides.
    also
        Stores in the same transaction what belongs to the bookings; what it raises undoes them.

    Raises
    ------
    QuoteInvalid, InvalidInput
        A quote is not from here, or the quotes are no journey.
    RideNotFree, TooLate, AlreadyOnTheWay, CarDoesNotTake, PointSuspended
        The ride is not there for this rider any more: search again.
    NotInAudience
        It is for people to whom he does not belong.
    """
    asked = tuple(read_quote(text, quote_key) for text in quotes)
    once = None if key is None else _Once(rider.user_id, key, list(quotes))
    return _try(desk, _Wanted(rider.person_id, (Journey(asked, ends),), once, also), now)


@again_after_deadlock
def book_journeys(
    desk: RideDesk,
    rider_id: uuid.UUID,
    journeys: Sequence[Journey],
    *,
    also: Also,
    now: dt.datetime,
) -> list[Booking]:
    """
    Hold and confirm the seats of several journeys, or of none, in one transaction.

    As `hold_seats` and `confirm_seats`, but that no driver is told: `also` does that, or has it
    done.
    """
    return _try(desk, _Wanted(rider_id, tuple(journeys), also=also, confirms=True), now)


def _try(desk: RideDesk, wanted: _Wanted, now: dt.datetime) -> list[Booking]:
    for journey in wanted.journeys:
        check_journey(journey.quotes)
    asked = [quote for journey in wanted.journeys for quote in journey.quotes]
    for _ in range(TRIES):
        ready = {quote: _make_ready(desk, quote) for quote in asked}
        try:
            return _hold(desk, wanted, ready, now)
        except (_Changed, RideNotFound):
            for quote in asked:
                _ready.pop(_key(desk, quote), None)
    raise RideNotFree("the driver is changing this ride: search again in a moment")


def check_journey(asked: Sequence[Quote]) -> None:
    """Raise `InvalidInput` for rides that nobody takes one after the other."""
    if not 1 <= len(asked) <= RIDES_LIMIT:
        raise InvalidInput(f"quotes: 1 to {RIDES_LIMIT}")
    for before, then in pairwise(asked):
        if then.pickup_s < before.dropoff_s:
            raise InvalidInput("the rides of a journey follow each other")
    if len({(quote.offer, quote.date) for quote in asked}) < len(asked):
        raise InvalidInput("two rides of a journey are of one car: book one from end to end")


def _make_ready(desk: RideDesk, quote: Quote) -> _Ready:
    """Read and compile what a booking needs, and see that the ride has a row to lock."""
    key = _key(desk, quote)
    known = _ready.get(key)
    if known is not None:
        return known
    for spot in filter(None, (quote.pickup_door, quote.dropoff_door)):
        desk.snapshot.network.door_at(spot)  # its drives are remembered
    with desk.engine.begin() as connection:
        store = SqlRideStore(connection)
        found = store.read_offer(quote.offer)
        if found is None:
            raise RideNotFree("this offer is gone: search again")
        offer, version = found
        if offer.outside is not None:
            raise RideNotFree(f"seats of this ride are booked at {offer.outside.operator}")
        store.add_ride(offer, version, quote.date)
        ride = store.find_ride(quote.offer, quote.date)
        assert ride is not None
        if not ride.bookings and ride.offer_version != version:
            ride = store.lock_ride(ride.id)
            if not ride.bookings:
                store.take_version(ride.id, offer, version)
        if ride.bookings:
            offer, version = ride.offer, ride.offer_version
        try:
            way = desk.way_of(connection, offer, version, quote.date)
        except OfferUnusable as error:
            raise RideNotFree("this ride cannot be driven any more: search again") from error
    if len(_ready) >= READY_KEPT or any(old[:2] != key[:2] for old in list(_ready)[:1]):
        _ready.clear()
    _ready[key] = made = _Ready(ride.id, version, way)
    return made


def _key(desk: RideDesk, quote: Quote) -> tuple[uuid.UUID | None, str, OfferId, dt.date]:
    return desk.epoch, desk.snapshot.ground_hash, quote.offer, quote.date


def _hold(
    desk: RideDesk, wanted: _Wanted, ready: Mapping[Quote, _Ready], now: dt.datetime
) -> list[Booking]:
    """Hold all under locks; raises `_Changed` where what was prepared is not what is there."""
    rider_id, journeys, once, also, confirms = wanted
    with one_car_at_a_time(), begin_in_trips(desk.engine) as connection:
        store = SqlRideStore(connection)
        if once is not None:
            known = find_answer(connection, *once, now)
            if known is not None:
                return store.list_together(uuid.UUID(known))
        lock_person(connection, rider_id)
        share_points(connection)
        person = read_person(connection, rider_id)
        booked: list[tuple[Booking, Quote]] = []
        for journey in journeys:
            together = uuid.uuid4()
            add_journey(connection, together, journey.ends or _ends_of(desk, journey.quotes))
            booked += [
                (_booking_of(quote, ready[quote], rider_id, together, now), quote)
                for quote in journey.quotes
            ]
        _check_points(connection, [quote for _, quote in booked])
        rides = lock(desk, connection, {r.ride_id for r in ready.values()}, now)
        held = []
        for booking, quote in booked:
            ride = rides[booking.ride_id]
            _check_terms(store, ride.ride, quote, person)
            held.append(_hold_one(desk, ride, booking, quote, ready[quote]))
        if once is not None:
            keep_answer(connection, once.user_id, once.key, str(held[0].together_id))
        if confirms:
            held = [_confirm_one(rides[b.ride_id], b, now, told=()) for b in held]
        if also is not None:
            also(connection, held)
        changed = save(rides.values())
    announce(desk, changed=changed)
    return held


def _ends_of(desk: RideDesk, asked: Sequence[Quote]) -> JourneyEnds:
    network = desk.snapshot.network
    start = asked[0].pickup_door or network.point_coordinate(asked[0].pickup)
    end = asked[-1].dropoff_door or network.point_coordinate(asked[-1].dropoff)
    if start is None or end is None:
        raise RideNotFree(NO_PLACE)
    return JourneyEnds(start, end)


def _booking_of(
    quote: Quote, ready: _Ready, rider_id: uuid.UUID, together: uuid.UUID, now: dt.datetime
) -> Booking:
    return Booking(
        id=uuid.uuid4(),
        ride_id=ready.ride_id,
        rider_id=rider_id,
        together_id=together,
        state=BookingState.HELD,
        seats=quote.seats,
        pickup_point=quote.pickup,
        dropoff_point=quote.dropoff,
        pickup_door=quote.pickup_door,
        dropoff_door=quote.dropoff_door,
        pickup_from=to_instant(quote.pickup_s),
        pickup_to=to_instant(quote.pickup_s) + PICKUP_WINDOW,
        dropoff_by=to_instant(quote.latest_s),
        price_cents=quote.price_cents,
        currency=quote.currency,
        code=f"{secrets.randbelow(CODES):04d}",
        until=min(now + HOLD, to_instant(quote.pickup_s) - LATE_ANSWER_BEFORE),
        created_at=now,
        needs=frozenset(quote.needs),
    )


def _hold_one(
    desk: RideDesk, ride: LockedRide, booking: Booking, quote: Quote, ready: _Ready
) -> Booking:
    version = ride.ride.offer_version
    if version != ready.version or not (ride.ride.bookings or version == ride.ride.latest_version):
        raise _Changed
    _check_open(ride.ride, quote, booking)
    late_s = ride.ride.late_s
    booking = replace(booking, quoted_late_s=late_s, told_late_s=late_s)
    ride.add(booking, *_insert(desk, ride.ride, ready.way, booking))
    return booking


def _check_points(connection: Connection, quotes: Sequence[Quote]) -> None:
    """Raise `PointSuspended`; where points are shared, none else is until the commit."""
    ends = {quote.pickup for quote in quotes if quote.pickup_door is None}
    ends |= {quote.dropoff for quote in quotes if quote.dropoff_door is None}
    if suspended := list_suspended(connection, ends):
        raise PointSuspended(f"meeting point {min(suspended)} is suspended: search again")


def _check_terms(store: SqlRideStore, ride: StoredRide, quote: Quote, person: Person) -> None:
    """
    See that the offer, as it is by now, is for this rider, and the car takes what he brings.

    Who is kept apart from a driver hears of a full car: nobody is told of a block.
    """
    offer = ride.offer
    if ride.latest_version != ride.offer_version:
        found = store.read_offer(quote.offer)
        assert found is not None, "an offer is never deleted"
        offer = found[0]
    person.require(offer.circle)
    if ride.driver_id in person.apart:
        raise RideNotFree(NO_PLACE)
    missing = frozenset(quote.needs) - carried(room_left(ride))
    if missing:
        raise CarDoesNotTake(f"this car has no room for {', '.join(sorted(missing))}: search again")


def _check_open(ride: StoredRide, quote: Quote, booking: Booking) -> None:
    if ride.offer_state is not OfferState.PUBLISHED:
        raise RideNotFree("the driver does not offer this ride any more: search again")
    under_way = ride.state is RideState.EN_ROUTE and ride.seen_at is not None
    if ride.state is not RideState.SCHEDULED and not under_way:
        raise RideNotFree("this ride is under way, or was cancelled: search again")
    if not ride.offer.runs_on(ride.date):
        raise RideNotFree("the driver does not drive on this day any more: search again")
    if to_instant(quote.pickup_s) - LATE_ANSWER_BEFORE <= booking.created_at:
        raise TooLate("it is too late to book this ride: search again")
    if ride.driver_id == booking.rider_id:
        raise AlreadyOnTheWay("this ride is your own")
    if any(other.rider_id == booking.rider_id for other in ride.bookings):
        raise AlreadyOnTheWay("you have a seat on this ride already")


def _insert(
    desk: RideDesk, ride: StoredRide, way: RideWay, booking: Booking
) -> tuple[tuple[Visit, ...], Schedule]:
    """Visits of a ride that has one more booking, and their times; raises `RideNotFree`."""
    network = desk.snapshot.network
    spots = spots_of((*ride.bookings, booking))
    stopping = with_doors(network, way, spots)
    visits = None if stopping is None else visits_of(network, ride, spots)
    pickup = point_of(network, booking, spots, pickup=True)
    dropoff = point_of(network, booking, spots, pickup=False)
    if stopping is None or visits is None or pickup is None or dropoff is None:
        raise RideNotFree(NO_PLACE)
    # Plans are without the delay of the day.
    from_s, to_s, by_s = (
        int(at.timestamp()) - ride.late_s
        for at in (booking.pickup_from, booking.pickup_to, booking.dropoff_by)
    )
    found = stopping.insert(
        visits,
        Visit(str(booking.id), pickup, 0, booking.seats, from_s, to_s),
        Visit(str(booking.id), dropoff, 0, -booking.seats, -NEVER_S, by_s),
    )
    if found is None:
        raise RideNotFree(NO_PLACE)
    return found


@again_after_deadlock
def confirm_seats(
    desk: RideDesk, rider: Principal, booking_id: uuid.UUID, *, now: dt.datetime
) -> list[Booking]:
    """
    Take the seats that are held: all rides of the journey, or none.

    Where the driver wants to be asked, or the ride is about to leave, he is asked now.

    Raises
    ------
    BookingNotFound, BookingStateConflict
        It is not one's own, or its time is over.
    """
    with begin_in_trips(desk.engine) as connection:
        store = SqlRideStore(connection)
        first = own_booking(store, rider, booking_id)
        journey = store.list_together(first.together_id)
        rides = lock(desk, connection, {b.ride_id for b in journey}, now)
        journey = store.list_together(first.together_id)
        confirmed = [_confirm_one(rides[booking.ride_id], booking, now) for booking in journey]
        changed = save(rides.values())
    announce(desk, changed=changed)
    return confirmed


def _confirm_one(
    ride: LockedRide, booking: Booking, now: dt.datetime, *, told: Sequence[Telling] | None = None
) -> Booking:
    if booking.state is not BookingState.HELD:
        raise BookingStateConflict(f"the booking is {booking.state}: nothing to confirm")
    first_pickup = min(b.pickup_from for b in ride.ride.bookings)
    as_planned = ride.ride.state is RideState.SCHEDULED and not ride.ride.late_s
    asks = ride.ride.offer.acceptance is Acceptance.ASK or not as_planned
    if asks or locked(first_pickup, now):
        until = answer_until(booking.pickup_from, first_pickup, now)
        return ride.happen(booking, BookingEvent.REQUEST, until=until, told=told)
    return ride.happen(booking, BookingEvent.CONFIRM, told=told)


def own_booking(store: SqlRideStore, rider: Principal, booking_id: uuid.UUID) -> Booking:
    """A booking of whoever asks; raises `BookingNotFound` for those of others."""
    booking, _ = store.find_booking(booking_id)
    if booking.rider_id != rider.person_id:
        raise BookingNotFound(f"you have no booking {booking_id}")
    return booking
