"""A month is closed: posted, issued, and corrected when something of it becomes known later."""

from __future__ import annotations

import datetime as dt
import gc
import uuid
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from multiprocessing import get_context
from typing import Any, TypeVar

from core.errors import Conflict
from mobility.actions.forget_usage import RIDERS_KEPT
from mobility.actions.note_numbers import devices_that_owe
from mobility.actions.rate_riders import RiderFares, rate_accounts, read_fares
from mobility.db.engine import Connection, Engine, again_after_deadlock, open_engine
from mobility.db.guessed_ends import count_guessed
from mobility.db.ledger import add_postings
from mobility.db.statements import (
    MonthState,
    PostedMonth,
    Statement,
    StatementKind,
    hold_budgets,
    is_closed,
    issue,
    mark_closed,
    months_to_close,
    months_to_correct,
    open_period,
    save_budgets,
    save_posted,
)
from mobility.db.usage import hold_accounts, put_months
from payments.ledger import Entry, Posting, account_name, post
from payments.many import rate_own_month
from payments.month import MonthBill, month_after, month_before
from payments.payers import NOBODY, PartKey, add_up, charged_parts, share_out
from payments.revenue_shares import NETWORK, cut_shares, share_revenue, shares_of_operators
from payments.rights import ANOTHER_RIDER
from payments.tariff import ONE_DAY
from payments.versions import Tariffs

AT_ONCE = 400
"""Accounts of one transaction: whatever happens, those of other transactions are closed."""
CHARGED_FOR = dt.timedelta(days=10)
"""What becomes known so long after a statement is charged; later it is the authority's loss."""
Key = TypeVar("Key")
NO_NAMES: Mapping[str, str] = {}


class MonthNotOver(Conflict):
    """A month in which somebody may still travel."""

    code = "month_not_over"


class MonthClosed(Conflict):
    """A month of which the statements are issued."""

    code = "month_closed"


class DevicesOwe(Conflict):
    """Devices may still hold something of the month."""

    code = "devices_owe"


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
    tariffs: Tariffs,
    month: dt.date,
    *,
    now: dt.datetime,
    is_final: bool = True,
    despite_gaps: bool = False,
    workers: int = 1,
    on_progress: Callable[[int], None] = lambda _: None,
) -> Closing:
    """
    Rate and post all that is open of a month, and issue its statements if it `is_final`.

    It may be stopped at any time and begun anew: each account is closed once, also by several
    `workers`, which are processes.

    Raises
    ------
    MonthClosed
        It is closed, and not `is_final` is asked for; closed twice, it is closed once.
    MonthNotOver
        Its last fare day has not ended.
    DevicesOwe
        It is final, but numbers of devices are missing around it, or one was not heard of since it
        ended; not `despite_gaps`.
    MonthForgotten
        It is so old that legs of it, or of the month before, belong to nobody any more.
    OtherTariff
        The tariff does not hold on all of its days, or it was posted by another one.
    """
    last = month_after(month) - ONE_DAY
    if tariffs.fare_day(now) <= last:
        raise MonthNotOver(f"{month:%Y-%m} is not over")
    with engine.connect() as connection:
        if is_closed(connection, month):
            if not is_final:
                raise MonthClosed(f"{month:%Y-%m} is closed: what comes later is a correction")
            return Closing(0, 0)
    if tariffs.month_start(month_before(month)) < now - RIDERS_KEPT:
        raise MonthForgotten(f"whose rides those of {month:%Y-%m} were is forgotten by now")
    if not tariffs.holds_throughout(month, last):
        raise OtherTariff(f"there is no tariff on some day of {month:%Y-%m}")
    if is_final and not despite_gaps:
        with engine.connect() as connection:
            owing = devices_that_owe(connection, tariffs, month)
        if owing:
            named = ", ".join(own.source for own in owing[:9])
            raise DevicesOwe(f"{len(owing)} devices may still hold something of it: {named}")
    states = [MonthState.OPEN, MonthState.PROVISIONAL] if is_final else [MonthState.OPEN]
    count = cents = 0
    task = partial(_close_some, tariffs=tariffs, month=month, states=states, now=now)
    for done in _closings(engine, task, workers):
        count += len(done)
        cents += sum(own.posted_cents for own in done)
        on_progress(count)
    if is_final:
        with engine.begin() as connection:
            mark_closed(connection, month, now)
    return Closing(count, cents)


