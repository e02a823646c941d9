"""Elevators out of service, in PostgreSQL, on one connection; whoever opened it commits."""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from mobility.db.changes import record_change
from mobility.db.schema import elevator_outage

ELEVATOR_CHANGED = "elevator"


@dataclass(frozen=True, slots=True)
class Outage:
    """An elevator that does not run."""

    elevator_id: str
    since_at: dt.datetime


def list_outages(connection: sa.Connection) -> list[Outage]:
    """All elevators out of service, by id."""
    rows = connection.execute(
        sa.select(elevator_outage).order_by(elevator_outage.c.elevator_id)
    ).mappings()
    return [Outage(row["elevator_id"], row["since_at"]) for row in rows]


def take_out(connection: sa.Connection, elevator_id: str) -> int:
    """Put an elevator out of service, if it is not yet; returns the revision of the change."""
    connection.execute(
        pg.insert(elevator_outage)
        .values(elevator_id=elevator_id, since_at=dt.datetime.now(dt.UTC))
        .on_conflict_do_nothing()
    )
    return record_change(connection, ELEVATOR_CHANGED, _subject(elevator_id))


def bring_back(connection: sa.Connection, elevator_id: str) -> int:
    """Put an elevator into service again, if it was out; returns the revision of the change."""
    connection.execute(elevator_outage.delete().where(elevator_outage.c.elevator_id == elevator_id))
    return record_change(connection, ELEVATOR_CHANGED, _subject(elevator_id))


def _subject(elevator_id: str) -> uuid.UUID:
    """Ids of elevators are a feed's own text; the change feed wants a UUID."""
    return uuid.uuid5(uuid.NAMESPACE_URL, f"elevator:{elevator_id}")
