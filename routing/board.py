"""Departure and arrival boards: what calls at some stops around a moment."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import numpy as np

from core.modes import TRANSIT_MODES, Mode, mode_of_route_type
from core.time import DAY_S, day_start_epoch_s, to_instant
from gtfs_data.enums import CAN_ALIGHT, CAN_BOARD
from gtfs_data.throughs import is_through
from routing.network import Network

DAYS_AHEAD = 7
"""A stop that nothing calls at within a week is shown empty."""


@dataclass(frozen=True, slots=True)
class StopEvent:
    """One call of a trip at a stop."""

    stop: int
    trip: int
    service_date: dt.date
    arrival_at: dt.datetime
    departure_at: dt.datetime
    at: dt.datetime
    """Arrival or departure, whichever the board shows."""
    first: bool
    last: bool
    can_board: bool
    can_alight: bool


@dataclass(frozen=True, slots=True)
class BoardQuery:
    """What a board shows."""

    stops: tuple[int, ...]
    at: dt.datetime
    count: int
    """So many calls, the nearest; more when more lie within `window_s`."""
    modes: frozenset[Mode] = TRANSIT_MODES
    arrivals: bool = False
    later: bool = True
    """Calls from `at` on; otherwise those before."""
    window_s: int = 0
    with_skipped: bool = False
    """Also calls at which nobody may board (of arrivals: alight)."""
    most: int = 500
    """Never more, whatever the window."""


def list_events(network: Network, query: BoardQuery) -> list[StopEvent]:
    """Calls on one side of a moment, in order of time."""
    at, later = query.at, query.later
    found: list[StopEvent] = []
    local = at.astimezone(network.zone).date()
    furthest = 1 + query.window_s // DAY_S
    # A trip after midnight belongs to the service day before.
    for ahead in range(-1 if later else 0, DAYS_AHEAD):
        date = local + dt.timedelta(days=ahead if later else -ahead)
        for event in _on_day(network, query, date):
            usable = event.can_alight if query.arrivals else event.can_board
            on_side = event.at >= at if later else event.at <= at
            if on_side and (usable or query.with_skipped):
                found.append(event)
        # Days overlap at midnight: what is there is complete once a whole further day is in.
        if len(found) >= query.count and ahead >= furthest:
            break
    found.sort(key=lambda e: (e.at, e.trip))
    count = query.count
    if query.window_s:
        window = dt.timedelta(seconds=query.window_s)
        count = max(count, sum(abs(event.at - at) <= window for event in found))
    count = min(count, query.most)
    return found[:count] if later else found[max(len(found) - count, 0) :]


def _on_day(network: Network, query: BoardQuery, date: dt.date) -> list[StopEvent]:
    t, day = network.timetable, network.day(date)[0]
    base_s = day_start_epoch_s(date, network.zone)
    arrivals = query.arrivals
    events = []
    for stop in query.stops:
        for k in range(int(day.at_stop_first[stop]), int(day.at_stop_first[stop + 1])):
            pattern, position = int(day.at_stop_pattern[k]), int(day.at_stop_position[k])
            row = int(day.first_stop[pattern]) + position
            first_trip, trips = int(day.first_trip[pattern]), int(day.first_trip[pattern + 1])
            trips -= first_trip
            if is_through(t, int(day.trip[first_trip])):
                break  # its trips call here themselves; these patterns come last
            last = row + 1 == int(day.first_stop[pattern + 1])
            if (arrivals and position == 0) or (not arrivals and last):
                continue
            route = int(t.pattern_route[t.trip_pattern[day.trip[first_trip]]])
            if (mode_of_route_type(int(t.route_type[route])) or Mode.OTHER) not in query.modes:
                continue
            column = int(day.first_event[pattern]) + position * trips
            flag = int(day.flag[row])
            own = np.flatnonzero(day.day[first_trip : first_trip + trips] == 0).tolist()
            for nth in own:
                arrival_at = to_instant(base_s + int(day.arrival_s[column + nth]))
                departure_at = to_instant(base_s + int(day.departure_s[column + nth]))
                events.append(
                    StopEvent(
                        stop=stop,
                        trip=int(day.trip[first_trip + nth]),
                        service_date=date,
                        arrival_at=arrival_at,
                        departure_at=departure_at,
                        at=arrival_at if arrivals else departure_at,
                        first=position == 0,
                        last=last,
                        can_board=bool(flag & CAN_BOARD),
                        can_alight=bool(flag & CAN_ALIGHT),
                    )
                )
    return events
