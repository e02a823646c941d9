"""
Another operator looks for rides of our drivers: on one day, or on the days of a week.

It is shown offers to everyone; to whom others are made, its riders are not known to belong.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from carpool.bookings import DROPOFF_SLACK, LATE_ANSWER_BEFORE
from carpool.nearby import Area, Pair, area_around, best_pair, bodies_between, drive_nodes
from carpool.offers import WEEKDAYS, Offer
from carpool.quotes import Quote
from core.geo import Coordinate
from core.time import DAY_S, day_start_epoch_s
from mobility.mapping.found import FoundRide, FoundTrip
from mobility.world import World
from payments.rating import price_itinerary
from payments.tariff import FareLeg
from routing.raptor.body_table import Body
from routing.street.access import route_of_arcs

RADIUS_LIMIT_M = 20_000.0
"""Who looks farther around finds what is within this."""
RESULTS = 200
"""Rides of one answer, of as many as may match."""
DATES_AHEAD = 14
"""Dates of a regular trip that are told."""
DAYS_AHEAD = 60
"""How far ahead these are looked for."""
SHIFTS_S = (-DAY_S, 0, DAY_S)
"""A time of day on the day before a run, on it, and after midnight."""


@dataclass(frozen=True, slots=True)
class Around:
    """Between where a ride is looked for, and how many are wanted."""

    start: Coordinate
    end: Coordinate
    start_radius_m: float
    end_radius_m: float
    delta_s: int
    """By how much the pick-up may differ from the time asked for."""
    count: int = RESULTS


def search_rides(
    world: World, around: Around, at: dt.datetime, *, now: dt.datetime
) -> list[FoundRide]:
    """Rides around a moment that can still be booked, those nearest in time first."""
    network, areas = world.network, _areas(world, around)
    date = at.astimezone(network.zone).date()
    rides, base_s = world.rides_on(date), day_start_epoch_s(date, network.zone)
    wanted_s = int(at.timestamp()) - base_s
    bodies = world.flexible.bodies
    inside = bodies_between(bodies, *areas)[rides.body] & world.is_own[rides.offer]
    inside &= rides.earliest_s <= wanted_s + around.delta_s
    longest_s = (bodies.solo_s + bodies.budget_s)[rides.body]
    inside &= rides.latest_s + longest_s >= wanted_s - around.delta_s
    found: dict[tuple[str, dt.date], tuple[tuple[int, int], int, Pair]] = {}
    for row in inside.nonzero()[0].tolist():
        window, offer_row = (int(rides.earliest_s[row]), int(rides.latest_s[row])), rides.offer[row]
        pair = best_pair(
            world.bodies[offer_row], network.ground.drive_s, areas, leaves_s=window,
            wanted_s=wanted_s, delta_s=around.delta_s,
        )  # fmt: skip
        if pair is None or not bookable(base_s + pair.pickup_s, now):
            continue
        day = date + dt.timedelta(days=int(rides.day[row]))
        key = world.offers[offer_row].id, day  # parts of one booked ride are one car
        rank = abs(pair.pickup_s - wanted_s), pair.walk_s + pair.ride_s
        if key not in found or rank < found[key][0]:
            found[key] = rank, int(offer_row), pair
    best = sorted(found.items(), key=lambda item: (item[1][0], item[0]))[: around.count]
    return [
        _ride(world, areas, row, day, pair, base_s, metres_of(world, row, pair))
        for (_, day), (_, row, pair) in best
    ]


def search_trips(
    world: World,
    around: Around,
    clock_s: int,
    weekdays: frozenset[str],
    dates: tuple[dt.date, dt.date],
    *,
    now: dt.datetime,
) -> list[FoundTrip]:
    """
    Recurring offers around a time of day, those nearest to it first.

    Parameters
    ----------
    clock_s
        Seconds of the day of the pick-up, on the clock of the territory.
    weekdays
        Days of the week of the pick-up, one of which is enough.
    dates
        First and last date of a pick-up.
    """
    areas, drive_s = _areas(world, around), world.network.ground.drive_s
    inside = bodies_between(world.flexible.bodies, *areas)[world.body_rows] & world.is_own
    near: list[tuple[tuple[int, int, str], int, Pair]] = []
    for row in (inside & world.public).nonzero()[0].tolist():
        offer, body = world.offers[row], world.bodies[row]
        if offer.valid_from == offer.valid_to:
            continue
        near += [
            ((apart_s, pair.walk_s + pair.ride_s, offer.id), row, pair)
            for apart_s, pair in _pairs_of_day(offer, body, drive_s, areas, clock_s, around.delta_s)
        ]
    found: dict[int, FoundTrip] = {}
    for _, row, pair in sorted(near, key=lambda of: of[0]):
        if len(found) == around.count:
            break
        if row not in found:
            trip = _trip(world, areas, row, pair, weekdays, dates, now)
            found |= {} if trip is None else {row: trip}
    return list(found.values())


def _areas(world: World, around: Around) -> tuple[Area, Area]:
    radii = (min(r, RADIUS_LIMIT_M) for r in (around.start_radius_m, around.end_radius_m))
    start_m, end_m = radii
    return (
        area_around(world.network, around.start, start_m, towards=False),
        area_around(world.network, around.end, end_m, towards=True),
    )


def bookable(pickup_epoch_s: int, now: dt.datetime) -> bool:
    """Whether there is time enough to book a seat."""
    return pickup_epoch_s - LATE_ANSWER_BEFORE.total_seconds() > now.timestamp()


def _pairs_of_day(
    offer: Offer,
    body: Body,
    drive_s: npt.NDArray[np.uint16],
    areas: tuple[Area, Area],
    clock_s: int,
    delta_s: int,
) -> Iterator[tuple[int, Pair]]:
    """Pairs by how far the pick-up is from a time of day, the clock going round."""
    for shift_s in SHIFTS_S:
        pair = best_pair(
            body, drive_s, areas, leaves_s=(offer.depart_from_s, offer.depart_to_s),
            wanted_s=clock_s + shift_s, delta_s=delta_s,
        )  # fmt: skip
        if pair is not None:
            yield abs(pair.pickup_s - clock_s - shift_s), pair


def _trip(
    world: World,
    areas: tuple[Area, Area],
    row: int,
    pair: Pair,
    weekdays: frozenset[str],
    dates: tuple[dt.date, dt.date],
    now: dt.datetime,
) -> FoundTrip | None:
    """A recurring offer, if it runs on one of the days within the dates."""
    offer, zone = world.offers[row], world.network.zone
    days_on, clock_s = divmod(pair.pickup_s, DAY_S)
    runs = tuple(_shifted(day, days_on) for day in WEEKDAYS if day in offer.weekdays)
    wanted = tuple(day for day in runs if day in weekdays)
    if not wanted:
        return None
    shift, rides, metres = dt.timedelta(days=days_on), [], metres_of(world, row, pair)
    first = max(dates[0], now.astimezone(zone).date(), offer.valid_from + shift)
    for day in _days(first, dates[1]):
        base_s = day_start_epoch_s(day - shift, zone)
        if not offer.runs_on(day - shift) or WEEKDAYS[day.weekday()] not in wanted:
            continue
        if bookable(base_s + pair.pickup_s, now):
            rides.append(_ride(world, areas, row, day - shift, pair, base_s, metres))
        if len(rides) == DATES_AHEAD:
            break
    return FoundTrip(tuple(rides), wanted, clock_s) if rides else None


def _days(first: dt.date, last: dt.date) -> Iterable[dt.date]:
    span = min((last - first).days + 1, DAYS_AHEAD)
    return (first + dt.timedelta(days=i) for i in range(span))


def _shifted(day: str, days: int) -> str:
    return WEEKDAYS[(WEEKDAYS.index(day) + days) % 7]


def _ride(
    world: World,
    areas: tuple[Area, Area],
    row: int,
    date: dt.date,
    pair: Pair,
    base_s: int,
    metres: int,
) -> FoundRide:
    offer, body = world.offers[row], world.bodies[row]
    pickup, dropoff = int(body.point[pair.pickup]), int(body.point[pair.dropoff])
    walks = [
        int(area.walk_s[point]) if area.on_foot[point] else None
        for area, point in zip(areas, (pickup, dropoff), strict=True)
    ]
    quote = quote_of(world, row, date, pair, base_s + pair.pickup_s, metres)
    return FoundRide(offer, quote, pickup, dropoff, metres, body.seat_count, *walks)


def quote_of(
    world: World,
    row: int,
    date: dt.date,
    pair: Pair,
    pickup_s: int,
    metres: int,
    seats: int = 1,
) -> Quote:
    """What a rider is promised who is taken by an offer at an epoch second."""
    body, points = world.bodies[row], world.network.points
    price_cents, currency = _price(world, pickup_s, metres, seats)
    return Quote(
        offer=world.offers[row].id,
        date=date,
        pickup=points.id[int(body.point[pair.pickup])],
        dropoff=points.id[int(body.point[pair.dropoff])],
        pickup_s=pickup_s,
        dropoff_s=pickup_s + pair.ride_s,
        latest_s=pickup_s + pair.ride_s + int(DROPOFF_SLACK.total_seconds()),
        seats=seats,
        price_cents=price_cents,
        currency=currency,
    )


def metres_of(world: World, row: int, pair: Pair) -> int:
    """Way on which an offer takes a rider."""
    network = world.network
    nodes = drive_nodes(world.bodies[row], network.points.car_node, pair)
    path = [arc for a, b in pairwise(nodes) for arc in network.drive.path(a, b)]
    route = route_of_arcs(network.streets, network.arcs["car"], path)
    return 0 if route is None else round(route.metres)


def _price(world: World, pickup_s: int, metres: int, seats: int) -> tuple[int | None, str]:
    """What the ride costs by itself for all seats, as the tariff says."""
    if world.tariffs is None:
        return None, "EUR"
    at = dt.datetime.fromtimestamp(pickup_s, dt.UTC)
    leg = FareLeg("carpool", at, metres)
    price = price_itinerary(world.tariffs.versions, [leg], rider_count=seats)
    return price.amount_cents, price.currency
