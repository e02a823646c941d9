"""
Door to door: access and egress, the search over rounds, and itineraries with geometry.

Rides never hide the bus: the best itineraries without carpool always stand beside those with it.
"""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from core.errors import InvalidInput
from core.modes import Mode
from core.time import day_start_epoch_s, to_instant
from routing.changes import with_best_changes
from routing.ends import End, find_doors, pace_factor, reach_ends, rows_of_stop
from routing.explain import explain
from routing.itinerary import Explanation, Itinerary, PlanAnswer, RemovedItinerary, StreetLeg
from routing.layers import Layers
from routing.legs import LegBuilder
from routing.network import Network
from routing.query import Limits, PlanQuery
from routing.ranking import (
    ON_FOOT,
    Gain,
    Ranked,
    best_of_each_family,
    ceiling_s,
    cost_s,
    family_of,
    filtered,
    spare_s,
    with_best_by,
)
from routing.raptor.body_table import no_flexible_trips
from routing.raptor.criteria import (
    EVERY,
    NEVER,
    CriteriaTable,
    Values,
    search_criteria,
    slack_s,
    values_of,
)
from routing.raptor.door_ends import Doors
from routing.raptor.flexible import FlexibleTrips, Rides
from routing.raptor.search import Search, Window, no_rides
from routing.raptor.unroll import RawJourney, Reach, grounded
from routing.terrain import Conditions, Terrain, ViaStops

HORIZON_S = 2 * 86_400
"""Rolled days end two days after the searched day's start."""
UNHURRIED_S = 240
"""More time at every change of the journeys from which the most reliable is taken."""
WIDENING_S = 1800
"""First width to which a short interval is widened."""

Int32 = npt.NDArray[np.int32]
RidesOn = Callable[[dt.date], Rides]
"""Dated rides around a searched date; the world keeps them."""
CriteriaFrom = Callable[[dt.datetime], CriteriaTable]
"""What journeys cost and emit at least that leave at some time or later."""


class LineUnknown(InvalidInput):
    """A line to avoid is not in the timetable."""

    code = "line_unknown"


@dataclass(frozen=True, slots=True)
class _Way:
    """One way to begin and end: the search for it, and how its journeys are told."""

    access: End
    egress: End
    search: Search
    layers: Layers | None

    def run(self, window: Window) -> list[RawJourney]:
        """Journeys that begin and end in this way."""
        if not self.search.is_open:
            return []
        found = self.search.run(window)
        if self.layers is not None:
            reach = self.access.reach, self.egress.reach
            found = [grounded(self.layers, *reach, journey) for journey in found]
        if self.access.mode is self.egress.mode is Mode.WALK:
            return found
        modes = self.access.mode, self.egress.mode
        return [j._replace(access_mode=modes[0], egress_mode=modes[1]) for j in found]


