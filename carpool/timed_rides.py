"""
Rides of offers by a time at one end: who must be at a stop by then, or leaves a place from then on.

Of each dated ride the pair of meeting points is taken by which a rider who must be somewhere by a
time leaves last, and by which one who leaves at a time arrives first; a quick walk breaks ties.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from carpool.nearby import NOT_HERE
from core.jit import kernel
from gtfs_data.store import frozen
from routing.raptor.flexible import (
    FROM_START_S,
    IN_SEGMENT,
    MEETING_POINT,
    TO_END_S,
    FlexibleBodies,
    Rides,
)
from routing.street.drive import UNREACHABLE_S

Int32 = npt.NDArray[np.int32]
NEAREST = 16
"""Candidates of one ride that are tried at either end: those of the shortest walks."""
FOUND_COLUMNS = 4
# Columns of what is found: rows of the two candidates, when the rider gets in, and the drive.
PICKUP, DROPOFF, BOARD_S, RIDE_S = range(FOUND_COLUMNS)
NOTHING = -1


class Asked(NamedTuple):
    """What is asked of rides; seconds from the searched day's start."""

    walk_to_s: Int32
    """Shape (P,): walk from where the rider is to each meeting point, or `NOT_HERE`."""
    walk_from_s: Int32
    """Shape (P,): walk from each meeting point to where he goes."""
    time_s: Int32
    """Shape (T,): when he must be there, or leaves."""
    by_arrival: np.bool_
    seats: np.int32
    wait_s: np.int32
    """How much sooner he may be there, or later leave."""


def find_timed_rides(
    bodies: FlexibleBodies,
    rides: Rides,
    drive_s: npt.NDArray[np.uint16],
    asked: Asked,
    among: npt.NDArray[np.bool_],
) -> tuple[Int32, Int32]:
    """
    Find the best pair of each ride at each time.

    Parameters
    ----------
    among
        Shape (ride_count,): rides that are looked at, if they have the seats.

    Returns
    -------
    row, found
        Rides that were looked at, and shape (len(row), T, `FOUND_COLUMNS`), `NOTHING` in the first
        column where a ride does not take the rider at a time.
    """
    longest_s = (bodies.solo_s + bodies.budget_s)[rides.body]
    walks_s = int(asked.walk_to_s.max(initial=0)) + int(asked.walk_from_s.max(initial=0))
    wait_s = int(asked.wait_s) + walks_s
    in_time = among & (bodies.seat_count[rides.body] >= asked.seats)
    in_time &= rides.earliest_s <= int(asked.time_s.max()) + wait_s
    in_time &= rides.latest_s + longest_s >= int(asked.time_s.min()) - wait_s
    row = np.flatnonzero(in_time).astype(np.int32)
    found = np.full((len(row), len(asked.time_s), FOUND_COLUMNS), NOTHING, np.int32)
    frozen_asked = asked._replace(
        walk_to_s=frozen(asked.walk_to_s),
        walk_from_s=frozen(asked.walk_from_s),
        time_s=frozen(asked.time_s),
    )
    _find(bodies, rides, drive_s, frozen_asked, frozen(row), found)
    return row, found


@kernel
def _find(
    bodies: FlexibleBodies,
    rides: Rides,
    matrix: npt.NDArray[np.uint16],
    asked: Asked,
    row: Int32,
    found: Int32,
) -> None:
    """Fill `found`: see `find_timed_rides`."""
    pickups, dropoffs = np.zeros(NEAREST, np.int32), np.zeros(NEAREST, np.int32)
    for k in range(len(row)):
        body = rides.body[row[k]]
        pickup_count = _nearest(bodies, body, asked.walk_to_s, pickups)
        dropoff_count = _nearest(bodies, body, asked.walk_from_s, dropoffs)
        window = (np.int64(rides.earliest_s[row[k]]), np.int64(rides.latest_s[row[k]]))
        for i in range(pickup_count):
            for j in range(dropoff_count):
                drive_s = _drive_between(bodies, matrix, body, pickups[i], dropoffs[j])
                if drive_s > 0:
                    pair = (np.int64(pickups[i]), np.int64(dropoffs[j]), drive_s)
                    _take_pair(bodies, asked, window, pair, found[k])


