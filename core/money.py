"""Money is a whole number of cents in one currency; no float touches it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, order=False)
class Money:
    """An amount in the currency's cents."""

    cents: int
    currency: str

    def __add__(self, other: Money) -> Money:
        assert self.currency == other.currency, "two currencies in one sum"
        return Money(self.cents + other.cents, self.currency)


def round_half_up(numerator: int, denominator: int) -> int:
    """Divide two non-negative integers and round half up: the one rounding of a priced leg."""
    assert numerator >= 0
    assert denominator > 0
    return (2 * numerator + denominator) // (2 * denominator)
