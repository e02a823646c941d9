"""A driver on the day: he starts, is late, breaks down, cancels, arrives."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable, Mapping

from carpool.bookings import (
    BEFORE_CONFIRMED,
    PICKUP_WINDOW,
    RIDER_LATE,
    Booking,
    BookingEvent,
    BookingState,
    BookingStateConflict,
    RideState,
)
from carpool.ports import StoredRide
from carpool.tracking import late_in_force_s
from core.errors import InvalidInput
from core.time import to_instant
from mobility.actions.change_booking import TooSoon
from mobility.actions.ride_desk import LockedRide, RideDesk, announce, lock, plan_b_path, save
from mobility.db.engine import again_after_deadlock, begin_in_trips
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
    """
    The driver leaves: whoever he has not accepted is let go.

    Raises
    ------
    RideNotFound, BookingStateConflict
        It is not his, not about to leave, or nobody rides along.
    """

    def start(ride: LockedRide) -> None:
        _require(ride, RideState.SCHEDULED)
        if ride.ride.plan and now < ride.ride.plan[0].at - START_BEFORE:
            raise TooSoon(f"wait until {(ride.ride.plan[0].at - START_BEFORE).isoformat()}")
        for booking in ride.ride.bookings:
            if booking.state in BEFORE_CONFIRMED:
                ride.happen(booking, BookingEvent.CANCEL_DRIVER)
        if not ride.ride.bookings:
            raise BookingStateConflict("nobody rides along: there is nothing to start")
        ride.leave()

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
            if booking.state in BEFORE_CONFIRMED:
                ride.happen(booking, BookingEvent.CANCEL_DRIVER)
                continue
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
    The driver says that he will be later than planned by so much; 0 if he is on time after all.

    What his phone measures may say otherwise: `late_in_force_s` tells which of both counts.
    """
    if not 0 <= late_s <= LATE_LIMIT_S:
        raise InvalidInput(f"late_s: 0 to {LATE_LIMIT_S}")

    def delay(ride: LockedRide) -> None:
        _require(ride, RideState.SCHEDULED, RideState.EN_ROUTE)
        if not ride.ride.bookings:
            raise BookingStateConflict("nobody rides along")
        ride.put(said_late_s=late_s, said_at=now)
        delay_riders(ride, now)

    return _with_ride(desk, driver, ride_id, delay, now)


def delay_riders(
    ride: LockedRide, now: dt.datetime, measured: Mapping[tuple[uuid.UUID, bool], int] | None = None
) -> None:
    """
    Let a ride be as late as it is by what was said and measured.

    Riders whose promise this breaks, be it the pick-up or what they must catch afterwards, are
    asked: until the car comes they may stay, or leave and owe nothing. Others are told. Each hears
    of it once, until it is two minutes more or less, or breaks what it did not before.

    Parameters
    ----------
    measured
        When the car was or will be at each visit, epoch seconds, if its phone has just told:
        where it waits on the way it makes up for a delay.
    """
    late_s = min(late_in_force_s(ride.ride, now), LATE_LIMIT_S)
    ride.put(late_s=late_s)
    planned = {(visit.booking, visit.is_pickup): visit.at for visit in ride.ride.plan}
    expected = {visit: at + dt.timedelta(seconds=late_s) for visit, at in planned.items()}
    for booking in ride.ride.bookings:  # it waits for whoever was quoted a longer delay
        expected[booking.id, True] = max(expected[booking.id, True], booking.pickup_from)
    if measured is not None and late_s == ride.ride.seen_late_s:
        expected |= {v: to_instant(at_s) for v, at_s in measured.items() if v in planned}
    for booking in ride.ride.bookings:
        _delay_rider(ride, booking, planned, expected, now)


def _delay_rider(
    ride: LockedRide,
    booking: Booking,
    planned: Mapping[tuple[uuid.UUID, bool], dt.datetime],
    expected: Mapping[tuple[uuid.UUID, bool], dt.datetime],
    now: dt.datetime,
) -> None:
    boarded = booking.state is BookingState.BOARDED
    pickup, dropoff = (booking.id, True), (booking.id, False)
    following = dropoff if boarded else pickup
    own_s = max(int((expected[following] - planned[following]).total_seconds()), 0)

    def breaks(at: Mapping[tuple[uuid.UUID, bool], dt.datetime]) -> bool:
        return at[dropoff] > booking.dropoff_by or (not boarded and at[pickup] > booking.pickup_to)

    told = dt.timedelta(seconds=booking.told_late_s)
    as_told = {visit: planned[visit] + told for visit in (pickup, dropoff)}
    broken = breaks(expected)
    if booking.state in BEFORE_CONFIRMED:
        if broken:
            ride.happen(booking, BookingEvent.CANCEL_DRIVER)
        return
    if abs(own_s - booking.told_late_s) < TOLD_FROM_S and (breaks(as_told) or not broken):
        return
    later = own_s > booking.told_late_s
    booking = ride.tell_late(booking, own_s)
    if broken and later and not boarded:
        until = max(expected[pickup], now) + PICKUP_WINDOW + RIDER_LATE
        ride.happen(booking, BookingEvent.PROPOSE_CHANGE, until=until)
        return
    ride.tell_rider(
        booking, "ride_late", late_s=own_s, breaks_promise=broken,
        pickup_at=expected[pickup].isoformat(), dropoff_at=expected[dropoff].isoformat(),
        plan_b=plan_b_path(booking) if broken else None,
    )  # fmt: skip


@again_after_deadlock
def _with_ride(
    desk: RideDesk,
    driver: Principal,
    ride_id: uuid.UUID,
    act: Callable[[LockedRide], None],
    now: dt.datetime,
) -> StoredRide:
    with begin_in_trips(desk.engine) as connection:
        store = SqlRideStore(connection)
        store.get_driven(driver.person_id, ride_id)
        (ride,) = lock(desk, connection, [ride_id], now).values()
        act(ride)
        changed = save([ride])
    announce(desk, changed=changed)
    return ride.ride


def _require(ride: LockedRide, *states: RideState) -> None:
    if ride.ride.state not in states:
        raise BookingStateConflict(f"the ride is {ride.ride.state}")
