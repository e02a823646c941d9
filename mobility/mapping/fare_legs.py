"""Itineraries → fare legs: what the tariff may know of a journey."""

from __future__ import annotations

from core.modes import RAIL_MODES, Mode
from payments.rating import FareLeg
from routing.itinerary import Itinerary, RideLeg, TransitLeg

FARE_MODE = {
    Mode.TRAM: "tram",
    Mode.SUBWAY: "subway",
    Mode.BUS: "bus",
    Mode.COACH: "coach",
    Mode.FERRY: "ferry",
    Mode.RIDE_SHARING: "carpool",
    **dict.fromkeys(RAIL_MODES, "rail"),
}


def fare_legs(itinerary: Itinerary) -> tuple[list[FareLeg], list[int]]:
    """Legs that are paid for, and which leg of the itinerary each is."""
    legs, rows = [], []
    for row, leg in enumerate(itinerary.legs):
        if isinstance(leg, TransitLeg | RideLeg):
            metres = 0 if leg.shape is None else round(leg.shape.metres)
            legs.append(FareLeg(FARE_MODE.get(leg.mode, "other"), leg.start_at, metres))
            rows.append(row)
    return legs, rows
