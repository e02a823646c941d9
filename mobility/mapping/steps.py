"""A way on the streets → instructions by street, in the shape of the MOTIS 2 API."""

from __future__ import annotations

from typing import Any

from routing.itinerary import Shape
from routing.street.graph import Streets
from routing.street.steps import SPECIAL, steps_of_way

SPECIAL_NAMES = dict(zip(SPECIAL, ("STAIRS", "ELEVATOR"), strict=True))
TURNS = ((20, "CONTINUE"), (50, "SLIGHTLY_{}"), (130, "{}"), (165, "HARD_{}"), (180, "UTURN_{}"))
"""Up to how many degrees a change of direction has this name."""


def write_steps(streets: Streets, shape: Shape, decimals: int) -> list[dict[str, Any]]:
    """One step for each street, flight of steps or elevator that follows another."""
    if shape.edge is None or len(shape.lat) < 2:
        return []
    return [
        {
            "relativeDirection": SPECIAL_NAMES.get(step.kind)
            or (_turn(step.turn_degrees) if nth else "DEPART"),
            "distance": round(step.metres, 1),
            "fromLevel": 0.0,
            "toLevel": 0.0,
            "polyline": {
                "points": step.points,
                "precision": decimals,
                "length": step.point_count,
            },
            "streetName": streets.names[step.name] if step.name else "",
            "exit": "",
            "stayOn": False,
            "area": False,
        }
        for nth, step in enumerate(
            steps_of_way(streets, shape.lat, shape.lon, shape.edge, decimals)
        )
    ]


def _turn(degrees: float) -> str:
    """Name of a change of direction, clockwise positive."""
    degrees = (degrees + 180) % 360 - 180
    side = "RIGHT" if degrees > 0 else "LEFT"
    return next(word for most, word in TURNS if abs(degrees) <= most).format(side)
