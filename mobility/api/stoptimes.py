"""GET /api/v1, v4, v5, v6/stoptimes: departures or arrivals at a stop and those beside it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import numpy as np
from fastapi import APIRouter, Request

from core.errors import InvalidInput
from core.geo import Coordinate
from mobility.api.answers import json_answer, language_of, version_of, world_of
from mobility.api.parameters import Parameters
from mobility.api.search_parameters import read_stop_modes
from mobility.mapping.motis import MotisWriter
from mobility.mapping.stop_times import write_stop_time
from mobility.world import World
from routing.board import StopEvent, list_events
from routing.planner import PlaceUnknown
from routing.stops import metres_to_stops

router = APIRouter(tags=["MOTIS"])
VERSIONS = (1, 4, 5, 6)
EVENT_LIMIT = 500
"""Most events in one answer, whatever `n` and `window` ask for."""
WINDOW_LIMIT_S = 7 * 86_400
RADIUS_LIMIT_M = 5_000

ONLY_DEFAULTS: dict[str, str | tuple[str, ...]] = {
    "both": "false",
    "realtimeMode": "REALTIME",
    "withAlerts": ("true", "false"),
}
"""Accepted at these values only; there are no alerts to leave out yet."""


def _stoptimes(request: Request) -> Any:  # noqa: ANN401 — a response
    given = Parameters(request.query_params)
    given.only_defaults(ONLY_DEFAULTS)
    world = world_of(request)
    stops, place = _stops(world, given)
    arrivals = given.yes("arriveBy", default=False)
    at, later = _moment(world, given, arrivals=arrivals)
    events = _events(world, given, stops, at, arrivals=arrivals, later=later)
    following = given.yes("fetchStops", default=False)
    writer = MotisWriter(world, version_of(request), language_of(given))
    first = events[0].at if events else at
    last = events[-1].at if events else at
    return json_answer(
        {
            "stopTimes": [
                write_stop_time(writer, world.network, e, arrivals=arrivals, following=following)
                for e in events
            ],
            "place": writer.stop_place(place) if isinstance(place, int) else writer.spot(place),
            "previousPageCursor": f"EARLIER|{int(first.timestamp()) - 1}",
            "nextPageCursor": f"LATER|{int(last.timestamp()) + 1}",
        }
    )


for number in VERSIONS:
    router.get(f"/api/v{number}/stoptimes", operation_id=f"stoptimes_v{number}")(_stoptimes)


def _stops(world: World, given: Parameters) -> tuple[list[int], int | Coordinate]:
    """Rows of the stops asked for, and the stop or spot that names the board."""
    t = world.network.timetable
    stop_id, centre = given.text("stopId"), given.place("center")
    radius_m = given.number("radius", 0, most=RADIUS_LIMIT_M)
    place = None if stop_id is None else world.network.stop_row.get(stop_id)
    stops: list[int] = []
    if place is not None:
        centre = Coordinate(float(t.stop_lat[place]), float(t.stop_lon[place]))
        station = int(t.stop_parent[place])
        station = place if station < 0 or given.yes("exactRadius", default=False) else station
        stops = [place, *np.flatnonzero(t.stop_parent == station).tolist()]
    elif centre is None and stop_id is not None:
        raise PlaceUnknown(f"no stop {stop_id[:80]!r} in this territory")
    elif centre is None:
        raise InvalidInput("stopId or center is missing")
    elif not given.text("radius"):
        raise InvalidInput("radius is missing: center asks for it")
    if radius_m > 0:
        near = np.flatnonzero(metres_to_stops(t, centre) <= radius_m)
        stops += np.intersect1d(near, t.pattern_stop).tolist()
    return list(dict.fromkeys(stops)), centre if place is None else place


def _moment(world: World, given: Parameters, *, arrivals: bool) -> tuple[dt.datetime, bool]:
    """From when on, and whether towards later times."""
    at = given.moment("time", world.network.zone)
    direction = given.text("direction") or ("EARLIER" if arrivals else "LATER")
    if direction not in ("EARLIER", "LATER"):
        raise InvalidInput(f"direction is {direction!r}: say EARLIER or LATER")
    return given.cursor("pageCursor") or (at, direction == "LATER")


def _events(
    world: World,
    given: Parameters,
    stops: list[int],
    at: dt.datetime,
    *,
    arrivals: bool,
    later: bool,
) -> list[StopEvent]:
    """At least `n` events, and all within `window`; those that nobody can use are left out."""
    skipped = given.yes("withScheduledSkippedStops", default=False)
    window = given.whole("window", 0, most=WINDOW_LIMIT_S)
    count = given.whole("n", 0 if window else 10, most=EVENT_LIMIT)
    modes = read_stop_modes(given, "mode")

    def usable(event: StopEvent) -> bool:
        return skipped or (event.can_alight if arrivals else event.can_board)

    def within(event: StopEvent) -> bool:
        return abs((event.at - at).total_seconds()) <= window

    def listed(most: int) -> list[StopEvent]:
        return list_events(
            world.network, stops, at, count=most, arrivals=arrivals, later=later, modes=modes
        )

    return _enough(listed, count, usable=usable, within=within, later=later)


def _enough(
    listed: Callable[[int], list[StopEvent]],
    count: int,
    *,
    usable: Callable[[StopEvent], bool],
    within: Callable[[StopEvent], bool],
    later: bool,
) -> list[StopEvent]:
    """List ever more events until enough of them are usable and the last is outside the window."""
    asked = max(count, 1)
    while True:
        every = listed(asked)
        kept = [event for event in every if usable(event)]
        if not later:
            kept.reverse()
        wanted = max(count, sum(within(event) for event in kept))
        farthest = every[-1 if later else 0] if every else None
        complete = len(every) < asked or (
            len(kept) >= count and farthest is not None and not within(farthest)
        )
        if complete or asked >= EVENT_LIMIT:
            kept = kept[: min(wanted, EVENT_LIMIT)]
            return kept if later else kept[::-1]
        asked = min(2 * asked, EVENT_LIMIT)
