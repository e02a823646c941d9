"""
What decides who rides with whom, in PostgreSQL: marks of people, communities, and who stays apart.

Whatever is changed here of a person locks his row first, as booking and publishing do: what is read
there under that lock holds until the commit.
"""

from __future__ import annotations

import datetime as dt
import secrets
import uuid
from collections.abc import Collection, Iterable
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from carpool.audience import Audience, Person
from carpool.offers import OfferState
from core.errors import Conflict, InvalidInput, NotFound
from mobility.db.changes import record_change
from mobility.db.offers import OFFER_CHANGED
from mobility.db.proposals import end_between
from mobility.db.schema import (
    community,
    community_member,
    offer,
    person,
    person_block,
    wish,
)
from mobility.db.wishes import WISH_CHANGED

CODE_LETTERS = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
CODE_LENGTH = 10
"""Letters of an invitation code: 31 to the 10th codes cannot be guessed at the rate allowed."""
COMMUNITIES_LIMIT = 50
"""Communities of one person."""
BLOCKS_LIMIT = 200
"""People from whom one person stays apart."""


class CommunityUnknown(NotFound):
    """There is no such community, or one is no member."""

    code = "community_unknown"


class CommunityTaken(Conflict):
    """Another community has this name."""

    code = "community_taken"


class PersonUnknown(NotFound):
    """Nobody goes by this name."""

    code = "person_unknown"


class TooMany(Conflict):
    """More communities or blocks than anybody has."""

    code = "too_many"


@dataclass(frozen=True, slots=True)
class Community:
    """People who know each other by something: an employer, a campus."""

    id: uuid.UUID
    name: str
    code: str
    """By which people join."""
    member_count: int


@dataclass(frozen=True, slots=True)
class Block:
    """Somebody from whom a person stays apart."""

    person_id: uuid.UUID
    alias: str
    at: dt.datetime


def lock_people(connection: sa.Connection, person_ids: Iterable[uuid.UUID]) -> None:
    """Let whatever else these people book, publish or change wait until the commit."""
    query = sa.select(person.c.id).where(person.c.id.in_(list(person_ids)))
    connection.execute(query.order_by(person.c.id).with_for_update(key_share=True))


def read_person(connection: sa.Connection, person_id: uuid.UUID) -> Person:
    """What decides with whom somebody rides."""
    return read_people(connection, [person_id])[person_id]


def read_people(
    connection: sa.Connection, person_ids: Collection[uuid.UUID]
) -> dict[uuid.UUID, Person]:
    """The same of many people."""
    return {
        row.id: Person(
            row.is_woman,
            row.verified_at is not None,
            frozenset(row.communities),
            frozenset(row.apart),
        )
        for row in connection.execute(_PEOPLE, {"of": list(person_ids)})
    }


_MEMBER_OF = sa.select(community_member.c.community_id).where(
    community_member.c.person_id == person.c.id
)
_BLOCKS = sa.select(person_block.c.other_id).where(person_block.c.person_id == person.c.id)
_BLOCKED_BY = sa.select(person_block.c.person_id).where(person_block.c.other_id == person.c.id)
_PEOPLE = sa.select(
    person.c.id,
    person.c.is_woman,
    person.c.verified_at,
    sa.func.array(_MEMBER_OF.scalar_subquery()).label("communities"),
    sa.func.array(sa.union_all(_BLOCKS, _BLOCKED_BY).scalar_subquery()).label("apart"),
).where(person.c.id == sa.any_(sa.bindparam("of", type_=pg.ARRAY(sa.Uuid))))


def set_woman(connection: sa.Connection, person_id: uuid.UUID, *, is_woman: bool) -> int | None:
    """
    Note what somebody says of herself.

    What she may offer no more is paused, and what she may find now looked for. Returns the last
    revision of these changes, if there are any.
    """
    lock_people(connection, [person_id])
    connection.execute(person.update().where(person.c.id == person_id).values(is_woman=is_woman))
    if is_woman:
        return match_again(connection, person_id)
    return pause_in(connection, Audience.WOMEN, person_id=person_id)