def plan(
    network: Network,
    query: PlanQuery,
    *,
    flexible: FlexibleTrips,
    rides_on: RidesOn,
    limits: Limits,
    criteria: CriteriaFrom | None = None,
    shut: frozenset[str] = frozenset(),
) -> PlanAnswer:
    """
    Answer one query; `shut` are elevators out of service.

    With `criteria`, what is best by price, CO2, walking and reliability stands beside the fastest;
    it is asked for what holds from the first departure on that is looked at.

    Raises
    ------
    PlaceUnknown
        A stop id that the timetable does not have.
    LineUnknown
        A line to avoid that it does not have.
    """
    date = query.at.astimezone(network.zone).date()
    base_s = day_start_epoch_s(date, network.zone)
    at_s = int(query.at.timestamp()) - base_s
    walking = network.walking(query.profile, shut)
    if query.wheelchair and not (query.wheelchair_unknown or query.rides_step_free):
        query = replace(query, carpool=False)  # no driver has said anything
    ends = reach_ends(network, query, limits, walking)
    rides = rides_on(date)
    if query.vias:  # drivers are not sent by way of a stop
        flexible = no_flexible_trips()
        rides = no_rides()
    doors = find_doors(network, query, ends, flexible, rides)
    build = LegBuilder(network, base_s, query, flexible, rides, walking, ends, doors)
    direct = _direct(network, query, build)
    walk = next((d for d in direct if d.legs[0].mode is Mode.WALK), None)
    walk_s = None if walk is None else int((walk.end_at - walk.start_at).total_seconds())
    conditions = read_conditions(network, query, limits, shut)
    layers = network.layers(date, conditions) if query.vias else None
    terrain = network.terrain(date, conditions) if layers is None else layers.terrain
    world = terrain, layers, flexible, rides, walk_s, doors
    ways = [
        _way(network, query, limits, conditions, pair, world) for pair in itertools.product(*ends)
    ]
    ranked, window = _search_widening(ways, query, at_s, walk_s)
    if criteria is not None and query.criteria and layers is None:
        unhurried = replace(conditions, change_s=conditions.change_s + UNHURRIED_S)
        ranked = _with_criteria(
            ranked, ways[0], lambda from_s: criteria(to_instant(base_s + from_s)),
            lambda: network.terrain(date, unhurried), window, every=query.explain,
        )  # fmt: skip
    anywhere = _may_change_anywhere(query)
    itineraries = tuple(
        build.itinerary(
            with_best_changes(network, terrain, journey) if anywhere else journey,
            best_for=ranked.best_for.get(journey, ()) if ranked.best_for else (),
        )
        for journey in sorted(ranked.kept, key=lambda j: (j.start_s, j.end_s, len(j.legs)))
    )
    first_ends = ends[0][0], ends[1][0]
    return PlanAnswer(
        itineraries=itineraries,
        direct=direct,
        explanations=(
            *explain(network, query, first_ends, itineraries, walk, flexible, date, walking),
            *((Explanation("no_carpool_with_vias"),) if query.vias and query.carpool else ()),
            *(() if network.has_streets else (Explanation("no_street_map"),)),
        ),
        window_start=to_instant(base_s + window.from_s),
        window_end=to_instant(base_s + window.until_s),
        removed=tuple(
            RemovedItinerary(
                build.itinerary(journey),
                str(reason),
                None if by is None else build.itinerary(by),
            )
            for journey, reason, by in (ranked.removed if query.explain else ())
        ),
    )


def _with_criteria(
    ranked: Ranked,
    way: _Way,
    table_from: Callable[[int], CriteriaTable],
    unhurried: Callable[[], Terrain],
    window: Window,
    *,
    every: bool,
) -> Ranked:
    """
    Add what is best by other criteria than time among journeys of public transport.

    Looked for is only what would gain enough to be shown; with `every`, also what would not.
    """
    anchors = [j for j in ranked.kept if family_of(j) == ON_FOOT]
    if not anchors:
        return ranked
    first_s = window.from_s
    if way.search.arrive_by:
        first_s = min(anchor.start_s - slack_s(anchor.start_s, anchor.end_s) for anchor in anchors)
    table = table_from(first_s)
    network, known = way.search.network, {}

    def values(journey: RawJourney) -> Values:
        if journey not in known:
            known[journey] = values_of(network, table, journey)
        found = known[journey]
        assert found is not None
        return found

    by_values = (
        Gain("price", lambda j: values(j).cents, 10),
        Gain("co2", lambda j: values(j).hectograms, 2),
        Gain("walking", lambda j: values(j).walk_steps, 2),
    )
    safety = Gain("reliability", lambda j: -min(spare_s(j), UNHURRIED_S + 60), 120)
    most = EVERY if every else Values(*(gain.worth(anchors) for gain in by_values))
    ceiling = NEVER if every else ceiling_s(map(cost_s, ranked.kept))
    others = search_criteria(way.search, table, anchors, window, most, ceiling)
    if every or safety.worth(anchors) >= -(UNHURRIED_S + 60):
        safe = replace(way.search, terrain=unhurried(), seats=0).run(window)
        others += [j for j in safe if any(_within_slack(j, anchor) for anchor in anchors)]
    if window.from_s < window.until_s:
        others = [j for j in others if _inside(window, j, arrive_by=way.search.arrive_by)]
    return with_best_by(ranked, others, (*by_values, safety))


