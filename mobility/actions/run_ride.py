"""A driver on the day: he starts, is late, breaks down, cancels, arrives."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable

from carpool.bookings import (
    BEFORE_CONFIRMED,
    PICKUP_WINDOW,
    RIDER_LATE,
    BookingEvent,
    BookingState,
    BookingStateConflict,
    RideState,
)
from carpool.ports import StoredRide
from core.errors import InvalidInput
from mobility.actions.change_booking import TooSoon
from mobility.actions.ride_desk import LockedRide, RideDesk, announce, lock, save
from mobility.db.engine import again_after_deadlock
from mobility.db.rides import SqlRideStore
from mobility.users.scopes import Principal

LATE_LIMIT_S = 3 * 3600
START_BEFORE = dt.timedelta(hours=1)
"""How long before the first pick-up a driver may leave."""
TOLD_FROM_S = 120
"""Riders are told of a delay from so much on."""


def start_ride(
    desk: RideDesk, driver: Principal, ride_id: uuid.UUID, *, now: dt.datetime
) -> StoredRide:
    """The driver leaves: nobody books any more; raises `RideNotFound`, `BookingStateConflict`."""

    def start(ride: LockedRide) -> None:
        _require(ride, RideState.SCHEDULED)
        if ride.ride.plan and now < ride.ride.plan[0].at - START_BEFORE:
            raise TooSoon(f"wait until {(ride.ride.plan[0].at - START_BEFORE).isoformat()}")
        for booking in ride.ride.bookings:
            if booking.state in {BookingState.HELD, BookingState.PENDING_DRIVER}:
                ride.happen(booking, BookingEvent.CANCEL_DRIVER)
        if not ride.ride.bookings:
            raise BookingStateConflict("nobody rides along: there is nothing to start")
        ride.put(state=RideState.EN_ROUTE)

    return _with_ride(desk, driver, ride_id, start, now)


def end_ride(
    desk: RideDesk, driver: Principal, ride_id: uuid.UUID, *, now: dt.datetime
) -> StoredRide:
    """
    The driver has arrived: whoever is aboard was driven to where he wanted to go.

    Raises
    ------
    RideNotFound, BookingStateConflict
        It is not his, not under way, or of some rider it is not said whether he came.
    """

    def end(ride: LockedRide) -> None:
        _require(ride, RideState.EN_ROUTE, RideState.COMPLETED)
        for booking in ride.ride.bookings:
            if booking.state is not BookingState.BOARDED:
                raise BookingStateConflict(
                    f"booking {booking.id} is {booking.state}: say whether its rider came"
                )
            ride.happen(booking, BookingEvent.COMPLETE)
        ride.put(state=RideState.COMPLETED)

    return _with_ride(desk, driver, ride_id, end, now)


def cancel_ride(
    desk: RideDesk, driver: Principal, ride_id: uuid.UUID, *, now: dt.datetime
) -> StoredRide:
    """The driver does not drive, or breaks down: all riders are told and owe nothing."""

    def cancel(ride: LockedRide) -> None:
        _require(ride, RideState.SCHEDULED, RideState.EN_ROUTE)
        aborted = ride.ride.state is RideState.EN_ROUTE
        for booking in ride.ride.bookings:
            ride.happen(booking, BookingEvent.CANCEL_DRIVER)
        ride.put(state=RideState.ABORTED if aborted else RideState.CANCELLED)

    return _with_ride(desk, driver, ride_id, cancel, now)


def be_late(
    desk: RideDesk, driver: Principal, ride_id: uuid.UUID, late_s: int, *, now: dt.datetime
) -> StoredRide:
    """
    The driver will be later than planned by so much; 0 if he is on time after all.

    Riders whose promise this breaks, be it the pick-up or what they must catch afterwards, are
    asked: until the car comes they may stay, or leave and owe nothing. Others are told.
    """
    if not 0 <= late_s <= LATE_LIMIT_S:
        raise InvalidInput(f"late_s: 0 to {LATE_LIMIT_S}")

    def delay(ride: LockedRide) -> None:
        _require(ride, RideState.SCHEDULED, RideState.EN_ROUTE)
        if not ride.ride.bookings:
            raise BookingStateConflict("nobody rides along")
        late = dt.timedelta(seconds=late_s)
        planned = {(visit.booking, visit.is_pickup): visit.at for visit in ride.ride.plan}
        ride.put(late_s=late_s)
        for booking in ride.ride.bookings:
            pickup_at = planned[booking.id, True] + late
            broken = planned[booking.id, False] + late > booking.dropoff_by
            if booking.state is not BookingState.BOARDED:
                broken |= pickup_at > booking.pickup_to
            if booking.state in {BookingState.CONFIRMED, BookingState.CHANGE_PROPOSED} and broken:
                until = max(pickup_at, now) + PICKUP_WINDOW + RIDER_LATE
                ride.happen(booking, BookingEvent.PROPOSE_CHANGE, until=until)
            elif booking.state in BEFORE_CONFIRMED and broken:
                ride.happen(booking, BookingEvent.CANCEL_DRIVER)
            elif late_s >= TOLD_FROM_S:
                ride.tell_rider(booking, "ride_late", late_s=late_s, breaks_promise=broken)

    return _with_ride(desk, driver, ride_id, delay, now)


@again_after_deadlock
def _with_ride(
    desk: RideDesk,
    driver: Principal,
    ride_id: uuid.UUID,
    act: Callable[[LockedRide], None],
    now: dt.datetime,
) -> StoredRide:
    with desk.engine.begin() as connection:
        store = SqlRideStore(connection)
        store.get_driven(driver.person_id, ride_id)
        (ride,) = lock(desk, connection, [ride_id], now).values()
        act(ride)
        revision = save([ride])
    announce(desk, revision)
    return ride.ride


def _require(ride: LockedRide, *states: RideState) -> None:
    if ride.ride.state not in states:
        raise BookingStateConflict(f"the ride is {ride.ride.state}")
