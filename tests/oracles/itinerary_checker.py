"""
Does an itinerary hold? Every leg against the raw feeds, the streets and the drivers' budgets.

Reads the answer as a client does (MOTIS 2 JSON) and the feeds as their authors wrote them (CSV in
a ZIP); shares no code with the planner. A checker returns sentences, one per violation.
"""

from __future__ import annotations

import datetime as dt
import itertools
import math
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from core.geo import Coordinate, distance_m
from tests.oracles.carpool_oracle import PICKUP_STOP_S, DriverWay, OfferDrives, clock_epoch_s
from tests.oracles.feed_tables import FeedTables, ListedCall
from tests.oracles.street_oracle import STOP_LIMIT_M, Hung, StreetOracle

if TYPE_CHECKING:
    from carpool.offers import Offer

Json = Mapping[str, Any]
WALK_LIMIT_S = 900
DIRECT_WALK_LIMIT_S = 1800
WALK_TOLERANCE_S = 2
CHANGE_S = 60
CARPOOL_CHANGE_S = 300
SAME_PLACE_M = 1.0
STREET_ENDS_M = 100.0
TRANSIT_ENDS_M = 300.0
WALK_MPS = 1.3
FORBIDDEN, MINIMUM_TIME = "3", "2"
STREET_MODES = frozenset({"WALK", "BIKE", "CAR"})
RIDE = "RIDE_SHARING"
STAYS = "interlineWithPreviousLeg"
LONGEST_STAND_S = 1_800
SEAM_M = 100.0
DAYS_BACK = 3
"""A trip seen today may have started on a service day this long ago."""
MODES_OF_TYPE = {
    0: {"TRAM"}, 1: {"SUBWAY", "METRO"}, 2: {"RAIL", "REGIONAL_RAIL", "HIGHSPEED_RAIL", "SUBURBAN",
    "LONG_DISTANCE", "NIGHT_RAIL", "REGIONAL_FAST_RAIL"}, 3: {"BUS", "COACH"}, 4: {"FERRY"},
    5: {"TRAM", "CABLE_CAR"}, 6: {"AERIAL_LIFT", "AREAL_LIFT"}, 7: {"FUNICULAR"},
    11: {"BUS", "TROLLEYBUS"}, 12: {"MONORAIL", "SUBURBAN", "RAIL", "TRAM"},
}  # fmt: skip


@dataclass
class CheckContext:
    """What one answer is checked against."""

    streets: StreetOracle
    feeds: Mapping[str, FeedTables]
    drives: OfferDrives
    origin: Coordinate
    destination: Coordinate
    zone: ZoneInfo
    earliest_at: dt.datetime | None = None
    latest_at: dt.datetime | None = None
    seats: int = 1
    stop_hung: dict[str, list[Hung]] = field(default_factory=dict)
    """Kept between answers, as snapping by brute force takes milliseconds."""

    @cached_property
    def origin_hung(self) -> list[Hung]:
        return self.streets.person(self.origin)

    @cached_property
    def destination_hung(self) -> list[Hung]:
        return self.streets.person(self.destination)

    @cached_property
    def offer_of(self) -> dict[str, Offer]:
        return {str(offer.id): offer for offer in self.drives.offers}

    def feed_of(self, scoped_id: str) -> tuple[FeedTables, str] | None:
        """Feed and its own id of a scoped id."""
        feed_id, _, own = scoped_id.partition(":")
        return (self.feeds[feed_id], own) if feed_id in self.feeds else None

    def at_stop(self, stop_id: str) -> list[Hung]:
        """A stop on the footways."""
        if stop_id not in self.stop_hung:
            feed, own = self.feed_of(stop_id) or (None, "")
            place = feed.coordinate(own) if feed is not None and own in feed.stops else None
            self.stop_hung[stop_id] = (
                [] if place is None else self.streets.person(place, STOP_LIMIT_M)
            )
        return self.stop_hung[stop_id]


