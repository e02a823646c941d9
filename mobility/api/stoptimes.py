"""GET /api/v1, v4, v5, v6/stoptimes: departures or arrivals at a stop and those beside it."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

import numpy as np
from fastapi import APIRouter, Request

from core.errors import InvalidInput
from core.geo import Coordinate, distance_m, parse_coordinate
from core.modes import TRANSIT_MODES, Mode
from core.time import parse_instant
from mobility.api.answers import json_answer, language_of, world_of
from mobility.api.parameters import Parameters
from mobility.api.plan import GROUPS
from mobility.mapping.motis import MotisWriter
from mobility.world import World
from routing.board import StopEvent, list_events
from routing.planner import PlaceUnknown

router = APIRouter(tags=["MOTIS"])
EVENT_LIMIT = 500
RADIUS_LIMIT_M = 5_000


def _stoptimes(request: Request) -> Any:  # noqa: ANN401 — a response
    given = Parameters(request.query_params)
    given.only_defaults(
        {
            "both": "false",
            "withScheduledSkippedStops": "false",
            "realtimeMode": "REALTIME",
            "fetchStops": ("false", "true"),
            "withAlerts": ("true", "false"),
            "window": (),
        }
    )
    world = world_of(request)
    version = int(request.url.path.split("/")[2][1:])
    stops, place = _stops(world, given)
    arrivals = given.yes("arriveBy", default=False)
    at, later = _moment(world, given, arrivals=arrivals)
    count = given.whole("n", 10, least=1, most=EVENT_LIMIT)
    events = list_events(
        world.network, stops, at, count=count, arrivals=arrivals, later=later,
        modes=_modes(given),
    )  # fmt: skip
    writer = MotisWriter(world, version, language_of(given))
    first = events[0].at if events else at
    last = events[-1].at if events else at
    return json_answer(
        {
            "stopTimes": [_written(writer, event, arrivals=arrivals) for event in events],
            "place": writer.stop_place(place) if place is not None else _nowhere(given),
            "previousPageCursor": f"EARLIER|{int(first.timestamp()) - 1}",
            "nextPageCursor": f"LATER|{int(last.timestamp()) + 1}",
        }
    )


for number in (1, 4, 5, 6):
    router.get(f"/api/v{number}/stoptimes", operation_id=f"stoptimes_v{number}")(_stoptimes)


def _stops(world: World, given: Parameters) -> tuple[list[int], int | None]:
    """Rows of the stops asked for, and the one that names the board."""
    t = world.network.timetable
    stop_id, centre = given.text("stopId"), given.text("center")
    if stop_id is None and centre is None:
        raise InvalidInput("stopId or center is missing")
    radius_m = given.number("radius", 0, most=RADIUS_LIMIT_M)
    stops: list[int] = []
    place: int | None = None
    where: Coordinate | None = None
    if stop_id is not None:
        place = world.network.stop_row.get(stop_id)
        if place is None:
            raise PlaceUnknown(f"no stop {stop_id!r} in this territory")
        station = int(t.stop_parent[place])
        station = place if station < 0 or given.yes("exactRadius", default=False) else station
        stops = [place, *np.flatnonzero(t.stop_parent == station).tolist()]
        where = Coordinate(float(t.stop_lat[place]), float(t.stop_lon[place]))
    elif centre is not None:
        where = parse_coordinate(centre)
        if where is None:
            raise InvalidInput(f"center {centre!r} is not latitude,longitude")
    if where is not None and radius_m > 0:
        stops += [
            stop
            for stop in np.unique(t.pattern_stop).tolist()
            if distance_m(where, Coordinate(float(t.stop_lat[stop]), float(t.stop_lon[stop])))
            <= radius_m
        ]
    return list(dict.fromkeys(stops)), place


def _moment(world: World, given: Parameters, *, arrivals: bool) -> tuple[dt.datetime, bool]:
    """From when on, and whether towards later times."""
    cursor = given.text("pageCursor")
    if cursor is not None:
        found = re.fullmatch(r"(EARLIER|LATER)\|(-?\d{1,11})", cursor)
        if found is None:
            raise InvalidInput(f"pageCursor {cursor[:40]!r} is none that this server gave")
        return dt.datetime.fromtimestamp(int(found[2]), tz=dt.UTC), found[1] == "LATER"
    time = given.text("time")
    at = dt.datetime.now(dt.UTC) if time is None else parse_instant(time, world.network.zone)
    direction = given.text("direction") or ("EARLIER" if arrivals else "LATER")
    if direction not in ("EARLIER", "LATER"):
        raise InvalidInput(f"direction is {direction!r}: say EARLIER or LATER")
    return at, direction == "LATER"


def _modes(given: Parameters) -> frozenset[Mode]:
    names = given.texts("mode")
    if not names:
        return TRANSIT_MODES
    modes: set[Mode] = set()
    for name in names:
        if name in GROUPS:
            modes |= GROUPS[name]
        elif name in TRANSIT_MODES:
            modes.add(Mode(name))
    return frozenset(modes)


def _written(writer: MotisWriter, event: StopEvent, *, arrivals: bool) -> dict[str, Any]:
    facts = writer.route_facts(event.trip)
    times = {"arrival": event.arrival_at, "departure": event.departure_at}
    if event.first:
        del times["arrival"]
    if event.last:
        del times["departure"]
    usable = event.can_alight if arrivals else event.can_board
    return {
        # Required here, and the API has no word for unknown: nobody must rely on a guess.
        "wheelchairAccessible": "NOT_ACCESSIBLE",
        **facts,
        "place": writer.stop_place(event.stop, **times),
        "realTime": False,
        "tripId": writer.trip_id(event.trip, event.service_date),
        "pickupDropoffType": "NORMAL" if usable else "NOT_ALLOWED",
        "tripCancelled": False,
        "reservation": "NONE",
    }


def _nowhere(given: Parameters) -> dict[str, Any]:
    where = parse_coordinate(given.text("center") or "")
    assert where is not None
    return {"name": "", "lat": where.lat, "lon": where.lon}
