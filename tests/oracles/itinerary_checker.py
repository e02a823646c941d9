"""
Does an itinerary hold? Every leg against the raw feeds, the streets and the drivers' budgets.

Reads the answer as a client does (MOTIS 2 JSON) and the feeds as their authors wrote them (CSV in
a ZIP); shares no code with the planner. A checker returns sentences, one per violation.
"""

from __future__ import annotations

import datetime as dt
import itertools
import math
from collections.abc import Iterator
from typing import TYPE_CHECKING

from core.geo import Coordinate, distance_m
from tests.oracles.carpool_oracle import PICKUP_STOP_S, DriverWay, clock_epoch_s
from tests.oracles.check_context import (
    RIDE,
    STAYS,
    STREET_MODES,
    WALK_TOLERANCE_S,
    CheckContext,
    Json,
    apart_m,
    coordinate_of,
    end_of,
    instant_s,
)
from tests.oracles.vehicle_checker import check_aboard, check_vehicle
from tests.oracles.walk_checker import check_walk, rules_between

if TYPE_CHECKING:
    from carpool.offers import Offer

CHANGE_S = 60
CARPOOL_CHANGE_S = 300
SAME_PLACE_M = 1.0
STREET_ENDS_M = 100.0
TRANSIT_ENDS_M = 300.0
WALK_MPS = 1.3
FORBIDDEN, MINIMUM_TIME = "3", "2"


def check_itinerary(itinerary: Json, context: CheckContext) -> list[str]:
    """Everything that does not hold in an itinerary; empty when all does."""
    legs = itinerary["legs"]
    if not legs:
        return ["no legs"]
    found = list(_check_frame(itinerary, context))
    found += _check_price(itinerary)
    for i, leg in enumerate(legs):
        found += [f"leg {i} ({leg['mode']}): {text}" for text in _check_leg(legs, i, context)]
    found += _check_changes(legs, context)
    return found


def _check_frame(itinerary: Json, context: CheckContext) -> Iterator[str]:
    legs = itinerary["legs"]
    start_s, end_s = instant_s(itinerary["startTime"]), instant_s(itinerary["endTime"])
    if start_s != instant_s(legs[0]["startTime"]) or end_s != instant_s(legs[-1]["endTime"]):
        yield "startTime or endTime is not that of the first or last leg"
    if itinerary["duration"] != end_s - start_s:
        yield f"duration {itinerary['duration']} is not {end_s - start_s} s"
    vehicles = sum(leg["mode"] not in STREET_MODES and not leg.get(STAYS) for leg in legs)
    if itinerary["transfers"] != max(0, vehicles - 1):
        yield f"{itinerary['transfers']} transfers with {vehicles} vehicles"
    if context.earliest_at is not None and start_s < context.earliest_at.timestamp():
        yield f"starts at {itinerary['startTime']}, before the rider can"
    if context.latest_at is not None and end_s > context.latest_at.timestamp():
        yield f"ends at {itinerary['endTime']}, after the rider must"
    for i, (a, b) in enumerate(itertools.pairwise(legs)):
        if instant_s(b["startTime"]) < instant_s(a["endTime"]):
            yield f"leg {i + 1} starts at {b['startTime']}, before leg {i} ends at {a['endTime']}"
        if b.get(STAYS):
            continue  # the vehicle's own way from one trip to the next
        if apart_m(a["to"], b["from"]) > SAME_PLACE_M and not _walked_silently(legs, i, context):
            yield f"leg {i + 1} starts {apart_m(a['to'], b['from']):.0f} m from leg {i}'s end"
        if a["mode"] == "WALK" == b["mode"]:
            yield f"legs {i} and {i + 1} are both walks"
    family = "street" if vehicles == 0 else "transit"
    if any(leg["mode"] == RIDE for leg in legs):
        family = "carpool"
    extra = itinerary.get("mobility") or {}
    if extra.get("family") != family:
        yield f"family is {extra.get('family')!r}, legs say {family!r}"
    co2_g = extra.get("co2_g")
    if co2_g is not None and (not isinstance(co2_g, int) or co2_g < 0):
        yield f"co2_g is {co2_g!r}"


def _walked_silently(legs: list[Json], i: int, context: CheckContext) -> bool:
    """Two places at one street node: a walk of no length has no leg."""
    a, b = end_of(legs, i, "to", context), end_of(legs, i + 1, "from", context)
    walks = context.streets.walk_choices_s(a.hung, b.hung, WALK_TOLERANCE_S)
    return bool(walks)


