"""How the booked rides of drivers have ended, from PostgreSQL."""

from __future__ import annotations

import datetime as dt

import sqlalchemy as sa

from carpool.bookings import BookingState
from carpool.chances import LATE_CANCEL, LOOK_BACK, Chance, chance_of
from core.ids import OfferId
from mobility.db.schema import booking, offer, ride

RAN = (BookingState.COMPLETED, BookingState.NO_SHOW_RIDER)


def list_chances(connection: sa.Connection, now: dt.datetime) -> dict[OfferId, Chance]:
    """Chances by offer, of drivers of whom there is something to say."""
    called_off = sa.and_(
        booking.c.state == BookingState.CANCELLED_DRIVER,
        booking.c.changed_at > booking.c.pickup_from - LATE_CANCEL,
    )
    broken = sa.or_(booking.c.state == BookingState.NO_SHOW_DRIVER, called_off)
    of_driver = (
        sa.select(
            offer.c.driver_id,
            sa.func.count().filter(booking.c.state.in_(RAN)).label("ran"),
            sa.func.count().filter(broken).label("broken"),
        )
        .select_from(booking.join(ride).join(offer))
        .where(booking.c.pickup_from > now - LOOK_BACK)
        .group_by(offer.c.driver_id)
        .subquery()
    )
    query = sa.select(offer.c.id, of_driver.c.ran, of_driver.c.broken).join(
        of_driver, of_driver.c.driver_id == offer.c.driver_id
    )
    known = (
        (OfferId(str(offer_id)), chance_of(ran, broken))
        for offer_id, ran, broken in connection.execute(query)
    )
    return {offer_id: chance for offer_id, chance in known if chance is not Chance.NEW}
