"""Who rides with whom: what one is, communities, and people who stay apart, under /mobility/v1."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Annotated

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field

from mobility.actions.keep_circles import (
    end_community,
    join,
    leave,
    make_community,
    renew_code,
    say_woman,
    verify_person,
)
from mobility.api.access import InPerson, SignedIn, Staff, installation_of, now_of
from mobility.db.circles import (
    COMMUNITIES_LIMIT,
    Community,
    add_block,
    list_blocks,
    list_communities,
    read_person,
    remove_block,
)
from mobility.installation import Installation

router = APIRouter(prefix="/mobility/v1", tags=["who rides with whom"])
WRITES, CODES, WINDOW_S = 200, 30, 3_600
"""Changes of one person in an hour, and invitation codes that one tries."""
LISTED = 1_000
NO_NUL = r"^[^\x00]*$"


class _Given(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Marks(BaseModel):
    """What decides with whom one rides; shown to oneself alone."""

    is_woman: bool
    """As one says oneself."""
    is_verified: bool
    """Whether staff has seen who one is."""


class WomanSaid(_Given):
    """What somebody says of herself, once she wants to use it."""

    is_woman: bool


class Verification(_Given):
    """Whether staff has seen who somebody is."""

    verified: bool


class CommunityGiven(_Given):
    """A new community."""

    name: Annotated[str, Field(max_length=200, pattern=NO_NUL)]


class CommunityFacts(BaseModel):
    """A community, to its members."""

    id: uuid.UUID
    name: str


class ManagedCommunity(CommunityFacts):
    """A community, to staff."""

    code: str
    """Whoever has it may join."""
    member_count: int


class CodeGiven(_Given):
    """An invitation."""

    code: Annotated[str, Field(min_length=1, max_length=40, pattern=NO_NUL)]


class BlockGiven(_Given):
    """Somebody, by the name by which one knows him."""

    alias: Annotated[str, Field(min_length=1, max_length=200, pattern=NO_NUL)]


class BlockFacts(BaseModel):
    """Somebody from whom one stays apart; he is not told."""

    person_id: uuid.UUID
    alias: str
    at: dt.datetime


@router.get("/users/me/marks")
def read_marks(request: Request, who: SignedIn) -> Marks:
    """Read what decides with whom one rides."""
    with installation_of(request).engine.connect() as connection:
        person = read_person(connection, who.person_id)
    return Marks(is_woman=person.is_woman, is_verified=person.is_verified)


@router.put("/users/me/woman")
def say(request: Request, who: InPerson, given: WomanSaid) -> Marks:
    """Say that one is a woman, to ride with women: a filter, shown to nobody."""
    here = _counted(request, who.user_id)
    say_woman(here.engine, here.wakeups, who, is_woman=given.is_woman)
    return read_marks(request, who)


@router.put("/users/{user_id}/verification", status_code=204)
def verify(request: Request, staff: Staff, user_id: uuid.UUID, given: Verification) -> None:
    """Note that one has seen who somebody is, or take it back; it stands in the audit log."""
    here = installation_of(request)
    verify_person(
        here.engine, here.wakeups, staff, user_id, is_verified=given.verified, now=now_of(request)
    )


@router.get("/communities")
def own_communities(request: Request, who: SignedIn) -> list[CommunityFacts]:
    """List the communities to which one belongs."""
    with installation_of(request).engine.connect() as connection:
        found = list_communities(connection, who.person_id, count=COMMUNITIES_LIMIT)
    return [CommunityFacts(id=each.id, name=each.name) for each in found]


@router.post("/communities", status_code=201)
def make(request: Request, staff: Staff, given: CommunityGiven) -> ManagedCommunity:
    """Make a community."""
    here = _counted(request, staff.user_id)
    return _managed(make_community(here.engine, staff, given.name, now=now_of(request)))


@router.get("/communities/managed")
def managed_communities(request: Request, _staff: Staff) -> list[ManagedCommunity]:
    """List all communities with their invitation codes."""
    with installation_of(request).engine.connect() as connection:
        return [_managed(each) for each in list_communities(connection, count=LISTED)]


@router.post("/communities/join")
def join_by_code(request: Request, who: InPerson, given: CodeGiven) -> CommunityFacts:
    """Join a community by its invitation code."""
    here = installation_of(request)
    here.limits.count(f"community-code:{who.user_id}", most=CODES, per_s=WINDOW_S)
    joined = join(here.engine, here.wakeups, who, given.code, now=now_of(request))
    return CommunityFacts(id=joined.id, name=joined.name)


@router.post("/communities/{community_id}/leave", status_code=204)
def leave_it(request: Request, who: SignedIn, community_id: uuid.UUID) -> None:
    """Leave a community: one's offers to it are paused, one's wishes within it end."""
    here = _counted(request, who.user_id)
    leave(here.engine, here.wakeups, who, community_id)


@router.post("/communities/{community_id}/code")
def new_code(request: Request, staff: Staff, community_id: uuid.UUID) -> CodeGiven:
    """Draw another invitation code; whoever is in stays."""
    return CodeGiven(code=renew_code(installation_of(request).engine, staff, community_id))


@router.delete("/communities/{community_id}", status_code=204)
def end(request: Request, staff: Staff, community_id: uuid.UUID) -> None:
    """End a community: what was offered to it is paused."""
    here = installation_of(request)
    end_community(here.engine, here.wakeups, staff, community_id)


@router.get("/blocks")
def blocks(request: Request, who: SignedIn) -> list[BlockFacts]:
    """List from whom one stays apart."""
    with installation_of(request).engine.connect() as connection:
        found = list_blocks(connection, who.person_id)
    return [BlockFacts.model_validate(block, from_attributes=True) for block in found]


@router.post("/blocks", status_code=201)
def stay_apart(request: Request, who: InPerson, given: BlockGiven) -> BlockFacts:
    """Never ride with somebody, either way; he is not told, and what is booked stays."""
    here = _counted(request, who.user_id)
    with here.engine.begin() as connection:
        block = add_block(connection, who.person_id, given.alias, now_of(request))
    return BlockFacts.model_validate(block, from_attributes=True)


@router.delete("/blocks/{person_id}", status_code=204)
def stay_apart_no_more(request: Request, who: InPerson, person_id: uuid.UUID) -> None:
    """Ride with somebody again, as far as one is concerned oneself."""
    here = _counted(request, who.user_id)
    with here.engine.begin() as connection:
        remove_block(connection, who.person_id, person_id)


def _counted(request: Request, user_id: uuid.UUID) -> Installation:
    here = installation_of(request)
    here.limits.count(f"circles:{user_id}", most=WRITES, per_s=WINDOW_S)
    return here


def _managed(found: Community) -> ManagedCommunity:
    return ManagedCommunity.model_validate(found, from_attributes=True)
