"""
Drivers who come to the door: in a round, boarded at the start itself, or left at the goal itself.

The two doors are no meeting points: nothing else is known of them than drives from or to all
points, and which drivers can come there. They are the first boarding and the last alighting of a
journey, so the scan of all other rides knows nothing of them. Searching backward, boarding is
getting out: as everywhere, times are negated.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from core.jit import kernel
from routing.bounds import MOST_ONWARD, VEHICLE_BITS
from routing.raptor.flexible import (
    FAR_S,
    FOUND_BOARD,
    FOUND_END_S,
    FOUND_RIDE,
    FOUND_VISIT,
    FROM_START_S,
    IN_SEGMENT,
    MEETING_POINT,
    TO_END_S,
    VISIT_FROM_S,
    VISIT_SEGMENT,
    VISIT_TO_S,
    RideSearch,
)
from routing.raptor.labels import ALIGHT, FAR, NOWHERE, READY, Labels, fold, reach_goal
from routing.raptor.ride_lists import list_body

Int32 = npt.NDArray[np.int32]
Place = tuple[int, int, int]
"""Segment of an offer, drive from its start and drive to its end."""
Run = tuple[int, int, int, int]
"""Of a dated run: earliest and latest departure, T0, and the longest drive."""


@kernel
def scan_doors(
    riding: RideSearch,
    labels: Labels,
    stop_s: int,
    start_s: int,
    row: int,
    rows: int,
    stop_count: int,
    forward: bool,
    touched_count: int,
) -> int:
    """
    Take every ride whose driver comes to the near door, or from a marked point to the far one.

    Returns how many nodes were reached sooner, `touched_count` before.
    """
    doors, bodies, rides, scratch = riding.doors, riding.bodies, riding.rides, riding.scratch
    near_first, far_first = doors.near_first, doors.far_first
    if len(near_first) == 0:
        return touched_count
    doors.ready_s[0] = start_s + doors.near_walk_s
    solo_s, budget_s, goal_s = bodies.solo_s, bodies.budget_s, labels.goal_s
    earliest_s, latest_s, body_of = rides.earliest_s, rides.latest_s, rides.body
    listed_first, running = scratch.listed_first, scratch.running
    for ride in running[: scratch.running_count[0]]:
        body = body_of[ride]
        boards = row == 1 and near_first[body] < near_first[body + 1]
        leaves = far_first[body] < far_first[body + 1]
        if not (boards or leaves):
            continue
        most_s = int(solo_s[body]) + int(budget_s[body])
        run = int(earliest_s[ride]), int(latest_s[ride]), int(solo_s[body]), most_s
        first_s, last_s = run[0], run[1] + most_s
        if not forward:
            first_s, last_s = -last_s, -first_s
        if first_s >= goal_s[row] or last_s < start_s:
            continue
        if listed_first[body] == NOWHERE:
            _list(riding, body)
        if boards:
            touched_count = _board_at_door(
                riding, labels, ride, run, stop_s, row, rows, stop_count, forward, touched_count
            )  # fmt: skip
        if leaves:
            _leave_at_door(riding, labels, ride, run, stop_s, row, rows, stop_count, forward)
    return touched_count


@kernel
def _list(riding: RideSearch, body: int) -> None:
    bodies, scratch = riding.bodies, riding.scratch
    cells = bodies.cells[bodies.cell_first[body] : bodies.cell_first[body + 1]]
    scratch.listed_first[body] = scratch.listed_count[0]
    scratch.listed_count[0] = scratch.listed_end[body] = list_body(
        bodies.candidates, bodies.first_candidate[body], bodies.searched_end[body], cells,
        scratch.near_end, scratch.near_cell, scratch.listed, int(np.int64(scratch.listed_count[0])),
    )  # fmt: skip


@kernel
def _board_at_door(
    riding: RideSearch,
    labels: Labels,
    ride: int,
    run: Run,
    stop_s: int,
    row: int,
    rows: int,
    stop_count: int,
    forward: bool,
    touched_count: int,
) -> int:
    """Board at the near door and get out wherever that is of use, or at the far door."""
    doors, scratch, body = riding.doors, riding.scratch, riding.rides.body[ride]
    near, near_drive_s, far, far_first = doors.near, doors.near_drive_s, doors.far, doors.far_first
    listed, time_s, egress, by = scratch.listed, labels.time_s, labels.egress, labels.ride
    goal_s, goal_node, goal_row = labels.goal_s, labels.goal_node, labels.goal_row
    leave, touches, touched = labels.leave, labels.touches, labels.touched
    first, end, ready_s = scratch.listed_first[body], scratch.listed_end[body], doors.ready_s[0]
    goal_rows = row + 1 if row == 1 else rows  # as of all rides, see `scan_rides`
    for visit in range(doors.near_first[body], doors.near_first[body + 1]):
        here = visit_place(near, visit)
        board_s = _board_s(run, int(ready_s), here[1], stop_s, forward)
        if board_s >= FAR:
            continue
        for k in range(first, end):
            point = listed[MEETING_POINT, k]
            at_s = _carried_s(
                run, here, listed_place(listed, k), board_s, int(near_drive_s[point]), forward
            )
            node, left = stop_count + point, leave[point]
            most_s = np.int64(goal_s[row + (left & MOST_ONWARD)]) - (left >> VEHICLE_BITS)
            most_s = max(most_s, np.int64(goal_s[row]) - egress[node])
            if at_s >= min(most_s, np.int64(time_s[ALIGHT + row, node])):
                continue
            fold(time_s, node, ALIGHT + row, ALIGHT + rows, at_s)
            by[point, row - 1, 0], by[point, row - 1, 1] = ride, k
            reach_goal(goal_s, goal_node, goal_row, row, goal_rows, node, at_s + egress[node])
            if touches[node] == 0:
                touches[node] = 1
                touched[touched_count] = node
                touched_count += 1
        for other in range(far_first[body], far_first[body + 1]):
            at_s = _carried_s(run, here, visit_place(far, other), board_s, doors.between_s, forward)
            if at_s + doors.far_walk_s < goal_s[row]:
                _reach_far_door(
                    riding, labels, row, goal_rows, forward, at_s, ride, -1 - visit, other
                )
    return touched_count


@kernel
def _leave_at_door(
    riding: RideSearch,
    labels: Labels,
    ride: int,
    run: Run,
    stop_s: int,
    row: int,
    rows: int,
    stop_count: int,
    forward: bool,
) -> None:
    """Board wherever one is newly ready, and get out at the far door."""
    doors, scratch, body = riding.doors, riding.scratch, riding.rides.body[ride]
    listed, far, far_drive_s, walk_s = (
        scratch.listed,
        doors.far,
        doors.far_drive_s,
        doors.far_walk_s,
    )
    first_visit, end_visit = doors.far_first[body], doors.far_first[body + 1]
    time_s, marks, goal_s = labels.time_s, labels.marks, labels.goal_s
    goal_rows = row + 1 if row == 1 else rows
    for k in range(scratch.listed_first[body], scratch.listed_end[body]):
        point = listed[MEETING_POINT, k]
        if marks[stop_count + point] == 0:
            continue
        here, ready_s = listed_place(listed, k), time_s[READY + row - 1, stop_count + point]
        board_s = _board_s(run, int(ready_s), here[1], stop_s, forward)
        # No driver is anywhere before whoever boards him.
        if board_s + walk_s >= goal_s[row]:
            continue
        for visit in range(first_visit, end_visit):
            at_s = _carried_s(
                run, here, visit_place(far, visit), board_s, int(far_drive_s[point]), forward
            )
            if at_s + walk_s < goal_s[row]:
                _reach_far_door(riding, labels, row, goal_rows, forward, at_s, ride, k, visit)


@kernel
def _reach_far_door(
    riding: RideSearch,
    labels: Labels,
    row: int,
    goal_rows: int,
    forward: bool,
    at_s: int,
    ride: int,
    boarding: int,
    visit: int,
) -> None:
    """Take a way to the far door that leads to the goal sooner, see `FOUND_BOARD`."""
    doors, node = riding.doors, len(labels.egress) + (1 if forward else 0)
    goal_at_s = at_s + doors.far_walk_s
    reach_goal(
        labels.goal_s, labels.goal_node, labels.goal_row, row, goal_rows, node, goal_at_s
    )  # fmt: skip
    own = doors.found[row]
    own[FOUND_RIDE], own[FOUND_BOARD] = ride, boarding
    own[FOUND_VISIT], own[FOUND_END_S] = visit, at_s


@kernel
def listed_place(listed: Int32, k: int) -> Place:
    """Place of a listed candidate."""
    return int(listed[IN_SEGMENT, k]), int(listed[FROM_START_S, k]), int(listed[TO_END_S, k])


@kernel
def visit_place(visits: Int32, k: int) -> Place:
    """Place of a visit to a door."""
    return int(visits[k, VISIT_SEGMENT]), int(visits[k, VISIT_FROM_S]), int(visits[k, VISIT_TO_S])


@kernel
def _board_s(run: Run, ready_s: int, from_s: int, stop_s: int, forward: bool) -> int:
    """When the rider sits in the car (backward: is let out of it), or `FAR`."""
    earliest_s, latest_s = run[0] + from_s, run[1] + from_s
    if (ready_s > latest_s) if forward else (ready_s + stop_s > -earliest_s):
        return FAR
    return (max(ready_s, earliest_s) if forward else ready_s) + stop_s


@kernel
def _carried_s(
    run: Run, here: Place, there: Place, board_s: int, drive_s: int, forward: bool
) -> int:
    """
    When a ride boarded at one place comes to another, or `FAR` where it may not.

    Parameters
    ----------
    drive_s
        Between the two, for when they are in one segment.
    """
    earliest_s, latest_s, solo_s, most_s = run
    pickup, dropoff = (here, there) if forward else (there, here)
    drive_s = drive_between_s(pickup, dropoff, drive_s, solo_s)
    if pickup[1] + drive_s + dropoff[2] > most_s:
        return FAR
    then_s = board_s + drive_s
    if not forward:
        # The driver is at the pickup within his window.
        then_s = max(then_s, -latest_s - pickup[1])
        if then_s + pickup[1] > -earliest_s:
            return FAR
    return then_s


@kernel
def drive_between_s(pickup: Place, dropoff: Place, drive_s: int, solo_s: int) -> int:
    """Drive from place to place, through the driver's own stops between."""
    if pickup[0] == dropoff[0]:
        return drive_s
    return FAR_S if pickup[0] > dropoff[0] else pickup[2] + dropoff[1] - solo_s
