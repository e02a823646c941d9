"""GET /api/v1/geocode: stops, streets and places by name."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request

from core.geo import parse_coordinate
from mobility.api.answers import json_answer, world_of
from mobility.api.parameters import Parameters
from routing.places import Match, folded_words

router = APIRouter(tags=["MOTIS"])
RESULT_LIMIT = 50
TOWN_LEVEL = 8


@router.get("/api/v1/geocode", operation_id="geocode")
def geocode(request: Request) -> Any:  # noqa: ANN401 — a response
    """Guesses of what a text that is being typed means, best first."""
    given = Parameters(request.query_params)
    text = given.required("text")
    given.only_defaults({"mode": (), "min": (), "max": (), "placeBias": "1"})
    world = world_of(request)
    near = given.text("place")
    kinds = set(given.texts("type") or [])
    count = given.whole("numResults", 10, least=1, most=RESULT_LIMIT)
    found = world.snapshot.places.search(
        text, count=RESULT_LIMIT, near=None if near is None else parse_coordinate(near)
    )
    found = [match for match in found if not kinds or str(match.kind) in kinds]
    zone = world.network.zone.key
    return json_answer([_written(match, text, zone) for match in found[:count]])


def _written(match: Match, text: str, zone: str) -> dict[str, Any]:
    lat, lon = match.coordinate.lat, match.coordinate.lon
    area = {"name": match.area, "adminLevel": TOWN_LEVEL, "matched": False, "default": True}
    written = {
        "type": str(match.kind),
        "tokens": _tokens(match.name, text),
        "name": match.name,
        "id": match.id or f"{lat:.6f},{lon:.6f}",
        "lat": lat,
        "lon": lon,
        "tz": zone,
        "areas": [area] if match.area else [],
        "score": match.score,
    }
    if match.kind == "ADDRESS":
        written["street"] = match.name
    return written


def _tokens(name: str, text: str) -> list[list[int]]:
    """Where the typed words begin words of the name: [start, length]."""
    typed = folded_words(text)
    tokens, start = [], 0
    for word in name.split(" "):
        folded = folded_words(word)
        best = max((len(t) for t in typed if folded and folded[0].startswith(t)), default=0)
        if best:
            tokens.append([start, min(best, len(word))])
        start += len(word) + 1
    return tokens