Task = Callable[..., list[PostedMonth]]


def _closings(engine: Engine, task: Task, workers: int) -> Iterator[list[PostedMonth]]:
    """What each transaction has closed: first those of workers, then what they have left."""
    if workers > 1:
        url = engine.url.render_as_string(hide_password=False)
        with ProcessPoolExecutor(workers, get_context("spawn"), _begin_work, (url,)) as pool:
            running = [pool.submit(_work, task) for _ in range(workers)]
            while running:
                done = running.pop(0).result()
                if done:
                    running.append(pool.submit(_work, task))
                    yield done
    while done := task(engine):
        yield done


_own: list[Engine] = []
"""A worker's connection."""


def _begin_work(url: str) -> None:
    _own.append(open_engine(url))
    # Lines of bills are many small objects, none in a circle: do not look for circles all the time.
    gc.freeze()
    gc.set_threshold(100_000)


def _work(task: Task) -> list[PostedMonth]:
    return task(_own[0], with_others=True)


@again_after_deadlock
def _close_some(
    engine: Engine,
    tariffs: Tariffs,
    month: dt.date,
    states: list[MonthState],
    now: dt.datetime,
    *,
    with_others: bool = False,
) -> list[PostedMonth]:
    is_final = MonthState.PROVISIONAL in states
    with engine.begin() as connection:
        found = months_to_close(connection, month, states, AT_ONCE, with_others=with_others)
        if not found:
            return []
        account_ids = [own.account_id for own in found]
        books = _Books(connection, tariffs, month, now)
        books.hold(account_ids)
        of = tariffs.of_month(month)
        for own in found:
            if own.state is not MonthState.OPEN and own.tariff_hash != of.content_hash:
                raise OtherTariff(
                    f"{month:%Y-%m} was posted by another tariff: serve that one again"
                )
        # Rated anew: a proof, a card or a leg may have come since.
        bills = rate_accounts(connection, tariffs, account_ids, month)
        guessed = {}
        if is_final:
            span = of.month_start(month), of.month_start(month_after(month))
            guessed = count_guessed(connection, account_ids, *span)
        other = []
        for own in found:
            rated, fares = bills[own.account_id]
            if (rated.amount_cents, of.content_hash) != (own.amount_cents, own.tariff_hash):
                other.append((own.account_id, rated.total))
            parts = books.share_out(own, rated, fares)
            shares = shares_of_operators(share_revenue(tariffs, rated))
            books.charge(own, rated.amount_cents, parts, shares)
            if is_final:
                lines, ends = statement_lines(rated), guessed.get(own.account_id)
                books.issue(own, StatementKind.STATEMENT, rated.amount_cents, parts, lines, ends)
            else:
                books.keep(own, state=MonthState.PROVISIONAL)
        put_months(connection, other, of.currency, of.content_hash)
        books.store()
    return list(books.months.values())


@again_after_deadlock
def correct_months(engine: Engine, tariffs: Tariffs | None, *, now: dt.datetime) -> int:
    """
    Post what changed of months after they were issued; returns how many were looked at.

    Less is given back at once, by a credit note. More is charged for `CHARGED_FOR` after the
    statement, by a supplement, and lost later. Done twice, nothing is left to do. Who pays is
    worked out anew where the tariff is the one by which the month was posted.
    """
    with engine.begin() as connection:
        found = months_to_correct(connection, AT_ONCE)
        for month in sorted({own.month for own in found}):
            books = _Books(connection, tariffs, month, now)
            alike = [own for own in found if own.month == month]
            books.hold([own.account_id for own in alike])
            for own in alike:
                _correct(connection, books, own)
            books.store()
    return len(found)


