"""
Bounds on the way that is left where rides are allowed: least seconds to the goal, by any mix.

From a stop one takes vehicles all the way, or vehicles to where one boards a driver; he lets one
out near the goal, or near a stop. Every way is given its fastest run and no waiting, so that no
journey undercuts it. Times after the last ride come from the tables of `routing.bounds`, drives
from the drive matrix: exactly to points near the goal, else between cells of points.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from core.jit import kernel
from routing.bounds import VEHICLE_BITS, Seconds
from routing.raptor.flexible import DoorScan
from routing.raptor.labels import FAR_ONWARD_S, MAX_VEHICLES, Labels
from routing.street.kernels import Walks

Int32 = npt.NDArray[np.int32]
WHOLE = 256
"""Share of a table that holds as it is."""
MORE_RIDES = MAX_VEHICLES // 2
"""Rides that may follow a ride: between any two there is a vehicle."""


class RideBounds(NamedTuple):
    """What the bounds with rides read and write, besides labels."""

    matrix: Seconds
    """Shape (P, P): drives, the goal's side first, as in all that follow."""
    point_cell: Int32
    drive_s: Seconds
    """Shape (K, K): least drive between points of two cells."""
    stop_cell: Int32
    ride_s: Seconds
    """Shape (L, L): least time between stops of two cells in vehicles and on foot."""
    to_stop_s: Seconds
    """Shape (L, K): least walk between a point and a stop nearer to the goal."""
    to_point_s: Seconds
    """Shape (K, L): least walk between a stop and a point nearer to the goal."""
    board_s: Int32
    """Shape (P,), written: least seconds to the goal from boarding a driver at a point."""
    stop_onward_s: Int32
    """Shape (S,), written: the same from a stop, by any mix."""


@kernel
def aim_rides(
    bounds: RideBounds,
    walks: Walks,
    change_s: Int32,
    stop_s: int,
    onward_256: int,
    plain: Labels,
    labels: Labels,
    egress_node: Int32,
    doors: DoorScan,
    forward: bool,
) -> None:
    """
    Write `Labels.onward` and `Labels.leave` for searches with rides.

    Parameters
    ----------
    walks
        Between stops and meeting points.
    onward_256
        See `aim`.
    plain
        As `aim` left them.
    """
    board_s, onward_s, leave = bounds.board_s, bounds.stop_onward_s, labels.leave
    stop_cell, point_cell, stops = bounds.stop_cell, bounds.point_cell, len(bounds.stop_onward_s)
    board_s[:] = FAR_ONWARD_S
    for node in egress_node:
        if node >= stops:
            drive_s, egress_s = bounds.matrix[node - stops], labels.egress[node] + stop_s
            for p in range(len(board_s)):
                board_s[p] = min(board_s[p], drive_s[p] + egress_s)
    if len(doors.far_drive_s) > 0:
        for p in range(len(board_s)):
            board_s[p] = min(board_s[p], doors.far_drive_s[p] + doors.far_walk_s + stop_s)
    for node in range(stops):
        onward_s[node] = plain.onward[node] >> VEHICLE_BITS
    stop_cell_s = _least_of_cells(stop_cell, onward_s, len(bounds.ride_s))
    board_cell_s = _least_of_cells(point_cell, board_s, len(bounds.drive_s))
    point_change_s = change_s[stops:].min() if len(leave) > 0 else np.int32(0)
    stop_change_s = change_s[:stops].min() if stops > 0 else np.int32(0)
    if not forward:
        point_change_s, stop_change_s = stop_change_s, point_change_s
    whole, none = int(np.int64(WHOLE)), np.int32(0)
    for round_ in range(MORE_RIDES):
        leave_cell_s = np.full(len(board_cell_s), FAR_ONWARD_S, np.int32)
        _go_on(bounds.to_stop_s, stop_cell_s, onward_256, point_change_s, leave_cell_s)
        before_s = board_cell_s.copy()
        _go_on(bounds.drive_s, leave_cell_s, whole, np.int32(stop_s), board_cell_s)
        if round_ > 0 and (board_cell_s == before_s).all():
            break
        ride_cell_s = np.full(len(stop_cell_s), FAR_ONWARD_S, np.int32)
        _go_on(bounds.to_point_s, board_cell_s, onward_256, stop_change_s, ride_cell_s)
        _go_on(bounds.ride_s, ride_cell_s, onward_256, none, stop_cell_s)
    for node in range(stops):
        onward_s[node] = min(onward_s[node], stop_cell_s[stop_cell[node]])
    _leave_for_stops(walks, change_s, onward_s, leave, forward)
    leave_cell_s = _least_of_cells(point_cell, leave, len(board_cell_s))
    board_cell_s[:] = FAR_ONWARD_S
    _go_on(bounds.drive_s, leave_cell_s, whole, np.int32(stop_s), board_cell_s)
    for p in range(len(board_s)):
        then_s = min(board_s[p], board_cell_s[point_cell[p]])
        labels.onward[stops + p] = (then_s << VEHICLE_BITS) | 1
        leave[p] = (leave[p] << VEHICLE_BITS) | 1
    for node in range(stops):
        labels.onward[node] = (onward_s[node] << VEHICLE_BITS) | min(1, plain.onward[node] & 15)


@kernel
def _least_of_cells(cell: Int32, seconds: Int32, count: int) -> Int32:
    """Least seconds among the places of each cell."""
    least_s = np.full(count, FAR_ONWARD_S, np.int32)
    for i in range(len(cell)):
        least_s[cell[i]] = min(least_s[cell[i]], seconds[i])
    return least_s


@kernel
def _go_on(table: Seconds, onward_s: Int32, share_256: int, more_s: np.int32, out_s: Int32) -> None:
    """Lower `out_s` to what the way over a table to cells, and on from there, takes."""
    share = np.int32(share_256)
    for goal in range(len(table)):
        then_s = onward_s[goal] + more_s
        if then_s >= FAR_ONWARD_S:
            continue
        for c in range(len(out_s)):
            out_s[c] = min(out_s[c], np.int32(then_s + ((np.int32(table[goal, c]) * share) >> 8)))


@kernel
def _leave_for_stops(
    walks: Walks, change_s: Int32, onward_s: Int32, leave: Int32, forward: bool
) -> None:
    """From every point, having left a ride: change, walk to a stop and go on from there."""
    first, to, seconds = walks.first, walks.to, walks.seconds
    stops = len(onward_s)
    for p in range(len(leave)):
        least_s = np.int32(FAR_ONWARD_S)
        for walk in range(first[stops + p], first[stops + p + 1]):
            stop = to[walk]
            then_s = seconds[walk] + onward_s[stop]
            if not forward:
                then_s += change_s[stop]
            least_s = min(least_s, then_s)
        if forward:
            least_s = min(np.int32(FAR_ONWARD_S), least_s + change_s[stops + p])
        leave[p] = least_s
