"""Ratings in PostgreSQL: one of each side of a booking, shown once both are there, or later."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from carpool.ratings import BLIND, Score, score
from core.errors import Conflict
from mobility.db.schema import booking, past_stars, rating
from mobility.db.sent_rows import among


class AlreadyRated(Conflict):
    """One rates a ride once."""

    code = "already_rated"


@dataclass(frozen=True, slots=True)
class Rating:
    """What somebody was given."""

    booking_id: uuid.UUID
    by: str
    """Side that has given it: rider or driver."""
    stars: int
    comment: str
    at: dt.datetime


def add_rating(connection: sa.Connection, given: Rating, rated_id: uuid.UUID) -> bool:
    """
    Store what one side thinks of the other; returns whether both have rated now.

    Raises
    ------
    AlreadyRated
        This side has rated already.
    """
    one_at_a_time = sa.select(booking.c.id).where(booking.c.id == given.booking_id)
    connection.execute(one_at_a_time.with_for_update(key_share=True))
    values = {name: getattr(given, name) for name in Rating.__dataclass_fields__}
    insert = pg.insert(rating).values(**values, person_id=rated_id).on_conflict_do_nothing()
    if connection.execute(insert.returning(rating.c.by)).first() is None:
        raise AlreadyRated("you have rated this ride")
    both = sa.select(sa.func.count()).where(rating.c.booking_id == given.booking_id)
    return connection.execute(both).scalar_one() > 1


def list_ratings(connection: sa.Connection, person_id: uuid.UUID, now: dt.datetime) -> list[Rating]:
    """What a person was given, the newest first, as far as it is shown."""
    columns = [rating.c[name] for name in Rating.__dataclass_fields__]
    query = _shown(sa.select(*columns), now).where(rating.c.person_id == person_id)
    return [Rating(*row) for row in connection.execute(query.order_by(rating.c.at.desc()))]


def stars_given(
    connection: sa.Connection, booking_ids: Collection[uuid.UUID], by: str
) -> dict[uuid.UUID, int]:
    """What one side has given, of those bookings that it has rated."""
    query = sa.select(rating.c.booking_id, rating.c.stars).where(
        rating.c.booking_id.in_(list(booking_ids)), rating.c.by == by
    )
    return {row.booking_id: row.stars for row in connection.execute(query)}


def scores_of(
    connection: sa.Connection, person_ids: Collection[uuid.UUID], now: dt.datetime
) -> dict[uuid.UUID, Score]:
    """Scores of those people who have any rating that is shown, or was before it was forgotten."""
    shown = _shown(sa.select(rating.c.person_id, rating.c.stars, sa.literal(1)), now)
    given = sa.union_all(
        shown.where(rating.c.person_id.in_(list(person_ids))),
        sa.select(past_stars).where(past_stars.c.person_id.in_(list(person_ids))),
    ).subquery()
    person_id, stars, count = given.c
    found = connection.execute(
        sa.select(person_id, sa.func.sum(stars), sa.func.sum(count)).group_by(person_id)
    )
    return {of: score(int(total), int(count)) for of, total, count in found}


def keep_stars(connection: sa.Connection, booking_ids: Collection[uuid.UUID]) -> None:
    """Add up what people were given for bookings that are about to be forgotten, and drop that."""
    of_bookings = among(rating.c.booking_id, booking_ids)
    totals = (
        sa.select(rating.c.person_id, sa.func.sum(rating.c.stars), sa.func.count())
        .where(of_bookings)
        .group_by(rating.c.person_id)
        .order_by(rating.c.person_id)
    )
    insert = pg.insert(past_stars).from_select(list(past_stars.c.keys()), totals)
    added = {name: past_stars.c[name] + insert.excluded[name] for name in ("stars", "rating_count")}
    connection.execute(insert.on_conflict_do_update(constraint=past_stars.primary_key, set_=added))
    connection.execute(rating.delete().where(of_bookings))


def _shown(query: sa.Select[Any], now: dt.datetime) -> sa.Select[Any]:
    other = rating.alias()
    answered = sa.exists().where(
        other.c.booking_id == rating.c.booking_id, other.c.by != rating.c.by
    )
    return query.join(booking, booking.c.id == rating.c.booking_id).where(
        sa.or_(answered, booking.c.dropoff_by < now - BLIND)
    )
