"""A way on the streets → instructions by street, in the shape of the MOTIS 2 API."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from routing.itinerary import Shape
from routing.polyline import encode_polyline
from routing.street.graph import KINDS, Streets, step_metres

SPECIAL = {KINDS.index("steps"): "STAIRS", KINDS.index("elevator"): "ELEVATOR"}
"""Kinds of edges that are told by what they are, not by where they turn."""
TURNS = ((20, "CONTINUE"), (50, "SLIGHTLY_{}"), (130, "{}"), (165, "HARD_{}"), (180, "UTURN_{}"))
"""Up to how many degrees a change of direction has this name."""


def write_steps(streets: Streets, shape: Shape, decimals: int) -> list[dict[str, Any]]:
    """One step for each street, flight of steps or elevator that follows another."""
    if shape.edge is None or len(shape.lat) < 2:
        return []
    edge = shape.edge[1:]
    on = edge >= 0
    name, kind = np.zeros(len(edge), np.int64), np.full(len(edge), -1)
    name[on] = streets.edge_name[edge[on]]
    kind[on] = streets.edge_kind[edge[on]]
    kind[~np.isin(kind, list(SPECIAL))] = -1
    key = len(KINDS) * name + kind
    first = np.r_[0, np.flatnonzero(np.diff(key)) + 1].tolist()
    metres = step_metres(shape.lat, shape.lon)
    bearing = _bearings(shape)
    return [
        {
            "relativeDirection": SPECIAL[int(kind[a])]
            if kind[a] >= 0
            else _turn(bearing[a] - bearing[a - 1])
            if a
            else "DEPART",
            "distance": round(float(metres[a:b].sum()), 1),
            "fromLevel": 0.0,
            "toLevel": 0.0,
            "polyline": {
                "points": encode_polyline(shape.lat[a : b + 1], shape.lon[a : b + 1], decimals),
                "precision": decimals,
                "length": b - a + 1,
            },
            "streetName": streets.names[name[a]],
            "exit": "",
            "stayOn": False,
            "area": False,
        }
        for a, b in zip(first, [*first[1:], len(edge)], strict=True)
    ]


def _bearings(shape: Shape) -> npt.NDArray[np.float64]:
    """Degrees clockwise from north of each straight piece."""
    east = np.diff(shape.lon) * np.cos(np.radians(shape.lat[0]))
    bearing: npt.NDArray[np.float64] = np.degrees(np.arctan2(east, np.diff(shape.lat)))
    return bearing


def _turn(degrees: float) -> str:
    """Name of a change of direction, clockwise positive."""
    degrees = (degrees + 180) % 360 - 180
    side = "RIGHT" if degrees > 0 else "LEFT"
    return next(word for most, word in TURNS if abs(degrees) <= most).format(side)
