"""Explanations of bills: no other bill is cheaper, and arithmetic ends in the amount."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest
from hypothesis import given

from payments.bill import Proof
from payments.explaining import RunnerUp, alternatives, arithmetic, runner_up
from payments.rating import rate
from payments.tariff import FareLeg, Tariff
from payments.tariff_file import parse_tariff
from tests.oracles.bill_oracle import cheapest_bill
from tests.support.random_fares import WORKED, proofs, ridden, some, tariffs, total, trips

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


@some
@given(tariffs(monotone=True), trips(7), proofs())
def test_the_runner_up_of_a_line_is_another_way_to_pay_for_its_legs_and_no_cheaper(
    tariff: Tariff, legs: list[FareLeg], proved: list[Proof]
) -> None:
    bill = rate([tariff], legs, proved)
    for charge in bill.charges:
        own = [bill.legs[row] for row in charge.legs]
        other = runner_up([tariff], bill, charge, proved)
        if other is None:
            assert charge.kind == "leg"
            assert cheapest_bill([replace(tariff, products=())], own, proved) == charge.amount_cents
            continue
        without = tuple(p for p in tariff.products if p.id != charge.rule)
        wanted = {
            "product": replace(tariff, products=without),
            "fare_journey": replace(tariff, fare_journeys=()),
            "leg": tariff,
        }[charge.kind]
        least = cheapest_bill([wanted], own, proved)
        assert least is not None
        assert other.amount_cents == least if charge.kind != "leg" else other.products
        if not tariff.may_part:
            assert other.amount_cents >= charge.amount_cents


def test_a_rounded_price_says_to_what_it_was_rounded() -> None:
    bus = {"id": "bus", "when": {"mode": "bus"}, "base_cents": 152, "round_to_cents": 5}
    rail = {"id": "rail", "when": {"mode": "rail"}, "base_cents": 120, "per_km_millicents": 9_000,
            "round_to_cents": 5}  # fmt: skip
    tariff = parse_tariff({
        "tariff": "round", "currency": "EUR", "timezone": "Europe/Paris",
        "leg_prices": [rail, bus], "categories": [{"id": "youth", "permille": 500}],
    })  # fmt: skip
    legs = ridden("03-02 rail 08:00 3300m", "03-02 rail 12:00 3000m", "03-02 bus 14:00")
    bill = rate([tariff], legs)
    # 149.7 → 150; 147 → 145; 152 → 150.
    assert [(c.amount_cents, arithmetic([tariff], bill, c)) for c in bill.charges] == [
        (150, "round(120 + 3.3 km × 9, 5) = 150"), (145, "round(120 + 3 km × 9, 5) = 145"),
        (150, "round(152, 5) = 150"),
    ]  # fmt: skip
    youth = Proof("youth", dt.date(2027, 1, 1), dt.date(2027, 12, 31))
    assert [c.amount_cents for c in rate([tariff], legs, [youth]).charges] == [75, 75, 75]


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
    assert [runner_up([WORKED], bill, c) for c in bill.charges] == [
        RunnerUp((), 460),  # a bus and a train by themselves
        RunnerUp(("month",), 4_000),  # a bike: in no other product
        RunnerUp((), 480),  # three buses, of which no two are joined
    ]
    assert arithmetic(
        [WORKED], rate([WORKED], legs[1:2]), rate([WORKED], legs[1:2]).charges[0]
    ) == ("120 + 20 km × 9 = 300")
    told = {o.product: (o.is_bought, o.amount_cents) for o in alternatives([WORKED], bill)}
    # A week for the trains and buses of both days and the bike, or the month for all of it.
    assert told == {"day": (True, 855), "week": (False, 1_575), "month": (False, 4_000)}
