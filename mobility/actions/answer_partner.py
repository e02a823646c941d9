"""Our rider answers a driver of another operator, or leaves him."""

from __future__ import annotations

import datetime as dt
import uuid

from carpool.bookings import BookingStateConflict
from carpool.partner_bookings import Kind, Status, check_step
from mobility.db.engine import Engine
from mobility.db.operators import tell_partner_of_answer
from mobility.db.partners import PartnerBooking, get_of_rider, set_said
from mobility.users.scopes import Principal


def answer_partner(
    engine: Engine, rider: Principal, booking_id: uuid.UUID, status: Status, *, now: dt.datetime
) -> PartnerBooking:
    """
    Confirm or cancel a ride with another operator's driver; that operator learns of it.

    Raises
    ------
    PartnerBookingNotFound
        It is not a booking of whoever asks.
    StatusAlreadySet, BookingStateConflict
        It has this status, cannot get it any more, or is the other operator's to change.
    """
    assert status in (Status.CONFIRMED, Status.CANCELLED)
    with engine.begin() as connection:
        found = get_of_rider(connection, rider.person_id, booking_id)
        if found.kind is not Kind.ASKED:
            raise BookingStateConflict("this ride was booked with its operator: change it there")
        check_step(found.status, status)
        set_said(connection, found.id, status, now)
        tell_partner_of_answer(connection, found.id, status, now)
        return get_of_rider(connection, rider.person_id, booking_id)
