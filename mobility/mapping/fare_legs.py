"""Itineraries → fare legs: what the tariff may know of a journey."""

from __future__ import annotations

from collections.abc import Collection

from core.modes import RAIL_MODES, Mode
from payments.tariff import FareLeg
from routing.itinerary import Itinerary

FARE_MODE = {
    Mode.TRAM: "tram",
    Mode.SUBWAY: "subway",
    Mode.BUS: "bus",
    Mode.COACH: "coach",
    Mode.FERRY: "ferry",
    Mode.RIDE_SHARING: "carpool",
    **dict.fromkeys(RAIL_MODES, "rail"),
}


def fare_legs(
    itinerary: Itinerary, without: Collection[int] = ()
) -> tuple[list[FareLeg], list[int]]:
    """
    Legs that are paid for, and which leg of the itinerary each is.

    A vehicle that goes on as another trip is boarded, and paid, once: by the mode in which it is
    boarded, for all of its way. The first of its legs stands for them. Legs of the rows `without`
    are paid for elsewhere.
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
        legs.append(FareLeg(mode, first.start_at, metres, seconds))
        rows.append(own[0])
    return legs, rows
