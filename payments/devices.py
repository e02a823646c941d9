"""What a counting device has told: which of its numbers are missing, and how its clock goes."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass, replace

STEADY = dt.timedelta(seconds=30)
"""What a clock is taken to be right by: a batch may be under way for so long."""
TRUSTED = dt.timedelta(minutes=5)
"""A clock that is wrong by more may be wrong in other ways: somebody has to look."""


def clock_ahead(signed_at: dt.datetime, received_at: dt.datetime) -> dt.timedelta:
    """How far a device's clock is ahead, by what it read when a batch was signed."""
    ahead = signed_at - received_at
    return dt.timedelta() if abs(ahead) <= STEADY else ahead


@dataclass(frozen=True, slots=True)
class Gap:
    """Numbers that are missing, and between which times what they stand for happened."""

    first: int
    last: int
    after_at: dt.datetime | None
    """None: it is not known since when the device counts."""
    before_at: dt.datetime


@dataclass(frozen=True, slots=True)
class Told:
    """How far a device has counted."""

    next_number: int = 1
    last_at: dt.datetime | None = None
    gaps: tuple[Gap, ...] = ()

    def with_events(self, events: Iterable[tuple[int, dt.datetime]]) -> Told:
        """The same once it is known of some more numbers, in whatever order they come."""
        told = self
        for number, at in sorted(events):
            told = told._with(number, at)
        return told

    def _with(self, number: int, at: dt.datetime) -> Told:
        if number >= self.next_number:
            gaps = self.gaps
            if number > self.next_number:
                gaps += (Gap(self.next_number, number - 1, self.last_at, at),)
            last_at = at if self.last_at is None else max(self.last_at, at)
            return Told(number + 1, last_at, gaps)
        gaps = ()
        for gap in self.gaps:
            if not gap.first <= number <= gap.last:
                gaps += (gap,)
                continue
            early = replace(gap, last=number - 1, before_at=at)
            late = replace(gap, first=number + 1, after_at=at)
            gaps += tuple(part for part in (early, late) if part.first <= part.last)
        return replace(self, gaps=gaps)

    def owes(self, since: dt.datetime, until: dt.datetime) -> bool:
        """Whether something that happened between two times may not have been told."""
        if self.last_at is None or self.last_at < until:
            return True
        return any(
            gap.before_at >= since and (gap.after_at is None or gap.after_at < until)
            for gap in self.gaps
        )
