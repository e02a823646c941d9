"""
Walking without a street map: straight lines from doors to stops, and between stops.

A territory without an OSM extract has streets of bare nodes, one at each stop: no edge, so no car,
no bike and no meeting point. One walks `DETOUR` times the straight line.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from core.errors import InvalidInput
from core.geo import EARTH_RADIUS_M, Coordinate
from gtfs_data.store import Texts
from routing.street.access import Snapped
from routing.street.graph import Streets
from routing.street.kernels import NO_EDGE

DETOUR = 1.3
"""Way on foot over straight line in a town; 1.2 to 1.4 are common."""
ROUNDING_S = 1
"""Whole seconds reach half a second farther than the limit."""
WALK_LIMIT = 20_000_000
"""Walks of a territory, both ways; the largest real one here has a million."""

Int32 = npt.NDArray[np.int32]
Float64 = npt.NDArray[np.float64]


class NothingOnTheMap(InvalidInput):
    """Neither a street nor a stop with coordinates: there is nowhere to travel."""

    code = "nothing_on_the_map"


def bare_streets(stop_lat: Float64, stop_lon: Float64) -> tuple[Streets, Int32]:
    """Streets without edges, and the node of each stop (-1 without coordinates)."""
    placed = np.isfinite(stop_lat) & np.isfinite(stop_lon)
    if not placed.any():
        raise NothingOnTheMap("no stop has coordinates, and the territory names no OSM extract")
    rows, metres = np.zeros(0, np.int32), np.zeros(0)
    streets = Streets(
        node_lat=stop_lat[placed],
        node_lon=stop_lon[placed],
        edge_from=rows,
        edge_to=rows,
        edge_m=metres,
        edge_kind=rows,
        edge_name=rows,
        edge_may_stop=np.zeros(0, np.uint8),
        edge_toll=np.zeros(0, np.uint8),
        foot_forward_s=rows,
        foot_backward_s=rows,
        bike_forward_s=rows,
        bike_backward_s=rows,
        car_forward_s=rows,
        car_backward_s=rows,
        wheelchair_forward_s=rows,
        wheelchair_backward_s=rows,
        edge_step_free=np.zeros(0, np.uint8),
        edge_elevator=rows,
        elevator_id=Texts.of([]),
        elevator_name=Texts.of([]),
        edge_first_point=np.zeros(1, np.int32),
        point_lat=metres,
        point_lon=metres,
        names=Texts.of([""]),
    )
    node = np.where(placed, np.cumsum(placed) - 1, -1).astype(np.int32)
    return streets, node


def anywhere(place: Coordinate) -> Snapped:
    """Tie a place to itself: without streets, every place is on foot's way."""
    return Snapped(place, -1, NO_EDGE, -1, 0.0, 0.0)


def straight_seconds(
    lat: float | Float64, lon: float | Float64, to_lat: Float64, to_lon: Float64, foot_mps: float
) -> Int32:
    """Whole seconds on foot between places, `DETOUR` times the straight line."""
    return np.rint(great_circle_m(lat, lon, to_lat, to_lon) * DETOUR / foot_mps).astype(np.int32)


def straight_walks(
    lat: Float64, lon: Float64, limit_s: int, foot_mps: float
) -> tuple[Int32, Int32, Int32]:
    """
    All walks (from, to, seconds) between different places, both ways, up to `limit_s`.

    The limit is halved until there are no more than `WALK_LIMIT`: a feed whose stops all lie in
    one spot would fill the memory.
    """
    tree = _tree(lat, lon)
    none = np.zeros(0, np.int32)
    while tree.count_neighbors(tree, _radius_m(limit_s, foot_mps)) - len(lat) > WALK_LIMIT:
        if limit_s == 0:
            return none, none, none
        limit_s //= 2
    near = tree.query_pairs(_radius_m(limit_s, foot_mps), output_type="ndarray")
    a, b = near[:, 0], near[:, 1]
    seconds = straight_seconds(lat[a], lon[a], lat[b], lon[b], foot_mps)
    kept = seconds <= limit_s
    a, b, seconds = a[kept].astype(np.int32), b[kept].astype(np.int32), seconds[kept]
    return np.r_[a, b], np.r_[b, a], np.r_[seconds, seconds]


def walks_between(
    places: tuple[Float64, Float64],
    stops: tuple[Float64, Float64],
    limit_s: int,
    foot_mps: float,
) -> tuple[Int32, Int32, Int32]:
    """
    Walks (place, stop, seconds) between places and stops up to `limit_s`, by place.

    Both are latitudes and longitudes.
    """
    pairs = _tree(*places).sparse_distance_matrix(
        _tree(*stops), _radius_m(limit_s, foot_mps), output_type="ndarray"
    )
    pairs = pairs[np.lexsort((pairs["j"], pairs["i"]))]
    place, stop = pairs["i"].astype(np.int32), pairs["j"].astype(np.int32)
    seconds = straight_seconds(
        places[0][place], places[1][place], stops[0][stop], stops[1][stop], foot_mps
    )
    kept = seconds <= limit_s
    return place[kept], stop[kept], seconds[kept]


def _tree(lat: Float64, lon: Float64) -> Any:  # noqa: ANN401 — scipy has no types
    """Places by nearness, in metres through the ground."""
    from scipy.spatial import cKDTree  # noqa: PLC0415 — loaded once asked for

    phi, lam = np.radians(lat), np.radians(lon)
    on_sphere = np.column_stack([np.cos(phi) * np.cos(lam), np.cos(phi) * np.sin(lam), np.sin(phi)])
    return cKDTree(on_sphere * EARTH_RADIUS_M)


def _radius_m(limit_s: int, foot_mps: float) -> float:
    return (limit_s + ROUNDING_S) * foot_mps / DETOUR


def great_circle_m(
    lat: float | Float64, lon: float | Float64, to_lat: Float64, to_lon: Float64
) -> Float64:
    """Great-circle distances (haversine), as `core.geo.distance_m`."""
    half_phi = np.sin(np.radians(to_lat - lat) / 2)
    half_lambda = np.sin(np.radians(to_lon - lon) / 2)
    h = half_phi**2 + np.cos(np.radians(lat)) * np.cos(np.radians(to_lat)) * half_lambda**2
    metres: Float64 = 2 * EARTH_RADIUS_M * np.arcsin(np.sqrt(h))
    return metres
