"""Batches of devices whose clocks are wrong: /mobility/v1/usage/held."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Annotated

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from core.errors import InvalidInput
from mobility.actions.join_rides import join_rides
from mobility.actions.take_usage import take_usage
from mobility.api.access import Staff, installation_of, now_of
from mobility.api.answers import world_of
from mobility.api.usage import UsageTaken, refusal
from mobility.db.audit import record_act
from mobility.db.engine import read_quote_key
from mobility.db.held_usage import drop_held, find_held, keep_events, list_held
from mobility.mapping.cloud_events import read_event
from mobility.users.scopes import Principal, Scope
from payments.ride_halves import RideHalf
from payments.taps import Used

router = APIRouter(prefix="/mobility/v1/usage/held", tags=["fares"])
SHIFT_LIMIT = 10 * 366 * 86_400


class HeldFacts(BaseModel):
    """A batch of a device whose clock is wrong by minutes."""

    id: str
    source: str
    received_at: dt.datetime
    clock_ahead_s: int
    """By what it was ahead when the batch was signed."""
    events: int
    first_at: dt.datetime
    last_at: dt.datetime
    """Between which times they happened by that clock."""


class Decision(BaseModel):
    """What is known of the clock of a batch that is taken."""

    model_config = ConfigDict(extra="forbid")

    clock_ahead_s: Annotated[int, Field(ge=-SHIFT_LIMIT, le=SHIFT_LIMIT)] | None = None
    """By what it was ahead when the events happened; absent: by what it was when it signed."""


@router.get("")
def held(request: Request, staff: Staff) -> list[HeldFacts]:
    """List batches of one's devices whose clocks are wrong, the authority those of all."""
    with installation_of(request).engine.connect() as connection:
        found = list_held(connection, _owner(staff))
    facts = []
    for batch in found:
        times = sorted(dt.datetime.fromisoformat(event["time"]) for event in batch.events)
        facts.append(
            HeldFacts(
                id=batch.id, source=batch.source, received_at=batch.received_at,
                clock_ahead_s=batch.clock_ahead_s, events=len(times), first_at=times[0],
                last_at=times[-1],
            )
        )  # fmt: skip
    return facts


@router.post("/{batch_id}")
def decide(request: Request, staff: Staff, batch_id: str, decision: Decision) -> UsageTaken:
    """
    Take a batch, its times put right by what its clock was ahead.

    What is refused stays held: it can be taken otherwise.
    """
    here, world, now = installation_of(request), world_of(request), now_of(request)
    used: list[Used] = []
    halves: dict[int, RideHalf] = {}
    refused = []
    with here.engine.connect() as connection:
        batch = find_held(connection, batch_id, _owner(staff))
        key = read_quote_key(connection)
    ahead_s = batch.clock_ahead_s if decision.clock_ahead_s is None else decision.clock_ahead_s
    for index, event in enumerate(batch.events):
        try:
            what = read_event(
                event, str(batch.owner_id), key, world.network, now,
                dt.timedelta(seconds=ahead_s), is_held=True,
            )  # fmt: skip
            if isinstance(what, RideHalf):
                halves[index] = what
            else:
                used.append(what)
        except InvalidInput as error:
            refused.append(refusal(index, error))
    new = len(take_usage(here.engine, world, used, now)) if used else 0
    joined = join_rides(here.engine, world, halves, now)
    refused += [refusal(index, error) for index, error in joined.refused.items()]
    refused.sort(key=lambda own: own.index)
    with here.engine.begin() as connection:  # once it is stored: it may be taken twice, never lost
        if refused:
            keep_events(connection, batch, [batch.events[own.index] for own in refused])
        else:
            drop_held(connection, batch)
        record_act(connection, staff.user_id, "usage_taken", batch.source, {"ahead_s": ahead_s})
    return UsageTaken(new=new + joined.new, known=len(used) - new + joined.known, refused=refused)


@router.delete("/{batch_id}", status_code=204)
def discard(request: Request, staff: Staff, batch_id: str) -> Response:
    """Drop a batch: nobody is billed for it."""
    with installation_of(request).engine.begin() as connection:
        batch = find_held(connection, batch_id, _owner(staff))
        drop_held(connection, batch)
        record_act(connection, staff.user_id, "usage_dropped", batch.source, {})
    return Response(status_code=204)


def _owner(staff: Principal) -> uuid.UUID | None:
    """Whose batches somebody decides on: the authority on those of all."""
    return None if Scope.AUTHORITY in staff.scopes else staff.user_id
