"""
Totals and bills of many riders at once, by kernels: the same least bill as `payments.rating`.

What their tables cannot hold (versions of a tariff, more than two week products, more products and
categories together than `payments.ways.PASS_LIMIT`) is rated by `payments.rating` instead.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from functools import cached_property, lru_cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from payments.bill import Bill, Proof
from payments.carried_weeks import Choices
from payments.charges import bills_of
from payments.day_kernels import COVER, MODE, PRICE
from payments.kernels import month_spans
from payments.leg_columns import (
    Kind,
    LegColumns,
    Proofs,
    Rider,
    as_arrays,
    columns_of,
    sorted_rows,
)
from payments.month import MonthBill, MonthTotal, rate_month
from payments.rating import rate
from payments.tariff import FareLeg, Tariff
from payments.ways import BIT, Begun, Ways, month_code

Int64 = npt.NDArray[np.int64]
ANY_LINE = "any:"
"""Line of legs that are on none of which anything is known."""


class LegTable:
    """One rider's legs of a month as rows of a kernel's table, to which others are added."""

    def __init__(
        self,
        ways: Ways,
        legs: Sequence[FareLeg],
        proofs: Proofs,
        month: dt.date,
        choices: Choices = (),
    ) -> None:
        self._ways, self._legs, self._proofs = ways, legs, proofs
        self._month, self._choices = month, choices
        self._kinds: dict[Kind, int] = {}
        self._rows = sorted_rows(legs, self._kinds)

    def _begun(self, count: int) -> Begun | None:
        """Of as many spans."""
        return Begun(self._ways, [self._choices] * count, self._month) if self._choices else None

    @cached_property
    def total(self) -> int:
        """What the legs cost."""
        return self.total_with(())

    def total_with(self, more: Sequence[FareLeg]) -> int:
        """What they cost with some more."""
        rows = sorted([*self._rows, *sorted_rows(more, self._kinds)])
        columns = LegColumns(
            as_arrays([[row for _, row in rows]], [0]), list(self._kinds), [self._proofs]
        )
        priced = self._ways.price(columns, np.zeros(1, np.int64))
        if priced is None:
            both = [*self._legs, *more]
            tariffs, choices = [self._ways.tariff], self._choices
            return rate_month(tariffs, both, self._month, self._proofs, choices).amount_cents
        return int(self._ways.rate(np.array([[0, len(rows)]]), priced, self._begun(1))[0])

    def least_additions(
        self, at: dt.datetime, alone: Mapping[str, int], categories: Collection[str]
    ) -> dict[str, int] | None:
        """
        Find what one leg more of each mode adds at least, boarded at a time after all others.

        It costs by itself what `alone` says. Whatever is for some legs of its mode is for it: all
        passes of anybody with the rider's categories, and joins, whatever its line. None where the
        kernels' tables cannot hold the legs.
        """
        probes = [
            FareLeg(mode, at, 0, route=ANY_LINE, id=f"{ANY_LINE}{nth:03}")
            for nth, mode in enumerate(alone)
        ]
        rows = [*self._rows, *sorted_rows(probes, self._kinds)]
        columns = LegColumns(
            as_arrays([[row for _, row in rows]], [0]), list(self._kinds), [self._proofs]
        )
        priced = self._ways.price(columns, np.zeros(1, np.int64))
        if priced is None:
            return None
        count = len(self._rows)
        for nth, (mode, cents) in enumerate(alone.items()):
            own = priced[:, count + nth]
            own[PRICE], own[MODE] = cents, BIT[mode]
            own[COVER] = self._ways.covering(mode, categories)
        size = count + 1
        table = np.empty((len(priced), len(alone), size), np.int64)
        table[:, :, :count] = priced[:, None, :count]
        table[:, :, count] = priced[:, count:]
        firsts = np.arange(len(alone)) * size
        spans = np.column_stack((firsts, firsts + size))
        begun = self._begun(len(spans))
        totals = self._ways.rate(spans, table.reshape(len(priced), -1), begun)
        return dict(zip(alone, (totals - self.total).tolist(), strict=True))


def ways_of(tariff: Tariff, proofs: Iterable[Proof]) -> Ways:
    """How a rider with some proofs can pay."""
    return _ways(tariff, frozenset(proof.category for proof in proofs))


_ways = lru_cache(maxsize=64)(Ways)
"""Tables of a tariff are the same for everybody with the same categories."""


def total_months(
    tariffs: Sequence[Tariff],
    legs: LegColumns,
    month: dt.date,
    choices: Sequence[Choices] | None = None,
) -> list[MonthTotal]:
    """
    What `rate_month` says of a month of each rider, without its lines and much sooner.

    Parameters
    ----------
    choices
        What the month before has left to each; None: nothing to any.
    """
    found: dict[int, MonthTotal] = {}
    for own in _alike_in(tariffs, legs, month, choices):
        if own.priced is None:
            found.update((row, bill.total) for row, bill in own.by_rater(legs))
            continue
        cents, left = own.ways.rate_month(own.spans, own.priced, own.begun)
        rated = zip(own.rows, cents.tolist(), own.counts.tolist(), left, strict=True)
        for row, amount, (count, unpriced), after in rated:
            found[row] = MonthTotal(month, amount, count, unpriced, after)
    return [found[row] for row in range(len(legs.arrays.profile))]


def rate_months(
    tariffs: Sequence[Tariff],
    legs: LegColumns,
    month: dt.date,
    choices: Sequence[Choices] | None = None,
) -> list[MonthBill]:
    """What `rate_month` says of a month of each rider."""
    found: dict[int, MonthBill] = {}
    for own in _alike_in(tariffs, legs, month, choices):
        if own.priced is None:
            found.update(own.by_rater(legs))
            continue
        riders = map(legs.rider, own.rows)
        ends = (own.spans - own.starts[:, None]).tolist()
        rated = [
            (rider.legs[begin:end], rider.proofs)
            for rider, (begin, end) in zip(riders, ends, strict=True)
        ]
        bills = bills_of(own.ways, own.spans, own.priced, rated, own.begun)
        _, left = own.ways.rate_month(own.spans, own.priced, own.begun)
        for row, bill, after in zip(own.rows, bills, left, strict=True):
            found[row] = MonthBill(month, bill, after)
    return [found[row] for row in range(len(legs.arrays.profile))]


def rate_own_month(
    tariffs: Sequence[Tariff],
    legs: Sequence[FareLeg],
    month: dt.date,
    proofs: Sequence[Proof] = (),
    choices: Choices = (),
) -> MonthBill:
    """What `rate_month` says of a month of one rider."""
    return rate_months(tariffs, columns_of([Rider(legs, tuple(proofs))]), month, [choices])[0]


def rate_bills(tariff: Tariff, legs: LegColumns) -> list[Bill]:
    """What `payments.rating.rate` says of all legs of each rider."""
    found: dict[int, Bill] = {}
    for ways, own in _alike(tariff, legs):
        riders = [legs.rider(row) for row in own.tolist()]
        priced = ways.price(legs, own)
        if priced is None:
            bills = [rate([tariff], rider.legs, rider.proofs) for rider in riders]
        else:
            rated = [(rider.legs, rider.proofs) for rider in riders]
            bills = bills_of(ways, _spans(legs, own), priced, rated)
        found.update(zip(own.tolist(), bills, strict=True))
    return [found[row] for row in range(len(legs.arrays.profile))]


def rate_totals(tariff: Tariff, legs: LegColumns) -> Int64:
    """Find what each rider owes, shape (riders,); legs without a price are not in it."""
    totals = np.zeros(len(legs.arrays.profile), np.int64)
    for ways, own in _alike(tariff, legs):
        priced = ways.price(legs, own)
        if priced is not None:
            totals[own] = ways.rate(_spans(legs, own), priced)
            continue
        for row in own.tolist():
            rider = legs.rider(row)
            totals[row] = rate([tariff], rider.legs, rider.proofs).amount_cents
    return totals


class _Alike(NamedTuple):
    """Riders with the same categories, and their legs of a month as kernels take them."""

    tariffs: Sequence[Tariff]
    ways: Ways
    rows: Sequence[int]
    priced: Int64 | None
    """None where the kernels' tables cannot hold them: then the others say nothing."""
    starts: Int64
    spans: Int64
    counts: Int64
    begun: Begun

    def by_rater(self, legs: LegColumns) -> Iterator[tuple[int, MonthBill]]:
        """Each by the explaining rater."""
        for row, choices in zip(self.rows, self.begun.choices, strict=True):
            rider, month = legs.rider(row), self.begun.month
            yield row, rate_month(self.tariffs, rider.legs, month, rider.proofs, choices)


