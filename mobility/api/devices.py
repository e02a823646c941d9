"""Readers that sign what they tell: /mobility/v1/devices."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from mobility.api.access import Agent, Staff, installation_of, now_of
from mobility.db.audit import record_act
from mobility.db.devices import drop_device, list_devices, put_device
from mobility.users.scopes import Scope
from mobility.users.signed_bodies import check_key

router = APIRouter(prefix="/mobility/v1/devices", tags=["fares"])
Source = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f]+$")]


class PublicKey(BaseModel):
    """A public Ed25519 key, as a JSON Web Key (RFC 8037)."""

    model_config = ConfigDict(extra="forbid")

    kty: Literal["OKP"]
    crv: Literal["Ed25519"]
    x: Annotated[str, Field(max_length=100)]


class DeviceGiven(BaseModel):
    """A device to register."""

    model_config = ConfigDict(extra="forbid")

    source: Source
    """As its events name it."""
    public_key: PublicKey


class GapFacts(BaseModel):
    """Numbers of events that have not come."""

    first: int
    last: int
    after_at: dt.datetime | None
    before_at: dt.datetime
    """Between which times they happened."""


class DeviceFacts(BaseModel):
    """A device, and what it still owes."""

    source: str
    registered_at: dt.datetime
    next_number: int
    last_at: dt.datetime | None
    clock_ahead_s: int | None
    """By what its clock was ahead when it last told so: its times are taken without that."""
    gaps: list[GapFacts]


@router.put("", status_code=204)
def register(request: Request, operator: Agent, given: DeviceGiven) -> Response:
    """Register a device: from then on its events are taken only in batches that it has signed."""
    key = given.public_key.model_dump()
    check_key(key)
    with installation_of(request).engine.begin() as connection:
        put_device(connection, operator.user_id, given.source, key, now_of(request))
        record_act(connection, operator.user_id, "device_registered", given.source, {})
    return Response(status_code=204)


@router.get("")
def devices(request: Request, staff: Staff) -> list[DeviceFacts]:
    """List one's devices, the authority those of all, with the numbers that are missing."""
    owner = None if Scope.AUTHORITY in staff.scopes else staff.user_id
    with installation_of(request).engine.connect() as connection:
        found = list_devices(connection, owner)
    return [
        DeviceFacts(
            source=own.source, registered_at=own.registered_at, next_number=own.told.next_number,
            last_at=own.told.last_at, clock_ahead_s=own.clock_ahead_s,
            gaps=[
                GapFacts(
                    first=gap.first, last=gap.last, after_at=gap.after_at, before_at=gap.before_at
                )
                for gap in own.told.gaps
            ],
        )
        for own in found
    ]  # fmt: skip


@router.delete("", status_code=204)
def remove(
    request: Request, operator: Agent, source: Annotated[str, Query(max_length=200)]
) -> Response:
    """Remove a device: what it has not told is no longer waited for."""
    with installation_of(request).engine.begin() as connection:
        drop_device(connection, operator.user_id, source)
        record_act(connection, operator.user_id, "device_removed", source, {})
    return Response(status_code=204)
