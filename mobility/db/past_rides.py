"""
Bookings and rides that are forgotten, with all that was told of them; on one connection.

Each function takes up so many rows and returns how many that were; what somebody else works on at
the moment is left for the next time.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from carpool.bookings import BookingState
from carpool.retention import UNFINISHED, Cut
from mobility.db.chances import keep_seats
from mobility.db.notices import RIDE_COMPLETED
from mobility.db.ratings import keep_stars
from mobility.db.schema import (
    booking,
    engagement,
    journey,
    notice,
    offer,
    outbox,
    partner_booking,
    partner_event,
    ride,
    series,
    series_date,
)
from mobility.db.sent_rows import among

FORGET_LOCK = 7_305_009
"""Key of the advisory lock of whoever is forgetting; beside `changes.CHANGE_LOCK`."""


def is_own_turn(connection: sa.Connection) -> bool:
    """Whether nobody else is forgetting; nobody will be until the commit."""
    mine = connection.execute(sa.select(sa.func.pg_try_advisory_xact_lock(FORGET_LOCK)))
    return bool(mine.scalar_one())


def forget_bookings(connection: sa.Connection, past: Cut, most: int) -> int:
    """
    Forget bookings whose pick-up was long ago, of so many rides.

    Kept are those that are unfinished, of which a complaint was looked at lately, and whose rides
    are still to be billed. Stars and how seats ended are counted first: of whom, not by whom nor of
    what.
    """
    over = _over(past)
    due = sa.select(booking.c.ride_id).where(over).limit(most)
    ride_ids = taken(connection, ride, ride.c.id.in_(due), most)
    found = connection.execute(
        sa.select(booking.c.id, booking.c.together_id, booking.c.rider_id, offer.c.driver_id)
        .select_from(booking.join(ride).join(offer))
        .where(among(booking.c.ride_id, ride_ids), over)
    ).all()
    ids = [row.id for row in found]
    keep_stars(connection, ids)
    keep_seats(connection, ids)
    people = {row.rider_id for row in found} | {row.driver_id for row in found}
    told_of = notice.c.content["booking_id"].astext
    own = [among(notice.c.person_id, people), told_of == sa.any_(_as_texts(ids))]
    connection.execute(notice.delete().where(*own))
    connection.execute(outbox.delete().where(among(outbox.c.booking_id, ids)))
    _forget_partner_bookings(connection, among(partner_booking.c.booking_id, ids))
    connection.execute(booking.delete().where(among(booking.c.id, ids)))
    _forget_rides(connection, ride_ids)
    left = sa.exists().where(booking.c.together_id == journey.c.id)
    journeys = {row.together_id for row in found}
    connection.execute(journey.delete().where(among(journey.c.id, journeys), ~left))
    return len(ids)


def forget_unbooked(connection: sa.Connection, before: dt.date, most: int) -> int:
    """Forget rides of dates before one on which nobody has a booking, or not any more."""
    booked = sa.exists().where(booking.c.ride_id == ride.c.id)
    ids = taken(connection, ride, sa.and_(ride.c.date < before, ~booked), most)
    return _forget_rides(connection, ids)


def forget_series(connection: sa.Connection, before: dt.date, most: int) -> int:
    """Forget series that began before a date, and which bookings were of them."""
    begun = sa.select(series_date.c.series_id).where(series_date.c.date < before)
    ids = taken(connection, series, series.c.id.in_(begun), most)
    connection.execute(series_date.delete().where(among(series_date.c.series_id, ids)))
    return connection.execute(series.delete().where(among(series.c.id, ids))).rowcount


def forget_outside(connection: sa.Connection, before: dt.datetime, most: int) -> int:
    """Forget for which rides with other operators' drivers our riders were picked up before."""
    # As JSON: whatever another operator has sent instead of a number compares, and sorts below.
    pickup_s = partner_booking.c.content["passengerPickupDate"]
    moment = sa.cast(sa.func.to_jsonb(int(before.timestamp())), pg.JSONB)
    past = sa.and_(partner_booking.c.booking_id.is_(None), pickup_s < moment)
    ids = taken(connection, partner_booking, past, most)
    return _forget_partner_bookings(connection, among(partner_booking.c.id, ids))


def forget_notices(connection: sa.Connection, before: dt.datetime, most: int) -> int:
    """Forget what people were told before a moment, whether they have read it or not."""
    ids = taken(connection, notice, notice.c.at < before, most)
    return connection.execute(notice.delete().where(among(notice.c.id, ids))).rowcount


def taken(
    connection: sa.Connection, table: sa.Table, which: sa.ColumnElement[bool], most: int
) -> list[Any]:
    """Ids of some rows, locked until the commit, but for those that somebody else has locked."""
    query = sa.select(table.c.id).where(which).order_by(table.c.id).limit(most)
    return list(connection.execute(query.with_for_update(skip_locked=True)).scalars())


def _over(past: Cut) -> sa.ColumnElement[bool]:
    unbilled = sa.exists().where(
        outbox.c.booking_id == booking.c.id,
        outbox.c.kind == RIDE_COMPLETED,
        outbox.c.billed_at.is_(None),
    )
    unfinished = booking.c.state.in_(sorted(UNFINISHED))
    lately = sa.and_(
        booking.c.state == BookingState.RESOLVED, booking.c.changed_at >= past.resolved_at
    )
    return sa.and_(booking.c.pickup_from < past.at, ~unfinished, ~lately, ~unbilled)


def _forget_rides(connection: sa.Connection, ids: Collection[Any]) -> int:
    """Forget those of some rides, which are locked, that have no bookings."""
    booked = sa.exists().where(booking.c.ride_id == ride.c.id)
    empty = sa.select(ride.c.id).where(among(ride.c.id, ids), ~booked)
    connection.execute(engagement.delete().where(engagement.c.ride_id.in_(empty)))
    return connection.execute(ride.delete().where(ride.c.id.in_(empty))).rowcount


def _forget_partner_bookings(connection: sa.Connection, which: sa.ColumnElement[bool]) -> int:
    own = sa.select(partner_booking.c.id).where(which)
    connection.execute(partner_event.delete().where(partner_event.c.partner_booking_id.in_(own)))
    return connection.execute(partner_booking.delete().where(which)).rowcount


def _as_texts(ids: Collection[Any]) -> sa.BindParameter[Any]:
    return sa.literal([str(each) for each in ids], pg.ARRAY(sa.Text))
