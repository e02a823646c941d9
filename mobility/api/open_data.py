"""Open data: what anybody may take away whole, with an ETag so that nobody takes it twice."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Callable, Mapping
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response

from carpool.tracking import Progress
from core.errors import NotFound
from core.remember import Remembered
from mobility.actions.follow_ride import read_progress
from mobility.api.access import installation_of, now_of
from mobility.api.answers import json_answer, site_of, world_of
from mobility.mapping.carpool_gtfs import carpool_gtfs
from mobility.mapping.carpool_realtime import (
    FeedMessage,
    as_json,
    followed_rides,
    trip_updates,
    vehicle_positions,
)
from mobility.published_tariffs import source_on
from mobility.world import World
from payments.tariff_schema import TARIFF_SCHEMA

KEPT = 2
MEDIA_TYPE = "application/zip"
YAML = "application/yaml"
CACHE = "public, max-age=60"
PROTOBUF = "application/x-protobuf"
LIVE_CACHE = "public, max-age=5"
Format = Annotated[Literal["protobuf", "json"], Query()]
LIVE_ANSWERS: dict[int | str, dict[str, Any]] = {
    200: {"content": {PROTOBUF: {}, "application/json": {}}}
}


class NoTariff(NotFound):
    """The territory has no tariff."""

    code = "no_tariff"


router = APIRouter(prefix="/open-data", tags=["open data"])
_feeds: Remembered[tuple[World, str], bytes] = Remembered(lambda of: carpool_gtfs(*of), KEPT)


@router.get(
    "/gtfs/carpool.zip",
    response_class=Response,
    responses={
        200: {"content": {MEDIA_TYPE: {}}},
        304: {"description": "Not changed"},
    },
)
def carpool_feed(request: Request) -> Response:
    """Carpool offers as GTFS (route type 1551): fixed stops and times, for any planner."""
    world, site = world_of(request), site_of(request)
    feed = _feeds((world, site))
    etag = f'"{hashlib.sha256(feed).hexdigest()}"'
    headers = {"etag": etag, "cache-control": CACHE}
    if etag in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    return Response(feed, media_type=MEDIA_TYPE, headers=headers)


@router.get(
    "/tariff.yaml",
    response_class=Response,
    responses={200: {"content": {YAML: {}}}, 304: {"description": "Not changed"}},
)
def tariff_file(request: Request, on: dt.date | None = None) -> Response:
    """Say what riders pay: the tariff that holds today, or `on` a fare day, as it was written."""
    world = world_of(request)
    tariff = None
    if world.tariffs is not None:
        day = on or world.tariffs.fare_day(now_of(request))
        tariff = world.tariffs.on(day)
    if tariff is None:
        raise NoTariff("this territory has no tariff then: prices are unknown")
    headers = {"etag": f'"{tariff.content_hash}"', "cache-control": CACHE}
    if headers["etag"] in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    with installation_of(request).engine.connect() as connection:
        text = source_on(connection, world.snapshot, day)
    return Response(text, media_type=YAML, headers=headers)


@router.get("/tariff.schema.json")
def tariff_schema() -> Any:  # noqa: ANN401 — a response
    """JSON Schema of tariff files, for editors."""
    return json_answer(TARIFF_SCHEMA, **{"cache-control": CACHE})


@router.get("/gtfs-rt/trip-updates.pb", response_class=Response, responses=LIVE_ANSWERS)
def carpool_trip_updates(request: Request, format: Format = "protobuf") -> Response:  # noqa: A002 — its public name
    """Delays and cancellations of carpool trips, as GTFS-RT; `format=json` to read them."""
    return _live(request, format, trip_updates)


@router.get("/gtfs-rt/vehicle-positions.pb", response_class=Response, responses=LIVE_ANSWERS)
def carpool_vehicle_positions(request: Request, format: Format = "protobuf") -> Response:  # noqa: A002 — its public name
    """Where carpool cars under way are, to about 500 m and not near private ends, as GTFS-RT."""
    return _live(request, format, vehicle_positions)


Feed = Callable[[World, Mapping[UUID, Progress], dt.datetime], FeedMessage]


def _live(request: Request, as_format: str, make: Feed) -> Response:
    world, now = world_of(request), now_of(request)
    rides = [loaded.ride.id for loaded in followed_rides(world, now) if loaded.track is not None]
    cars = installation_of(request).cars.read(rides)
    known = {of: read_progress(car) for of, car in zip(rides, cars, strict=True)}
    feed = make(world, {of: car for of, car in known.items() if car is not None}, now)
    if as_format == "json":
        return json_answer(as_json(feed), **{"cache-control": LIVE_CACHE})
    headers = {"cache-control": LIVE_CACHE}
    return Response(feed.SerializeToString(), media_type=PROTOBUF, headers=headers)
