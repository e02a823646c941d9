"""Places on the street graph: snapping to edges, and the way from one place to another."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from core.geo import METRES_PER_DEGREE, Coordinate
from routing.street.graph import DIRECTIONS, Streets, step_metres
from routing.street.kernels import NO_ACCESS, NO_EDGE, UNREACHED, Arcs, Arena, nearest_edge
from routing.street.ways import (
    Spot,
    draw_along_edge,
    draw_way,
    find_way,
    shape_of_ways,
    share_of_edge,
)

CELL_M = 150.0
Int32 = npt.NDArray[np.int32]
Float64 = npt.NDArray[np.float64]


class EdgeGrid(NamedTuple):
    """Square cells over a plane in metres, each with the straight segments that cross it."""

    origin: Float64
    """Shape (3,): latitude and longitude of (0, 0), metres per degree of longitude."""
    size: Int32
    """Shape (2,): columns, rows."""
    cell_first: Int32
    cell_segment: Int32
    segment_point: Int32
    segment_edge: Int32
    point_x: Float64
    point_y: Float64


def build_grid(streets: Streets) -> EdgeGrid:
    """Sort the segments of all edges into cells."""
    lat0 = float(streets.point_lat.min(initial=90))
    lon0 = float(streets.point_lon.min(initial=180))
    middle = math.radians((lat0 + float(streets.point_lat.max(initial=-90))) / 2)
    per_lon = METRES_PER_DEGREE * math.cos(middle)
    x = (streets.point_lon - lon0) * per_lon
    y = (streets.point_lat - lat0) * METRES_PER_DEGREE
    columns, rows = (int(a.max(initial=0) // CELL_M) + 1 for a in (x, y))
    edge_of_point = np.repeat(np.arange(len(streets.edge_from)), np.diff(streets.edge_first_point))
    point = np.flatnonzero(edge_of_point[1:] == edge_of_point[:-1])
    low_c = (np.minimum(x[point], x[point + 1]) // CELL_M).astype(np.int64)
    high_c = (np.maximum(x[point], x[point + 1]) // CELL_M).astype(np.int64)
    low_r = (np.minimum(y[point], y[point + 1]) // CELL_M).astype(np.int64)
    high_r = (np.maximum(y[point], y[point + 1]) // CELL_M).astype(np.int64)
    wide, high = high_c - low_c + 1, high_r - low_r + 1
    cells_each = wide * high
    segment = np.repeat(np.arange(len(point)), cells_each)
    nth = np.arange(cells_each.sum()) - np.repeat(np.cumsum(cells_each) - cells_each, cells_each)
    cell = (low_r[segment] + nth // wide[segment]) * columns + low_c[segment] + nth % wide[segment]
    order = np.argsort(cell, kind="stable")
    first = np.r_[0, np.cumsum(np.bincount(cell, minlength=columns * rows))]
    return EdgeGrid(
        origin=np.array([lat0, lon0, per_lon]),
        size=np.array([columns, rows], np.int32),
        cell_first=first.astype(np.int32),
        cell_segment=segment[order].astype(np.int32),
        segment_point=point.astype(np.int32),
        segment_edge=edge_of_point[point].astype(np.int32),
        point_x=x,
        point_y=y,
    )


@dataclass(frozen=True, slots=True)
class Snapped:
    """A place tied to the streets: on an edge, or at a node that the build made for it."""

    coordinate: Coordinate
    node: int
    """Node, or -1 when the place is on an edge."""
    edge: int
    point: int
    share: float
    """On an edge: which of its points it comes after, and how far on to the next (0 to 1)."""
    away_m: float
    """Straight line from the place to the streets."""


def snap(
    grid: EdgeGrid, usable: npt.NDArray[np.uint8], place: Coordinate, limit_m: float
) -> Snapped | None:
    """Nearest usable edge to a place, or None when none is within `limit_m`."""
    lat0, lon0, per_lon = (float(v) for v in grid.origin)
    out = np.zeros(3)
    edge = nearest_edge(
        (place.lon - lon0) * per_lon,
        (place.lat - lat0) * METRES_PER_DEGREE,
        float(limit_m),
        CELL_M,
        int(grid.size[0]),
        int(grid.size[1]),
        grid.cell_first,
        grid.cell_segment,
        grid.segment_point,
        grid.segment_edge,
        grid.point_x,
        grid.point_y,
        usable,
        out,
    )
    if edge == NO_EDGE:
        return None
    return Snapped(place, -1, int(edge), int(out[1]), float(out[2]), float(out[0]))


def at_node(place: Coordinate, node: int, away_m: float) -> Snapped:
    """Tie a place to a node that was made for it."""
    return Snapped(place, node, NO_EDGE, -1, 0.0, away_m)


@dataclass(frozen=True, slots=True)
class Ties:
    """How a place hangs on one profile's graph: nodes, and seconds between place and node."""

    node: Int32
    seconds: Int32

    def pairs(self) -> list[tuple[int, int]]:
        """The same as a list of (node, seconds)."""
        return list(zip(self.node.tolist(), self.seconds.tolist(), strict=True))


