"""Itineraries with what they cost."""

from __future__ import annotations

from dataclasses import dataclass

from payments.bill import Price
from payments.own_price import Addition
from routing.itinerary import Itinerary, PlanAnswer

OTHER_OPERATOR = "other_operator"
"""Why a price is unknown: another operator asks for a part of it; charges are for the rest."""


@dataclass(frozen=True, slots=True)
class PricedItinerary:
    """An itinerary with what it costs the group, and the air."""

    itinerary: Itinerary
    price: Price
    co2_g: int | None
    own: Addition | None = None
    """What it adds to the bill of the rider who asks; its charges name legs of the itinerary."""


@dataclass(frozen=True, slots=True)
class PricedAnswer:
    """Answer of one search, priced."""

    answer: PlanAnswer
    itineraries: tuple[PricedItinerary, ...]
    direct: tuple[PricedItinerary, ...]
