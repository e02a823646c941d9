"""GET /api/v1/geocode and reverse-geocode: stops, streets and places by name or by nearness."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from fastapi import APIRouter, Request

from core.errors import InvalidInput
from core.geo import Coordinate
from mobility.api.answers import json_answer, world_of
from mobility.api.parameters import Parameters
from mobility.api.search_parameters import read_stop_modes
from mobility.mapping.matches import at_place, nearness, write_match
from mobility.world import World
from routing.nearby import list_near_stops, list_near_streets
from routing.places import Box, Match, MatchKind
from routing.stops import modes_of_stops, stops_with_modes

router = APIRouter(tags=["MOTIS"])
RESULT_LIMIT = 50
SEARCHED = 500
"""Matches among which the modes choose."""
NEAR_LIMIT_M = 1_000
"""How far from the asked place a stop or street is still an answer."""
KINDS = frozenset(MatchKind)


@router.get("/api/v1/geocode", operation_id="geocode")
def geocode(request: Request) -> Any:  # noqa: ANN401 — a response
    """Guesses of what a text that is being typed means, best first."""
    given = Parameters(request.query_params)
    text = given.required("text")
    given.only_defaults({"placeBias": "1"})
    world = world_of(request)
    kinds, count = _kinds(given), _count(given, default=10)
    by_mode = bool(given.texts("mode"))
    found = world.snapshot.places.search(
        text,
        count=SEARCHED if by_mode else count,
        near=given.place("place"),
        kinds=kinds,
        box=_box(given),
    )
    if by_mode:
        called = stops_with_modes(world.network.timetable, read_stop_modes(given, "mode"))
        rows = [world.network.stop_row.get(match.id) for match in found]
        found = [
            match for match, row in zip(found, rows, strict=True) if row is None or called[row]
        ]
    return json_answer(_written(world, found[:count], typed=text))


@router.get("/api/v1/reverse-geocode", operation_id="reverseGeocode")
def reverse_geocode(request: Request) -> Any:  # noqa: ANN401 — a response
    """Stops, named streets and named places around a place, nearest first."""
    given = Parameters(request.query_params)
    place = given.place("place")
    if place is None:
        raise InvalidInput("place is missing")
    world = world_of(request)
    kinds, count = _kinds(given), _count(given, default=5)
    found: list[Match] = []
    if MatchKind.STOP in kinds:
        found += _near_stops(world, place, count)
    if MatchKind.ADDRESS in kinds:
        found += [
            at_place(MatchKind.ADDRESS, street.name, "", street.coordinate, street.metres)
            for street in list_near_streets(
                world.network, place, count=count, within_m=NEAR_LIMIT_M
            )
        ]
    if MatchKind.PLACE in kinds:
        found += [
            replace(match, score=nearness(metres))
            for match, metres in world.snapshot.places.nearest(
                place, MatchKind.PLACE, count=count, within_m=NEAR_LIMIT_M
            )
        ]
    nearest = sorted(found, key=lambda match: -match.score)[:count]
    return json_answer(_written(world, [_with_area(world, match) for match in nearest]))


def _near_stops(world: World, place: Coordinate, count: int) -> list[Match]:
    t = world.network.timetable
    near = list_near_stops(world.network, place, count=count, within_m=NEAR_LIMIT_M)
    return [
        at_place(
            MatchKind.STOP,
            t.stop_name[s.stop],
            t.stop_id[s.stop],
            Coordinate(float(t.stop_lat[s.stop]), float(t.stop_lon[s.stop])),
            s.metres,
        )
        for s in near
    ]


def _with_area(world: World, match: Match) -> Match:
    """The town that the index of names gives the nearest entry of this kind."""
    if match.area:
        return match
    around = world.snapshot.places.nearest(
        match.coordinate, match.kind, count=1, within_m=NEAR_LIMIT_M
    )
    return replace(match, area=around[0][0].area if around else "")


def _written(world: World, found: list[Match], typed: str = "") -> list[dict[str, Any]]:
    rows = [
        world.network.stop_row.get(match.id) if match.kind is MatchKind.STOP else None
        for match in found
    ]
    at_stops = [row for row in rows if row is not None]
    modes = dict(zip(at_stops, modes_of_stops(world.network.timetable, at_stops), strict=True))
    return [
        write_match(
            match,
            zone=world.network.zone.key,
            typed=typed,
            modes=None if row is None else modes[row],
        )
        for match, row in zip(found, rows, strict=True)
    ]


def _kinds(given: Parameters) -> frozenset[MatchKind]:
    names = given.texts("type") or list(KINDS)
    for name in names:
        if name not in KINDS:
            raise InvalidInput(f"type is {name[:40]!r}: say STOP, ADDRESS or PLACE")
    return frozenset(MatchKind(name) for name in names)


def _count(given: Parameters, *, default: int) -> int:
    return given.whole("numResults", default, least=1, most=RESULT_LIMIT)


def _box(given: Parameters) -> Box | None:
    """Part of the map to search in; it needs both corners, any two opposite ones."""
    one, other = given.place("min"), given.place("max")
    if one is None or other is None:
        return None
    (south, north), (west, east) = sorted((one.lat, other.lat)), sorted((one.lon, other.lon))
    return Box(Coordinate(south, west), Coordinate(north, east))
