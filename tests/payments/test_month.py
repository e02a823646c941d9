"""Months of riders, over the end of which weeks reach."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from payments.bill import Proof
from payments.many import rate_own_month
from payments.month import month_of, rate_month
from payments.rating import rate
from payments.tariff import FareLeg, Period, Product, Tariff
from payments.tariff_file import parse_tariff
from payments.versions import Tariffs
from tests.oracles.bill_oracle import cheapest_bill
from tests.support.random_fares import SPRING, proofs, some, tariffs, trips
from tests.support.rated_months import rated_months

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


WEEK = st.builds(
    Product, st.just(""), st.frozensets(st.sampled_from(("bus", "tram", "rail")), min_size=1),
    st.sampled_from((*(Period.ROLLING_7D,) * 3, Period.CALENDAR_MONTH)),
    st.integers(0, 8).map(lambda n: n * 95),
)  # fmt: skip


@st.composite
def weekly(draw: st.DrawFn) -> Tariff:
    """Tariffs of which most have weeks that may be worth their price."""
    tariff, given = draw(tariffs()), draw(st.none() | st.lists(WEEK, min_size=1, max_size=3))
    if given is None:
        return tariff
    return replace(
        tariff, products=tuple(replace(week, id=f"p{nth}") for nth, week in enumerate(given))
    )


@st.composite
def histories(draw: st.DrawFn, most: int = 7) -> list[FareLeg]:
    """Legs around the ends of some months in a row."""
    ends = draw(st.lists(trips(most, SPRING), min_size=2, max_size=4))
    return [
        replace(leg, board_at=leg.board_at - nth * dt.timedelta(days=29), id=f"{nth}{leg.id}")
        for nth, legs in enumerate(ends)
        for leg in legs
    ]


@settings(some, max_examples=300)
@given(weekly(), histories(), proofs())
def test_all_months_together_cost_what_the_best_plan_for_all_their_legs_does(
    tariff: Tariff, legs: list[FareLeg], proved: list[Proof]
) -> None:
    months = rated_months([tariff], legs, proved)
    cents = sum(bill.amount_cents for bill in months.values())
    whole = rate([tariff], legs, proved).amount_cents
    assert cents == whole


@settings(some, max_examples=60)
@given(weekly(), histories(2), proofs())
def test_no_lawful_plan_for_all_months_is_cheaper(
    tariff: Tariff, legs: list[FareLeg], proved: list[Proof]
) -> None:
    cents = sum(bill.amount_cents for bill in rated_months([tariff], legs, proved).values())
    plainly = cheapest_bill([tariff], legs, proved)
    assert plainly is not None
    assert cents == plainly


@settings(some, max_examples=200)
@given(weekly(), weekly(), histories(5), proofs(), st.sampled_from((1, 2, 3)))
def test_weeks_of_the_version_before_are_good_until_they_end(
    first: Tariff, then: Tariff, legs: list[FareLeg], proved: list[Proof], month: int
) -> None:
    since = dt.date(2027, month, 1)
    old = replace(first, cutover_s=0, content_hash="old", valid_to=since - dt.timedelta(days=1))
    new = replace(then, cutover_s=0, content_hash="new", valid_from=since)
    versions = Tariffs((old, new))
    cents, choices = 0, ()
    for of in [MARCH.replace(year=2026, month=12), *(MARCH.replace(month=m) for m in range(1, 5))]:
        of_month = versions.of_month(of).versions
        bill = rate_own_month(of_month, legs, of, proved, choices)
        assert bill == rate_month(of_month, legs, of, proved, choices)
        cents, choices = cents + bill.amount_cents, bill.choices
    assert cents == rate([old, new], legs, proved).amount_cents


@some
@given(tariffs(), trips(5, SPRING), trips(3, SPRING), st.randoms(use_true_random=False))
def test_no_month_is_dearer_than_its_legs_and_no_two_than_both_together(
    tariff: Tariff, legs: list[FareLeg], before: list[FareLeg], shuffled: object
) -> None:
    every = [*legs, *earlier(before)]
    months = rated_months([tariff], every, YOUTH, (MARCH, APRIL))
    bills = [months[month] for month in (MARCH, APRIL)]
    own = {
        month: [leg for leg in every if month_of(tariff, leg) == month] for month in (MARCH, APRIL)
    }
    for bill in bills:
        assert 0 <= bill.amount_cents <= rate([tariff], own[bill.month], YOUTH).amount_cents
        assert bill.amount_cents == sum(c.amount_cents for c in bill.charges)
        assert sorted(bill.legs, key=repr) == sorted(own[bill.month], key=repr)
    together = rate([tariff], [*own[MARCH], *own[APRIL]], YOUTH).amount_cents
    assert sum(bill.amount_cents for bill in bills) <= together
    if not any(month_of(tariff, leg) < MARCH for leg in every):
        assert sum(bill.amount_cents for bill in bills) == together
    mixed = list(every)
    shuffled.shuffle(mixed)  # type: ignore[attr-defined]
    assert rated_months([tariff], mixed, YOUTH, (MARCH, APRIL)) == months


def test_a_week_over_the_end_of_a_month_is_paid_once() -> None:
    every = [bus(day, hour) for day in days(dt.date(2027, 3, 30), 5) for hour in (6, 12)]
    march, april = rated_months([WEEKS], every).values()
    # Two days by themselves; all five are a week for ten.
    assert (march.amount_cents, april.amount_cents) == (600, 400)
    (week,) = april.charges
    assert (week.rule, week.amount_cents, len(week.legs)) == ("week", 400, 6)
    assert week.since == dt.date(2027, 3, 30)
    other = [*every, bus(dt.date(2027, 4, 2), 9, "rail")]
    assert rated_months([WEEKS], other)[APRIL].amount_cents == 1_100


def test_weeks_one_after_the_other_over_three_months_are_the_bill() -> None:
    """A bus on each of 35 days: five weeks for ten, wherever months end."""
    every = [bus(day) for day in days(dt.date(2027, 2, 27), 35)]
    cents = [bill.amount_cents for bill in rated_months([WEEKS], every).values()]
    # Two days; five weeks less these; nothing: the last week was bought in March.
    assert cents == [400, 4_600, 0]
    assert rate([WEEKS], every).amount_cents == 5_000


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