def _check_price(itinerary: Json) -> Iterator[str]:
    price = (itinerary.get("mobility") or {}).get("price")
    if price is None:
        return
    charges, amount = price.get("charges", []), price["amount_cents"]
    total = sum(charge["amount_cents"] for charge in charges)
    if amount is None and not price.get("unknown_reason"):
        yield "price: unknown without a reason"
    if amount is not None and amount != total:
        yield f"price: charges add up to {total}, the amount is {amount} cents"
    for charge in charges:
        if not charge["legs"]:
            yield f"price: charge {charge['rule']!r} names no leg"
        for leg in charge["legs"]:
            if not 0 <= leg < len(itinerary["legs"]):
                yield f"price: charge {charge['rule']!r} names leg {leg}, which is not there"
            elif itinerary["legs"][leg]["mode"] == "WALK":
                yield f"price: charge {charge['rule']!r} is for walking (leg {leg})"


def _check_leg(legs: list[Json], i: int, context: CheckContext) -> Iterator[str]:
    leg = legs[i]
    start_s, end_s = instant_s(leg["startTime"]), instant_s(leg["endTime"])
    if end_s < start_s:
        yield "ends before it starts"
    if leg["duration"] != end_s - start_s:
        yield f"duration {leg['duration']} is not {end_s - start_s} s"
    if not leg.get("realTime"):
        scheduled = instant_s(leg["scheduledStartTime"]), instant_s(leg["scheduledEndTime"])
        if scheduled != (start_s, end_s):
            yield "scheduled times differ though nothing is in real time"
    for side, when in (("from", "departure"), ("to", "arrival")):
        told = leg[side].get(when)
        if told is not None and instant_s(told) != (start_s if side == "from" else end_s):
            yield f"{side}.{when} {told} is not the leg's time"
        end = end_of(legs, i, side, context)
        if end.coordinate is None:
            yield f"{side}: no place {end.id!r}"
        elif distance_m(end.coordinate, coordinate_of(leg[side])) > SAME_PLACE_M:
            away_m = distance_m(end.coordinate, coordinate_of(leg[side]))
            yield f"{side} lies {away_m:.0f} m from {end.kind} {end.id}"
    yield from _check_geometry(leg)
    if leg["mode"] == "WALK":
        yield from check_walk(legs, i, context)
    elif leg["mode"] == RIDE:
        yield from _check_ride(leg, context)
    elif leg["mode"] not in STREET_MODES:
        goes_on = i + 1 < len(legs) and bool(legs[i + 1].get(STAYS))
        yield from check_vehicle(leg, context, goes_on=goes_on)


# --- geometry ---------------------------------------------------------------------------------


def decoded(points: str, precision: int) -> list[Coordinate]:
    """Undo Google's polyline encoding."""
    values, number, shift = [], 0, 0
    for character in points:
        chunk = ord(character) - 63
        number |= (chunk & 31) << shift
        shift += 5
        if chunk < 32:
            values.append(~(number >> 1) if number & 1 else number >> 1)
            number, shift = 0, 0
    lat = lon = 0
    places = []
    for d_lat, d_lon in zip(values[::2], values[1::2], strict=True):
        lat, lon = lat + d_lat, lon + d_lon
        places.append(Coordinate(lat / 10**precision, lon / 10**precision))
    return places


def _check_geometry(leg: Json) -> Iterator[str]:
    geometry = leg["legGeometry"]
    if geometry["precision"] != 6:
        yield f"geometry has precision {geometry['precision']}"
    line = decoded(geometry["points"], geometry["precision"])
    if geometry["length"] != len(line):
        yield f"geometry tells {geometry['length']} points and has {len(line)}"
    if not line:
        yield "geometry is empty"
        return
    street = leg["mode"] in STREET_MODES or leg["mode"] == RIDE
    limit_m = STREET_ENDS_M if street else TRANSIT_ENDS_M
    for side, place in (("from", line[0]), ("to", line[-1])):
        away_m = distance_m(place, coordinate_of(leg[side]))
        # Somebody far from any street has a straight line first.
        if away_m > limit_m:
            yield f"geometry ends {away_m:.0f} m from its {side!r}"
    metres = sum(distance_m(a, b) for a, b in itertools.pairwise(line))
    told_m = leg.get("distance")
    if street and told_m is not None and abs(told_m - metres) > 5 + 0.01 * metres:
        yield f"distance {told_m} m, its line has {metres:.0f} m"
    if leg["mode"] == "WALK" and metres > 1.1 * WALK_MPS * leg["duration"] + 30:
        yield f"line of {metres:.0f} m walked in {leg['duration']} s"


# --- changes ----------------------------------------------------------------------------------


