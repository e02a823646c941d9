"""Totals by kernels are those of bills, of whatever tariff and history."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from payments import ways
from payments.bill import Proof
from payments.leg_columns import Rider, columns_of
from payments.many import rate_totals, total_months
from payments.month import rate_month
from payments.rating import rate
from payments.tariff import FareLeg, LegPrice, Period, Product, Tariff, When
from tests.payments.test_bill import few_cents, proofs, some, tariffs, trips
from tests.payments.test_month import APRIL, MARCH, earlier

pytestmark = pytest.mark.unit


@some
@given(tariffs(), st.lists(st.tuples(trips(9), st.just(()) | proofs()), min_size=1, max_size=4))
def test_totals_are_those_of_bills(
    tariff: Tariff, histories: list[tuple[list[FareLeg], list[Proof]]]
) -> None:
    riders = [Rider(legs, tuple(own)) for legs, own in histories]
    wanted = [rate([tariff], rider.legs, rider.proofs).amount_cents for rider in riders]
    assert rate_totals(tariff, columns_of(riders)).tolist() == wanted


@some
@given(tariffs(), trips(7), trips(4), proofs())
def test_months_cost_what_their_bills_say(
    tariff: Tariff, legs: list[FareLeg], before: list[FareLeg], proved: list[Proof]
) -> None:
    every = [*legs, *earlier(before), *([replace(legs[0], mode="ferry")] if legs else [])]
    months = (MARCH, APRIL)
    wanted = [rate_month([tariff], every, month, proved).total for month in months]
    riders = [Rider((), ()), Rider(every, tuple(proved)), Rider(every[1:], tuple(proved))]
    found = total_months([tariff], columns_of(riders), months)
    assert found[1] == wanted
    assert [total.leg_count for total in found[0]] == [0, 0]
    assert found[2] == [rate_month([tariff], every[1:], of, proved).total for of in months]


weeks = st.builds(
    Product,
    st.sampled_from(("a", "b", "c")),
    st.frozensets(st.sampled_from(("bus", "tram", "rail", "carpool")), min_size=1),
    st.sampled_from((Period.ROLLING_7D, Period.ROLLING_7D, Period.CALENDAR_MONTH)),
    few_cents,
)


@some
@given(tariffs(), st.lists(weeks, max_size=3), trips(10))
def test_weeks_and_months_that_reach_over_each_other(
    tariff: Tariff, longer: list[Product], legs: list[FareLeg]
) -> None:
    named = tuple(replace(product, id=f"p{nth}") for nth, product in enumerate(longer))
    own = replace(tariff, products=named)
    assert totals(own, Rider(legs)) == [rate([own], legs).amount_cents]


@some
@given(tariffs(), trips())
def test_what_the_tables_cannot_hold_is_rated_all_the_same(
    tariff: Tariff, legs: list[FareLeg]
) -> None:
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(ways, "PASS_LIMIT", -1)
        assert totals(tariff, Rider(legs)) == [rate([tariff], legs).amount_cents]
    assert totals(tariff) == []


def totals(tariff: Tariff, *riders: Rider) -> list[int]:
    return rate_totals(tariff, columns_of(riders)).tolist()


def test_prices_too_large_for_the_kernel_are_rated_all_the_same() -> None:
    dear = LegPrice("dear", When(frozenset({"bus"})), 900_000_000)
    own = Tariff("t", "EUR", "Europe/Paris", 0, (dear,), (), (), "hash")
    at = dt.datetime(2027, 3, 28, 8, tzinfo=dt.UTC)
    assert totals(own, Rider([FareLeg("bus", at, 0), FareLeg("bus", at, 0)])) == [1_800_000_000]


@pytest.mark.parametrize("minutes", range(-180, 240, 20))
def test_fare_days_that_begin_when_clocks_are_put_back(minutes: int) -> None:
    day_pass = Product("day", frozenset({"bus"}), Period.FARE_DAY, 250)
    single = LegPrice("bus", When(frozenset({"bus"})), 100)
    own = Tariff("t", "EUR", "Europe/Paris", 9_000, (single,), (), (day_pass,), "hash")
    back = dt.datetime(2027, 10, 31, 1, tzinfo=dt.UTC)
    legs = [
        FareLeg("bus", back + dt.timedelta(minutes=minutes + more), 0, id=str(more))
        for more in (0, 20, 40, 70, 100)
    ]
    assert totals(own, Rider(legs)) == [rate([own], legs).amount_cents]
