"""What an operator's tools ask: is the process alive, what is missing, what was measured."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any, Literal

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel

from mobility.api.answers import json_answer, world_of
from mobility.feed_expiry import list_expiries
from mobility.metrics import CONTENT_TYPE, metrics_text
from mobility.world_keeper import WorldKeeper

router = APIRouter()
DATABASE_SILENT_S = 3.0
"""Several times as long as a process takes to look for changes."""


class Alive(BaseModel):
    """Answer of the liveness probe."""

    status: Literal["ok"]


class Missing(BaseModel):
    """Something that the process should have and has not."""

    part: Literal["database", "valkey", "timetable", "page"]
    what: str


class Ready(BaseModel):
    """Answer of the readiness probe: journeys are answered, in full or with something missing."""

    status: Literal["ready", "degraded"]
    missing: list[Missing]
    snapshot: str
    snapshot_built_at: dt.datetime
    revision: int
    """Last change of the database that this process serves."""
    offers: int
    database_seen_at: dt.datetime | None


@router.get("/healthz", tags=["operations"])
def healthz() -> Alive:
    """The process answers."""
    return Alive(status="ok")


@router.get("/readyz", tags=["operations"])
def readyz(request: Request) -> Ready:
    """The process has a world to search; what is missing for the rest is named."""
    keeper: WorldKeeper = request.app.state.keeper
    world = keeper.world
    missing = list_missing(keeper, request.app.state.settings.web, dt.datetime.now(dt.UTC))
    return Ready(
        status="degraded" if missing else "ready",
        missing=missing,
        snapshot=world.snapshot.folder.name,
        snapshot_built_at=world.snapshot.about["built_at"],
        revision=world.revision,
        offers=world.offer_count,
        database_seen_at=keeper.database_seen_at,
    )


def list_missing(keeper: WorldKeeper, web: Path, now: dt.datetime) -> list[Missing]:
    """Name what a process lacks, and what that means for people."""
    missing, seen_at = [], keeper.database_seen_at
    if seen_at is None or (now - seen_at).total_seconds() > DATABASE_SILENT_S:
        said = "does not answer: journeys go on with the offers known so far, nothing is stored"
        missing.append(Missing(part="database", what=said))
    if not keeper.valkey_answers:
        said = "does not answer: changes arrive up to a second later"
        missing.append(Missing(part="valkey", what=said))
    today = now.astimezone(keeper.world.network.zone).date()
    feeds = list_expiries(keeper.world.snapshot.about, today)
    if not any(feed.first_date <= today <= feed.last_date for feed in feeds):
        said = f"no feed is valid on {today}: fetch newer ones, then mobility build"
        missing.append(Missing(part="timetable", what=said))
    if not (web / "index.html").is_file():
        missing.append(Missing(part="page", what="is not built: make web"))
    return missing


@router.get("/metrics", include_in_schema=False)
def metrics() -> Response:
    """What every process of this home measured, in the text format of Prometheus."""
    return Response(metrics_text(), media_type=CONTENT_TYPE)


@router.get("/api/v1/health", tags=["MOTIS"], operation_id="health")
def health(request: Request) -> Any:  # noqa: ANN401 — a response
    """Over which feeds this server answers; none is live yet."""
    world = world_of(request)
    return json_answer({"status": "ok", "feeds": [f["id"] for f in world.snapshot.about["feeds"]]})