@kernel
def _nearest(bodies: FlexibleBodies, body: int, walk_s: Int32, nearest: Int32) -> int:
    """List a body's candidates of the shortest walks, the first of them in order of these."""
    count = int(np.int64(0))
    for candidate in range(bodies.first_candidate[body], bodies.first_candidate[body + 1]):
        own_s = walk_s[bodies.candidates[candidate, MEETING_POINT]]
        if own_s == NOT_HERE:
            continue
        at = count
        while at > 0:
            before_s = walk_s[bodies.candidates[nearest[at - 1], MEETING_POINT]]
            if before_s <= own_s:
                break
            at -= 1
        if at == NEAREST:
            continue
        count = min(count + 1, NEAREST)
        for later in range(count - 1, at, -1):
            nearest[later] = nearest[later - 1]
        nearest[at] = candidate
    return count


@kernel
def _drive_between(
    bodies: FlexibleBodies, matrix: npt.NDArray[np.uint16], body: int, pickup: int, dropoff: int
) -> np.int64:
    """Drive between two candidates within the driver's budget, or `NOTHING`."""
    a, b, solo_s = bodies.candidates[pickup], bodies.candidates[dropoff], bodies.solo_s[body]
    if a[MEETING_POINT] == b[MEETING_POINT] or a[IN_SEGMENT] > b[IN_SEGMENT]:
        return np.int64(NOTHING)
    drive_s = np.int64(matrix[a[MEETING_POINT], b[MEETING_POINT]])
    if a[IN_SEGMENT] < b[IN_SEGMENT]:  # past the driver's own stops between
        drive_s = np.int64(a[TO_END_S]) + np.int64(b[FROM_START_S]) - np.int64(solo_s)
    elif drive_s == UNREACHABLE_S:
        return np.int64(NOTHING)
    whole_s = np.int64(a[FROM_START_S]) + drive_s + np.int64(b[TO_END_S])
    return drive_s if whole_s <= solo_s + bodies.budget_s[body] else np.int64(NOTHING)


@kernel
def _take_pair(
    bodies: FlexibleBodies,
    asked: Asked,
    window: tuple[np.int64, np.int64],
    pair: tuple[np.int64, np.int64, np.int64],
    found: Int32,
) -> None:
    """Put a pair in the place of what is found of a ride at each time, where it is better."""
    pickup, dropoff, drive_s = pair
    to_s = np.int64(asked.walk_to_s[bodies.candidates[pickup, MEETING_POINT]])
    from_s = np.int64(asked.walk_from_s[bodies.candidates[dropoff, MEETING_POINT]])
    df_s = np.int64(bodies.candidates[pickup, FROM_START_S])
    for t in range(len(asked.time_s)):
        time_s = np.int64(asked.time_s[t])
        if asked.by_arrival:
            board_s = min(window[1] + df_s, time_s - from_s - drive_s)
            fits = board_s >= window[0] + df_s
            fits &= board_s + drive_s + from_s >= time_s - asked.wait_s
        else:
            board_s = max(window[0] + df_s, time_s + to_s)
            fits = (board_s <= window[1] + df_s) & (board_s - to_s <= time_s + asked.wait_s)
        if not fits:
            continue
        if found[t, PICKUP] != NOTHING:
            other = bodies.candidates[found[t, PICKUP], MEETING_POINT]
            leave_s = np.int64(found[t, BOARD_S]) - asked.walk_to_s[other]
            other = bodies.candidates[found[t, DROPOFF], MEETING_POINT]
            arrive_s = np.int64(found[t, BOARD_S]) + found[t, RIDE_S] + asked.walk_from_s[other]
            later_s = board_s - to_s - leave_s
            sooner_s = arrive_s - (board_s + drive_s + from_s)
            first, then = (later_s, sooner_s) if asked.by_arrival else (sooner_s, later_s)
            if first < 0 or (first == 0 and then <= 0):
                continue
        found[t, PICKUP], found[t, DROPOFF] = pickup, dropoff
        found[t, BOARD_S], found[t, RIDE_S] = board_s, drive_s
