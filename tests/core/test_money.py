"""Whole cents, and the one rounding."""

from __future__ import annotations

from fractions import Fraction
from math import floor

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.money import Money, round_half_up

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("numerator", "denominator", "cents"),
    [
        (0, 7, 0),
        (1, 2, 1),  # 0.5 goes up
        (3, 2, 2),  # 1.5 goes up
        (5, 2, 3),  # 2.5 goes up too: not to the even neighbour
        (4, 3, 1),  # 1.33
        (5, 3, 2),  # 1.67
        (499_999, 1_000_000, 0),
        (500_000, 1_000_000, 1),
    ],
)
def test_halves_go_up(numerator: int, denominator: int, cents: int) -> None:
    assert round_half_up(numerator, denominator) == cents


@given(st.integers(0, 10**30), st.integers(1, 10**12))
@settings(deadline=None, derandomize=True)
def test_rounding_is_exact_for_any_size(numerator: int, denominator: int) -> None:
    exact = Fraction(numerator, denominator)
    assert round_half_up(numerator, denominator) == floor(exact + Fraction(1, 2))


@pytest.mark.parametrize(("numerator", "denominator"), [(-1, 2), (1, 0), (1, -2)])
def test_rounding_of_what_is_no_price_is_our_own_mistake(numerator: int, denominator: int) -> None:
    with pytest.raises(AssertionError):
        round_half_up(numerator, denominator)


def test_amounts_of_one_currency_add_up() -> None:
    assert Money(150, "EUR") + Money(-20, "EUR") == Money(130, "EUR")


def test_amounts_of_two_currencies_do_not_add_up() -> None:
    with pytest.raises(AssertionError, match="two currencies"):
        Money(150, "EUR") + Money(150, "CHF")
