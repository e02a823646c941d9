"""
Door to door: access and egress on foot, the search over rounds, and itineraries with geometry.

Rides never hide the bus: the best itineraries without carpool always stand beside those with it.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from core.errors import InvalidInput
from core.modes import Mode
from core.time import day_start_epoch_s, to_instant
from gtfs_data.calendar import date_of_day_number, day_number
from routing.itinerary import (
    Explanation,
    Itinerary,
    PlanAnswer,
    StreetLeg,
)
from routing.legs import LegBuilder
from routing.network import Network
from routing.query import Endpoint, Limits, PlanQuery
from routing.raptor.flexible import FlexibleTrips, Rides
from routing.raptor.search import Search, Window
from routing.raptor.unroll import RawJourney, RawRide, Reach
from routing.street.access import Snapped
from routing.walks import Walking

HORIZON_S = 2 * 86_400
"""Rolled days end two days after the searched day's start."""
WIDENING_S = 1800
"""First width to which a short interval is widened."""
WORTH_A_CHANGE_S = 300
WORTH_A_DRIVER_S = 600
FAR_WALK_S = 4 * 3600
"""How far the explanation of an empty answer looks for the nearest stop."""
LONGEST_WALK_S = 86_400
"""How long a walk an empty answer is compared with."""
PROFILE_OF_MODE = {Mode.WALK: "foot", Mode.BIKE: "bike", Mode.CAR: "car"}

RidesOn = Callable[[dt.date], Rides]
"""Dated rides around a searched date; the world keeps them."""


class PlaceUnknown(InvalidInput):
    """An end of the search names a stop that is not in the timetable."""

    code = "place_unknown"


@dataclass(frozen=True, slots=True)
class _Ends:
    """Both ends of a query tied to the network."""

    origin: Snapped | None
    destination: Snapped | None
    access: Reach
    egress: Reach


def plan(
    network: Network,
    query: PlanQuery,
    *,
    flexible: FlexibleTrips,
    rides_on: RidesOn,
    limits: Limits,
    shut: frozenset[str] = frozenset(),
) -> PlanAnswer:
    """
    Answer one query; `shut` are elevators out of service.

    Raises
    ------
    PlaceUnknown
        A stop id that the timetable does not have.
    """
    date = query.at.astimezone(network.zone).date()
    base_s = day_start_epoch_s(date, network.zone)
    at_s = int(query.at.timestamp()) - base_s
    walking = network.walking(query.profile, shut)
    if query.wheelchair and not query.wheelchair_unknown:
        query = replace(query, carpool=False)  # no driver has said anything
    ends = _tie_ends(network, query, walking)
    build = LegBuilder(network, base_s, ends.origin, ends.destination, query, flexible, walking)
    direct = _direct(network, query, ends, build)
    walk = next((d for d in direct if d.legs[0].mode is Mode.WALK), None)
    walk_s = None if walk is None else int((walk.end_at - walk.start_at).total_seconds())
    search = Search(
        network=network,
        date=date,
        flexible=flexible,
        rides=rides_on(date),
        access=ends.access,
        egress=ends.egress,
        arrive_by=query.arrive_by,
        max_vehicles=query.max_vehicles,
        seats=query.seats if query.carpool else 0,
        direct_s=walk_s,
        change_s=max(limits.change_s, query.min_change_s),
        carpool_change_s=max(limits.carpool_change_s, query.min_change_s),
        pickup_stop_s=limits.pickup_stop_s,
        transit_modes=query.transit_modes,
        walking=walking,
        wheelchair=query.wheelchair,
        wheelchair_unknown=query.wheelchair_unknown,
    )
    journeys, window = _search_widening(search, query, at_s)
    itineraries = tuple(
        build.itinerary(journey, search.rides)
        for journey in sorted(journeys, key=lambda j: (j.start_s, j.end_s, len(j.legs)))
    )
    return PlanAnswer(
        itineraries=itineraries,
        direct=direct,
        explanations=(
            *_explain(network, query, ends, itineraries, walk, flexible, date, walking),
            *(() if network.has_streets else (Explanation("no_street_map"),)),
        ),
        window_start=to_instant(base_s + window.from_s),
        window_end=to_instant(base_s + window.until_s),
    )


def _tie_ends(network: Network, query: PlanQuery, walking: Walking) -> _Ends:
    origin, origin_stops = tie_end(network, query.origin, query.max_matching_m, query.profile)
    destination, destination_stops = tie_end(
        network, query.destination, query.max_matching_m, query.profile
    )
    carpool = query.carpool
    return _Ends(
        origin,
        destination,
        reach_on_foot(
            network, origin, origin_stops, query.max_access_s, carpool=carpool, walking=walking
        ),
        reach_on_foot(
            network, destination, destination_stops, query.max_egress_s, carpool=carpool,
            walking=walking, towards=True,
        ),
    )  # fmt: skip


