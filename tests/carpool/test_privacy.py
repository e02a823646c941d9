"""Homes are moved to where nobody can tell: uniformly by area in a ring, by a street."""

from __future__ import annotations

import math
import random

import pytest

from carpool.privacy import FARTHEST_M, NEAREST_M, moved_place, told_detour_s
from core.geo import Coordinate, distance_m

pytestmark = pytest.mark.unit

HOME = Coordinate(46.5, 1.2)
DRAWS = 20_000


def test_moved_homes_lie_uniformly_by_area_in_the_ring() -> None:
    dice = random.Random(5)
    moved = [moved_place(HOME, lambda _: True, dice) for _ in range(DRAWS)]
    rings, sectors = [0] * 10, [0] * 12
    for place in moved:
        assert place is not None
        away_m = distance_m(HOME, place)
        assert NEAREST_M - 2 <= away_m <= FARTHEST_M + 2  # degrees on a plane, metres on a sphere
        share = (away_m**2 - NEAREST_M**2) / (FARTHEST_M**2 - NEAREST_M**2)
        rings[min(max(int(share * 10), 0), 9)] += 1
        east_m = (place.lon - HOME.lon) * math.cos(math.radians(HOME.lat))
        sectors[int((math.atan2(place.lat - HOME.lat, east_m) / math.tau % 1) * 12)] += 1
    # Five standard deviations of a binomial count.
    for counts in (rings, sectors):
        mean = DRAWS / len(counts)
        assert all(abs(count - mean) < 5 * math.sqrt(mean) for count in counts)


def test_a_home_by_the_sea_is_moved_along_the_shore() -> None:
    dice = random.Random(5)
    for _ in range(200):
        moved = moved_place(HOME, lambda place: place.lat > HOME.lat, dice)
        assert moved is not None
        assert moved.lat > HOME.lat
        assert distance_m(HOME, moved) > NEAREST_M - 2


def test_where_nothing_will_do_nothing_is_found() -> None:
    assert moved_place(HOME, lambda _: False, random.Random(5)) is None


def test_others_are_told_of_a_detour_in_steps_of_five_minutes() -> None:
    assert [told_detour_s(s) for s in (0, 1, 299, 300, 301)] == [0, 300, 300, 300, 600]
