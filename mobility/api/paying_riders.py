"""Riders who pay for others: /mobility/v1/paid-for and /mobility/v1/paid-by."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Annotated

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from core.errors import Conflict, InvalidInput
from mobility.api.access import Rider, installation_of, now_of
from mobility.api.answers import world_of
from mobility.api.cards import WINDOW_S, WRITES
from mobility.db.paying_riders import (
    InvitationUnknown,
    add_invitation,
    end_paying,
    find_payer,
    list_paid_riders,
    take_invitation,
)
from mobility.db.rights import put_right
from mobility.db.statements import mark_stale
from mobility.db.usage import find_account, open_account
from mobility.users.bearer import digest, new_secret
from payments.rights import ANOTHER_RIDER, PaidFor
from payments.tariff import ONE_DAY

router = APIRouter(prefix="/mobility/v1", tags=["fares"])
INVITED_FOR = dt.timedelta(days=7)
DAYS_LIMIT = 3_660


class PaysHimself(Conflict):
    """Somebody who would pay for himself."""

    code = "pays_himself"


class Invitation(BaseModel):
    """Until when to pay for whoever gets the code."""

    model_config = ConfigDict(extra="forbid")

    until: dt.date


class InvitationFacts(BaseModel):
    """A code to give to one rider; it is shown once, and good for seven days."""

    code: str
    until: dt.date


class InvitationTaken(BaseModel):
    """A code that a rider was given by whoever pays for him."""

    model_config = ConfigDict(extra="forbid")

    code: Annotated[str, Field(min_length=1, max_length=200)]


class PaidMonth(BaseModel):
    """What a closed month came to; of the rides nothing is told."""

    month: str
    amount_cents: int
    currency: str


class PaidRiderFacts(BaseModel):
    """Somebody for whom one pays, or has paid."""

    id: uuid.UUID
    alias: str
    valid_from: dt.date
    valid_to: dt.date
    months: list[PaidMonth]


class PayingRiderFacts(BaseModel):
    """Another rider who pays what one owes."""

    model_config = ConfigDict(from_attributes=True)

    alias: str
    valid_from: dt.date
    valid_to: dt.date


@router.post("/paid-for", status_code=201)
def invite(request: Request, rider: Rider, given: Invitation) -> InvitationFacts:
    """Offer to pay what another rider owes from the day on which he takes the code."""
    here, now = installation_of(request), now_of(request)
    here.limits.count(f"pay:{rider.user_id}", most=WRITES, per_s=WINDOW_S)
    if not dt.timedelta() <= given.until - _today(request) <= DAYS_LIMIT * ONE_DAY:
        raise InvalidInput(f"until is in the past, or more than {DAYS_LIMIT} days away")
    code = new_secret()
    with here.engine.begin() as connection:
        account_id = open_account(connection, rider.person_id, now)
        add_invitation(connection, digest(code), account_id, given.until, now)
    return InvitationFacts(code=code, until=given.until)


@router.get("/paid-for")
def paid_for(request: Request, rider: Rider) -> list[PaidRiderFacts]:
    """List for whom one pays, and what it came to."""
    with installation_of(request).engine.connect() as connection:
        account_id = find_account(connection, rider.person_id)
        found = [] if account_id is None else list_paid_riders(connection, account_id)
    return [
        PaidRiderFacts(
            id=own.person_id, alias=own.alias, valid_from=own.valid_from, valid_to=own.valid_to,
            months=[
                PaidMonth(month=f"{month:%Y-%m}", amount_cents=cents, currency=currency)
                for month, (cents, currency) in own.months.items()
            ],
        )
        for own in found
    ]  # fmt: skip


@router.delete("/paid-for/{person_id}", status_code=204)
def stop_paying(request: Request, rider: Rider, person_id: uuid.UUID) -> Response:
    """Pay no longer for somebody from today on."""
    last = _today(request) - ONE_DAY
    with installation_of(request).engine.begin() as connection:
        account_id = open_account(connection, rider.person_id, now_of(request))
        if not end_paying(connection, last, account_id=account_id, person_id=person_id):
            raise InvitationUnknown("you do not pay for this rider")
    return Response(status_code=204)


@router.get("/paid-by")
def paid_by(request: Request, rider: Rider) -> PayingRiderFacts | None:
    """Show which other rider pays today what one owes; null: nobody."""
    with installation_of(request).engine.connect() as connection:
        found = find_payer(connection, rider.person_id, _today(request))
    return None if found is None else PayingRiderFacts.model_validate(found)


@router.put("/paid-by", status_code=204)
def take(request: Request, rider: Rider, given: InvitationTaken) -> Response:
    """Let another rider pay what one owes from today on; he sees amounts of months, no rides."""
    here, now = installation_of(request), now_of(request)
    here.limits.count(f"pay:{rider.user_id}", most=WRITES, per_s=WINDOW_S)
    today = _today(request)
    with here.engine.begin() as connection:
        own_id = open_account(connection, rider.person_id, now)
        payer_id, until = take_invitation(connection, digest(given.code), now - INVITED_FOR)
        if payer_id == own_id:
            raise PaysHimself("this code is your own: give it to somebody else")
        end_paying(connection, today - ONE_DAY, person_id=rider.person_id)
        right = PaidFor(ANOTHER_RIDER, str(payer_id), today, until)
        put_right(connection, rider.person_id, right, ANOTHER_RIDER, now)
        mark_stale(connection, [own_id], today.replace(day=1))
    return Response(status_code=204)


@router.delete("/paid-by", status_code=204)
def pay_oneself(request: Request, rider: Rider) -> Response:
    """Pay oneself again what one owes from today on."""
    last = _today(request) - ONE_DAY
    with installation_of(request).engine.begin() as connection:
        if not end_paying(connection, last, person_id=rider.person_id):
            raise InvitationUnknown("nobody pays for you")
    return Response(status_code=204)


def _today(request: Request) -> dt.date:
    """The fare day: what one rides after midnight may still be of the day before."""
    world, now = world_of(request), now_of(request)
    if world.tariffs is not None:
        return world.tariffs.fare_day(now)
    return now.astimezone(world.network.zone).date()
