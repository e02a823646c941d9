"""How the booked rides of drivers have ended, from PostgreSQL."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Collection
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from carpool.bookings import BookingState
from carpool.chances import LATE_CANCEL, LOOK_BACK, Chance, chance_of
from core.ids import OfferId
from mobility.db.schema import booking, offer, past_seats, ride
from mobility.db.sent_rows import among

RAN = (BookingState.COMPLETED, BookingState.NO_SHOW_RIDER)


def list_chances(connection: sa.Connection, now: dt.datetime) -> dict[OfferId, Chance]:
    """Chances by offer, of drivers of whom there is something to say."""
    since = _since(now)
    seats = sa.union_all(
        _ended_seats().where(booking.c.pickup_from >= since),
        sa.select(past_seats).where(past_seats.c.date >= since.date()),
    ).subquery()
    ran, broken = sa.func.sum(seats.c.ran_count), sa.func.sum(seats.c.broken_count)
    of_driver = (
        sa.select(seats.c.driver_id, ran.label("ran"), broken.label("broken"))
        .group_by(seats.c.driver_id)
        .subquery()
    )
    query = sa.select(offer.c.id, of_driver.c.ran, of_driver.c.broken).join(
        of_driver, of_driver.c.driver_id == offer.c.driver_id
    )
    known = (
        (OfferId(str(offer_id)), chance_of(int(ran), int(broken)))
        for offer_id, ran, broken in connection.execute(query)
    )
    return {offer_id: chance for offer_id, chance in known if chance is not Chance.NEW}


def keep_seats(connection: sa.Connection, booking_ids: Collection[uuid.UUID]) -> None:
    """Count how the seats of bookings ended that are about to be forgotten, by driver and date."""
    ended = _ended_seats().where(among(booking.c.id, booking_ids)).subquery()
    counted = (
        sa.select(ended).where(ended.c.ran_count + ended.c.broken_count > 0).order_by(*ended.c[:2])
    )
    insert = pg.insert(past_seats).from_select(list(ended.c.keys()), counted)
    connection.execute(
        insert.on_conflict_do_update(
            constraint=past_seats.primary_key,
            set_={
                name: past_seats.c[name] + insert.excluded[name]
                for name in ("ran_count", "broken_count")
            },
        )
    )


def forget_seats(connection: sa.Connection, now: dt.datetime) -> int:
    """Forget how seats ended that say no more whether a driver comes; returns how many days'."""
    return connection.execute(
        past_seats.delete().where(past_seats.c.date < _since(now).date())
    ).rowcount


def _since(now: dt.datetime) -> dt.datetime:
    """From when on seats count: whole days, as no time is kept of those that are forgotten."""
    return dt.datetime.combine((now - LOOK_BACK).date(), dt.time(), dt.UTC)


def _ended_seats() -> sa.Select[Any]:
    """Seats that were driven, and those left without a car, by driver and date of the pick-up."""
    called_off = sa.and_(
        booking.c.state == BookingState.CANCELLED_DRIVER,
        booking.c.changed_at > booking.c.pickup_from - LATE_CANCEL,
    )
    broken = sa.or_(booking.c.state == BookingState.NO_SHOW_DRIVER, called_off)
    date = sa.cast(sa.func.timezone("UTC", booking.c.pickup_from), sa.Date).label("date")
    return (
        sa.select(
            offer.c.driver_id,
            date,
            sa.func.count().filter(booking.c.state.in_(RAN)).label("ran_count"),
            sa.func.count().filter(broken).label("broken_count"),
        )
        .select_from(booking.join(ride).join(offer))
        .group_by(offer.c.driver_id, date)
    )
