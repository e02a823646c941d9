"""One dated trip of the timetable as an itinerary: from its first stop to its last."""

from __future__ import annotations

import datetime as dt

import numpy as np

from core.errors import NotFound
from core.geo import Coordinate
from core.time import day_start_epoch_s, get_zone, to_instant
from gtfs_data.days import day_number
from gtfs_data.store import Texts
from gtfs_data.timetable import NONE, Timetable
from routing.itinerary import Itinerary
from routing.legs import LegBuilder
from routing.network import Network
from routing.query import Endpoint, PlanQuery
from routing.raptor.body_table import no_flexible_trips
from routing.raptor.flexible import FlexibleTrips, Rides
from routing.raptor.search import no_rides
from routing.raptor.unroll import RawJourney, RawLeg, RawVehicle


class TripUnknown(NotFound):
    """No trip has this id, or it does not run on that day."""

    code = "trip_unknown"


def find_trip(network: Network, trip_id: str, date: dt.date) -> Itinerary:
    """
    Show the whole way of a trip on one service day.

    Raises
    ------
    TripUnknown
        No such trip, or it does not run on that day.
    """
    t = network.timetable
    trip = _row_of(t.trip_id, trip_id)
    if trip is None:
        raise TripUnknown(f"no trip {trip_id!r} in this territory")
    if not _runs(t, trip, date):
        raise TripUnknown(f"trip {trip_id!r} does not run on {date}")
    first, last = int(t.trip_first_event[trip]), int(t.trip_first_event[trip + 1]) - 1
    stops = t.pattern_stop[t.pattern_first_stop[t.trip_pattern[trip]] :]
    feed = int(t.route_feed[t.pattern_route[t.trip_pattern[trip]]])
    leg = RawVehicle(
        board_node=int(stops[0]),
        alight_node=int(stops[last - first]),
        start_s=int(t.event_departure_s[first]),
        end_s=int(t.event_arrival_s[last]),
        trip=trip,
        day=0,
        board_position=0,
        alight_position=last - first,
    )
    base_s = day_start_epoch_s(date, get_zone(t.feed_zone[feed]))
    nobody = no_flexible_trips(), no_rides()
    return itinerary_of_leg(network, leg, base_s, *nobody)


def itinerary_of_leg(
    network: Network, leg: RawLeg, base_s: int, flexible: FlexibleTrips, rides: Rides
) -> Itinerary:
    """One vehicle or ride alone, without walks; `base_s` is the start of its day."""
    nowhere = Endpoint(Coordinate(0.0, 0.0))
    query = PlanQuery(nowhere, nowhere, at=to_instant(base_s))
    build = LegBuilder(network, base_s, query, flexible, rides, network.walking("foot"))
    return build.itinerary(RawJourney(access_s=0, legs=(leg,), walk_s=(), egress_s=0))


def _row_of(texts: Texts, wanted: str) -> int | None:
    """Row of a text, found without decoding the others."""
    sought = np.frombuffer(wanted.encode(), np.uint8)
    rows = np.flatnonzero(np.diff(texts.offset) == len(sought))
    at = texts.offset[rows]
    for i in range(len(sought) - 1, -1, -1):  # the ends of ids differ most
        same = texts.utf8[at + i] == sought[i]
        rows, at = rows[same], at[same]
    return int(rows[0]) if len(rows) else None


def _runs(t: Timetable, trip: int, date: dt.date) -> bool:
    service = int(t.trip_service[trip])
    column = day_number(date) - int(t.service_first_day[0])
    within = service != NONE and 0 <= column < t.service_runs.shape[1]
    return within and bool(t.service_runs[service, column])
