"""Departure and arrival boards: what calls at some stops around a moment."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import numpy as np

from core.modes import Mode, mode_of_route_type
from core.time import day_start_epoch_s, to_instant
from gtfs_data.patterns import CAN_ALIGHT, CAN_BOARD
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


def list_events(
    network: Network,
    stops: list[int],
    at: dt.datetime,
    *,
    count: int,
    arrivals: bool,
    later: bool,
    modes: frozenset[Mode],
) -> list[StopEvent]:
    """The `count` calls nearest to a moment on one side of it, in order of time."""
    found: dict[tuple[int, int, dt.date], StopEvent] = {}
    local = at.astimezone(network.zone).date()
    # A trip after midnight belongs to the service day before.
    for ahead in range(-1 if later else 0, DAYS_AHEAD):
        date = local + dt.timedelta(days=ahead if later else -ahead)
        for event in _on_day(network, stops, date, arrivals=arrivals, modes=modes):
            if (event.at >= at) if later else (event.at <= at):
                found[event.trip, event.stop, event.service_date] = event
        # Days overlap at midnight: what is there is complete once a whole further day is in.
        if len(found) >= count and ahead >= 1:
            break
    ordered = sorted(found.values(), key=lambda e: (e.at, e.trip))
    return ordered[:count] if later else ordered[-count:]


def _on_day(
    network: Network, stops: list[int], date: dt.date, *, arrivals: bool, modes: frozenset[Mode]
) -> list[StopEvent]:
    t, day = network.timetable, network.day(date)[0]
    base_s = day_start_epoch_s(date, network.zone)
    events = []
    for stop in stops:
        for k in range(int(day.at_stop_first[stop]), int(day.at_stop_first[stop + 1])):
            pattern, position = int(day.at_stop_pattern[k]), int(day.at_stop_position[k])
            row = int(day.first_stop[pattern]) + position
            first_trip, trips = int(day.first_trip[pattern]), int(day.first_trip[pattern + 1])
            trips -= first_trip
            last = row + 1 == int(day.first_stop[pattern + 1])
            if (arrivals and position == 0) or (not arrivals and last):
                continue
            route = int(t.pattern_route[t.trip_pattern[day.trip[first_trip]]])
            if (mode_of_route_type(int(t.route_type[route])) or Mode.OTHER) not in modes:
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
