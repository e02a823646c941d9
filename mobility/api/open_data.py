"""Open data: what anybody may take away whole, with an ETag so that nobody takes it twice."""

from __future__ import annotations

import hashlib

from fastapi import APIRouter, Request, Response

from core.remember import Remembered
from mobility.api.answers import site_of, world_of
from mobility.mapping.carpool_gtfs import carpool_gtfs
from mobility.world import World

KEPT = 2
MEDIA_TYPE = "application/zip"
CACHE = "public, max-age=60"

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
