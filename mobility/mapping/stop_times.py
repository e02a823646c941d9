"""Calls of a board → the shape of the MOTIS 2 API."""

from __future__ import annotations

import datetime as dt
from typing import Any

from core.time import day_start_epoch_s, get_zone, to_instant
from mobility.mapping.motis import MotisWriter, instant
from routing.board import StopEvent
from routing.network import Network


def write_stop_time(
    writer: MotisWriter, network: Network, event: StopEvent, *, arrivals: bool, following: bool
) -> dict[str, Any]:
    """One arrival or departure; `following` adds the stops before (arrivals) or after it."""
    arrival = None if event.first else instant(event.arrival_at)
    departure = None if event.last else instant(event.departure_at)
    usable = event.can_alight if arrivals else event.can_board
    written = {
        # Required here, and the API has no word for unknown: nobody must rely on a guess.
        "wheelchairAccessible": "NOT_ACCESSIBLE",
        **writer.route_facts(event.trip),
        "place": writer.stop_place(event.stop, arrival=arrival, departure=departure),
        "realTime": False,
        "tripId": writer.trip_id(event.trip, event.service_date),
        "pickupDropoffType": "NORMAL" if usable else "NOT_ALLOWED",
        "tripCancelled": False,
        "reservation": "NONE",
    }
    if following:
        moments = _moments(network, event)
        calls = writer.calls(event.trip, moments)
        nth = next(
            i
            for i, call in enumerate(moments)
            if call == (event.arrival_at, event.departure_at)
            and calls[i]["stopId"] == written["place"]["stopId"]
        )
        name, part = ("previousStops", calls[:nth]) if arrivals else ("nextStops", calls[nth + 1 :])
        written[name] = part
    return written


def _moments(network: Network, event: StopEvent) -> list[tuple[dt.datetime, dt.datetime]]:
    """Arrival and departure at every stop of an event's trip."""
    t = network.timetable
    feed = int(t.route_feed[t.pattern_route[t.trip_pattern[event.trip]]])
    base_s = day_start_epoch_s(event.service_date, get_zone(t.feed_zone[feed]))
    own = slice(int(t.trip_first_event[event.trip]), int(t.trip_first_event[event.trip + 1]))
    return [
        (to_instant(base_s + arrival_s), to_instant(base_s + departure_s))
        for arrival_s, departure_s in zip(
            t.event_arrival_s[own].tolist(), t.event_departure_s[own].tolist(), strict=True
        )
    ]
