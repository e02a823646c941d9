"""Flexible trips in a round: which are boarded, where they could bring a rider sooner."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from core.jit import kernel
from routing.raptor.flexible import FlexibleBodies, Rides, RideScratch, scan_ride
from routing.raptor.labels import ALIGHT, FAR, READY, Labels, fold, reach_goal
from routing.raptor.scan import Costs


@kernel
def scan_rides(
    bodies: FlexibleBodies,
    rides: Rides,
    matrix: npt.NDArray[np.uint16],
    costs: Costs,
    labels: Labels,
    scratch: RideScratch,
    row: int,
    rows: int,
    stop_count: int,
    seats: int,
    forward: bool,
    touched_count: int,
) -> int:
    """Take every ride that can be boarded at a marked meeting point."""
    for body in range(len(bodies.solo_s)):
        if bodies.seat_count[body] < seats:
            continue
        for ride in range(rides.first_ride[body], rides.first_ride[body + 1]):
            boarding = _boardings(
                bodies, rides, costs.stop_s, labels, scratch, body, ride, row, stop_count, forward
            )
            if boarding == 0:
                continue
            others = _worth_reaching(
                bodies, rides, costs, labels, scratch, body, ride, row, stop_count, forward
            )
            scan_ride(bodies, matrix, body, scratch, boarding, others, costs.stop_s, forward)
            for j in range(others):
                if scratch.other_from[j] >= 0:
                    touched_count = _reach_by_ride(
                        labels, row, rows, scratch, ride, j, stop_count, touched_count
                    )
    return touched_count


@kernel
def _reach_by_ride(
    labels: Labels,
    row: int,
    rows: int,
    scratch: RideScratch,
    ride: int,
    found: int,
    stop_count: int,
    touched_count: int,
) -> int:
    """Take a ride's arrival at a point, if it is better than what the ride itself gave before."""
    point, at_s = scratch.other_point[found], scratch.other_best_s[found]
    node = stop_count + point
    if at_s >= labels.time_s[ALIGHT + row, node]:
        return touched_count  # a point served twice by one ride, the first time sooner
    by = labels.ride[point, row - 1]
    by[0], by[1], by[2] = ride, scratch.other_from[found], scratch.other[found]
    # A ride all the way does not hide journeys that join rides and public transport.
    fold(labels.time_s, node, ALIGHT + row, ALIGHT + rows, at_s)
    reach_goal(
        labels.goal_s, labels.goal_node, labels.goal_row, row, row + 1 if row == 1 else rows, node,
        at_s + labels.egress[node],
    )  # fmt: skip
    if labels.touches[node] == 0:
        labels.touches[node] = 1
        labels.touched[touched_count] = node
        touched_count += 1
    return touched_count


@kernel
def _boardings(
    bodies: FlexibleBodies,
    rides: Rides,
    stop_s: int,
    labels: Labels,
    scratch: RideScratch,
    body: int,
    ride: int,
    row: int,
    stop_count: int,
    forward: bool,
) -> int:
    """Candidates of a ride at which the rider newly is in time; returns how many."""
    earliest_s, latest_s = rides.earliest_s[ride], rides.latest_s[ride]
    bound_s = labels.goal_s[row]
    first_s = earliest_s if forward else -latest_s - bodies.solo_s[body] - bodies.budget_s[body]
    if first_s >= bound_s:
        return 0
    count = 0
    for candidate in range(bodies.first_candidate[body], bodies.first_candidate[body + 1]):
        point = bodies.point[candidate]
        node = stop_count + point
        if labels.marks[node] == 0:
            continue
        at_s = labels.time_s[READY + row - 1, node]
        if forward:
            passes_s = earliest_s + bodies.from_start_s[candidate]
            if labels.scanned[point, row - 1] <= passes_s:
                continue  # boards at the same moment as when last scanned
            if at_s > latest_s + bodies.from_start_s[candidate]:
                continue
            at_s = max(at_s, passes_s)
        else:
            longest_s = bodies.solo_s[body] + bodies.budget_s[body] + stop_s
            longest_s -= bodies.to_end_s[candidate]
            if labels.scanned[point, row - 1] + longest_s <= -latest_s:
                continue  # could be late enough for the latest departure when last scanned
            if at_s > -earliest_s - bodies.from_start_s[candidate] - stop_s:
                continue  # must be let out before the driver gets here
        if at_s < bound_s:
            scratch.boarding[count], scratch.boarding_s[count] = candidate, at_s
            count += 1
    return count


@kernel
def _worth_reaching(
    bodies: FlexibleBodies,
    rides: Rides,
    costs: Costs,
    labels: Labels,
    scratch: RideScratch,
    body: int,
    ride: int,
    row: int,
    stop_count: int,
    forward: bool,
) -> int:
    """
    Candidates of a ride that it could bring a rider to sooner than known; returns how many.

    From a point one either walks to the goal, or changes, which takes `Costs.change_s` at least.
    Drives keep the triangle inequality, as fastest ones do: nobody gets to a point before the
    driver alone would.
    """
    earliest_s, latest_s = rides.earliest_s[ride], rides.latest_s[ride]
    count = 0
    for candidate in range(bodies.first_candidate[body], bodies.first_candidate[body + 1]):
        node = stop_count + bodies.point[candidate]
        onward_s = costs.change_s[node] if forward else 0
        best_s = min(
            labels.time_s[ALIGHT + row, node],
            labels.goal_s[row] - min(onward_s, labels.egress[node]),
        )
        low_s, high_s = -FAR, FAR
        soonest_s = earliest_s + bodies.from_start_s[candidate] + costs.stop_s
        cost_s = bodies.to_end_s[candidate]
        if not forward:
            low_s = -latest_s - bodies.from_start_s[candidate]
            high_s = -earliest_s - bodies.from_start_s[candidate]
            soonest_s, cost_s = low_s, bodies.from_start_s[candidate]
        if soonest_s < best_s:
            scratch.other[count] = candidate
            scratch.other_point[count] = bodies.point[candidate]
            scratch.other_cost_s[count] = cost_s
            scratch.other_low_s[count], scratch.other_high_s[count] = low_s, high_s
            scratch.other_best_s[count], scratch.other_from[count] = best_s, -1
            count += 1
    return count
