"""A month is closed: posted, issued, and corrected when something of it becomes known later."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from core.errors import Conflict
from mobility.actions.forget_usage import RIDERS_KEPT
from mobility.actions.rate_riders import RiderFares, read_fares
from mobility.db.engine import Connection, Engine, again_after_deadlock
from mobility.db.ledger import add_postings
from mobility.db.statements import (
    MonthState,
    PostedMonth,
    Statement,
    StatementKind,
    issue,
    mark_closed,
    months_to_close,
    months_to_correct,
    open_period,
    save_posted,
)
from mobility.db.usage import put_month
from payments.ledger import Entry, Posting, post
from payments.month import MonthBill, month_after, month_before, rate_month
from payments.tariff import ONE_DAY, Tariff

AT_ONCE = 200
"""Accounts of one transaction: whatever happens, those of other transactions are closed."""
CHARGED_FOR = dt.timedelta(days=10)
"""What becomes known so long after a statement is charged; later it is the authority's loss."""
OPERATOR = "network"
"""Whose revenue it is until it is shared out."""


class MonthNotOver(Conflict):
    """A month in which somebody may still travel."""

    code = "month_not_over"


class MonthForgotten(Conflict):
    """A month so old that it is forgotten whose legs were whose."""

    code = "month_forgotten"


class OtherTariff(Conflict):
    """A month that this tariff is not for."""

    code = "other_tariff"


@dataclass(frozen=True, slots=True)
class Closing:
    """What closing has done."""

    months: int
    amount_cents: int


def close_month(
    engine: Engine,
    tariff: Tariff,
    month: dt.date,
    *,
    now: dt.datetime,
    is_final: bool = True,
    on_progress: Callable[[int], None] = lambda _: None,
) -> Closing:
    """
    Rate and post all that is open of a month, and issue its statements if it `is_final`.

    It may be stopped at any time and begun anew: each account is closed once.

    Raises
    ------
    MonthNotOver
        Its last fare day has not ended.
    MonthForgotten
        It is so old that legs of it, or of the month before, belong to nobody any more.
    OtherTariff
        The tariff does not hold on all of its days, or it was posted by another one.
    """
    last = month_after(month) - ONE_DAY
    if tariff.fare_day(now) <= last:
        raise MonthNotOver(f"{month:%Y-%m} is not over")
    if tariff.month_start(month_before(month)) < now - RIDERS_KEPT:
        raise MonthForgotten(f"whose rides those of {month:%Y-%m} were is forgotten by now")
    if not (tariff.is_valid_on(month) and tariff.is_valid_on(last)):
        raise OtherTariff(f"tariff {tariff.id} does not hold on all days of {month:%Y-%m}")
    states = [MonthState.OPEN, MonthState.PROVISIONAL] if is_final else [MonthState.OPEN]
    count = cents = 0
    while True:
        done = _close_some(engine, tariff, month, states, now)
        if not done:
            if is_final:
                with engine.begin() as connection:
                    mark_closed(connection, month, now)
            return Closing(count, cents)
        count += len(done)
        cents += sum(own.posted_cents for own in done)
        on_progress(count)


@again_after_deadlock
def _close_some(
    engine: Engine, tariff: Tariff, month: dt.date, states: list[MonthState], now: dt.datetime
) -> list[PostedMonth]:
    is_final = MonthState.PROVISIONAL in states
    with engine.begin() as connection:
        found = months_to_close(connection, month, states, AT_ONCE)
        if not found:
            return []
        account_ids = [own.account_id for own in found]
        fares = read_fares(connection, tariff, account_ids, month, month)
        period = open_period(connection, month, now.date())
        closed: list[PostedMonth] = []
        groups: list[tuple[Posting, ...]] = []
        statements: list[Statement] = []
        for own in found:
            rated = _rate(connection, tariff, own, fares[own.account_id], now)
            after, made = _charge(own, rated.amount_cents, period)
            groups += made
            if is_final:
                after = replace(after, state=MonthState.ISSUED, issued_at=now)
                statements.append(
                    Statement(
                        StatementKind.STATEMENT, own.account_id, month, rated.amount_cents,
                        tariff.currency, statement_lines(rated), now,
                    )
                )  # fmt: skip
            else:
                after = replace(after, state=MonthState.PROVISIONAL)
            closed.append(after)
        add_postings(connection, groups, now.date())
        save_posted(connection, closed)
        issue(connection, statements)
    return closed


