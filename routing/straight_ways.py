"""The way from place to place without a street map: out of a station, straight on, into another."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from routing.street.access import Snapped, StreetRoute
from routing.street.graph import Streets, step_metres
from routing.street.kernels import NO_EDGE, NO_GOAL, Arcs, Arena, search_within
from routing.street.straight import straight_seconds
from routing.street.ways import shape_of_ways, trace
from routing.walks import Standing, Walking

Int32 = npt.NDArray[np.int32]
NOWHERE: Int32 = np.zeros(0, np.int32)
"""No ways."""


class _End(NamedTuple):
    """A place in the open, and the ways inside between it and an end of the journey."""

    lat: float
    lon: float
    seconds: int
    ways: Int32


def find_straight_way(
    streets: Streets,
    standing: Standing,
    walking: Walking,
    arena: Arena,
    start: Snapped,
    end: Snapped,
    limit_s: int,
) -> StreetRoute | None:
    """Fastest way with one straight line in it, or inside of one station; None beyond the limit."""
    best: tuple[int, Int32, Int32, _End | None, _End | None] | None = None
    if start.node >= 0 and end.node >= 0:
        _from(walking.arcs, arena, start.node, limit_s)
        if arena.stamp[end.node] == arena.number[0]:
            ways = trace(streets.edges, walking.arcs, arena, end.node, False)
            best = int(arena.seconds[end.node]), ways, NOWHERE, None, None
    heads = _open_ends(streets, standing, walking.arcs, arena, start, limit_s, back=False)
    tails = _open_ends(streets, standing, walking.back, arena, end, limit_s, back=True)
    lat, lon = (np.array([getattr(tail, name) for tail in tails]) for name in ("lat", "lon"))
    for head in heads:
        if not tails:
            break
        walk_s = straight_seconds(head.lat, head.lon, lat, lon, walking.mps)
        total_s = head.seconds + walk_s + np.array([tail.seconds for tail in tails])
        nearest = int(np.argmin(total_s))
        if best is None or total_s[nearest] < best[0]:
            tail = tails[nearest]
            best = int(total_s[nearest]), head.ways, tail.ways, head, tail
    if best is None or best[0] > limit_s:
        return None
    seconds, first, then, out, into = best
    pieces = [shape_of_ways(streets.edges, first)]
    for at in (out, into):
        if at is not None:
            spot = np.array([at.lat]), np.array([at.lon]), np.array([NO_EDGE], np.int32)
            pieces.append(spot)
    pieces.append(shape_of_ways(streets.edges, then))
    if not (len(first) or len(then) or out or into):  # from a stop to itself
        for place in (start.coordinate, end.coordinate):
            where = np.array([place.lat]), np.array([place.lon])
            pieces.append((*where, np.array([NO_EDGE], np.int32)))
    lats, lons, edges = (np.concatenate(parts) for parts in zip(*pieces, strict=True))
    used = np.concatenate([first, then]) >> 1
    metres = float(step_metres(lats, lons).sum())
    return StreetRoute(seconds, metres, lats, lons, edges.astype(np.int32), used)


def _from(arcs: Arcs, arena: Arena, node: int, limit_s: int) -> int:
    seeds = np.array([node], np.int32), np.zeros(1, np.int32)
    return search_within(arcs, *seeds, limit_s, NO_GOAL, NO_GOAL, arena)


def _open_ends(
    streets: Streets,
    standing: Standing,
    arcs: Arcs,
    arena: Arena,
    at: Snapped,
    limit_s: int,
    *,
    back: bool,
) -> list[_End]:
    """Where one comes into the open from an end (or, `back`, leaves it towards the end)."""
    if at.node < 0:
        return [_End(at.coordinate.lat, at.coordinate.lon, 0, NOWHERE)]
    settled = arena.settled[: _from(arcs, arena, at.node, limit_s)]
    return [
        _End(
            float(standing.lat[node]),
            float(standing.lon[node]),
            int(arena.seconds[node]),
            trace(streets.edges, arcs, arena, node, back),
        )
        for node in settled[np.isin(settled, standing.open_node)].tolist()
    ]
