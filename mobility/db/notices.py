"""What people are told, and what other parts of the platform are; on one connection."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from mobility.db.engine import LATER
from mobility.db.schema import notice, outbox

BOOKING_CONFIRMED, RIDE_COMPLETED = "booking_confirmed", "ride_completed"
"""Events that other parts of the platform take from the outbox."""


@dataclass(frozen=True, slots=True)
class Notice:
    """Something that a person is told."""

    id: int
    kind: str
    content: Mapping[str, Any]
    at: dt.datetime
    read_at: dt.datetime | None


def tell(
    connection: sa.Connection,
    person_id: uuid.UUID,
    kind: str,
    content: Mapping[str, Any],
    now: dt.datetime,
) -> None:
    """Tell a person something, in the same transaction as what has happened."""
    connection.execute(
        notice.insert()
        .inline()
        .values(person_id=person_id, kind=kind, content=dict(content), at=now),
        execution_options=LATER,
    )


def was_told(
    connection: sa.Connection, person_id: uuid.UUID, kind: str, *, since: dt.datetime
) -> bool:
    """Whether a person was told anything of a kind since a moment."""
    query = sa.select(notice.c.id).where(
        notice.c.person_id == person_id, notice.c.kind == kind, notice.c.at >= since
    )
    return connection.execute(query.limit(1)).scalar() is not None


def list_notices(
    connection: sa.Connection,
    person_id: uuid.UUID,
    *,
    after: int,
    count: int,
    newest: bool = False,
) -> list[Notice]:
    """What a person was told, in order, from behind one of these on; or the last of it first."""
    query = (
        sa.select(notice)
        .where(notice.c.person_id == person_id, notice.c.id > after)
        .order_by(notice.c.id.desc() if newest else notice.c.id)
        .limit(count)
    )
    names = Notice.__dataclass_fields__
    return [
        Notice(**{name: row[name] for name in names})
        for row in connection.execute(query).mappings()
    ]


def mark_read(
    connection: sa.Connection, person_id: uuid.UUID, until: int, now: dt.datetime
) -> None:
    """Note that a person has read what he was told up to one of these."""
    connection.execute(
        notice.update()
        .where(notice.c.person_id == person_id, notice.c.id <= until, notice.c.read_at.is_(None))
        .values(read_at=now)
    )


def list_events(
    connection: sa.Connection, booking_id: uuid.UUID
) -> list[tuple[str, Mapping[str, Any]]]:
    """Kinds and contents of the events of a booking that were left for other parts."""
    query = sa.select(outbox.c.kind, outbox.c.content).where(outbox.c.booking_id == booking_id)
    return [(row.kind, row.content) for row in connection.execute(query.order_by(outbox.c.id))]


def emit(
    connection: sa.Connection,
    booking_id: uuid.UUID,
    kind: str,
    content: Mapping[str, Any],
    now: dt.datetime,
) -> None:
    """Leave an event of a booking for other parts, once: a second of its kind changes nothing."""
    connection.execute(
        pg.insert(outbox)
        .inline()
        .values(booking_id=booking_id, kind=kind, content=dict(content), at=now)
        .on_conflict_do_nothing(),
        execution_options=LATER,
    )
