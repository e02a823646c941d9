"""Totals by kernels are those of bills, of whatever tariff and history."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from payments import many
from payments.bill import Proof
from payments.many import Rider, rate_totals, total_months
from payments.month import rate_month
from payments.rating import rate
from payments.tariff import FareLeg, Period, Product, Tariff
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
    assert rate_totals(tariff, riders).tolist() == wanted


@some
@given(tariffs(), trips(7), trips(4), proofs())
def test_months_cost_what_their_bills_say(
    tariff: Tariff, legs: list[FareLeg], before: list[FareLeg], proved: list[Proof]
) -> None:
    every = [*legs, *earlier(before), *([replace(legs[0], mode="ferry")] if legs else [])]
    months = (MARCH, APRIL)
    wanted = [rate_month([tariff], every, month, proved).total for month in months]
    riders = [Rider((), ()), Rider(every, tuple(proved)), Rider(every[1:], tuple(proved))]
    found = total_months([tariff], riders, months)
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
    assert rate_totals(own, [Rider(legs)]).tolist() == [rate([own], legs).amount_cents]


@some
@given(tariffs(), trips())
def test_what_the_tables_cannot_hold_is_rated_all_the_same(
    tariff: Tariff, legs: list[FareLeg]
) -> None:
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(many, "PASS_LIMIT", -1)
        assert rate_totals(tariff, [Rider(legs)]) == rate([tariff], legs).amount_cents
    assert rate_totals(tariff, []).shape == (0,)
