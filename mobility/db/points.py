"""Meeting points that people report, and those that are suspended, on one connection."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from core.errors import Conflict
from mobility.db.changes import record_change
from mobility.db.engine import LATER
from mobility.db.schema import booking, offer, point_report, point_suspension, ride

POINT_CHANGED = "point"
POINTS_LOCK = 7_305_007
"""
Key of the advisory lock by which no booking slips through while a point is suspended: whoever books
holds it shared, whoever suspends holds it alone.
"""


class Reason(StrEnum):
    """What is wrong with a meeting point."""

    UNSAFE = "unsafe"
    NO_STOPPING = "no_stopping"
    NOT_THERE = "not_there"
    OTHER = "other"


class AlreadyReported(Conflict):
    """One's own report of the point has not been looked at yet."""

    code = "already_reported"


@dataclass(frozen=True, slots=True)
class Report:
    """What somebody says of a meeting point; who it is, nobody is told."""

    reason: Reason
    said: str
    at: dt.datetime


@dataclass(frozen=True, slots=True)
class ReportedPoint:
    """A meeting point with reports in force, or suspended."""

    point_id: str
    suspended_at: dt.datetime | None
    confirmed_at: dt.datetime | None
    """When the authority said that it stays suspended."""
    reports: Sequence[Report]


@dataclass(frozen=True, slots=True)
class BookedThere:
    """A booking that begins or ends at a meeting point, and its two people."""

    booking_id: uuid.UUID
    ride_id: uuid.UUID
    rider_id: uuid.UUID
    driver_id: uuid.UUID
    date: dt.date


_SHARE_POINTS = sa.select(sa.func.pg_advisory_xact_lock_shared(POINTS_LOCK))


def lock_points(connection: sa.Connection) -> None:
    """Let bookings, and whoever else reports, wait until the commit."""
    connection.execute(sa.select(sa.func.pg_advisory_xact_lock(POINTS_LOCK)))


def share_points(connection: sa.Connection) -> None:
    """Let no point be suspended or restored until the commit."""
    connection.execute(_SHARE_POINTS, execution_options=LATER)


def list_suspended(
    connection: sa.Connection, among: Collection[str] | None = None
) -> frozenset[str]:
    """Ids of all points that are suspended, or of those among some."""
    query = sa.select(point_suspension.c.point_id)
    if among is not None:
        query = query.where(point_suspension.c.point_id.in_(list(among)))
    return frozenset(connection.execute(query).scalars())


def add_report(
    connection: sa.Connection, point_id: str, person_id: uuid.UUID, given: Report
) -> int:
    """
    Store a report; returns how many people report the point by now.

    Raises
    ------
    AlreadyReported
        The person has, and nobody has looked at it yet.
    """
    added = connection.execute(
        pg.insert(point_report)
        .values(
            id=uuid.uuid4(), point_id=point_id, person_id=person_id, reason=given.reason,
            said=given.said, at=given.at,
        )
        .on_conflict_do_nothing()
        .returning(point_report.c.id)
    ).scalar()  # fmt: skip
    if added is None:
        raise AlreadyReported("you have reported this point already: it will be looked at")
    count = sa.select(sa.func.count()).where(_in_force(), point_report.c.point_id == point_id)
    return int(connection.execute(count).scalar_one())


def suspend(
    connection: sa.Connection, point_id: str, now: dt.datetime, *, confirmed: bool = False
) -> int | None:
    """Suspend a point, or confirm that it is; the revision of the change, if it was not yet."""
    was = point_id in list_suspended(connection, [point_id])
    insert = pg.insert(point_suspension).values(
        point_id=point_id, since_at=now, confirmed_at=now if confirmed else None
    )
    if confirmed:
        insert = insert.on_conflict_do_update(
            index_elements=["point_id"], set_={"confirmed_at": now}
        )
    else:
        insert = insert.on_conflict_do_nothing()
    connection.execute(insert)
    return None if was else record_change(connection, POINT_CHANGED, _subject(point_id))


def restore(connection: sa.Connection, point_id: str) -> int | None:
    """Let drivers stop at a point again; the revision of the change, if it was suspended."""
    gone = connection.execute(
        point_suspension.delete().where(point_suspension.c.point_id == point_id)
    )
    return record_change(connection, POINT_CHANGED, _subject(point_id)) if gone.rowcount else None


def settle(connection: sa.Connection, point_id: str, now: dt.datetime) -> int:
    """Note that the reports of a point were looked at; returns how many."""
    settled = connection.execute(
        point_report.update()
        .where(_in_force(), point_report.c.point_id == point_id)
        .values(settled_at=now)
    )
    return int(settled.rowcount)


def list_reported(connection: sa.Connection, count: int) -> list[ReportedPoint]:
    """Points that somebody should look at: those suspended longest first, then those reported."""
    suspended = {
        row.point_id: (row.since_at, row.confirmed_at)
        for row in connection.execute(sa.select(point_suspension).limit(count))
    }
    query = sa.select(point_report).where(_in_force()).order_by(point_report.c.at).limit(count)
    reports: dict[str, list[Report]] = {point_id: [] for point_id in suspended}
    for row in connection.execute(query):
        reports.setdefault(row.point_id, []).append(Report(Reason(row.reason), row.said, row.at))
    found = []
    for point_id, own in reports.items():
        found.append(ReportedPoint(point_id, *suspended.get(point_id, (None, None)), own))
    return sorted(
        found,
        key=lambda p: (p.suspended_at is None, p.confirmed_at is not None, p.point_id),
    )


def list_booked(
    connection: sa.Connection, point_id: str, states: Collection[str], now: dt.datetime
) -> list[BookedThere]:
    """Bookings still to come that begin or end at a point."""
    query = (
        sa.select(
            booking.c.id, booking.c.ride_id, booking.c.rider_id, offer.c.driver_id, ride.c.date
        )
        .join(ride, ride.c.id == booking.c.ride_id)
        .join(offer, offer.c.id == ride.c.offer_id)
        .where(
            booking.c.state.in_(list(states)),
            booking.c.dropoff_by > now,
            sa.or_(booking.c.pickup_point == point_id, booking.c.dropoff_point == point_id),
        )
        .order_by(booking.c.pickup_from)
    )
    return [BookedThere(*row) for row in connection.execute(query)]


def _in_force() -> sa.ColumnElement[bool]:
    return point_report.c.settled_at.is_(None)


def _subject(point_id: str) -> uuid.UUID:
    """Ids of points are texts of their sources; the change feed wants a UUID."""
    return uuid.uuid5(uuid.NAMESPACE_URL, f"point:{point_id}")
