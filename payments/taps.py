"""
Taps → stays in a vehicle or behind a gate: pairs of in and out, with the ends that are missing.

Pure: whatever the order in which taps became known, and however often one came, the same taps give
the same stays.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from enum import StrEnum

from payments.tariff import FareLeg

OPEN_LIMIT = dt.timedelta(hours=6)
"""A stay that has no end by then had none."""
TWICE = dt.timedelta(minutes=2)
"""A card held twice to a reader of one stop is read once."""


class TapKind(StrEnum):
    """What a reader saw."""

    BOARD = "board"
    """On board, where nobody taps out."""
    IN = "in"
    OUT = "out"


class End(StrEnum):
    """How the end of a stay is known."""

    TAPPED = "tapped"
    NOT_NEEDED = "not_needed"
    CHOSEN = "chosen"
    """Where the rider had said that he would alight (`payments.chosen`)."""
    NEXT_BOARDING = "next_boarding"
    HABIT = "habit"
    """Of a leg: where its rider usually alights (`payments.habits`)."""
    LINE_MAXIMUM = "line_maximum"


GUESSED = frozenset({End.CHOSEN, End.NEXT_BOARDING, End.HABIT, End.LINE_MAXIMUM})
"""Ends that nobody tapped, and that the price may depend on."""


@dataclass(frozen=True, slots=True)
class Tap:
    """One reading of a card, phone or bank card."""

    id: str
    """Of the device and its count: the same reading has the same."""
    at: dt.datetime
    kind: TapKind
    stop: str
    mode: str
    route: str = ""
    operator: str = ""
    told_ahead_s: int = 0
    """By how much the time that the reader told was too late; `at` is without it."""
    heard_at: dt.datetime | None = None
    """When it was received, of a stored one that was received before `at`: a clock is ahead."""


@dataclass(frozen=True, slots=True)
class Used:
    """A tap of a card, or a ride by it that is over and was told as a whole."""

    medium: bytes
    """Digest of the card's number."""
    what: Tap | FareLeg


@dataclass(frozen=True, slots=True)
class Stay:
    """A rider in a vehicle, or behind the gates of a network."""

    start: Tap
    end: Tap | None
    """Tap whose place and time end it; None where no end is known. Of `End.CHOSEN` nobody tapped:
    the place is that of the choice, the time that of the start."""
    how: End


def allow_guess(stay: Stay, guesses: Collection[str]) -> Stay:
    """End a stay with the next boarding only if that is among the guesses that are made."""
    if stay.how is not End.NEXT_BOARDING or stay.how in guesses:
        return stay
    return Stay(stay.start, None, End.LINE_MAXIMUM)


def pair_taps(taps: Iterable[Tap]) -> tuple[list[Stay], list[Tap]]:
    """
    Stays in order, and those taps out that end nothing: what they end may still come.

    A stay without an end ends where the rider next boards within `OPEN_LIMIT`; otherwise nobody
    knows, and it is as long as its line (`End.LINE_MAXIMUM`).
    """
    stays: list[Stay] = []
    unmatched: list[Tap] = []
    open_tap: Tap | None = None
    last: Tap | None = None
    ordered = sorted({tap.id: tap for tap in taps}.values(), key=lambda tap: (tap.at, tap.id))
    for tap in ordered:
        again = last is not None and (last.kind, last.stop, last.route) == (
            tap.kind, tap.stop, tap.route,
        )  # fmt: skip
        if again and last is not None and tap.at - last.at <= TWICE:
            continue
        last = tap
        if open_tap is not None and tap.at - open_tap.at > OPEN_LIMIT:
            stays.append(Stay(open_tap, None, End.LINE_MAXIMUM))
            open_tap = None
        if tap.kind is TapKind.OUT:
            if open_tap is None:
                unmatched.append(tap)
            else:
                stays.append(Stay(open_tap, tap, End.TAPPED))
            open_tap = None
            continue
        if open_tap is not None:
            stays.append(Stay(open_tap, tap, End.NEXT_BOARDING))
            open_tap = None
        if tap.kind is TapKind.BOARD:
            stays.append(Stay(tap, None, End.NOT_NEEDED))
        else:
            open_tap = tap
    if open_tap is not None:
        stays.append(Stay(open_tap, None, End.LINE_MAXIMUM))
    return stays, unmatched