def _check_changes(legs: list[Json], context: CheckContext) -> Iterator[str]:
    vehicles = [i for i, leg in enumerate(legs) if leg["mode"] not in STREET_MODES]
    for side, i, own in (("from", 0, "origin"), ("to", len(legs) - 1, "destination")):
        if i in vehicles:
            end = end_of(legs, i, side, context)
            hung = context.origin_hung if side == "from" else context.destination_hung
            walks = (hung, end.hung) if side == "from" else (end.hung, hung)
            if not context.streets.walk_choices_s(*walks, WALK_TOLERANCE_S):
                yield f"leg {i} is no walk, yet {end.id} is not at the {own}"
    for i, j in itertools.pairwise(vehicles):
        a, b = legs[i], legs[j]
        if b.get(STAYS):
            yield from check_aboard(a, b, context)
            continue
        gap_s = instant_s(b["startTime"]) - instant_s(a["endTime"])
        walk_s = sum(leg["duration"] for leg in legs[i + 1 : j])
        change_s = CARPOOL_CHANGE_S if a["mode"] == RIDE else CHANGE_S
        if gap_s < change_s + walk_s:
            yield f"change from leg {i} to leg {j}: {gap_s} s for {walk_s} s on foot + {change_s} s"
        if RIDE in (a["mode"], b["mode"]):
            continue
        for row in rules_between(a["to"]["stopId"], b["from"]["stopId"], context):
            kind = row.get("transfer_type") or "0"
            if kind == FORBIDDEN:
                yield f"change from leg {i} to leg {j} is forbidden by transfers.txt"
            if kind == MINIMUM_TIME and gap_s < int(row.get("min_transfer_time") or 0):
                yield f"change from leg {i} to leg {j}: {gap_s} s, transfers.txt asks for more"


# --- rides ------------------------------------------------------------------------------------


def _check_ride(leg: Json, context: CheckContext) -> Iterator[str]:
    told = leg["mobility"]
    offer = context.offer_of.get(str(told["offer_id"]))
    if offer is None:
        yield f"no offer {told['offer_id']!r}"
        return
    date = dt.date.fromisoformat(told["date"])
    if not offer.runs_on(date):
        yield f"offer {offer.id} does not run on {date}"
    if not context.seats <= told["seats_left"] <= offer.seat_count:
        yield f"{told['seats_left']} seats left of {offer.seat_count} for {context.seats}"
    if told["detour_budget_s"] != offer.detour_budget_s:
        yield f"budget {told['detour_budget_s']} s, the driver says {offer.detour_budget_s} s"
    rows = [context.streets.point_row.get(told[k]) for k in ("pickup_point_id", "dropoff_point_id")]
    pickup, dropoff = rows
    if pickup is None or dropoff is None:
        return  # told by the places' check
    if pickup == dropoff:
        yield "gets out where it got in"
    start_s, end_s = instant_s(leg["startTime"]), instant_s(leg["endTime"])
    window_s = (
        clock_epoch_s(date, offer.depart_from_s, context.zone),
        clock_epoch_s(date, offer.depart_to_s, context.zone),
    )
    attempts = []
    for way in context.drives.ways(offer):
        segments = len(way.from_start_s)
        attempts += [
            list(_check_drive(told, offer, way, (i, j), (pickup, dropoff), (start_s, end_s),
                              window_s, context))
            for i in range(segments) for j in range(i, segments)
        ]  # fmt: skip
    yield from min(attempts, key=len, default=[f"no road for offer {offer.id}"])


def _check_drive(
    told: Json,
    offer: Offer,
    way: DriverWay,
    segments: tuple[int, int],
    points: tuple[int, int],
    times_s: tuple[int, int],
    window_s: tuple[int, int],
    context: CheckContext,
) -> Iterator[str]:
    """One ride driven again: df + M + db ≤ T0 + budget, and the clock."""
    df = int(way.from_start_s[segments[0]][points[0]])
    db = int(way.to_end_s[segments[1]][points[1]])
    m = int(context.drives.between_s[points])
    if segments[0] != segments[1]:
        through = int(way.to_end_s[segments[0]][points[0]])
        m = through + int(way.from_start_s[segments[1]][points[1]]) - way.solo_s
    whole = f"{df} + {m} + {db} s instead of {way.solo_s} s"
    if df + m + db > way.solo_s + offer.detour_budget_s:
        yield f"offer {offer.id} drives {whole}, over his budget of {offer.detour_budget_s} s"
    detour_s = df + m + db - way.solo_s
    if not (told["detour_s"] % 300 == 0 and detour_s <= told["detour_s"] < detour_s + 300):
        yield f"tells a detour of {told['detour_s']} s, offer {offer.id} drives {whole}"
    if told["drive_s"] != m:
        yield f"tells a drive of {told['drive_s']} s, the streets say {m} s"
    leaves_s = times_s[0] - df
    if not window_s[0] <= leaves_s <= window_s[1]:
        before = math.copysign(1, leaves_s - window_s[0]) < 0
        off_s = window_s[0] - leaves_s if before else leaves_s - window_s[1]
        yield f"offer {offer.id} must leave {off_s} s too {'early' if before else 'late'}"
    if times_s[1] != times_s[0] + PICKUP_STOP_S + m:
        yield f"takes {times_s[1] - times_s[0]} s, not {PICKUP_STOP_S} + {m} s"
