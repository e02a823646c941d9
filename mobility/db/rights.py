"""What riders have proved, in PostgreSQL: categories, passes bought elsewhere, who pays."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Collection
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from mobility.db.fare_schema import fare_account, proof
from mobility.db.sent_rows import among
from payments.bill import Proof
from payments.rights import HeldPass, PaidFor, Rights

Right = Proof | HeldPass | PaidFor
RIGHT_COLUMNS = ("kind", "name", "party", "valid_from", "valid_to")


class RightKind(StrEnum):
    """What somebody can prove, in the order of `Rights`."""

    CATEGORY = "category"
    HELD_PASS = "held_pass"  # noqa: S105 — no password
    PAYER = "payer"


def list_rights(
    connection: sa.Connection, account_ids: Collection[uuid.UUID]
) -> dict[uuid.UUID, Rights]:
    """What the people have proved whose accounts these are."""
    query = (
        sa.select(fare_account.c.id, *(proof.c[name] for name in RIGHT_COLUMNS))
        .join(proof, proof.c.person_id == fare_account.c.person_id)
        .where(among(fare_account.c.id, account_ids))
        .order_by(proof.c.name, proof.c.party, proof.c.valid_from)
    )
    proved: dict[uuid.UUID, dict[str, list[Any]]] = {}
    for account_id, kind, name, party, *days in connection.execute(query):
        own = proved.setdefault(account_id, {right: [] for right in RightKind})
        if kind == RightKind.PAYER:
            own[kind].append(PaidFor(name, party, *days))
        else:
            own[kind].append((Proof if kind == RightKind.CATEGORY else HeldPass)(name, *days))
    return {
        account_id: Rights(*(tuple(given) for given in proved.get(account_id, {}).values()))
        for account_id in account_ids
    }


def put_right(
    connection: sa.Connection, person_id: uuid.UUID, given: Right, issuer: str, now: dt.datetime
) -> None:
    """Keep that somebody has proved something: what, who says so, and on which days."""
    kind, name, party = right_key(given)
    values = {"valid_to": given.valid_to, "issuer": issuer, "at": now}
    insert = pg.insert(proof).values(
        person_id=person_id, kind=kind, name=name, party=party, valid_from=given.valid_from,
        **values,
    )  # fmt: skip
    connection.execute(
        insert.on_conflict_do_update(
            index_elements=["person_id", "kind", "name", "party", "valid_from"], set_=values
        )
    )


def right_key(right: Right) -> tuple[RightKind, str, str]:
    """Kind, name and party of what somebody has proved."""
    match right:
        case Proof():
            return RightKind.CATEGORY, right.category, ""
        case HeldPass():
            return RightKind.HELD_PASS, right.product, ""
        case PaidFor():
            return RightKind.PAYER, right.payer, right.party
