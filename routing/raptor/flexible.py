"""
Trips with a detour budget: what a carpool offer is to the search, and the scan of one round.

A flexible trip (a ride) lets a rider in at any of its body's candidate points and out at any
other, as long as the driver's whole way stays within his own drive plus his budget:
``df + M + db <= T0 + B`` (design: insertion with exact drive times). Drive times between
meeting points are one matrix that all bodies share, so a body holds two numbers per point.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from core.jit import kernel

Int32 = npt.NDArray[np.int32]
UInt16 = npt.NDArray[np.uint16]
CANDIDATE_COLUMNS = 4
# Columns of candidates: meeting point (counted from 0); df, the drive from the offer's start to it,
# through the stops before it; db, the drive from it to the offer's end; and between which of the
# driver's own stops it is visited.
MEETING_POINT, FROM_START_S, TO_END_S, IN_SEGMENT = range(CANDIDATE_COLUMNS)
CELL_COLUMNS = 4
# Columns of cells, see `FlexibleBodies.cells`.
CELL, LEAST_FROM_S, LEAST_TO_S, REST_END = range(CELL_COLUMNS)
LONGEST_DRIVE_S = 2**16 - 1
FAR_S = 2**29
"""A drive that no driver makes; added to a time it still fits its type."""


class FlexibleBodies(NamedTuple):
    """Compiled offers, shared by all dates on which they run."""

    first_candidate: Int32
    """Shape (body_count + 1,)."""
    searched_end: Int32
    """
    Shape (body_count,): behind the last candidate that is searched. These come first, as the driver
    passes them, then the rest by cell.
    """
    candidates: UInt16
    """
    Shape (candidate_count, 4), see below: one candidate's columns lie together, since most bodies
    are not in the cache when a search comes to them.
    """
    solo_s: Int32
    """Shape (body_count,), T0: the driver's own drive."""
    budget_s: Int32
    """B: seconds that the driver accepts on top."""
    seat_count: Int32
    segment_count: Int32
    """One more than the driver's own stops between start and end."""
    cell_first: Int32
    """Shape (body_count + 1,): rows of the cells in which each body has candidates."""
    cells: UInt16
    """
    Shape (n, 4): a cell; of the body's candidates in it the least drive from the offer's start and
    the least to its end; and how many are not searched in it and in the body's cells before.
    """
    point_cell: Int32
    """Shape (point_count,): in which cell each meeting point lies."""


class Rides(NamedTuple):
    """Dated runs of bodies; seconds from the searched day's start."""

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
    cell_count: int
    """Cells of meeting points."""
    via_nodes: Sequence[tuple[int, ...]]
    """For each body the car nodes at (or next to) the driver's own stops, to draw his way."""
    stretches: Int32
    """Shape (n, STRETCH_COLUMNS): of bodies that come to doors, see `routing.doors`."""


class RideScratch(NamedTuple):
    """Scratch of one thread for scanning rides."""

    running: Int32
    """Shape (ride_count,): rides that run while one is on the way and have the seats, in order."""
    running_count: Int32
    """Shape (1,): how many they are."""
    near_end: npt.NDArray[np.uint8]
    """Shape (point_count,): 1 where a point is near the start or the goal."""
    near_cell: npt.NDArray[np.uint8]
    """Shape (cell_count,): 1 where some point of a cell is."""
    listed: Int32
    """
    Shape (LISTED_COLUMNS, candidate_count + 1): what the search has looked at, by body: a row of
    its candidates that are searched, then those near the ends.
    """
    listed_count: Int32
    """Shape (1,): how many they are."""
    listed_first: Int32
    """Shape (body_count,): -1 where a body was not looked at."""
    listed_end: Int32
    stop_beat_s: Int32
    """Shape (stop_count,): being ready at a stop sooner than this is of use."""
    beat_s: Int32
    """Shape (point_count,): getting out at a point sooner than this is of use."""
    cell_ready_s: Int32
    """Shape (cell_count,): when one is ready at a marked point of a cell at the soonest."""
    cell_beat_s: Int32
    """Shape (cell_count,): the latest `beat_s` of a cell's points when a round begins."""
    soonest_s: Int32
    """Shape (K,): by cells of the search's bounds, nobody is driven to their points before."""
    board: Int32
    """
    Shape (BOARD_COLUMNS, largest_body): candidates at which the rider can be let in (searching
    backward: out).
    """
    other: Int32
    """Shape (OTHER_COLUMNS, largest_body): candidates that are worth reaching."""
    row_of: Int32
    """Shape (largest_body,): where a listed candidate of the body stands in `other`, or -1."""
    drive_s: Int32
    """Shape (largest_body,): drives to these."""


