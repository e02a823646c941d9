"""Explanations of bills: no other bill is cheaper, and arithmetic ends in the amount."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given

from payments.bill import Proof
from payments.explaining import alternatives, arithmetic
from payments.rating import rate
from payments.tariff import FareLeg, Tariff
from tests.oracles.bill_oracle import cheapest_bill
from tests.payments.test_bill import WORKED, proofs, ridden, some, tariffs, total, trips

pytestmark = pytest.mark.unit


@some
@given(tariffs(), trips(5), proofs())
def test_no_other_bill_is_cheaper_and_those_without_a_product_are_the_cheapest_such(
    tariff: Tariff, legs: list[FareLeg], proved: list[Proof]
) -> None:
    bill = rate([tariff], legs, proved)
    others = alternatives([tariff], bill, proved)
    assert all(other.amount_cents >= total(bill) for other in others)
    assert {o.product for o in others if o.is_bought} == {
        c.rule for c in bill.charges if c.kind == "product"
    }
    for other in others:
        if other.is_bought:
            left = tuple(p for p in tariff.products if p.id != other.product)
            bare = replace(tariff, products=left)
            assert other.amount_cents == cheapest_bill([bare], legs, proved)


@some
@given(tariffs(), trips(8), proofs())
def test_arithmetic_of_each_charge_ends_in_its_amount(
    tariff: Tariff, legs: list[FareLeg], proved: list[Proof]
) -> None:
    bill = rate([tariff], legs, proved)
    for charge in bill.charges:
        text = arithmetic([tariff], bill, charge, proved)
        if charge.kind == "product":
            amount, alone = text.split(" < ")
            assert int(amount) == charge.amount_cents < int(alone)
        else:
            assert text.split(" = ")[-1] == str(charge.amount_cents)


def test_a_month_is_explained_line_by_line() -> None:
    legs = ridden(
        "03-02 bus 07:40", "03-02 rail 08:05 20000m", "03-03 bike 12:00", "03-04 bus 08:00",
        "03-04 bus 12:00", "03-04 bus 14:00",
    )  # fmt: skip
    bill = rate([WORKED], legs)
    assert [(c.amount_cents, arithmetic([WORKED], bill, c)) for c in bill.charges] == [
        (300, "max(160, 300) = 300"),
        (75, "15 min × 5 = 75"),
        (450, "450 < 480"),
    ]
    assert arithmetic(
        [WORKED], rate([WORKED], legs[1:2]), rate([WORKED], legs[1:2]).charges[0]
    ) == ("120 + 20 km × 9 = 300")
    told = {o.product: (o.is_bought, o.amount_cents) for o in alternatives([WORKED], bill)}
    # A week for the trains and buses of both days and the bike, or the month for all of it.
    assert told == {"day": (True, 855), "week": (False, 1_575), "month": (False, 4_000)}
