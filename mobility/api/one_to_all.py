"""GET /api/v1, v6 and experimental/one-to-all: every stop within reach of one place."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request

from mobility.api.answers import json_answer, language_of, version_of, world_of
from mobility.api.parameters import Parameters
from mobility.api.search_parameters import (
    ONLY_DEFAULTS,
    change_s,
    matching_m,
    most_vehicles,
    only_on_foot,
    read_modes,
    read_place,
    read_wheelchair,
    walk_s,
)
from mobility.mapping.motis import MotisWriter
from mobility.mapping.reach import write_reach
from mobility.world import World
from routing.one_to_all import ReachQuery, search_one_to_all

router = APIRouter(tags=["MOTIS"])
VERSIONS = ("v1", "v6", "experimental")
TRAVEL_LIMIT_MIN = 240
"""Longest travel time that can be asked for; the days laid out for a search reach further."""


def _one_to_all(request: Request) -> Any:  # noqa: ANN401 — a response
    given = Parameters(request.query_params)
    world = world_of(request)
    query = read_reach_query(world, given)
    found = search_one_to_all(
        world.network,
        query,
        flexible=world.flexible,
        rides_on=world.rides_on,
        limits=world.snapshot.limits,
        shut=world.shut_elevators,
    )
    writer = MotisWriter(world, version_of(request), language_of(given))
    return json_answer(write_reach(writer, world.network, query, found))


for name in VERSIONS:
    router.get(f"/api/{name}/one-to-all", operation_id=f"oneToAll_{name}")(_one_to_all)


def read_reach_query(world: World, given: Parameters) -> ReachQuery:
    """Parameters → query; raises `InvalidInput` or `NotSupported` naming the parameter."""
    given.only_defaults(ONLY_DEFAULTS)
    arrive_by = given.yes("arriveBy", default=False)
    modes, carpool = read_modes(given, "transitModes")
    at_one = ("preTransit", "postTransit")[arrive_by]
    only_on_foot(given, f"{at_one}Modes", carpool=carpool)
    wheelchair, unknown = read_wheelchair(given)
    given.required("maxTravelTime")  # it has no default
    return ReachQuery(
        place=read_place(world, given.required("one"), "ONE"),
        at=given.moment("time", world.network.zone),
        most_s=given.whole("maxTravelTime", 0, most=TRAVEL_LIMIT_MIN) * 60,
        arrive_by=arrive_by,
        max_vehicles=most_vehicles(given, version=6),
        transit_modes=modes,
        carpool=carpool,
        max_walk_s=walk_s(given, f"max{at_one[0].upper()}{at_one[1:]}Time"),
        max_matching_m=matching_m(given),
        min_change_s=change_s(given),
        wheelchair=wheelchair,
        wheelchair_unknown=unknown,
    )