def _correct(connection: Connection, books: _Books, own: PostedMonth) -> None:
    more = own.amount_cents - own.posted_cents - own.lost_cents
    assert own.issued_at is not None
    if more > 0 and books.now > own.issued_at + CHARGED_FOR:
        lost_cents = own.lost_cents + more
        books.post(own, [("late_usage_lost", more, NO_NAMES)], lost_cents=lost_cents)
    else:
        # What was lost before is never charged: less of a month takes from that first.
        spared = min(own.lost_cents, -more) if more < 0 else 0
        lost_cents = own.lost_cents - spared
        entries = [("late_usage_spared", spared, NO_NAMES)] if spared else []
        books.post(own, entries, lost_cents=lost_cents)
    wanted_cents = own.amount_cents - lost_cents
    known = books.known_again(connection, own)
    if known is not None:
        parts, shares = known
        parts = charged_parts(parts, own.amount_cents, wanted_cents)
    else:
        parts = charged_parts(own.parts, own.posted_cents, min(wanted_cents, own.posted_cents))
        shares = cut_shares(own.shares, own.posted_cents + own.lost_cents, own.amount_cents)
    # What was lost is the authority's loss: operators have earned it.
    books.charge(own, wanted_cents, parts, shares)
    change = wanted_cents - own.posted_cents
    shifted = _differences(own.parts, parts)
    of_rider = change - sum(shifted.values())
    if change or shifted:
        kind = StatementKind.SUPPLEMENT if (of_rider or change) > 0 else StatementKind.CREDIT_NOTE
        books.issue(own, kind, change, shifted)


class _Books:
    """What is posted, issued and noted of some riders' month in one transaction."""

    def __init__(
        self, connection: Connection, tariffs: Tariffs | None, month: dt.date, now: dt.datetime
    ) -> None:
        self._connection, self._tariffs, self._month, self.now = connection, tariffs, month, now
        self._period = open_period(connection, month, now.date())
        payers = () if tariffs is None else tariffs.of_payers(month).payers
        limited = [payer.id for payer in payers if payer.budget_cents is not None]
        self._budgets = hold_budgets(connection, limited, month.year)
        self._groups: list[tuple[Posting, ...]] = []
        self._statements: list[Statement] = []
        self._earned: dict[str, tuple[PostedMonth, dict[str, int]]] = {}
        """By currency: the first month by which operators have earned, and what by all of them."""
        self.months: dict[uuid.UUID, PostedMonth] = {}
        """As they are afterwards, by account."""

    def hold(self, account_ids: Sequence[uuid.UUID]) -> None:
        """Let no other month of accounts be shared out meanwhile, where a year has a ceiling."""
        versions = () if self._tariffs is None else self._tariffs.versions
        if any(payer.max_year_cents is not None for own in versions for payer in own.payers):
            hold_accounts(self._connection, account_ids)

    def keep(self, own: PostedMonth, **changes: Any) -> PostedMonth:  # noqa: ANN401
        """Note what of a month has changed."""
        after = replace(self.months.get(own.account_id, own), **changes)
        self.months[own.account_id] = after
        return after

    def share_out(
        self, own: PostedMonth, rated: MonthBill, fares: RiderFares
    ) -> dict[PartKey, int]:
        """What others pay of a month, of budgets no more than this transaction finds in them."""
        if self._tariffs is None:
            return {}
        spent = fares.spent(own.month)
        for payer, cents in self._budgets.items():
            spent.from_budget[payer] = cents - _of_payer(own.parts, payer)
        return add_up(share_out(self._tariffs, rated, fares.rights.paid_for, spent))

    def known_again(
        self, connection: Connection, own: PostedMonth
    ) -> tuple[Mapping[PartKey, int], Mapping[str, int]] | None:
        """
        Work out what others pay of a month that was posted, and what operators have earned by it.

        None if that cannot be.
        """
        tariffs = self._tariffs
        if tariffs is None:
            return None
        of = tariffs.of_month(own.month)
        is_forgotten = of.month_start(month_before(own.month)) < self.now - RIDERS_KEPT
        if is_forgotten or own.tariff_hash != of.content_hash:
            return None
        fares = read_fares(connection, tariffs, [own.account_id], own.month, own.month)
        rider = fares[own.account_id]
        left = rider.left_before(own.month)
        rated = rate_own_month(of.versions, rider.legs, own.month, rider.rights.proofs, left)
        if rated.amount_cents != own.amount_cents:
            return None  # its rides are erased, or about to be rated anew
        shares = shares_of_operators(share_revenue(tariffs, rated))
        return self.share_out(own, rated, rider), shares

    def charge(
        self, own: PostedMonth, wanted_cents: int, parts: Mapping[PartKey, int],
        shares: Mapping[str, int],
    ) -> None:  # fmt: skip
        """
        Post what is to be charged, to the rider and to others, less what was before.

        What operators have earned more or less is noted, and posted for all months together.
        """
        change = wanted_cents - own.posted_cents
        kind = "usage_accrued" if change > 0 else "usage_corrected"
        entries = [(kind, abs(change), NO_NAMES)] if change else []
        for (payer, party), cents in sorted(_differences(own.parts, parts).items()):
            if payer == ANOTHER_RIDER:
                kind = "rider_charged" if cents > 0 else "rider_credited"
                entries.append((kind, abs(cents), {"payer": party}))
                continue
            names = {"payer": payer if party == NOBODY else f"{payer}.{party}"}
            entries.append((_PART_KIND[party == NOBODY, cents > 0], abs(cents), names))
            if payer not in self._budgets:
                self._budgets |= hold_budgets(self._connection, [payer], self._month.year)
            self._budgets[payer] += cents
        if own.shares != shares:
            _, earned = self._earned.setdefault(own.currency, (own, defaultdict(int)))
            for name, cents in _differences(own.shares, shares).items():
                earned[name] += cents
        self.post(own, entries, posted_cents=wanted_cents, parts=dict(parts), shares=shares)

    def post(
        self, own: PostedMonth, entries: Sequence[tuple[str, int, Mapping[str, str]]],
        what: str = "month", **changes: Any,  # noqa: ANN401
    ) -> None:  # fmt: skip
        """Post entries as one group; each group of a month has the next number."""
        count = self.months.get(own.account_id, own).posting_count
        self.keep(own, **changes, posting_count=count + bool(entries))
        if not entries:
            return
        group = f"{what}:{own.account_id}:{own.month:%Y-%m}:{count}"
        names = {"rider": str(own.account_id), "operator": NETWORK}
        ref = f"{own.month:%Y-%m}"
        made = [Entry(kind, cents, {**names, **more}, ref) for kind, cents, more in entries]
        self._groups.append(post(group, self._period, own.currency, made))

    def issue(
        self,
        own: PostedMonth,
        kind: StatementKind,
        cents: int,
        parts: Mapping[PartKey, int],
        lines: Sequence[dict[str, Any]] = (),
        guessed: Mapping[str, int] | None = None,
    ) -> None:
        """Issue a statement over an amount, of which others pay parts."""
        if kind is StatementKind.STATEMENT:
            self.keep(own, state=MonthState.ISSUED, issued_at=self.now)
        self._statements.append(
            Statement(
                kind, own.account_id, own.month, cents, own.currency, list(lines), self.now, parts,
                guessed=guessed,
            )
        )  # fmt: skip

    def store(self) -> None:
        """Write all of it."""
        for first, earned in self._earned.values():
            self.post(first, _shared(earned), "shares")
        add_postings(self._connection, self._groups, self.now.date())
        save_posted(self._connection, list(self.months.values()))
        save_budgets(self._connection, self._budgets, self._month.year)
        issue(self._connection, self._statements)


