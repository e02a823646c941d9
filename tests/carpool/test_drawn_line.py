"""Drawn lines: what the found stops make of the drive, on random streets."""

from __future__ import annotations

import random
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from carpool.compile import OfferUnusable
from carpool.drawn_line import FOLLOWS_M, LineUnusable, vias_of_line
from carpool.offers import VIA_LIMIT
from core.geo import METRES_PER_DEGREE, Coordinate
from routing.network import Network
from routing.street.straight import great_circle_m
from tests.support.grids import random_grid

pytestmark = pytest.mark.unit
HALF_AN_HOUR_S = 1_800


def driven(network: Network, places: list[Coordinate]) -> tuple[np.ndarray, np.ndarray]:
    """Points of the fastest drive through places."""
    lat, lon = [], []
    for a, b in pairwise(places):
        ends = [network.find_snapped("car", place, 500) for place in (a, b)]
        route = network.find_route("car", *ends, HALF_AN_HOUR_S)  # type: ignore[arg-type]
        assert route is not None
        lat.append(route.lat)
        lon.append(route.lon)
    return np.concatenate(lat), np.concatenate(lon)


def farthest_m(line: list[Coordinate], lat: np.ndarray, lon: np.ndarray) -> float:
    """Of the corners of a line from a drive, looked at every few metres."""
    steps = np.linspace(0, 1, 40)
    dense = [
        np.r_[tuple(a + steps * (b - a) for a, b in pairwise(column))] for column in (lat, lon)
    ]
    return max(float(great_circle_m(p.lat, p.lon, *dense).min()) for p in line)


@settings(derandomize=True, deadline=None, database=None, max_examples=60)
@given(st.integers(0, 11), st.integers(0, 2**31))
def test_drive_through_the_found_stops_follows_what_was_drawn(number: int, seed: int) -> None:
    grid, dice = random_grid(number, columns=7, rows=6), random.Random(seed)

    def place() -> Coordinate:
        east, north = dice.uniform(0, grid.east_m), dice.uniform(0, grid.north_m)
        return Coordinate(north / METRES_PER_DEGREE, east / METRES_PER_DEGREE)

    # Drawn along some drive that is not the fastest.
    through = [place() for _ in range(3)]
    lat, lon = driven(grid.network, through)
    line = [Coordinate(float(a), float(b)) for a, b in zip(lat, lon, strict=True)]
    try:
        vias = vias_of_line(grid.network, line, line[0], line[-1])
    except OfferUnusable:
        assume(False)
        raise
    assert len(vias) <= VIA_LIMIT
    assert farthest_m(line, *driven(grid.network, [line[0], *vias, line[-1]])) <= FOLLOWS_M + 15


def test_line_along_the_fastest_drive_needs_no_stop_and_near_a_home_none_is_found() -> None:
    grid = random_grid(3, columns=9, rows=9)
    nodes = [
        Coordinate(float(lat), float(lon))
        for lat, lon in zip(
            grid.network.streets.node_lat, grid.network.streets.node_lon, strict=True
        )
    ]
    ends = [pick(nodes, key=lambda n: n.lat + n.lon) for pick in (min, max)]
    corner = max(nodes, key=lambda n: n.lat - n.lon)
    lat, lon = driven(grid.network, ends)
    fastest = [Coordinate(float(a), float(b)) for a, b in zip(lat, lon, strict=True)]
    assert vias_of_line(grid.network, fastest, *ends) == ()
    by_corner = driven(grid.network, [ends[0], corner, ends[1]])
    around = [Coordinate(float(a), float(b)) for a, b in zip(*by_corner, strict=True)]
    vias = vias_of_line(grid.network, around, *ends)
    assert vias
    apart = vias_of_line(grid.network, around, *ends, apart_m=(1_500, 0))
    assert all(great_circle_m(ends[0].lat, ends[0].lon, p.lat, p.lon) >= 1_500 for p in apart)
    assert vias_of_line(grid.network, around, *ends, apart_m=(9_000, 0)) == ()


def test_line_that_no_drive_follows_is_refused() -> None:
    grid = random_grid(3)
    with pytest.raises(LineUnusable, match="two places"):
        vias_of_line(grid.network, [Coordinate(0, 0)], Coordinate(0, 0), Coordinate(0, 0))
    far = Coordinate(0.5, 0.5)
    with pytest.raises(LineUnusable, match="no street open to cars"):
        vias_of_line(
            grid.network, [Coordinate(0, 0), far, Coordinate(0.01, 0.01)], Coordinate(0, 0),
            Coordinate(0.01, 0.01),
        )  # fmt: skip
