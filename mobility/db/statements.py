"""Months being closed, in PostgreSQL: what is posted of them, and statements without gaps."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from mobility.db.fare_schema import (
    closed_month,
    ledger_period,
    payer_budget,
    rider_month,
    statement,
    statement_number,
)
from mobility.db.sent_rows import among, sent_rows
from payments.payers import PartKey


class MonthState(StrEnum):
    """How far a month of a rider is."""

    OPEN = "open"
    PROVISIONAL = "provisional"
    """Posted, but something may still be owed by devices."""
    ISSUED = "issued"
    SETTLED = "settled"
    """Issued, and paid by the ledger: told when it is read, and not kept."""


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
    parts: Mapping[PartKey, int] = field(default_factory=dict)
    """What others were charged of it."""
    shares: Mapping[str, int] = field(default_factory=dict)
    """What operators have earned by it; the rest is the network's."""


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
    parts: Mapping[PartKey, int] = field(default_factory=dict)
    """What others pay of the amount; below 0 where they get it back."""
    year: int = 0
    number: int = 0
    """Given when it is issued: without gaps in a year."""
    guessed: Mapping[str, int] | None = None
    """Numbers of legs whose ends were guessed, by how; None for none."""


_COLUMNS = [rider_month.c[name] for name in PostedMonth.__dataclass_fields__]
_KEPT = ("state", "posted_cents", "lost_cents", "posting_count", "issued_at", "shares")
_TYPES = {
    "account_id": sa.Uuid,
    "month": sa.Date,
    **dict.fromkeys(("posted_cents", "lost_cents", "amount_cents"), sa.BigInteger),
    **dict.fromkeys(("posting_count", "year", "number"), sa.Integer),
    "issued_at": sa.DateTime(timezone=True),
    **dict.fromkeys(("lines", "guessed"), pg.JSON),
    "parts": pg.JSONB,
    "shares": pg.JSONB,
}


def count_months(connection: sa.Connection, month: dt.date) -> int:
    """Months of accounts that no statement was issued for."""
    states = (MonthState.OPEN, MonthState.PROVISIONAL)
    query = sa.select(sa.func.count()).where(
        rider_month.c.month == month, rider_month.c.state.in_(states)
    )
    return connection.execute(query).scalar_one()


def months_to_close(
    connection: sa.Connection,
    month: dt.date,
    states: Sequence[MonthState],
    most: int,
    *,
    with_others: bool = False,
) -> list[PostedMonth]:
    """
    Months of accounts in one of some states, in order of accounts, held for this transaction.

    Those that somebody else holds are waited for, or left to him if he closes `with_others`.
    """
    query = (
        sa.select(*_COLUMNS)
        .where(rider_month.c.month == month, rider_month.c.state.in_(states))
        .order_by(rider_month.c.account_id)
        .limit(most)
        .with_for_update(skip_locked=with_others)
    )
    return [_posted(row._asdict()) for row in connection.execute(query)]


