"""The legs of a day that no product pays, cut into fare journeys and single legs."""

from __future__ import annotations

import operator
from collections.abc import Iterator, Mapping, Sequence

from core.money import round_half_up
from payments.alone import Terms, are_joined
from payments.tariff import LIST_PRICE, FareJourney, FareLeg, Single

CENTS = operator.attrgetter("cents")
Piece = tuple[tuple[int, ...], FareJourney | None]
"""Rows of legs that are paid together and what joins them, or of one leg."""


def cheapest_cut(
    legs: Sequence[FareLeg],
    singles: Mapping[int, Single],
    terms: Terms,
    of_day: Sequence[int],
    left: int,
) -> tuple[int, list[Piece]]:
    """
    Find the cheapest cut of legs that follow one another into fare journeys and single legs.

    Parameters
    ----------
    singles
        Prices by themselves, by row.
    of_day
        Rows of the legs of the day.
    left
        Bits of the rows that are to be paid. The others are free; a pattern may take them all the
        same.
    """
    modes, longest_s = terms.tariff.joined_modes, terms.tariff.longest_window_s
    has_patterns = any(journey.pattern for journey in terms.tariff.fare_journeys)
    alone_cents = 0
    pieces: list[Piece] = []
    rows: list[int] = []
    # Of each number of first legs that may be joined: their least price; how many are before
    # the last piece, and the piece, if the last leg is not free.
    least = [0]
    steps: list[tuple[int, Piece | None]] = []
    for row in of_day:
        leg, dearest, is_free = legs[row], singles[row], not left >> row & 1
        if is_free and not (has_patterns and leg.mode in modes):
            continue
        if leg.mode not in modes:
            alone_cents += dearest.cents
            pieces.append(((row,), None))
            continue
        rows.append(row)
        best: tuple[int, int] = least[-1], 0
        step: tuple[int, Piece | None] = len(steps), None
        together: tuple[int, ...] = (row,)
        if not is_free:
            best = least[-1] + dearest.cents, -1
            step = len(steps), (together, None)
        for start in range(len(rows) - 2, -1, -1) if not is_free else ():
            span_s = (leg.board_at - legs[rows[start]].board_at).total_seconds()
            if span_s > longest_s:
                break
            if not left >> rows[start] & 1:
                continue
            together = (rows[start], *together)
            own = [legs[row] for row in together]
            dearest = max(singles[rows[start]], dearest, key=CENTS)
            for journey in terms.tariff.fare_journeys:
                if span_s <= journey.window_s and are_joined(journey, own):
                    price = least[start] + price_joined(terms, journey, dearest).cents
                    # Of two cuts alike that with the longer last piece is taken.
                    if (price, -len(together)) < best:
                        best, step = (price, -len(together)), (start, (together, journey))
        if has_patterns:
            for start, taken, journey in _patterns_with_free(legs, terms, rows, left):
                price = least[start] + price_joined(terms, journey, dearest).cents
                if (price, -len(taken)) < best:
                    best, step = (price, -len(taken)), (start, (taken, journey))
        least.append(best[0])
        steps.append(step)
    count = len(steps)
    while count:
        count, piece = steps[count - 1]
        if piece is not None:
            pieces.append(piece)
    return alone_cents + least[-1], pieces


def price_joined(terms: Terms, journey: FareJourney, dearest: Single) -> Single:
    """Price of legs that are joined, by the dearest of them or by the fare journey's own."""
    if journey.price_cents is None:
        return dearest
    category = min(terms.shares, key=lambda category: terms.shares[category])
    cents = round_half_up(journey.price_cents * terms.shares[category], LIST_PRICE)
    return Single(cents, journey.id, category)


def _patterns_with_free(
    legs: Sequence[FareLeg], terms: Terms, rows: Sequence[int], left: int
) -> Iterator[tuple[int, tuple[int, ...], FareJourney]]:
    """Patterns that end with the last row and take a free leg, and where they begin."""
    last = legs[rows[-1]]
    for journey in terms.tariff.fare_journeys:
        if journey.pattern is None:
            continue
        ways: list[tuple[int, tuple[int, ...]]] = [(len(rows) - 1, ())]
        while ways:
            nth, taken = ways.pop()
            row, missing = rows[nth], len(journey.pattern) - len(taken)
            leg, is_free = legs[row], not left >> row & 1
            if (last.board_at - leg.board_at).total_seconds() > journey.window_s:
                continue
            if taken and is_free and nth:
                ways.append((nth - 1, taken))
            if leg.mode in journey.pattern[missing - 1]:
                with_row = row, *taken
                if missing > 1 and nth:
                    ways.append((nth - 1, with_row))
                elif missing == 1 and any(not left >> each & 1 for each in with_row):
                    yield nth, with_row, journey
