"""Agents, who book for people who have only a telephone: /mobility/v1/agents."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from mobility.actions.assist_rider import (
    claim_account,
    find_assisted,
    give_claim_code,
    note_called,
    register_assisted,
)
from mobility.api.access import Agent, address_of, installation_of, now_of
from mobility.api.rides import PAGE, NoticeFacts
from mobility.api.users import REGISTRATIONS, Text, UserFacts, user_facts
from mobility.db.assisted import Assisted, list_to_call
from mobility.installation import Installation
from mobility.users.scopes import Principal

router = APIRouter(prefix="/mobility/v1", tags=["agents"])
WRITES, WINDOW_S = 300, 3_600
"""People that one agent registers, looks for or calls in an hour."""


class NewAssisted(BaseModel):
    """Somebody who has only a telephone."""

    model_config = ConfigDict(extra="forbid")

    alias: Text
    """Name by which drivers know the person; where somebody has it, a number is put behind it."""
    telephone: Text


class AssistedFacts(BaseModel):
    """Such a person, to agents."""

    id: uuid.UUID
    """`On-Behalf-Of` of what is done for the person."""
    alias: str
    telephone: str
    created_at: dt.datetime


class ToCallFacts(NoticeFacts):
    """Something that a person is to be told by telephone."""

    person: AssistedFacts


class ClaimCode(BaseModel):
    """By which the person takes the account over, once."""

    code: str
    until: dt.datetime


class Claim(BaseModel):
    """What somebody enters to take his account over."""

    model_config = ConfigDict(extra="forbid")

    code: Text
    email: Text
    password: Text


@router.post("/agents/people", status_code=201)
def register(request: Request, agent: Agent, given: NewAssisted) -> AssistedFacts:
    """Register somebody by a name and a telephone."""
    here = _counted(request, agent)
    return _facts(
        register_assisted(here.engine, agent, given.alias, given.telephone, now=now_of(request))
    )


@router.get("/agents/people")
def find(
    request: Request, agent: Agent, telephone: Annotated[str, Query(max_length=40)]
) -> list[AssistedFacts]:
    """Find whom a telephone reaches; the audit log keeps that it was asked for."""
    here = _counted(request, agent)
    return [_facts(found) for found in find_assisted(here.engine, agent, telephone)]


@router.post("/agents/people/{user_id}/claim-code", status_code=201)
def give_code(request: Request, agent: Agent, user_id: uuid.UUID) -> ClaimCode:
    """Give a person a code by which the account becomes his own; it is shown this once."""
    here = _counted(request, agent)
    code, until = give_claim_code(here.engine, agent, user_id, now=now_of(request))
    return ClaimCode(code=code, until=until)


@router.get("/agents/notices")
def list_notices(
    request: Request,
    _agent: Agent,
    after: Annotated[int, Query(ge=0, lt=2**63)] = 0,
    count: Annotated[int, Query(ge=1, le=PAGE)] = PAGE,
) -> list[ToCallFacts]:
    """List what such people have not been told yet, in order: somebody calls them."""
    with installation_of(request).engine.connect() as connection:
        found = list_to_call(connection, after=after, count=count)
    names = NoticeFacts.model_fields
    return [
        ToCallFacts(**{n: getattr(one.notice, n) for n in names}, person=_facts(one.person))
        for one in found
    ]


@router.post("/agents/notices/{notice_id}/read", status_code=204)
def read_notices(
    request: Request, agent: Agent, notice_id: Annotated[int, Field(ge=0, lt=2**63)]
) -> Response:
    """Note that a person was called, and knows all up to a notice."""
    here = _counted(request, agent)
    note_called(here.engine, agent, notice_id, now=now_of(request))
    return Response(status_code=204)


@router.post("/users/claim", status_code=201, tags=["users"])
def claim(request: Request, given: Claim) -> UserFacts:
    """Take over the account by which agents have booked, with a code that an agent gave."""
    here = installation_of(request)
    here.limits.count(f"claim:{address_of(request)}", most=REGISTRATIONS, per_s=WINDOW_S)
    now = now_of(request)
    return user_facts(claim_account(here.engine, given.code, given.email, given.password, now=now))


def _counted(request: Request, agent: Principal) -> Installation:
    here = installation_of(request)
    here.limits.count(f"agents:{agent.user_id}", most=WRITES, per_s=WINDOW_S)
    return here


def _facts(one: Assisted) -> AssistedFacts:
    return AssistedFacts(
        id=one.user_id, alias=one.alias, telephone=one.telephone, created_at=one.created_at
    )
