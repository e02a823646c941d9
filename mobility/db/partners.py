"""Other carpool operators in PostgreSQL: their riders and bookings; on one connection."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from carpool.bookings import BookingState
from carpool.offers import OfferState
from carpool.partner_bookings import Kind, Status, status_of
from core.errors import Conflict, NotFound
from mobility.db.schema import booking, offer, partner_booking, partner_person, person

LISTED = 100


class PartnerBookingNotFound(NotFound):
    """The operator, or the rider, has no booking of this id."""

    code = "missing_booking"


class PartnerBookingKnown(Conflict):
    """The operator has a booking of this id already."""

    code = "booking_known"


@dataclass(frozen=True, slots=True)
class PartnerBooking:
    """A booking between two operators."""

    id: uuid.UUID
    owner_id: uuid.UUID
    """User of the program that made it."""
    outside_id: str
    """Its id to both operators."""
    kind: Kind
    content: Mapping[str, Any]
    """As the other operator sent it."""
    said: Status | None
    """What the other operator, or the rider asked, has made of it."""
    booking_id: uuid.UUID | None
    person_id: uuid.UUID | None
    """Our rider, where it is he who travels."""
    state: BookingState | None
    """Of our own booking."""

    @property
    def status(self) -> Status:
        """Where it stands."""
        if self.state is not None:
            return status_of(self.state, self.said)
        assert self.said is not None
        return self.said


def find_or_add_person(
    connection: sa.Connection,
    owner_id: uuid.UUID,
    operator: str,
    outside_id: str,
    alias: str,
    now: dt.datetime,
) -> uuid.UUID:
    """Person that stands for another operator's rider: one for ever, named when he first comes."""
    own = (
        partner_person.c.owner_id == owner_id,
        partner_person.c.operator == operator,
        partner_person.c.outside_id == outside_id,
    )
    key = sa.func.hashtextextended(f"{owner_id} {operator} {outside_id}", 0)
    connection.execute(sa.select(sa.func.pg_advisory_xact_lock(key)))
    known = connection.execute(sa.select(partner_person.c.person_id).where(*own)).scalar()
    if known is not None:
        return uuid.UUID(str(known))
    person_id = uuid.uuid4()
    for name in (alias, f"{alias} {person_id.hex[:8]}"):
        # Whoever takes the same name at the same moment is waited for.
        made = connection.execute(
            pg.insert(person)
            .values(id=person_id, alias=name, created_at=now)
            .on_conflict_do_nothing(index_elements=["alias"])
            .returning(person.c.id)
        ).scalar()
        if made is not None:
            break
    connection.execute(
        partner_person.insert().values(
            owner_id=owner_id, operator=operator, outside_id=outside_id, person_id=person_id
        )
    )
    return person_id


def add_partner_booking(connection: sa.Connection, given: PartnerBooking, now: dt.datetime) -> None:
    """Store a booking; raises `PartnerBookingKnown` where its operator has one of this id."""
    added = connection.execute(
        pg.insert(partner_booking)
        .values(
            id=given.id, owner_id=given.owner_id, outside_id=given.outside_id, kind=given.kind,
            content=dict(given.content), status=given.said, booking_id=given.booking_id,
            person_id=given.person_id, created_at=now, changed_at=now,
        )
        .on_conflict_do_nothing(index_elements=["owner_id", "outside_id"])
        .returning(partner_booking.c.id)
    ).scalar()  # fmt: skip
    if added is None:
        raise PartnerBookingKnown(f"there is a booking {given.outside_id} already")


def find_partner_booking(
    connection: sa.Connection, owner_id: uuid.UUID, outside_id: str, *, lock: bool = False
) -> PartnerBooking | None:
    """An operator's booking, locked until the commit if so wanted."""
    where = partner_booking.c.owner_id == owner_id, partner_booking.c.outside_id == outside_id
    return next(iter(_read(connection, *where, lock=lock)), None)


def list_of_rider(connection: sa.Connection, person_id: uuid.UUID) -> Sequence[PartnerBooking]:
    """Bookings by which a rider of ours travels with other operators, the newest first."""
    return _read(connection, partner_booking.c.person_id == person_id)


def get_of_rider(
    connection: sa.Connection, person_id: uuid.UUID, booking_id: uuid.UUID
) -> PartnerBooking:
    """One of these, locked until the commit; raises `PartnerBookingNotFound`."""
    where = partner_booking.c.person_id == person_id, partner_booking.c.id == booking_id
    for found in _read(connection, *where, lock=True):
        return found
    raise PartnerBookingNotFound(f"you have no booking {booking_id} with another operator")


def set_said(
    connection: sa.Connection, booking_id: uuid.UUID, status: Status, now: dt.datetime
) -> None:
    """Note what became of a booking."""
    connection.execute(
        partner_booking.update()
        .where(partner_booking.c.id == booking_id)
        .values(status=status, changed_at=now)
    )


def find_driver(connection: sa.Connection, alias: str) -> uuid.UUID | None:
    """Person of a driver with an offer that is not over, by his name."""
    query = (
        sa.select(person.c.id)
        .join(offer, offer.c.driver_id == person.c.id)
        .where(person.c.alias == alias, offer.c.state != OfferState.ENDED)
    )
    return connection.execute(query.limit(1)).scalar()


def _read(
    connection: sa.Connection, *where: sa.ColumnElement[bool], lock: bool = False
) -> list[PartnerBooking]:
    query = (
        sa.select(partner_booking, booking.c.state)
        .outerjoin(booking, booking.c.id == partner_booking.c.booking_id)
        .where(*where)
        .order_by(partner_booking.c.created_at.desc(), partner_booking.c.id)
        .limit(LISTED)
    )
    if lock:
        query = query.with_for_update(of=partner_booking)
    return [
        PartnerBooking(
            id=row["id"],
            owner_id=row["owner_id"],
            outside_id=row["outside_id"],
            kind=Kind(row["kind"]),
            content=row["content"],
            said=None if row["status"] is None else Status(row["status"]),
            booking_id=row["booking_id"],
            person_id=row["person_id"],
            state=None if row["state"] is None else BookingState(row["state"]),
        )
        for row in connection.execute(query).mappings()
    ]