def _alike_in(
    tariffs: Sequence[Tariff],
    legs: LegColumns,
    month: dt.date,
    choices: Sequence[Choices] | None,
) -> Iterator[_Alike]:
    for ways, own in _alike(tariffs[0], legs):
        rows = own.tolist()
        priced = ways.price(legs, own) if len(tariffs) == 1 else None
        riders = _spans(legs, own)
        spans, counts = np.zeros((len(own), 2), np.int64), np.zeros((len(own), 2), np.int64)
        if priced is not None:
            month_spans(riders, priced, month_code(month), spans, counts)
        left = [()] * len(rows) if choices is None else [choices[row] for row in rows]
        begun = Begun(ways, left, month)
        yield _Alike(tariffs, ways, rows, priced, riders[:, 0], spans, counts, begun)


def _alike(tariff: Tariff, legs: LegColumns) -> Iterator[tuple[Ways, Int64]]:
    """Rows of riders with the same categories, and how they can pay."""
    named = {category.id for category in tariff.categories}
    groups: dict[frozenset[str], int] = {}
    group_of = [
        groups.setdefault(frozenset(p.category for p in own if p.category in named), len(groups))
        for own in legs.profiles
    ]
    group = np.array(group_of, np.int64)[legs.arrays.profile]
    for categories, nth in groups.items():
        yield _ways(tariff, categories), np.flatnonzero(group == nth)


def _spans(legs: LegColumns, riders: Int64) -> Int64:
    """First leg and end of each of some riders, when only theirs are listed."""
    first = legs.arrays.first
    ends = np.cumsum(first[riders + 1] - first[riders])
    return np.column_stack((ends - (first[riders + 1] - first[riders]), ends))
