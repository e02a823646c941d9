"""Walks without streets by the book: 1.3 times the straight line at 1.3 m/s, in whole seconds."""

from __future__ import annotations

from itertools import product
from types import SimpleNamespace
from typing import Any

from core.geo import Coordinate, distance_m

DETOUR = 1.3
FOOT_MPS = 1.3


class StraightOracle:
    """Stands in for `StreetOracle` where there are no streets: a place hangs on itself."""

    def __init__(self) -> None:
        self.points = SimpleNamespace(id=[], lat=[], lon=[])
        self.point_row: dict[str, int] = {}

    def person(self, place: Coordinate, limit_m: float = 0) -> list[Any]:
        return [place]

    def walk_choices_s(self, starts: list[Any], ends: list[Any], limit_s: int) -> set[int]:
        walks = {straight_walk_s(a, b) for a, b in product(starts, ends)}
        return {s for s in walks if s <= limit_s}


def straight_walk_s(a: Coordinate, b: Coordinate) -> int:
    """Seconds between two places."""
    return round(distance_m(a, b) * DETOUR / FOOT_MPS)