def set_verified(
    connection: sa.Connection, person_id: uuid.UUID, verified_at: dt.datetime | None
) -> int | None:
    """Note that somebody's identity was seen, or is not known any more; else as `set_woman`."""
    lock_people(connection, [person_id])
    connection.execute(
        person.update().where(person.c.id == person_id).values(verified_at=verified_at)
    )
    if verified_at is not None:
        return match_again(connection, person_id)
    return pause_in(connection, Audience.VERIFIED, person_id=person_id)


def match_again(connection: sa.Connection, person_id: uuid.UUID) -> int | None:
    """Have somebody's wishes compared with all offers again; the last revision, if any."""
    query = sa.select(wish.c.id).where(wish.c.rider_id == person_id, wish.c.open)
    found = connection.execute(query).scalars().all()
    return max((record_change(connection, WISH_CHANGED, of) for of in found), default=None)


def pause_in(
    connection: sa.Connection,
    audience: Audience,
    *,
    person_id: uuid.UUID | None = None,
    community_id: uuid.UUID | None = None,
) -> int | None:
    """
    Pause offers to an audience, and end wishes within it: of one person, or of all.

    Returns the last revision of the changes, if there are any.
    """
    in_it = {"audience": str(audience)}
    if community_id is not None:
        in_it["community"] = str(community_id)
    subjects = []
    for table, owner, kind, still, over in (
        (
            offer, offer.c.driver_id, OFFER_CHANGED,
            offer.c.state == OfferState.PUBLISHED, {"state": OfferState.PAUSED},
        ),
        (wish, wish.c.rider_id, WISH_CHANGED, wish.c.open, {"open": False}),
    ):  # fmt: skip
        which = [still, table.c.content.contains(in_it)]
        if person_id is not None:
            which.append(owner == person_id)
        changed = table.update().where(*which).values(**over).returning(table.c.id)
        subjects += [(kind, subject) for subject in connection.execute(changed).scalars()]
    revisions = [record_change(connection, kind, subject) for kind, subject in subjects]
    return max(revisions, default=None)


def add_community(connection: sa.Connection, name: str, now: dt.datetime) -> Community:
    """Make a community; raises `CommunityTaken`."""
    made = Community(uuid.uuid4(), name, new_code(), 0)
    added = connection.execute(
        pg.insert(community)
        .values(id=made.id, name=name, code=made.code, created_at=now)
        .on_conflict_do_nothing(index_elements=["name"])
        .returning(community.c.id)
    )
    if added.scalar() is None:
        raise CommunityTaken(f"there is a community {name!r} already")
    return made


def new_code() -> str:
    """Draw an invitation code that nobody guesses."""
    return "".join(secrets.choice(CODE_LETTERS) for _ in range(CODE_LENGTH))


def list_communities(
    connection: sa.Connection, member_id: uuid.UUID | None = None, *, count: int
) -> list[Community]:
    """All communities by name, or those of one person."""
    members = (
        sa.select(sa.func.count())
        .where(community_member.c.community_id == community.c.id)
        .scalar_subquery()
    )
    query = sa.select(community.c.id, community.c.name, community.c.code, members.label("members"))
    if member_id is not None:
        own = sa.select(community_member.c.community_id).where(
            community_member.c.person_id == member_id
        )
        query = query.where(community.c.id.in_(own))
    rows = connection.execute(query.order_by(community.c.name).limit(count))
    return [Community(row.id, row.name, row.code, row.members) for row in rows]


def change_code(connection: sa.Connection, community_id: uuid.UUID) -> str:
    """Give a community another code: the old one lets nobody in any more."""
    code = new_code()
    changed = connection.execute(
        community.update().where(community.c.id == community_id).values(code=code)
    )
    if changed.rowcount == 0:
        raise CommunityUnknown(f"there is no community {community_id}")
    return code


