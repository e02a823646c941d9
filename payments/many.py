"""
Totals of many riders at once, by kernels: the same least bill as `payments.rating`, without lines.

What its tables cannot hold (versions of a tariff, more than two week products, more than
`PASS_LIMIT` products and categories together) is rated by `payments.rating` instead.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from core.money import round_half_up
from payments.alone import Terms, price_alone, terms_of
from payments.bill import Proof
from payments.kernels import CALENDAR_MONTH, FARE_DAY, ROLLING_7D, rate_riders
from payments.month import MonthTotal, rate_month
from payments.rating import in_order, rate
from payments.tariff import LIST_PRICE, MODES, FareLeg, Period, Product, Tariff

Int64 = npt.NDArray[np.int64]
Order = tuple[object, ...]
Row = tuple[int, ...]
Proofs = tuple[Proof, ...]
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
    proofs: Proofs = ()


class Ways:
    """How riders with some categories can pay, as tables of the kernel."""

    def __init__(self, tariff: Tariff, categories: frozenset[str]) -> None:
        self.tariff, self.passes = tariff, passes_of(tariff, categories)
        weeks = sum(product.period is Period.ROLLING_7D for product, _ in self.passes)
        # With a pattern a week may be bought on a day on which it covers nothing, to run out
        # before legs that cost less together: the rater does not, the kernel of two weeks does.
        most_weeks = 1 if any(journey.pattern for journey in tariff.fare_journeys) else WEEK_LIMIT
        self.fit = len(self.passes) <= PASS_LIMIT and weeks <= most_weeks
        """Whether the kernel's tables can hold them."""
        self.tables = pass_table(tariff, self.passes), *join_tables(tariff)
        self.lines: dict[str, int] = {}
        self._terms: dict[tuple[Proofs, dt.date], Terms | None] = {}

    def terms_on(self, fare_day: dt.date, proofs: Proofs) -> Terms | None:
        """What holds for a rider on a fare day."""
        key = proofs, fare_day
        if key not in self._terms:
            valid = self.tariff.is_valid_on(fare_day)
            self._terms[key] = terms_of(self.tariff, proofs, fare_day) if valid else None
        return self._terms[key]

    def rate(self, tables: Sequence[Sequence[tuple[Order, Row]]]) -> Int64:
        """Totals of several riders, each with rows in order."""
        totals = np.zeros(len(tables), np.int64)
        rate_riders(*leg_columns(tables), *self.tables, totals)
        return totals


class LegTable:
    """One rider's legs as rows of a kernel's table, to which others are added in thought."""

    def __init__(self, ways: Ways, legs: Sequence[FareLeg] = (), proofs: Proofs = ()) -> None:
        self._ways, self._legs, self._proofs = ways, legs, proofs
        self._counts: Counter[int] = Counter()
        self.rows = sorted(self._encode(legs, self._counts))
        """(order of rating, numbers) of each leg that has a price alone."""

    @cached_property
    def total(self) -> int:
        """What the legs cost."""
        return self.total_with(())

    def total_with(self, more: Sequence[FareLeg]) -> int:
        """What they cost with some more."""
        ways = self._ways
        if not ways.fit:
            return rate([ways.tariff], [*self._legs, *more], self._proofs).amount_cents
        rows = sorted((*self.rows, *self._encode(more, Counter()))) if more else self.rows
        return int(ways.rate([rows])[0])

    def months(self) -> Mapping[int, tuple[int, list[tuple[Order, Row]]]]:
        """By code of the month: how many legs there are, and the rows of those with a price."""
        rows: dict[int, list[tuple[Order, Row]]] = {code: [] for code in self._counts}
        for row in self.rows:
            rows[row[1][2]].append(row)
        return {code: (count, rows[code]) for code, count in self._counts.items()}

    def _encode(self, legs: Sequence[FareLeg], counts: Counter[int]) -> Iterator[tuple[Order, Row]]:
        ways = self._ways
        for leg in legs:
            local, day = ways.tariff.clock(leg)
            code = _month_code(day)
            counts[code] += 1
            terms = ways.terms_on(day, self._proofs)
            single = None if terms is None else price_alone(terms, leg, local)
            if terms is None or single is None or isinstance(single, str):
                continue
            cover = 0
            for bit, (product, category) in enumerate(ways.passes):
                if category in terms.shares and product.covers(leg):
                    cover |= 1 << bit
            line = ways.lines.setdefault(leg.route, len(ways.lines))
            at_us = (leg.board_at - EPOCH) // MICROSECOND
            yield in_order(leg), (
                single.cents, day.toordinal(), code, cover, at_us, BIT[leg.mode], line,
                min(terms.shares.values()),
            )  # fmt: skip


def ways_of(tariff: Tariff, proofs: Iterable[Proof]) -> Ways:
    """How a rider with some proofs can pay."""
    return Ways(tariff, frozenset(proof.category for proof in proofs))


def total_months(
    tariffs: Sequence[Tariff], riders: Sequence[Rider], months: Sequence[dt.date]
) -> list[list[MonthTotal]]:
    """What `rate_month` says of some months of each rider, without its lines and much sooner."""
    found: list[list[MonthTotal]] = [[] for _ in riders]
    for alike in _alike(riders):
        ways = ways_of(tariffs[0], riders[alike[0]].proofs)
        if len(tariffs) > 1 or not ways.fit:
            for of in alike:
                legs, proofs = riders[of].legs, riders[of].proofs
                found[of] = [rate_month(tariffs, legs, own, proofs).total for own in months]
            continue
        has_weeks = any(product.period is Period.ROLLING_7D for product in ways.tariff.products)
        counts, tables = [], []
        for of in alike:
            known = LegTable(ways, riders[of].legs, riders[of].proofs).months()
            for month in months:
                code = _month_code(month)
                count, rows = known.get(code, (0, []))
                _, before = known.get(code - 1, (0, [])) if rows and has_weeks else (0, [])
                counts.append((of, month, count, count - len(rows)))
                tables += [before + rows, before]
        amounts = ways.rate(tables).reshape(-1, 2)
        for (of, month, count, unpriced), (whole, before_cents) in zip(
            counts, amounts.tolist(), strict=True
        ):
            found[of].append(MonthTotal(month, whole - before_cents, count, unpriced))
    return found


def rate_totals(tariff: Tariff, riders: Sequence[Rider]) -> Int64:
    """Find what each rider owes, shape (riders,); legs without a price are not in it."""
    totals = np.zeros(len(riders), np.int64)
    for alike in _alike(riders):
        ways = ways_of(tariff, riders[alike[0]].proofs)
        tables = [LegTable(ways, riders[of].legs, riders[of].proofs) for of in alike]
        if ways.fit:
            totals[alike] = ways.rate([table.rows for table in tables])
        else:
            totals[alike] = [table.total for table in tables]
    return totals


def _alike(riders: Sequence[Rider]) -> Iterator[list[int]]:
    """Riders with the same categories."""
    groups: dict[frozenset[str], list[int]] = {}
    for row, rider in enumerate(riders):
        groups.setdefault(frozenset(proof.category for proof in rider.proofs), []).append(row)
    yield from groups.values()


def _month_code(day: dt.date) -> int:
    return day.year * 12 + day.month


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