def _within_slack(journey: RawJourney, anchor: RawJourney) -> bool:
    """Whether a journey replaces an anchor: leaving no earlier and arriving not much later."""
    by_s = slack_s(anchor.start_s, anchor.end_s)
    return journey.start_s >= anchor.start_s - by_s and journey.end_s <= anchor.end_s + by_s


def read_conditions(
    network: Network, query: PlanQuery, limits: Limits, shut: frozenset[str]
) -> Conditions:
    """
    What a query changes of the network.

    Raises
    ------
    PlaceUnknown, LineUnknown
        An id that the timetable does not have.
    """

    def change_s(own_s: int) -> int:
        least_s = max(own_s, query.min_change_s)
        return int(np.ceil(least_s * query.change_factor)) + query.extra_change_s

    routes = network.route_row
    unknown = query.avoid_routes - routes.keys()
    if unknown:
        raise LineUnknown(f"no line {min(unknown)!r} in this territory")
    avoided = [row for stop in query.avoid_stops for row in rows_of_stop(network, stop)]
    return Conditions(
        transit_modes=query.transit_modes,
        avoid_routes=frozenset(routes[route] for route in query.avoid_routes),
        avoid_stops=frozenset(avoided),
        walk_factor=pace_factor(network, query, Mode.WALK) * query.change_factor,
        change_s=change_s(limits.change_s),
        carpool_change_s=change_s(limits.carpool_change_s),
        profile=query.profile,
        shut=shut,
        step_free_unknown=query.wheelchair_unknown,
        vias=tuple(
            ViaStops(tuple(rows_of_stop(network, via.stop_id)), via.stay_s) for via in query.vias
        ),
    )


def _way(
    network: Network,
    query: PlanQuery,
    limits: Limits,
    conditions: Conditions,
    ends: tuple[End, End],
    world: tuple[Terrain, Layers | None, FlexibleTrips, Rides, int | None, Doors],
) -> _Way:
    terrain, layers, flexible, rides, walk_s, doors = world
    access, egress = ends[0].reach, ends[1].reach
    if layers is not None:
        access, egress = (
            Reach(*lift(*_on_stops(reach, network.stop_count)))
            for lift, reach in ((layers.access, access), (layers.egress, egress))
        )
    search = Search(
        network=network,
        terrain=terrain,
        flexible=flexible,
        rides=rides,
        access=access,
        egress=egress,
        arrive_by=query.arrive_by,
        max_vehicles=query.max_vehicles,
        seats=query.seats if query.carpool and layers is None else 0,
        direct_s=walk_s,
        carpool_change_s=conditions.carpool_change_s,
        pickup_stop_s=limits.pickup_stop_s,
        changes_anywhere=_may_change_anywhere(query),
        doors=Doors(
            doors.origin if ends[0].mode is Mode.WALK else None,
            doors.destination if ends[1].mode is Mode.WALK else None,
            doors.between_s,
        ),
    )
    return _Way(ends[0], ends[1], search, layers)


def _may_change_anywhere(query: PlanQuery) -> bool:
    """Changing elsewhere might miss a via, or use a stop that is not to be used."""
    return not (query.vias or query.avoid_stops or query.wheelchair)


def _on_stops(reach: Reach, stop_count: int) -> tuple[Int32, Int32]:
    stops = reach.node < stop_count
    return reach.node[stops], reach.seconds[stops]


def _direct(network: Network, query: PlanQuery, build: LegBuilder) -> tuple[Itinerary, ...]:
    """Itineraries on the streets alone, by the modes asked for; none by way of via stops."""
    found = []
    for mode in query.direct_modes if not query.vias else ():
        start, end = build.tied_end(mode, leaving=True), build.tied_end(mode, leaving=False)
        if start is None or end is None:
            continue
        factor = pace_factor(network, query, mode)
        walking, limit_s = build.walking_by(mode), int(query.max_direct_s / factor)
        route = network.find_route(build.profile(mode), start, end, limit_s, walking)
        if route is None:
            continue
        duration = dt.timedelta(seconds=int(np.ceil(route.seconds * factor)))
        start_at = query.at - duration if query.arrive_by else query.at
        leg = StreetLeg(
            mode=mode,
            start=LegBuilder.end_place(query.origin),
            end=LegBuilder.end_place(query.destination),
            start_at=start_at,
            end_at=start_at + duration,
            shape=LegBuilder.shape(route),
            access=None if walking is None else build.access_of(route),
        )
        found.append(Itinerary((leg,)))
    return tuple(found)


