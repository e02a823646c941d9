"""What stands around a place: stops, and streets that have a name."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from core.geo import METRES_PER_DEGREE, Coordinate
from routing.network import Network
from routing.stops import grouped_stops, metres_to_stops
from routing.street.access import CELL_M, EdgeGrid
from routing.street.graph import Streets

Int32 = npt.NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class NearStop:
    """A stop or station, and its distance in a straight line."""

    stop: int
    metres: float


@dataclass(frozen=True, slots=True)
class NearStreet:
    """A named street, its point nearest to the asked place, and the distance to that."""

    name: str
    coordinate: Coordinate
    metres: float


def list_near_stops(
    network: Network, place: Coordinate, *, count: int, within_m: float
) -> list[NearStop]:
    """Nearest stops at which something calls, one of each station or name."""
    t = network.timetable
    metres = metres_to_stops(t, place)
    near = np.intersect1d(np.flatnonzero(metres <= within_m), t.pattern_stop)
    ordered = near[np.argsort(metres[near], kind="stable")].tolist()
    found = [NearStop(row, float(metres[row])) for row in grouped_stops(t, ordered)]
    return sorted(found, key=lambda s: s.metres)[:count]


def list_near_streets(
    network: Network, place: Coordinate, *, count: int, within_m: float
) -> list[NearStreet]:
    """Nearest named streets, each at its nearest point."""
    grid, streets = network.grid, network.streets
    if not network.has_streets:
        return []
    lat0, lon0, per_lon = (float(v) for v in grid.origin)
    x, y = (place.lon - lon0) * per_lon, (place.lat - lat0) * METRES_PER_DEGREE
    segment = np.unique(_segments_around(grid, x, y, within_m))
    segment = segment[streets.edge_name[grid.segment_edge[segment]] > 0]
    at_x, at_y = _nearest_points(grid, segment, x, y)
    metres = np.hypot(at_x - x, at_y - y)
    found: dict[str, NearStreet] = {}
    for i in np.argsort(metres, kind="stable").tolist():
        if metres[i] > within_m or len(found) == count:
            break
        name = _name(streets, int(grid.segment_edge[segment[i]]))
        where = Coordinate(lat0 + at_y[i] / METRES_PER_DEGREE, lon0 + at_x[i] / per_lon)
        found.setdefault(name, NearStreet(name, where, float(metres[i])))
    return list(found.values())


def _segments_around(grid: EdgeGrid, x: float, y: float, within_m: float) -> Int32:
    """Rows of the segments in all cells that come within a distance."""
    columns, rows = (int(n) for n in grid.size)
    low_c, high_c = (int((x + side) // CELL_M) for side in (-within_m, within_m))
    low_r, high_r = (int((y + side) // CELL_M) for side in (-within_m, within_m))
    parts = [np.zeros(0, np.int32)]
    for row in range(max(low_r, 0), min(high_r, rows - 1) + 1):
        first, last = max(low_c, 0), min(high_c, columns - 1)
        if first <= last:
            cells = grid.cell_first[[row * columns + first, row * columns + last + 1]]
            parts.append(grid.cell_segment[cells[0] : cells[1]])
    return np.concatenate(parts)


def _nearest_points(
    grid: EdgeGrid, segment: Int32, x: float, y: float
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Point of each straight segment that is nearest to a spot of the plane."""
    a = grid.segment_point[segment]
    from_x, from_y = grid.point_x[a], grid.point_y[a]
    along_x, along_y = grid.point_x[a + 1] - from_x, grid.point_y[a + 1] - from_y
    length = np.maximum(along_x**2 + along_y**2, 1e-9)
    share = np.clip(((x - from_x) * along_x + (y - from_y) * along_y) / length, 0, 1)
    return from_x + share * along_x, from_y + share * along_y


def _name(streets: Streets, edge: int) -> str:
    name: str = streets.names[streets.edge_name[edge]]
    return name
