"""
Isochrones: outlines of what is within reach of a place, as GeoJSON.

Travel times are found at points of a grid, exactly as the planner answers there: on foot from the
nearest street, and by the streets from every stop that is reached. Outlines are drawn between the
points by marching squares, so each cutoff's area holds those of the lesser ones. What is farther
from any street than a place may be is within nobody's reach.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import shapely
from contourpy import FillType, contour_generator

from core.errors import InvalidInput
from core.geo import METRES_PER_DEGREE
from routing.goals import goals_around, walks_from_stops, walks_to
from routing.network import Network
from routing.query import Endpoint, Limits
from routing.raptor.labels import FAR
from routing.street.access import CELL_M
from routing.street.kernels import Walks
from routing.travel_times import Departed, TravelQuery, depart, percentiles_s

POINTS_PER_CELL = 3
"""Points of the grid lie 50 m apart: every third of a cell of the streets' grid."""
POINT_LIMIT = 1_000_000
"""Beyond so many points, which a city has in two hours, they lie 150 m apart."""
CUTOFF_LIMIT = 24
CHUNK_POINTS = 16_384
"""Points whose times at all departures are held at once: 4 MB for an hour."""
DECIMALS = 6

Int32 = npt.NDArray[np.int32]
Float64 = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]
Corner = tuple[int, int]
"""Row and column of the first cell of a mask."""


class Plane(NamedTuple):
    """Metres east and north of a corner, in square cells of `CELL_M`."""

    lat0: float
    lon0: float
    per_lon: float

    def cells(self, lat: Float64, lon: Float64) -> tuple[Int32, Int32]:
        """Rows and columns of the cells in which places lie."""
        row = np.floor((lat - self.lat0) * METRES_PER_DEGREE / CELL_M)
        column = np.floor((lon - self.lon0) * self.per_lon / CELL_M)
        return row.astype(np.int32), column.astype(np.int32)

    def points(
        self, corner: Corner, shape: tuple[int, ...], spacing_m: float
    ) -> tuple[Float64, Float64]:
        """Latitudes and longitudes of a grid of points from a cell on."""
        y = corner[0] * CELL_M + spacing_m * (np.arange(shape[0], dtype=np.float64) + 0.5)
        x = corner[1] * CELL_M + spacing_m * (np.arange(shape[1], dtype=np.float64) + 0.5)
        return self.lat0 + y / METRES_PER_DEGREE, self.lon0 + x / self.per_lon


@dataclass(frozen=True, slots=True)
class Surface:
    """Travel times at points of a grid."""

    lat: Float64
    """Shape (rows,), in degrees."""
    lon: Float64
    """Shape (columns,)."""
    seconds: Int32
    """Shape (rows, columns): `FAR` where it takes longer than asked for."""
    out_s: int
    """Stands for a point out of reach: one more step on foot than the longest time asked for."""


@dataclass(frozen=True, slots=True, repr=False)
class Isochrone:
    """Areas within reach of a place, the least first, each of which holds those before it."""

    origin: Endpoint
    depart_at: dt.datetime
    window_s: int
    percentile: int
    cutoffs_s: tuple[int, ...]
    areas: tuple[shapely.MultiPolygon, ...]
    """In degrees, longitude first."""
    areas_km2: tuple[float, ...]
    surface: Surface

    def __repr__(self) -> str:
        areas = ", ".join(
            f"{cutoff_s / 60:g} min {km2:.2f} km²"
            for cutoff_s, km2 in zip(self.cutoffs_s, self.areas_km2, strict=True)
        )
        return f"<Isochrone of {self.origin.name}, {self.depart_at:%Y-%m-%d %H:%M}: {areas}>"

    def _repr_svg_(self) -> str:
        drawing: str = shapely.GeometryCollection(list(self.areas))._repr_svg_()
        return drawing

    @property
    def __geo_interface__(self) -> dict[str, Any]:
        """What geopandas and shapely read."""
        return self.as_geojson()

    def as_geojson(self) -> dict[str, Any]:
        """FeatureCollection of MultiPolygons (RFC 7946), one for each cutoff."""
        return {
            "type": "FeatureCollection",
            "features": [
                {
                    "type": "Feature",
                    "properties": {
                        "minutes": cutoff_s / 60,
                        "depart": self.depart_at.isoformat(),
                        "window_minutes": self.window_s // 60,
                        "percentile": self.percentile,
                        "area_km2": round(km2, 3),
                    },
                    "geometry": {
                        "type": "MultiPolygon",
                        "coordinates": [_rings(polygon) for polygon in area.geoms],
                    },
                }
                for cutoff_s, area, km2 in zip(
                    self.cutoffs_s, self.areas, self.areas_km2, strict=True
                )
            ],
        }


