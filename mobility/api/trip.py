"""GET /api/v1, v2, v4, v5, v6/trip: one vehicle, or one driver, on its whole way."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request

from mobility.actions.show_trip import show_trip
from mobility.api.answers import json_answer, language_of, site_of, version_of, world_of
from mobility.api.parameters import Parameters
from mobility.mapping.motis import Detail, MotisWriter

router = APIRouter(tags=["MOTIS"])
VERSIONS = (1, 2, 4, 5, 6)


def _trip(request: Request) -> Any:  # noqa: ANN401 — a response
    given = Parameters(request.query_params)
    trip_id = given.required("tripId")
    given.only_defaults({"joinInterlinedLegs": ("true", "false")})
    detail = Detail(
        legs=given.yes("detailedLegs", default=True),
        skipped_stops=given.yes("withScheduledSkippedStops", default=False),
    )
    world = world_of(request)
    itinerary = show_trip(world, trip_id)
    writer = MotisWriter(
        world, version_of(request), language_of(given), detail, site=site_of(request)
    )
    return json_answer(writer.unpriced(itinerary))


for number in VERSIONS:
    router.get(f"/api/v{number}/trip", operation_id=f"trip_v{number}")(_trip)