@again_after_deadlock
def correct_months(engine: Engine, *, now: dt.datetime) -> int:
    """
    Post what changed of months after they were issued; returns how many.

    Less is given back at once, by a credit note. More is charged for `CHARGED_FOR` after the
    statement, by a supplement, and lost later. Done twice, nothing is left to do.
    """
    with engine.begin() as connection:
        found = months_to_correct(connection, AT_ONCE)
        groups: list[tuple[Posting, ...]] = []
        statements: list[Statement] = []
        corrected: list[PostedMonth] = []
        for own in found:
            period = open_period(connection, own.month, now.date())
            more = own.amount_cents - own.posted_cents - own.lost_cents
            assert own.issued_at is not None
            if more > 0 and now > own.issued_at + CHARGED_FOR:
                groups.append(_posting(own, "late_usage_lost", more, period))
                corrected.append(
                    replace(
                        own, lost_cents=own.lost_cents + more,
                        posting_count=own.posting_count + 1,
                    )
                )  # fmt: skip
                continue
            # What was lost before is never charged: less of a month takes from that first.
            spared = min(own.lost_cents, -more) if more < 0 else 0
            after = replace(own, lost_cents=own.lost_cents - spared)
            if spared:
                groups.append(_posting(after, "late_usage_spared", spared, period))
                after = replace(after, posting_count=after.posting_count + 1)
            after, made = _charge(after, own.amount_cents - after.lost_cents, period)
            groups += made
            corrected.append(after)
            change = after.posted_cents - own.posted_cents
            if change:
                kind = StatementKind.SUPPLEMENT if change > 0 else StatementKind.CREDIT_NOTE
                statements.append(
                    Statement(kind, own.account_id, own.month, change, own.currency, [], now)
                )
        add_postings(connection, groups, now.date())
        save_posted(connection, corrected)
        issue(connection, statements)
    return len(corrected)


def _rate(
    connection: Connection,
    tariff: Tariff,
    own: PostedMonth,
    fares: RiderFares,
    now: dt.datetime,
) -> MonthBill:
    """Rate it anew: a proof, a card or a leg may have come since it was rated."""
    if own.state is not MonthState.OPEN and own.tariff_hash != tariff.content_hash:
        raise OtherTariff(f"{own.month:%Y-%m} was posted by another tariff: serve that one again")
    rated = rate_month([tariff], fares.legs, own.month, fares.proofs)
    if (rated.amount_cents, tariff.content_hash) != (own.amount_cents, own.tariff_hash):
        put_month(
            connection, own.account_id, rated.total, tariff.currency, tariff.content_hash, now
        )
    return rated


def _charge(
    own: PostedMonth, wanted_cents: int, period: str
) -> tuple[PostedMonth, list[tuple[Posting, ...]]]:
    """Post what the rider is to be charged, less what he was charged before."""
    change = wanted_cents - own.posted_cents
    if not change:
        return own, []
    kind = "usage_accrued" if change > 0 else "usage_corrected"
    after = replace(own, posted_cents=wanted_cents, posting_count=own.posting_count + 1)
    return after, [_posting(own, kind, abs(change), period)]


def _posting(own: PostedMonth, kind: str, cents: int, period: str) -> tuple[Posting, ...]:
    group = f"month:{own.account_id}:{own.month:%Y-%m}:{own.posting_count}"
    names = {"rider": str(own.account_id), "operator": OPERATOR}
    return post(group, period, own.currency, [Entry(kind, cents, names, f"{own.month:%Y-%m}")])


def statement_lines(rated: MonthBill) -> Sequence[dict[str, Any]]:
    """Lines that are kept: rules, amounts and numbers of legs; no place and no time of day."""
    return [
        {
            "kind": c.kind, "rule": c.rule, "amount_cents": c.amount_cents,
            "leg_count": sum(row >= rated.first_row for row in c.legs),
            "since": None if c.since is None else c.since.isoformat(),
            "category": c.category, "tariff_hash": c.tariff_hash,
        }
        for c in rated.charges
    ]  # fmt: skip