_PART_KIND = {
    (False, True): "payer_charged",
    (False, False): "payer_credited",
    (True, True): "subsidy_granted",
    (True, False): "subsidy_returned",
}
"""By whether it is paid for everybody, and whether it is more than before."""


def _shared(earned: Mapping[str, int]) -> list[tuple[str, int, Mapping[str, str]]]:
    """Entries that share out what operators have earned more or less than before."""
    return [
        ("revenue_shared" if cents > 0 else "revenue_unshared", abs(cents),
         {"operator": account_name(name)})
        for name, cents in sorted(earned.items()) if cents
    ]  # fmt: skip


def _differences(before: Mapping[Key, int], after: Mapping[Key, int]) -> dict[Key, int]:
    """What each part is more than before."""
    changes = {k: after.get(k, 0) - before.get(k, 0) for k in dict.fromkeys((*before, *after))}
    return {key: cents for key, cents in changes.items() if cents}


def _of_payer(parts: Mapping[PartKey, int], payer: str) -> int:
    return sum(cents for (of, _), cents in parts.items() if of == payer)


def statement_lines(rated: MonthBill) -> Sequence[dict[str, Any]]:
    """Lines that are kept: rules, amounts and numbers of legs; no place and no time of day."""
    return [
        {
            "kind": c.kind, "rule": c.rule, "amount_cents": c.amount_cents,
            "leg_count": len(c.legs),
            "since": None if c.since is None else c.since.isoformat(),
            "category": c.category, "tariff_hash": c.tariff_hash,
        }
        for c in rated.charges
    ]  # fmt: skip
