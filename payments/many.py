"""
Totals of many riders at once, by kernels: the same least bill as `payments.rating`, without lines.

What their tables cannot hold (versions of a tariff, more than two week products, more products and
categories together than `payments.ways.PASS_LIMIT`) is rated by `payments.rating` instead.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property

import numpy as np
import numpy.typing as npt

from payments.bill import Proof
from payments.kernels import month_spans
from payments.leg_columns import (
    Kind,
    LegColumns,
    Proofs,
    as_arrays,
    sorted_rows,
)
from payments.month import MonthTotal, rate_month
from payments.rating import rate
from payments.tariff import FareLeg, Period, Tariff
from payments.ways import Ways, month_code

Int64 = npt.NDArray[np.int64]


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


def ways_of(tariff: Tariff, proofs: Iterable[Proof]) -> Ways:
    """How a rider with some proofs can pay."""
    return Ways(tariff, frozenset(proof.category for proof in proofs))


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
        has_weeks = any(product.period is Period.ROLLING_7D for product in ways.tariff.products)
        spans = np.zeros((len(own) * len(months), 2, 2), np.int64)
        counts = np.zeros((len(own) * len(months), 2), np.int64)
        month_spans(_spans(legs, own), priced, codes, has_weeks, spans, counts)
        amounts = ways.rate(spans.reshape(-1, 2), priced).reshape(-1, 2)
        cents = (amounts[:, 0] - amounts[:, 1]).reshape(len(own), -1).tolist()
        counted = counts.reshape(len(own), -1, 2).tolist()
        for row, amounts_of, counts_of in zip(own.tolist(), cents, counted, strict=True):
            found[row] = [
                MonthTotal(month, amount, *leg_counts)
                for month, amount, leg_counts in zip(months, amounts_of, counts_of, strict=True)
            ]
    return found


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
        yield Ways(tariff, categories), np.flatnonzero(group == nth)


def _spans(legs: LegColumns, riders: Int64) -> Int64:
    """First leg and end of each of some riders, when only theirs are listed."""
    first = legs.arrays.first
    ends = np.cumsum(first[riders + 1] - first[riders])
    return np.column_stack((ends - (first[riders + 1] - first[riders]), ends))
