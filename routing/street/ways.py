"""Ways over the street graph as kernels: tracing them back after a search, and drawing them."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from core.geo import METRES_PER_DEGREE
from core.jit import kernel
from routing.street.kernels import NO_ARC, NO_EDGE, UNREACHED, Arcs, Arena, search_within

Int32 = npt.NDArray[np.int32]
Float64 = npt.NDArray[np.float64]


class Edges(NamedTuple):
    """What the drawing of a way reads of the streets."""

    start: Int32
    """Nodes of each edge, as `end`."""
    end: Int32
    first_point: Int32
    """Shape (edge_count + 1,)."""
    lat: Float64
    lon: Float64


class Spot(NamedTuple):
    """An end of a way: a place, tied to a node (`edge` is `NO_EDGE`) or to a point of an edge."""

    lat: float
    lon: float
    edge: int
    point: int
    share: float


@kernel
def metres_between(lat: float, lon: float, to_lat: float, to_lon: float) -> float:
    """Metres between two points, as `step_metres` has them."""
    north = (to_lat - lat) * METRES_PER_DEGREE
    east = (to_lon - lon) * METRES_PER_DEGREE * math.cos(math.radians((to_lat + lat) / 2))
    return math.hypot(north, east)


@kernel
def share_of_edge(edges: Edges, edge: int, point: int, share: float) -> float:
    """Share of an edge's length that lies before a place, `share` of the way on from `point`."""
    before_m = total_m = 0.0
    lat, lon = edges.lat, edges.lon
    for p in range(edges.first_point[edge], edges.first_point[edge + 1] - 1):
        metres = metres_between(lat[p], lon[p], lat[p + 1], lon[p + 1])
        total_m += metres
        if p < point:
            before_m += metres
        elif p == point:
            before_m += share * metres
    return before_m / total_m if total_m > 0 else 0.0


@kernel
def trace(edges: Edges, arcs: Arcs, arena: Arena, node: int, back: bool) -> Int32:
    """
    Ways of the last search to a node, in order.

    `back` says that its arcs are turned round: the ways lead from the node to the seed.
    """
    count, at = 0, node
    while arena.arc[at] != NO_ARC:
        at = _before(edges, arcs.way[arena.arc[at]], back)
        count += 1
    ways = np.empty(count, np.int32)
    at = node
    for nth in range(count):
        way = arcs.way[arena.arc[at]]
        ways[nth if back else count - 1 - nth] = way
        at = _before(edges, way, back)
    return ways


@kernel
def _before(edges: Edges, way: int, back: bool) -> int:
    """Node from which a search came by a way."""
    node: int = edges.end[way >> 1] if (way & 1 == 1) != back else edges.start[way >> 1]
    return node


@kernel
def find_way(
    edges: Edges,
    arcs: Arcs,
    seed_node: Int32,
    seed_s: Int32,
    goal_node: Int32,
    goal_s: Int32,
    limit_s: int,
    arena: Arena,
) -> tuple[int, int, Int32]:
    """
    Fastest way from any seed to one place, which is reached from any goal.

    Returns
    -------
    seconds, node, ways
        In all (`UNREACHED` beyond the limit), the goal by which it leads, and its ways in order.
    """
    search_within(arcs, seed_node, seed_s, limit_s, goal_node, goal_s, arena)
    best_s, best = UNREACHED, int(np.int64(-1))
    for k in range(len(goal_node)):
        node = goal_node[k]
        if arena.stamp[node] == arena.number[0]:
            total_s = arena.seconds[node] + goal_s[k]
            if total_s < best_s or (total_s == best_s and node < best):
                best_s, best = total_s, node
    if best_s > limit_s:
        return UNREACHED, -1, np.empty(0, np.int32)
    return best_s, best, trace(edges, arcs, arena, best, False)


@kernel
def shape_of_ways(edges: Edges, ways: Int32) -> tuple[Float64, Float64, Int32]:
    """Points along ways, and the edge by which each is reached; every way with both its ends."""
    count = 0
    for way in ways:
        count += edges.first_point[(way >> 1) + 1] - edges.first_point[way >> 1]
    lat, lon, by = np.empty(count), np.empty(count), np.empty(count, np.int32)
    count = 0
    for way in ways:
        first, end = edges.first_point[way >> 1], edges.first_point[(way >> 1) + 1]
        for nth in range(end - first):
            p = end - 1 - nth if way & 1 else first + nth
            lat[count], lon[count], by[count] = edges.lat[p], edges.lon[p], way >> 1
            count += 1
    return lat, lon, by


