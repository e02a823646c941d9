"""Riders who pay for other riders, in PostgreSQL."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping
from dataclasses import dataclass

import sqlalchemy as sa

from core.errors import NotFound
from mobility.db.fare_schema import fare_account, pay_invitation, proof, rider_month
from mobility.db.rights import RightKind
from mobility.db.schema import person
from mobility.db.statements import read_parts
from payments.rights import ANOTHER_RIDER


class InvitationUnknown(NotFound):
    """A code that nobody has given, or that has been used or run out."""

    code = "invitation_unknown"


@dataclass(frozen=True, slots=True)
class PaidRider:
    """Somebody for whom another rider pays, or has paid."""

    person_id: uuid.UUID
    alias: str
    valid_from: dt.date
    valid_to: dt.date
    months: Mapping[dt.date, tuple[int, str]]
    """Cents and currency of months that were closed; of the rides nothing."""


@dataclass(frozen=True, slots=True)
class PayingRider:
    """A rider who pays for another one."""

    alias: str
    valid_from: dt.date
    valid_to: dt.date


def add_invitation(
    connection: sa.Connection,
    digest: bytes,
    account_id: uuid.UUID,
    valid_to: dt.date,
    now: dt.datetime,
) -> None:
    """Keep that whoever has a code is paid for by an account until a day."""
    connection.execute(
        pay_invitation.insert().values(
            digest=digest, account_id=account_id, valid_to=valid_to, created_at=now
        )
    )


def take_invitation(
    connection: sa.Connection, digest: bytes, since: dt.datetime
) -> tuple[uuid.UUID, dt.date]:
    """
    Use up a code: who pays, and until when.

    Raises
    ------
    InvitationUnknown
        There is none, or it was made before a time.
    """
    row = connection.execute(
        pay_invitation.delete()
        .where(pay_invitation.c.digest == digest, pay_invitation.c.created_at >= since)
        .returning(pay_invitation.c.account_id, pay_invitation.c.valid_to)
    ).first()
    if row is None:
        raise InvitationUnknown("this code is not known, or was used, or has run out")
    return row.account_id, row.valid_to


def list_paid_riders(connection: sa.Connection, account_id: uuid.UUID) -> list[PaidRider]:
    """For whom an account pays or has paid, and what that came to."""
    query = (
        sa.select(proof.c.person_id, person.c.alias, proof.c.valid_from, proof.c.valid_to)
        .join(person, person.c.id == proof.c.person_id)
        .where(_pays(account_id))
        .order_by(proof.c.valid_from, person.c.alias)
    )
    riders = connection.execute(query).all()
    posted = (
        sa.select(
            fare_account.c.person_id,
            rider_month.c.month,
            rider_month.c.parts,
            rider_month.c.currency,
        )
        .join(fare_account, fare_account.c.id == rider_month.c.account_id)
        .where(fare_account.c.person_id.in_([row.person_id for row in riders]))
        .order_by(rider_month.c.month)
    )
    months: dict[uuid.UUID, dict[dt.date, tuple[int, str]]] = {}
    for person_id, month, parts, currency in connection.execute(posted):
        cents = read_parts(parts).get((ANOTHER_RIDER, str(account_id)))
        if cents is not None:
            months.setdefault(person_id, {})[month] = cents, currency
    return [PaidRider(*row, months.get(row.person_id, {})) for row in riders]


def find_payer(connection: sa.Connection, person_id: uuid.UUID, day: dt.date) -> PayingRider | None:
    """Who pays for a rider on a day."""
    query = (
        sa.select(person.c.alias, proof.c.valid_from, proof.c.valid_to)
        .select_from(proof)
        .join(fare_account, fare_account.c.id.cast(sa.Text) == proof.c.party)
        .join(person, person.c.id == fare_account.c.person_id)
        .where(
            _pays(None),
            proof.c.person_id == person_id,
            proof.c.valid_from <= day,
            proof.c.valid_to >= day,
        )
        .order_by(proof.c.valid_from.desc())
    )
    row = connection.execute(query).first()
    return None if row is None else PayingRider(*row)


def end_paying(
    connection: sa.Connection,
    last: dt.date,
    *,
    account_id: uuid.UUID | None = None,
    person_id: uuid.UUID | None = None,
) -> int:
    """
    Let an account pay no longer for a rider, or nobody pay for him, or it for nobody.

    Returns for how many riders that changes something.
    """
    own = _pays(account_id) & (proof.c.valid_to > last)
    if person_id is not None:
        own &= proof.c.person_id == person_id
    never = connection.execute(proof.delete().where(own, proof.c.valid_from > last)).rowcount
    return never + connection.execute(proof.update().where(own).values(valid_to=last)).rowcount


def _pays(account_id: uuid.UUID | None) -> sa.ColumnElement[bool]:
    by_rider = (proof.c.kind == RightKind.PAYER) & (proof.c.name == ANOTHER_RIDER)
    return by_rider if account_id is None else by_rider & (proof.c.party == str(account_id))
