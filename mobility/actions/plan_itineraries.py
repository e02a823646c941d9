"""A rider asks the way: itineraries with their prices and CO2."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from functools import partial

from carpool.audience import ANYBODY, Need, Seeker
from core.ids import OfferId
from core.remember import Remembered
from mobility.mapping.co2 import co2_g
from mobility.mapping.criteria import criteria_table
from mobility.mapping.fare_legs import fare_legs
from mobility.mapping.priced import OTHER_OPERATOR, PricedAnswer, PricedItinerary
from mobility.metrics import STAGE_S, timed
from mobility.world import World
from payments.bill import Charge, Price
from payments.rating import price_itinerary
from payments.tariff import Tariff
from routing.itinerary import Itinerary, RideLeg
from routing.network import Network
from routing.outages import plan_around
from routing.query import PlanQuery
from routing.raptor.criteria import CriteriaTable

SNAPSHOTS_KEPT = 2
"""The one that serves, and the one before while it is switched."""
_criteria: Remembered[tuple[Network, Tariff | None], CriteriaTable] = Remembered(
    lambda of: criteria_table(of[0].timetable, of[1]), SNAPSHOTS_KEPT
)


def plan_itineraries(
    world: World,
    query: PlanQuery,
    *,
    seeker: Seeker = ANYBODY,
    without: Collection[OfferId] = (),
) -> PricedAnswer:
    """
    Search the world, the offers left out that are not for whoever asks, and price what was found.

    Who wants steps nowhere gets into cars alone that take wheelchairs.
    """
    if query.wheelchair and not query.wheelchair_unknown:
        seeker = replace(seeker, needs=seeker.needs | {Need.WHEELCHAIR})
    query = replace(query, rides_step_free=Need.WHEELCHAIR in seeker.needs)
    rides_on = partial(world.rides_for, seeker=seeker, without=without)
    with timed(STAGE_S, "search"):
        answer = plan_around(
            world.network,
            query,
            flexible=world.flexible,
            rides_on=rides_on,
            limits=world.snapshot.limits,
            criteria=_criteria((world.network, world.snapshot.tariff)),
            shut=world.shut_elevators,
        )
    with timed(STAGE_S, "price"):
        return PricedAnswer(
            answer,
            tuple(_priced(world, query, itinerary) for itinerary in answer.itineraries),
            tuple(_priced(world, query, itinerary) for itinerary in answer.direct),
        )


def _priced(world: World, query: PlanQuery, itinerary: Itinerary) -> PricedItinerary:
    return PricedItinerary(
        itinerary, _price(world, query, itinerary), co2_g(itinerary, query.seats)
    )


def _price(world: World, query: PlanQuery, itinerary: Itinerary) -> Price:
    outside = {
        row
        for row, leg in enumerate(itinerary.legs)
        if isinstance(leg, RideLeg) and world.offers[leg.offer].outside
    }
    tariff = world.snapshot.tariff
    places = world.network.timetable if tariff is not None and tariff.asks_where else None
    legs, rows = fare_legs(itinerary, outside, places)
    if tariff is None:
        paid = legs or outside
        return Price(None if paid else 0, "EUR", (), "", "no_tariff" if paid else None)
    price = price_itinerary(tariff, legs, rider_count=query.seats)
    charges = tuple(
        Charge(c.rule, c.kind, tuple(rows[i] for i in c.legs), c.amount_cents)
        for c in price.charges
    )
    amount_cents, reason = price.amount_cents, price.unknown_reason
    if outside and amount_cents is not None:
        amount_cents, reason = None, OTHER_OPERATOR
    return Price(amount_cents, price.currency, charges, price.tariff_hash, reason)
