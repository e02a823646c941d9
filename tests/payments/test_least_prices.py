"""What journeys cost at least, against what they cost: no lawful bill is lower."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given

from payments.bill import Proof
from payments.least_prices import LeastPrice, least_prices, may_fall
from payments.rating import price_itinerary
from payments.rights import HeldPass, Rights
from payments.tariff import MODES, FareLeg, Tariff
from tests.payments.test_month import WEEKS, bus, days
from tests.support.random_fares import proofs, some, tariffs, trips
from tests.support.rated_months import prices_of

pytestmark = pytest.mark.unit
FRIDAY = dt.date(2027, 4, 9)


def counted(least: Sequence[LeastPrice], journey: Sequence[FareLeg]) -> int:
    """What a search adds up of a journey."""
    cents = 0
    for own in least:
        boarded = sum(leg.mode in own.modes for leg in journey)
        cents += own.cents * (min(boarded, 1) if own.is_once else boarded)
    return cents


def unpromised(leg: FareLeg) -> FareLeg:
    """A leg that is only planned: a price is promised when it is booked."""
    return replace(leg, promised_cents=None)


@some
@given(tariffs(), trips(4))
def test_nobody_pays_less_than_the_least_price(tariff: Tariff, journey: list[FareLeg]) -> None:
    planned = sorted(map(unpromised, journey), key=lambda leg: leg.board_at)
    alone = price_itinerary([tariff], planned)
    if alone.amount_cents is not None:
        assert counted(least_prices(tariff), planned) <= alone.amount_cents


@some
@given(tariffs(), trips(9), proofs())
def test_no_journey_adds_less_to_a_bill_whatever_was_used_before(
    tariff: Tariff, legs: list[FareLeg], proved: list[Proof]
) -> None:
    ordered = sorted(legs, key=lambda leg: leg.board_at)
    for first in range(len(ordered)):
        used, planned = ordered[:first], ordered[first:]
        since = planned[0].board_at
        within = [leg for leg in planned if leg.board_at - since < dt.timedelta(days=1)]
        planned = list(map(unpromised, within))
        prices = prices_of(tariff, used, Rights(tuple(proved)))
        least = prices.least_additions(since)
        assert all(own.cents > 0 for own in least)
        for journey in (planned, planned[:1], planned[-1:]):
            added = prices.price(journey)
            assert added.amount_cents is not None
            cents = added.amount_cents + added.paid_cents
            if may_fall(tariff, frozenset(MODES)):  # the linter refuses what lowers bills
                cents = max(cents, 0)
            assert counted(least, journey) <= cents


def told(used: Sequence[FareLeg], rights: Rights | None = None) -> dict[str, int]:
    """By mode, at six on a Friday."""
    prices = prices_of(WEEKS, used, rights or Rights())
    least = prices.least_additions(bus(FRIDAY, 6).board_at)
    return {mode: own.cents for own in least for mode in sorted(own.modes) if mode in "bus rail"}


def test_once_the_cap_is_reached_buses_count_nothing_and_trains_what_they_cost() -> None:
    used = [bus(day, hour) for day in days(dt.date(2027, 4, 5), 4) for hour in (6, 12)]
    assert told([]) == {"bus": 200, "rail": 700}
    assert told(used[:1]) == {"bus": 200, "rail": 700}
    assert told(used[:6]) == {"bus": 100, "rail": 700}
    assert told(used) == {"rail": 700}
    # A day that was paid is of no use on the next one.
    assert told([bus(FRIDAY, 4), bus(FRIDAY, 5)]) == {"rail": 700}
    assert told(used[-2:]) == {"bus": 200, "rail": 700}


def test_what_a_pass_bought_elsewhere_covers_counts_nothing() -> None:
    held = HeldPass("week", dt.date(2027, 4, 1), dt.date(2027, 4, 30))
    assert told([], Rights(passes=(held,))) == {"rail": 700}
    assert told([bus(FRIDAY, 5)], Rights(passes=(held,))) == {"rail": 700}
    gone = HeldPass("week", dt.date(2027, 3, 1), dt.date(2027, 4, 8))
    assert told([], Rights(passes=(gone,))) == {"bus": 200, "rail": 700}
