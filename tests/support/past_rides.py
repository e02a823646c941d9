"""Rides of tests that are over, and how long ago they were."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa

from carpool.bookings import Booking, BookingEvent
from carpool.offers import offer_as_json
from mobility.actions.bill_rides import bill_rides
from mobility.actions.change_booking import Side
from mobility.actions.run_ride import start_ride
from mobility.db.engine import Engine
from mobility.db.fare_schema import fare_leg
from mobility.db.past_rides import FORGET_LOCK
from mobility.db.schema import booking, change, metadata, notice, offer, outbox, ride
from mobility.users.scopes import Principal
from mobility.world import World
from tests.support.booked import wait_until
from tests.support.bookings import Booth, Driven, first_pair, now

Rows = list[tuple[str, dict[str, str]]]
"""Of all tables: a table's name, and what is in a row by column."""


@contextmanager
def nobody_forgets(engine: Engine) -> Iterator[None]:
    """Let the server's upkeep leave alone what a test makes old, until it has looked at it."""
    with engine.connect() as connection:
        connection.execute(sa.select(sa.func.pg_advisory_lock(FORGET_LOCK)))
        try:
            yield
        finally:
            connection.execute(sa.select(sa.func.pg_advisory_unlock(FORGET_LOCK)))


def wait_for_turn(connection: sa.Connection) -> bool:
    """Forget after whoever does so at the moment, not at another time."""
    connection.execute(sa.select(sa.func.pg_advisory_xact_lock(FORGET_LOCK)))
    return True


def ride_along(booth: Booth, driven: Driven, rider: Principal) -> Booking:
    """Book the first ride of an offer, and ride it to its end."""
    (booked,) = booth.book(rider, booth.quote(driven, *first_pair(driven)))
    at = booked.pickup_from
    start_ride(booth.desk, driven.driver, booked.ride_id, now=at)
    booth.act(driven.driver, Side.DRIVER, booked.id, BookingEvent.BOARD, at=at, code=booked.code)
    over = booked.dropoff_by
    booth.act(driven.driver, Side.DRIVER, booked.id, BookingEvent.COMPLETE, at=over)
    found: Booking = booked
    return found


def bill(booth: Booth, booked: Booking) -> None:
    """Make legs of rides that are over, unless the server's upkeep does so just now."""
    bill_rides(booth.desk.engine, World(booth.desk.snapshot), now=now())
    wait_until(lambda: count_of(booth.desk.engine, fare_leg, [f"booking:{booked.id}:0"]) == 1)


def make_old(booth: Booth, driven: Driven, booked: Booking, ago: dt.timedelta) -> None:
    """Let a booking, its ride, its offer and whatever was told have been so long ago."""
    by = booked.pickup_from - (now() - ago)
    content = offer_as_json(driven.offer) | {
        name: (driven.date - by).isoformat() for name in ("valid_from", "valid_to")
    }
    own = outbox.c.booking_id == booked.id
    told = notice.c.content["booking_id"].astext == str(booked.id)
    legs = fare_leg.c.id.startswith(f"booking:{booked.id}:")
    moved = [
        (booking, booking.c.id == booked.id,
         ("pickup_from", "pickup_to", "dropoff_by", "created_at", "changed_at")),
        (notice, told, ("at",)), (outbox, own, ("at", "billed_at")),
        (fare_leg, legs, ("board_at",)),
    ]  # fmt: skip
    with booth.desk.engine.begin() as connection:
        for table, which, names in moved:
            values = {name: table.c[name] - by for name in names}
            connection.execute(table.update().where(which).values(values))
        date = {"date": driven.date - by}
        connection.execute(ride.update().where(ride.c.id == booked.ride_id).values(date))
        make_changes_old(connection, driven.offer.id, ago)
        of_offer = offer.c.id == uuid.UUID(driven.offer.id)
        connection.execute(offer.update().where(of_offer).values(content=content))


def make_changes_old(connection: sa.Connection, subject_id: object, ago: dt.timedelta) -> None:
    """Let an offer or a wish have been changed long ago."""
    own = change.c.subject_id == uuid.UUID(str(subject_id))
    connection.execute(change.update().where(own).values(at=now() - ago))


def all_rows(engine: Engine) -> Rows:
    """Every row of every table, but for what is not set."""
    with engine.connect() as connection:
        return [
            (table.name, {name: str(value) for name, value in row.items() if value is not None})
            for table in metadata.tables.values()
            for row in connection.execute(sa.select(table)).mappings()
        ]


def naming(rows: Rows, *ids: object) -> Rows:
    """Those rows in which one of some ids stands, wherever that is."""
    told = [str(each) for each in ids]
    return [row for row in rows if any(each in text for text in row[1].values() for each in told)]


def count_of(engine: Engine, table: sa.Table, ids: Collection[Any]) -> int:
    """How many rows of some ids there are."""
    query = sa.select(sa.func.count()).where(table.c.id.in_(list(ids)))
    with engine.connect() as connection:
        return int(connection.execute(query).scalar_one())
