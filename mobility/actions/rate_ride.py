"""Rider and driver rate each other once a ride is over; neither sees what the other says first."""

from __future__ import annotations

import datetime as dt
import uuid

from carpool.ratings import check_ratable
from mobility.actions.change_booking import Side
from mobility.db.changes import lock_changes
from mobility.db.engine import Engine
from mobility.db.notices import tell
from mobility.db.ratings import Rating, add_rating
from mobility.db.rides import BookingNotFound, SqlRideStore
from mobility.users.scopes import Principal

RATINGS_SHOWN = "ratings_shown"


def rate_ride(
    engine: Engine,
    who: Principal,
    side: Side,
    booking_id: uuid.UUID,
    stars: int,
    comment: str,
    *,
    now: dt.datetime,
    ride_id: uuid.UUID | None = None,
) -> None:
    """
    Rate the other one of a booking; both are told once both have.

    Raises
    ------
    BookingNotFound
        It is not a booking of whoever asks.
    BookingStateConflict, AlreadyRated
        The ride is not over, it is over for too long, or it was rated.
    """
    with engine.begin() as connection:
        booking, driver_id = SqlRideStore(connection).find_booking(booking_id)
        own_id, rated_id = booking.rider_id, driver_id
        if side is Side.DRIVER:
            own_id, rated_id = rated_id, own_id
        if own_id != who.person_id or ride_id not in (None, booking.ride_id):
            raise BookingNotFound(f"you have no booking {booking_id}")
        check_ratable(booking, now)
        given = Rating(booking_id, side, stars, comment, now)
        if add_rating(connection, given, rated_id):
            lock_changes(connection)
            for person_id in (own_id, rated_id):
                tell(connection, person_id, RATINGS_SHOWN, {"booking_id": str(booking_id)}, now)
