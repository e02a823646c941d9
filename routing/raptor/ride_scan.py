"""Flexible trips in a round: which are boarded, where they could bring a rider sooner."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from core.jit import kernel
from routing.bounds import MOST_ONWARD, VEHICLE_BITS
from routing.raptor.flexible import (
    AT,
    AT_POINT,
    BEST_S,
    BOARD_S,
    CELL,
    COST_S,
    FROM_START_S,
    IN_SEGMENT,
    LATE_S,
    LEAST_FROM_S,
    LEAST_TO_S,
    LEFT_S,
    MEETING_POINT,
    NEAR_S,
    OTHER,
    POINT,
    SEGMENT,
    TO_END_S,
    RideScratch,
    RideSearch,
    scan_ride,
)
from routing.raptor.labels import (
    ALIGHT,
    FAR,
    MAX_VEHICLES,
    NOWHERE,
    READY,
    Labels,
    fold,
    reach_goal,
)
from routing.raptor.ride_lists import list_body
from routing.raptor.scan import Costs
from routing.street.kernels import Walks

Int32 = npt.NDArray[np.int32]
UInt16 = npt.NDArray[np.uint16]
LAST = MAX_VEHICLES - 1
"""Most vehicles after which one boards another."""


@kernel
def scan_rides(
    riding: RideSearch,
    walks: Walks,
    costs: Costs,
    labels: Labels,
    start_s: int,
    row: int,
    rows: int,
    stop_count: int,
    forward: bool,
    touched_count: int,
) -> int:
    """
    Take every ride that can be boarded at a marked meeting point, the first to leave first.

    Returns how many nodes were reached sooner, `touched_count` before.
    """
    bodies, rides, scratch = riding.bodies, riding.rides, riding.scratch
    running, body_of = scratch.running, rides.body
    earliest_s, latest_s = rides.earliest_s, rides.latest_s
    solo_s, budget_s, goal_s = bodies.solo_s, bodies.budget_s, labels.goal_s
    candidates, near_end, near_cell = bodies.candidates, scratch.near_end, scratch.near_cell
    listed = scratch.listed
    points, segments = listed[MEETING_POINT], listed[IN_SEGMENT]
    from_start_s, to_end_s = listed[FROM_START_S], listed[TO_END_S]
    nears_s, ends_s = (from_start_s, to_end_s) if forward else (to_end_s, from_start_s)
    listed_first, listed_end = scratch.listed_first, scratch.listed_end
    listed_count = int(np.int64(scratch.listed_count[0]))
    marks, ready_s = labels.marks[stop_count:], labels.time_s[READY + row - 1, stop_count:]
    scanned_s, board, stop_s = labels.scanned[row - 1], scratch.board, costs.stop_s
    first_candidate, searched_end = bodies.first_candidate, bodies.searched_end
    if not _bound_arrivals(riding, marks, ready_s, stop_s):
        return touched_count
    _ready_of_use(costs.change_s, labels, scratch, row, stop_count, forward)
    _bound_points(
        walks, costs.change_s, labels, scratch, riding.bound_cell, row, stop_count, forward
    )
    cell_ready_s, cell_beat_s = scratch.cell_ready_s, scratch.cell_beat_s
    _bound_cells(bodies.point_cell, marks, ready_s, scratch.beat_s, cell_ready_s, cell_beat_s)
    cell_first, cells = bodies.cell_first, bodies.cells
    for ride in running[: scratch.running_count[0]]:
        body = body_of[ride]
        most_s = solo_s[body] + budget_s[body]
        first_s, last_s = earliest_s[ride], latest_s[ride] + most_s
        if not forward:
            first_s, last_s = -last_s, -first_s
        if first_s >= goal_s[row] or last_s < start_s:
            continue
        if not _may_be_of_use(
            cells, cell_first[body], cell_first[body + 1], cell_ready_s, cell_beat_s,
            earliest_s[ride], latest_s[ride], most_s, stop_s, goal_s[row], forward,
        ):  # fmt: skip
            continue
        first = listed_first[body]
        if first == NOWHERE:
            first = listed_first[body] = listed_count
            listed_count = list_body(
                candidates, first_candidate[body], searched_end[body],
                cells[cell_first[body] : cell_first[body + 1]], near_end, near_cell, listed,
                listed_count,
            )  # fmt: skip
            listed_end[body] = listed_count
        end = listed_end[body]
        boarding = _boardings(
            first, end, points, from_start_s, to_end_s, ready_s, scanned_s, marks, board,
            earliest_s[ride], latest_s[ride], most_s, stop_s, goal_s[row], forward,
        )  # fmt: skip
        if boarding == 0:
            continue
        others = _worth_reaching(
            first, end, points, nears_s, ends_s, segments, board, scratch.other, scratch.row_of,
            scratch.beat_s,
            -FAR if forward else -latest_s[ride], boarding,
        )  # fmt: skip
        if others == 0:
            continue
        boarding = _worth_boarding(scratch, ends_s, boarding, others)
        if boarding == 0:
            continue
        low_s, high_s = (-FAR, FAR) if forward else (-latest_s[ride], -earliest_s[ride])
        scan_ride(bodies, riding.drive_s, body, scratch, boarding, others, low_s, high_s, forward)
        touched_count = _reach_points(
            labels, row, rows, scratch, ride, others, stop_count, touched_count
        )
    scratch.listed_count[0] = listed_count
    return touched_count


@kernel
def _bound_arrivals(
    riding: RideSearch, marks: npt.NDArray[np.uint8], ready_s: Int32, stop_s: int
) -> bool:
    """Write `RideScratch.soonest_s`; returns whether anybody is ready to board at all."""
    cell, bound_s, soonest_s = riding.bound_cell, riding.bound_s, riding.scratch.soonest_s
    cell_ready_s, any_ready = np.full(len(bound_s), FAR, np.int32), False
    for point in range(len(marks)):
        if marks[point] == 1:
            where, any_ready = cell[point], True
            cell_ready_s[where] = min(cell_ready_s[where], ready_s[point])
    soonest_s[:] = FAR
    for where in range(len(bound_s)):
        then_s = np.int32(cell_ready_s[where] + stop_s)
        if then_s < FAR:
            for c in range(len(bound_s)):
                soonest_s[c] = min(soonest_s[c], np.int32(then_s + bound_s[where, c]))
    return any_ready


@kernel
def _bound_cells(
    point_cell: Int32,
    marks: npt.NDArray[np.uint8],
    ready_s: Int32,
    beat_s: Int32,
    cell_ready_s: Int32,
    cell_beat_s: Int32,
) -> None:
    """Write `RideScratch.cell_ready_s` and `cell_beat_s`."""
    cell_ready_s[:], cell_beat_s[:] = FAR, -FAR
    for point in range(len(point_cell)):
        where = point_cell[point]
        cell_beat_s[where] = max(cell_beat_s[where], beat_s[point])
        if marks[point] == 1:
            cell_ready_s[where] = min(cell_ready_s[where], ready_s[point])


@kernel
def _may_be_of_use(
    cells: UInt16,
    first: int,
    end: int,
    cell_ready_s: Int32,
    cell_beat_s: Int32,
    earliest_s: int,
    latest_s: int,
    most_s: int,
    stop_s: int,
    goal_s: int,
    forward: bool,
) -> bool:
    """
    Whether a ride may be boarded in some cell and bring a rider to another in time to be of use.

    Its cells are rows `first` to `end`. Taking them out as an array would count that in and out.

    What is said of a cell holds for every point in it: its drives are the least ones, and none to
    a point takes longer than all that the driver accepts less the least one on.
    """
    near, cost = (LEAST_FROM_S, LEAST_TO_S) if forward else (LEAST_TO_S, LEAST_FROM_S)
    least_late_s, least_long_s = np.int64(FAR), np.int64(FAR)
    for k in range(first, end):
        near_s, cost_s = np.int64(cells[k, near]), np.int64(cells[k, cost])
        board_s = np.int64(cell_ready_s[cells[k, CELL]])
        if forward:
            if board_s > latest_s + most_s - cost_s:
                continue
            board_s = max(board_s, earliest_s + near_s)
        elif board_s > -earliest_s - cost_s - stop_s:
            continue
        if board_s < goal_s:
            least_late_s = min(least_late_s, board_s + stop_s - (most_s - cost_s))
            least_long_s = min(least_long_s, board_s + stop_s + cost_s)
    if least_late_s >= FAR:
        return False
    if forward:
        least_late_s = max(least_late_s, np.int64(earliest_s) + stop_s)
    else:
        least_long_s = max(least_long_s, np.int64(-latest_s))
    for k in range(first, end):
        near_s = np.int64(cells[k, near])
        soonest_s = max(least_late_s + near_s, least_long_s - (most_s - near_s))
        if soonest_s < cell_beat_s[cells[k, CELL]]:
            return True
    return False


@kernel
def _boardings(
    first: int,
    end: int,
    points: Int32,
    from_start_s: Int32,
    to_end_s: Int32,
    ready_s: Int32,
    scanned_s: Int32,
    marks: npt.NDArray[np.uint8],
    board: Int32,
    earliest_s: int,
    latest_s: int,
    most_s: int,
    stop_s: int,
    bound_s: int,
    forward: bool,
) -> int:
    """Fresh candidates of a ride at which the rider newly is in time; returns how many."""
    at, at_point, board_s = board[AT], board[AT_POINT], board[BOARD_S]
    late_s, left_s = board[LATE_S], board[LEFT_S]
    count = 0
    for i in range(end - first):
        k = first + i if forward else end - 1 - i
        point = points[k]
        if marks[point] == 0:
            continue
        near_s, then_s, known_s = from_start_s[k], ready_s[point], scanned_s[point]
        if forward:
            passes_s = earliest_s + near_s
            if known_s <= passes_s or then_s > latest_s + near_s:
                continue  # boards at the same moment as when last scanned, or is too late
            then_s = max(then_s, passes_s)
        else:
            if then_s > -earliest_s - near_s - stop_s:
                continue  # must be let out before the driver gets here
            near_s = to_end_s[k]
            if known_s + most_s + stop_s - near_s <= -latest_s:
                continue  # could be late enough for the latest departure when last scanned
        if then_s < bound_s:
            at[count], at_point[count], board_s[count] = k, point, then_s + stop_s
            late_s[count], left_s[count] = then_s + stop_s - near_s, most_s - near_s
            count += 1
    return count


@kernel
def _worth_reaching(
    first: int,
    end: int,
    points: Int32,
    nears_s: Int32,
    costs_s: Int32,
    segments: Int32,
    board: Int32,
    others: Int32,
    row_of: Int32,
    beat_s: Int32,
    low_s: int,
    boarding_count: int,
) -> int:
    """
    Candidates of a ride that it could bring a rider to in time to be of use; returns how many.

    Drives keep the triangle inequality, as fastest ones do: nobody gets to a point before the
    driver alone would, nor further before the driver's end than he is.
    """
    at, board_s, late_s = board[AT], board[BOARD_S], board[LATE_S]
    other, other_point = others[OTHER], others[POINT]
    near_s, cost_s = others[NEAR_S], others[COST_S]
    best_s, segment = others[BEST_S], others[SEGMENT]
    least_late_s, least_long_s = np.int32(FAR), np.int32(FAR)
    for i in range(boarding_count):
        least_late_s = min(least_late_s, late_s[i])
        least_long_s = min(least_long_s, np.int32(board_s[i] + costs_s[at[i]]))
    count = 0
    for k in range(first, end):
        near, cost, point = nears_s[k], costs_s[k], points[k]
        row_of[k - first] = -1
        soonest_s = max(least_late_s + near, max(least_long_s, low_s) - cost)
        if soonest_s < beat_s[point]:
            row_of[k - first] = count
            other[count], other_point[count] = k, point
            segment[count] = segments[k]
            near_s[count], cost_s[count] = near, cost
            best_s[count] = beat_s[point]
            count += 1
    return count


@kernel
def _ready_of_use(
    change_s: Int32, labels: Labels, scratch: RideScratch, row: int, stop_count: int, forward: bool
) -> None:
    """Write `RideScratch.stop_beat_s`: sooner than known, and in time for the goal."""
    ready_s, onward, goal_s = labels.time_s[READY + min(row, LAST)], labels.onward, labels.goal_s
    stop_beat_s = scratch.stop_beat_s
    # Where everything is to be reached, nothing follows, and walks count without the change.
    more = labels.leave[0] & MOST_ONWARD if len(labels.leave) > 0 else 0
    for stop in range(stop_count):
        left = onward[stop]
        then_s = np.int64(goal_s[row + max(left & MOST_ONWARD, more)]) - (left >> VEHICLE_BITS)
        if more > 0:
            then_s = min(then_s, np.int64(ready_s[stop]))
        if not forward:
            then_s -= change_s[stop]
        stop_beat_s[stop] = max(then_s, np.int64(-FAR))


@kernel
def _bound_points(
    walks: Walks,
    change_s: Int32,
    labels: Labels,
    scratch: RideScratch,
    bound_cell: Int32,
    row: int,
    stop_count: int,
    forward: bool,
) -> None:
    """
    Write `RideScratch.beat_s`: in time for the goal, or to be ready at some stop sooner.

    `-FAR` where nobody is driven to in time to be of use.
    """
    alight_s, egress = labels.time_s[ALIGHT + row, stop_count:], labels.egress[stop_count:]
    goal_s, leave, beat_s = labels.goal_s, labels.leave, scratch.beat_s
    first, to, seconds = walks.first[stop_count:], walks.to, walks.seconds
    stop_beat_s, point_change_s = scratch.stop_beat_s, change_s[stop_count:]
    soonest_s = scratch.soonest_s
    for point in range(len(leave)):
        left, least_s = leave[point], soonest_s[bound_cell[point]]
        most_s = goal_s[row + (left & MOST_ONWARD)] - (left >> VEHICLE_BITS)
        direct_s = max(goal_s[row] - egress[point], -FAR)
        most_s = min(np.int64(alight_s[point]), max(direct_s, most_s))
        beat_s[point] = -FAR
        if most_s <= least_s:
            continue
        # Searching backward the change is counted where one gets in.
        change = point_change_s[point] if forward else np.int32(0)
        then_s = np.int64(-FAR)
        for walk in range(first[point], first[point + 1]):
            then_s = max(then_s, np.int64(stop_beat_s[to[walk]] - seconds[walk]))
            if then_s - change >= most_s:
                break  # no bound is beaten
        most_s = min(most_s, max(then_s - change, direct_s))
        if most_s > least_s:
            beat_s[point] = most_s


@kernel
def _worth_boarding(scratch: RideScratch, costs_s: Int32, boarding_count: int, others: int) -> int:
    """Keep the boardings from which some candidate could be reached in time, the best first."""
    board = scratch.board
    at, at_point, board_s = board[AT], board[AT_POINT], board[BOARD_S]
    late_s, left_s = board[LATE_S], board[LEFT_S]
    near_s, cost_s, best_s = scratch.other[NEAR_S], scratch.other[COST_S], scratch.other[BEST_S]
    most_near_s, most_cost_s = np.int64(-FAR), np.int64(-FAR)
    for j in range(others):
        most_near_s = max(most_near_s, np.int64(best_s[j] - near_s[j]))
        most_cost_s = max(most_cost_s, np.int64(best_s[j] + cost_s[j]))
    count = 0
    for i in range(boarding_count):
        if late_s[i] < most_near_s and board_s[i] + costs_s[at[i]] < most_cost_s:
            at[count], at_point[count], board_s[count] = at[i], at_point[i], board_s[i]
            late_s[count], left_s[count] = late_s[i], left_s[i]
            count += 1
    return count


@kernel
def _reach_points(
    labels: Labels,
    row: int,
    rows: int,
    scratch: RideScratch,
    ride: int,
    others: int,
    stop_count: int,
    touched_count: int,
) -> int:
    """Take a ride's arrivals; returns how many nodes were reached, `touched_count` before."""
    other, other_point, best_s = scratch.other[OTHER], scratch.other[POINT], scratch.other[BEST_S]
    time_s, by, egress, beat_s = labels.time_s, labels.ride, labels.egress, scratch.beat_s
    goal_s, goal_node, goal_row = labels.goal_s, labels.goal_node, labels.goal_row
    touched, touches = labels.touched, labels.touches
    # A ride all the way does not hide journeys that join rides and vehicles (decision 0003).
    goal_rows = row + 1 if row == 1 else rows
    for j in range(others):
        point, at_s = other_point[j], best_s[j]
        node = stop_count + point
        if at_s >= beat_s[point]:
            continue  # not sooner, or a point served twice by one ride, the first time sooner
        fold(time_s, node, ALIGHT + row, ALIGHT + rows, at_s)
        beat_s[point] = at_s
        by[point, row - 1, 0], by[point, row - 1, 1] = ride, other[j]
        reach_goal(goal_s, goal_node, goal_row, row, goal_rows, node, at_s + egress[node])
        if touches[node] == 0:
            touches[node] = 1
            touched[touched_count] = node
            touched_count += 1
    return touched_count
