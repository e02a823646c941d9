"""
Labels of the round-based search: best times by number of vehicles and node, folded upwards.

A node's label in row ``k`` holds the best with at most ``k`` vehicles; `reach` and `get_ready`
keep it so. See DESIGN.md for why getting out and being ready to board are two labels.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from core.jit import kernel

FAR = 2**30
"""A time that is never reached."""
NOWHERE = -1
MAX_VEHICLES = 8

Int32 = npt.NDArray[np.int32]


class Labels(NamedTuple):
    """Scratch of one thread: labels by row (number of vehicles) and node, marks and queues."""

    alight: Int32
    """Shape (MAX_VEHICLES + 1, node_count): best arrival in a vehicle."""
    ready: Int32
    """Best time from which one can board here."""
    alight_row: Int32
    ready_row: Int32
    """Row in which a folded label was made."""
    parent: Int32
    """Shape (MAX_VEHICLES + 1, node_count, 3): carrier (ride: -1 - ride), first, second."""
    came_from: Int32
    """Node one walked from to be ready here; NOWHERE is the search's own start."""
    scanned: Int32
    """Ready time with which a point's flexible trips were last scanned in a row."""
    goal: Int32
    """Shape (MAX_VEHICLES + 1, 3): best time at the goal, node got out at, row of that."""
    egress: Int32
    """Shape (node_count,): walk to the goal, FAR where there is none."""
    marked: Int32
    marks: npt.NDArray[np.uint8]
    touched: Int32
    touches: npt.NDArray[np.uint8]
    queue: Int32
    queued_from: Int32
    """Shape (pattern_limit,): first position to scan of a queued pattern, or -1."""


def new_labels(node_count: int, pattern_count: int) -> Labels:
    """Scratch for a network of this size."""
    rows = (MAX_VEHICLES + 1, node_count)
    whole = [np.zeros(rows, np.int32) for _ in range(6)]
    return Labels(
        alight=whole[0],
        ready=whole[1],
        alight_row=whole[2],
        ready_row=whole[3],
        parent=np.zeros((*rows, 3), np.int32),
        came_from=whole[4],
        scanned=whole[5],
        goal=np.zeros((MAX_VEHICLES + 1, 3), np.int32),
        egress=np.zeros(node_count, np.int32),
        marked=np.zeros(node_count, np.int32),
        marks=np.zeros(node_count, np.uint8),
        touched=np.zeros(node_count, np.int32),
        touches=np.zeros(node_count, np.uint8),
        queue=np.zeros(max(pattern_count, 1), np.int32),
        queued_from=np.full(max(pattern_count, 1), -1, np.int32),
    )


@kernel
def reset_labels(labels: Labels, rows: int, egress_node: Int32, egress_s: Int32) -> None:
    """Forget the last search and take the walks to the goal."""
    labels.alight[:rows] = FAR
    labels.ready[:rows] = FAR
    labels.scanned[:rows] = FAR
    labels.goal[:, 0] = FAR
    labels.egress[:] = FAR
    for i in range(len(egress_node)):
        node = egress_node[i]
        labels.egress[node] = min(labels.egress[node], egress_s[i])


@kernel
def reach(
    labels: Labels,
    row: int,
    rows: int,
    node: int,
    at_s: int,
    carrier: int,
    first: int,
    second: int,
    touched_count: int,
) -> int:
    """Fold a vehicle's arrival, if it is better, into its row and those above; update the goal."""
    if at_s >= labels.alight[row, node]:
        return touched_count  # a point served twice by one ride, the first time sooner
    for r in range(row, rows):
        if labels.alight[r, node] <= at_s:
            break
        labels.alight[r, node], labels.alight_row[r, node] = at_s, row
    labels.parent[row, node, 0] = carrier
    labels.parent[row, node, 1] = first
    labels.parent[row, node, 2] = second
    at_goal_s = at_s + labels.egress[node]
    # A ride all the way does not hide journeys that join rides and public transport.
    last = row + 1 if carrier < 0 and row == 1 else rows
    for r in range(row, last):
        if labels.goal[r, 0] <= at_goal_s:
            break
        labels.goal[r, 0], labels.goal[r, 1], labels.goal[r, 2] = at_goal_s, node, row
    if labels.touches[node] == 0:
        labels.touches[node] = 1
        labels.touched[touched_count] = node
        touched_count += 1
    return touched_count


@kernel
def get_ready(
    labels: Labels, row: int, rows: int, node: int, at_s: int, origin: int, marked_count: int
) -> int:
    """Fold a better time from which one can board; mark the node for the next round."""
    if at_s >= labels.ready[row, node]:
        return marked_count
    for r in range(row, rows):
        if labels.ready[r, node] <= at_s:
            break
        labels.ready[r, node], labels.ready_row[r, node] = at_s, row
    labels.came_from[row, node] = origin
    if labels.marks[node] == 0:
        labels.marks[node] = 1
        labels.marked[marked_count] = node
        marked_count += 1
    return marked_count
