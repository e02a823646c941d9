"""Readers and operators tell what cards were used for: POST /mobility/v1/usage."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Body, Request
from pydantic import BaseModel

from core.errors import InvalidInput
from mobility.actions.take_usage import take_usage
from mobility.api.access import Agent, installation_of, now_of
from mobility.api.answers import world_of
from mobility.db.engine import read_quote_key
from mobility.mapping.cloud_events import read_event

router = APIRouter(prefix="/mobility/v1", tags=["fares"])
BATCH_LIMIT = 1_000


class Refused(BaseModel):
    """An event that was not taken."""

    index: int
    """In the batch, the first being 0."""
    code: str
    message: str


class UsageTaken(BaseModel):
    """What became of a batch."""

    new: int
    known: int
    """Events that had come before: they change nothing."""
    refused: list[Refused]


Batch = Annotated[list[dict[str, Any]], Body(max_length=BATCH_LIMIT)]


@router.post("/usage")
def take(request: Request, operator: Agent, events: Batch) -> UsageTaken:
    """
    Take CloudEvents, in any order and as often as they come.

    Taps (`mobility.tap.board`, `.in`, `.out`) and rides that are over (`mobility.ride`), each known
    by `source` and `id`. What is wrong with one event keeps none of the others.
    """
    here, world, now = installation_of(request), world_of(request), now_of(request)
    with here.engine.connect() as connection:
        key = read_quote_key(connection)
    used, refused = [], []
    for index, event in enumerate(events):
        try:
            used.append(read_event(event, str(operator.user_id), key, world.network, now))
        except InvalidInput as error:
            refused.append(Refused(index=index, code=error.code, message=str(error)))
    new = take_usage(here.engine, world, used, now) if used else 0
    return UsageTaken(new=new, known=len(used) - new, refused=refused)