def tie_end(
    network: Network, end: Endpoint, limit_m: float, profile: str = "foot"
) -> tuple[Snapped | None, list[int]]:
    """An end on the streets, and the stops that it is itself."""
    if end.stop_id is None:
        return network.find_snapped(profile, end.coordinate, limit_m), []
    stop = network.stop_row.get(end.stop_id)
    if stop is None:
        raise PlaceUnknown(f"no stop {end.stop_id!r} in this territory")
    platforms = np.flatnonzero(network.timetable.stop_parent == stop)
    if profile == "wheelchair":  # who is at a station is at its entrances, not yet at its trains
        platforms = platforms[network.stations.indoors[platforms] == 0]
    snapped = network.place_at_stop(stop)
    return (
        snapped or network.find_snapped(profile, end.coordinate, limit_m),
        [stop, *platforms.tolist()],
    )


def reach_on_foot(
    network: Network,
    at: Snapped | None,
    stops: list[int],
    limit_s: int,
    *,
    carpool: bool,
    walking: Walking | None = None,
    towards: bool = False,
) -> Reach:
    """Stops and meeting points that can be walked to from a place, or `towards` it from them."""
    nodes, seconds = list(stops), [0] * len(stops)
    if at is not None:
        near, near_s = network.walks_from(at, limit_s, walking, towards=towards)
        own = set(stops)
        for node, walk_s in zip(near.tolist(), near_s.tolist(), strict=True):
            if node not in own and (carpool or node < network.stop_count):
                nodes.append(node)
                seconds.append(walk_s)
    return Reach(np.array(nodes, np.int32), np.array(seconds, np.int32))


def _direct(
    network: Network, query: PlanQuery, ends: _Ends, build: LegBuilder
) -> tuple[Itinerary, ...]:
    """Itineraries on the streets alone, by the modes asked for."""
    found = []
    for mode in query.direct_modes:
        walking = build.walking if mode is Mode.WALK else None
        profile = PROFILE_OF_MODE[mode] if walking is None else walking.profile
        start, end = ends.origin, ends.destination
        if walking is None:
            start, end = (
                network.find_snapped(profile, e.coordinate, query.max_matching_m)
                for e in (query.origin, query.destination)
            )
        if start is None or end is None:
            continue
        route = network.find_route(profile, start, end, query.max_direct_s, walking)
        if route is None:
            continue
        duration = dt.timedelta(seconds=route.seconds)
        start_at = query.at - duration if query.arrive_by else query.at
        leg = StreetLeg(
            mode=mode,
            start=LegBuilder.end_place(query.origin),
            end=LegBuilder.end_place(query.destination),
            start_at=start_at,
            end_at=start_at + duration,
            shape=LegBuilder.shape(route),
            access=build.access_of(route) if walking is not None else None,
        )
        found.append(Itinerary((leg,)))
    return tuple(found)


def _search_widening(
    search: Search, query: PlanQuery, at_s: int
) -> tuple[list[RawJourney], Window]:
    """Search the asked interval, then pieces beyond it until enough is found."""
    window = _window(query, at_s, query.window_s)
    if len(search.access.node) == 0 or len(search.egress.node) == 0:
        return [], window
    journeys = _best_of_each_family(search.run(window))
    if query.window_s == 0:
        return journeys, window
    width_s = query.window_s
    while len(journeys) < query.wanted_count and width_s < query.widest_window_s:
        wider_s = min(max(2 * width_s, WIDENING_S), query.widest_window_s)
        wider = _window(query, at_s, wider_s)
        if query.backwards:
            piece = Window(wider.from_s, window.from_s)
        else:
            piece = Window(window.until_s, wider.until_s)
        if piece.until_s <= piece.from_s:
            break
        journeys = _best_of_each_family(journeys + search.run(piece))
        window, width_s = wider, wider_s
    return _nearest(journeys, window, query, _window(query, at_s, query.window_s))


def _nearest(
    journeys: list[RawJourney], window: Window, query: PlanQuery, asked: Window
) -> tuple[list[RawJourney], Window]:
    """
    Keep what was wanted, nearest to the time asked for; the next page begins where it was cut.

    Widened by hours, an interval may hold a whole day of departures.
    """
    if window == asked or len(journeys) <= query.wanted_count:
        return journeys, window
    # An arrival counts a second earlier: intervals of arrivals are open at their start.
    moments = [j.end_s - 1 if query.arrive_by else j.start_s for j in journeys]
    nearest = sorted(moments, reverse=query.backwards)[query.wanted_count - 1]
    cut = (
        Window(min(nearest, asked.from_s), window.until_s)
        if query.backwards
        else Window(window.from_s, max(nearest + 1, asked.until_s))
    )
    kept = [
        journey
        for journey, moment in zip(journeys, moments, strict=True)
        if cut.from_s <= moment < cut.until_s
    ]
    return kept, cut


