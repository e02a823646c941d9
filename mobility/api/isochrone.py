"""GET /mobility/v1/isochrone: outlines of what is within reach of a place, as GeoJSON."""

from __future__ import annotations

from typing import Any, Literal

import orjson
from fastapi import APIRouter, Request, Response
from pydantic import BaseModel

from core.errors import InvalidInput
from mobility.api.answers import world_of
from mobility.api.parameters import Parameters
from mobility.api.search_parameters import read_place
from routing.isochrones import CUTOFF_LIMIT, search_isochrone
from routing.travel_times import TravelQuery

router = APIRouter()
CUTOFF_LIMIT_MIN = 120
WINDOW_LIMIT_MIN = 120
"""Longest travel time and window of one request: a few seconds of work on a city."""


class OutlineFacts(BaseModel):
    """What an outline shows."""

    minutes: float
    depart: str
    window_minutes: int
    percentile: int
    area_km2: float


class OutlineShape(BaseModel):
    """GeoJSON MultiPolygon, longitude first; rings turn as RFC 7946 says."""

    type: Literal["MultiPolygon"]
    coordinates: list[list[list[list[float]]]]


class Outline(BaseModel):
    """GeoJSON Feature of one cutoff."""

    type: Literal["Feature"]
    properties: OutlineFacts
    geometry: OutlineShape


class Outlines(BaseModel):
    """GeoJSON FeatureCollection, the least cutoff first; each area holds those before it."""

    type: Literal["FeatureCollection"]
    features: list[Outline]


class GeoJsonResponse(Response):
    """An answer of GeoJSON."""

    media_type = "application/geo+json"


def _parameter(name: str, about: str, *, required: bool = False, **schema: Any) -> dict[str, Any]:  # noqa: ANN401
    return {
        "name": name,
        "in": "query",
        "required": required,
        "description": about,
        "schema": schema,
    }


PARAMETERS = [
    _parameter(
        "place", "latitude,longitude, or the id of a stop or meeting point.", required=True,
        type="string",
    ),
    _parameter("time", "First departure, ISO 8601; now when absent.", type="string"),
    _parameter("minutes", "Cutoffs, comma list.", type="string", default="15,30,45"),
    _parameter(
        "window", "Minutes of departures, one each minute; 0 is that moment alone.",
        type="integer", default=0, minimum=0, maximum=WINDOW_LIMIT_MIN,
    ),
    _parameter(
        "percentile", "Within reach is what takes no longer at so many percent of the departures.",
        type="integer", default=50, minimum=1, maximum=100,
    ),
]  # fmt: skip


@router.get(
    "/mobility/v1/isochrone",
    tags=["territory"],
    response_model=Outlines,
    response_class=GeoJsonResponse,
    responses={422: {"description": "Not understood", "content": {"application/problem+json": {}}}},
    openapi_extra={"parameters": PARAMETERS},
)
def isochrone(request: Request) -> Response:
    """Outline what is within reach of a place, by public transport and on foot."""
    given, world = Parameters(request.query_params), world_of(request)
    cutoffs_min = _cutoffs(given)
    query = TravelQuery(
        given.moment("time", world.network.zone),
        window_s=60 * given.whole("window", 0, most=WINDOW_LIMIT_MIN),
        most_s=60 * max(cutoffs_min),
    )
    found = search_isochrone(
        world.network,
        read_place(world, given.required("place"), "PLACE"),
        query,
        [60 * m for m in cutoffs_min],
        percentile=given.whole("percentile", 50, least=1, most=100),
        limits=world.snapshot.limits,
    )
    return GeoJsonResponse(orjson.dumps(found.as_geojson()))


def _cutoffs(given: Parameters) -> list[int]:
    texts = given.texts("minutes") or ["15", "30", "45"]
    try:
        cutoffs = [int(text) for text in texts]
    except ValueError as error:
        raise InvalidInput(
            f"minutes is {','.join(texts)[:80]!r}: whole numbers with commas"
        ) from error
    if len(cutoffs) > CUTOFF_LIMIT or not all(0 < m <= CUTOFF_LIMIT_MIN for m in cutoffs):
        raise InvalidInput(
            f"minutes is {','.join(texts)[:80]}: up to {CUTOFF_LIMIT} numbers of 1 to "
            f"{CUTOFF_LIMIT_MIN} are expected"
        )
    return cutoffs
