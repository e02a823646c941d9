"""Caps: for what a product would have covered, nobody is charged more than its price."""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Collection, Sequence
from dataclasses import replace
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from payments.bill import Bill, Charge, Proof
from payments.rating import rate
from payments.tariff import FareLeg, Tariff
from tests.oracles.bill_oracle import products, single
from tests.support.random_fares import FIRST, WORKED, proofs, ridden, some, tariffs, trips

pytestmark = pytest.mark.unit
Cover = tuple[frozenset[int], int]
"""Rows of legs that a product covers from one day on, and its price."""


class Capped:
    """A bill, and what of it some products would have made free."""

    def __init__(self, versions: Sequence[Tariff], bill: Bill, proved: Sequence[Proof]) -> None:
        self._versions, self.bill, self._proved = versions, bill, proved
        self._zone = ZoneInfo(versions[0].timezone)
        self._days = [versions[0].clock(leg)[1] for leg in bill.legs]
        self.covers: list[Cover] = list(products(versions, proved, bill.legs, self._days))

    def freed(self, covered: Collection[int]) -> int:
        """
        Cents of the bill that need not be paid if some legs are free.

        Charges of which all legs are free fall away, whatever they are: the other legs of a day
        still follow one another as before. Of a fare journey that costs as much as its dearest leg
        what is more than the dearest of its other legs does, too.
        """
        return sum(self._of(charge, [r for r in charge.legs if r not in covered])
                   for charge in self.bill.charges)  # fmt: skip

    def _of(self, charge: Charge, left: Sequence[int]) -> int:
        if not left:
            return charge.amount_cents
        is_own = charge.rule in {
            j.id for t in self._versions for j in t.fare_journeys if j.pattern is not None
        }
        if charge.kind != "fare_journey" or is_own:
            return 0
        return charge.amount_cents - max(self._single(row) for row in left)

    def _single(self, row: int) -> int:
        leg, day = self.bill.legs[row], self._days[row]
        cents = single(self._versions, self._proved, leg, day, self._zone)
        assert cents is not None
        return cents

    def exceeded(self, together: int) -> list[tuple[Cover, ...]]:
        """Products, so many at once, that are cheaper than what they would have made free."""
        return [
            chosen
            for chosen in itertools.combinations(self.covers, together)
            if self.freed(frozenset().union(*(rows for rows, _ in chosen)))
            > sum(cents for _, cents in chosen)
        ]


@some
@given(tariffs(), tariffs(), trips(9), proofs(), st.integers(-1, 14))
def test_what_a_product_covers_is_never_charged_more_than_its_price(
    old: Tariff, new: Tariff, legs: list[FareLeg], proved: list[Proof], after: int
) -> None:
    last = FIRST + dt.timedelta(days=after)
    versions = [
        replace(old, valid_to=last),
        replace(new, valid_from=last + dt.timedelta(days=1), cutover_s=old.cutover_s),
    ]
    assert Capped(versions, rate(versions, legs, proved), proved).exceeded(1) == []


@settings(some, max_examples=60)
@given(tariffs(), trips(7), proofs())
def test_nor_what_two_products_cover_than_both_their_prices(
    tariff: Tariff, legs: list[FareLeg], proved: list[Proof]
) -> None:
    assert Capped([tariff], rate([tariff], legs, proved), proved).exceeded(2) == []


def test_a_cap_is_reached_and_a_bill_without_it_is_found_out() -> None:
    # Three buses apart by more than 90 minutes are 4.80: the day of 4.50 is cheaper.
    legs = ridden(*(f"03-24 bus {hour}:00" for hour in ("07", "12", "18")))
    capped = Capped([WORKED], rate([WORKED], legs), ())
    assert capped.freed(range(3)) == 450
    assert capped.exceeded(1) == []
    dearer = rate([replace(WORKED, products=())], legs)
    found = Capped([WORKED], dearer, ()).exceeded(1)
    assert {cents for ((rows, cents),) in found if rows == {0, 1, 2}} == {450}
    # Of a train for 3.90 and the bus behind it, a pass for trains leaves the bus to pay: 1.60.
    joined = ridden("03-24 rail 08:00 30000m", "03-24 bus 08:30")
    both = Capped([WORKED], rate([WORKED], joined), ())
    assert (both.freed({0}), both.freed({1}), both.freed({0, 1})) == (230, 0, 390)
