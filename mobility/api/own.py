"""Our own API under /mobility/v1."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import orjson
import yaml
from fastapi import APIRouter, Request
from pydantic import BaseModel

from mobility.api.answers import world_of

router = APIRouter()


class Coordinates(BaseModel):
    """A place in degrees."""

    lat: float
    lon: float


class Attribution(BaseModel):
    """A notice that must be shown."""

    text: str
    url: str | None


class FeedFacts(BaseModel):
    """One feed of the territory."""

    id: str
    name: str
    valid_from: dt.date
    valid_to: dt.date


class TerritoryFacts(BaseModel):
    """What a page needs to know of the territory."""

    id: str
    name: str
    generated: bool
    timezone: str
    languages: list[str]
    centre: Coordinates
    bbox: list[float]
    attributions: list[Attribution]
    feeds: list[FeedFacts]
    examples: list[dict[str, Any]]
    offer_count: int
    revision: int
    built_at: dt.datetime


class ElevatorFacts(BaseModel):
    """An elevator, by the id of its pathway, or of OpenStreetMap."""

    id: str
    station: str
    in_service: bool


@router.get("/mobility/v1/territory", tags=["territory"])
def territory(request: Request) -> TerritoryFacts:
    """The territory that this server serves."""
    world = world_of(request)
    about = world.snapshot.about
    return TerritoryFacts(
        **{
            name: about[name]
            for name in (
                "id", "name", "generated", "timezone", "languages", "centre", "bbox",
                "attributions", "feeds", "built_at",
            )
        },
        examples=_examples(world.snapshot.folder),
        offer_count=world.offer_count,
        revision=world.revision,
    )  # fmt: skip


@router.get("/mobility/v1/elevators", tags=["territory"])
def elevators(request: Request) -> list[ElevatorFacts]:
    """Elevators of the territory's stations and of its streets, and whether they run."""
    world = world_of(request)
    return [
        ElevatorFacts(id=e.id, station=e.station, in_service=e.id not in world.shut_elevators)
        for e in world.network.elevators.values()
    ]


def _examples(folder: Path) -> list[dict[str, Any]]:
    for name, read in (("riders.json", orjson.loads), ("riders.yaml", yaml.safe_load)):
        path = folder / name
        if path.is_file():
            examples: list[dict[str, Any]] = read(path.read_bytes())
            return examples
    return []
