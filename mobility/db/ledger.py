"""The ledger in PostgreSQL: postings are added, never changed; balances run along."""

from __future__ import annotations

import datetime as dt
import uuid
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from core.errors import Conflict
from mobility.db.fare_schema import ledger_balance, ledger_day, ledger_period, posting
from mobility.db.sent_rows import sent_rows
from payments.ledger import (
    NEVER_OVERDRAWN,
    Balance,
    Posting,
    balances,
    chain,
    is_genuine,
)

COLUMNS = tuple(Posting.__dataclass_fields__)
_TYPES = {
    "id": sa.Uuid,
    "nth": sa.Integer,
    **dict.fromkeys(("amount_cents", "debit_cents", "credit_cents"), sa.BigInteger),
}
CHECK_VIOLATION = "23514"
CLOSING_LOCK = 7_305_003
STREAMED = 10_000
"""Postings that are held at once while all of them are read."""


class GroupChanged(Conflict):
    """A group that was posted with another content."""

    code = "group_changed"


class Overdrawn(Conflict):
    """More would be paid out of an account than it holds."""

    code = "overdrawn"


class Closed(Conflict):
    """The period or the day is closed."""

    code = "period_closed"


@dataclass(frozen=True, slots=True)
class ClosedDay:
    """A day of the ledger that nobody can add to, and the hash of all up to it."""

    day: dt.date
    hash: bytes
    posting_count: int


def add_postings(
    connection: sa.Connection, groups: Sequence[Sequence[Posting]], today: dt.date
) -> int:
    """
    Post groups, each as a whole and once; returns how many were not there yet.

    Raises
    ------
    GroupChanged
        A group of this name was posted with another content.
    Overdrawn
        It would take more from an account than there is in it.
    Closed
        Its period or day is closed.
    """
    # In one order everywhere, so that of two writers none waits for the other.
    every = sorted((p for group in groups for p in group), key=lambda p: (p.group, p.nth))
    if not every:
        return 0
    # Whoever closes a day or a period waits for those who post, and they for him.
    connection.execute(sa.select(sa.func.pg_advisory_xact_lock_shared(CLOSING_LOCK)))
    new = _insert(connection, every, today)
    known = [group for group in groups if group[0].id not in new]
    partly = [group for group in groups if len({p.id in new for p in group}) > 1]
    if partly or (known and _differ(connection, known)):
        name = (partly or known)[0][0].group
        raise GroupChanged(f"{name} was posted with another content")
    _add_up(connection, [each for each in every if each.id in new])
    return len({each.group for each in every if each.id in new})


def _insert(connection: sa.Connection, every: Sequence[Posting], today: dt.date) -> set[uuid.UUID]:
    rows = sent_rows([{name: getattr(each, name) for name in COLUMNS} for each in every], _TYPES)
    query = sa.select(*rows.c, sa.literal(today, sa.Date))
    insert = pg.insert(posting).from_select([*COLUMNS, "posted_on"], query)
    added = insert.on_conflict_do_nothing().returning(posting.c.id).cte("added")
    # Which they are is of interest only where some were there before.
    count = sa.func.count()
    told = sa.case((count < len(every), sa.func.array_agg(added.c.id)))
    try:
        new = connection.execute(sa.select(count, told).select_from(added)).one()
    except sa.exc.IntegrityError as error:
        if getattr(error.orig, "sqlstate", None) == CHECK_VIOLATION:
            raise Closed("the period or the day of a posting is closed") from error
        raise
    return {each.id for each in every} if new[0] == len(every) else set(new[1] or ())


def _differ(connection: sa.Connection, groups: Sequence[Sequence[Posting]]) -> bool:
    """Whether groups that are there have other postings than these."""
    names = [group[0].group for group in groups]
    query = sa.select(posting.c.id).where(posting.c.group.in_(names))
    stored = set(connection.execute(query).scalars())
    return stored != {each.id for group in groups for each in group}


def _add_up(connection: sa.Connection, new: Sequence[Posting]) -> None:
    moved = sorted(balances(new).items())
    if not moved:
        return
    rows = sent_rows(
        [
            {
                "account": account, "currency": currency,
                "debit_cents": own.debit_cents, "credit_cents": own.credit_cents,
            }
            for (account, currency), own in moved
        ],
        _TYPES,
    )  # fmt: skip
    insert = pg.insert(ledger_balance).from_select(list(rows.c.keys()), sa.select(*rows.c))
    added = {
        name: ledger_balance.c[name] + insert.excluded[name]
        for name in ("debit_cents", "credit_cents")
    }
    upsert = insert.on_conflict_do_update(index_elements=["account", "currency"], set_=added)
    after = upsert.returning(*ledger_balance.c).cte("after")
    paid_out = sa.select(after).where(after.c.debit_cents > after.c.credit_cents)
    guarded = sa.func.split_part(after.c.account, ":", 1).in_(sorted(NEVER_OVERDRAWN))
    for account, _, debit_cents, credit_cents in connection.execute(paid_out.where(guarded)):
        raise Overdrawn(f"{account} would hold {credit_cents - debit_cents} cents")


