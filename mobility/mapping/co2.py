"""
CO2 of legs, in grams for the whole group.

Factors are grams of CO2 equivalent per kilometre, use only (fuel and power, not construction),
from ADEME's Base Empreinte as restated by impactco2 on 2026-06-01: a passenger's for public
transport; a petrol or diesel car's is shared by those inside.
"""

from __future__ import annotations

from core.modes import Mode
from routing.itinerary import Itinerary, RideLeg, TransitLeg

GRAMS_PER_PASSENGER_KM = {
    Mode.TRAM: 3.8,
    Mode.SUBWAY: 4.2,
    Mode.BUS: 113.5,
    Mode.COACH: 33.1,
    Mode.HIGHSPEED_RAIL: 2.3,
    Mode.LONG_DISTANCE: 5.8,
    Mode.NIGHT_RAIL: 5.8,
    Mode.REGIONAL_FAST_RAIL: 22.9,
    Mode.REGIONAL_RAIL: 22.9,
    Mode.SUBURBAN: 6.6,
}
CAR_GRAMS_PER_KM = 110.6


def co2_g(itinerary: Itinerary, rider_count: int) -> int | None:
    """Grams for the group, or None when a leg has no factor or no length."""
    total = 0.0
    for leg in itinerary.legs:
        if leg.mode in (Mode.WALK, Mode.BIKE):
            continue
        if leg.shape is None:
            return None
        km = leg.shape.metres / 1000
        if isinstance(leg, TransitLeg):
            factor = GRAMS_PER_PASSENGER_KM.get(leg.mode)
            if factor is None:
                return None
            total += factor * km * rider_count
        elif isinstance(leg, RideLeg):
            total += CAR_GRAMS_PER_KM * km * rider_count / (rider_count + 1)
        else:
            total += CAR_GRAMS_PER_KM * km
    return round(total)
