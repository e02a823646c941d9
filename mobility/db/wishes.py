"""Wishes in PostgreSQL, and the offers that their riders were told of; on one connection."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from carpool.audience import Seeker, may_ride
from carpool.offers import parse_offer
from carpool.wishes import Wish, parse_wish, wish_as_json
from core.errors import Conflict, NotFound
from core.geo import Coordinate
from core.ids import OfferId
from mobility.db.changes import record_change
from mobility.db.schema import change, follower, offer, person, wish, wish_match

WISH_CHANGED = "wish"
FOLLOWER = "wishes"
"""Name of the one who compares wishes and offers, among those who follow the changes."""
OPEN_LIMIT = 50
"""Open wishes of one rider."""


class WishNotFound(NotFound):
    """One has no wish of this id."""

    code = "wish_not_found"


class TooManyWishes(Conflict):
    """A rider with more wishes than anybody has."""

    code = "too_many_wishes"


@dataclass(frozen=True, slots=True)
class StoredWish:
    """A wish, whether it is looked after, and whether other operators are shown it."""

    wish: Wish
    open: bool
    shared: bool = False


@dataclass(frozen=True, slots=True)
class StoredMatch:
    """An offer that would do for a wish."""

    offer_id: uuid.UUID
    direction: str
    content: Mapping[str, Any]
    at: dt.datetime


@dataclass(frozen=True, slots=True)
class SharedWish:
    """A wish that other operators are shown, between places that stand for its ends."""

    wish: Wish
    start: Coordinate
    end: Coordinate


def add_wish(
    connection: sa.Connection,
    given: Wish,
    now: dt.datetime,
    shared: tuple[Coordinate, Coordinate] | None = None,
) -> int:
    """
    Store a wish; returns the revision of the change, or raises `TooManyWishes`.

    `shared`: what other operators are shown in the place of its ends; None if nothing at all.
    """
    connection.execute(  # nobody else adds one of this rider until the commit
        sa.select(person.c.id).where(person.c.id == given.rider_id).with_for_update(key_share=True)
    )
    open_count = sa.select(sa.func.count()).where(
        wish.c.rider_id == given.rider_id, wish.c.open, wish.c.valid_to >= now.date()
    )
    if connection.execute(open_count).scalar_one() >= OPEN_LIMIT:
        raise TooManyWishes(f"you have {OPEN_LIMIT} wishes: end some first")
    connection.execute(
        wish.insert().values(
            id=given.id, rider_id=given.rider_id, content=wish_as_json(given), open=True,
            valid_to=given.valid_to, created_at=now,
            shared=None if shared is None else [[end.lat, end.lon] for end in shared],
        )
    )  # fmt: skip
    return record_change(connection, WISH_CHANGED, given.id)


def end_wish(connection: sa.Connection, rider_id: uuid.UUID, wish_id: uuid.UUID) -> int:
    """Look after a wish no more; returns the revision, or raises `WishNotFound`."""
    ended = connection.execute(
        wish.update()
        .where(wish.c.id == wish_id, wish.c.rider_id == rider_id)
        .values(open=False)
        .returning(wish.c.id)
    ).scalar()
    if ended is None:
        raise WishNotFound(f"you have no wish {wish_id}")
    return record_change(connection, WISH_CHANGED, wish_id)


def list_wishes(connection: sa.Connection, rider_id: uuid.UUID, count: int) -> list[StoredWish]:
    """A rider's wishes, the newest first."""
    query = sa.select(wish).where(wish.c.rider_id == rider_id)
    query = query.order_by(wish.c.created_at.desc(), wish.c.id).limit(count)
    return [_stored(row) for row in connection.execute(query).mappings()]


def get_wish(connection: sa.Connection, rider_id: uuid.UUID, wish_id: uuid.UUID) -> StoredWish:
    """A rider's wish; raises `WishNotFound` for those of others."""
    query = sa.select(wish).where(wish.c.id == wish_id, wish.c.rider_id == rider_id)
    row = connection.execute(query).mappings().one_or_none()
    if row is None:
        raise WishNotFound(f"you have no wish {wish_id}")
    return _stored(row)


