"""Stops, streets and places found by name or by nearness → matches of the MOTIS 2 API."""

from __future__ import annotations

from typing import Any

from core.geo import Coordinate
from core.modes import Mode
from routing.place_words import folded_words
from routing.places import Match, MatchKind

TOWN_LEVEL = 8
"""OpenStreetMap's admin_level of a town, by which apps know the area to show."""


def write_match(
    match: Match, *, zone: str, typed: str = "", modes: list[Mode] | None = None
) -> dict[str, Any]:
    """One guess; `typed` is what was looked for, `modes` what calls at a stop."""
    lat, lon = match.coordinate.lat, match.coordinate.lon
    area = {"name": match.area, "adminLevel": TOWN_LEVEL, "matched": False, "default": True}
    written = {
        "type": str(match.kind),
        "tokens": matched_parts(match.name, typed),
        "name": match.name,
        "id": match.id or f"{lat:.6f},{lon:.6f}",
        "lat": lat,
        "lon": lon,
        "tz": zone,
        "areas": [area] if match.area else [],
        "score": match.score,
    }
    if match.kind is MatchKind.ADDRESS:
        written["street"] = match.name
    if modes is not None:
        written["modes"] = [str(mode) for mode in modes]
    return written


def matched_parts(name: str, typed: str) -> list[list[int]]:
    """Where the typed words begin words of the name: [start, length]."""
    words = folded_words(typed)
    tokens, start = [], 0
    for word in name.split(" "):
        folded = folded_words(word)
        best = max((len(w) for w in words if folded and folded[0].startswith(w)), default=0)
        if best:
            tokens.append([start, min(best, len(word))])
        start += len(word) + 1
    return tokens


def nearness(metres: float) -> float:
    """Score of something so far from the asked place: 1 there, halved every hundred metres on."""
    return round(100 / (100 + metres), 6)


def at_place(kind: MatchKind, name: str, own_id: str, where: Coordinate, metres: float) -> Match:
    """Something near a place, as a match without its area."""
    return Match(kind, name, own_id, where, "", nearness(metres))
