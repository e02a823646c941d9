"""Totals by kernels are those of bills, of whatever tariff and history."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from payments import many, ways
from payments.bill import Bill, Proof
from payments.carried_weeks import Choices
from payments.leg_columns import Rider, columns_of
from payments.many import rate_bills, rate_months, rate_totals, total_months
from payments.rating import rate
from payments.tariff import FareLeg, LegPrice, Period, Product, Tariff, When
from tests.payments.test_month import histories, weekly
from tests.support.random_fares import few_cents, proofs, some, tariffs, trips
from tests.support.rated_months import rated_months

pytestmark = pytest.mark.unit
MONTHS = [dt.date(2026, 12, 1), *(dt.date(2027, month, 1) for month in range(1, 5))]


@some
@given(tariffs(), st.lists(st.tuples(trips(9), st.just(()) | proofs()), min_size=1, max_size=4))
def test_totals_are_those_of_bills(
    tariff: Tariff, histories: list[tuple[list[FareLeg], list[Proof]]]
) -> None:
    riders = [Rider(legs, tuple(own)) for legs, own in histories]
    wanted = [rate([tariff], rider.legs, rider.proofs) for rider in riders]
    columns = columns_of(riders)
    assert rate_totals(tariff, columns).tolist() == [bill.amount_cents for bill in wanted]
    assert rate_bills(tariff, columns) == wanted
    without = replace(columns, given=())
    assert list(map(told, rate_bills(tariff, without))) == list(map(told, wanted))


def told(bill: Bill) -> tuple[object, ...]:
    """What a bill says, of whatever legs: those of columns have other ids."""
    legs = [replace(leg, id="", board_at=leg.board_at.astimezone(dt.UTC)) for leg in bill.legs]
    return legs, bill.charges, bill.unpriced


@settings(some, max_examples=300)
@given(weekly(), histories(), proofs())
def test_months_cost_what_their_bills_say(
    tariff: Tariff, legs: list[FareLeg], proved: list[Proof]
) -> None:
    every = [*legs, *([replace(legs[0], mode="ferry")] if legs else [])]
    riders = [Rider((), ()), Rider(every, tuple(proved)), Rider(every[1:], tuple(proved))]
    columns = columns_of(riders)
    wanted = [rated_months([tariff], own.legs, own.proofs, MONTHS) for own in riders]
    left: list[Choices] = [() for _ in riders]
    for month in MONTHS:
        own = [rated[month] for rated in wanted]
        assert total_months([tariff], columns, month, left) == [bill.total for bill in own]
        assert rate_months([tariff], columns, month, left) == own
        for billed, bill in zip(
            rate_months([tariff], replace(columns, given=()), month, left), own, strict=True
        ):
            assert told(billed.bill) == told(bill.bill)
            assert replace(billed, bill=bill.bill) == bill
        left = [bill.choices for bill in own]


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
    wanted = rate([own], legs)
    assert totals(own, Rider(legs)) == [wanted.amount_cents]
    assert rate_bills(own, columns_of([Rider(legs)])) == [wanted]


@some
@given(tariffs(), trips())
def test_what_the_tables_cannot_hold_is_rated_all_the_same(
    tariff: Tariff, legs: list[FareLeg]
) -> None:
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(ways, "PASS_LIMIT", -1)
        patched.setattr(many, "_ways", ways.Ways)
        wanted = rate([tariff], legs)
        assert totals(tariff, Rider(legs)) == [wanted.amount_cents]
        columns = columns_of([Rider(legs)])
        assert rate_bills(tariff, columns) == [wanted]
        (found,) = rate_bills(tariff, replace(columns, given=()))
        assert told(found) == told(wanted)
    assert totals(tariff) == []
    assert rate_bills(tariff, columns_of([])) == []


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


@pytest.mark.parametrize("day", [1, 2, 31])
def test_no_month_is_sold_by_a_version_that_begins_within_it(day: int) -> None:
    month_pass = Product("month", frozenset({"bus"}), Period.CALENDAR_MONTH, 150)
    single = LegPrice("bus", When(frozenset({"bus"})), 100)
    own = Tariff("t", "EUR", "Europe/Paris", 0, (single,), (), (month_pass,), "hash")
    held = own.held_on(dt.date(2027, 3, day), None)
    at = dt.datetime(2027, 3, 31, 8, tzinfo=dt.UTC)
    legs = [FareLeg("bus", at + dt.timedelta(hours=more), 0) for more in range(3)]
    assert (
        totals(held, Rider(legs)) == [rate([held], legs).amount_cents] == [300 if day > 1 else 150]
    )
