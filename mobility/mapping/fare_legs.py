"""Itineraries → fare legs: what the tariff may know of a journey."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from itertools import groupby

from core.modes import RAIL_MODES, Mode, mode_of_route_type
from gtfs_data.timetable import NONE, Timetable
from payments.tariff import FareLeg
from routing.itinerary import Itinerary, Leg, TransitLeg

FARE_MODE = {
    Mode.TRAM: "tram",
    Mode.SUBWAY: "subway",
    Mode.BUS: "bus",
    Mode.COACH: "coach",
    Mode.FERRY: "ferry",
    Mode.RIDE_SHARING: "carpool",
    **dict.fromkeys(RAIL_MODES, "rail"),
}


def fare_mode(t: Timetable, route: int) -> str:
    """What the mode of a route is to the tariff."""
    mode = mode_of_route_type(int(t.route_type[route]))
    return "other" if mode is None else FARE_MODE.get(mode, "other")


def fare_legs(
    itinerary: Itinerary, without: Collection[int] = (), places: Timetable | None = None
) -> tuple[list[FareLeg], list[int]]:
    """
    Legs that are paid for, and which leg of the itinerary each is.

    A vehicle that goes on as another trip is boarded, and paid, once: by the mode in which it is
    boarded, for all of its way. The first of its legs stands for them. Legs of the rows `without`
    are paid for elsewhere. With `places` they tell their zones, line and operator, all with the id
    of their feed before them.
    """
    legs, rows = [], []
    for own in itinerary.vehicles:
        if own[0] in without:
            continue
        first = itinerary.legs[own[0]]
        shapes = [itinerary.legs[row].shape for row in own]
        metres = sum(0 if shape is None else round(shape.metres) for shape in shapes)
        seconds = int((itinerary.legs[own[-1]].end_at - first.start_at).total_seconds())
        mode = FARE_MODE.get(first.mode, "other")
        leg = FareLeg(mode, first.start_at, metres, seconds)
        if places is not None:
            leg = _with_places(leg, [itinerary.legs[row] for row in own], places)
        legs.append(leg)
        rows.append(own[0])
    return legs, rows


def _with_places(leg: FareLeg, parts: Sequence[Leg], t: Timetable) -> FareLeg:
    """Zones from stop to stop, none where the first or the last stop has none."""
    zones: list[str] = []
    rides = [part for part in parts if isinstance(part, TransitLeg)]
    if not rides:
        return leg
    for part in rides:
        first = int(t.pattern_first_stop[t.trip_pattern[part.trip]])
        calls = t.pattern_stop[first + part.board_position : first + part.alight_position + 1]
        zones += [t.stop_zone[stop] for stop in calls.tolist()]
    route = int(t.pattern_route[t.trip_pattern[rides[0].trip]])
    agency = int(t.route_agency[route])
    told = tuple(zone for zone, _ in groupby(filter(None, zones)))
    return replace(
        leg,
        zones=told if zones[0] and zones[-1] else (),
        route=t.route_id[route],
        operator="" if agency == NONE else t.agency_id[agency],
    )
