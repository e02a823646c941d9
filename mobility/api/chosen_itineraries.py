"""Itineraries that riders say they take: /mobility/v1/chosen-itineraries."""

from __future__ import annotations

import uuid
from dataclasses import replace
from functools import partial
from typing import Annotated

from fastapi import APIRouter, Request, Response
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from core.errors import InvalidInput
from mobility.actions.choose_itinerary import (
    AHEAD,
    PAST,
    choose_itinerary,
    drop_itinerary,
    read_leg,
)
from mobility.api.access import Rider, installation_of, now_of
from mobility.api.answers import world_of
from mobility.db.chosen_itineraries import list_chosen
from mobility.db.usage import find_account
from mobility.installation import Installation
from payments.chosen import ChosenItinerary

router = APIRouter(prefix="/mobility/v1", tags=["fares"])
WRITES, WINDOW_S = 200, 3_600
"""Itineraries that one rider chooses and takes back in an hour."""
LEGS_LIMIT = 10

Id = Annotated[str, Field(min_length=1, max_length=200)]


class ChosenLegFacts(BaseModel):
    """A leg by public transport; stops and route as an answer to a search names them."""

    model_config = ConfigDict(extra="forbid", from_attributes=True)

    board_stop: Id
    """`from.stopId` of the leg."""
    alight_stop: Id
    """`to.stopId` of the leg."""
    route: Id
    """`routeId` of the leg."""
    board_at: AwareDatetime
    """`startTime` of the leg."""
    trip: Annotated[str, Field(max_length=200)] = ""
    """`tripId` of the leg: its itinerary is recognised by it, whatever its delay."""


class Choice(BaseModel):
    """An itinerary that a rider takes."""

    model_config = ConfigDict(extra="forbid")

    legs: Annotated[list[ChosenLegFacts], Field(min_length=1, max_length=LEGS_LIMIT)]
    """Those by public transport."""


class ChosenItineraryFacts(BaseModel):
    """An itinerary that a rider has chosen; it is forgotten two days after its last leg."""

    id: uuid.UUID
    legs: list[ChosenLegFacts]
    noted_at: AwareDatetime
    """It counts for taps from then on."""


@router.post("/chosen-itineraries", status_code=201)
def choose(request: Request, rider: Rider, given: Choice) -> ChosenItineraryFacts:
    """Say that one takes an itinerary: where one forgets to tap out, its leg ends as chosen.

    Only for what one boards afterwards; a tap out says better where it was.
    """
    here, now, network = (
        _counted(request, rider.user_id),
        now_of(request),
        world_of(request).network,
    )
    legs = []
    for leg in given.legs:
        if not now - PAST <= leg.board_at <= now + AHEAD:
            raise InvalidInput(
                f"board_at {leg.board_at.isoformat()} is more than {PAST.seconds // 3_600} hours "
                f"ago, or more than {AHEAD.days} days ahead"
            )
        read = read_leg(network, leg.board_stop, leg.alight_stop, leg.route, leg.board_at)
        legs.append(replace(read, trip=leg.trip))
    return _facts(choose_itinerary(here.engine, rider.person_id, legs, partial(now_of, request)))


@router.get("/chosen-itineraries")
def list_own(request: Request, rider: Rider) -> list[ChosenItineraryFacts]:
    """List the itineraries that one has chosen, the last first."""
    with installation_of(request).engine.connect() as connection:
        account_id = find_account(connection, rider.person_id)
        if account_id is None:
            return []
        found = list_chosen(connection, [account_id]).get(account_id, [])
    return [_facts(own) for own in found if own.dropped_at is None]


@router.delete("/chosen-itineraries/{chosen_id}", status_code=204)
def drop(request: Request, rider: Rider, chosen_id: uuid.UUID) -> Response:
    """Take an itinerary no longer; what one boarded until then may still end as chosen."""
    here = _counted(request, rider.user_id)
    drop_itinerary(here.engine, rider.person_id, chosen_id, partial(now_of, request))
    return Response(status_code=204)


def _counted(request: Request, user_id: uuid.UUID) -> Installation:
    here = installation_of(request)
    here.limits.count(f"choices:{user_id}", most=WRITES, per_s=WINDOW_S)
    return here


def _facts(chosen: ChosenItinerary) -> ChosenItineraryFacts:
    return ChosenItineraryFacts(
        id=chosen.id,
        legs=[ChosenLegFacts.model_validate(leg) for leg in chosen.legs],
        noted_at=chosen.noted_at,
    )
