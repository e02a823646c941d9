"""GET /api/v1/map/initial and /api/v1, v6/map/stops: where a map starts, and its stops."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from fastapi import APIRouter, Request, Response

from core.errors import InvalidInput
from core.geo import Coordinate
from mobility.api.answers import json_answer, language_of, version_of, world_of
from mobility.api.one_to_all import TRAVEL_LIMIT_MIN
from mobility.api.parameters import Parameters
from mobility.api.plan import DIRECT_LIMIT_S
from mobility.api.search_parameters import WALK_LIMIT_S, read_stop_modes
from mobility.mapping.motis import MotisWriter
from routing.stops import grouped_stops, modes_of_stops, stops_in_box, stops_with_modes

router = APIRouter(tags=["MOTIS"])
STOP_VERSIONS = (1, 6)
STOP_LIMIT = 5_000
"""Stops in one answer: more cannot be told apart on a map."""
WHOLE_MAP_ZOOM = 17
NOTICES_PAGE = "/"
"""Shows every attribution: where a notice without an address of its own leads."""


@router.get("/api/v1/map/initial", operation_id="initial")
def initial(request: Request) -> Response:
    """Where a map starts, the server's limits, and whose data it is (`Link` headers)."""
    world = world_of(request)
    about = world.snapshot.about
    streets = world.network.has_streets
    answer = json_answer(
        {
            "lat": about["centre"]["lat"],
            "lon": about["centre"]["lon"],
            "zoom": _zoom(about["bbox"]),
            "serverConfig": {
                "motisVersion": f"mobility {request.app.version}",
                "hasElevation": False,
                "hasRoutedTransfers": streets,
                "hasStreetRouting": streets,
                "maxOneToManySize": 0,
                "maxOneToAllTravelTimeLimit": TRAVEL_LIMIT_MIN,
                "maxPrePostTransitTimeLimit": WALK_LIMIT_S,
                "maxDirectTimeLimit": DIRECT_LIMIT_S,
                "shapesDebugEnabled": False,
            },
        }
    )
    for notice in about["attributions"]:
        answer.headers.append("link", f'<{notice["url"] or NOTICES_PAGE}>; rel="license"')
    return answer


def _zoom(bbox: Sequence[float]) -> float:
    """Zoom at which a box (west, south, east, north) fills a tile or two."""
    span = max(abs(bbox[2] - bbox[0]), abs(bbox[3] - bbox[1]))
    return min(round(math.log2(360 / max(span, 1e-6)), 2), WHOLE_MAP_ZOOM)


def _map_stops(request: Request) -> Any:  # noqa: ANN401 — a response
    given = Parameters(request.query_params)
    corners = [_corner(given, name) for name in ("min", "max")]
    world = world_of(request)
    t = world.network.timetable
    called = stops_with_modes(t, read_stop_modes(given, "modes")) & stops_in_box(t, *corners)
    stops = np.intersect1d(np.flatnonzero(called), t.pattern_stop).tolist()
    if len(stops) > STOP_LIMIT:
        raise InvalidInput(f"{len(stops)} stops in the box, more than {STOP_LIMIT}: zoom in")
    if given.yes("grouped", default=False):
        stops = grouped_stops(t, stops)
    writer = MotisWriter(world, version_of(request), language_of(given))
    return json_answer(
        [
            {**writer.stop_place(stop), "modes": writer.modes(modes)}
            for stop, modes in zip(stops, modes_of_stops(t, stops), strict=True)
        ]
    )


def _corner(given: Parameters, name: str) -> Coordinate:
    place = given.place(name)
    if place is None:
        raise InvalidInput(f"{name} is missing")
    return place


for number in STOP_VERSIONS:
    router.get(f"/api/v{number}/map/stops", operation_id=f"stops_v{number}")(_map_stops)
