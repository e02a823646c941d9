"""Rides of an itinerary → quotes: what its rider is promised if he books what he sees."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection

from carpool.audience import Need
from carpool.bookings import DROPOFF_SLACK
from carpool.quotes import Quote
from core.geo import Coordinate
from mobility.mapping.priced import OTHER_OPERATOR, PricedItinerary
from mobility.world import World
from payments.bill import Price
from routing.itinerary import Itinerary, LegPlace, RideLeg, StreetLeg
from routing.network import Network

CHANGE = dt.timedelta(minutes=2)
"""What stays between a rider's arrival at the next vehicle and its departure, however late."""


def quotes_of(
    world: World, priced: PricedItinerary, seats: int, needs: Collection[Need] = ()
) -> dict[int, Quote]:
    """Quotes of an itinerary's rides with drivers here, by the rows of their legs."""
    it, points = priced.itinerary, world.network.points
    found = {}
    for row, leg in enumerate(it.legs):
        if not isinstance(leg, RideLeg) or world.offers[leg.offer].outside:
            continue
        ends = [_place(world.network, place) for place in (leg.start, leg.end)]
        found[row] = Quote(
            offer=world.offers[leg.offer].id,
            date=leg.date,
            pickup=points.id[ends[0][0]],
            dropoff=points.id[ends[1][0]],
            pickup_s=int(leg.start_at.timestamp()),
            dropoff_s=int(leg.end_at.timestamp()),
            latest_s=int((leg.end_at + _spare(it, row)).timestamp()),
            seats=seats,
            price_cents=_price_cents(priced.price, row),
            currency=priced.price.currency,
            needs=tuple(sorted(needs)),
            pickup_door=ends[0][1],
            dropoff_door=ends[1][1],
        )
    return found


def _place(network: Network, place: LegPlace) -> tuple[int, Coordinate | None]:
    """Meeting point of a ride's end, or the one that stands for a door, and that door."""
    if place.point is not None:
        return place.point, None
    door = network.door_at(place.coordinate)
    assert door is not None
    return door.stand_in, place.coordinate


def _spare(it: Itinerary, row: int) -> dt.timedelta:
    """How much later than planned a ride may end, so that what follows is still caught."""
    ends_at = it.legs[row].end_at
    for leg in it.legs[row + 1 :]:
        if not isinstance(leg, StreetLeg):
            wait = leg.start_at - ends_at - CHANGE
            return min(DROPOFF_SLACK, max(wait, dt.timedelta()))
        ends_at = leg.end_at
    return DROPOFF_SLACK


def _price_cents(price: Price, row: int) -> int | None:
    """What the leg adds; a charge for several legs stands at the first of them."""
    if price.amount_cents is None and price.unknown_reason != OTHER_OPERATOR:
        return None
    return sum(c.amount_cents for c in price.charges if c.legs[0] == row)
