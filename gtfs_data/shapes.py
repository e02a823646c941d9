"""Shapes: the lines that vehicles draw on the map, with points near every stop."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from core.geo import METRES_PER_DEGREE
from gtfs_data.kernels import stops_on_shape
from gtfs_data.patterns import FeedTrips
from gtfs_data.reader import Feed

NO_SHAPE = -1
"""Row of a pattern's shape, and of its points, where the feed draws none."""

Int32 = npt.NDArray[np.int32]

SHAPE_STEP_M = 50.0
"""Straight parts of shapes get points at least this often, so that stops find one nearby."""
PIECE_LIMIT = 400
"""Of one straight part: 20 km; a point on the wrong continent must not fill the memory."""


def read_shapes(feed: Feed) -> tuple[dict[str, int], dict[str, npt.NDArray[Any]]]:
    """Row of each shape by its id, and the points of all shapes end to end."""
    points = feed.table("shapes").sort_values(["shape_id", "shape_pt_sequence"], kind="stable")
    name = points["shape_id"].to_numpy(str)
    lat = points["shape_pt_lat"].to_numpy(np.float64)
    lon = points["shape_pt_lon"].to_numpy(np.float64)
    steps = np.zeros(len(name), np.int64)  # pieces from each point to the next of its shape
    if len(name) > 1:
        north = np.diff(lat) * METRES_PER_DEGREE
        east = np.diff(lon) * METRES_PER_DEGREE * np.cos(np.radians(lat[:-1]))
        pieces = np.ceil(np.hypot(north, east) / SHAPE_STEP_M).clip(0, PIECE_LIMIT).astype(np.int64)
        steps[:-1] = np.where(name[1:] == name[:-1], np.maximum(pieces, 1), 0)
    count = np.maximum(steps, 1)
    row = np.repeat(np.arange(len(name)), count)
    share = (np.arange(len(row)) - np.repeat(np.cumsum(count) - count, count)) / count[row]
    following = np.minimum(row + 1, max(len(name) - 1, 0))
    ids, start = np.unique(name[row], return_index=True)
    first = np.r_[start, len(row)].astype(np.int32) if len(row) else np.zeros(1, np.int32)
    return {str(s): i for i, s in enumerate(ids)}, {
        "shape_first_point": first,
        "shape_lat": lat[row] + share * (lat[following] - lat[row]),
        "shape_lon": lon[row] + share * (lon[following] - lon[row]),
    }


def stops_along_shapes(
    trips: FeedTrips,
    stops: pd.DataFrame,
    pattern_shape: Int32,
    shapes: dict[str, npt.NDArray[Any]],
) -> Int32:
    """For each stop of a pattern the point of its shape, counted from the shape's first."""
    out = np.full(len(trips.pattern_stop), NO_SHAPE, np.int32)
    lat, lon = stops["stop_lat"].to_numpy(np.float64), stops["stop_lon"].to_numpy(np.float64)
    for p, shape in enumerate(pattern_shape):
        if shape == NO_SHAPE:
            continue
        a, b = trips.pattern_first_stop[p], trips.pattern_first_stop[p + 1]
        q, r = shapes["shape_first_point"][shape], shapes["shape_first_point"][shape + 1]
        rows = trips.pattern_stop[a:b]
        stops_on_shape(
            lat[rows], lon[rows], shapes["shape_lat"][q:r], shapes["shape_lon"][q:r], out[a:b]
        )
    return out
