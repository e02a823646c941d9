"""Street kernels: bounded search on one profile's arcs, and the nearest edge to a place."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from core.jit import kernel

NO_ACCESS = -1
"""Seconds of an edge that a profile may not use in a direction."""
NO_ARC = -1
UNREACHED = 2**31 - 1
NO_EDGE = -1
NO_GOAL: npt.NDArray[np.int32] = np.zeros(0, np.int32)

Int32 = npt.NDArray[np.int32]
Int64 = npt.NDArray[np.int64]
Float64 = npt.NDArray[np.float64]


class Arcs(NamedTuple):
    """One profile's directed graph in compressed rows, by tail node."""

    first: Int32
    """Shape (node_count + 1,)."""
    head: Int32
    seconds: Int32
    way: Int32
    """Edge × 2, plus 1 where the arc runs against the edge's direction."""


class Walks(NamedTuple):
    """Walks between search nodes (stops, then meeting points) in compressed rows."""

    first: Int32
    to: Int32
    seconds: Int32


class Arena(NamedTuple):
    """Scratch of one thread for searches on a graph; nothing is allocated while searching."""

    seconds: Int32
    """Shape (node_count,): valid where `stamp` is the search's number."""
    stamp: Int32
    arc: Int32
    """Arc by which a node was reached, or `NO_ARC` at a seed."""
    heap: Int64
    """Seconds × 2^32 + node."""
    settled: Int32
    number: Int32
    """Shape (1,): number of the last search."""


def new_arena(node_count: int, arc_count: int) -> Arena:
    """Scratch for a graph of this size."""
    return Arena(
        seconds=np.zeros(node_count, np.int32),
        stamp=np.zeros(node_count, np.int32),
        arc=np.zeros(node_count, np.int32),
        heap=np.zeros(arc_count + 1024, np.int64),
        settled=np.zeros(node_count, np.int32),
        number=np.zeros(1, np.int32),
    )


@kernel
def heap_push(heap: Int64, size: int, item: int) -> int:
    """Push on a binary heap of `size` items; returns the new size."""
    i = size
    while i > 0:
        up = (i - 1) >> 1
        if heap[up] <= item:
            break
        heap[i] = heap[up]
        i = up
    heap[i] = item
    return size + 1


@kernel
def heap_pop(heap: Int64, size: int) -> int:
    """Remove the least item (read it at ``heap[0]`` before); returns the new size."""
    size -= 1
    item = heap[size]
    i = 0
    while True:
        down = 2 * i + 1
        if down >= size:
            break
        if down + 1 < size and heap[down + 1] < heap[down]:
            down += 1
        if heap[down] >= item:
            break
        heap[i] = heap[down]
        i = down
    heap[i] = item
    return size


@kernel
def search_within(
    arcs: Arcs,
    seed_node: Int32,
    seed_s: Int32,
    limit_s: int,
    goal_node: Int32,
    goal_s: Int32,
    arena: Arena,
) -> int:
    """
    Dijkstra's search from seeds, up to `limit_s` or until no goal can be reached sooner.

    Parameters
    ----------
    seed_node, seed_s
        Shape (seed_count,): start nodes and the seconds at which they are reached.
    goal_node, goal_s
        Shape (goal_count,): nodes by which one place is reached and the seconds from there to it;
        `NO_GOAL` twice to settle all that is within the limit.

    Returns
    -------
    settled_count
        Nodes settled, in order in ``arena.settled``; a node is settled or tentative where
        ``arena.stamp`` equals ``arena.number[0]``; only settled seconds are final.
    """
    arena.number[0] += 1
    number = arena.number[0]
    seconds, stamp, reached_by, heap = arena.seconds, arena.stamp, arena.arc, arena.heap
    size = int(np.int64(0))
    for i in range(len(seed_node)):
        node, at = seed_node[i], seed_s[i]
        if at <= limit_s and (stamp[node] != number or at < seconds[node]):
            seconds[node], stamp[node], reached_by[node] = at, number, NO_ARC
            size = heap_push(heap, size, (np.int64(at) << 32) | node)
    count, left, best_s = 0, len(goal_node), UNREACHED
    while size > 0:
        item = heap[0]
        size = heap_pop(heap, size)
        node = np.int32(item & 0x7FFFFFFF)
        at = np.int32(item >> 32)
        if at != seconds[node]:
            continue  # an older, later push; an equal one cannot be: pushes strictly improve
        if at > best_s:
            break
        arena.settled[count] = node
        count += 1
        for k in range(len(goal_node)):
            if goal_node[k] == node:
                best_s = min(best_s, at + goal_s[k])
                left -= 1
        if left == 0 and len(goal_node) > 0:
            break
        for arc in range(arcs.first[node], arcs.first[node + 1]):
            head = arcs.head[arc]
            then = at + arcs.seconds[arc]
            if then <= limit_s and (stamp[head] != number or then < seconds[head]):
                seconds[head], stamp[head], reached_by[head] = then, number, arc
                size = heap_push(heap, size, (np.int64(then) << 32) | head)
    return count