@kernel
def draw_way(
    edges: Edges, ways: Int32, start: Spot, first_node: int, end: Spot, last_node: int
) -> tuple[Float64, Float64, Int32, float]:
    """
    Line from place to place, by way of two nodes and the ways between them.

    Returns
    -------
    lat, lon, edge, metres
        Points without repetitions, and the edge by which each is reached.
    """
    head = _piece(edges, start, first_node)
    middle = shape_of_ways(edges, ways)
    tail = _piece(edges, end, last_node)
    room = len(head[0]) + len(middle[0]) + len(tail[0])
    lat, lon, by = np.empty(room), np.empty(room), np.empty(room, np.int32)
    count, metres = 0, 0.0
    for part in range(3):
        lats, lons, edge = head if part == 0 else middle if part == 1 else tail
        for nth in range(len(lats)):
            i, label = nth, edge[nth]
            if part == 2:
                i = len(lats) - 1 - nth
                label = NO_EDGE if i == 0 else end.edge
            if count > 0:
                if lats[i] == lat[count - 1] and lons[i] == lon[count - 1]:
                    continue
                metres += metres_between(lat[count - 1], lon[count - 1], lats[i], lons[i])
            lat[count], lon[count], by[count] = lats[i], lons[i], label
            count += 1
    return lat[:count], lon[:count], by[:count], metres


@kernel
def _piece(edges: Edges, spot: Spot, node: int) -> tuple[Float64, Float64, Int32]:
    """From a place to a node of its edge: the place, the spot on the street, and on from there."""
    if spot.edge == NO_EDGE:
        first = end = 0
    elif node == edges.end[spot.edge]:
        first, end = spot.point + 1, edges.first_point[spot.edge + 1]
    else:
        first, end = edges.first_point[spot.edge], spot.point + 1
    count = 1 if spot.edge == NO_EDGE else 2 + end - first
    lat, lon, by = np.empty(count), np.empty(count), np.full(count, NO_EDGE, np.int32)
    lat[0], lon[0] = spot.lat, spot.lon
    if spot.edge != NO_EDGE:
        lat[1], lon[1] = spot_on_street(edges, spot)
        for nth in range(end - first):
            p = first + nth if node == edges.end[spot.edge] else end - 1 - nth
            lat[2 + nth], lon[2 + nth], by[2 + nth] = edges.lat[p], edges.lon[p], spot.edge
    return lat, lon, by


@kernel
def spot_on_street(edges: Edges, spot: Spot) -> tuple[float, float]:
    """Where a place is tied to its edge."""
    p, share = spot.point, spot.share
    lat, lon = edges.lat, edges.lon
    return lat[p] + share * (lat[p + 1] - lat[p]), lon[p] + share * (lon[p + 1] - lon[p])


@kernel
def draw_along_edge(
    edges: Edges, start: Spot, end: Spot, backward: bool
) -> tuple[Float64, Float64, Int32, float]:
    """Line between two places on one edge, as `draw_way` has it, points repeated or not."""
    first, last = (end, start) if backward else (start, end)
    inner = max(last.point - first.point, 0)
    count = inner + 4
    lat, lon, by = np.empty(count), np.empty(count), np.full(count, NO_EDGE, np.int32)
    by[2 : count - 1] = start.edge
    lat[0], lon[0] = first.lat, first.lon
    lat[1], lon[1] = spot_on_street(edges, first)
    for nth in range(inner):
        p = first.point + 1 + nth
        lat[2 + nth], lon[2 + nth] = edges.lat[p], edges.lon[p]
    lat[count - 2], lon[count - 2] = spot_on_street(edges, last)
    lat[count - 1], lon[count - 1] = last.lat, last.lon
    if backward:
        lat, lon = lat[::-1].copy(), lon[::-1].copy()
    metres = 0.0
    for i in range(count - 1):
        metres += metres_between(lat[i], lon[i], lat[i + 1], lon[i + 1])
    return lat, lon, by, metres


@kernel
def draw_line(
    lat: Float64,
    lon: Float64,
    first: int,
    end: int,
    stop_lat: Float64,
    stop_lon: Float64,
    start: int,
    goal: int,
) -> tuple[Float64, Float64, float]:
    """Points from `first` to before `end` between two stops, and the metres along all of them."""
    count = end - first + 2
    lats, lons = np.empty(count), np.empty(count)
    lats[0], lons[0] = stop_lat[start], stop_lon[start]
    lats[1:-1], lons[1:-1] = lat[first:end], lon[first:end]
    lats[-1], lons[-1] = stop_lat[goal], stop_lon[goal]
    metres = 0.0
    for i in range(count - 1):
        metres += metres_between(lats[i], lons[i], lats[i + 1], lons[i + 1])
    return lats, lons, metres
