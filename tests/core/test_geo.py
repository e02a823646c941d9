"""Coordinates and great-circle distances."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import InvalidInput
from core.geo import EARTH_RADIUS_M, METRES_PER_DEGREE, Coordinate, distance_m, parse_coordinate

pytestmark = pytest.mark.unit
HALF_ROUND_M = math.pi * EARTH_RADIUS_M
LATS = st.floats(-90, 90)
LONS = st.floats(-180, 180)


def test_a_degree_of_latitude_is_the_same_everywhere() -> None:
    for lat in (0.0, 43.6, 89.0):
        there = distance_m(Coordinate(lat, 3.9), Coordinate(lat + 1, 3.9))
        assert there == pytest.approx(METRES_PER_DEGREE, rel=1e-9)


def test_a_degree_of_longitude_is_half_as_long_at_sixty_degrees() -> None:
    # cos 60° = 1/2; the great circle cuts the parallel's corner by less than one part in 10,000.
    there = distance_m(Coordinate(60, 3), Coordinate(60, 4))
    assert there == pytest.approx(METRES_PER_DEGREE / 2, rel=1e-4)


def test_distance_crosses_the_date_line_by_the_short_way() -> None:
    there = distance_m(Coordinate(0, 179.5), Coordinate(0, -179.5))
    assert there == pytest.approx(METRES_PER_DEGREE, rel=1e-9)


@given(LATS, LONS)
@settings(deadline=None, derandomize=True, max_examples=500)
def test_antipodes_are_half_the_earth_apart(lat: float, lon: float) -> None:
    other = Coordinate(-lat, lon - 180 if lon > 0 else lon + 180)
    assert distance_m(Coordinate(lat, lon), other) == pytest.approx(HALF_ROUND_M, rel=1e-6)


@given(LATS, LONS, LATS, LONS)
@settings(deadline=None, derandomize=True)
def test_distance_is_symmetric_and_never_over_half_the_earth(
    lat: float, lon: float, other_lat: float, other_lon: float
) -> None:
    a, b = Coordinate(lat, lon), Coordinate(other_lat, other_lon)
    assert distance_m(a, a) == 0
    assert distance_m(a, b) == pytest.approx(distance_m(b, a))
    assert 0 <= distance_m(a, b) <= HALF_ROUND_M * (1 + 1e-9)


@pytest.mark.parametrize(
    ("lat", "lon"), [(90.1, 0), (-91, 0), (0, 180.5), (0, -181), (math.nan, 0), (0, math.inf)]
)
def test_place_that_is_not_on_earth_is_refused(lat: float, lon: float) -> None:
    with pytest.raises(InvalidInput, match="not a place on Earth"):
        Coordinate(lat, lon)


def test_coordinate_is_read_with_blanks_and_a_level() -> None:
    assert parse_coordinate(" 43.6 , 3.9 ") == Coordinate(lat=43.6, lon=3.9)
    assert parse_coordinate("43.6,3.9,2") == Coordinate(lat=43.6, lon=3.9)


@pytest.mark.parametrize("text", ["", "43.6", "Mairie", "valmont:S1", "a,b", "1,2,3,4", "43.6,"])
def test_text_that_is_no_coordinate_may_be_an_id(text: str) -> None:
    assert parse_coordinate(text) is None


@pytest.mark.parametrize("text", ["nan,3.9", "43.6,inf", "143.6,3.9"])
def test_coordinate_that_is_not_on_earth_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput, match="not a place on Earth"):
        parse_coordinate(text)
