"""Other operators that are asked for offers and told of bookings; on one connection."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from carpool.partner_bookings import Kind, Status
from core.errors import Conflict, NotFound
from mobility.db.engine import LATER
from mobility.db.schema import partner, partner_booking, partner_event, person

LISTED = 1_000


class OperatorNotFound(NotFound):
    """No operator of this name is known."""

    code = "missing_operator"


class OwnerTaken(Conflict):
    """The user is the program of another operator."""

    code = "owner_taken"


@dataclass(frozen=True, slots=True)
class Operator:
    """Another operator, as an authority has entered it."""

    operator: str
    """Its host name."""
    url: str | None
    """Where its Standard Covoiturage is, without a slash at its end; None: not asked for offers."""
    events_url: str | None
    """Where it is told what becomes of bookings; None: not told."""
    owner_id: uuid.UUID | None
    """User of the program by which it books here."""


@dataclass(frozen=True, slots=True)
class StoredOperator:
    """The same as it is kept."""

    told: Operator
    key: str | None
    person_id: uuid.UUID
    """Stands for all of its drivers."""
    due_at: dt.datetime
    """When it is asked next."""
    failures: int
    """How often in a row it was not answered in full."""
    last: Mapping[str, Any] | None
    """What the last answers came to."""

    def __repr__(self) -> str:
        """Whatever writes it down writes no key."""
        return f"StoredOperator({self.told.operator!r})"


@dataclass(frozen=True, slots=True)
class DueEvent:
    """What an operator is to be told of a booking."""

    id: uuid.UUID
    address: str
    key: str | None
    operator: str
    kind: Kind
    outside_id: str
    status: Status
    content: Mapping[str, Any]
    """The booking as that operator sent it."""
    tries: int


def put_operator(
    connection: sa.Connection, given: Operator, key: str | None, now: dt.datetime
) -> None:
    """Enter an operator, or change what is known of it; raises `OwnerTaken`."""
    name = given.operator
    person_id = connection.execute(
        pg.insert(person)
        .values(id=uuid.uuid4(), alias=f"@{name}", created_at=now)  # no user's name has an @
        .on_conflict_do_update(index_elements=["alias"], set_={"alias": f"@{name}"})
        .returning(person.c.id)
    ).scalar_one()
    taken = sa.select(partner.c.operator).where(
        partner.c.owner_id == given.owner_id, partner.c.operator != name
    )
    if given.owner_id is not None and connection.execute(taken).scalar() is not None:
        raise OwnerTaken("this user is the program of another operator")
    values = {
        "url": given.url, "events_url": given.events_url, "owner_id": given.owner_id,
        "api_key": key, "due_at": now, "failures": 0,
    }  # fmt: skip
    connection.execute(
        pg.insert(partner)
        .values(operator=name, person_id=person_id, added_at=now, **values)
        .on_conflict_do_update(index_elements=["operator"], set_=values)
    )


def get_operator(connection: sa.Connection, operator: str) -> StoredOperator:
    """An operator; raises `OperatorNotFound`."""
    for found in _read(connection, partner.c.operator == operator):
        return found
    raise OperatorNotFound(f"no operator {operator!r} is known")


def list_operators(connection: sa.Connection) -> Sequence[StoredOperator]:
    """All operators by name."""
    return _read(connection)


def is_any_due(connection: sa.Connection, now: dt.datetime) -> bool:
    """Whether some operator is to be asked."""
    query = sa.select(partner.c.operator).where(partner.c.due_at <= now, partner.c.url.is_not(None))
    return connection.execute(query.limit(1)).scalar() is not None


def make_due(connection: sa.Connection, now: dt.datetime) -> None:
    """Let all operators that are asked for offers be asked now."""
    connection.execute(partner.update().where(partner.c.url.is_not(None)).values(due_at=now))


def claim_due(
    connection: sa.Connection, now: dt.datetime, until: dt.datetime
) -> StoredOperator | None:
    """Take an operator that is to be asked; no other process does before `until`."""
    due = (
        sa.select(partner.c.operator)
        .where(partner.c.due_at <= now, partner.c.url.is_not(None))
        .order_by(partner.c.due_at)
        .limit(1)
        .with_for_update(skip_locked=True)
        .scalar_subquery()
    )
    taken = connection.execute(
        partner.update()
        .where(partner.c.operator == due)
        .values(due_at=until)
        .returning(partner.c.operator)
    ).scalar()
    return None if taken is None else get_operator(connection, taken)


def note_fetched(
    connection: sa.Connection,
    operator: str,
    last: Mapping[str, Any],
    due_at: dt.datetime,
    failures: int,
) -> None:
    """Keep what the answers came to, and when to ask next."""
    connection.execute(
        partner.update()
        .where(partner.c.operator == operator)
        .values(last=dict(last), due_at=due_at, failures=failures)
    )


def stop_asking(connection: sa.Connection, operator: str) -> None:
    """Neither ask nor tell an operator any more; raises `OperatorNotFound`."""
    get_operator(connection, operator)
    connection.execute(
        partner.update()
        .where(partner.c.operator == operator)
        .values(url=None, events_url=None, owner_id=None, api_key=None)
    )


def tell_partner_of_seat(
    connection: sa.Connection, booking_id: uuid.UUID, status: Status, now: dt.datetime
) -> None:
    """Leave for an operator what became of its rider's seat, if it is one's and wants to know."""
    _leave_event(
        connection,
        sa.and_(
            partner_booking.c.booking_id == booking_id,
            partner_booking.c.status.is_(None),  # it has not said itself what became of the ride
        ),
        status,
        now,
    )


def tell_partner_of_answer(
    connection: sa.Connection, partner_booking_id: uuid.UUID, status: Status, now: dt.datetime
) -> None:
    """Leave for an operator what our rider has answered its driver."""
    _leave_event(connection, partner_booking.c.id == partner_booking_id, status, now)


def _leave_event(
    connection: sa.Connection,
    about: sa.ColumnElement[bool],
    status: Status,
    now: dt.datetime,
) -> None:
    """Leave for an operator what became of a booking, once for each status; if it wants to know."""
    at = sa.literal(now, sa.DateTime(timezone=True))
    rows = (
        sa.select(
            sa.func.gen_random_uuid(), partner_booking.c.id, sa.literal(str(status)), at,
            at.label("due_at"),
        )
        .join(partner, partner.c.owner_id == partner_booking.c.owner_id)
        .where(about, partner.c.events_url.is_not(None))
    )  # fmt: skip
    columns = ["id", "partner_booking_id", "status", "at", "due_at"]
    connection.execute(
        pg.insert(partner_event).from_select(columns, rows).on_conflict_do_nothing(),
        execution_options=LATER,
    )


def claim_event(connection: sa.Connection, now: dt.datetime, until: dt.datetime) -> DueEvent | None:
    """Take an event that is to be told, of each booking the first; nobody else does until then."""
    sooner = partner_event.alias()
    waits = sa.exists().where(
        sooner.c.partner_booking_id == partner_event.c.partner_booking_id,
        sooner.c.outcome.is_(None),
        sooner.c.at < partner_event.c.at,
    )
    row = (
        connection.execute(
            sa.select(
                partner_event.c.id, partner_event.c.status, partner_event.c.tries,
                partner_booking.c.kind, partner_booking.c.outside_id, partner_booking.c.content,
                partner.c.operator, partner.c.events_url, partner.c.api_key,
            )
            .join(partner_booking, partner_booking.c.id == partner_event.c.partner_booking_id)
            .join(partner, partner.c.owner_id == partner_booking.c.owner_id)
            .where(
                partner_event.c.outcome.is_(None), partner_event.c.due_at <= now,
                partner.c.events_url.is_not(None), ~waits,
            )
            .order_by(partner_event.c.due_at)
            .limit(1)
            .with_for_update(of=partner_event, skip_locked=True)
        )
        .mappings()
        .one_or_none()
    )  # fmt: skip
    if row is None:
        return None
    connection.execute(
        partner_event.update()
        .where(partner_event.c.id == row["id"])
        .values(due_at=until, tries=row["tries"] + 1)
    )
    return DueEvent(
        row["id"], row["events_url"], row["api_key"], row["operator"], Kind(row["kind"]),
        row["outside_id"], Status(row["status"]), row["content"], row["tries"] + 1,
    )  # fmt: skip


def end_event(connection: sa.Connection, event_id: uuid.UUID, outcome: str) -> None:
    """Note that there is no more to be told."""
    connection.execute(
        partner_event.update().where(partner_event.c.id == event_id).values(outcome=outcome)
    )


def put_off_event(connection: sa.Connection, event_id: uuid.UUID, due_at: dt.datetime) -> None:
    """Tell it another time."""
    connection.execute(
        partner_event.update().where(partner_event.c.id == event_id).values(due_at=due_at)
    )


def _read(connection: sa.Connection, *where: sa.ColumnElement[bool]) -> list[StoredOperator]:
    query = sa.select(partner).where(*where).order_by(partner.c.operator).limit(LISTED)
    return [
        StoredOperator(
            told=Operator(row["operator"], row["url"], row["events_url"], row["owner_id"]),
            key=row["api_key"],
            person_id=row["person_id"],
            due_at=row["due_at"],
            failures=row["failures"],
            last=row["last"],
        )
        for row in connection.execute(query).mappings()
    ]
