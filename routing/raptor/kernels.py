"""
Round-based search over timetable patterns and flexible trips.

One kernel answers both directions. Searching backward (arrive-by) it reads a mirrored network:
times negated, patterns reversed, walks turned round; `forward` only says on which side of a walk
the time for changing is taken and how a flexible trip's window binds.

References
----------
Round-Based Public Transit Routing (ALENEX 2012), sections 3.1 (RAPTOR) and 4 (rRAPTOR).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from core.jit import Held, kernel
from gtfs_data.enums import CAN_BOARD
from gtfs_data.rolling import DayTimetable
from routing.bounds import Counts, Seconds
from routing.raptor.door_scan import scan_doors
from routing.raptor.flexible import RideSearch
from routing.raptor.labels import (
    FAR,
    MAX_VEHICLES,
    NOWHERE,
    READY,
    Labels,
    aim,
    reset_labels,
)
from routing.raptor.ride_scan import scan_rides
from routing.raptor.scan import (
    Costs,
    find_leading,
    queue_leading,
    queue_patterns,
    scan_patterns,
    walk_on,
)
from routing.raptor.unroll_legs import FROM, unroll_legs
from routing.street.kernels import Walks
from routing.terrain import Ground

JOURNEY_LIMIT = 1024
"""Journeys recorded by one range search; a city hour has a few dozen."""
JOURNEY_COLUMNS = 2
LEG_COUNT, ACCESS_S = range(JOURNEY_COLUMNS)
"""Columns of a recorded journey: its legs, and the walk to (backward: from) its first one."""

START_STEP_S = 60
"""A rider leaves by the minute."""
MANY = 24
"""Marked nodes from which on patterns that lead to the goal are scanned before the others."""

Int32 = npt.NDArray[np.int32]


class RangeScratch(NamedTuple):
    """What a range search writes: see `aim`, and `search_range` of journeys and legs."""

    best_s: Int32
    labels: Labels
    journeys: Int32
    legs: Int32


@kernel
def run_rounds(
    day: DayTimetable,
    walks: Walks,
    costs: Costs,
    labels: Labels,
    access: Walks,
    leading_count: int,
    start_s: int,
    rows: int,
    stop_count: int,
    forward: bool,
    riding: RideSearch | None,
) -> None:
    """
    Spread one departure through the rounds, keeping the labels of later departures.

    Parameters
    ----------
    access
        One row: nodes that one can walk to from the start, and how long that takes.
    leading_count
        See `find_leading`.
    rows
        One more than the most vehicles allowed.
    riding
        None leaves rides out: a kernel of its own, without them.
    """
    # Typed numbers: literals would compile the callee once more.
    one, on_foot = int(np.int64(1)), int(np.int64(0))
    count = walk_on(
        access, costs.change_s, labels, one, start_s, on_foot, rows, stop_count, forward
    )
    for row in range(1, rows):
        at_door = False
        if riding is not None:
            at_door = row == 1 and len(riding.doors.near_first) > 0
        if count == 0 and not at_door:
            break
        touched = int(np.int64(0))
        leading_first = leading_count > 0 and count > MANY
        if leading_first:
            queued = queue_leading(day, labels, leading_count)
            touched = scan_patterns(day, labels, queued, row, rows, touched)
        queued = queue_patterns(day, labels, count, row, stop_count, leading_first)
        touched = scan_patterns(day, labels, queued, row, rows, touched)
        if riding is not None:
            touched = scan_doors(
                riding, labels, costs.stop_s, start_s, row, rows, stop_count, forward, touched
            )
            touched = scan_rides(
                riding, walks, costs, labels, start_s, row, rows, stop_count, forward,
                touched,
            )  # fmt: skip
        for i in range(count):
            node = labels.marked[i]
            labels.marks[node] = 0
            if node >= stop_count:
                ready_s = labels.time_s[READY + row - 1, node]
                labels.scanned[row - 1, node - stop_count] = ready_s
        count = walk_on(
            walks, costs.change_s, labels, touched, start_s, row, rows, stop_count, forward
        )
    for i in range(count):
        labels.marks[labels.marked[i]] = 0


@kernel
def search_range(
    ground: Held[Ground],
    scratch: Held[RangeScratch],
    costs: Costs,
    cell_s: Seconds,
    cell_vehicles: Counts,
    access: Walks,
    egress_node: Int32,
    egress_s: Int32,
    starts_s: Int32,
    after_end: bool,
    direct_s: int,
    rows: int,
    stop_count: int,
    forward: bool,
    goals_s: Int32,
) -> int:
    """
    Journeys without rides that are best in departure, arrival and number of vehicles.

    Parameters
    ----------
    scratch
        Its `journeys`, shape (JOURNEY_LIMIT, JOURNEY_COLUMNS), and `legs`, shape (JOURNEY_LIMIT,
        MAX_VEHICLES, LEG_COLUMNS, see `unroll_legs`), are written.
    cell_s, cell_vehicles
        See `aim`.
    starts_s
        Shape (n,), descending: times at which to leave the start.
    after_end
        Whether the first start is the window's end, which is outside: it is spread, so that
        journeys leaving later dominate those inside, but nothing of it is recorded.
    direct_s
        Walk from start to goal, or `FAR`: slower journeys are not worth it.
    goals_s
        Shape (n, MAX_VEHICLES + 1), written: best times at the goal for each start.

    Returns
    -------
    journey_count
        Journeys written, latest departure first.
    """
    day, walks, walks_back, cell = ground.value
    best_s, labels, journeys, legs = scratch.value
    reset_labels(labels, rows, egress_node, egress_s)
    aim(labels, cell, cell_s, cell_vehicles, costs.onward_256, best_s, egress_node, egress_s)
    leading = find_leading(day, labels, egress_node, stop_count)
    count = int(np.int64(0))
    for i in range(len(starts_s)):
        start_s = int(starts_s[i])
        _bound_goal(labels, rows, start_s + direct_s)
        run_rounds(
            day, walks, costs, labels, access, leading, start_s, rows, stop_count, forward, None
        )  # fmt: skip
        for row in range(MAX_VEHICLES + 1):
            goals_s[i, row] = labels.goal_s[row]
        if i > 0 or not after_end:
            count = record_journeys(
                day, walks_back, costs, labels, access, rows, stop_count, forward, journeys, legs,
                count, None,
            )  # fmt: skip
    return count


@kernel
def _bound_goal(labels: Labels, rows: int, at_s: int) -> None:
    """Nothing later than a walk all the way is worth finding; remember what was known before."""
    for row in range(rows):
        if at_s < labels.goal_s[row]:
            labels.goal_s[row], labels.goal_node[row], labels.goal_row[row] = at_s, NOWHERE, 0
    for row in range(MAX_VEHICLES + 1):
        labels.before_s[row] = labels.goal_s[row]


@kernel
def record_journeys(
    day: DayTimetable,
    walks_back: Walks,
    costs: Costs,
    labels: Labels,
    access: Walks,
    rows: int,
    stop_count: int,
    forward: bool,
    journeys: Int32,
    legs: Int32,
    count: int,
    riding: RideSearch | None,
) -> int:
    """Write the journeys by which the last departure improved the goal; returns the new count."""
    for row in range(1, rows):
        better = labels.goal_s[row] < labels.before_s[row] and labels.goal_row[row] == row
        if not better or labels.goal_node[row] == NOWHERE or count >= JOURNEY_LIMIT:
            continue
        leg_count = unroll_legs(
            day, walks_back, costs, labels, row, stop_count, forward, legs[count], riding
        )  # fmt: skip
        if leg_count < row:
            continue  # the ride that it ends with may be boarded sooner: with fewer vehicles
        first = legs[count, leg_count - 1, FROM]
        least_s = np.int64(FAR)
        if riding is not None:  # noqa: SIM102 — with None, kernels know no doors
            if first >= len(labels.egress):
                least_s = np.int64(riding.doors.near_walk_s)
        for i in range(len(access.to)):
            if access.to[i] == first:
                least_s = min(least_s, np.int64(access.seconds[i]))
        journeys[count, LEG_COUNT], journeys[count, ACCESS_S] = leg_count, least_s
        count += 1
    return count


@kernel
def departures_within(
    day: DayTimetable,
    access_node: Int32,
    access_s: Int32,
    from_s: int,
    until_s: int,
    stop_count: int,
    out: Int32,
) -> int:
    """
    Times in ``[from_s, until_s)`` at which leaving the start catches a vehicle.

    Times are taken down to whole steps (`START_STEP_S`): a rider leaves by the minute.
    Returns how many were written to `out` (unsorted, repeated).
    """
    count = 0
    for i in range(len(access_node)):
        node, walk_s = access_node[i], access_s[i]
        if node >= stop_count:
            continue
        for k in range(day.at_stop_first[node], day.at_stop_first[node + 1]):
            pattern, position = day.at_stop_pattern[k], day.at_stop_position[k]
            if not day.flag[day.first_stop[pattern] + position] & CAN_BOARD:
                continue
            trips = day.first_trip[pattern + 1] - day.first_trip[pattern]
            column = day.first_event[pattern] + position * trips
            low = np.searchsorted(day.departure_s[column : column + trips], from_s + walk_s)
            for trip in range(low, trips):
                at_s = day.departure_s[column + trip] - walk_s
                if at_s >= until_s or count >= len(out):
                    break
                out[count] = max(from_s, at_s // START_STEP_S * START_STEP_S)
                count += 1
    return count
