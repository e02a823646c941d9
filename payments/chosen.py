"""
Where a stay ended that nobody tapped out of, from the itinerary that its rider had said he takes.

Pure: only what he had said before he tapped in counts, and what he took back later still counts for
that tap. So the same taps and choices give the same stays, in whatever order they become known, and
nobody chooses a shorter way once he has travelled.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from payments.taps import End, Stay, Tap, TapKind

EARLY = dt.timedelta(minutes=20)
"""So long before a vehicle leaves one may tap in: gates are far, or one takes an earlier one."""
LATE = dt.timedelta(minutes=60)
"""So long after it should have left one may still tap in: it is late, or it was missed."""
YIELDING = frozenset({End.NEXT_BOARDING, End.LINE_MAXIMUM})
"""Ends that nobody tapped: a choice goes before them."""


@dataclass(frozen=True, slots=True)
class ChosenLeg:
    """A ride by public transport that somebody wants to make; stops and route as taps name them."""

    board_stop: str
    alight_stop: str
    route: str
    mode: str
    board_at: dt.datetime
    trip: str = ""
    """As an answer to a search names it: whoever chose it recognises it, whatever its delay."""


@dataclass(frozen=True, slots=True)
class ChosenItinerary:
    """What a rider said that he takes, from when until when he said so."""

    id: uuid.UUID
    legs: tuple[ChosenLeg, ...]
    noted_at: dt.datetime
    dropped_at: dt.datetime | None = None

    def counts_at(self, at: dt.datetime) -> bool:
        """Whether it was chosen at some time."""
        return self.noted_at <= at and (self.dropped_at is None or at < self.dropped_at)


def end_as_chosen(
    stay: Stay, itineraries: Iterable[ChosenItinerary], takes: Callable[[Tap, ChosenLeg], bool]
) -> Stay:
    """
    Let a stay that nobody tapped out of end where its rider wanted to alight, if he had said so.

    Of several itineraries the one chosen last goes first, of its legs the one nearest in time.

    Parameters
    ----------
    itineraries
        Of the rider to whom the card belongs, also those that he has taken back.
    takes
        Whether who taps there can be on a leg: it is boarded there, and goes on to its last stop.
    """
    if stay.how not in YIELDING:
        return stay
    start = stay.start
    # A reader's clock may be minutes ahead; what is said in between is not known when it is heard.
    chosen = [own for own in itineraries if own.counts_at(start.heard_at or start.at)]
    for own in sorted(chosen, key=lambda own: (own.noted_at, own.id), reverse=True):
        for leg in sorted(own.legs, key=lambda leg: abs(start.at - leg.board_at)):
            in_time = -EARLY <= start.at - leg.board_at <= LATE
            alike = leg.route == start.route if start.route else leg.mode == start.mode
            if in_time and alike and takes(start, leg):
                end = replace(start, kind=TapKind.OUT, stop=leg.alight_stop)
                return Stay(start, end, End.CHOSEN)
    return stay
