"""
Labels of the round-based search: best times by node and number of vehicles, folded upwards.

A label for ``k`` vehicles holds the best with at most ``k``; `fold` keeps it so. See DESIGN.md for
why getting out and being ready to board are two labels, and how `onward` and `goal_s` bound the
search.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from core.jit import kernel, kernel_part
from routing.bounds import MOST_ONWARD, VEHICLE_BITS, Counts, Seconds

FAR = 2**30
"""A time that is never reached."""
NOWHERE = -1
MAX_VEHICLES = 8
ALIGHT = -1
"""``time_s[ALIGHT + k]``: best arrivals in a vehicle, the k-th."""
READY = MAX_VEHICLES
"""``time_s[READY + k]``: best times from which one can board after k vehicles."""
TIMES = 2 * MAX_VEHICLES
FAR_ONWARD_S = 2**20
LIMITS = MAX_VEHICLES + MOST_ONWARD + 2

Int32 = npt.NDArray[np.int32]


class Labels(NamedTuple):
    """Scratch of one thread: labels, the goal, marks and queues."""

    time_s: Int32
    """Shape (TIMES, node_count): `ALIGHT` + 1 … 8, then `READY` + 0 … 7."""
    ride: Int32
    """Shape (point_count, MAX_VEHICLES, 2): ride, and the candidate at which one gets out."""
    scanned: Int32
    """Shape (MAX_VEHICLES, point_count): ready time when a point's rides were last scanned."""
    goal_s: Int32
    """
    Shape (LIMITS,): best time at the goal by number of vehicles; `-FAR` beyond what is allowed.
    """
    goal_node: Int32
    """Shape (MAX_VEHICLES + 1,): node at which one gets out for it."""
    goal_row: Int32
    """Number of vehicles with which that was found."""
    before_s: Int32
    """`goal_s` before the last departure was spread."""
    egress: Int32
    """Shape (node_count,): walk to the goal, FAR where there is none."""
    onward: Int32
    """Shape (node_count,): least seconds to the goal × 16 + fewest vehicles; see `bounds`."""
    leave: Int32
    """Shape (point_count,): the same from a point at which one has left a ride, by other rides."""
    marked: Int32
    marks: npt.NDArray[np.uint8]
    touched: Int32
    touches: npt.NDArray[np.uint8]
    queue: Int32
    queued_from: Int32
    """Shape (pattern_limit,): first position to scan of a queued pattern, or -1."""
    queued_to: Int32
    """Shape (pattern_limit,): last position at which a queued pattern can be boarded."""
    leading: Int32
    """Patterns that call at a stop from which one walks to the goal: scanned first."""
    leads: npt.NDArray[np.uint8]
    """Shape (pattern_limit,): 1 for these."""


def new_labels(stop_count: int, point_count: int, pattern_count: int) -> Labels:
    """Scratch for a network of this size."""
    nodes = stop_count + point_count
    return Labels(
        time_s=np.zeros((TIMES, nodes), np.int32),
        ride=np.zeros((point_count, MAX_VEHICLES, 2), np.int32),
        scanned=np.zeros((MAX_VEHICLES, point_count), np.int32),
        goal_s=np.zeros(LIMITS, np.int32),
        goal_node=np.zeros(MAX_VEHICLES + 1, np.int32),
        goal_row=np.zeros(MAX_VEHICLES + 1, np.int32),
        before_s=np.zeros(MAX_VEHICLES + 1, np.int32),
        egress=np.full(nodes, FAR, np.int32),
        onward=np.zeros(nodes, np.int32),
        leave=np.zeros(point_count, np.int32),
        marked=np.zeros(nodes, np.int32),
        marks=np.zeros(nodes, np.uint8),
        touched=np.zeros(nodes, np.int32),
        touches=np.zeros(nodes, np.uint8),
        queue=np.zeros(max(pattern_count, 1), np.int32),
        queued_from=np.full(max(pattern_count, 1), -1, np.int32),
        queued_to=np.zeros(max(pattern_count, 1), np.int32),
        leading=np.zeros(max(pattern_count, 1), np.int32),
        leads=np.zeros(max(pattern_count, 1), np.uint8),
    )


@kernel
def reset_labels(labels: Labels, rows: int, egress_node: Int32, egress_s: Int32) -> None:
    """Forget the last search and take the walks to the goal; nothing bounds the way there."""
    labels.time_s[:] = FAR
    labels.scanned[:] = FAR
    labels.goal_s[:rows] = FAR
    labels.goal_s[rows:] = -FAR
    labels.egress[:] = FAR
    labels.onward[:] = 0
    labels.leave[:] = 0
    for i in range(len(egress_node)):
        node = egress_node[i]
        labels.egress[node] = min(labels.egress[node], egress_s[i])


@kernel
def aim(
    labels: Labels,
    cell: Int32,
    cell_s: Seconds,
    cell_vehicles: Counts,
    onward_256: int,
    best_s: Int32,
    egress_node: Int32,
    egress_s: Int32,
) -> None:
    """
    Write `Labels.onward` of every stop for a goal.

    Parameters
    ----------
    cell, cell_s, cell_vehicles
        Tables of `Bounds` with the goal's side first.
    onward_256
        Share of the tables' seconds that holds: a fast walker is faster than they say.
    best_s
        Shape (2, C): scratch.
    """
    best_s[0], best_s[1] = FAR_ONWARD_S, MOST_ONWARD
    for i in range(len(egress_node)):
        if egress_node[i] >= len(cell):
            continue
        goal = cell[egress_node[i]]
        walk_s = egress_s[i]
        for c in range(len(cell_s)):  # what is not reached is told by the vehicles
            onward_s = (np.int32(cell_s[goal, c]) * onward_256) >> 8
            best_s[0, c] = min(best_s[0, c], walk_s + onward_s)
            best_s[1, c] = min(best_s[1, c], np.int32(cell_vehicles[goal, c]))
    for node in range(len(cell)):
        c = cell[node]
        labels.onward[node] = (best_s[0, c] << VEHICLE_BITS) | best_s[1, c]


@kernel_part
def fold(time_s: Int32, node: int | np.uint32, first: int, end: int, at_s: int) -> None:
    """Write a better time for a number of vehicles and for those above, before `end`."""
    for k in range(np.uint32(first), np.uint32(end)):
        if time_s[k, node] <= at_s:
            break
        time_s[k, node] = at_s


@kernel_part
def reach_goal(
    goal_s: Int32,
    goal_node: Int32,
    goal_row: Int32,
    row: int,
    rows: int,
    node: int | np.uint32,
    at_s: int,
) -> None:
    """Take a way to the goal that is sooner with `row` vehicles, or with more up to `rows`."""
    for r in range(np.uint32(row), np.uint32(rows)):
        if goal_s[r] <= at_s:
            break
        goal_s[r], goal_node[r], goal_row[r] = at_s, node, row
