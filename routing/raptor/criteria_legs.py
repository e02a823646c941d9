"""
Legs of a journey found by one more criterion, from the entries of `routing.raptor.bags`.

Where several stops of the first vehicle (or the last) are within a walk, the search by one
criterion takes any that is as good by it. Riders get the one that costs least of those that are no
worse by any criterion.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from core.jit import kernel
from gtfs_data.enums import CAN_ALIGHT, CAN_BOARD
from gtfs_data.rolling import DayTimetable
from routing.raptor import bags as b
from routing.raptor.labels import FAR
from routing.raptor.unroll import Reach
from routing.raptor.unroll_legs import VEHICLE
from routing.raptor.value_bounds import GRAMS_STEP, WALK_STEP_S

Int32 = npt.NDArray[np.int32]


class Ends(NamedTuple):
    """What can be walked to from the start and to the goal, and emissions on the way."""

    access_s: npt.NDArray[np.int64]
    """Shape (stop_count,): walk from the start, `FAR` where there is none."""
    egress_s: npt.NDArray[np.int64]
    row_grams: Int32
    """Shape (row_count,): CO2 along each pattern of the day, growing from its first call on."""


def ends_of(start: Reach, goal: Reach, stop_count: int, row_grams: Int32) -> Ends:
    """Walks from the start and to the goal by stop."""
    walks_s = np.full((2, stop_count), FAR, np.int64)
    for row, reach in zip(walks_s, (start, goal), strict=True):
        np.minimum.at(row, reach.node, reach.seconds)
    return Ends(walks_s[0], walks_s[1], row_grams)


class _Ridden(NamedTuple):
    """A vehicle of a journey: rows of the day, and positions of its pattern."""

    pattern: int
    trip: int
    board: int
    leave: int


def legs_of(
    day: DayTimetable, entries: Int32, row: int, change_s: Int32, ends: Ends, *, forward: bool
) -> tuple[int, list[list[int]]]:
    """Walk to the first vehicle and legs from the goal back, as `unrolled` reads them."""
    ridden, walks_s, at = [], [], int(entries[row, b.PARENT])
    while True:
        left = entries[at]
        ridden.append(_Ridden(*map(int, left[[b.PATTERN, b.TRIP, b.BOARD, b.LEAVE]])))
        ready = entries[int(left[b.PARENT])]
        if ready[b.PARENT] == b.NOBODY:
            break
        at = int(ready[b.PARENT])
        changed_at = int(entries[at, b.NODE] if forward else ready[b.NODE])
        walks_s.append(int(ready[b.TIME] - entries[at, b.TIME]) - int(change_s[changed_at]))
    ridden[-1] = ridden[-1]._replace(board=_best_end(day, ends, ridden[-1], first=True))
    ridden[0] = ridden[0]._replace(leave=_best_end(day, ends, ridden[0], first=False))
    legs = [_leg(day, vehicle, forward=forward) for vehicle in ridden]
    egress_s = int(ends.egress_s[_stop(day, ridden[0], ridden[0].leave)])
    for leg, walk_s in zip(legs, [egress_s, *walks_s], strict=True):
        leg.append(walk_s)
    return int(ends.access_s[_stop(day, ridden[-1], ridden[-1].board)]), legs


def _best_end(day: DayTimetable, ends: Ends, vehicle: _Ridden, *, first: bool) -> int:
    """Position at which the first vehicle is best boarded, or the last one left."""
    pattern, trip, board, leave = vehicle
    rows = slice(int(day.first_stop[pattern]), int(day.first_stop[pattern + 1]))
    return _best_call(
        day.stop[rows], day.flag[rows], ends.row_grams[rows],
        day.departure_s if first else day.arrival_s, int(day.first_event[pattern]) + trip,
        int(day.first_trip[pattern + 1] - day.first_trip[pattern]),
        ends.access_s if first else ends.egress_s, board, leave, first,
    )  # fmt: skip


@kernel
def _best_call(
    stop: Int32,
    flag: npt.NDArray[np.uint8],
    grams: Int32,
    events_s: Int32,
    first_event: int,
    trip_count: int,
    walks_s: npt.NDArray[np.int64],
    board: int,
    leave: int,
    first: bool,
) -> int:
    """
    Find where to board the first vehicle, or (not `first`) where to get out of the last one.

    Where one leaves no earlier, arrives no later, and neither walks nor emits more in the steps
    that are counted; of such stops the one with the least time on the way and on foot.

    Parameters
    ----------
    stop, flag, grams
        Shape (call_count,): calls of the vehicle, and CO2 along them.
    events_s, first_event, trip_count
        Its departures (arrivals) stand from `first_event` on, each so many after the one before.
    walks_s
        Shape (stop_count,): walks from the start (to the goal).
    """
    now, other, able, sign = board, leave, CAN_BOARD, -1
    if not first:
        now, other, able, sign = leave, board, CAN_ALIGHT, 1
    now_walk_s = walks_s[stop[now]]
    most_s = now_walk_s + sign * np.int64(events_s[first_event + now * trip_count])
    most_steps = (now_walk_s + WALK_STEP_S - 1) // WALK_STEP_S
    most_grams = abs(np.int64(grams[now]) - grams[other])
    most_hectograms = (most_grams + GRAMS_STEP - 1) // GRAMS_STEP
    best, best_s = 0, np.int64(FAR)
    begin, end = (0, leave) if first else (board + 1, len(stop))
    for call in range(begin, end):
        walk_s = walks_s[stop[call]]
        outside_s = walk_s + sign * np.int64(events_s[first_event + call * trip_count])
        emitted_g = abs(np.int64(grams[call]) - grams[other])
        if (
            flag[call] & able
            and outside_s <= most_s
            and (walk_s + WALK_STEP_S - 1) // WALK_STEP_S <= most_steps
            and (emitted_g + GRAMS_STEP - 1) // GRAMS_STEP <= most_hectograms
            and outside_s + walk_s < best_s
        ):
            best, best_s = call, outside_s + walk_s
    return best


def _stop(day: DayTimetable, vehicle: _Ridden, position: int) -> int:
    return int(day.stop[day.first_stop[vehicle.pattern] + position])


def _leg(day: DayTimetable, vehicle: _Ridden, *, forward: bool) -> list[int]:
    pattern, trip, board, leave = vehicle
    first_trip, first_stop = int(day.first_trip[pattern]), int(day.first_stop[pattern])
    trips = int(day.first_trip[pattern + 1]) - first_trip
    first_event = int(day.first_event[pattern])
    last = int(day.first_stop[pattern + 1]) - first_stop - 1
    positions = (board, leave) if forward else (last - leave, last - board)
    return [
        VEHICLE, _stop(day, vehicle, board), _stop(day, vehicle, leave),
        int(day.departure_s[first_event + board * trips + trip]),
        int(day.arrival_s[first_event + leave * trips + trip]),
        int(day.trip[first_trip + trip]), *positions, int(day.day[first_trip + trip]),
    ]  # fmt: skip
