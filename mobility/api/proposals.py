"""Riders and drivers who could travel together week after week: /mobility/v1/proposals."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel

from mobility.actions.answer_proposal import be_interested, decline, sides_of, told_to_driver
from mobility.api.access import Rider, having, installation_of, now_of
from mobility.api.bookings import point_name
from mobility.api.offers import Weekday
from mobility.db.proposals import Proposal, ProposalState, list_proposals
from mobility.installation import Installation
from mobility.users.scopes import Principal, Scope

router = APIRouter(prefix="/mobility/v1", tags=["proposals"])
WRITES, WINDOW_S = 200, 3_600
"""Answers of one person in an hour."""
LISTED = 200
ENDS = ("pickup", "dropoff")
RiderOrDriver = Annotated[Principal, Depends(having(Scope.RIDER, Scope.DRIVER))]


class ProposedWay(BaseModel):
    """One way of a proposal, on the clock of the territory."""

    pickup_point: str
    pickup_name: str
    dropoff_point: str
    dropoff_name: str
    pickup_at: str
    dropoff_at: str
    arrival_at: str | None = None
    """At the rider's own end; to him alone."""


class ProposalFacts(BaseModel):
    """Somebody with whom one could travel; search a day to book it."""

    id: uuid.UUID
    role: Literal["rider", "driver"]
    """As what one is asked."""
    state: ProposalState
    offer_id: uuid.UUID
    back_offer_id: uuid.UUID | None
    wish_id: uuid.UUID | None
    """To the rider alone."""
    weekdays: list[Weekday]
    out: ProposedWay
    back: ProposedWay | None
    until: dt.datetime | None
    """Until when the rider may say that he is interested."""


@router.get("/proposals")
def proposals(request: Request, person: RiderOrDriver) -> list[ProposalFacts]:
    """List proposals to a rider, and to a driver those in which a rider is interested."""
    now = now_of(request)
    with installation_of(request).engine.connect() as connection:
        found = list_proposals(connection, **sides_of(person), now=now, count=LISTED)
    return [_facts(request, one, person) for one in found]


@router.post("/proposals/{proposal_id}/interested")
def interested(request: Request, rider: Rider, proposal_id: uuid.UUID) -> ProposalFacts:
    """Say yes: the driver is told the meeting points and times, and nothing else."""
    here = _counted(request, rider.user_id)
    found = be_interested(here.engine, rider, proposal_id, now=now_of(request))
    return _facts(request, found, rider)


@router.post("/proposals/{proposal_id}/decline", status_code=204)
def refuse(request: Request, person: RiderOrDriver, proposal_id: uuid.UUID) -> None:
    """Say no: these two are not proposed to each other again."""
    here = _counted(request, person.user_id)
    decline(here.engine, person, proposal_id, now=now_of(request))


def _counted(request: Request, user_id: uuid.UUID) -> Installation:
    here = installation_of(request)
    here.limits.count(f"proposals:{user_id}", most=WRITES, per_s=WINDOW_S)
    return here


def _facts(request: Request, found: Proposal, person: Principal) -> ProposalFacts:
    is_rider = found.rider_id == person.person_id
    content = found.content if is_rider else told_to_driver(found.content)
    ways = {way: _named(request, content.get(way)) for way in ("out", "back")}
    return ProposalFacts(
        id=found.id,
        role="rider" if is_rider else "driver",
        state=found.state,
        offer_id=found.offer_id,
        back_offer_id=found.back_offer_id,
        wish_id=found.wish_id if is_rider else None,
        until=found.until if found.state is ProposalState.OPEN else None,
        weekdays=content["weekdays"],
        **ways,
    )


def _named(request: Request, way: Mapping[str, Any] | None) -> dict[str, Any] | None:
    if way is None:
        return None
    return {**way, **{f"{n}_name": point_name(request, way[f"{n}_point"]) for n in ENDS}}
