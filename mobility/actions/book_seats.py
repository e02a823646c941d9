"""A rider books: seats of all rides of a journey are held together, then confirmed together."""

from __future__ import annotations

import datetime as dt
import secrets
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

from carpool.booked_rides import visits_of
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
from carpool.offers import Acceptance, OfferState
from carpool.ports import StoredRide
from carpool.quotes import Quote, read_quote
from carpool.ride_plans import NEVER_S, RideWay, Schedule, Visit
from core.errors import Conflict, InvalidInput
from core.ids import OfferId
from core.time import to_instant
from mobility.actions.ride_desk import LockedRide, RideDesk, announce, lock, save
from mobility.db.engine import Connection, again_after_deadlock
from mobility.db.idempotency import find_answer, keep_answer
from mobility.db.journeys import JourneyEnds, add_journey
from mobility.db.rides import AlreadyOnTheWay, BookingNotFound, RideNotFound, SqlRideStore
from mobility.users.scopes import Principal

Also = Callable[[Connection, Sequence[Booking]], None]
RIDES_LIMIT = 4
"""Rides of one journey."""
TRIES = 5
"""How often a driver may change his offer while somebody books it."""
CODES = 10_000


class RideNotFree(Conflict):
    """The ride cannot take the rider as it was quoted: seats, budget, or somebody's promise."""

    code = "ride_not_free"


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


