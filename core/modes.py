"""Modes of travel: names as the MOTIS API writes them, and what GTFS route types mean."""

from __future__ import annotations

from enum import StrEnum


class Mode(StrEnum):
    """How a leg is travelled. Values are those of the MOTIS 2 API."""

    WALK = "WALK"
    BIKE = "BIKE"
    CAR = "CAR"
    RIDE_SHARING = "RIDE_SHARING"
    TRAM = "TRAM"
    SUBWAY = "SUBWAY"
    FERRY = "FERRY"
    AIRPLANE = "AIRPLANE"
    BUS = "BUS"
    COACH = "COACH"
    SUBURBAN = "SUBURBAN"
    HIGHSPEED_RAIL = "HIGHSPEED_RAIL"
    LONG_DISTANCE = "LONG_DISTANCE"
    NIGHT_RAIL = "NIGHT_RAIL"
    REGIONAL_FAST_RAIL = "REGIONAL_FAST_RAIL"
    REGIONAL_RAIL = "REGIONAL_RAIL"
    FUNICULAR = "FUNICULAR"
    AERIAL_LIFT = "AERIAL_LIFT"
    OTHER = "OTHER"


STREET_MODES = frozenset({Mode.WALK, Mode.BIKE, Mode.CAR})
RAIL_MODES = frozenset(
    {
        Mode.HIGHSPEED_RAIL,
        Mode.LONG_DISTANCE,
        Mode.NIGHT_RAIL,
        Mode.REGIONAL_FAST_RAIL,
        Mode.REGIONAL_RAIL,
        Mode.SUBURBAN,
    }
)
TRANSIT_MODES = frozenset(Mode) - STREET_MODES - {Mode.RIDE_SHARING}

CARPOOL_ROUTE_TYPE = 1551
"""Extended GTFS route type of an offer that goes at a stated time."""

_BASIC = {
    0: Mode.TRAM,
    1: Mode.SUBWAY,
    2: Mode.REGIONAL_RAIL,
    3: Mode.BUS,
    4: Mode.FERRY,
    5: Mode.TRAM,  # cable tram
    6: Mode.AERIAL_LIFT,
    7: Mode.FUNICULAR,
    11: Mode.BUS,  # trolleybus
    12: Mode.REGIONAL_RAIL,  # monorail
}
_RAIL = {
    101: Mode.HIGHSPEED_RAIL,
    102: Mode.LONG_DISTANCE,
    103: Mode.REGIONAL_FAST_RAIL,
    105: Mode.NIGHT_RAIL,
    109: Mode.SUBURBAN,
}
_HUNDREDS = {
    1: Mode.REGIONAL_RAIL,
    2: Mode.COACH,
    3: Mode.SUBURBAN,
    4: Mode.SUBWAY,
    5: Mode.SUBWAY,
    6: Mode.SUBWAY,
    7: Mode.BUS,
    8: Mode.BUS,  # trolleybus
    9: Mode.TRAM,
    10: Mode.FERRY,
    11: Mode.AIRPLANE,
    12: Mode.FERRY,
    13: Mode.AERIAL_LIFT,
    14: Mode.FUNICULAR,
}


def mode_of_route_type(route_type: int) -> Mode | None:
    """Mode of a basic or extended GTFS route type; None when the type is not defined."""
    if route_type in _BASIC:
        return _BASIC[route_type]
    if route_type in _RAIL:
        return _RAIL[route_type]
    if route_type in (CARPOOL_ROUTE_TYPE, 1500, 1501, 1700):
        return Mode.OTHER
    return _HUNDREDS.get(route_type // 100) if 100 <= route_type < 1500 else None


def route_type_of_mode(mode: Mode) -> int:
    """Smallest GTFS route type that has this mode (extended where no basic one has it)."""
    for table in (_BASIC, _RAIL):
        for route_type, candidate in table.items():
            if candidate is mode:
                return route_type
    for hundred, candidate in _HUNDREDS.items():
        if candidate is mode:
            return hundred * 100
    return CARPOOL_ROUTE_TYPE if mode is Mode.RIDE_SHARING else 1700
