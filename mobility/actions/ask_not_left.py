"""Rides that should have left: the driver is asked, riders are warned, then they may leave."""

from __future__ import annotations

import datetime as dt
import uuid

import structlog

from carpool.bookings import BEFORE_CONFIRMED, BookingState, RideState
from carpool.tracking import SEEN_HOLDS
from core.errors import MobilityError
from mobility.actions.change_booking import DUE_AT_ONCE
from mobility.actions.ride_desk import LockedRide, RideDesk, announce, plan_b_path, save
from mobility.actions.run_ride import LATE_LIMIT_S, delay_riders
from mobility.db.engine import again_after_deadlock, begin_in_trips
from mobility.db.rides import SqlRideStore

log = structlog.get_logger()
EVERY = dt.timedelta(minutes=5)
"""After the departure the driver is asked; one later riders are warned; one later he is late."""
WARNED, LATE = 2, 3
NOT_LEFT = "ride_not_left"


def ask_not_left(desk: RideDesk, *, now: dt.datetime) -> int:
    """
    Look for rides that have not left, by what their drivers say and their phones tell.

    Five minutes after the departure the driver is asked. Ten after, riders are warned, with their
    plan B. From fifteen on the ride is late by as much: whose promise that breaks may leave and
    owes nothing. Any process may do this, and several at once. Returns how many rides it concerned.
    """
    with desk.engine.connect() as connection:
        due = SqlRideStore(connection).list_not_left(now, EVERY, DUE_AT_ONCE)
    count = 0
    for ride_id in due:
        try:
            count += _ask(desk, ride_id, now)
        except MobilityError as error:  # one ride must not keep the others waiting
            log.warning("ride not asked about", ride=str(ride_id), reason=error.code)
    return count


@again_after_deadlock
def _ask(desk: RideDesk, ride_id: uuid.UUID, now: dt.datetime) -> bool:
    with begin_in_trips(desk.engine) as connection:
        store = SqlRideStore(connection)
        stored = store.lock_ride_if_free(ride_id)
        leaves_at = None if stored is None else store.departure_of(ride_id, stored.driver_id)
        if stored is None or leaves_at is None or stored.state is not RideState.SCHEDULED:
            return False
        leaves_at += dt.timedelta(seconds=stored.said_late_s)
        times = int((now - leaves_at) / EVERY)
        if times <= stored.asked:
            return False
        ride = LockedRide(desk, connection, stored, now)
        ride.put(asked=times)
        if not _drives(ride, now):
            _tell(ride, times, int((now - leaves_at).total_seconds()), now)
        changed = save([ride])
    announce(desk, changed=changed)
    return True


def _drives(ride: LockedRide, now: dt.datetime) -> bool:
    """Whether his phone shows that he has left, though he has not said so."""
    seen_at, late_s = ride.ride.seen_at, ride.ride.seen_late_s
    fresh = seen_at is not None and now - seen_at <= SEEN_HOLDS
    boarded = any(b.state is BookingState.BOARDED for b in ride.ride.bookings)
    return boarded or (fresh and late_s is not None and late_s < EVERY.total_seconds())


def _tell(ride: LockedRide, times: int, since_s: int, now: dt.datetime) -> None:
    if times < LATE:
        ride.tell_driver(NOT_LEFT, since_s=since_s)
    if times == WARNED:
        for booking in ride.ride.bookings:
            if booking.state not in BEFORE_CONFIRMED:
                path = plan_b_path(booking)
                ride.tell_rider(booking, NOT_LEFT, since_s=since_s, plan_b=path)
    if times >= LATE:
        late_s = min(since_s + ride.ride.said_late_s, LATE_LIMIT_S)
        ride.put(seen_late_s=max(late_s, ride.ride.seen_late_s or 0), seen_at=now)
        delay_riders(ride, now)