def ties(
    streets: Streets, profile: str, at: Snapped, *, leaving: bool, off_street_mps: float
) -> Ties:
    """
    Nodes by which one leaves or reaches a snapped place.

    `off_street_mps` is the speed of the straight line between place and street; infinity leaves
    it out (drivers start on the street).
    """
    link_s = round(at.away_m / off_street_mps)
    if at.node >= 0:
        return Ties(np.array([at.node], np.int32), np.array([link_s], np.int32))
    share = share_of_edge(streets.edges, at.edge, at.point, at.share)
    forward = int(streets.seconds(profile, "forward")[at.edge])
    backward = int(streets.seconds(profile, "backward")[at.edge])
    ends = (int(streets.edge_from[at.edge]), int(streets.edge_to[at.edge]))
    nodes, seconds = [], []
    if forward != NO_ACCESS:
        done = round(share * forward)
        nodes.append(ends[1] if leaving else ends[0])
        seconds.append(link_s + (forward - done if leaving else done))
    if backward != NO_ACCESS:
        done = round(share * backward)
        nodes.append(ends[0] if leaving else ends[1])
        seconds.append(link_s + (done if leaving else backward - done))
    return Ties(np.array(nodes, np.int32), np.array(seconds, np.int32))


@dataclass(frozen=True, slots=True)
class StreetRoute:
    """The fastest way between two places on the street graph."""

    seconds: int
    metres: float
    lat: Float64
    lon: Float64
    edge: Int32
    """Edge by which each point is reached; `NO_EDGE` off the streets."""
    used: Int32
    """Edges in order, also those that move nobody on the map: an elevator goes up."""


def find_route(
    streets: Streets,
    arcs: Arcs,
    arena: Arena,
    profile: str,
    start: Snapped,
    end: Snapped,
    *,
    limit_s: int,
    off_street_mps: float,
) -> StreetRoute | None:
    """Fastest way from place to place, or None when it takes longer than `limit_s`."""
    leave = ties(streets, profile, start, leaving=True, off_street_mps=off_street_mps)
    reach = ties(streets, profile, end, leaving=False, off_street_mps=off_street_mps)
    along = route_along_edge(streets, profile, start, end, off_street_mps)
    seconds, node, ways = find_way(
        streets.edges, arcs, leave.node, leave.seconds, reach.node, reach.seconds, limit_s, arena
    )
    if along is not None and along.seconds <= seconds:
        return along if along.seconds <= limit_s else None
    if seconds == UNREACHED:
        return None
    return drawn_route(streets, start, end, ways, node, seconds)


def drawn_route(
    streets: Streets, start: Snapped, end: Snapped, ways: Int32, last_node: int, seconds: int
) -> StreetRoute:
    """The way from place to place whose ways between, and where they end, are known."""
    first = last_node if not len(ways) else _first_node(streets, int(ways[0]))
    spots = _spot(start), _spot(end)
    lat, lon, edge, metres = draw_way(streets.edges, ways, spots[0], first, spots[1], last_node)
    ends = (np.array([e] if e != NO_EDGE else [], np.int32) for e in (start.edge, end.edge))
    head, tail = ends
    return StreetRoute(seconds, metres, lat, lon, edge, np.concatenate([head, ways >> 1, tail]))


def _spot(at: Snapped) -> Spot:
    return Spot(at.coordinate.lat, at.coordinate.lon, at.edge, at.point, at.share)


def _first_node(streets: Streets, way: int) -> int:
    """Node from which a way leads."""
    return int((streets.edge_to if way & 1 else streets.edge_from)[way >> 1])


def seconds_along_edge(streets: Streets, profile: str, start: Snapped, end: Snapped) -> int | None:
    """Seconds between two places on one edge, along it; None when they are not, or may not."""
    if start.edge == NO_EDGE or start.edge != end.edge:
        return None
    a, b = (share_of_edge(streets.edges, at.edge, at.point, at.share) for at in (start, end))
    whole = int(streets.seconds(profile, "forward" if b >= a else "backward")[start.edge])
    if a == b:  # the same spot, whichever way the street goes
        whole = max(int(streets.seconds(profile, d)[start.edge]) for d in DIRECTIONS)
    return None if whole == NO_ACCESS else abs(round(b * whole) - round(a * whole))


def route_along_edge(
    streets: Streets,
    profile: str,
    start: Snapped,
    end: Snapped,
    off_street_mps: float = math.inf,
) -> StreetRoute | None:
    """Way between two places on one edge, along it, as `seconds_along_edge`."""
    seconds = seconds_along_edge(streets, profile, start, end)
    if seconds is None:
        return None
    seconds += round(start.away_m / off_street_mps) + round(end.away_m / off_street_mps)
    backward = (end.point, end.share) < (start.point, start.share)
    lat, lon, edge, metres = draw_along_edge(streets.edges, _spot(start), _spot(end), backward)
    return StreetRoute(seconds, metres, lat, lon, edge, np.array([start.edge], np.int32))


def route_of_arcs(streets: Streets, arcs: Arcs, path: list[int]) -> StreetRoute | None:
    """The way along given arcs, or None when there are none."""
    if not path:
        return None
    rows = np.array(path, np.int32)
    ways = arcs.way[rows]
    lat, lon, edge = shape_of_ways(streets.edges, ways)
    metres = float(step_metres(lat, lon).sum())
    return StreetRoute(int(arcs.seconds[rows].sum()), metres, lat, lon, edge, ways >> 1)
