"""
Totals and bills of many riders at once, by kernels: the same least bill as `payments.rating`.

What their tables cannot hold (versions of a tariff, more than two week products, more products and
categories together than `payments.ways.PASS_LIMIT`) is rated by `payments.rating` instead.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from functools import cached_property, lru_cache

import numpy as np
import numpy.typing as npt

from payments.bill import Bill, Proof
from payments.charges import bills_of
from payments.kernels import COVER, MODE, PRICE, month_spans
from payments.leg_columns import (
    Kind,
    LegColumns,
    Proofs,
    Rider,
    as_arrays,
    columns_of,
    sorted_rows,
)
from payments.month import MonthBill, MonthTotal, month_bill, rate_month
from payments.rating import rate
from payments.tariff import FareLeg, Tariff
from payments.ways import BIT, Ways, month_code

Int64 = npt.NDArray[np.int64]
ANY_LINE = "any:"
"""Line of legs that are on none of which anything is known."""


class LegTable:
    """One rider's legs as rows of a kernel's table, to which others are added in thought."""

    def __init__(self, ways: Ways, legs: Sequence[FareLeg], proofs: Proofs) -> None:
        self._ways, self._legs, self._proofs = ways, legs, proofs
        self._kinds: dict[Kind, int] = {}
        self._rows = sorted_rows(legs, self._kinds)

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
            return rate([self._ways.tariff], both, self._proofs).amount_cents
        return int(self._ways.rate(np.array([[0, len(rows)]]), priced)[0])

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
        totals = self._ways.rate(spans, table.reshape(len(priced), -1))
        return dict(zip(alone, (totals - self.total).tolist(), strict=True))


def ways_of(tariff: Tariff, proofs: Iterable[Proof]) -> Ways:
    """How a rider with some proofs can pay."""
    return _ways(tariff, frozenset(proof.category for proof in proofs))


_ways = lru_cache(maxsize=64)(Ways)
"""Tables of a tariff are the same for everybody with the same categories."""


def total_months(
    tariffs: Sequence[Tariff], legs: LegColumns, months: Sequence[dt.date]
) -> list[list[MonthTotal]]:
    """What `rate_month` says of some months of each rider, without its lines and much sooner."""
    found: list[list[MonthTotal]] = [[] for _ in legs.arrays.profile]
    codes = np.array([month_code(month) for month in months], np.int64)
    for ways, own in _alike(tariffs[0], legs):
        priced = ways.price(legs, own) if len(tariffs) == 1 else None
        if priced is None:
            for row in own.tolist():
                rider = legs.rider(row)
                found[row] = [
                    rate_month(tariffs, rider.legs, month, rider.proofs).total for month in months
                ]
            continue
        spans = np.zeros((len(own) * len(months), 2, 2), np.int64)
        counts = np.zeros((len(own) * len(months), 2), np.int64)
        month_spans(_spans(legs, own), priced, codes, ways.has_weeks, spans, counts)
        amounts = ways.rate(spans.reshape(-1, 2), priced).reshape(-1, 2)
        cents = (amounts[:, 0] - amounts[:, 1]).reshape(len(own), -1).tolist()
        counted = counts.reshape(len(own), -1, 2).tolist()
        for row, amounts_of, counts_of in zip(own.tolist(), cents, counted, strict=True):
            found[row] = [
                MonthTotal(month, amount, *leg_counts)
                for month, amount, leg_counts in zip(months, amounts_of, counts_of, strict=True)
            ]
    return found


def rate_months(tariffs: Sequence[Tariff], legs: LegColumns, month: dt.date) -> list[MonthBill]:
    """What `rate_month` says of a month of each rider."""
    found: dict[int, MonthBill] = {}
    codes = np.array([month_code(month)], np.int64)
    for ways, own in _alike(tariffs[0], legs):
        riders = [(row, legs.rider(row)) for row in own.tolist()]
        priced = ways.price(legs, own) if len(tariffs) == 1 else None
        if priced is None:
            for row, rider in riders:
                found[row] = rate_month(tariffs, rider.legs, month, rider.proofs)
            continue
        starts = _spans(legs, own)
        spans, counts = np.zeros((len(own), 2, 2), np.int64), np.zeros((len(own), 2), np.int64)
        month_spans(starts, priced, codes, ways.has_weeks, spans, counts)
        before = ways.rate(spans[:, 1], priced).tolist()
        ends = (spans[:, 0] - starts[:, :1]).tolist()
        rated = [
            (rider.legs[begin:end], rider.proofs)
            for (_, rider), (begin, end) in zip(riders, ends, strict=True)
        ]
        bills = bills_of(ways, spans[:, 0], priced, rated)
        firsts = (spans[:, 1, 1] - spans[:, 1, 0]).tolist()
        for (row, _), bill, first, cents in zip(riders, bills, firsts, before, strict=True):
            found[row] = month_bill(month, bill, first, cents)
    return [found[row] for row in range(len(legs.arrays.profile))]


def rate_own_month(
    tariffs: Sequence[Tariff],
    legs: Sequence[FareLeg],
    month: dt.date,
    proofs: Sequence[Proof] = (),
) -> MonthBill:
    """What `rate_month` says of a month of one rider."""
    return rate_months(tariffs, columns_of([Rider(legs, tuple(proofs))]), month)[0]


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