@kernel
def nearest_edge(
    x: float,
    y: float,
    limit_m: float,
    cell_m: float,
    columns: int,
    rows: int,
    cell_first: Int32,
    cell_segment: Int32,
    segment_point: Int32,
    segment_edge: Int32,
    point_x: Float64,
    point_y: Float64,
    usable: npt.NDArray[np.uint8],
    out: Float64,
) -> int:
    """
    Nearest usable edge to a place on the plane.

    Parameters
    ----------
    cell_first, cell_segment
        CSR of the grid's cells (row-major, `columns` × `rows` of `cell_m` metres).
    segment_point, segment_edge
        First point of each straight segment, and its edge.
    usable
        Shape (edge_count,): 1 where the profile may use the edge.
    out
        Shape (3,), written: distance in metres, point row of the segment, share along it.

    Returns
    -------
    edge
        Row of the edge, or `NO_EDGE` when none is within `limit_m`.
    """
    best, best_edge = limit_m, NO_EDGE
    column, row = int(x // cell_m), int(y // cell_m)
    for ring in range(int(limit_m // cell_m) + 2):
        if (ring - 1) * cell_m > best:
            break
        for r in range(max(row - ring, 0), min(row + ring, rows - 1) + 1):
            edge_row = r in (row - ring, row + ring)
            c = max(column - ring, 0)
            while c <= min(column + ring, columns - 1):
                if not edge_row and c not in (column - ring, column + ring):
                    c = max(c + 1, column + ring)
                    continue
                cell = r * columns + c
                for k in range(cell_first[cell], cell_first[cell + 1]):
                    segment = cell_segment[k]
                    if usable[segment_edge[segment]] == 0:
                        continue
                    p = segment_point[segment]
                    dx, dy = point_x[p + 1] - point_x[p], point_y[p + 1] - point_y[p]
                    square = dx * dx + dy * dy
                    share = 0.0
                    if square > 0:
                        share = ((x - point_x[p]) * dx + (y - point_y[p]) * dy) / square
                        share = min(1.0, max(0.0, share))
                    ex, ey = point_x[p] + share * dx - x, point_y[p] + share * dy - y
                    away = np.sqrt(ex * ex + ey * ey)
                    if away < best or (away == best and segment_edge[segment] < best_edge):
                        best, best_edge = away, segment_edge[segment]
                        out[0], out[1], out[2] = away, p, share
                c += 1
    return best_edge


@kernel
def walk_links(
    arcs: Arcs,
    from_node: Int32,
    from_link_s: Int32,
    first_at_node: Int32,
    at_node: Int32,
    to_link_s: Int32,
    limit_s: int,
    arena: Arena,
    out_to: Int32,
    out_s: Int32,
    out_first: Int32,
) -> int:
    """
    Walks from many places to all places within a limit.

    Parameters
    ----------
    from_node, from_link_s
        Shape (from_count,): node of each start, or -1, and seconds from the place to it.
    first_at_node, at_node
        CSR node → places that stand at it; `to_link_s` (place_count,) from node to place.
    out_to, out_s, out_first
        Written: CSR of walks, by start. `out_to` may be too short: call again with more.

    Returns
    -------
    count
        Walks found, also when they did not all fit.
    """
    seed_node, seed_s = np.empty(1, np.int32), np.empty(1, np.int32)
    nowhere = seed_node[:0]
    count = 0
    out_first[0] = 0
    for i in range(len(from_node)):
        if from_node[i] >= 0:
            seed_node[0], seed_s[0] = from_node[i], from_link_s[i]
            settled = search_within(arcs, seed_node, seed_s, limit_s, nowhere, nowhere, arena)
            for k in range(settled):
                node = arena.settled[k]
                for j in range(first_at_node[node], first_at_node[node + 1]):
                    place = at_node[j]
                    walk_s = arena.seconds[node] + to_link_s[place]
                    if walk_s <= limit_s:
                        if count < len(out_to):
                            out_to[count], out_s[count] = place, walk_s
                        count += 1
        out_first[i + 1] = count
    return count


@kernel
def places_within(
    arena: Arena,
    settled_count: int,
    first_at_node: Int32,
    at_node: Int32,
    link_s: Int32,
    limit_s: int,
    out_place: Int32,
    out_s: Int32,
) -> int:
    """
    Places standing at the nodes that the last search settled, and the seconds to reach them.

    Only the first places count, those that `link_s` has.

    Returns how many were written to `out_place` and `out_s`, nearest nodes first.
    """
    count = 0
    for k in range(settled_count):
        node = arena.settled[k]
        for j in range(first_at_node[node], first_at_node[node + 1]):
            place = at_node[j]
            if place >= len(link_s):
                continue
            reach_s = arena.seconds[node] + link_s[place]
            if reach_s <= limit_s and count < len(out_place):
                out_place[count], out_s[count] = place, reach_s
                count += 1
    return count
