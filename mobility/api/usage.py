"""Readers and operators tell what cards were used for: POST /mobility/v1/usage."""

from __future__ import annotations

import datetime as dt
import hashlib
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Body, Depends, Header, Request
from pydantic import BaseModel

from core.errors import InvalidInput
from mobility.actions.join_rides import join_rides
from mobility.actions.note_numbers import note_numbers
from mobility.api.access import Agent, installation_of, now_of
from mobility.api.answers import world_of
from mobility.db.devices import list_devices
from mobility.db.engine import read_quote_key
from mobility.db.held_usage import HeldBatch, hold_batch
from mobility.mapping.cloud_events import (
    HEARTBEAT,
    EventInvalid,
    for_holding,
    read_event,
    read_number,
)
from mobility.usage_queue import UsageQueue
from mobility.users.signed_bodies import SignatureInvalid, check_signature
from payments.devices import TRUSTED, clock_ahead
from payments.ride_halves import RideHalf
from payments.taps import Used

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
    held: int = 0
    """Events that wait until somebody has looked at the device's clock."""


def refusal(index: int, error: InvalidInput) -> Refused:
    """Why an event of a batch was not taken."""
    return Refused(index=index, code=error.code, message=str(error))


Batch = Annotated[list[dict[str, Any]], Body(max_length=BATCH_LIMIT)]
Signature = Annotated[
    str | None,
    Header(
        alias="Mobility-Signature", max_length=1_000,
        description="Of the body, by the device whose events these are: a detached JWS, Ed25519.",
    ),
]  # fmt: skip


async def body_of(request: Request) -> bytes:
    """Body as it came: what a signature is over."""
    return await request.body()


@router.post("/usage")
def take(
    request: Request,
    operator: Agent,
    events: Batch,
    body: Annotated[bytes, Depends(body_of)],
    signature: Signature = None,
) -> UsageTaken:
    """
    Take CloudEvents, in any order and as often as they come.

    Taps (`mobility.tap.board`, `.in`, `.out`) and rides that are over (`mobility.ride`), each known
    by `source` and `id`; or their starts and ends (`mobility.ride.start`, `.end`), which are of one
    ride by `source` and `data.ride`, and are billed once both are known. What is wrong with one
    event keeps none of the others. Events of a registered device are taken if it has signed the
    body and numbered them (`sequence`), which also makes known what is missing. If it tells when it
    signed (`iat`) by a clock that is wrong, times are put right; what a clock tells that is more
    than five minutes wrong is held for a decision.
    """
    here, world, now = installation_of(request), world_of(request), now_of(request)
    told = (event.get("source") for event in events)
    sources = {own for own in told if isinstance(own, str) and own.isprintable()}
    ahead: dt.timedelta | None = None
    with here.engine.connect() as connection:
        key = read_quote_key(connection)
        counting = {own.source: own for own in list_devices(connection, operator.user_id, sources)}
    if signature is not None:
        if len(sources) != 1 or not counting:
            raise SignatureInvalid("what is signed is of one registered device")
        signed_at = check_signature(next(iter(counting.values())).public_key, signature, body)
        ahead = None if signed_at is None else clock_ahead(signed_at, now)
    used: list[Used] = []
    halves: dict[int, RideHalf] = {}
    refused, numbers, held = [], [], []
    shift = ahead or dt.timedelta()
    for index, event in enumerate(events):
        try:
            source = event.get("source")
            if isinstance(source, str) and source in counting:
                if signature is None:
                    raise EventInvalid("source is a device that signs what it tells")
                numbers.append(read_number(event, now, shift))
                if event.get("type") == HEARTBEAT:
                    continue
            what = read_event(event, str(operator.user_id), key, world.network, now, shift)
            if isinstance(what, RideHalf):
                halves[index] = what
            else:
                used.append(what)
            if abs(shift) > TRUSTED:
                held.append(for_holding(event, key))
        except InvalidInput as error:
            refused.append(refusal(index, error))
    if held:
        ids = orjson.dumps([str(operator.user_id), [event["id"] for event in held]])
        with here.engine.begin() as connection:
            hold_batch(
                connection,
                HeldBatch(
                    hashlib.sha256(ids).hexdigest()[:32], operator.user_id, next(iter(sources)),
                    now, round(shift.total_seconds()), held,
                ),
            )  # fmt: skip
        used, halves = [], {}
    queue: UsageQueue = request.app.state.usage_queue
    new = queue.take(here.engine, world, used, now) if used else 0
    joined = join_rides(here.engine, world, halves, now)
    refused += [refusal(index, error) for index, error in joined.refused.items()]
    if numbers:  # once it is stored: what was not is asked for again
        note_numbers(here.engine, operator.user_id, sources, numbers, ahead)
    return UsageTaken(
        new=new + joined.new, known=len(used) - new + joined.known,
        refused=sorted(refused, key=lambda own: own.index), held=len(held),
    )  # fmt: skip
