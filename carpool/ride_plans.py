"""
Plan of a booked ride: where the driver lets riders in and out, in which order, and when.

A ride without bookings has the driver's own stops alone. Each booking adds two visits, at the best
of all positions that keep what everybody was promised: the driver his limit on the whole drive and
his window, riders their pick-up windows, their latest arrivals and their seats. What is left of a
budget is always the limit less the plan, never counted by hand, so that a cancelled booking gives
back exactly what it took.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from routing.doors import Door
from routing.raptor.body_table import Body
from routing.street.drive import UNREACHABLE_S

Int64 = npt.NDArray[np.int64]
NEVER_S = 2**62
"""Later than any visit: somewhere nobody has to be by a time."""


@dataclass(frozen=True, slots=True)
class Visit:
    """The car stands at a meeting point for one booking."""

    booking: str
    point: int
    """Row of the network's meeting points, or of the ride's doors behind them."""
    segment: int
    """Between which of the driver's own stops."""
    seats: int
    """Seats taken from here on; less than 0 where riders get out."""
    earliest_s: int
    latest_s: int
    """Epoch seconds between which the car must be there; it waits for the first."""


@dataclass(frozen=True, slots=True)
class Schedule:
    """When the driver is where; epoch seconds."""

    leaves_s: int
    at_s: tuple[int, ...]
    """When each visit's riders get in or out, waiting over."""
    waits_s: tuple[int, ...]
    """How long the car stands before that."""
    ends_s: int
    drive_s: int
    """Seconds of driving: the driver's own and what he does for riders."""


