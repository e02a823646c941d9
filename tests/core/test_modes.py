"""GTFS route types and the modes they mean."""

from __future__ import annotations

import pytest

from core.modes import (
    CARPOOL_ROUTE_TYPE,
    RAIL_MODES,
    STREET_MODES,
    TRANSIT_MODES,
    Mode,
    mode_of_route_type,
    route_type_of_mode,
)

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("route_type", "mode"),
    [
        (0, Mode.TRAM), (1, Mode.SUBWAY), (2, Mode.REGIONAL_RAIL), (3, Mode.BUS),
        (4, Mode.FERRY), (5, Mode.TRAM), (6, Mode.AERIAL_LIFT), (7, Mode.FUNICULAR),
        (11, Mode.BUS), (12, Mode.REGIONAL_RAIL),
        (100, Mode.REGIONAL_RAIL), (101, Mode.HIGHSPEED_RAIL), (105, Mode.NIGHT_RAIL),
        (109, Mode.SUBURBAN), (117, Mode.REGIONAL_RAIL), (200, Mode.COACH), (401, Mode.SUBWAY),
        (700, Mode.BUS), (715, Mode.BUS), (800, Mode.BUS), (900, Mode.TRAM), (1000, Mode.FERRY),
        (1100, Mode.AIRPLANE), (1300, Mode.AERIAL_LIFT), (1400, Mode.FUNICULAR),
        (1499, Mode.FUNICULAR), (1500, Mode.OTHER), (CARPOOL_ROUTE_TYPE, Mode.OTHER),
        (1700, Mode.OTHER),
    ],
)  # fmt: skip
def test_route_type_means_a_mode(route_type: int, mode: Mode) -> None:
    assert mode_of_route_type(route_type) is mode


@pytest.mark.parametrize("route_type", [-1, 8, 10, 13, 99, 1600, 1800, 2**31])
def test_undefined_route_type_has_no_mode(route_type: int) -> None:
    assert mode_of_route_type(route_type) is None


@pytest.mark.parametrize("mode", sorted(TRANSIT_MODES))
def test_route_type_of_a_transit_mode_leads_back_to_it(mode: Mode) -> None:
    assert mode_of_route_type(route_type_of_mode(mode)) is mode


def test_offer_keeps_its_own_route_type() -> None:
    assert route_type_of_mode(Mode.RIDE_SHARING) == CARPOOL_ROUTE_TYPE


def test_every_mode_is_either_street_transit_or_ride() -> None:
    assert not STREET_MODES & TRANSIT_MODES
    assert STREET_MODES | TRANSIT_MODES | {Mode.RIDE_SHARING} == set(Mode)
    assert RAIL_MODES < TRANSIT_MODES
