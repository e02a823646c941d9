"""Why an answer is empty or poor, and what comes next."""

from __future__ import annotations

import datetime as dt
from typing import Any

import numpy as np

from core.time import day_start_epoch_s, to_instant
from gtfs_data.days import day_number
from routing.ends import End, reach_on_foot
from routing.itinerary import Explanation, Itinerary
from routing.network import Network
from routing.query import PlanQuery
from routing.raptor.flexible import FlexibleTrips
from routing.street.access import Snapped
from routing.walks import Walking

FAR_WALK_S = 4 * 3600
"""How far the explanation of an empty answer looks for the nearest stop."""
LONGEST_WALK_S = 86_400
"""How long a walk an empty answer is compared with."""


def explain(
    network: Network,
    query: PlanQuery,
    ends: tuple[End, End],
    itineraries: tuple[Itinerary, ...],
    walk: Itinerary | None,
    flexible: FlexibleTrips,
    date: dt.date,
    walking: Walking,
) -> tuple[Explanation, ...]:
    """Why there is nothing, or nothing better: what was missing, and what comes next."""
    found: list[Explanation] = []
    largest = int(flexible.bodies.seat_count.max(initial=0))
    if query.carpool and largest and query.seats > largest:
        found.append(Explanation("group_too_large", {"seats": query.seats, "largest": largest}))
    first, last = network.service_span
    if network.timetable.service_runs.size and not first <= date <= last:
        found.append(
            Explanation(
                "no_service_on_date", {"date": date, "first_date": first, "last_date": last}
            )
        )
    if itineraries:
        return tuple(found)
    origin, destination = ends
    for side, end in (("origin", origin), ("destination", destination)):
        if end.at is None:
            found.append(Explanation(f"no_street_near_{side}", {"within_m": query.max_matching_m}))
    for side, end, limit_s in (
        ("origin", origin, query.max_access_s),
        ("destination", destination, query.max_egress_s),
    ):
        stops = end.reach.node[end.reach.node < network.stop_count]
        if end.at is not None and len(stops) == 0:
            nearest = _nearest_stop(network, end.at, walking)
            values: dict[str, Any] = {"within_min": limit_s // 60, **nearest}
            if side == "origin" and "stop" in nearest:
                values |= _next_departure(network, nearest["row"], query.at)
            found.append(Explanation(f"no_stop_near_{side}", values))
    if not found and walk is None:
        found.append(Explanation("no_connection", {"hours": query.widest_window_s // 3600}))
    if query.wheelchair and not query.wheelchair_unknown:
        found.append(Explanation("accessibility_unknown"))
    found.append(_nothing_better(network, ends, walking))
    return tuple(found)


def _nearest_stop(network: Network, at: Snapped, walking: Walking) -> dict[str, Any]:
    reach = reach_on_foot(network, at, [], FAR_WALK_S, carpool=False, walking=walking)
    if len(reach.node) == 0:
        return {}
    nearest = int(np.argmin(reach.seconds))
    row = int(reach.node[nearest])
    return {
        "row": row,
        "stop": network.timetable.stop_name[row],
        "walk_min": round(int(reach.seconds[nearest]) / 60),
    }


def _next_departure(network: Network, stop: int, at: dt.datetime) -> dict[str, Any]:
    """First departure from a stop from `at` on, within the next seven days."""
    t = network.timetable
    for ahead in range(8):
        date = at.astimezone(network.zone).date() + dt.timedelta(days=ahead)
        if not 0 <= day_number(date) - int(t.service_first_day[0]) < t.service_runs.shape[1]:
            continue
        base_s = day_start_epoch_s(date, network.zone)
        ready_s = int(at.timestamp()) - base_s
        day = network.day(date)[0]
        best: tuple[int, int] | None = None
        for k in range(int(day.at_stop_first[stop]), int(day.at_stop_first[stop + 1])):
            pattern, position = int(day.at_stop_pattern[k]), int(day.at_stop_position[k])
            row = int(day.first_stop[pattern]) + position
            trips = int(day.first_trip[pattern + 1] - day.first_trip[pattern])
            column = int(day.first_event[pattern]) + position * trips
            nth = int(np.searchsorted(day.departure_s[column : column + trips], ready_s))
            last = row + 1 == day.first_stop[pattern + 1]
            if nth < trips and day.flag[row] & 1 and not last:
                when = int(day.departure_s[column + nth])
                trip = int(day.trip[day.first_trip[pattern] + nth])
                best = min(best or (when, trip), (when, trip))
        if best is not None:
            route = int(t.pattern_route[t.trip_pattern[best[1]]])
            line = t.route_short_name[route] or t.route_long_name[route]
            return {
                "departure_at": to_instant(base_s + best[0], network.zone),
                "line": line,
                "headsign": t.trip_headsign[best[1]],
            }
    return {}


def _nothing_better(network: Network, ends: tuple[End, End], walking: Walking) -> Explanation:
    """The way on foot, however long, as the honest comparison."""
    origin, destination = ends
    if origin.at is None or destination.at is None:
        return Explanation("nothing_found")
    route = network.find_route(walking.profile, origin.at, destination.at, LONGEST_WALK_S, walking)
    if route is None:
        return Explanation("nothing_found")
    return Explanation(
        "nothing_better_than_walking",
        {"walk_min": round(route.seconds / 60), "walk_km": round(route.metres / 1000, 1)},
    )
