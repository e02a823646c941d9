"""A rider asks the way: itineraries with their prices and CO2."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from functools import partial

from carpool.audience import ANYBODY, Need, Seeker
from core.ids import OfferId
from core.remember import Remembered
from mobility.actions.rate_riders import RiderFares
from mobility.mapping.co2 import co2_g
from mobility.mapping.criteria import criteria_table, with_prices
from mobility.mapping.fare_legs import fare_legs
from mobility.mapping.priced import OTHER_OPERATOR, PricedAnswer, PricedItinerary
from mobility.metrics import STAGE_S, timed
from mobility.world import World
from payments.bill import Price, charges_at
from payments.own_price import OwnPrices
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
    fares: RiderFares | None = None,
) -> PricedAnswer:
    """
    Search the world, the offers left out that are not for whoever asks, and price what was found.

    Who wants steps nowhere gets into cars alone that take wheelchairs. With `fares`, what a rider
    has used, each itinerary also says what it adds to his bill, and what adds less is searched.
    """
    if query.wheelchair and not query.wheelchair_unknown:
        seeker = replace(seeker, needs=seeker.needs | {Need.WHEELCHAIR})
    query = replace(query, rides_step_free=Need.WHEELCHAIR in seeker.needs)
    own_prices = None
    if world.tariffs is not None and fares is not None:
        own_prices = OwnPrices(world.tariffs, fares.legs, fares.rights, fares.spent, fares.choices)
    rides_on = partial(world.rides_for, seeker=seeker, without=without)
    with timed(STAGE_S, "search"):
        answer = plan_around(
            world.network,
            query,
            flexible=world.flexible,
            rides_on=rides_on,
            limits=world.snapshot.limits,
            criteria=_criteria_from(world, query, own_prices),
            shut=world.shut_elevators,
        )
    with timed(STAGE_S, "price"):
        return PricedAnswer(
            answer,
            tuple(_priced(world, query, itinerary, own_prices) for itinerary in answer.itineraries),
            tuple(_priced(world, query, itinerary, own_prices) for itinerary in answer.direct),
        )


def _criteria_from(
    world: World, query: PlanQuery, own_prices: OwnPrices | None
) -> Callable[[dt.datetime], CriteriaTable]:
    """What the search reads of prices: those of a rider, or of anybody where others go along."""
    table = _criteria((world.network, _tariff_at(world, query.at)))
    if own_prices is None or query.seats > 1:
        return lambda _: table
    return lambda since: with_prices(table, own_prices.least_additions(since))


def _tariff_at(world: World, at: dt.datetime) -> Tariff | None:
    """Version by whose prices a search looks for what is cheaper."""
    tariffs = world.tariffs
    return None if tariffs is None else tariffs.on(tariffs.fare_day(at))


def _priced(
    world: World, query: PlanQuery, itinerary: Itinerary, own_prices: OwnPrices | None
) -> PricedItinerary:
    outside = {
        row
        for row, leg in enumerate(itinerary.legs)
        if isinstance(leg, RideLeg) and world.offers[leg.offer].outside
    }
    tariffs = world.tariffs
    places = world.network.timetable if tariffs is not None and tariffs.asks_where else None
    legs, rows = fare_legs(itinerary, outside, places)
    emitted_g = co2_g(itinerary, query.seats)
    if tariffs is None:
        paid = legs or outside
        price = Price(None if paid else 0, "EUR", (), "", "no_tariff" if paid else None)
        return PricedItinerary(itinerary, price, emitted_g)
    price = _at_rows(
        price_itinerary(tariffs.versions, legs, rider_count=query.seats), rows, outside
    )
    own = None
    if own_prices is not None and legs:
        added = own_prices.price(legs)
        own = replace(added, charges=charges_at(added.charges, rows))
        if outside:
            own = replace(own, amount_cents=None)
        elif query.seats > 1 and own.amount_cents is not None and price.amount_cents is not None:
            # Whoever travels with him has no account: they pay what anybody pays.
            others_cents = price.amount_cents * (query.seats - 1) // query.seats
            own = replace(own, amount_cents=own.amount_cents + others_cents)
    return PricedItinerary(itinerary, price, emitted_g, own)


def _at_rows(price: Price, rows: Sequence[int], outside: Collection[int]) -> Price:
    """A price of fare legs as one of the legs of an itinerary, of which others price some."""
    amount_cents, reason = price.amount_cents, price.unknown_reason
    if outside and amount_cents is not None:
        amount_cents, reason = None, OTHER_OPERATOR
    charges = charges_at(price.charges, rows)
    return Price(amount_cents, price.currency, charges, price.tariff_hash, reason)