def join_community(
    connection: sa.Connection, person_id: uuid.UUID, code: str, now: dt.datetime
) -> tuple[Community, int | None]:
    """
    Let somebody in who has the code; his wishes are compared with what he may find now.

    Raises
    ------
    CommunityUnknown, TooMany
        No community has the code; he is in `COMMUNITIES_LIMIT` already.
    """
    lock_people(connection, [person_id])
    found = connection.execute(
        sa.select(community.c.id)
        .where(community.c.code == code)
        .with_for_update(read=True, key_share=True)
    ).scalar()
    if found is None:
        raise CommunityUnknown("no community has this code: ask for it again")
    own, revision = list_communities(connection, person_id, count=COMMUNITIES_LIMIT), None
    if found not in {each.id for each in own}:
        if len(own) == COMMUNITIES_LIMIT:
            raise TooMany(f"you are in {COMMUNITIES_LIMIT} communities: leave some first")
        values = {"community_id": found, "person_id": person_id, "joined_at": now}
        connection.execute(community_member.insert().values(values))
        own = list_communities(connection, person_id, count=COMMUNITIES_LIMIT)
        revision = match_again(connection, person_id)
    return next(each for each in own if each.id == found), revision


def leave_community(
    connection: sa.Connection, person_id: uuid.UUID, community_id: uuid.UUID
) -> int | None:
    """Let somebody go; his offers to the community are paused, his wishes in it end."""
    lock_people(connection, [person_id])
    left = connection.execute(
        community_member.delete().where(
            community_member.c.community_id == community_id,
            community_member.c.person_id == person_id,
        )
    )
    if left.rowcount == 0:
        raise CommunityUnknown("you are in no such community")
    return pause_in(connection, Audience.COMMUNITY, person_id=person_id, community_id=community_id)


def remove_community(connection: sa.Connection, community_id: uuid.UUID) -> int | None:
    """End a community: nobody offers to it or finds what was offered."""
    locked = sa.select(community.c.id).where(community.c.id == community_id).with_for_update()
    if connection.execute(locked).scalar() is None:
        raise CommunityUnknown(f"there is no community {community_id}")
    connection.execute(
        community_member.delete().where(community_member.c.community_id == community_id)
    )
    connection.execute(community.delete().where(community.c.id == community_id))
    return pause_in(connection, Audience.COMMUNITY, community_id=community_id)


def add_block(
    connection: sa.Connection, person_id: uuid.UUID, alias: str, now: dt.datetime
) -> Block:
    """
    Keep two people apart, by the name of the other; what was proposed to them is over.

    Raises
    ------
    PersonUnknown, InvalidInput, TooMany
        Nobody goes by this name; it is one's own; one has `BLOCKS_LIMIT` already.
    """
    other_id = connection.execute(sa.select(person.c.id).where(person.c.alias == alias)).scalar()
    if other_id is None:
        raise PersonUnknown(f"nobody goes by {alias!r}")
    if other_id == person_id:
        raise InvalidInput("alias: this is yourself")
    lock_people(connection, [person_id, other_id])
    if len(list_blocks(connection, person_id)) >= BLOCKS_LIMIT:
        raise TooMany(f"you stay apart from {BLOCKS_LIMIT} people: let some go first")
    connection.execute(
        pg.insert(person_block)
        .values(person_id=person_id, other_id=other_id, at=now)
        .on_conflict_do_nothing()
    )
    end_between(connection, person_id, other_id)
    return next(b for b in list_blocks(connection, person_id) if b.person_id == other_id)


def list_blocks(connection: sa.Connection, person_id: uuid.UUID) -> list[Block]:
    """From whom somebody stays apart by his own word, the last first."""
    query = (
        sa.select(person_block.c.other_id, person.c.alias, person_block.c.at)
        .join(person, person.c.id == person_block.c.other_id)
        .where(person_block.c.person_id == person_id)
        .order_by(person_block.c.at.desc(), person_block.c.other_id)
    )
    return [Block(row.other_id, row.alias, row.at) for row in connection.execute(query)]


def remove_block(connection: sa.Connection, person_id: uuid.UUID, other_id: uuid.UUID) -> None:
    """Let two people ride together again, as far as one of them is concerned."""
    removed = connection.execute(
        person_block.delete().where(
            person_block.c.person_id == person_id, person_block.c.other_id == other_id
        )
    )
    if removed.rowcount == 0:
        raise PersonUnknown("you do not stay apart from this person")
