"""
Trips with a detour budget: what a carpool offer is to the search, and the scan of one round.

A flexible trip (a ride) lets a rider in at any of its body's candidate points and out at any
other, as long as the driver's whole way stays within his own drive plus his budget:
``df + M + db <= T0 + B`` (design: insertion with exact drive times). Drive times between
meeting points are one matrix that all bodies share, so a body holds two numbers per point.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from core.jit import kernel

Int32 = npt.NDArray[np.int32]
FAR_S = 2**29
"""A drive that no driver makes; added to a time it still fits its type."""


class FlexibleBodies(NamedTuple):
    """Compiled offers, shared by all dates on which they run."""

    first_candidate: Int32
    """Shape (body_count + 1,)."""
    searched_end: Int32
    """Shape (body_count,): behind the last candidate that is searched; these come first."""
    point: Int32
    """Meeting point of each candidate (counted from 0)."""
    from_start_s: Int32
    """df: drive from the offer's start to the point, through the stops before it."""
    to_end_s: Int32
    """db: drive from the point to the offer's end, through the stops after it."""
    segment: Int32
    """Between which of the driver's own stops the point is visited."""
    solo_s: Int32
    """Shape (body_count,), T0: the driver's own drive."""
    budget_s: Int32
    """B: seconds that the driver accepts on top."""
    seat_count: Int32
    at_point_first: Int32
    """Shape (point_count + 1,): CSR of the candidates at a point."""
    at_point_candidate: Int32
    at_point_body: Int32
    """Body of each of these."""
    body: Int32
    """Body of each candidate."""
    passed: Int32
    """From each body's first on its searched candidates, as the driver passes them."""


class Rides(NamedTuple):
    """Dated runs of bodies, in order of body; seconds from the searched day's start."""

    first_ride: Int32
    """Shape (body_count + 1,)."""
    earliest_s: Int32
    latest_s: Int32
    """The driver leaves his start between these two."""
    offer: Int32
    """Row of the offer in the world's list."""
    day: Int32
    """Date of the run relative to the searched date, in days."""
    body: Int32
    by_earliest: Int32
    """Rides in order of `earliest_s`."""
    by_latest: Int32
    """Rides from the last of `latest_s` to the first."""


@dataclass(frozen=True, slots=True)
class FlexibleTrips:
    """All flexible trips of a world."""

    bodies: FlexibleBodies
    largest_body: int
    """Candidates of the body that has most."""
    via_nodes: tuple[list[int], ...]
    """For each body the car nodes at (or next to) the driver's own stops, to draw his way."""


class RideScratch(NamedTuple):
    """Scratch of one thread for scanning rides."""

    running: Int32
    """Shape (ride_count,): rides that run while one is on the way and have the seats, in order."""
    running_count: Int32
    """Shape (1,): how many they are."""
    fresh: npt.NDArray[np.uint8]
    """Shape (body_count,): 1 where a body may have a candidate at a marked point."""
    near_end: Int32
    """
    Shape (candidate_count, 2): candidates near the start or the goal that are not always searched,
    and the row of the one of the same body before.
    """
    last_near_end: Int32
    """Shape (body_count,): row of a body's last one in `near_end`, or -1."""
    listed: Int32
    """Shape (candidate_count,): candidates that a search looks at, by body, as a driver passes."""
    listed_first: Int32
    """Shape (body_count,)."""
    listed_end: Int32
    stop_beat_s: Int32
    """Shape (stop_count,): being ready at a stop sooner than this is of use."""
    beat_s: Int32
    """Shape (point_count,): getting out at a point sooner than this is of use."""
    beats: npt.NDArray[np.uint8]
    """Shape (point_count,): 1 where `beat_s` was found in this round; else it is too high."""
    board: Int32
    """
    Shape (BOARD_COLUMNS, largest_body): candidates at which the rider can be let in (searching
    backward: out).
    """
    other: Int32
    """Shape (OTHER_COLUMNS, largest_body): candidates that are worth reaching."""
    row_of: Int32
    """Shape (largest_body,): where a candidate of the body stands in `other`, or -1."""
    drive_s: Int32
    """Shape (largest_body,): drives to these."""


