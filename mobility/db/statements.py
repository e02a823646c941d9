"""Months being closed, in PostgreSQL: what is posted of them, and statements without gaps."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from mobility.db.schema import (
    closed_month,
    ledger_period,
    rider_month,
    statement,
    statement_number,
)


class MonthState(StrEnum):
    """How far a month of a rider is."""

    OPEN = "open"
    PROVISIONAL = "provisional"
    """Posted, but something may still be owed by devices."""
    ISSUED = "issued"
    SETTLED = "settled"


class StatementKind(StrEnum):
    """What is issued."""

    STATEMENT = "statement"
    CREDIT_NOTE = "credit_note"
    SUPPLEMENT = "supplement"
    """What became known of a month after its statement, at the date of which it was used."""


@dataclass(frozen=True, slots=True)
class PostedMonth:
    """A month of an account: what it costs, and what of that is in the ledger."""

    account_id: uuid.UUID
    month: dt.date
    amount_cents: int
    currency: str
    tariff_hash: str
    state: MonthState
    posted_cents: int
    """What the rider was charged."""
    lost_cents: int
    """What came too late to be charged."""
    posting_count: int
    issued_at: dt.datetime | None


@dataclass(frozen=True, slots=True)
class Statement:
    """What was issued to a rider for a month."""

    kind: StatementKind
    account_id: uuid.UUID
    month: dt.date
    amount_cents: int
    currency: str
    lines: Sequence[Mapping[str, Any]]
    issued_at: dt.datetime
    year: int = 0
    number: int = 0
    """Given when it is issued: without gaps in a year."""


_COLUMNS = [rider_month.c[name] for name in PostedMonth.__dataclass_fields__]
_DIFFERS = rider_month.c.amount_cents != rider_month.c.posted_cents + rider_month.c.lost_cents


def count_months(connection: sa.Connection, month: dt.date) -> int:
    """Months of accounts that no statement was issued for."""
    states = (MonthState.OPEN, MonthState.PROVISIONAL)
    query = sa.select(sa.func.count()).where(
        rider_month.c.month == month, rider_month.c.state.in_(states)
    )
    return connection.execute(query).scalar_one()


def months_to_close(
    connection: sa.Connection, month: dt.date, states: Sequence[MonthState], most: int
) -> list[PostedMonth]:
    """Months of accounts in one of some states, in order of accounts, held for this transaction."""
    query = (
        sa.select(*_COLUMNS)
        .where(rider_month.c.month == month, rider_month.c.state.in_(states))
        .order_by(rider_month.c.account_id)
        .limit(most)
        .with_for_update()
    )
    return [_posted(row._asdict()) for row in connection.execute(query)]


def months_to_correct(connection: sa.Connection, most: int) -> list[PostedMonth]:
    """
    Months that cost something else than was issued, held for this transaction.

    One of which nothing was known when its month was closed counts as issued then, over nothing.
    """
    issued = rider_month.c.state.in_((MonthState.ISSUED, MonthState.SETTLED))
    query = (
        sa.select(*_COLUMNS, closed_month.c.closed_at)
        .outerjoin(closed_month, closed_month.c.month == rider_month.c.month)
        .where(
            sa.or_(sa.and_(issued, _DIFFERS), sa.and_(~issued, closed_month.c.month.is_not(None)))
        )
        .order_by(rider_month.c.account_id, rider_month.c.month)
        .limit(most)
        .with_for_update(of=rider_month, skip_locked=True)
    )
    found = []
    for *values, closed_at in connection.execute(query):
        own = _posted(dict(zip(PostedMonth.__dataclass_fields__, values, strict=True)))
        if own.issued_at is None:
            own = replace(own, state=MonthState.ISSUED, issued_at=closed_at)
        found.append(own)
    return found


def mark_closed(connection: sa.Connection, month: dt.date, now: dt.datetime) -> None:
    """Note that all that was known of a month is issued; the first time counts."""
    connection.execute(
        pg.insert(closed_month).values(month=month, closed_at=now).on_conflict_do_nothing()
    )


def _posted(values: Mapping[str, Any]) -> PostedMonth:
    return PostedMonth(**dict(values) | {"state": MonthState(values["state"])})


def save_posted(connection: sa.Connection, months: Sequence[PostedMonth]) -> None:
    """Store how far months are."""
    if not months:
        return
    kept = ("state", "posted_cents", "lost_cents", "posting_count", "issued_at")
    update = (
        rider_month.update()
        .where(
            rider_month.c.account_id == sa.bindparam("of_account"),
            rider_month.c.month == sa.bindparam("of_month"),
        )
        .values({name: sa.bindparam(f"new_{name}") for name in kept})
    )
    connection.execute(
        update,
        [
            {"of_account": m.account_id, "of_month": m.month}
            | {f"new_{name}": getattr(m, name) for name in kept}
            for m in months
        ],
    )


def issue(connection: sa.Connection, statements: Sequence[Statement]) -> list[int]:
    """
    Issue statements with the next numbers of their year, which this transaction holds.

    Whoever issues at the same time waits, and a transaction that fails gives its numbers back.
    """
    if not statements:
        return []
    year = statements[0].issued_at.year
    count = len(statements)
    insert = pg.insert(statement_number).values(year=year, last=count)
    more = {"last": statement_number.c.last + count}
    last = connection.execute(
        insert.on_conflict_do_update(index_elements=["year"], set_=more).returning(
            statement_number.c.last
        )
    ).scalar_one()
    numbers = list(range(last - count + 1, last + 1))
    names = ("kind", "account_id", "month", "amount_cents", "currency", "lines", "issued_at")
    connection.execute(
        statement.insert(),
        [
            {name: getattr(own, name) for name in names} | {"year": year, "number": number}
            for own, number in zip(statements, numbers, strict=True)
        ],
    )
    return numbers


def list_statements(
    connection: sa.Connection, account_id: uuid.UUID, month: dt.date
) -> list[Statement]:
    """What was issued to an account for a month, the first one first."""
    columns = [statement.c[name] for name in Statement.__dataclass_fields__]
    query = sa.select(*columns).where(
        statement.c.account_id == account_id, statement.c.month == month
    )
    ordered = query.order_by(statement.c.year, statement.c.number)
    return [
        Statement(StatementKind(kind), *values) for kind, *values in connection.execute(ordered)
    ]


def open_period(connection: sa.Connection, month: dt.date, now: dt.date) -> str:
    """Period in which something of a month counts: its own, or, once closed, the present one."""
    own = f"{month:%Y-%m}"
    closed = sa.select(ledger_period.c.period).where(ledger_period.c.period == own)
    return own if connection.execute(closed).first() is None else f"{now:%Y-%m}"