LISTED_COLUMNS = CANDIDATE_COLUMNS + 1
# Rows of listed candidates: their columns, and which they are.
CANDIDATE = CANDIDATE_COLUMNS
BOARD_COLUMNS = 6
# Columns of boardings: listed candidate, its point, when the rider sits in the car, that less the
# driver's own drive to there (nobody is anywhere before this and the drive), and the driver's time
# left; then rows of those that no other stands in for.
AT, AT_POINT, BOARD_S, LATE_S, LEFT_S, KEPT = range(BOARD_COLUMNS)
OTHER_COLUMNS = 6
# Columns of others: listed candidate, its point and segment, drives to it from the end at which the
# search comes and from it to the other end, the time to beat and later the time found.
OTHER, POINT, SEGMENT, NEAR_S, COST_S, BEST_S = range(OTHER_COLUMNS)


VISIT_COLUMNS = 3
# Columns of visits, the ways by a door that fit a driver's budget: between which of the driver's
# own stops it lies, the drive from the offer's start to it, and from it to the offer's end.
VISIT_SEGMENT, VISIT_FROM_S, VISIT_TO_S = range(VISIT_COLUMNS)
FOUND_COLUMNS = 4
# Columns of what leads to the far door: ride, listed candidate at which one boards it, or -1 - row
# of a visit to the near door; row of the visit to the far one; when one gets out there.
FOUND_RIDE, FOUND_BOARD, FOUND_VISIT, FOUND_END_S = range(FOUND_COLUMNS)


class DoorScan(NamedTuple):
    """The doors as a search in one direction reads them: near is where it comes from."""

    near_first: Int32
    """Shape (body_count + 1,): rows of `near` of each body; empty without any door."""
    near: Int32
    """Shape (n, 3)."""
    near_drive_s: Int32
    """Shape (P,): drives between the near door and meeting points; empty without one."""
    near_walk_s: int
    far_first: Int32
    far: Int32
    far_drive_s: Int32
    far_walk_s: int
    between_s: int
    """Drive between the doors."""
    ready_s: Int32
    """Shape (1,), written: when one is at the near door in the last departure that was spread."""
    found: Int32
    """Shape (MAX_VEHICLES + 1, FOUND_COLUMNS), written: by vehicles, how one gets to the far."""


class RideSearch(NamedTuple):
    """What a search with rides reads and writes besides the timetable, walks and labels."""

    bodies: FlexibleBodies
    rides: Rides
    drive_s: npt.NDArray[np.uint16]
    """Shape (P, P): drives from the side where the search comes from."""
    bound_cell: Int32
    """Shape (P,): cell of each meeting point in `bound_s`."""
    bound_s: npt.NDArray[np.uint16]
    """Shape (K, K): least drive between points of two cells, from where the search comes."""
    scratch: RideScratch
    doors: DoorScan


def new_ride_scratch(
    flexible: FlexibleTrips, ride_count: int, stop_count: int, point_count: int, bound_count: int
) -> RideScratch:
    """
    Scratch for these flexible trips and so many runs of them, in a network of this size.

    `bound_count` is K, see `RideSearch.bound_s`.
    """
    bodies, size = flexible.bodies, max(flexible.largest_body, 1)
    body_count = len(bodies.solo_s)
    cell_count = flexible.cell_count
    return RideScratch(
        running=np.zeros(ride_count, np.int32),
        running_count=np.zeros(1, np.int32),
        near_end=np.zeros(point_count, np.uint8),
        near_cell=np.zeros(cell_count, np.uint8),
        listed=np.zeros((LISTED_COLUMNS, len(bodies.candidates) + 1), np.int32),
        listed_count=np.zeros(1, np.int32),
        listed_first=np.zeros(body_count, np.int32),
        listed_end=np.zeros(body_count, np.int32),
        stop_beat_s=np.zeros(stop_count, np.int32),
        beat_s=np.zeros(point_count, np.int32),
        cell_ready_s=np.zeros(cell_count, np.int32),
        cell_beat_s=np.zeros(cell_count, np.int32),
        soonest_s=np.zeros(bound_count, np.int32),
        board=np.zeros((BOARD_COLUMNS, size), np.int32),
        other=np.zeros((OTHER_COLUMNS, size), np.int32),
        row_of=np.zeros(size, np.int32),
        drive_s=np.zeros(size, np.int32),
    )