def months_to_correct(connection: sa.Connection, most: int) -> list[PostedMonth]:
    """
    Months rated anew after they were issued, held for this transaction.

    One of which nothing was known when its month was closed counts as issued then, over nothing.
    """
    issued = rider_month.c.state == MonthState.ISSUED
    query = (
        sa.select(*_COLUMNS, closed_month.c.closed_at)
        .outerjoin(closed_month, closed_month.c.month == rider_month.c.month)
        .where(
            sa.or_(
                sa.and_(issued, rider_month.c.is_stale),
                sa.and_(~issued, closed_month.c.month.is_not(None)),
            )
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


def is_closed(connection: sa.Connection, month: dt.date) -> bool:
    """Whether all that was known of a month is issued."""
    query = sa.select(closed_month.c.month).where(closed_month.c.month == month)
    return connection.execute(query).first() is not None


def mark_closed(connection: sa.Connection, month: dt.date, now: dt.datetime) -> None:
    """Note that all that was known of a month is issued; the first time counts."""
    connection.execute(
        pg.insert(closed_month).values(month=month, closed_at=now).on_conflict_do_nothing()
    )


def _posted(values: Mapping[str, Any]) -> PostedMonth:
    own = {"state": MonthState(values["state"]), "parts": read_parts(values["parts"])}
    return PostedMonth(**dict(values) | own)


def part_rows(parts: Mapping[PartKey, int]) -> list[dict[str, Any]]:
    """Parts as they are kept and told."""
    return [
        {"payer": payer, "party": party, "amount_cents": cents}
        for (payer, party), cents in parts.items()
    ]


def read_parts(rows: Iterable[Mapping[str, Any]]) -> dict[PartKey, int]:
    """Parts as they were kept."""
    return {(row["payer"], row["party"]): row["amount_cents"] for row in rows}


def save_posted(connection: sa.Connection, months: Sequence[PostedMonth]) -> None:
    """Store how far months are."""
    if not months:
        return
    rows = sent_rows(
        [
            {name: getattr(m, name) for name in ("account_id", "month", *_KEPT)}
            | {"parts": part_rows(m.parts)}
            for m in months
        ],
        _TYPES,
    )
    connection.execute(
        rider_month.update()
        .where(
            rider_month.c.account_id == rows.c.account_id, rider_month.c.month == rows.c.month
        )
        .values({name: rows.c[name] for name in (*_KEPT, "parts")} | {"is_stale": False})
    )  # fmt: skip


def mark_stale(
    connection: sa.Connection, account_ids: Collection[uuid.UUID], since: dt.date
) -> None:
    """Note that who pays for months may have changed; of open ones it means nothing."""
    connection.execute(
        rider_month.update()
        .where(
            among(rider_month.c.account_id, account_ids),
            rider_month.c.month >= since,
        )
        .values(is_stale=True)
    )


def hold_budgets(
    connection: sa.Connection, payers: Sequence[str], year: int
) -> dict[str, int]:  # fmt: skip
    """What payers with a budget have paid in a year, held until the transaction ends."""
    if not payers:
        return {}
    rows = [{"payer": payer, "year": year, "spent_cents": 0} for payer in sorted(payers)]
    connection.execute(pg.insert(payer_budget).values(rows).on_conflict_do_nothing())
    query = _budgets(year).where(payer_budget.c.payer.in_(payers)).order_by(payer_budget.c.payer)
    return {row.payer: row.spent_cents for row in connection.execute(query.with_for_update())}


def read_budgets(connection: sa.Connection, year: int) -> dict[str, int]:
    """What payers with a budget have paid in a year."""
    return {row.payer: row.spent_cents for row in connection.execute(_budgets(year))}


def _budgets(year: int) -> sa.Select[tuple[str, int]]:
    columns = payer_budget.c.payer, payer_budget.c.spent_cents
    return sa.select(*columns).where(payer_budget.c.year == year)


def save_budgets(connection: sa.Connection, spent: Mapping[str, int], year: int) -> None:
    """Store what was paid, of those that are held."""
    for payer, cents in spent.items():
        own = (payer_budget.c.payer == payer) & (payer_budget.c.year == year)
        connection.execute(payer_budget.update().where(own).values(spent_cents=cents))


def list_parts(
    connection: sa.Connection, account_ids: Collection[uuid.UUID], since: dt.date, until: dt.date
) -> dict[uuid.UUID, dict[dt.date, dict[PartKey, int]]]:
    """What others were charged for months of accounts, from one until before another."""
    query = sa.select(rider_month.c.account_id, rider_month.c.month, rider_month.c.parts).where(
        among(rider_month.c.account_id, account_ids),
        rider_month.c.month >= since,
        rider_month.c.month < until,
        rider_month.c.parts != sa.literal([], pg.JSONB),
    )
    found: dict[uuid.UUID, dict[dt.date, dict[PartKey, int]]] = {own: {} for own in account_ids}
    for account_id, month, rows in connection.execute(query):
        found[account_id][month] = read_parts(rows)
    return found


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
    names = (
        "kind", "account_id", "month", "amount_cents", "currency", "lines", "issued_at", "guessed",
    )  # fmt: skip
    rows = sent_rows(
        [
            {name: getattr(own, name) for name in names}
            | {"year": year, "number": number, "parts": part_rows(own.parts)}
            for own, number in zip(statements, numbers, strict=True)
        ],
        _TYPES,
    )
    columns = list(rows.c.keys())
    connection.execute(pg.insert(statement).from_select(columns, sa.select(*rows.c)))
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
    return [_statement(row) for row in connection.execute(ordered).mappings()]


def find_statement(
    connection: sa.Connection, account_id: uuid.UUID, year: int, number: int
) -> Statement | None:
    """A statement of an account by its number."""
    columns = [statement.c[name] for name in Statement.__dataclass_fields__]
    query = sa.select(*columns).where(
        statement.c.account_id == account_id,
        statement.c.year == year,
        statement.c.number == number,
    )
    row = connection.execute(query).mappings().one_or_none()
    return None if row is None else _statement(row)


def _statement(row: sa.RowMapping) -> Statement:
    own = {"kind": StatementKind(row["kind"]), "parts": read_parts(row["parts"])}
    return Statement(**{str(name): row[name] for name in row} | own)


def open_period(connection: sa.Connection, month: dt.date, now: dt.date) -> str:
    """Period in which something of a month counts: its own, or, once closed, the present one."""
    own = f"{month:%Y-%m}"
    closed = sa.select(ledger_period.c.period).where(ledger_period.c.period == own)
    return own if connection.execute(closed).first() is None else f"{now:%Y-%m}"