@dataclass(frozen=True, slots=True)
class End:
    """An end of a leg in the checker's own terms."""

    kind: str
    """`query`, `stop` or `point`."""
    id: str
    hung: list[Hung]
    coordinate: Coordinate | None


def instant_s(text: str) -> int:
    """Epoch second of an ISO 8601 instant with an offset."""
    moment = dt.datetime.fromisoformat(text)
    assert moment.tzinfo is not None, f"{text} has no offset"
    return int(moment.timestamp())


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
        if _apart_m(a["to"], b["from"]) > SAME_PLACE_M and not _walked_silently(legs, i, context):
            yield f"leg {i + 1} starts {_apart_m(a['to'], b['from']):.0f} m from leg {i}'s end"
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
    a, b = _end(legs, i, "to", context), _end(legs, i + 1, "from", context)
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
        end = _end(legs, i, side, context)
        if end.coordinate is None:
            yield f"{side}: no place {end.id!r}"
        elif distance_m(end.coordinate, _coordinate(leg[side])) > SAME_PLACE_M:
            away_m = distance_m(end.coordinate, _coordinate(leg[side]))
            yield f"{side} lies {away_m:.0f} m from {end.kind} {end.id}"
    yield from _check_geometry(leg)
    if leg["mode"] == "WALK":
        yield from _check_walk(legs, i, context)
    elif leg["mode"] == RIDE:
        yield from _check_ride(leg, context)
    elif leg["mode"] not in STREET_MODES:
        goes_on = i + 1 < len(legs) and bool(legs[i + 1].get(STAYS))
        yield from _check_vehicle(leg, context, goes_on=goes_on)


def _coordinate(place: Json) -> Coordinate:
    return Coordinate(float(place["lat"]), float(place["lon"]))


def _apart_m(a: Json, b: Json) -> float:
    return distance_m(_coordinate(a), _coordinate(b))


def _end(legs: list[Json], i: int, side: str, context: CheckContext) -> End:
    """What a leg's end must be, told by the leg or, for walks, by its neighbours."""
    leg = legs[i]
    if leg["mode"] in STREET_MODES:
        neighbour = i - 1 if side == "from" else i + 1
        if neighbour < 0:
            return End("query", "origin", context.origin_hung, context.origin)
        if neighbour == len(legs):
            return End("query", "destination", context.destination_hung, context.destination)
        if legs[neighbour]["mode"] in STREET_MODES:
            return End("place", "between walks", [], None)
        return _end(legs, neighbour, "to" if side == "from" else "from", context)
    if leg["mode"] == RIDE:
        point = leg["mobility"]["pickup_point_id" if side == "from" else "dropoff_point_id"]
        row = context.streets.point_row.get(point)
        if row is None:
            return End("point", point, [], None)
        p = context.streets.points
        place = Coordinate(float(p.lat[row]), float(p.lon[row]))
        return End("point", point, [context.streets.at_point(row, car=False)], place)
    stop_id = leg[side].get("stopId", "")
    feed, own = context.feed_of(stop_id) or (None, "")
    if feed is None or own not in feed.stops:
        return End("stop", stop_id, [], None)
    return End("stop", stop_id, context.at_stop(stop_id), feed.coordinate(own))


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
        away_m = distance_m(place, _coordinate(leg[side]))
        # Somebody far from any street has a straight line first.
        if away_m > limit_m:
            yield f"geometry ends {away_m:.0f} m from its {side!r}"
    metres = sum(distance_m(a, b) for a, b in itertools.pairwise(line))
    told_m = leg.get("distance")
    if street and told_m is not None and abs(told_m - metres) > 5 + 0.01 * metres:
        yield f"distance {told_m} m, its line has {metres:.0f} m"
    if leg["mode"] == "WALK" and metres > 1.1 * WALK_MPS * leg["duration"] + 30:
        yield f"line of {metres:.0f} m walked in {leg['duration']} s"


# --- walks ------------------------------------------------------------------------------------


