"""GET /api/v1, v4, v5, v6/stoptimes: departures or arrivals at a stop and those beside it."""

from __future__ import annotations

import datetime as dt
from typing import Any

import numpy as np
from fastapi import APIRouter, Request

from core.errors import InvalidInput
from core.geo import Coordinate
from mobility.api.answers import json_answer, language_of, version_of, world_of
from mobility.api.parameters import Parameters
from mobility.api.search_parameters import find_meeting_point, read_stop_modes
from mobility.mapping.motis import MotisWriter
from mobility.mapping.stop_times import write_stop_time
from mobility.world import World
from routing.board import BoardQuery, list_events
from routing.ends import PlaceUnknown
from routing.itinerary import LegPlace
from routing.stops import metres_to_stops, platforms_of

router = APIRouter(tags=["MOTIS"])
VERSIONS = (1, 4, 5, 6)
EVENT_LIMIT = 500
"""Most events in one answer, whatever `window` asks for."""
WINDOW_LIMIT_S = 5 * 86_400
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
    window_s = given.whole("window", 0, most=WINDOW_LIMIT_S)
    query = BoardQuery(
        stops=tuple(stops),
        at=at,
        count=given.whole("n", 0 if window_s else 10, most=EVENT_LIMIT),
        modes=read_stop_modes(given, "mode"),
        arrivals=arrivals,
        later=later,
        window_s=window_s,
        with_skipped=given.yes("withScheduledSkippedStops", default=False),
        most=EVENT_LIMIT,
    )
    events = list_events(world.network, query)
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
            "place": writer.place(place),
            "previousPageCursor": f"EARLIER|{int(first.timestamp()) - 1}",
            "nextPageCursor": f"LATER|{int(last.timestamp()) + 1}",
        }
    )


for number in VERSIONS:
    router.get(f"/api/v{number}/stoptimes", operation_id=f"stoptimes_v{number}")(_stoptimes)


def _stops(world: World, given: Parameters) -> tuple[list[int], LegPlace]:
    """Rows of the stops asked for, and the stop or spot that names the board."""
    t = world.network.timetable
    stop_id, centre = given.text("stopId"), given.place("center")
    radius_m = given.number("radius", 0, most=RADIUS_LIMIT_M)
    place = None if stop_id is None else world.network.stop_row.get(stop_id)
    point = None if stop_id is None else find_meeting_point(world, stop_id)
    stops: list[int] = []
    if place is not None:
        centre = Coordinate(float(t.stop_lat[place]), float(t.stop_lon[place]))
        stops = platforms_of(t, place, alone=given.yes("exactRadius", default=False))
    elif point is not None:
        return [], point  # no vehicle of a timetable calls at a meeting point
    elif centre is None and stop_id is not None:
        raise PlaceUnknown(f"no stop {stop_id[:80]!r} in this territory")
    elif centre is None:
        raise InvalidInput("stopId or center is missing")
    elif not given.text("radius"):
        raise InvalidInput("radius is missing: center asks for it")
    if radius_m > 0:
        near = np.flatnonzero(metres_to_stops(t, centre) <= radius_m)
        stops += np.intersect1d(near, t.pattern_stop).tolist()
    name = "" if place is None else t.stop_name[place]
    return list(dict.fromkeys(stops)), LegPlace(name, centre, stop=place)


def _moment(world: World, given: Parameters, *, arrivals: bool) -> tuple[dt.datetime, bool]:
    """From when on, and whether towards later times."""
    at = given.moment("time", world.network.zone)
    direction = given.text("direction") or ("EARLIER" if arrivals else "LATER")
    if direction not in ("EARLIER", "LATER"):
        raise InvalidInput(f"direction is {direction!r}: say EARLIER or LATER")
    return given.cursor("pageCursor") or (at, direction == "LATER")
