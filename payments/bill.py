"""What a rider owes: charges, the price of an itinerary, the bill of a month."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from payments.tariff import FareLeg


@dataclass(frozen=True, slots=True)
class Charge:
    """One line: what is owed, and by which rule."""

    rule: str
    kind: str
    """leg, fare_journey or product."""
    legs: tuple[int, ...]
    """Rows of the legs that it is for."""
    amount_cents: int
    tariff_hash: str = ""
    since: dt.date | None = None
    """First fare day of a product."""
    category: str | None = None
    """Rider category by which it is reduced."""


def charges_at(charges: Iterable[Charge], rows: Sequence[int]) -> tuple[Charge, ...]:
    """Charges of legs that are rows of something larger: leg `i` is its row `rows[i]`."""
    return tuple(replace(c, legs=tuple(rows[leg] for leg in c.legs)) for c in charges)


@dataclass(frozen=True, slots=True)
class Price:
    """Price of an itinerary for a group, or why it is not known."""

    amount_cents: int | None
    currency: str
    charges: tuple[Charge, ...]
    tariff_hash: str
    unknown_reason: str | None = None


@dataclass(frozen=True, slots=True)
class Proof:
    """That a rider belongs to a category on some days; of the document nothing is kept."""

    category: str
    valid_from: dt.date
    valid_to: dt.date


@dataclass(frozen=True, slots=True)
class Bill:
    """What a rider owes for his legs."""

    legs: tuple[FareLeg, ...]
    """In order of boarding: the rows that charges name."""
    charges: tuple[Charge, ...]
    unpriced: tuple[tuple[int, str], ...]
    """Rows of legs that no rule prices, with the reason: they are not free, somebody looks."""

    @property
    def amount_cents(self) -> int:
        """All charges together."""
        return sum(charge.amount_cents for charge in self.charges)
