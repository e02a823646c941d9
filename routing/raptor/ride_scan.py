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
    COST_S,
    LATE_S,
    LEFT_S,
    NEAR_S,
    OTHER,
    POINT,
    SEGMENT,
    FlexibleBodies,
    Rides,
    RideScratch,
    scan_ride,
)
from routing.raptor.labels import (
    ALIGHT,
    FAR,
    MAX_VEHICLES,
    READY,
    Labels,
    fold,
    reach_goal,
)
from routing.raptor.ride_lists import find_fresh
from routing.raptor.scan import Costs
from routing.street.kernels import Walks

Int32 = npt.NDArray[np.int32]
LAST = MAX_VEHICLES - 1
"""Most vehicles after which one boards another."""


@kernel
def scan_rides(
    bodies: FlexibleBodies,
    rides: Rides,
    matrix: npt.NDArray[np.uint16],
    walks: Walks,
    costs: Costs,
    labels: Labels,
    scratch: RideScratch,
    marked_count: int,
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
    running, fresh, body_of = scratch.running, scratch.fresh, rides.body
    earliest_s, latest_s = rides.earliest_s, rides.latest_s
    solo_s, budget_s, goal_s = bodies.solo_s, bodies.budget_s, labels.goal_s
    points, from_start_s, to_end_s = bodies.point, bodies.from_start_s, bodies.to_end_s
    listed, listed_first, listed_end = scratch.listed, scratch.listed_first, scratch.listed_end
    marks, ready_s = labels.marks[stop_count:], labels.time_s[READY + row - 1, stop_count:]
    scanned_s, board, stop_s = labels.scanned[row - 1], scratch.board, costs.stop_s
    first_candidate, beats, beat_s = bodies.first_candidate, scratch.beats, scratch.beat_s
    nears_s, costs_s = (from_start_s, to_end_s) if forward else (to_end_s, from_start_s)
    walk_first, walk_to, walk_s = walks.first[stop_count:], walks.to, walks.seconds
    alight_s, egress_s = labels.time_s[ALIGHT + row, stop_count:], labels.egress[stop_count:]
    stop_beat_s, point_change_s = scratch.stop_beat_s, costs.change_s[stop_count:]
    find_fresh(bodies, labels, scratch, marked_count, stop_count)
    _ready_of_use(costs.change_s, labels, scratch, row, stop_count, forward)
    _bound_points(labels, scratch, row, stop_count)
    for ride in running[: scratch.running_count[0]]:
        body = body_of[ride]
        most_s = solo_s[body] + budget_s[body]
        first_s, last_s = earliest_s[ride], latest_s[ride] + most_s
        if not forward:
            first_s, last_s = -last_s, -first_s
        if first_s >= goal_s[row] or last_s < start_s or fresh[body] == 0:
            continue
        own = listed[listed_first[body] : listed_end[body]]
        boarding = _boardings(
            own, points, from_start_s, to_end_s, ready_s, scanned_s, marks, board,
            earliest_s[ride], latest_s[ride], most_s, stop_s, goal_s[row], forward,
        )  # fmt: skip
        if boarding == 0:
            continue
        others = _worth_reaching(
            own, points, nears_s, costs_s, bodies.segment, scratch.board, scratch.other,
            scratch.row_of, beats, beat_s, walk_first, walk_to, walk_s, stop_beat_s, alight_s,
            egress_s, point_change_s, goal_s[row], -FAR if forward else -latest_s[ride], boarding,
            first_candidate[body], forward,
        )  # fmt: skip
        if others == 0:
            continue
        boarding = _worth_boarding(bodies, scratch, boarding, others, forward)
        if boarding == 0:
            continue
        low_s, high_s = (-FAR, FAR) if forward else (-latest_s[ride], -earliest_s[ride])
        scan_ride(bodies, matrix, body, scratch, boarding, others, low_s, high_s, forward)
        touched_count = _reach_points(
            labels, row, rows, scratch, ride, others, stop_count, touched_count
        )
    return touched_count


@kernel
def _boardings(
    own: Int32,
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
    for k in range(len(own)):
        candidate = own[k if forward else len(own) - 1 - k]
        point = points[candidate]
        if marks[point] == 0:
            continue
        near_s, then_s, known_s = from_start_s[candidate], ready_s[point], scanned_s[point]
        if forward:
            passes_s = earliest_s + near_s
            if known_s <= passes_s or then_s > latest_s + near_s:
                continue  # boards at the same moment as when last scanned, or is too late
            then_s = max(then_s, passes_s)
        else:
            if then_s > -earliest_s - near_s - stop_s:
                continue  # must be let out before the driver gets here
            near_s = to_end_s[candidate]
            if known_s + most_s + stop_s - near_s <= -latest_s:
                continue  # could be late enough for the latest departure when last scanned
        if then_s < bound_s:
            at[count], at_point[count], board_s[count] = candidate, point, then_s + stop_s
            late_s[count], left_s[count] = then_s + stop_s - near_s, most_s - near_s
            count += 1
    return count


@kernel
def _worth_reaching(
    own: Int32,
    points: Int32,
    nears_s: Int32,
    costs_s: Int32,
    segments: Int32,
    board: Int32,
    others: Int32,
    row_of: Int32,
    beats: npt.NDArray[np.uint8],
    beat_s: Int32,
    walk_first: Int32,
    walk_to: Int32,
    walk_s: Int32,
    stop_beat_s: Int32,
    alight_s: Int32,
    egress_s: Int32,
    change_s: Int32,
    goal_s: int,
    low_s: int,
    boarding_count: int,
    first: int,
    forward: bool,
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
    for candidate in own:
        near, cost, point = nears_s[candidate], costs_s[candidate], points[candidate]
        row_of[candidate - first] = -1
        soonest_s = max(least_late_s + near, max(least_long_s, low_s) - cost)
        if soonest_s >= beat_s[point]:
            continue
        if beats[point] == 0:
            # In time for the goal, or to be ready at some stop sooner.
            beats[point] = 1
            then_s = np.int32(-FAR)
            for walk in range(walk_first[point], walk_first[point + 1]):
                then_s = max(then_s, np.int32(stop_beat_s[walk_to[walk]] - walk_s[walk]))
            if forward:  # searching backward it is counted where one gets in
                then_s = np.int32(then_s - change_s[point])
            then_s = max(then_s, np.int32(goal_s - egress_s[point]), np.int32(-FAR))
            beat_s[point] = min(then_s, alight_s[point])
        best = beat_s[point]
        if soonest_s < best:
            row_of[candidate - first] = count
            other[count], other_point[count] = candidate, point
            segment[count] = segments[candidate]
            near_s[count], cost_s[count] = near, cost
            best_s[count] = best
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
def _bound_points(labels: Labels, scratch: RideScratch, row: int, stop_count: int) -> None:
    """Write `RideScratch.beat_s` as high as bounds leave it."""
    alight_s, egress = labels.time_s[ALIGHT + row, stop_count:], labels.egress[stop_count:]
    goal_s, leave, beat_s = labels.goal_s, labels.leave, scratch.beat_s
    scratch.beats[:] = 0
    for point in range(len(leave)):
        left = leave[point]
        onward_s = goal_s[row + (left & MOST_ONWARD)] - (left >> VEHICLE_BITS)
        beat_s[point] = min(alight_s[point], max(goal_s[row] - egress[point], onward_s))


@kernel
def _worth_boarding(
    bodies: FlexibleBodies, scratch: RideScratch, boarding_count: int, others: int, forward: bool
) -> int:
    """Keep the boardings from which some candidate could be reached in time, the best first."""
    board = scratch.board
    at, at_point, board_s = board[AT], board[AT_POINT], board[BOARD_S]
    late_s, left_s = board[LATE_S], board[LEFT_S]
    near_s, cost_s, best_s = scratch.other[NEAR_S], scratch.other[COST_S], scratch.other[BEST_S]
    costs_s = bodies.to_end_s if forward else bodies.from_start_s
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
