"""People report a bad meeting point: three suspend it, until the authority has looked at it."""

from __future__ import annotations

import datetime as dt

from carpool.bookings import SEATED
from core.errors import NotFound
from mobility.actions.ride_desk import RideDesk, announce
from mobility.db.audit import record_act
from mobility.db.changes import lock_changes
from mobility.db.engine import Connection
from mobility.db.notices import tell
from mobility.db.points import (
    Report,
    add_report,
    list_booked,
    list_suspended,
    lock_points,
    restore,
    settle,
    suspend,
)
from mobility.db.users import list_users
from mobility.users.scopes import Principal, Scope

ENOUGH = 3
"""So many people suspend a point."""
POINT_SUSPENDED = "point_suspended"


class PointUnknown(NotFound):
    """The territory has no such meeting point."""

    code = "point_unknown"


def report_point(
    desk: RideDesk, who: Principal, point_id: str, given: Report, *, now: dt.datetime
) -> bool:
    """
    Store what somebody says of a meeting point; returns whether it is suspended by now.

    Raises
    ------
    PointUnknown, AlreadyReported
        There is no such point; one's own report of it has not been looked at yet.
    """
    if point_id not in desk.snapshot.network.point_row:
        raise PointUnknown(f"there is no meeting point {point_id}")
    revision = None
    with desk.engine.begin() as connection:
        lock_points(connection)
        count = add_report(connection, point_id, who.person_id, given)
        suspended = point_id in list_suspended(connection, [point_id])
        if count >= ENOUGH and not suspended:
            record_act(connection, None, "point_suspended", point_id, {"reports": count})
            revision, suspended = _suspend(desk, connection, point_id, now), True
    announce(desk, changed=revision is not None)
    return suspended


def confirm_suspension(
    desk: RideDesk, authority: Principal, point_id: str, *, now: dt.datetime
) -> None:
    """Suspend a point for good, whoever has reported it; raises `PointUnknown`."""
    with desk.engine.begin() as connection:
        lock_points(connection)
        _require(desk, connection, point_id)
        record_act(connection, authority.user_id, "point_suspension_confirmed", point_id, {})
        settle(connection, point_id, now)
        revision = _suspend(desk, connection, point_id, now, confirmed=True)
    announce(desk, changed=revision is not None)


def restore_point(desk: RideDesk, authority: Principal, point_id: str, *, now: dt.datetime) -> None:
    """Let drivers stop at a point again, its reports done with; raises `PointUnknown`."""
    with desk.engine.begin() as connection:
        lock_points(connection)
        _require(desk, connection, point_id)
        settled = settle(connection, point_id, now)
        record_act(connection, authority.user_id, "point_restored", point_id, {"reports": settled})
        revision = restore(connection, point_id)
    announce(desk, changed=revision is not None)


def _require(desk: RideDesk, connection: Connection, point_id: str) -> None:
    """A point that the ground has lost may still be judged."""
    if point_id not in desk.snapshot.network.point_row and not list_suspended(
        connection, [point_id]
    ):
        raise PointUnknown(f"there is no meeting point {point_id}")


def _suspend(
    desk: RideDesk,
    connection: Connection,
    point_id: str,
    now: dt.datetime,
    *,
    confirmed: bool = False,
) -> int | None:
    """Suspend a point, and tell those who are booked there and the authority, once."""
    revision = suspend(connection, point_id, now, confirmed=confirmed)
    if revision is None:
        return None
    lock_changes(connection)  # readers who go on from the last number miss none
    network = desk.snapshot.network
    row = network.point_row.get(point_id)
    about = {"point": point_id, "name": point_id if row is None else network.points.name[row]}
    for booked in list_booked(connection, point_id, sorted(SEATED), now):
        content = {
            **about,
            "booking_id": str(booked.booking_id),
            "ride_id": str(booked.ride_id),
            "date": booked.date.isoformat(),
        }
        for person_id in (booked.rider_id, booked.driver_id):
            tell(connection, person_id, POINT_SUSPENDED, content, now)
    for user in list_users(connection, Scope.AUTHORITY):
        tell(connection, user.person_id, POINT_SUSPENDED, about, now)
    return revision
