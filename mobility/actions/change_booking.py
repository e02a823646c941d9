"""What a rider, a driver or time does to a booking once it is there."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum

import structlog

from carpool.bookings import (
    COMPLAINT,
    DRIVER_LATE,
    RIDER_LATE,
    Booking,
    BookingEvent,
    BookingStateConflict,
    RideState,
)
from carpool.ports import StoredRide
from core.errors import Conflict, InvalidInput, MobilityError, NotAllowed
from mobility.actions.ride_desk import LockedRide, RideDesk, Telling, announce, lock, save
from mobility.db.audit import record_act
from mobility.db.engine import Connection, again_after_deadlock, begin_in_trips
from mobility.db.rides import BookingNotFound, SqlRideStore
from mobility.users.scopes import Principal

log = structlog.get_logger()
DUE_AT_ONCE = 200
"""Rides that one sweep looks at."""


class Side(StrEnum):
    """Who acts."""

    RIDER = "rider"
    DRIVER = "driver"


EVENTS = {
    Side.RIDER: frozenset(
        {
            BookingEvent.CANCEL_RIDER, BookingEvent.ACCEPT_CHANGE, BookingEvent.REFUSE_CHANGE,
            BookingEvent.NO_SHOW_DRIVER, BookingEvent.COMPLAIN,
        }
    ),
    Side.DRIVER: frozenset(
        {
            BookingEvent.ACCEPT, BookingEvent.DECLINE, BookingEvent.CANCEL_DRIVER,
            BookingEvent.BOARD, BookingEvent.COMPLETE, BookingEvent.NO_SHOW_RIDER,
            BookingEvent.COMPLAIN,
        }
    ),
}  # fmt: skip


TOLD_LATER = frozenset({BookingEvent.BOARD, BookingEvent.NO_SHOW_DRIVER})
"""What counts from when it happened, even if the phone had no network until after the end."""


class WrongCode(InvalidInput):
    """Not the code that the rider was given."""

    code = "wrong_code"


class TooSoon(Conflict):
    """What is said to have happened cannot have yet."""

    code = "too_soon"


@dataclass(frozen=True, slots=True)
class Said:
    """What whoever acts says beside."""

    at: dt.datetime
    """When it happened: a phone without network tells later."""
    code: str | None = None


@again_after_deadlock
def change_booking(  # noqa: PLR0913 — who does what to which booking, and when
    desk: RideDesk,
    who: Principal,
    side: Side,
    booking_id: uuid.UUID,
    event: BookingEvent,
    said: Said,
    *,
    now: dt.datetime,
    ride_id: uuid.UUID | None = None,
    also: Callable[[Connection], None] | None = None,
    told: Sequence[Telling] | None = None,
) -> Booking:
    """
    Let a rider or a driver act on a booking; whoever comes second finds what the first has done.

    `also` is done under the lock of the ride; what it raises undoes everything. `told` is who is
    told what instead of the usual.

    Raises
    ------
    BookingNotFound
        It is not a booking of whoever asks.
    BookingStateConflict
        It is in a state in which this cannot happen: said again, an act changes nothing.
    WrongCode, TooSoon
        The rider's code is another; it cannot have happened yet.
    """
    if event not in EVENTS[side]:
        raise NotAllowed(f"{event} is not for a {side}")
    with begin_in_trips(desk.engine) as connection:
        store = SqlRideStore(connection)
        before, driver_id = store.find_booking(booking_id)
        own = who.person_id == (before.rider_id if side is Side.RIDER else driver_id)
        if not own or ride_id not in (None, before.ride_id):
            raise BookingNotFound(f"you have no booking {booking_id}")
        in_time = before.until is not None and said.at < before.until
        spared = booking_id if in_time and event in TOLD_LATER else None
        (ride,) = lock(desk, connection, [before.ride_id], now, spared=spared).values()
        booking = ride.seated(booking_id) or store.find_booking(booking_id)[0]
        _check(booking, ride.ride, event, said, now)
        if also is not None:
            also(connection)
        after = ride.happen(booking, event, told=told)
        changed = save([ride])
    announce(desk, changed=changed)
    return after


def _check(
    booking: Booking, ride: StoredRide, event: BookingEvent, said: Said, now: dt.datetime
) -> None:
    if said.at > now:
        raise TooSoon("this is said to have happened in the future")
    if event is BookingEvent.BOARD and said.code != booking.code:
        raise WrongCode("this is not the code that the rider was given")
    if event is BookingEvent.NO_SHOW_RIDER:
        _check_after(_comes_by(booking, ride) + RIDER_LATE, said.at)
        if ride.state is not RideState.EN_ROUTE:
            raise TooSoon("the ride has not begun")
    if event is BookingEvent.NO_SHOW_DRIVER:
        _check_after(_comes_by(booking, ride) + DRIVER_LATE, said.at)
    if event is BookingEvent.COMPLAIN and now > booking.dropoff_by + COMPLAINT:
        raise BookingStateConflict(f"one may complain for {COMPLAINT.days} days")
    if event is BookingEvent.BOARD and said.at < booking.pickup_from - RIDER_LATE:
        raise TooSoon("the rider is not there before the pick-up")


def _comes_by(booking: Booking, ride: StoredRide) -> dt.datetime:
    """Until when the car comes, as late as it is by now."""
    later_s = max(ride.late_s - booking.quoted_late_s, 0)
    return booking.pickup_to + dt.timedelta(seconds=later_s)


def _check_after(earliest: dt.datetime, at: dt.datetime) -> None:
    if at < earliest:
        raise TooSoon(f"wait until {earliest.isoformat()}")


def resolve_complaint(
    desk: RideDesk, authority: Principal, booking_id: uuid.UUID, *, now: dt.datetime
) -> Booking:
    """The authority has looked at a complaint; raises as `change_booking`."""
    with begin_in_trips(desk.engine) as connection:
        store = SqlRideStore(connection)
        before, _ = store.find_booking(booking_id)
        (ride,) = lock(desk, connection, [before.ride_id], now).values()
        booking, _ = store.find_booking(booking_id)
        after = ride.happen(booking, BookingEvent.RESOLVE)
        record_act(connection, authority.user_id, "complaint_resolved", str(booking_id), {})
        save([ride])
    return after


def sweep(desk: RideDesk, *, now: dt.datetime) -> int:
    """
    End what nobody has answered in time, and rides of which nothing is heard.

    Rides that somebody works on at the moment are left to him.

    Any process may do this, and several at once. Returns how many rides have changed.
    """
    with desk.engine.connect() as connection:
        store = SqlRideStore(connection)
        due = store.list_due(now, DUE_AT_ONCE) + store.list_overdue(now, DUE_AT_ONCE)
    changed = 0
    for ride_id in due:
        try:
            changed += _sweep_one(desk, ride_id, now)
        except MobilityError as error:  # one ride must not keep the others waiting
            log.warning("ride not swept", ride=str(ride_id), reason=error.code)
    return changed


@again_after_deadlock
def _sweep_one(desk: RideDesk, ride_id: uuid.UUID, now: dt.datetime) -> bool:
    with begin_in_trips(desk.engine) as connection:
        stored = SqlRideStore(connection).lock_ride_if_free(ride_id)
        if stored is None:
            return False
        ride = LockedRide(desk, connection, stored, now)
        ride.expire_due()
        ride.end_overdue()
        changed = save([ride])
    announce(desk, changed=changed)
    return changed
