"""
Totals of many riders at once, by kernels: the same least bill as `payments.rating`, without lines.

What its tables cannot hold (versions of a tariff, more than two week products, more than
`PASS_LIMIT` products and categories together) is rated by `payments.rating` instead.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from core.money import round_half_up
from payments.alone import Terms, price_alone, terms_of
from payments.bill import Proof
from payments.kernels import CALENDAR_MONTH, FARE_DAY, ROLLING_7D, rate_riders
from payments.month import MonthTotal, month_before, month_of, rate_month
from payments.rating import in_order, rate
from payments.tariff import LIST_PRICE, MODES, FareLeg, Period, Product, Tariff

Int64 = npt.NDArray[np.int64]
Order = tuple[object, ...]
Row = tuple[int, ...]
PASS_LIMIT = 10
"""Products, and categories for which they are reduced: a table has two to this power columns."""
CODE = {
    Period.FARE_DAY: FARE_DAY,
    Period.ROLLING_7D: ROLLING_7D,
    Period.CALENDAR_MONTH: CALENDAR_MONTH,
}
BIT = {mode: 1 << nth for nth, mode in enumerate(MODES)}
WEEK_LIMIT = 2
COLUMNS = 8
EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
MICROSECOND = dt.timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Rider:
    """One rider's legs, in whatever order, and his categories."""

    legs: Sequence[FareLeg]
    proofs: Sequence[Proof] = ()


class LegTable:
    """One rider's legs as rows of a kernel's table, to which others are added in thought."""

    def __init__(
        self, tariff: Tariff, proofs: Sequence[Proof], legs: Sequence[FareLeg] = ()
    ) -> None:
        self._tariff, self._proofs, self._legs = tariff, proofs, legs
        self._passes = passes_of(tariff, frozenset(proof.category for proof in proofs))
        weeks = sum(product.period is Period.ROLLING_7D for product, _ in self._passes)
        # With a pattern a week may be bought on a day on which it covers nothing, to run out
        # before legs that cost less together: the rater does not, the kernel of two weeks does.
        most_weeks = 1 if any(journey.pattern for journey in tariff.fare_journeys) else WEEK_LIMIT
        self.fits = len(self._passes) <= PASS_LIMIT and weeks <= most_weeks
        """Whether the kernel's tables can hold the tariff's products for the rider."""
        self.tables = pass_table(tariff, self._passes), *join_tables(tariff)
        self._lines: dict[str, int] = {}
        self._terms: dict[dt.date, Terms | None] = {}
        self.rows = sorted(self._encode(legs))
        """(order of rating, numbers) of each leg that has a price alone."""

    @cached_property
    def total(self) -> int:
        """What the legs cost."""
        return self.total_with(())

    def total_with(self, more: Sequence[FareLeg]) -> int:
        """What they cost with some more."""
        if not self.fits:
            return rate([self._tariff], [*self._legs, *more], self._proofs).amount_cents
        rows = sorted((*self.rows, *self._encode(more))) if more else self.rows
        return int(self.rate_tables([rows])[0])

    def rate_tables(self, tables: Sequence[Sequence[tuple[Order, Row]]]) -> Int64:
        """Totals of several riders with the same categories, each with rows in order."""
        totals = np.zeros(len(tables), np.int64)
        rate_riders(*leg_columns(tables), *self.tables, totals)
        return totals

    def _encode(self, legs: Sequence[FareLeg]) -> Iterator[tuple[Order, Row]]:
        tariff, terms_on = self._tariff, self._terms
        for leg in legs:
            local, day = tariff.clock(leg)
            if day not in terms_on:
                valid = tariff.is_valid_on(day)
                terms_on[day] = terms_of(tariff, self._proofs, day) if valid else None
            terms = terms_on[day]
            single = None if terms is None else price_alone(terms, leg, local)
            if terms is None or single is None or isinstance(single, str):
                continue
            cover = 0
            for bit, (product, category) in enumerate(self._passes):
                if category in terms.shares and product.covers(leg):
                    cover |= 1 << bit
            line = self._lines.setdefault(leg.route, len(self._lines))
            at_us = (leg.board_at - EPOCH) // MICROSECOND
            yield in_order(leg), (
                single.cents, day.toordinal(), day.year * 12 + day.month, cover, at_us,
                BIT[leg.mode], line, min(terms.shares.values()),
            )  # fmt: skip


