"""What one journey more adds to a bill, against the plain difference of bills."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from payments.bill import Proof
from payments.month import month_of
from payments.own_price import Addition
from payments.rating import price_itinerary
from payments.rights import Rights
from payments.tariff import FareLeg, Tariff
from tests.oracles.addition_oracle import added_cents
from tests.payments.test_month import WEEKS, bus, days
from tests.support.random_fares import proofs, some, tariffs, trips
from tests.support.rated_months import prices_of, rated_months

pytestmark = pytest.mark.unit


def own(used: Sequence[FareLeg], planned: Sequence[FareLeg]) -> Addition:
    return prices_of(WEEKS, used).price(planned)


@some
@given(tariffs(), trips(7), st.lists(trips(3), min_size=1, max_size=3), proofs())
def test_it_is_the_difference_of_bills_whatever_was_asked_before(
    tariff: Tariff, legs: list[FareLeg], journeys: list[list[FareLeg]], proved: list[Proof]
) -> None:
    prices = prices_of(tariff, legs, Rights(tuple(proved)))
    for journey in filter(None, journeys):
        planned = sorted(journey, key=lambda leg: leg.board_at)
        added = prices.price(planned)
        assert added.amount_cents == added_cents(tariff, legs, planned, proved)
        assert added.month == min(month_of(tariff, leg) for leg in planned)
        so_far = rated_months([tariff], legs, proved, [added.month])[added.month]
        assert added.so_far_cents == so_far.amount_cents
        assert sorted(row for c in added.charges for row in c.legs) == list(range(len(planned)))


@some
@given(tariffs(monotone=True), trips(5), trips(3))
def test_it_is_not_below_zero_and_no_more_than_it_costs_anybody(
    tariff: Tariff, legs: list[FareLeg], journey: list[FareLeg]
) -> None:
    planned = sorted(journey, key=lambda leg: leg.board_at)
    if len({month_of(tariff, leg) for leg in planned}) != 1:
        return
    added = prices_of(tariff, legs).price(planned)
    alone = price_itinerary([tariff], planned)
    assert alone.amount_cents is not None
    assert added.amount_cents is not None
    assert 0 <= added.amount_cents <= alone.amount_cents


def test_a_journey_costs_nothing_once_the_cap_is_reached() -> None:
    used = [bus(day, hour) for day in days(dt.date(2027, 4, 5), 4) for hour in (6, 12)]
    friday = dt.date(2027, 4, 9)
    added = own(used, [bus(friday)])
    assert (added.amount_cents, added.so_far_cents) == (0, 1_000)
    assert [(c.rule, c.legs, c.since) for c in added.charges] == [
        ("week", (0,), dt.date(2027, 4, 5))
    ]
    assert added.reached == {"week"}
    mixed = own(used, [bus(friday), bus(friday, 8, "rail")])
    assert mixed.amount_cents == 700
    # The third day of buses reaches the cap of the week: 300 + 300 + 300 + 300 > 1,000.
    third = own(used[:6], [bus(dt.date(2027, 4, 8), 6), bus(friday, 8)])
    assert (third.amount_cents, third.reached) == (100, {"day"})


def test_a_journey_with_a_leg_that_has_no_price_adds_nobody_knows_what() -> None:
    friday = dt.date(2027, 4, 9)
    added = own([], [bus(friday), bus(friday, 9, "ferry")])
    assert added.amount_cents is None
    # What has no price among the legs used says nothing of the journey.
    assert own([bus(friday, 9, "ferry")], [bus(friday)]).amount_cents == 200
