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
from routing.raptor.labels import FAR_ONWARD_S, MAX_VEHICLES, Labels
from routing.street.kernels import Walks

Int32 = npt.NDArray[np.int32]
MORE_RIDES = MAX_VEHICLES // 2
"""Rides that may follow a ride: between any two there is a vehicle."""


class RideBounds(NamedTuple):
    """What the bounds with rides read and write, besides labels."""

    matrix: Seconds
    """Shape (P, P): drives, the goal's side first."""
    point_cell: Int32
    cell_drive_s: Seconds
    """Shape (K, K): least drive between points of two cells, the goal's side first."""
    stop_cell: Int32
    cell_ride_s: Seconds
    """Shape (L, L): least time between stops of two cells in vehicles and on foot, as above."""
    board_s: Int32
    """Shape (P,), written: least seconds to the goal from boarding a driver at a point."""
    stop_onward_s: Int32
    """Shape (S,), written: the same from a stop, by any mix."""
    leave_cell_s: Int32
    """Shape (K,): scratch."""


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
    stops = len(bounds.stop_onward_s)
    board_s, onward_s, leave = bounds.board_s, bounds.stop_onward_s, labels.leave
    board_s[:] = FAR_ONWARD_S
    for node in egress_node:
        if node >= stops:
            drive_s, egress_s = bounds.matrix[node - stops], labels.egress[node] + stop_s
            for p in range(len(board_s)):
                board_s[p] = min(board_s[p], drive_s[p] + egress_s)
    for node in range(stops):
        onward_s[node] = plain.onward[node] >> VEHICLE_BITS
    for round_ in range(MORE_RIDES):
        _leave_for_stops(bounds, walks, change_s, onward_s, leave, forward)
        if not _ride_to_stops(bounds, stop_s) and round_ > 0:
            break
        _ride_to_goal(bounds, walks, change_s, onward_256, forward)
    for node in range(stops):
        labels.onward[node] = (onward_s[node] << VEHICLE_BITS) | min(1, plain.onward[node] & 15)
    for p in range(len(board_s)):
        labels.onward[stops + p] = (board_s[p] << VEHICLE_BITS) | 1


@kernel
def _leave_for_stops(
    bounds: RideBounds,
    walks: Walks,
    change_s: Int32,
    onward_s: Int32,
    leave: Int32,
    forward: bool,
) -> None:
    """From every point, having left a ride: change, walk to a stop and go on from there."""
    first, to, seconds = walks.first, walks.to, walks.seconds
    stops, cell, cell_s = len(onward_s), bounds.point_cell, bounds.leave_cell_s
    cell_s[:] = FAR_ONWARD_S
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
        leave[p] = (least_s << VEHICLE_BITS) | 1
        cell_s[cell[p]] = min(cell_s[cell[p]], least_s)


@kernel
def _ride_to_stops(bounds: RideBounds, stop_s: int) -> bool:
    """From every point: a ride to where one goes on as `leave_cell_s` says; true if one helps."""
    board_s, leave_s, drive_s = bounds.board_s, bounds.leave_cell_s, bounds.cell_drive_s
    cell_board_s = np.full(len(leave_s), FAR_ONWARD_S, np.int32)
    for b in range(len(leave_s)):
        for a in range(len(leave_s)):
            cell_board_s[a] = min(cell_board_s[a], leave_s[b] + drive_s[b, a])
    helped = False
    for p in range(len(board_s)):
        then_s = cell_board_s[bounds.point_cell[p]] + np.int32(stop_s)
        if then_s < board_s[p]:
            board_s[p] = then_s
            helped = True
    return helped


@kernel
def _ride_to_goal(
    bounds: RideBounds,
    walks: Walks,
    change_s: Int32,
    onward_256: int,
    forward: bool,
) -> None:
    """From every stop: vehicles to a stop, and from there on foot to a ride as `board_s` says."""
    first, to, seconds = walks.first, walks.to, walks.seconds
    board_s, onward_s, cell = bounds.board_s, bounds.stop_onward_s, bounds.stop_cell
    ride_s, stops = bounds.cell_ride_s, len(onward_s)
    there_s = np.full(len(ride_s), FAR_ONWARD_S, np.int32)
    then_s = np.full(len(ride_s), FAR_ONWARD_S, np.int32)
    for stop in range(stops):
        least_s = np.int32(FAR_ONWARD_S)
        for walk in range(first[stop], first[stop + 1]):
            if to[walk] >= stops:
                ready_s = seconds[walk] + board_s[to[walk] - stops]
                if not forward:
                    ready_s += change_s[to[walk]]
                least_s = min(least_s, ready_s)
        if forward:
            least_s += change_s[stop]
        onward_s[stop] = min(onward_s[stop], least_s)
        there_s[cell[stop]] = min(there_s[cell[stop]], least_s)
    for goal in range(len(ride_s)):
        for c in range(len(ride_s)):
            least_ride_s = (np.int32(ride_s[goal, c]) * onward_256) >> 8
            then_s[c] = min(then_s[c], there_s[goal] + least_ride_s)
    for stop in range(stops):
        onward_s[stop] = min(onward_s[stop], then_s[cell[stop]])