def _rings(polygon: shapely.Polygon) -> list[list[list[float]]]:
    return [
        np.round(shapely.get_coordinates(ring), DECIMALS).tolist()
        for ring in (polygon.exterior, *polygon.interiors)
    ]


def search_isochrone(
    network: Network,
    origin: Endpoint,
    query: TravelQuery,
    cutoffs_s: Sequence[int],
    *,
    percentile: int = 50,
    limits: Limits,
) -> Isochrone:
    """
    Find what is within reach of a place in so many seconds.

    Over a window of departures, a point is within reach when at `percentile` percent of them it
    takes no longer. `query.most_s` should be the greatest cutoff: what takes longer is not found.

    Raises
    ------
    PlaceUnknown
        A stop id that the timetable does not have.
    InvalidInput
        Cutoffs or percentile out of bounds.
    """
    cutoffs = tuple(sorted(set(cutoffs_s)))
    if not 0 < len(cutoffs) <= CUTOFF_LIMIT or not 0 < cutoffs[0] <= cutoffs[-1] <= query.most_s:
        raise InvalidInput(
            f"cutoffs of {list(cutoffs)} s: up to {CUTOFF_LIMIT}, each 1 to {query.most_s}"
        )
    surface = _surface(depart(network, origin, query, limits), percentile)
    outlines = [_outline(surface, cutoff_s) for cutoff_s in cutoffs]
    middle = math.radians(float(surface.lat.mean()))
    to_m = np.array([METRES_PER_DEGREE * math.cos(middle), METRES_PER_DEGREE])
    areas_km2 = tuple(shapely.transform(a, lambda c: c * to_m).area / 1e6 for a in outlines)
    return Isochrone(
        origin,
        query.depart_at,
        query.window_s,
        percentile,
        cutoffs,
        tuple(outlines),
        areas_km2,
        surface,
    )


def _surface(departed: Departed, percentile: int) -> Surface:
    """Travel times at the points of the grid that may be within reach."""
    network, query = departed.network, departed.query
    at_node = Walks(*(np.zeros(1, np.int32),) * 3)
    if network.has_streets:
        at_node = walks_from_stops(network, departed.reached, query.max_egress_s)
        plane = Plane(*network.grid.origin.tolist())
        mask, corner = _near_streets(departed, at_node)
    else:
        plane, mask, corner = _near_stops(departed)
    per_cell = POINTS_PER_CELL if mask.sum() * POINTS_PER_CELL**2 <= POINT_LIMIT else 1
    spacing_m = CELL_M / per_cell
    wanted = mask.repeat(per_cell, axis=0).repeat(per_cell, axis=1)
    lat, lon = plane.points(corner, wanted.shape, spacing_m)
    row, column = np.nonzero(wanted)
    goals = goals_around(network, lat[row], lon[column], query.max_matching_m)
    seconds = np.full(wanted.shape, FAR, np.int32)
    for first in range(0, len(goals), CHUNK_POINTS):
        part = slice(first, min(first + CHUNK_POINTS, len(goals)))
        chunk = goals.rows(part.start, part.stop)
        walks = walks_to(network, chunk, at_node, query.max_egress_s)
        times_s = departed.times_to(chunk, walks)
        seconds[row[part], column[part]] = percentiles_s(times_s, [percentile])[0]
    step_s = math.ceil(spacing_m / network.speeds.foot_mps)
    return Surface(lat, lon, seconds, query.most_s + step_s)


