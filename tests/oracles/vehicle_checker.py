"""Vehicles of an itinerary against the feeds: trips, days, calls, and who stays aboard."""

from __future__ import annotations

import datetime as dt
import itertools
import re
from collections.abc import Iterator

from tests.oracles.carpool_oracle import clock_epoch_s
from tests.oracles.check_context import STAYS, CheckContext, Json, apart_m, instant_s
from tests.oracles.feed_tables import FeedTables, ListedCall

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


def check_vehicle(leg: Json, context: CheckContext, *, goes_on: bool) -> Iterator[str]:
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


def check_aboard(a: Json, b: Json, context: CheckContext) -> Iterator[str]:
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
    if not 0 <= stands_s <= LONGEST_STAND_S or apart_m(a["to"], b["from"]) > SEAM_M:
        yield f"stays aboard for {stands_s} s and {apart_m(a['to'], b['from']):.0f} m"