@dataclass(frozen=True, slots=True)
class RideWay:
    """What one dated ride may do: its compiled offer, its window and the drives between points."""

    body: Body
    drive_s: npt.NDArray[np.uint16]
    """Shape (P, P): drives between meeting points."""
    earliest_s: int
    latest_s: int
    """The driver leaves between these, epoch seconds."""
    seat_count: int
    doors: tuple[Door, ...] = ()
    """Where it also stops for riders who have booked that: points from P on."""
    door_s: Mapping[tuple[int, int], int] = field(default_factory=dict)
    """Drives between doors, by their rows."""
    _rows: dict[tuple[int, int], int] = field(default_factory=dict, compare=False, repr=False)
    """Candidates that were looked up, by point and segment."""
    _drives: dict[tuple[int, int], int | None] = field(
        default_factory=dict, compare=False, repr=False
    )
    """Drives that were looked up, between candidates."""

    @property
    def limit_s(self) -> int:
        """Longest drive that the driver accepts."""
        return self.body.solo_s + self.body.budget_s

    def candidate(self, visit: Visit) -> int:
        """Row of the body's candidates at which a visit stands, or -1."""
        key = visit.point, visit.segment
        if key not in self._rows:
            at = (self.body.point == visit.point) & (self.body.segment == visit.segment)
            rows = np.flatnonzero(at)
            self._rows[key] = int(rows[0]) if len(rows) else -1
        return self._rows[key]

    def segments_at(self, point: int) -> list[int]:
        """Segments in which the driver can come by a point."""
        segments: list[int] = np.unique(self.body.segment[self.body.point == point]).tolist()
        return segments

    def between_s(self, a: int, b: int) -> int | None:
        """Drive from candidate `a` to candidate `b`; None if none leads there."""
        if (a, b) not in self._drives:
            self._drives[a, b] = self._drive_s(a, b)
        return self._drives[a, b]

    def _drive_s(self, a: int, b: int) -> int | None:
        body = self.body
        if body.segment[a] != body.segment[b]:
            return int(body.to_end_s[a]) + int(body.from_start_s[b]) - body.solo_s
        here, there = int(body.point[a]), int(body.point[b])
        points = len(self.drive_s)
        if here < points <= there:
            drive_s = int(self.doors[there - points].to_s[here])
        elif here >= points and there >= points:
            drive_s = self.door_s.get((here - points, there - points), 0)
        else:
            drive_s = int(self.drives_from(here, np.array([there]))[0])
        return None if drive_s >= UNREACHABLE_S else drive_s

    def drives_from(self, place: int, points: Int64) -> Int64:
        """Drives from a meeting point or a door to meeting points."""
        own = place - len(self.drive_s)
        drives_s = self.drive_s[place] if own < 0 else self.doors[own].from_s
        return np.asarray(drives_s[points], np.int64)

    def drives_to(self, points: Int64, place: int) -> Int64:
        """Drives from meeting points to one of them or to a door."""
        own = place - len(self.drive_s)
        drives_s = self.drive_s[:, place] if own < 0 else self.doors[own].to_s
        return np.asarray(drives_s[points], np.int64)

    def schedule(self, visits: Sequence[Visit]) -> Schedule | None:
        """
        Drive to the visits in their order, or None where a promise would be broken.

        The driver leaves as late as the first visit allows and waits wherever he is early. Being
        earlier is never worse for what follows, so that no other departure would keep a promise
        that this one breaks.
        """
        body, limit_s = self.body, self.limit_s
        leaves_s, row, segment, aboard, drive_s, left_s = self.earliest_s, -1, 0, 0, 0, body.solo_s
        now_s, at_s, waits_s = leaves_s, [], []
        for visit in visits:
            before, row = row, self.candidate(visit)
            if row < 0 or visit.segment < segment:
                return None
            if before < 0:
                hop_s: int | None = int(body.from_start_s[row])
                assert hop_s is not None
                leaves_s = max(visit.earliest_s - hop_s, self.earliest_s)
                now_s = leaves_s = min(leaves_s, self.latest_s)
            else:
                hop_s = self.between_s(before, row)
            if hop_s is None:
                return None
            there_s, drive_s, left_s = now_s + hop_s, drive_s + hop_s, int(body.to_end_s[row])
            now_s, segment = max(there_s, visit.earliest_s), visit.segment
            aboard += visit.seats
            # To the end it is at least as far as from here on the shortest way.
            if (
                now_s > visit.latest_s
                or aboard > self.seat_count
                or drive_s + left_s > limit_s
                or now_s + left_s > self.latest_s + limit_s
            ):
                return None
            at_s.append(now_s)
            waits_s.append(now_s - there_s)
        ends_s = now_s + left_s
        return Schedule(leaves_s, tuple(at_s), tuple(waits_s), ends_s, drive_s + left_s)

    def insert(
        self, visits: Sequence[Visit], pickup: Visit, dropoff: Visit
    ) -> tuple[tuple[Visit, ...], Schedule] | None:
        """
        Add a booking at the best positions: the shortest drive, then the earliest end.

        Visits that are there keep their order. The segments of the two new ones are chosen here.

        Returns
        -------
        All visits in order and their schedule; None when nothing keeps every promise.
        """
        best: tuple[tuple[Visit, ...], Schedule] | None = None
        for ordered in self._orders(visits, pickup, dropoff):
            schedule = self.schedule(ordered)
            if schedule is not None and (best is None or _cost(schedule) < _cost(best[1])):
                best = ordered, schedule
        return best

    def _orders(
        self, visits: Sequence[Visit], pickup: Visit, dropoff: Visit
    ) -> Iterator[tuple[Visit, ...]]:
        choices = itertools.product(self.segments_at(pickup.point), self.segments_at(dropoff.point))
        for first, second in choices:
            if first > second:
                continue
            into = replace(pickup, segment=first)
            out = replace(dropoff, segment=second)
            for i in range(len(visits) + 1):
                for j in range(i, len(visits) + 1):
                    yield (*visits[:i], into, *visits[i:j], out, *visits[j:])


def _cost(schedule: Schedule) -> tuple[int, int]:
    return schedule.drive_s, schedule.ends_s