def read_balances(connection: sa.Connection) -> dict[tuple[str, str], Balance]:
    """Balances as they run along."""
    return {
        (account, currency): Balance(debit_cents, credit_cents)
        for account, currency, debit_cents, credit_cents in connection.execute(
            sa.select(*ledger_balance.c)
        )
    }


def recount(connection: sa.Connection) -> dict[tuple[str, str], tuple[Balance, Balance]]:
    """Accounts of which the balance is not what their postings add up to: (kept, counted)."""
    sides = [
        sa.select(
            posting.c[side].label("account"), posting.c.currency,
            sa.func.sum(posting.c.amount_cents if side == "debit" else 0).label("debit_cents"),
            sa.func.sum(posting.c.amount_cents if side == "credit" else 0).label("credit_cents"),
        ).group_by(posting.c[side], posting.c.currency)
        for side in ("debit", "credit")
    ]  # fmt: skip
    counted: dict[tuple[str, str], Balance] = defaultdict(Balance)
    for account, currency, debit_cents, credit_cents in connection.execute(sa.union_all(*sides)):
        own = counted[account, currency]
        counted[account, currency] = Balance(
            own.debit_cents + int(debit_cents), own.credit_cents + int(credit_cents)
        )
    kept = read_balances(connection)
    return {
        key: (kept.get(key, Balance()), counted.get(key, Balance()))
        for key in sorted({*kept, *counted})
        if kept.get(key, Balance()) != counted.get(key, Balance())
    }


def list_postings(
    connection: sa.Connection, period: str | None = None
) -> Iterator[tuple[Posting, dt.date]]:
    """Postings in the order they were made in, with their days; of a month, a year, or all."""
    query = sa.select(*(posting.c[name] for name in COLUMNS), posting.c.posted_on)
    if period is not None:
        query = query.where(posting.c.period.startswith(period))
    streamed = query.order_by(posting.c.seq).execution_options(yield_per=STREAMED)
    for *values, day in connection.execute(streamed):
        yield Posting(*values), day


def close_period(connection: sa.Connection, period: str, now: dt.datetime) -> None:
    """Let nothing more be posted for a month; closed twice, it is closed once."""
    connection.execute(sa.select(sa.func.pg_advisory_xact_lock(CLOSING_LOCK)))
    connection.execute(
        pg.insert(ledger_period).values(period=period, closed_at=now).on_conflict_do_nothing()
    )


def _open_days(before: dt.date) -> sa.Select[Any]:
    last = sa.select(sa.func.max(ledger_day.c.day)).scalar_subquery()
    return sa.select(posting.c.posted_on).where(
        posting.c.posted_on < before, sa.or_(last.is_(None), posting.c.posted_on > last)
    )


def has_open_days(connection: sa.Connection, before: dt.date) -> bool:
    """Whether something was posted on days before one that are not closed."""
    return connection.execute(_open_days(before).limit(1)).first() is not None


def close_days(connection: sa.Connection, before: dt.date) -> list[ClosedDay]:
    """Close all days before one, the oldest first; returns those that were open."""
    connection.execute(sa.select(sa.func.pg_advisory_xact_lock(CLOSING_LOCK)))
    last = sa.select(ledger_day.c.hash).order_by(ledger_day.c.day.desc()).limit(1)
    previous = connection.execute(last).scalar() or b""
    closed = []
    for day in sorted(connection.execute(_open_days(before).distinct()).scalars()):
        ids = _ids_of(connection, day)
        previous = chain(previous, ids)
        closed.append(ClosedDay(day, previous, len(ids)))
        connection.execute(
            ledger_day.insert().values(day=day, hash=previous, posting_count=len(ids))
        )
    return closed


def broken_days(connection: sa.Connection) -> list[dt.date]:
    """Closed days of which the hash is not that of their postings, or a posting not of its id."""
    broken, previous = [], b""
    rows: list[Any] = list(connection.execute(sa.select(*ledger_day.c).order_by(ledger_day.c.day)))
    for row in rows:
        ids = _ids_of(connection, row.day)
        previous = chain(previous, ids)
        forged = [each for each in _postings_of(connection, row.day) if not is_genuine(each)]
        if forged or (bytes(row.hash), row.posting_count) != (previous, len(ids)):
            broken.append(row.day)
        previous = bytes(row.hash)
    return broken


def _ids_of(connection: sa.Connection, day: dt.date) -> list[uuid.UUID]:
    query = sa.select(posting.c.id).where(posting.c.posted_on == day)
    return list(connection.execute(query).scalars())


def _postings_of(connection: sa.Connection, day: dt.date) -> Iterator[Posting]:
    query = sa.select(*(posting.c[name] for name in COLUMNS)).where(posting.c.posted_on == day)
    for values in connection.execute(query.execution_options(yield_per=STREAMED)):
        yield Posting(*values)
