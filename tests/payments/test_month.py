"""Months of riders, over the end of which weeks reach."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from payments.bill import Proof
from payments.month import month_of, rate_month
from payments.rating import rate
from payments.tariff import FareLeg, Tariff
from payments.tariff_file import parse_tariff
from tests.support.random_fares import SPRING, some, tariffs, trips

pytestmark = pytest.mark.unit
MARCH, APRIL = dt.date(2027, 3, 1), dt.date(2027, 4, 1)
YOUTH = [Proof("youth", dt.date(2027, 3, 25), dt.date(2027, 4, 2))]
WEEKS = parse_tariff(
    {
        "tariff": "weeks",
        "currency": "EUR",
        "timezone": "Europe/Paris",
        "leg_prices": [
            {"id": "bus", "when": {"mode": "bus"}, "base_cents": 200},
            {"id": "rail", "when": {"mode": "rail"}, "base_cents": 700},
        ],
        "products": [
            {"id": "day", "period": "fare_day", "modes": ["bus"], "price_cents": 300},
            {"id": "week", "period": "rolling_7d", "modes": ["bus"], "price_cents": 1_000},
        ],
    }
)


def bus(day: dt.date, hour: int = 7, mode: str = "bus") -> FareLeg:
    return FareLeg(mode, dt.datetime(day.year, day.month, day.day, hour, tzinfo=dt.UTC), 0)


def days(first: dt.date, count: int) -> list[dt.date]:
    return [first + dt.timedelta(days=nth) for nth in range(count)]


def earlier(legs: list[FareLeg]) -> list[FareLeg]:
    """The same a month ago."""
    return [replace(leg, board_at=leg.board_at - dt.timedelta(days=30)) for leg in legs]


@some
@given(tariffs(), trips(5, SPRING), trips(3, SPRING), st.randoms(use_true_random=False))
def test_no_month_is_dearer_than_its_legs_and_no_two_than_both_together(
    tariff: Tariff, legs: list[FareLeg], before: list[FareLeg], shuffled: object
) -> None:
    every = [*legs, *earlier(before)]
    bills = [rate_month([tariff], every, month, YOUTH) for month in (MARCH, APRIL)]
    own = {
        month: [leg for leg in every if month_of(tariff, leg) == month] for month in (MARCH, APRIL)
    }
    for bill in bills:
        assert 0 <= bill.amount_cents <= rate([tariff], own[bill.month], YOUTH).amount_cents
        assert bill.amount_cents == sum(c.amount_cents for c in bill.charges) - (
            bill.billed_before_cents
        )
        assert bill.billed_before_cents >= 0
        assert sorted(bill.legs, key=repr) == sorted(own[bill.month], key=repr)
    together = rate([tariff], [*own[MARCH], *own[APRIL]], YOUTH).amount_cents
    assert sum(bill.amount_cents for bill in bills) <= together
    if not any(month_of(tariff, leg) < MARCH for leg in every):
        assert sum(bill.amount_cents for bill in bills) == together
    mixed = list(every)
    shuffled.shuffle(mixed)  # type: ignore[attr-defined]
    assert [rate_month([tariff], mixed, month, YOUTH) for month in (MARCH, APRIL)] == bills


def test_a_week_over_the_end_of_a_month_is_paid_once() -> None:
    every = [bus(day, hour) for day in days(dt.date(2027, 3, 30), 5) for hour in (6, 12)]
    march, april = (rate_month([WEEKS], every, month) for month in (MARCH, APRIL))
    # Two days by themselves; all five are a week for ten.
    assert (march.amount_cents, april.amount_cents) == (600, 400)
    assert [(c.rule, c.amount_cents, len(c.legs)) for c in april.charges] == [("week", 1_000, 10)]
    assert (april.billed_before_cents, len(april.legs)) == (600, 6)
    other = [*every, bus(dt.date(2027, 4, 2), 9, "rail")]
    assert rate_month([WEEKS], other, APRIL).amount_cents == 1_100


def test_a_promise_holds_however_far_the_ride_was() -> None:
    tariff = parse_tariff(
        {
            "tariff": "pool",
            "currency": "EUR",
            "timezone": "Europe/Paris",
            "leg_prices": [
                {"id": "pool", "when": {"mode": "carpool"}, "per_km_millicents": 8_000},
                {"id": "bus", "when": {"mode": "bus"}, "base_cents": 200},
            ],
        }
    )
    ride = replace(bus(MARCH, mode="carpool"), metres=10_000)
    amounts = [
        rate([tariff], [replace(ride, promised_cents=cents)]).amount_cents
        for cents in (None, 79, 80, 81, 0)
    ]
    assert amounts == [80, 79, 80, 80, 0]
    assert rate([tariff], [replace(bus(MARCH), promised_cents=150)]).amount_cents == 150