def list_open(connection: sa.Connection, today: dt.date) -> list[Wish]:
    """All wishes that are looked after."""
    query = sa.select(wish).where(wish.c.open, wish.c.valid_to >= today).order_by(wish.c.id)
    return [_stored(row).wish for row in connection.execute(query).mappings()]


def list_matches(
    connection: sa.Connection, wish_id: uuid.UUID, seeker: Seeker
) -> list[StoredMatch]:
    """Offers that would do for a wish and are still there for its rider, the newest first."""
    query = (
        sa.select(wish_match, offer.c.driver_id, offer.c.content.label("offer"))
        .join(offer, offer.c.id == wish_match.c.offer_id)
        .where(wish_match.c.wish_id == wish_id, offer.c.state == "published")
        .order_by(wish_match.c.at.desc(), wish_match.c.offer_id, wish_match.c.direction)
    )
    return [
        StoredMatch(row["offer_id"], row["direction"], row["content"], row["at"])
        for row in connection.execute(query).mappings()
        if may_ride(
            seeker, parse_offer(row["offer"], OfferId(str(row["offer_id"]))), row["driver_id"]
        )
    ]


def list_shared(
    connection: sa.Connection, today: dt.date, wish_id: uuid.UUID | None = None
) -> list[SharedWish]:
    """All wishes that other operators are shown, or the one of an id."""
    query = sa.select(wish).where(wish.c.open, wish.c.shared.is_not(None), wish.c.valid_to >= today)
    if wish_id is not None:
        query = query.where(wish.c.id == wish_id)
    return [
        SharedWish(_stored(row).wish, *(Coordinate(*end) for end in row["shared"]))
        for row in connection.execute(query.order_by(wish.c.id)).mappings()
    ]


def add_match(
    connection: sa.Connection,
    given: Wish,
    offer_id: OfferId,
    direction: str,
    content: Mapping[str, Any],
    now: dt.datetime,
) -> uuid.UUID | None:
    """Note that an offer would do; returns its driver, or None if it was known or is his own."""
    query = sa.select(offer.c.driver_id).where(offer.c.id == uuid.UUID(offer_id))
    driver_id: uuid.UUID = connection.execute(query).scalar_one()
    if driver_id == given.rider_id:
        return None
    added = connection.execute(
        pg.insert(wish_match)
        .values(
            wish_id=given.id, offer_id=uuid.UUID(offer_id), direction=direction,
            content=dict(content), at=now,
        )
        .on_conflict_do_nothing()
        .returning(wish_match.c.offer_id)
    ).scalar()  # fmt: skip
    return None if added is None else driver_id


def take_turn(connection: sa.Connection) -> int | None:
    """Revision up to which wishes and offers were compared; None while another process does so."""
    query = sa.select(follower.c.revision).where(follower.c.name == FOLLOWER)
    revision = connection.execute(query.with_for_update(skip_locked=True)).scalar()
    return None if revision is None else int(revision)


def end_turn(connection: sa.Connection, revision: int) -> None:
    """Note up to which revision wishes and offers were compared."""
    connection.execute(
        follower.update().where(follower.c.name == FOLLOWER).values(revision=revision)
    )


def list_changes(
    connection: sa.Connection, after: int, until: int, count: int
) -> list[tuple[int, str, uuid.UUID]]:
    """Changes behind a revision up to another: revision, kind and subject, in order."""
    query = (
        sa.select(change.c.revision, change.c.kind, change.c.subject_id)
        .where(change.c.revision > after, change.c.revision <= until)
        .order_by(change.c.revision)
        .limit(count)
    )
    return [(row.revision, row.kind, row.subject_id) for row in connection.execute(query)]


def _stored(row: sa.RowMapping) -> StoredWish:
    return StoredWish(
        parse_wish(row["content"], row["id"], row["rider_id"]), row["open"], bool(row["shared"])
    )