class _Wanted(NamedTuple):
    """A request as it came."""

    rider: Principal
    quotes: tuple[str, ...]
    key: str | None
    ends: JourneyEnds | None
    also: Also | None


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
    RideNotFree, TooLate, AlreadyOnTheWay
        The ride is not there for this rider any more: search again.
    """
    asked = [read_quote(text, quote_key) for text in quotes]
    wanted = _Wanted(rider, tuple(quotes), key, ends, also)
    _check_journey(asked)
    for _ in range(TRIES):
        ready = [_make_ready(desk, quote) for quote in asked]
        try:
            return _hold(desk, wanted, list(zip(asked, ready, strict=True)), now)
        except (_Changed, RideNotFound):
            for quote in asked:
                _ready.pop(_key(desk, quote), None)
    raise RideNotFree("the driver is changing this ride: search again in a moment")


def _check_journey(asked: Sequence[Quote]) -> None:
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
    with desk.engine.begin() as connection:
        store = SqlRideStore(connection)
        found = store.read_offer(quote.offer)
        if found is None:
            raise RideNotFree("this offer is gone: search again")
        offer, version = found
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
    desk: RideDesk, wanted: _Wanted, rides_of: Sequence[tuple[Quote, _Ready]], now: dt.datetime
) -> list[Booking]:
    """Hold all under locks; raises `_Changed` where what was prepared is not what is there."""
    together, (rider, quotes, key, ends, also) = uuid.uuid4(), wanted
    with desk.engine.begin() as connection:
        store = SqlRideStore(connection)
        if key is not None:
            known = find_answer(connection, rider.user_id, key, list(quotes), now)
            if known is not None:
                return store.list_together(uuid.UUID(known))
        store.lock_person(rider.person_id)
        rides = lock(desk, connection, [ready.ride_id for _, ready in rides_of], now)
        held = [
            _hold_one(desk, rides[ready.ride_id], quote, ready, rider, together, now)
            for quote, ready in rides_of
        ]
        add_journey(connection, together, ends or _ends_of(desk, held))
        if key is not None:
            keep_answer(connection, rider.user_id, key, str(together))
        if also is not None:
            also(connection, held)
        revision = save(rides.values())
    announce(desk, revision)
    return held


def _ends_of(desk: RideDesk, held: Sequence[Booking]) -> JourneyEnds:
    places = [
        desk.snapshot.network.point_coordinate(point)
        for point in (held[0].pickup_point, held[-1].dropoff_point)
    ]
    start, end = (place for place in places if place is not None)  # known, or not booked
    return JourneyEnds(start, end)


def _hold_one(
    desk: RideDesk,
    ride: LockedRide,
    quote: Quote,
    ready: _Ready,
    rider: Principal,
    together: uuid.UUID,
    now: dt.datetime,
) -> Booking:
    version = ride.ride.offer_version
    if version != ready.version or not (ride.ride.bookings or version == ride.ride.latest_version):
        raise _Changed
    _check_open(ride.ride, quote, rider, now)
    booking = Booking(
        id=uuid.uuid4(),
        ride_id=ride.ride.id,
        rider_id=rider.person_id,
        together_id=together,
        state=BookingState.HELD,
        seats=quote.seats,
        pickup_point=quote.pickup,
        dropoff_point=quote.dropoff,
        pickup_from=to_instant(quote.pickup_s),
        pickup_to=to_instant(quote.pickup_s) + PICKUP_WINDOW,
        dropoff_by=to_instant(quote.latest_s),
        price_cents=quote.price_cents,
        currency=quote.currency,
        code=f"{secrets.randbelow(CODES):04d}",
        until=min(now + HOLD, to_instant(quote.pickup_s) - LATE_ANSWER_BEFORE),
        created_at=now,
    )
    found = _insert(desk, ride.ride, ready.way, booking)
    if found is None:
        raise RideNotFree("the ride cannot take you as it was quoted any more: search again")
    ride.add(booking, *found)
    return booking


def _check_open(ride: StoredRide, quote: Quote, rider: Principal, now: dt.datetime) -> None:
    if ride.offer_state is not OfferState.PUBLISHED:
        raise RideNotFree("the driver does not offer this ride any more: search again")
    if ride.state is not RideState.SCHEDULED or ride.late_s:
        raise RideNotFree("this ride is under way, or was cancelled: search again")
    if not ride.offer.runs_on(ride.date):
        raise RideNotFree("the driver does not drive on this day any more: search again")
    if to_instant(quote.pickup_s) - LATE_ANSWER_BEFORE <= now:
        raise TooLate("it is too late to book this ride: search again")
    if ride.driver_id == rider.person_id:
        raise AlreadyOnTheWay("this ride is your own")
    if any(booking.rider_id == rider.person_id for booking in ride.bookings):
        raise AlreadyOnTheWay("you have a seat on this ride already")


def _insert(
    desk: RideDesk, ride: StoredRide, way: RideWay, booking: Booking
) -> tuple[tuple[Visit, ...], Schedule] | None:
    network = desk.snapshot.network
    visits = visits_of(network, ride)
    pickup = network.point_row.get(booking.pickup_point)
    dropoff = network.point_row.get(booking.dropoff_point)
    if visits is None or pickup is None or dropoff is None:
        return None
    from_s, to_s = (int(at.timestamp()) for at in (booking.pickup_from, booking.pickup_to))
    by_s = int(booking.dropoff_by.timestamp())
    return way.insert(
        visits,
        Visit(str(booking.id), pickup, 0, booking.seats, from_s, to_s),
        Visit(str(booking.id), dropoff, 0, -booking.seats, -NEVER_S, by_s),
    )


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
    with desk.engine.begin() as connection:
        store = SqlRideStore(connection)
        first = own_booking(store, rider, booking_id)
        journey = store.list_together(first.together_id)
        rides = lock(desk, connection, {b.ride_id for b in journey}, now)
        journey = store.list_together(first.together_id)
        confirmed = [_confirm_one(rides[booking.ride_id], booking, now) for booking in journey]
        revision = save(rides.values())
    announce(desk, revision)
    return confirmed


def _confirm_one(ride: LockedRide, booking: Booking, now: dt.datetime) -> Booking:
    if booking.state is not BookingState.HELD:
        raise BookingStateConflict(f"the booking is {booking.state}: nothing to confirm")
    first_pickup = min(b.pickup_from for b in ride.ride.bookings)
    if ride.ride.offer.acceptance is Acceptance.ASK or locked(first_pickup, now):
        until = answer_until(booking.pickup_from, first_pickup, now)
        return ride.happen(booking, BookingEvent.REQUEST, until=until)
    return ride.happen(booking, BookingEvent.CONFIRM)


def own_booking(store: SqlRideStore, rider: Principal, booking_id: uuid.UUID) -> Booking:
    """A booking of whoever asks; raises `BookingNotFound` for those of others."""
    booking, _ = store.find_booking(booking_id)
    if booking.rider_id != rider.person_id:
        raise BookingNotFound(f"you have no booking {booking_id}")
    return booking