def total_month(
    tariffs: Sequence[Tariff], legs: Sequence[FareLeg], month: dt.date, proofs: Sequence[Proof] = ()
) -> MonthTotal:
    """What `rate_month` says of a month, without its lines and, by one version, much sooner."""
    if len(tariffs) > 1:
        return rate_month(tariffs, legs, month, proofs).total
    (tariff,) = tariffs
    own, before = (
        [leg for leg in legs if month_of(tariff, leg) == of] for of in (month, month_before(month))
    )
    if not own:
        return MonthTotal(month, 0, 0, 0)
    if not any(product.period is Period.ROLLING_7D for product in tariff.products):
        before = []
    table = LegTable(tariff, proofs, own)
    amount_cents = table.total
    if before:
        earlier = LegTable(tariff, proofs, before)
        amount_cents = earlier.total_with(own) - earlier.total
    return MonthTotal(month, amount_cents, len(own), len(own) - len(table.rows))


def rate_totals(tariff: Tariff, riders: Sequence[Rider]) -> Int64:
    """Find what each rider owes, shape (riders,); legs without a price are not in it."""
    totals = np.zeros(len(riders), np.int64)
    groups: dict[frozenset[str], list[int]] = {}
    for row, rider in enumerate(riders):
        groups.setdefault(frozenset(proof.category for proof in rider.proofs), []).append(row)
    for rows in groups.values():
        tables = [LegTable(tariff, riders[row].proofs, riders[row].legs) for row in rows]
        if tables[0].fits:
            totals[rows] = tables[0].rate_tables([table.rows for table in tables])
        else:
            totals[rows] = [table.total for table in tables]
    return totals


def leg_columns(tables: Sequence[Sequence[tuple[Order, Row]]]) -> tuple[Int64, Int64]:
    """First leg of each rider, and all legs as columns, as `rate_riders` takes them."""
    first = np.r_[0, np.cumsum([len(rows) for rows in tables], dtype=np.int64)]
    legs = np.array([row for rows in tables for _, row in rows], np.int64)
    return first, legs.reshape(-1, COLUMNS).T.copy()


def passes_of(
    tariff: Tariff, categories: frozenset[str] = frozenset()
) -> list[tuple[Product, str | None]]:
    """Products of a tariff, as they are for nobody in particular and for some categories."""
    names = [None, *(c.id for c in tariff.categories if c.id in categories)]
    return [(product, name) for product in tariff.products for name in names]


def pass_table(tariff: Tariff, passes: Sequence[tuple[Product, str | None]]) -> Int64:
    """Shape (passes, 4): periods, prices and limits, as `rate_riders` takes them."""
    shares: Mapping[str | None, int] = {
        None: LIST_PRICE,
        **{c.id: c.permille for c in tariff.categories},
    }
    table = np.zeros((len(passes), 4), np.int64)
    for row, (product, category) in enumerate(passes):
        cents = round_half_up(product.price_cents * shares[category], LIST_PRICE)
        if category is not None and product.category_cents is not None:
            cents = product.category_cents.get(category, cents)
        most = -1 if product.most_legs is None else product.most_legs
        table[row] = CODE[product.period], cents, most, passes.index((product, None))
    return table


def join_tables(tariff: Tariff) -> tuple[Int64, Int64]:
    """Fare journeys, shape (j, 6), and their patterns, as `rate_riders` takes them."""
    journeys = tariff.fare_journeys
    longest = max((len(j.pattern) for j in journeys if j.pattern), default=0)
    joins = np.zeros((len(journeys), 6), np.int64)
    patterns = np.zeros((len(journeys), longest), np.int64)
    for row, journey in enumerate(journeys):
        pattern = journey.pattern or ()
        joins[row] = (
            journey.window_s, _bits(journey.modes), journey.most_legs or 0, journey.other_routes,
            len(pattern), journey.price_cents or 0,
        )  # fmt: skip
        patterns[row, : len(pattern)] = [_bits(modes) for modes in pattern]
    return joins, patterns


def _bits(modes: frozenset[str]) -> int:
    return sum(BIT[mode] for mode in modes)
