"""Revenue is shared exactly, by agreed keys."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from payments.month import rate_month
from payments.revenue_shares import (
    apportion,
    cut_shares,
    share_revenue,
    shares_of_operators,
)
from payments.tariff import FareLeg, RevenueShares, Share, ShareKey, Tariff
from payments.versions import Tariffs
from tests.payments.test_month import APRIL, MARCH, WEEKS, bus, days, earlier
from tests.support.random_fares import SPRING, some, tariffs, trips
from tests.support.rated_months import rated_months

pytestmark = pytest.mark.unit
names = st.sampled_from(("bus", "metro", "rail", "zoe"))
keys = st.sampled_from((ShareKey.KM, ShareKey.RIDES)) | st.dictionaries(
    names, st.integers(0, 900), min_size=1
)


@some
@given(st.integers(0, 10_000), st.dictionaries(names, st.integers(0, 900), min_size=1))
def test_shares_are_exact_and_nobody_is_a_cent_from_his_part(
    cents: int, weights: dict[str, int]
) -> None:
    shares = apportion(cents, weights)
    assert sum(shares.values()) == cents
    assert shares == apportion(cents, dict(reversed(weights.items())))
    whole = sum(weights.values())
    for name, share in shares.items():
        assert share >= 0
        if whole:
            assert abs(share - Fraction(cents * weights[name], whole)) < 1
            assert weights[name] or not share
        else:
            assert abs(share - Fraction(cents, len(weights))) < 1


@some
@given(
    tariffs(), keys, st.dictionaries(st.sampled_from(("product0", "product1")), keys),
    trips(6, SPRING), trips(3, SPRING), st.lists(st.sampled_from(("", "metro", "bus"))),
)  # fmt: skip
def test_operators_earn_what_riders_pay(
    tariff: Tariff,
    otherwise: Share,
    of_products: dict[str, Share],
    legs: list[FareLeg],
    before: list[FareLeg],
    operators: list[str],
) -> None:
    own = replace(tariff, revenue_shares=RevenueShares(otherwise, of_products))
    every = [
        replace(leg, operator=operators[nth] if nth < len(operators) else "")
        for nth, leg in enumerate([*legs, *earlier(before)])
    ]
    for month in (MARCH, APRIL):
        rated = rated_months([own], every, (), [month])[month]
        earned = share_revenue(Tariffs((own,)), rated)
        assert sum(earned.values()) == rated.amount_cents
        assert min(earned.values(), default=0) >= 0
        shares = shares_of_operators(earned)
        assert sum(shares.values()) == rated.amount_cents - earned.get("network", 0)
        for cents in (0, rated.amount_cents // 3, rated.amount_cents + 5):
            cut = cut_shares(shares, rated.amount_cents, cents)
            assert sum(cut.values()) <= cents
            assert all(0 <= cut.get(name, 0) <= shares[name] for name in shares)
            assert set(cut) <= set(shares)


def test_each_product_has_its_key() -> None:
    shares = RevenueShares(ShareKey.KM, {"week": ShareKey.RIDES, "day": {"metro": 1, "bus": 2}})
    tariff = replace(WEEKS, revenue_shares=shares)

    def ride(day: int, hour: int, operator: str, metres: int, mode: str = "bus") -> FareLeg:
        return replace(bus(days(APRIL, 30)[day], hour, mode), operator=operator, metres=metres)

    def earned(*legs: FareLeg) -> dict[str, int]:
        return share_revenue(Tariffs((tariff,)), rate_month([tariff], legs, APRIL))

    assert earned(ride(0, 6, "bus", 9_000), ride(0, 9, "metro", 1_000)) == {
        "metro": 100,
        "bus": 200,
    }
    week = [ride(day, hour, "bus", 5_000) for day in range(5) for hour in (6, 9)][:-3]
    metro = [ride(4, hour, "metro", 1) for hour in (7, 8, 9)]
    assert earned(*week, *metro) == {"bus": 700, "metro": 300}
    assert earned(ride(0, 6, "", 900, "rail")) == {"network": 700}
