"""The base map over HTTP: the snapshot's tiles, and how they are drawn."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import FileResponse

from core.errors import NotFound
from mobility.actions.draw_basemap import BASEMAP, OSM_CREDIT
from mobility.api.answers import json_answer, world_of
from mobility.mapping.map_style import Scheme, map_style

MEDIA_TYPE = "application/vnd.pmtiles"
TILES_PATH = f"/tiles/{BASEMAP}"
TILES_CACHE = "public, max-age=3600"
"""A page that holds tiles of the snapshot before sees another ETag and reads them anew."""

router = APIRouter(prefix="/tiles", tags=["base map"])


class BasemapAbsent(NotFound):
    """The snapshot has no base map."""

    code = "basemap_absent"


@router.get(
    f"/{BASEMAP}",
    response_class=FileResponse,
    responses={
        200: {"content": {MEDIA_TYPE: {}}},
        206: {"description": "The range asked for", "content": {MEDIA_TYPE: {}}},
        304: {"description": "Not changed"},
    },
)
def basemap(request: Request) -> Response:
    """PMTiles archive of the current snapshot; clients read ranges of it."""
    snapshot = world_of(request).snapshot
    described = snapshot.about["files"].get(BASEMAP)
    if described is None:
        raise BasemapAbsent(
            "this territory has no base map: it has no street map, or mobility build said why"
        )
    etag = f'"{described["sha256"]}"'
    headers = {"etag": etag, "cache-control": TILES_CACHE}
    if etag in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    return FileResponse(snapshot.folder / BASEMAP, media_type=MEDIA_TYPE, headers=headers)


@router.get("/style-{scheme}.json")
def style(request: Request, scheme: Scheme) -> Any:  # noqa: ANN401 — a response
    """MapLibre style of the base map; the page draws with it, other apps may."""
    about = world_of(request).snapshot.about
    document = map_style(
        scheme,
        name=about["name"],
        tiles=TILES_PATH if BASEMAP in about["files"] else None,
        credit="" if about["generated"] else OSM_CREDIT,
    )
    return json_answer(document, **{"cache-control": "no-cache"})
