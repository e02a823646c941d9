"""GET and POST /api/v1 … v6/plan: the MOTIS journey planner."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict

from core.errors import InvalidInput, NotSupported
from core.geo import parse_coordinate
from core.ids import StopId
from core.modes import RAIL_MODES, TRANSIT_MODES, Mode
from core.time import parse_instant
from mobility.actions.plan_itineraries import plan_itineraries
from mobility.api.answers import json_answer, language_of, world_of
from mobility.api.parameters import Parameters
from mobility.mapping.motis import MotisWriter, instant
from mobility.mapping.sentences import messages
from mobility.world import World
from routing.itinerary import LegPlace
from routing.planner import PlaceUnknown
from routing.query import Endpoint, PlanQuery

router = APIRouter(tags=["MOTIS"])
VERSIONS = range(1, 7)
ITINERARY_LIMIT = 50
WINDOW_LIMIT_S = 86_400
WALK_LIMIT_S = 7_200
DIRECT_LIMIT_S = 36_000
PASSENGER_LIMIT = 50
MATCHING_LIMIT_M = 2_000

ONLY_DEFAULTS: dict[str, str | tuple[str, ...]] = {
    "radius": "0",
    "via": (),
    "viaMinimumStay": ("0",),
    "additionalTransferTime": "0",
    "transferTimeFactor": "1",
    "pedestrianProfile": "FOOT",
    "pedestrianSpeed": (),
    "cyclingSpeed": (),
    **dict.fromkeys(
        (
            "vehicleHeight", "vehicleWidth", "vehicleLength", "vehicleWeight", "vehicleHazmat",
            "vehicleHazmatWater", "vehicleAxleCount", "vehicleAxleLoad", "vehicleTrailer",
            "vehicleTopSpeed", "vehicleLezAccess", "directRentalFormFactors",
            "preTransitRentalFormFactors", "postTransitRentalFormFactors",
            "directRentalPropulsionTypes", "preTransitRentalPropulsionTypes",
            "postTransitRentalPropulsionTypes", "directRentalProviders",
            "directRentalProviderGroups", "preTransitRentalProviders",
            "preTransitRentalProviderGroups", "postTransitRentalProviders",
            "postTransitRentalProviderGroups", "timeout", "luggage",
        ),
        (),
    ),
    "elevationCosts": "NONE",
    "useRoutedTransfers": ("false", "true"),
    "joinInterlinedLegs": ("true", "false"),
    "ignoreDirectRentalReturnConstraints": "false",
    "ignorePreTransitRentalReturnConstraints": "false",
    "ignorePostTransitRentalReturnConstraints": "false",
    "requireBikeTransport": "false",
    "requireCarTransport": "false",
    "noCompulsoryReservation": "false",
    "fastestDirectFactor": "10",
    "slowDirect": "false",
    "fastestSlowDirectFactor": "3",
    "numLegAlternatives": "0",
    "withScheduledSkippedStops": "false",
    "realtimeMode": "REALTIME",
    "algorithm": ("PONG", "RAPTOR"),
}  # fmt: skip
"""Accepted at these values only. Walks are always routed, trips never joined by block yet, and
one algorithm gives the answers of both names."""

GROUPS: dict[str, frozenset[Mode]] = {
    "TRANSIT": TRANSIT_MODES,
    "RAIL": RAIL_MODES,
    "METRO": frozenset({Mode.SUBURBAN}),
    "AREAL_LIFT": frozenset({Mode.AERIAL_LIFT}),
    "CABLE_CAR": frozenset({Mode.FUNICULAR}),
    "ODM": frozenset(),
    "FLEX": frozenset(),
}
"""Groups of modes and old names; on-demand service is in no feed yet, so it adds nothing."""
STREET = {"WALK": Mode.WALK, "BIKE": Mode.BIKE, "CAR": Mode.CAR}


class PlanBody(BaseModel):
    """Body of POST plan."""

    model_config = ConfigDict(extra="ignore")

    fromOffsets: list[dict[str, Any]] | None = None  # noqa: N815 — MOTIS's name
    toOffsets: list[dict[str, Any]] | None = None  # noqa: N815


def _get_plan(request: Request) -> Any:  # noqa: ANN401 — a response
    return _answer(request)


def _post_plan(request: Request, body: PlanBody) -> Any:  # noqa: ANN401 — a response
    if body.fromOffsets or body.toOffsets:
        raise NotSupported("fromOffsets and toOffsets are not supported yet")
    return _answer(request)


for number in VERSIONS:
    router.get(f"/api/v{number}/plan", operation_id=f"plan_v{number}")(_get_plan)
    router.post(f"/api/v{number}/plan", operation_id=f"plan_post_v{number}")(_post_plan)


def _answer(request: Request) -> Any:  # noqa: ANN401 — a response
    version = int(request.url.path.split("/")[2][1:])
    given = Parameters(request.query_params)
    shown = {k: str(v) for k, v in request.query_params.items()}
    return json_answer(answer_plan(world_of(request), given, shown, version=version))


def answer_plan(
    world: World, given: Parameters, shown: Mapping[str, str], *, version: int
) -> dict[str, Any]:
    """Content of an answer; `shown` is what it repeats of the request."""
    query = read_query(world, given, version)
    priced = plan_itineraries(world, query)
    writer = MotisWriter(world, version, language_of(given))
    fares = given.yes("withFares", default=False)
    most_s = given.whole("maxTravelTime", 0) * 60
    itineraries = [
        writer.itinerary(p, fares=fares)
        for p in priced.itineraries
        if not most_s or (p.itinerary.end_at - p.itinerary.start_at).total_seconds() <= most_s
    ]
    answer = priced.answer
    window = int(answer.window_start.timestamp()), int(answer.window_end.timestamp())
    return {
        "requestParameters": shown,
        "debugOutput": {"revision": world.revision, "offers": len(world.offers)},
        "from": writer.place(_end(world, query.origin)),
        "to": writer.place(_end(world, query.destination)),
        "direct": [writer.itinerary(p, fares=fares) for p in priced.direct],
        "itineraries": itineraries[: given.whole("maxItineraries", ITINERARY_LIMIT, least=1)],
        "previousPageCursor": f"EARLIER|{window[0] - (1 if query.arrive_by else 0)}",
        "nextPageCursor": f"LATER|{window[1]}",
        "mobility": {
            "messages": messages(answer.explanations, world.network.zone),
            "generated_offers": bool(world.snapshot.about.get("generated")),
            "snapshot": world.snapshot.folder.name,
            "searched": [instant(answer.window_start), instant(answer.window_end)],
        },
    }


def _end(world: World, end: Endpoint) -> LegPlace:
    stop = None if end.stop_id is None else world.network.stop_row.get(end.stop_id)
    return LegPlace(end.name, end.coordinate, stop=stop)


def read_query(world: World, given: Parameters, version: int) -> PlanQuery:
    """Parameters → query; raises `InvalidInput` or `NotSupported` naming the parameter."""
    given.only_defaults(ONLY_DEFAULTS)
    zone = world.network.zone
    time = given.text("time")
    arrive_by = given.yes("arriveBy", default=False)
    modes, carpool = read_modes(given)
    transfers = given.whole("maxTransfers", 99)
    if version < 3:
        transfers = max(transfers - 1, 0)  # before v3 the parameter counted vehicles
    query = PlanQuery(
        origin=_endpoint(world, given.required("fromPlace"), "START"),
        destination=_endpoint(world, given.required("toPlace"), "END"),
        at=dt.datetime.now(dt.UTC) if time is None else parse_instant(time, zone),
        arrive_by=arrive_by,
        window_s=given.whole("searchWindow", 900, most=WINDOW_LIMIT_S),
        backwards=arrive_by,
        wanted_count=given.whole("numItineraries", 5, most=ITINERARY_LIMIT),
        max_vehicles=min(transfers + 1, 8),
        transit_modes=modes,
        carpool=carpool,
        seats=given.whole("passengers", 1, least=1, most=PASSENGER_LIMIT),
        direct_modes=_direct_modes(given),
        max_access_s=given.whole("maxPreTransitTime", 900, most=WALK_LIMIT_S),
        max_egress_s=given.whole("maxPostTransitTime", 900, most=WALK_LIMIT_S),
        max_direct_s=given.whole("maxDirectTime", 1800, most=DIRECT_LIMIT_S),
        max_matching_m=given.number("maxMatchingDistance", 250, most=MATCHING_LIMIT_M),
        min_change_s=given.whole("minTransferTime", 0, most=1440) * 60,
        detailed=given.yes("detailedTransfers", default=given.yes("detailedLegs", default=True)),
    )
    if not given.yes("timetableView", default=True):
        query = replace(query, window_s=0)
    cursor = given.text("pageCursor")
    return query if cursor is None else _turn_page(query, cursor)


def _turn_page(query: PlanQuery, cursor: str) -> PlanQuery:
    found = re.fullmatch(r"(EARLIER|LATER)\|(-?\d{1,11})", cursor)
    if found is None:
        raise InvalidInput(f"pageCursor {cursor[:40]!r} is none that this server gave")
    at = dt.datetime.fromtimestamp(int(found[2]), tz=dt.UTC)
    return replace(query, at=at, backwards=found[1] == "EARLIER", window_s=query.window_s or 900)


def _endpoint(world: World, text: str, name: str) -> Endpoint:
    place = parse_coordinate(text)
    if place is not None:
        return Endpoint(place, None, name)
    stop = world.network.stop_row.get(StopId(text))
    if stop is None:
        raise PlaceUnknown(f"{text!r} is neither latitude,longitude nor a stop of this territory")
    t = world.network.timetable
    where = parse_coordinate(f"{t.stop_lat[stop]},{t.stop_lon[stop]}")
    assert where is not None
    return Endpoint(where, StopId(text), t.stop_name[stop])


def read_modes(given: Parameters) -> tuple[frozenset[Mode], bool]:
    """Modes of vehicles, and whether carpool is wanted; an empty list means no transit at all."""
    names = given.texts("transitModes")
    if names is None:
        names = ["TRANSIT"]
    modes: set[Mode] = set()
    for name in names:
        if name == "RIDE_SHARING":
            continue
        if name in GROUPS:
            modes |= GROUPS[name]
        elif name in TRANSIT_MODES:
            modes.add(Mode(name))
        else:
            raise NotSupported(f"transitModes={name} is not supported")
    carpool = bool({"TRANSIT", "RIDE_SHARING"} & set(names))
    for parameter in ("preTransitModes", "postTransitModes", "directModes"):
        for name in given.texts(parameter) or []:
            if name == "RIDE_SHARING" and carpool:
                continue  # carpool is searched everywhere in the journey
            if name not in (STREET if parameter == "directModes" else ("WALK",)):
                raise NotSupported(f"{parameter}={name} is not supported yet")
    return frozenset(modes), carpool


def _direct_modes(given: Parameters) -> tuple[Mode, ...]:
    names = given.texts("directModes")
    if names is None:
        return (Mode.WALK,)
    return tuple(STREET[name] for name in dict.fromkeys(names) if name in STREET)
