"""
Rides that cost less on two cards than on one: a search for histories of two accounts.

One bill of both is never dearer than two where no product is bound to a number of legs, and no leg
parts others: of two fare journeys that overlap the dearer takes all that is boarded within it, or
the longer one all of both, and what is left of each still follows one another. Only where that does
not hold, `may_be_split`, is there something to search.
"""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from payments.bill import Proof
from payments.drawn_legs import DrawnLegs
from payments.rating import rate
from payments.tariff import FareLeg, Tariff

TRIES = 1_500
BAND_TRIES = 4
"""Kinds of legs with which two usage bands are tried."""
BAND_LEGS = 60
"""Legs of the largest usage band that is tried: two rides a day are a month."""
CHANGE_TRIES = 60
"""Pairs of kinds of legs that are tried by turns."""
CHANGE_LEGS = 12
"""Legs of the largest limit of a fare journey that is tried."""
OTHER_LEGS = 1, 2
"""Legs on the other card, besides as many as another usage band is for."""

Cards = tuple[tuple[FareLeg, ...], tuple[FareLeg, ...]]


@dataclass(frozen=True, slots=True)
class Split:
    """Legs on two cards, in order of boarding, that cost less apart than together."""

    cards: Cards
    apart_cents: tuple[int, int]
    together_cents: int
    proofs: Sequence[Proof]
    """Of the rider who has both."""


def may_be_split(tariff: Tariff) -> bool:
    """Whether two accounts may cost less than one: where not, they never do."""
    return tariff.may_part or any(product.most_legs is not None for product in tariff.products)


def find_split(tariff: Tariff, drawn: DrawnLegs) -> Split | None:
    """Find rides that cost less on two cards, with no more rides than show it."""
    if not may_be_split(tariff):
        return None
    tries = _of_bands(tariff, drawn), _of_changes(tariff, drawn), _of_days(drawn)
    for cards, proofs in itertools.chain(*tries):
        found = _split(tariff, cards, proofs)
        if found is not None:
            return _shortest(tariff, found)
    return None


def _of_bands(tariff: Tariff, drawn: DrawnLegs) -> Iterator[tuple[Cards, list[Proof]]]:
    """As many legs as usage bands are for, on each card."""
    bands = [p for p in tariff.products if 0 < (p.most_legs or 0) <= BAND_LEGS]
    counts = sorted({*OTHER_LEGS, *(band.most_legs or 0 for band in bands)})
    for band, count in itertools.product(bands, counts):
        most = band.most_legs or 0
        for proofs in drawn.proofs():
            for _ in range(BAND_TRIES):
                legs = drawn.alike(band, most + count)
                yield (tuple(legs[:most]), tuple(legs[most:])), proofs


def _of_changes(tariff: Tariff, drawn: DrawnLegs) -> Iterator[tuple[Cards, list[Proof]]]:
    """As many legs as a fare journey takes on each card, by turns, alike on each."""
    all_proofs = itertools.cycle(drawn.proofs())
    for journey in tariff.fare_journeys:
        if not 1 < (journey.most_legs or 0) <= CHANGE_LEGS:
            continue
        count = 2 * (journey.most_legs or 0)
        wait = dt.timedelta(seconds=journey.window_s // count)
        for _ in range(CHANGE_TRIES):
            clock_s = drawn.clock_s()
            kinds = [drawn.leg(0, clock_s), drawn.leg(0, clock_s)]
            one, other = (
                tuple(
                    replace(kinds[card], board_at=kinds[card].board_at + nth * wait)
                    for nth in range(card, count, 2)
                )
                for card in (0, 1)
            )
            yield (one, other), next(all_proofs)


def _of_days(drawn: DrawnLegs) -> Iterator[tuple[Cards, list[Proof]]]:
    """Legs near one another, most of them by turns on one card and the other."""
    all_proofs = itertools.cycle(drawn.proofs())
    for _ in range(TRIES):
        legs = _in_order(drawn.history())
        card_of = [nth % 2 ^ (drawn.dice.random() < 0.3) for nth in range(len(legs))]
        one, other = (
            tuple(leg for leg, card in zip(legs, card_of, strict=True) if card == nth)
            for nth in (0, 1)
        )
        yield (one, other), next(all_proofs)


def _split(tariff: Tariff, cards: Cards, proofs: Sequence[Proof]) -> Split | None:
    whole = rate([tariff], itertools.chain(*cards), proofs)
    if whole.unpriced:
        return None
    one, other = (rate([tariff], legs, proofs).amount_cents for legs in cards)
    if one + other >= whole.amount_cents:
        return None
    return Split(cards, (one, other), whole.amount_cents, proofs)


def _shortest(tariff: Tariff, found: Split) -> Split:
    for leg in (leg for legs in found.cards for leg in legs):
        one, other = (tuple(own for own in legs if own is not leg) for legs in found.cards)
        found = _split(tariff, (one, other), found.proofs) or found
    return found


def _in_order(legs: Sequence[FareLeg]) -> list[FareLeg]:
    return sorted(legs, key=lambda leg: leg.board_at)
