"""
Homes stay unknown: the ends of an offer are moved before anything is computed from them.

Pick-up times are exact, and whoever asks often enough finds the ends that they lead to. These are
therefore not the driver's: each is moved once for each of his places, to a point drawn uniformly by
area from a ring around it, so that asking again, or publishing again, tells no more. Of detours
others are told the class alone.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable

from core.geo import METRES_PER_DEGREE, Coordinate

NEAREST_M, FARTHEST_M = 500.0, 1_500.0
"""Ring from which the moved place is drawn."""
SAME_PLACE_M = 300.0
"""Places of one person nearer than this are one: his doors, his parking space."""
TRY_LIMIT = 200
"""Draws until one lies by a street: on a coast, half of the ring is water."""
DETOUR_CLASS_S = 300
"""What others are told of a detour: so many whole steps, rounded up."""


def told_detour_s(detour_s: int) -> int:
    """Class of a detour, for whoever is not its driver."""
    return -(-detour_s // DETOUR_CLASS_S) * DETOUR_CLASS_S


def moved_place(
    place: Coordinate, usable: Callable[[Coordinate], bool], dice: random.Random
) -> Coordinate | None:
    """
    Draw a place from the ring that is `usable`, such as by a street open to cars.

    Returns None when none is after `TRY_LIMIT` draws.
    """
    for _ in range(TRY_LIMIT):
        away_m = math.sqrt(dice.uniform(NEAREST_M**2, FARTHEST_M**2))
        angle = dice.uniform(0, 2 * math.pi)
        per_lon = METRES_PER_DEGREE * math.cos(math.radians(place.lat))
        moved = Coordinate(
            lat=place.lat + away_m * math.sin(angle) / METRES_PER_DEGREE,
            lon=place.lon + away_m * math.cos(angle) / per_lon,
        )
        if usable(moved):
            return moved
    return None
