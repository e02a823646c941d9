"""
What the way to the goal counts at least by one criterion (price, CO2 or walking), from every stop.

Found backwards from the goal, one vehicle more a round, as if every vehicle ran at every moment:
an entry of `routing.raptor.bags` that cannot stay within what is worth finding is dropped.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from core.jit import kernel
from gtfs_data.enums import CAN_ALIGHT, CAN_BOARD
from gtfs_data.rolling import DayTimetable
from routing.raptor.labels import FAR, MAX_VEHICLES
from routing.street.kernels import Walks

WALK_STEP_S = 120
GRAMS_STEP = 100

Int32 = npt.NDArray[np.int32]


class Measure(NamedTuple):
    """One criterion beside time. The arrays of what it does not count are zero (products: -1)."""

    per_walk_step: int
    """1 or 0: what each begun step of a walk counts."""
    row_grams: Int32
    """Shape (row_count,): CO2 along each pattern of the day, growing from its first call on."""
    product: Int32
    """Shape (pattern_count,): what is paid for when boarding, or -1 for nothing."""
    product_cents: Int32
    product_once: npt.NDArray[np.uint8]
    """1: paid once a journey."""
    least_first: int
    """No first boarding counts less."""
    most: int
    """Greatest value that is worth finding."""


class Least(NamedTuple):
    """Least values of the way that is left, and scratch to find them: one thread's."""

    alight: Int32
    """Shape (MAX_VEHICLES + 1, stop_count): by vehicles that may follow, from getting out."""
    ready: Int32
    """The same from being ready to board."""
    aboard: Int32
    """
    Shape (row_count,): from staying aboard at a call, getting out at a later one; in hundredths,
    less what counts from there back to the first call.
    """
    marked: Int32
    marks: npt.NDArray[np.uint8]
    touched: Int32
    touches: npt.NDArray[np.uint8]
    queue: Int32
    queued_until: Int32
    """Shape (pattern_count,): last position to look at of a queued pattern, or -1."""


def new_least(stop_count: int, pattern_count: int, row_count: int) -> Least:
    """Scratch for a network of this size."""
    return Least(
        alight=np.zeros((MAX_VEHICLES + 1, stop_count), np.int32),
        ready=np.zeros((MAX_VEHICLES + 1, stop_count), np.int32),
        aboard=np.zeros(row_count, np.int32),
        marked=np.zeros(stop_count, np.int32),
        marks=np.zeros(stop_count, np.uint8),
        touched=np.zeros(stop_count, np.int32),
        touches=np.zeros(stop_count, np.uint8),
        queue=np.zeros(pattern_count, np.int32),
        queued_until=np.full(pattern_count, -1, np.int32),
    )


@kernel
def walk_steps(seconds: int) -> int:
    """Whole steps of a walk, a begun one counted: finer ones would fill the bags."""
    return (seconds + WALK_STEP_S - 1) // WALK_STEP_S


@kernel
def find_least(
    day: DayTimetable,
    measure: Measure,
    walks_back: Walks,
    egress_s: Int32,
    near: npt.NDArray[np.uint8],
    least: Least,
    vehicles: int,
) -> None:
    """
    Write `Least` for up to so many vehicles; what is above `Measure.most` may be `FAR`.

    Parameters
    ----------
    walks_back
        Walks turned round: from where one boards to where one got out.
    egress_s
        Shape (stop_count,): walk to the goal, `FAR` where there is none.
    near
        Shape (stop_count,): 1 where a journey within the slack may get in or out.
    """
    alight, marked = least.alight, least.marked
    alight[0], least.ready[0] = FAR, FAR
    least.aboard[:] = FAR
    count = int(np.int64(0))
    for node in range(len(egress_s)):
        if egress_s[node] < FAR and near[node] == 1:
            steps = measure.per_walk_step * walk_steps(int(np.int64(egress_s[node])))
            if steps <= measure.most:
                alight[0, node] = steps
                marked[count] = node
                least.marks[node] = 1
                count += 1
    for row in range(1, vehicles + 1):
        alight[row], least.ready[row] = alight[row - 1], least.ready[row - 1]
        queued = _queue_back(day, least, count)
        touched = _ride_back(day, measure, near, least, queued, row)
        if row == vehicles:  # nobody gets out with so many still to follow
            for i in range(touched):
                least.touches[least.touched[i]] = 0
            return
        count = _walk_back(measure, walks_back, near, least, touched, row)
    for i in range(count):
        least.marks[marked[i]] = 0