def _window(query: PlanQuery, at_s: int, width_s: int) -> Window:
    """Departures from its start to before its end, or arrivals from after its start to its end."""
    if query.window_s == 0:
        return Window(at_s, at_s)
    if query.backwards:
        return Window(at_s - width_s, at_s)
    return Window(at_s, min(at_s + width_s, max(HORIZON_S, at_s + 1)))


def _best_of_each_family(journeys: list[RawJourney]) -> list[RawJourney]:
    """What is not dominated by its like: without carpool, carpool in a chain, carpool alone."""
    families: tuple[list[RawJourney], ...] = ([], [], [])
    for journey in journeys:
        rides = sum(isinstance(leg, RawRide) for leg in journey.legs)
        families[0 if rides == 0 else 2 if rides == len(journey.legs) else 1].append(journey)
    transit, chain, alone = (_pareto(family) for family in families)
    alone = _shortest_of_each(alone)
    chain = _shortest_of_each(chain)
    return transit + [j for j in chain if not _pointless(j, chain + alone)] + alone


def _pointless(chain: RawJourney, others: list[RawJourney]) -> bool:
    """
    Whether a journey with fewer rides or none of the changes makes a chain pointless.

    Nobody leaves a car to arrive later than by staying in it. Against a journey that leaves no
    earlier, each change must save `WORTH_A_CHANGE_S` and each further driver
    `WORTH_A_DRIVER_S`: one more person to wait for.
    """
    rides = _rides(chain)
    for other in others:
        fewer = len(rides) - len(_rides(other))
        alone = len(other.legs) == 1
        if not (fewer > 0 or alone):
            continue
        gain_s = WORTH_A_CHANGE_S * max(len(chain.legs) - len(other.legs), 0)
        gain_s += WORTH_A_DRIVER_S * fewer
        if alone and _rides(other) <= rides and other.end_s <= chain.end_s:
            return True
        if other.start_s >= chain.start_s and other.end_s <= chain.end_s + gain_s:
            return True
    return False


def _rides(journey: RawJourney) -> frozenset[int]:
    """Rides that a journey takes."""
    return frozenset(leg.ride for leg in journey.legs if isinstance(leg, RawRide))


def _shortest_of_each(journeys: list[RawJourney]) -> list[RawJourney]:
    """
    One journey for each sequence of rides and trips.

    A driver who may leave within a quarter of an hour makes the same ride available at every
    minute of it; riders are shown the one that takes least time, the earliest among equals.
    """
    best: dict[tuple[tuple[str, int], ...], RawJourney] = {}
    for journey in sorted(journeys, key=lambda j: (j.end_s - j.start_s, j.start_s)):
        key = tuple(
            ("ride", leg.ride) if isinstance(leg, RawRide) else ("trip", leg.trip)
            for leg in journey.legs
        )
        best.setdefault(key, journey)
    return list(best.values())


def _pareto(journeys: list[RawJourney]) -> list[RawJourney]:
    """Not dominated in departure, arrival and number of vehicles; one of each equal set."""
    kept: list[RawJourney] = []
    for journey in sorted(journeys, key=lambda j: (-j.start_s, j.end_s, len(j.legs))):
        if not any(k.end_s <= journey.end_s and len(k.legs) <= len(journey.legs) for k in kept):
            kept.append(journey)
    return kept


def _explain(
    network: Network,
    query: PlanQuery,
    ends: _Ends,
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
    first, last = _service_span(network)
    if network.timetable.service_runs.size and not first <= date <= last:
        found.append(
            Explanation(
                "no_service_on_date", {"date": date, "first_date": first, "last_date": last}
            )
        )
    if itineraries:
        return tuple(found)
    for side, at in (("origin", ends.origin), ("destination", ends.destination)):
        if at is None:
            found.append(Explanation(f"no_street_near_{side}", {"within_m": query.max_matching_m}))
    for side, reach, at, limit_s in (
        ("origin", ends.access, ends.origin, query.max_access_s),
        ("destination", ends.egress, ends.destination, query.max_egress_s),
    ):
        stops = reach.node[reach.node < network.stop_count]
        if at is not None and len(stops) == 0:
            nearest = _nearest_stop(network, at, walking)
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


def _service_span(network: Network) -> tuple[dt.date, dt.date]:
    t = network.timetable
    on = t.feed_last_day >= t.feed_first_day
    if not on.any():
        return dt.date.max, dt.date.min
    return (
        date_of_day_number(int(t.feed_first_day[on].min())),
        date_of_day_number(int(t.feed_last_day[on].max())),
    )


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


def _nothing_better(network: Network, ends: _Ends, walking: Walking) -> Explanation:
    """The way on foot, however long, as the honest comparison."""
    if ends.origin is None or ends.destination is None:
        return Explanation("nothing_found")
    route = network.find_route(
        walking.profile, ends.origin, ends.destination, LONGEST_WALK_S, walking
    )
    if route is None:
        return Explanation("nothing_found")
    return Explanation(
        "nothing_better_than_walking",
        {"walk_min": round(route.seconds / 60), "walk_km": round(route.metres / 1000, 1)},
    )
