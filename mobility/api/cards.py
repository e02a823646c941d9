"""Cards of riders: linked to an account, and parted from it."""

from __future__ import annotations

import datetime as dt
from typing import Annotated

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from mobility.actions.rate_riders import renew_months
from mobility.api.access import Rider, address_of, installation_of, now_of
from mobility.api.bills import tariffs_of
from mobility.db.engine import read_quote_key
from mobility.db.media import MediumNotFound, link_medium, list_media, unlink_medium
from mobility.mapping.cloud_events import medium_digest

router = APIRouter(prefix="/mobility/v1", tags=["fares"])
WRITES, WINDOW_S = 30, 3_600
"""Cards that one rider links in an hour: numbers must not be guessed."""
PRINTED = r"^[^\x00-\x1f]*$"
"""Text without what steers a terminal, or ends a text in the database."""


class CardGiven(BaseModel):
    """A card to link."""

    model_config = ConfigDict(extra="forbid")

    number: Annotated[str, Field(min_length=4, max_length=200, pattern=PRINTED)]
    """As readers read it."""
    label: Annotated[str, Field(max_length=60, pattern=PRINTED)] = ""


class CardFacts(BaseModel):
    """A card that is linked; its number is not kept."""

    id: str
    label: str
    linked_at: dt.datetime


@router.get("/media")
def media(request: Request, rider: Rider) -> list[CardFacts]:
    """List the cards that are linked to one's account."""
    with installation_of(request).engine.connect() as connection:
        return [
            CardFacts(id=card.digest.hex(), label=card.label, linked_at=card.linked_at)
            for card in list_media(connection, rider.person_id)
        ]


@router.post("/media", status_code=201)
def link(request: Request, rider: Rider, given: CardGiven) -> CardFacts:
    """Link a card: what it was used for is on one's own bill from now on, also what was before."""
    here, now, tariffs = installation_of(request), now_of(request), tariffs_of(request)
    for whose in (rider.user_id, address_of(request)):
        here.limits.count(f"media:{whose}", most=WRITES, per_s=WINDOW_S)
    with here.engine.begin() as connection:
        digest = medium_digest(read_quote_key(connection), given.number)
        account_id, months = link_medium(
            connection, digest, rider.person_id, given.label, now, tariffs.month_start
        )
        renew_months(connection, tariffs, [account_id], months)
    return CardFacts(id=digest.hex(), label=given.label, linked_at=now)


@router.delete("/media/{medium_id}", status_code=204)
def unlink(request: Request, rider: Rider, medium_id: str) -> Response:
    """Part from a card; what it was used for stays on one's bill."""
    try:
        digest = bytes.fromhex(medium_id)
    except ValueError as error:
        raise MediumNotFound("you have no such card") from error
    with installation_of(request).engine.begin() as connection:
        unlink_medium(connection, digest, rider.person_id, now_of(request))
    return Response(status_code=204)