BOARD_COLUMNS = 6
# Columns of boardings: candidate, its point, when the rider sits in the car, that less the driver's
# own drive to there (nobody is anywhere before this and the drive), and the driver's time left;
# then rows of those that no other stands in for.
AT, AT_POINT, BOARD_S, LATE_S, LEFT_S, KEPT = range(BOARD_COLUMNS)
OTHER_COLUMNS = 6
# Columns of others: candidate, its point and segment, drives to it from the end at which the search
# comes and from it to the other end, the time to beat and later the time found.
OTHER, POINT, SEGMENT, NEAR_S, COST_S, BEST_S = range(OTHER_COLUMNS)


def new_ride_scratch(
    flexible: FlexibleTrips, ride_count: int, stop_count: int, point_count: int
) -> RideScratch:
    """Scratch for these flexible trips and so many runs of them, in a network of this size."""
    bodies, size = flexible.bodies, max(flexible.largest_body, 1)
    body_count = len(bodies.solo_s)
    return RideScratch(
        running=np.zeros(ride_count, np.int32),
        running_count=np.zeros(1, np.int32),
        fresh=np.zeros(body_count, np.uint8),
        near_end=np.zeros((len(bodies.point), 2), np.int32),
        last_near_end=np.full(body_count, -1, np.int32),
        listed=np.zeros(len(bodies.point), np.int32),
        listed_first=np.zeros(body_count, np.int32),
        listed_end=np.zeros(body_count, np.int32),
        stop_beat_s=np.zeros(stop_count, np.int32),
        beat_s=np.zeros(point_count, np.int32),
        beats=np.zeros(point_count, np.uint8),
        board=np.zeros((BOARD_COLUMNS, size), np.int32),
        other=np.zeros((OTHER_COLUMNS, size), np.int32),
        row_of=np.zeros(size, np.int32),
        drive_s=np.zeros(size, np.int32),
    )


@kernel
def scan_ride(
    bodies: FlexibleBodies,
    matrix: npt.NDArray[np.uint16],
    body: int,
    scratch: RideScratch,
    boarding_count: int,
    other_count: int,
    low_s: int,
    high_s: int,
    forward: bool,
) -> None:
    """
    Carry the rider from every boarding candidate to every other that is worth it.

    Parameters
    ----------
    matrix
        Shape (P, P): drive seconds from the boarding point (searching backward: to it).
    scratch
        ``board`` and ``other`` are given; times found are written.
    low_s, high_s
        Bounds on the time at another candidate plus the drive from there: a driver's window, where
        the search comes from his end.
    """
    segments = bodies.segment
    costs_s = bodies.to_end_s if forward else bodies.from_start_s
    board, others, drive_s = scratch.board, scratch.other, scratch.drive_s
    at, at_point, board_s = board[AT], board[AT_POINT], board[BOARD_S]
    late_s, left_s, other, point = board[LATE_S], board[LEFT_S], others[OTHER], others[POINT]
    row_of, first_candidate = scratch.row_of, bodies.first_candidate[body]
    one_segment = segments[bodies.searched_end[body] - 1] == 0
    one_segment &= segments[bodies.first_candidate[body + 1] - 1] == 0
    least_late_s, active = late_s[:boarding_count].min(), other_count
    most_s, kept_count = np.int32(FAR_S), 0
    for i in range(boarding_count):
        if late_s[i] >= most_s:
            continue
        first, last = 0, active
        stand_in = _stand_in(board, segments, matrix, i, kept_count)
        if stand_in >= 0:
            # Who boards there is here in time: all but the way back to there is known.
            first = row_of[at[stand_in] - first_candidate]
            if first < 0:
                continue
            last = first + 1
        else:
            board[KEPT, kept_count] = i
            kept_count += 1
        drives_s, here = matrix[at_point[i]], at_point[i]
        for j in range(first, last):
            drive_s[j] = np.int32(drives_s[point[j]]) if point[j] != here else np.int32(FAR_S)
        if not one_segment:
            past_s = np.int32(costs_s[at[i]] - bodies.solo_s[body])
            _drive_through(others, drive_s, first, last, segments[at[i]], past_s, forward)
        _get_out(
            others, drive_s, first, last, board_s[i], left_s[i], np.int32(low_s), np.int32(high_s)
        )
        if stand_in < 0:
            open_count, most_s = _still_open(others, active, least_late_s)
            if open_count == 0:
                break
            if 2 * open_count < active:
                active = _open_first(others, active, least_late_s)
                for j in range(other_count):
                    row_of[other[j] - first_candidate] = j


