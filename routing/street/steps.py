"""A way on the streets cut where the street, or what it is, changes: each piece with its line."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from core.jit import kernel
from routing.polyline import BYTES_PER_NUMBER, encode_points
from routing.street.graph import KINDS, Streets
from routing.street.kernels import NO_EDGE
from routing.street.ways import metres_between

Int32 = npt.NDArray[np.int32]
Float64 = npt.NDArray[np.float64]

SPECIAL = (KINDS.index("steps"), KINDS.index("elevator"))
"""Kinds of edges that are told by what they are, not by where they turn."""
ON_LEVEL = -1


class Step(NamedTuple):
    """One piece of a way."""

    name: int
    """Row of the streets' names."""
    kind: int
    """One of `SPECIAL`, or `ON_LEVEL`."""
    turn_degrees: float
    """From the piece before, clockwise."""
    metres: float
    point_count: int
    points: str
    """Encoded polyline."""


def steps_of_way(
    streets: Streets, lat: Float64, lon: Float64, edge: Int32, decimals: int
) -> list[Step]:
    """Pieces of a way of two points or more; `edge` is that by which each point is reached."""
    cut, measured, text = _cut(
        streets.edge_name, streets.edge_kind, *SPECIAL, lat, lon, edge, 10.0**decimals
    )
    whole, steps, begins = text.tobytes().decode("ascii"), [], 0
    for row, (turn_degrees, metres) in zip(cut.tolist(), measured.tolist(), strict=True):
        name, kind, count, ends = row
        steps.append(Step(name, kind, turn_degrees, metres, count, whole[begins:ends]))
        begins = ends
    return steps


@kernel
def _cut(
    edge_name: Int32,
    edge_kind: Int32,
    stairs: int,
    elevator: int,
    lat: Float64,
    lon: Float64,
    edge: Int32,
    factor: float,
) -> tuple[Int32, Float64, npt.NDArray[np.uint8]]:
    """
    Columns of `Step` for each piece, and all polylines end to end.

    Returns
    -------
    cut
        Shape (piece_count, 4): name, kind, points, and where its polyline ends.
    measured
        Shape (piece_count, 2): turn in degrees, metres.
    text
    """
    last = len(lat) - 1
    cut, measured = np.empty((last, 4), np.int32), np.zeros((last, 2))
    text = np.empty(4 * last * BYTES_PER_NUMBER, np.uint8)
    count, size, first, squeeze = 0, 0, 0, math.cos(math.radians(lat[0]))
    for i in range(last):
        name, kind = 0, ON_LEVEL
        if edge[i + 1] != NO_EDGE:
            name, kind = edge_name[edge[i + 1]], edge_kind[edge[i + 1]]
            if kind not in (stairs, elevator):
                kind = ON_LEVEL
        if i == 0 or name != cut[count - 1, 0] or kind != cut[count - 1, 1]:
            if i > 0:
                size += encode_points(lat[first : i + 1], lon[first : i + 1], factor, text[size:])
                cut[count - 1, 2], cut[count - 1, 3] = i - first + 1, size
                measured[count, 0] = _bearing(lat, lon, i, squeeze) - _bearing(
                    lat, lon, i - 1, squeeze
                )
            cut[count, 0], cut[count, 1] = name, kind
            first, count = i, count + 1
        measured[count - 1, 1] += metres_between(lat[i], lon[i], lat[i + 1], lon[i + 1])
    size += encode_points(lat[first:], lon[first:], factor, text[size:])
    cut[count - 1, 2], cut[count - 1, 3] = last - first + 1, size
    return cut[:count], measured[:count], text[:size]


@kernel
def _bearing(lat: Float64, lon: Float64, i: int, squeeze: float) -> float:
    """Degrees clockwise from north of the straight piece after a point."""
    return math.degrees(math.atan2((lon[i + 1] - lon[i]) * squeeze, lat[i + 1] - lat[i]))