def _search_widening(
    ways: list[_Way], query: PlanQuery, at_s: int, walk_s: int | None
) -> tuple[Ranked, Window]:
    """
    Search the asked interval, then pieces beyond it until enough is found.

    A short interval is searched together with the piece after it: one search takes less than two,
    and most need both. What is found in it is what it would have had alone.
    """

    def run(window: Window) -> list[RawJourney]:
        return [journey for way in ways for journey in way.run(window)]

    def rank(found: list[RawJourney]) -> Ranked:
        return filtered(best_of_each_family(found), walk_s)

    window = asked = _window(query, at_s, query.window_s)
    width_s = query.window_s
    reachable = any(way.search.is_open for way in ways)
    if 0 < width_s < WIDENING_S and query.wanted_count > 0:
        width_s = _wider(width_s, query)
        window = _window(query, at_s, width_s)
        found = run(window)
        ranked = rank([j for j in found if _inside(asked, j, arrive_by=query.arrive_by)])
        if len(ranked.kept) >= query.wanted_count:
            return ranked, asked
    else:
        found = run(window)
    ranked = rank(found)
    while (
        reachable
        and query.window_s > 0
        and len(ranked.kept) < query.wanted_count
        and width_s < query.widest_window_s
    ):
        width_s = _wider(width_s, query)
        wider = _window(query, at_s, width_s)
        if query.backwards:
            piece = Window(wider.from_s, window.from_s)
        else:
            piece = Window(window.until_s, wider.until_s)
        if piece.until_s <= piece.from_s:
            break
        found += run(piece)
        ranked, window = rank(found), wider
    return _nearest(ranked, window, query, asked)


def _wider(width_s: int, query: PlanQuery) -> int:
    return max(width_s, min(max(2 * width_s, WIDENING_S), query.widest_window_s))


def _nearest(
    ranked: Ranked, window: Window, query: PlanQuery, asked: Window
) -> tuple[Ranked, Window]:
    """
    Keep what was wanted, nearest to the time asked for; the next page begins where it was cut.

    Widened by hours, an interval may hold a whole day of departures.
    """
    if window == asked or len(ranked.kept) <= query.wanted_count:
        return ranked, window

    arrive_by = query.arrive_by
    moments = sorted(
        (_moment(journey, arrive_by=arrive_by) for journey in ranked.kept), reverse=query.backwards
    )
    nearest = moments[query.wanted_count - 1]
    cut = (
        Window(min(nearest, asked.from_s), window.until_s)
        if query.backwards
        else Window(window.from_s, max(nearest + 1, asked.until_s))
    )

    kept = [j for j in ranked.kept if _inside(cut, j, arrive_by=arrive_by)]
    removed = [r for r in ranked.removed if _inside(cut, r.journey, arrive_by=arrive_by)]
    return Ranked(kept, removed), cut


def _moment(journey: RawJourney, *, arrive_by: bool) -> int:
    """When a journey counts; arrivals a second earlier: their intervals are open at the start."""
    return journey.end_s - 1 if arrive_by else journey.start_s


def _inside(window: Window, journey: RawJourney, *, arrive_by: bool) -> bool:
    return window.from_s <= _moment(journey, arrive_by=arrive_by) < window.until_s


def _window(query: PlanQuery, at_s: int, width_s: int) -> Window:
    """Departures from its start to before its end, or arrivals from after its start to its end."""
    if query.window_s == 0:
        return Window(at_s, at_s)
    if query.backwards:
        return Window(at_s - width_s, at_s)
    return Window(at_s, min(at_s + width_s, max(HORIZON_S, at_s + 1)))
