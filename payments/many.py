"""
Totals of many riders at once, by kernels: the same least bill as `payments.rating`, without lines.

What its tables cannot hold (versions of a tariff, more than two week products, more than
`PASS_LIMIT` products and categories together) is rated by `payments.rating` instead.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from core.money import round_half_up
from payments.alone import Terms, price_alone, terms_of
from payments.bill import Proof
from payments.kernels import CALENDAR_MONTH, FARE_DAY, ROLLING_7D, rate_riders
from payments.rating import in_order, rate
from payments.tariff import LIST_PRICE, MODES, FareLeg, Period, Product, Tariff

Int64 = npt.NDArray[np.int64]
PASS_LIMIT = 10
"""Products, and categories for which they are reduced: a table has two to this power columns."""
CODE = {
    Period.FARE_DAY: FARE_DAY,
    Period.ROLLING_7D: ROLLING_7D,
    Period.CALENDAR_MONTH: CALENDAR_MONTH,
}
BIT = {mode: 1 << nth for nth, mode in enumerate(MODES)}
COLUMNS = 8
EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
MICROSECOND = dt.timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Rider:
    """One rider's legs, in whatever order, and his categories."""

    legs: Sequence[FareLeg]
    proofs: Sequence[Proof] = ()


def rate_totals(tariff: Tariff, riders: Sequence[Rider]) -> Int64:
    """Find what each rider owes, shape (riders,); legs without a price are not in it."""
    totals = np.zeros(len(riders), np.int64)
    groups: dict[frozenset[str], list[int]] = {}
    for row, rider in enumerate(riders):
        groups.setdefault(frozenset(proof.category for proof in rider.proofs), []).append(row)
    for categories, rows in groups.items():
        passes = passes_of(tariff, categories)
        weeks = sum(p.period is Period.ROLLING_7D for p, _ in passes)
        if len(passes) > PASS_LIMIT or weeks > 2:
            for row in rows:
                totals[row] = rate([tariff], riders[row].legs, riders[row].proofs).amount_cents
            continue
        written = [_encode(tariff, passes, riders[row]) for row in rows]
        first = np.r_[0, np.cumsum([len(each) for each in written])]
        legs = np.array([leg for each in written for leg in each], np.int64)
        own = np.zeros(len(rows), np.int64)
        rate_riders(
            first, legs.reshape(-1, COLUMNS), pass_table(tariff, passes), *join_tables(tariff), own
        )
        totals[rows] = own
    return totals


def passes_of(
    tariff: Tariff, categories: frozenset[str] = frozenset()
) -> list[tuple[Product, str | None]]:
    """Products of a tariff, as they are for nobody in particular and for some categories."""
    names = [None, *(c.id for c in tariff.categories if c.id in categories)]
    return [(product, name) for product in tariff.products for name in names]


def pass_table(tariff: Tariff, passes: Sequence[tuple[Product, str | None]]) -> Int64:
    """Shape (passes, 2): periods and prices, as `rate_riders` takes them."""
    shares: Mapping[str | None, int] = {
        None: LIST_PRICE,
        **{c.id: c.permille for c in tariff.categories},
    }
    table = np.zeros((len(passes), 2), np.int64)
    for row, (product, category) in enumerate(passes):
        cents = round_half_up(product.price_cents * shares[category], LIST_PRICE)
        if category is not None and product.category_cents is not None:
            cents = product.category_cents.get(category, cents)
        table[row] = CODE[product.period], cents
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


def _encode(
    tariff: Tariff, passes: Sequence[tuple[Product, str | None]], rider: Rider
) -> list[tuple[int, ...]]:
    """Rows of the legs of a rider, as `rate_riders` takes them."""
    rows: list[tuple[int, ...]] = []
    lines: dict[str, int] = {}
    terms_on: dict[dt.date, Terms] = {}
    for leg in sorted(rider.legs, key=in_order):
        local, day = tariff.clock(leg)
        terms = terms_on.get(day)
        if terms is None:
            if not tariff.is_valid_on(day):
                continue
            terms = terms_on[day] = terms_of(tariff, rider.proofs, day)
        single = price_alone(terms, leg, local)
        if isinstance(single, str):
            continue
        cover = 0
        for bit, (product, category) in enumerate(passes):
            if category in terms.shares and product.covers(leg):
                cover |= 1 << bit
        rows.append(
            (
                single.cents, day.toordinal(), day.year * 12 + day.month,
                (leg.board_at - EPOCH) // MICROSECOND, BIT[leg.mode],
                lines.setdefault(leg.route, len(lines)), cover, min(terms.shares.values()),
            )
        )  # fmt: skip
    return rows