@kernel
def _stand_in(
    board: Int32, segments: Int32, matrix: npt.NDArray[np.uint16], i: int, kept_count: int
) -> int:
    """Row of a boarding kept before, from which the driver comes by boarding `i` in time, or -1."""
    at, at_point, board_s, left_s = board[AT], board[AT_POINT], board[BOARD_S], board[LEFT_S]
    for k in range(kept_count):
        before = np.int64(board[KEPT, k])
        if segments[at[before]] == segments[at[i]]:
            drive_s = np.int64(matrix[at_point[before], at_point[i]])
            if left_s[before] - drive_s >= left_s[i] and board_s[before] + drive_s <= board_s[i]:
                return int(before)
    return -1


@kernel
def _get_out(
    others: Int32,
    drive_s: Int32,
    first: int,
    last: int,
    ready_s: np.int32,
    left_s: np.int32,
    low_s: np.int32,
    high_s: np.int32,
) -> None:
    """Take a boarding to the others from `first` to `last`, without a branch: runs as vectors."""
    cost_s, best_s = others[COST_S], others[BEST_S]
    for j in range(first, last):
        then_s = max(np.int32(ready_s + drive_s[j]), np.int32(low_s - cost_s[j]))
        sooner = (np.int32(drive_s[j] + cost_s[j]) <= left_s) & (then_s < best_s[j])
        sooner &= np.int32(then_s + cost_s[j]) <= high_s
        best_s[j] = then_s if sooner else best_s[j]


@kernel
def _still_open(others: Int32, count: int, least_late_s: np.int32) -> tuple[int, np.int32]:
    """How many of the first others may be reached sooner still; how late a boarding may be."""
    near_s, best_s = others[NEAR_S], others[BEST_S]
    open_count, most_s = np.int32(0), np.int32(-FAR_S)
    for j in range(count):
        spare_s = np.int32(best_s[j] - near_s[j])
        open_count += np.int32(least_late_s < spare_s)
        most_s = max(most_s, spare_s)
    return int(open_count), most_s


@kernel
def _open_first(others: Int32, count: int, least_late_s: np.int32) -> int:
    """Put those that may be reached sooner still before the rest; returns how many they are."""
    near_s, best_s = others[NEAR_S], others[BEST_S]
    kept = 0
    for j in range(count):
        if least_late_s < best_s[j] - near_s[j]:
            for column in range(OTHER_COLUMNS):
                others[column, kept], others[column, j] = others[column, j], others[column, kept]
            kept += 1
    return kept


@kernel
def _drive_through(
    others: Int32,
    drive_s: Int32,
    first: int,
    last: int,
    segment: np.int32,
    past_s: np.int32,
    forward: bool,
) -> None:
    """Write the drives to others in later segments, through the driver's stops between."""
    near_s, segments = others[NEAR_S], others[SEGMENT]
    for j in range(first, last):
        later = np.int32(segments[j] - segment) if forward else np.int32(segment - segments[j])
        through_s = np.int32(near_s[j] + past_s) if drive_s[j] < FAR_S else np.int32(FAR_S)
        through_s = through_s if later > 0 else np.int32(FAR_S)
        drive_s[j] = drive_s[j] if later == 0 else through_s