def _check_walk(legs: list[Json], i: int, context: CheckContext) -> Iterator[str]:
    leg = legs[i]
    if leg.get("mobility", {}).get("pathways"):
        return  # the inside of stations is judged by `wheelchair_checker`, from raw pathways
    direct = len(legs) == 1
    limit_s = DIRECT_WALK_LIMIT_S if direct else WALK_LIMIT_S
    start, end = _end(legs, i, "from", context), _end(legs, i, "to", context)
    choices = context.streets.walk_choices_s(start.hung, end.hung, limit_s + WALK_TOLERANCE_S)
    between_vehicles = start.kind == "stop" == end.kind
    if between_vehicles:
        choices |= _stated_walks_s(start, end, choices, context)
    if not choices:
        yield f"no way on foot from {start.id} to {end.id} within {limit_s} s"
    elif all(abs(leg["duration"] - s) > WALK_TOLERANCE_S for s in choices):
        walks = " or ".join(str(s) for s in sorted(choices))
        yield f"takes {leg['duration']} s, the streets from {start.id} to {end.id} take {walks} s"
    stated = between_vehicles and leg["duration"] in _stated_walks_s(start, end, set(), context)
    if leg["duration"] > limit_s and not stated:
        yield f"takes {leg['duration']} s, more than {limit_s} s"


def _stated_walks_s(start: End, end: End, walks: Iterable[int], context: CheckContext) -> set[int]:
    """Durations that transfers.txt gives: a minimum time, or a change too far to walk."""
    found: set[int] = set()
    for row in _rules(start.id, end.id, context):
        kind = row.get("transfer_type") or "0"
        if kind == MINIMUM_TIME and row.get("min_transfer_time"):
            found |= {max(int(row["min_transfer_time"]), s) for s in [*walks, 0]}
        elif kind in ("0", "1") and start.coordinate and end.coordinate and not list(walks):
            found.add(round(distance_m(start.coordinate, end.coordinate)))
    return found


def _rules(from_id: str, to_id: str, context: CheckContext) -> Iterator[Json]:
    a, b = context.feed_of(from_id), context.feed_of(to_id)
    if a is not None and b is not None and a[0] is b[0]:
        yield from a[0].transfer_rules(a[1], b[1])


# --- changes ----------------------------------------------------------------------------------


def _check_changes(legs: list[Json], context: CheckContext) -> Iterator[str]:
    vehicles = [i for i, leg in enumerate(legs) if leg["mode"] not in STREET_MODES]
    for side, i, own in (("from", 0, "origin"), ("to", len(legs) - 1, "destination")):
        if i in vehicles:
            end = _end(legs, i, side, context)
            hung = context.origin_hung if side == "from" else context.destination_hung
            walks = (hung, end.hung) if side == "from" else (end.hung, hung)
            if not context.streets.walk_choices_s(*walks, WALK_TOLERANCE_S):
                yield f"leg {i} is no walk, yet {end.id} is not at the {own}"
    for i, j in itertools.pairwise(vehicles):
        a, b = legs[i], legs[j]
        if b.get(STAYS):
            yield from _check_aboard(a, b, context)
            continue
        gap_s = instant_s(b["startTime"]) - instant_s(a["endTime"])
        walk_s = sum(leg["duration"] for leg in legs[i + 1 : j])
        change_s = CARPOOL_CHANGE_S if a["mode"] == RIDE else CHANGE_S
        if gap_s < change_s + walk_s:
            yield f"change from leg {i} to leg {j}: {gap_s} s for {walk_s} s on foot + {change_s} s"
        if RIDE in (a["mode"], b["mode"]):
            continue
        for row in _rules(a["to"]["stopId"], b["from"]["stopId"], context):
            kind = row.get("transfer_type") or "0"
            if kind == FORBIDDEN:
                yield f"change from leg {i} to leg {j} is forbidden by transfers.txt"
            if kind == MINIMUM_TIME and gap_s < int(row.get("min_transfer_time") or 0):
                yield f"change from leg {i} to leg {j}: {gap_s} s, transfers.txt asks for more"