@kernel
def sort_by_cell(
    first_candidate: Int32, searched_end: Int32, candidates: UInt16, point_cell: Int32
) -> tuple[Int32, UInt16]:
    """
    Put the candidates of each body that are not searched in order of their cells.

    Returns
    -------
    cell_first, cells
        As in `FlexibleBodies`.
    """
    bodies = len(first_candidate) - 1
    cell_count = int(point_cell.max()) + 1 if len(point_cell) > 0 else 0
    # Of the body looked at, the row in `cells` of each of its cells.
    row_of, first = np.full(cell_count, -1, np.int32), np.zeros(bodies + 1, np.int32)
    for body in range(bodies):
        count = first[body]
        for i in range(first_candidate[body], first_candidate[body + 1]):
            cell = point_cell[candidates[i, MEETING_POINT]]
            if row_of[cell] < first[body]:
                row_of[cell] = count
                count += 1
        first[body + 1] = count
    cells = np.full((first[bodies], CELL_COLUMNS), LONGEST_DRIVE_S, np.uint16)
    row_of[:], cells[:, REST_END], count = -1, 0, 0
    for body in range(bodies):
        for i in range(first_candidate[body], first_candidate[body + 1]):
            cell = point_cell[candidates[i, MEETING_POINT]]
            if row_of[cell] < first[body]:
                row_of[cell], cells[count, CELL] = count, cell
                count += 1
            own = cells[row_of[cell]]
            own[LEAST_FROM_S] = min(own[LEAST_FROM_S], candidates[i, FROM_START_S])
            own[LEAST_TO_S] = min(own[LEAST_TO_S], candidates[i, TO_END_S])
            own[REST_END] += i >= searched_end[body]
        before = np.zeros(first[body + 1] - first[body], np.int32)
        for k in range(first[body] + 1, first[body + 1]):
            before[k - first[body]] = cells[k - 1, REST_END]
            cells[k, REST_END] += cells[k - 1, REST_END]
        rest = candidates[searched_end[body] : first_candidate[body + 1]]
        unordered = rest.copy()
        for i in range(len(rest)):
            k = row_of[point_cell[unordered[i, MEETING_POINT]]] - first[body]
            for column in range(CANDIDATE_COLUMNS):
                rest[before[k], column] = unordered[i, column]
            before[k] += 1
    return first, cells


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
    segments = scratch.listed[IN_SEGMENT]
    costs_s = scratch.listed[TO_END_S] if forward else scratch.listed[FROM_START_S]
    board, others, drive_s = scratch.board, scratch.other, scratch.drive_s
    at, at_point, board_s = board[AT], board[AT_POINT], board[BOARD_S]
    late_s, left_s, other, point = board[LATE_S], board[LEFT_S], others[OTHER], others[POINT]
    row_of, first_listed = scratch.row_of, scratch.listed_first[body]
    one_segment = bodies.segment_count[body] == 1
    least_late_s, active = late_s[:boarding_count].min(), other_count
    most_s, kept_count = np.int32(FAR_S), int(np.int64(0))
    for i in range(boarding_count):
        if late_s[i] >= most_s:
            continue
        first, last = 0, active
        stand_in = _stand_in(board, segments, matrix, i, kept_count)
        if stand_in >= 0:
            # Who boards there is here in time: all but the way back to there is known.
            first = row_of[at[stand_in] - first_listed]
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
                    row_of[other[j] - first_listed] = j


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