def _near_streets(departed: Departed, at_node: Walks) -> tuple[Mask, Corner]:
    """Cells from which a place would be tied to a street that is reached, and their corner."""
    network = departed.network
    streets, grid = network.streets, network.grid
    on = (np.diff(at_node.first) > 0) | (departed.walked_s < FAR)
    edge_on = on[streets.edge_from] | on[streets.edge_to]
    if departed.snapped is not None and departed.snapped.node < 0:
        edge_on[departed.snapped.edge] = True
    columns, rows = grid.size.tolist()
    cell = np.repeat(np.arange(columns * rows), np.diff(grid.cell_first))
    mask = np.zeros(columns * rows, bool)
    mask[cell[edge_on[grid.segment_edge[grid.cell_segment]]]] = True
    rings = math.ceil(departed.query.max_matching_m / CELL_M)
    return _widened(*np.divmod(np.flatnonzero(mask), columns), rings)


def _near_stops(departed: Departed) -> tuple[Plane, Mask, Corner]:
    """Cells within a straight walk of the stops that are reached or of the origin itself."""
    network, query, origin = departed.network, departed.query, departed.origin.coordinate
    t, stop = network.timetable, departed.reached
    per_lon = METRES_PER_DEGREE * max(math.cos(math.radians(origin.lat)), 0.01)
    plane = Plane(origin.lat, origin.lon, per_lon)
    longest_s = min(max(query.max_egress_s, query.max_direct_s), query.most_s)
    rings = math.ceil(longest_s * network.speeds.foot_mps / CELL_M) + 1
    lat, lon = np.append(t.stop_lat[stop], origin.lat), np.append(t.stop_lon[stop], origin.lon)
    return plane, *_widened(*plane.cells(lat, lon), rings)


def _widened(row: Int32, column: Int32, rings: int) -> tuple[Mask, Corner]:
    """Cells with `rings` more around each and a border of none; row and column of the corner."""
    from scipy.ndimage import binary_dilation  # noqa: PLC0415 — loaded once asked for

    if len(row) == 0:
        return np.zeros((3, 3), bool), (0, 0)
    corner = int(row.min()) - rings - 1, int(column.min()) - rings - 1
    shape = int(row.max()) - corner[0] + rings + 2, int(column.max()) - corner[1] + rings + 2
    mask = np.zeros(shape, bool)
    mask[row - corner[0], column - corner[1]] = True
    return binary_dilation(mask, np.ones((3, 3), bool), iterations=rings), corner


def _outline(surface: Surface, cutoff_s: int) -> shapely.MultiPolygon:
    """Where it takes no longer; between a point and one out of reach one walks on a little."""
    height = np.minimum(surface.seconds, surface.out_s).astype(np.float64)
    generator = contour_generator(surface.lon, surface.lat, height, fill_type=FillType.OuterOffset)
    # Whole seconds: no point lies on the level itself, so that no outline touches itself.
    polygons = []
    for ring, offset in zip(*generator.filled(-1.0, cutoff_s + 0.5)[:2], strict=True):
        outer, *holes = (ring[a:b] for a, b in zip(offset, offset[1:], strict=False))
        polygons.append(shapely.Polygon(outer, holes))
    area = shapely.set_precision(shapely.MultiPolygon(polygons), 10.0**-DECIMALS)
    parts = [p for p in shapely.get_parts(area).tolist() if isinstance(p, shapely.Polygon)]
    return shapely.orient_polygons(shapely.MultiPolygon(parts))