def _check_aboard(a: Json, b: Json, context: CheckContext) -> Iterator[str]:
    """Riders keep their seats: one block on one day, nothing of it between, or a link."""
    before, then = (_find_trip(leg["tripId"], context) for leg in (a, b))
    if before is None or then is None or before[0] is not then[0]:
        yield "stays aboard between feeds, or of a trip that is not there"
        return
    feed, pair = before[0], (before[1], then[1])
    (date,), (other,) = (_service_dates(leg, feed) for leg in (a, b))
    if date != other:
        yield f"stays aboard from {pair[0]} of {date} to {pair[1]} of {other}"
    kinds = feed.seat_rules(*pair)
    if "5" in kinds:
        yield f"stays aboard from {pair[0]} to {pair[1]}: transfers.txt says to get out"
    if "4" in kinds:
        return
    block = [feed.trips[trip].get("block_id", "") for trip in pair]
    if not block[0] or block[0] != block[1]:
        yield f"stays aboard from {pair[0]} to {pair[1]}, blocks {block}"
        return
    order = sorted(
        (feed.calls(trip)[0].departure_s, feed.calls(trip)[-1].arrival_s, trip)
        for trip in feed.trips_of_block(block[0])
        if feed.runs(feed.trips[trip]["service_id"], date) and len(feed.calls(trip)) > 1
    )
    following = [(x[2], y[2]) for x, y in itertools.pairwise(order)]
    if pair not in following:
        yield f"stays aboard from {pair[0]} to {pair[1]}, block {block[0]} runs {following}"
    stands_s = instant_s(b["startTime"]) - instant_s(a["endTime"])
    if not 0 <= stands_s <= LONGEST_STAND_S or _apart_m(a["to"], b["from"]) > SEAM_M:
        yield f"stays aboard for {stands_s} s and {_apart_m(a['to'], b['from']):.0f} m"


# --- vehicles ---------------------------------------------------------------------------------


def _check_vehicle(leg: Json, context: CheckContext, *, goes_on: bool) -> Iterator[str]:
    trip = _find_trip(leg["tripId"], context)
    if trip is None:
        yield f"no trip {leg['tripId']!r} in the feeds, or it does not start then"
        return
    feed, trip_id, shift_s = trip
    row = feed.trips[trip_id]
    route = feed.routes[row["route_id"]]
    yield from _check_labels(leg, feed, row, route)
    dates = _service_dates(leg, feed)
    running = [date for date in dates if feed.runs(row["service_id"], date)]
    if not running:
        yield f"{leg['tripId']} does not run (service {row['service_id']})"
        return
    attempts = [
        list(_check_calls(leg, feed, trip_id, shift_s, date, goes_on=goes_on)) for date in running
    ]
    yield from min(attempts, key=len)


def _find_trip(scoped_id: str, context: CheckContext) -> tuple[FeedTables, str, int] | None:
    """Feed, trip and seconds to add to its listed times."""
    found = context.feed_of(re.sub(r"^\d{8}_(\d\d:\d\d_)?", "", scoped_id))
    if found is None:
        return None
    feed, own = found
    suffix = None
    if own not in feed.trips:
        own, _, suffix = own.rpartition("@")
    if own not in feed.trips:
        return None
    shift_s = feed.start_shifts_s(own, suffix)
    return None if shift_s is None else (feed, own, shift_s)


def _service_dates(leg: Json, feed: FeedTables) -> list[dt.date]:
    """The date that the leg tells, or those on which the trip can have started."""
    told = (leg.get("mobility") or {}).get("service_date")
    prefix = re.match(r"^(\d{4})(\d\d)(\d\d)_", leg["tripId"])
    if told is not None:
        return [dt.date.fromisoformat(told)]
    if prefix is not None:
        return [dt.date(*(int(part) for part in prefix.groups()))]
    local = dt.datetime.fromtimestamp(instant_s(leg["startTime"]), feed.zone).date()
    return [local - dt.timedelta(days=n) for n in range(-1, DAYS_BACK)]


