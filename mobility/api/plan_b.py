"""What a rider has if the driver does not come: /mobility/v1/bookings/{id}/plan-b."""

from __future__ import annotations

import uuid
from typing import Any

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel

from mobility.actions.plan_b import show_plan_b, take_plan_b
from mobility.api.access import Rider, now_of
from mobility.api.answers import json_answer, language_of, site_of, version_of, world_of
from mobility.api.bookings import BookingFacts, counted, show_bookings
from mobility.api.parameters import Parameters
from mobility.api.plan import turns
from mobility.mapping.motis import MotisWriter
from mobility.mapping.priced import PricedItinerary

router = APIRouter(prefix="/mobility/v1/bookings", tags=["bookings"])


class PlanBFacts(BaseModel):
    """The way that gets there first without the driver who does not come."""

    itinerary: dict[str, Any] | None
    """As in an answer of `plan`; null where there is no other way."""


class TakenFacts(BaseModel):
    """Plan B, and what was booked of it."""

    itinerary: dict[str, Any]

    bookings: list[BookingFacts]


@router.get("/{booking_id}/plan-b", response_model=PlanBFacts)
def show(request: Request, rider: Rider, booking_id: uuid.UUID) -> Response:
    """Show how one gets there without this ride, from now on."""
    desk, world = counted(request, rider), world_of(request)
    with turns:
        found = show_plan_b(world, desk, rider, booking_id, now=now_of(request))
    return json_answer({"itinerary": _itinerary(request, found)})


@router.post("/{booking_id}/take-plan-b", response_model=TakenFacts)
def take(request: Request, rider: Rider, booking_id: uuid.UUID) -> Response:
    """Leave a ride whose driver is late, or does not come, and book what plan B needs."""
    desk, world = counted(request, rider), world_of(request)
    with turns:
        taken = take_plan_b(world, desk, rider, booking_id, now=now_of(request))
    facts = show_bookings(request, taken.bookings)
    return json_answer(
        {
            "itinerary": _itinerary(request, taken.priced),
            "bookings": [booking.model_dump(mode="json") for booking in facts],
        }
    )


def _itinerary(request: Request, priced: PricedItinerary | None) -> dict[str, Any] | None:
    if priced is None:
        return None
    language = language_of(Parameters(request.query_params))
    writer = MotisWriter(world_of(request), version_of(request), language, site=site_of(request))
    return writer.itinerary(priced)