@kernel
def _queue_back(day: DayTimetable, least: Least, count: int) -> int:
    """Queue the patterns that call at marked stops, and unmark these."""
    queue, until, marked, marks = least.queue, least.queued_until, least.marked, least.marks
    first, patterns, positions = day.at_stop_first, day.at_stop_pattern, day.at_stop_position
    queued = 0
    for i in range(count):
        node = marked[i]
        marks[node] = 0
        for k in range(first[node], first[node + 1]):
            pattern, position = patterns[k], positions[k]
            if until[pattern] < 0:
                queue[queued] = pattern
                queued += 1
            until[pattern] = max(until[pattern], position)
    return queued


@kernel
def _ride_back(
    day: DayTimetable,
    measure: Measure,
    near: npt.NDArray[np.uint8],
    least: Least,
    queued: int,
    row: int,
) -> int:
    """Find where boarding a queued pattern counts less than known; returns how many stops."""
    stop, flag, row_grams, most = day.stop, day.flag, measure.row_grams, measure.most
    alight, ready, aboard = least.alight, least.ready, least.aboard
    touched, touches = least.touched, least.touches
    count = 0
    for i in range(queued):
        pattern = least.queue[i]
        first = day.first_stop[pattern]
        product, cents = measure.product[pattern], 0
        if product >= 0 and measure.product_once[product] == 0:
            cents = measure.product_cents[product]
        best = FAR
        for row_at in range(first + least.queued_until[pattern], first - 1, -1):
            node = stop[row_at]
            best = min(best, int(np.int64(aboard[row_at])))
            aboard[row_at] = best
            if best < FAR and near[node] == 1 and flag[row_at] & CAN_BOARD:
                value = cents + (best - row_grams[row_at] + GRAMS_STEP - 1) // GRAMS_STEP
                if value < ready[row, node] and value <= most:
                    ready[row, node] = value
                    if touches[node] == 0:
                        touches[node] = 1
                        touched[count] = node
                        count += 1
            if flag[row_at] & CAN_ALIGHT and alight[row - 1, node] < FAR:
                grams = int(np.int64(alight[row - 1, node])) * GRAMS_STEP + int(row_grams[row_at])
                best = min(best, grams)
        least.queued_until[pattern] = -1
    return count


@kernel
def _walk_back(
    measure: Measure,
    walks_back: Walks,
    near: npt.NDArray[np.uint8],
    least: Least,
    touched: int,
    row: int,
) -> int:
    """Take the least values of boarding to where one gets out before; returns how many stops."""
    first, to, seconds = walks_back.first, walks_back.to, walks_back.seconds
    alight, ready, marked, marks = least.alight, least.ready, least.marked, least.marks
    most, count = measure.most, 0
    for i in range(touched):
        node = least.touched[i]
        least.touches[node] = 0
        value = ready[row, node]
        for walk in range(first[node] - 1, first[node + 1]):
            other, then = node, value
            if walk >= first[node]:
                other = to[walk]
                then += measure.per_walk_step * walk_steps(int(np.int64(seconds[walk])))
            if other >= len(near) or near[other] == 0 or then > most:
                continue
            if then < alight[row, other]:
                alight[row, other] = then
                if marks[other] == 0:
                    marks[other] = 1
                    marked[count] = other
                    count += 1
    return count
