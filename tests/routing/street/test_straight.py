"""Walks without a street map against looking at every pair of stops."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.geo import Coordinate
from routing.street.straight import (
    NothingOnTheMap,
    bare_streets,
    straight_seconds,
    straight_walks,
)
from tests.oracles.straight_oracle import FOOT_MPS, straight_walk_s

pytestmark = pytest.mark.unit
CENTRES = st.sampled_from([(0.0, 0.0), (48.85, 2.35), (-17.0, 145.7), (69.6, 18.9)])
OFFSETS = st.tuples(st.integers(-120, 120), st.integers(-120, 120))
PLACES = st.lists(OFFSETS, min_size=1, max_size=25)


def _stops(centre: tuple[float, float], offsets: list[tuple[int, int]]) -> list[Coordinate]:
    """Places on a grid of some ten metres around a centre; several may be the same."""
    return [Coordinate(centre[0] + a / 9_973, centre[1] + b / 9_973) for a, b in offsets]


@given(CENTRES, PLACES, st.sampled_from([0, 60, 300, 900]))
def test_walks_between_stops_are_those_of_every_pair(
    centre: tuple[float, float], offsets: list[tuple[int, int]], limit_s: int
) -> None:
    stops = _stops(centre, offsets)
    lat, lon = (np.array([getattr(s, n) for s in stops]) for n in ("lat", "lon"))
    found = zip(*(a.tolist() for a in straight_walks(lat, lon, limit_s, FOOT_MPS)), strict=True)
    assert sorted(found) == [
        (i, j, straight_walk_s(a, b))
        for i, a in enumerate(stops)
        for j, b in enumerate(stops)
        if i != j and straight_walk_s(a, b) <= limit_s
    ]


@given(CENTRES, OFFSETS, PLACES)
def test_access_is_the_straight_line_to_every_stop(
    centre: tuple[float, float], door: tuple[int, int], offsets: list[tuple[int, int]]
) -> None:
    (place, *stops) = _stops(centre, [door, *offsets])
    lat, lon = (np.array([getattr(s, n) for s in stops]) for n in ("lat", "lon"))
    seconds = straight_seconds(place.lat, place.lon, lat, lon, FOOT_MPS).tolist()
    assert seconds == [straight_walk_s(place, stop) for stop in stops]


def test_stops_without_coordinates_have_no_node() -> None:
    streets, node = bare_streets(np.array([1.0, np.nan, 3.0]), np.array([1.0, np.nan, 3.0]))
    assert node.tolist() == [0, -1, 1]
    assert streets.node_lat.tolist() == [1.0, 3.0]


def test_nothing_is_built_from_stops_that_are_nowhere() -> None:
    with pytest.raises(NothingOnTheMap):
        bare_streets(np.array([np.nan]), np.array([np.nan]))
