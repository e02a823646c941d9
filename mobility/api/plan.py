"""GET and POST /api/v1 … v6/plan: the MOTIS journey planner."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict

from carpool.audience import NOBODY, Person, Seeker
from core.errors import NotSupported
from core.ids import StopId
from core.modes import Mode
from mobility.actions.plan_itineraries import plan_itineraries
from mobility.actions.rate_riders import RiderFares, read_own_fares
from mobility.api.access import Somebody, installation_of, person_of
from mobility.api.answers import json_answer, language_of, site_of, version_of, world_of
from mobility.api.parameters import Parameters
from mobility.api.search_parameters import (
    BIKE_SPEEDS_MPS,
    CHANGE_LIMIT_MIN,
    ONLY_DEFAULTS,
    WALK_SPEEDS_MPS,
    change_s,
    matching_m,
    most_vehicles,
    read_modes,
    read_place,
    read_seeker,
    read_vias,
    read_wheelchair,
    speed_mps,
    street_modes,
    walk_s,
)
from mobility.mapping.motis import Detail, MotisWriter, instant
from mobility.mapping.priced import PricedAnswer
from mobility.mapping.sentences import messages
from mobility.metrics import STAGE_S, timed
from mobility.users.scopes import Principal, Scope
from mobility.world import World
from routing.itinerary import LegPlace
from routing.query import Endpoint, PlanQuery

router = APIRouter(tags=["MOTIS"])
VERSIONS = range(1, 7)
ITINERARY_LIMIT = 50
WINDOW_LIMIT_S = 86_400
DIRECT_LIMIT_S = 36_000
PASSENGER_LIMIT = 50

CONDITIONS = (
    "via", "viaMinimumStay", "pedestrianSpeed", "cyclingSpeed", "transferTimeFactor",
    "additionalTransferTime",
)  # fmt: skip
"""What a rider may ask for beyond the common search."""
OWN = frozenset(
    (
        "avoidRoutes", "avoidStops", "carpoolAudience", "carpoolNeeds", "explain",
        "wheelchairUnknown",
    )
)  # fmt: skip
"""Parameters that MOTIS does not know."""

PLAN_ONLY_DEFAULTS: dict[str, str | tuple[str, ...]] = {
    **{name: value for name, value in ONLY_DEFAULTS.items() if name not in CONDITIONS},
    "radius": "0",
    **dict.fromkeys(
        (
            "directRentalFormFactors", "preTransitRentalFormFactors",
            "postTransitRentalFormFactors", "directRentalPropulsionTypes",
            "preTransitRentalPropulsionTypes", "postTransitRentalPropulsionTypes",
            "directRentalProviders", "directRentalProviderGroups", "preTransitRentalProviders",
            "preTransitRentalProviderGroups", "postTransitRentalProviders",
            "postTransitRentalProviderGroups", "luggage",
        ),
        (),
    ),
    "ignoreDirectRentalReturnConstraints": "false",
    "ignorePreTransitRentalReturnConstraints": "false",
    "ignorePostTransitRentalReturnConstraints": "false",
    "fastestDirectFactor": "10",
    "slowDirect": "false",
    "fastestSlowDirectFactor": "3",
    "numLegAlternatives": "0",
    "realtimeMode": "REALTIME",
    "algorithm": ("PONG", "RAPTOR", "TB"),
}  # fmt: skip
"""Accepted at these values only. One algorithm gives the answers of all names."""
HONOURED = frozenset(
    (
        *CONDITIONS, "fromPlace", "toPlace", "time", "arriveBy", "maxTransfers", "maxTravelTime",
        "minTransferTime", "maxMatchingDistance", "detailedTransfers", "detailedLegs",
        "transitModes", "directModes", "preTransitModes", "postTransitModes", "numItineraries",
        "maxItineraries", "pageCursor", "timetableView", "searchWindow", "maxPreTransitTime",
        "maxPostTransitTime", "maxDirectTime", "passengers", "withFares",
        "withScheduledSkippedStops", "joinInterlinedLegs", "language", "pedestrianProfile",
    )
)  # fmt: skip
IGNORED = frozenset(("timeout",))
"""A search ends by its own bounds, in well under a second."""
SEARCHES_AT_ONCE = 2
"""Of one process: a search needs a whole core, so that more at once only make all of them late."""
turns = threading.Semaphore(SEARCHES_AT_ONCE)
STREET = {"WALK": Mode.WALK, "BIKE": Mode.BIKE, "CAR": Mode.CAR}


class PlanBody(BaseModel):
    """Body of POST plan."""

    model_config = ConfigDict(extra="ignore")

    fromOffsets: list[dict[str, Any]] | None = None  # noqa: N815 — MOTIS's name
    toOffsets: list[dict[str, Any]] | None = None  # noqa: N815


def _get_plan(request: Request, somebody: Somebody) -> Any:  # noqa: ANN401 — a response
    return _answer(request, somebody)


def _post_plan(request: Request, somebody: Somebody, body: PlanBody) -> Any:  # noqa: ANN401 — a response
    if body.fromOffsets or body.toOffsets:
        raise NotSupported("fromOffsets and toOffsets are not supported yet")
    return _answer(request, somebody)


@router.get("/mobility/v1/plan", tags=["territory"])
def plan_own(request: Request, somebody: Somebody) -> Any:  # noqa: ANN401 — a response
    """Answer as the newest `plan`, to pages of this server: with offers for who is signed in."""
    return _answer(request, somebody)


for number in VERSIONS:
    router.get(f"/api/v{number}/plan", operation_id=f"plan_v{number}")(_get_plan)
    router.post(f"/api/v{number}/plan", operation_id=f"plan_post_v{number}")(_post_plan)


def _answer(request: Request, somebody: Principal | None) -> Any:  # noqa: ANN401 — a response
    given = Parameters(request.query_params)
    person = person_of(request, somebody)
    shown = {k: str(v) for k, v in request.query_params.items()}
    world = world_of(request)
    with turns:
        answer = answer_plan(
            world, given, shown, version=version_of(request), site=site_of(request),
            quotes=True, person=person, fares_at=partial(_fares, request, world, somebody),
        )  # fmt: skip
    return json_answer(answer)


def _fares(
    request: Request, world: World, somebody: Principal | None, at: dt.datetime
) -> RiderFares | None:
    tariffs = world.tariffs
    if tariffs is None or somebody is None or Scope.RIDER not in somebody.scopes:
        return None
    with installation_of(request).engine.connect() as connection:
        return read_own_fares(connection, tariffs, somebody.person_id, at)


def nobodys(_at: dt.datetime) -> RiderFares | None:
    """Nothing that anybody used is known."""
    return None


def answer_plan(
    world: World,
    given: Parameters,
    shown: Mapping[str, str],
    *,
    version: int,
    site: str = "",
    quotes: bool = False,
    person: Person = NOBODY,
    fares_at: Callable[[dt.datetime], RiderFares | None] = nobodys,
) -> dict[str, Any]:
    """
    Content of an answer; `shown` is what it repeats of the request, `site` this server.

    `fares_at` tells what the rider who asks has used around a time.
    """
    query = read_query(world, given, version)
    seeker = read_seeker(given, person)
    priced = plan_itineraries(world, query, seeker=seeker, fares=fares_at(query.at))
    writer = MotisWriter(
        world, version, language_of(given), _detail(given), site=site, quotes=quotes
    )
    with timed(STAGE_S, "write"):
        written = _write_answer(writer, world, given, query, priced, seeker)
    return written | {"requestParameters": shown}


def _write_answer(
    writer: MotisWriter,
    world: World,
    given: Parameters,
    query: PlanQuery,
    priced: PricedAnswer,
    seeker: Seeker,
) -> dict[str, Any]:
    fares = given.yes("withFares", default=False)
    most_s = given.whole("maxTravelTime", 0) * 60
    itineraries = [
        writer.itinerary(p, fares=fares, seats=query.seats, needs=seeker.needs)
        for p in priced.itineraries
        if not most_s or (p.itinerary.end_at - p.itinerary.start_at).total_seconds() <= most_s
    ]
    answer = priced.answer
    window = int(answer.window_start.timestamp()), int(answer.window_end.timestamp())
    return {
        "debugOutput": {"revision": world.revision, "offers": world.offer_count},
        "from": writer.place(_end(world, query.origin)),
        "to": writer.place(_end(world, query.destination)),
        "direct": [writer.itinerary(p, fares=fares) for p in priced.direct],
        "itineraries": itineraries[: given.whole("maxItineraries", ITINERARY_LIMIT, least=1)],
        "previousPageCursor": f"EARLIER|{window[0]}",
        "nextPageCursor": f"LATER|{window[1]}",
        "mobility": {
            "messages": messages(answer.explanations, world.network.zone),
            "generated_offers": bool(world.snapshot.about.get("generated")),
            "snapshot": world.snapshot.folder.name,
            "searched": [instant(answer.window_start), instant(answer.window_end)],
            **({"removed": writer.removed(answer.removed)} if query.explain else {}),
        },
    }


def _end(world: World, end: Endpoint) -> LegPlace:
    stop = None if end.stop_id is None else world.network.stop_row.get(end.stop_id)
    return LegPlace(end.name, end.coordinate, stop=stop)


def read_query(world: World, given: Parameters, version: int) -> PlanQuery:
    """Parameters → query; raises `InvalidInput` or `NotSupported` naming the parameter."""
    given.only_defaults(PLAN_ONLY_DEFAULTS)
    given.whole("timeout", 0)
    arrive_by = given.yes("arriveBy", default=False)
    modes, carpool = read_modes(given, "transitModes")
    detail = _detail(given)
    wheelchair, unknown = read_wheelchair(given)
    query = PlanQuery(
        origin=read_place(world, given.required("fromPlace"), "START"),
        destination=read_place(world, given.required("toPlace"), "END"),
        at=given.moment("time", world.network.zone),
        arrive_by=arrive_by,
        window_s=given.whole("searchWindow", 900, most=WINDOW_LIMIT_S),
        backwards=arrive_by,
        wanted_count=given.whole("numItineraries", 5, most=ITINERARY_LIMIT),
        max_vehicles=most_vehicles(given, version),
        transit_modes=modes,
        carpool=carpool,
        seats=given.whole("passengers", 1, least=1, most=PASSENGER_LIMIT),
        direct_modes=_direct_modes(given, carpool=carpool),
        max_access_s=walk_s(given, "maxPreTransitTime"),
        max_egress_s=walk_s(given, "maxPostTransitTime"),
        max_direct_s=min(given.whole("maxDirectTime", 1800), DIRECT_LIMIT_S),
        max_matching_m=matching_m(given),
        access_modes=street_modes(given, "preTransitModes", carpool=carpool),
        egress_modes=street_modes(given, "postTransitModes", carpool=carpool),
        walk_mps=speed_mps(given, "pedestrianSpeed", WALK_SPEEDS_MPS),
        bike_mps=speed_mps(given, "cyclingSpeed", BIKE_SPEEDS_MPS),
        min_change_s=change_s(given),
        change_factor=given.number("transferTimeFactor", 1, least=1, most=10),
        extra_change_s=given.whole("additionalTransferTime", 0, most=CHANGE_LIMIT_MIN) * 60,
        avoid_routes=frozenset(given.texts("avoidRoutes") or ()),
        avoid_stops=frozenset(map(StopId, given.texts("avoidStops") or ())),
        vias=read_vias(given, world),
        explain=given.yes("explain", default=False),
        detailed=detail.legs or detail.transfers,
        wheelchair=wheelchair,
        wheelchair_unknown=unknown,
    )
    if not given.yes("timetableView", default=True):
        query = replace(query, window_s=0)
    cursor = given.cursor("pageCursor")
    if cursor is None:
        return query
    at, later = cursor
    return replace(query, at=at, backwards=not later, window_s=query.window_s or 900)


def _detail(given: Parameters) -> Detail:
    legs = given.yes("detailedLegs", default=True)
    return Detail(
        legs=legs,
        transfers=given.yes("detailedTransfers", default=legs),
        skipped_stops=given.yes("withScheduledSkippedStops", default=False),
        joined=given.yes("joinInterlinedLegs", default=True),
    )


def _direct_modes(given: Parameters, *, carpool: bool) -> tuple[Mode, ...]:
    names = given.texts("directModes")
    if names is None:
        return (Mode.WALK,)
    for name in names:
        if name not in STREET and not (name == "RIDE_SHARING" and carpool):
            raise NotSupported(f"directModes={name} is not supported yet")
    return tuple(STREET[name] for name in dict.fromkeys(names) if name in STREET)