def _check_labels(leg: Json, feed: FeedTables, row: Json, route: Json) -> Iterator[str]:
    if "routeId" in leg and leg["routeId"] != f"{feed.feed_id}:{row['route_id']}":
        yield f"route {leg['routeId']} is not that of the trip ({row['route_id']})"
    for key, listed in (
        ("routeShortName", route.get("route_short_name", "")),
        ("headsign", row.get("trip_headsign", "")),
        ("routeColor", route.get("route_color", "")),
    ):
        if leg.get(key) and listed and leg[key].casefold() != listed.casefold():
            yield f"{key} {leg[key]!r}, the feed says {listed!r}"
    modes = MODES_OF_TYPE.get(int(route["route_type"]))
    if modes is not None and leg["mode"] not in modes:
        yield f"mode for route_type {route['route_type']}"


def _check_calls(
    leg: Json, feed: FeedTables, trip_id: str, shift_s: int, date: dt.date, *, goes_on: bool
) -> Iterator[str]:
    base_s = clock_epoch_s(date, shift_s, feed.zone)
    calls = feed.calls(trip_id)
    prefix = f"{feed.feed_id}:"
    board, alight = (leg[side]["stopId"].removeprefix(prefix) for side in ("from", "to"))
    start_s, end_s = instant_s(leg["startTime"]), instant_s(leg["endTime"])
    pairs = [
        (i, j)
        for i, a in enumerate(calls)
        for j, b in enumerate(calls)
        if i < j and a.stop_id == board and b.stop_id == alight
        and abs(base_s + a.departure_s - start_s) <= a.tolerance_s
        and abs(base_s + b.arrival_s - end_s) <= b.tolerance_s
    ]  # fmt: skip
    if not pairs:
        listed = [
            (c.stop_id, _hms(c.arrival_s + shift_s), _hms(c.departure_s + shift_s))
            for c in calls
            if c.stop_id in (board, alight)
        ]
        yield (
            f"{trip_id} on {date}: {board} {leg['startTime']} to {alight} {leg['endTime']} is not "
            f"listed; listed are {listed}"
        )
        return
    if (goes_on and pairs[-1][1] < len(calls) - 1) or (leg.get(STAYS) and pairs[0][0] > 0):
        yield f"{trip_id}: stays aboard elsewhere than at its ends"
    attempts = [
        list(_check_between(leg, calls[i : j + 1], prefix, base_s, goes_on=goes_on))
        for i, j in pairs
    ]
    yield from min(attempts, key=len)


def _check_between(
    leg: Json, calls: list[ListedCall], prefix: str, base_s: int, *, goes_on: bool
) -> Iterator[str]:
    if not calls[0].may_board and not leg.get(STAYS):
        yield f"nobody may board at {calls[0].stop_id}"
    if not calls[-1].may_alight and not goes_on:
        yield f"nobody may alight at {calls[-1].stop_id}"
    told = leg.get("intermediateStops") or []
    # Where nobody may board nor alight is no stop to a rider, and is shown only when asked for.
    shown = [call for call in calls[1:-1] if call.may_board or call.may_alight]
    if [p["stopId"] for p in told] != [prefix + c.stop_id for c in shown]:
        yield f"intermediate stops {[p['stopId'] for p in told]} are not those of the trip"
        return
    for place, call in zip(told, shown, strict=True):
        for key, listed_s in (("arrival", call.arrival_s), ("departure", call.departure_s)):
            if abs(instant_s(place[key]) - base_s - listed_s) > call.tolerance_s:
                yield f"{key} at {call.stop_id} {place[key]}, listed is {_hms(listed_s)}"


def _hms(seconds: int) -> str:
    return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"


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
    if told["detour_s"] != df + m + db - way.solo_s:
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
