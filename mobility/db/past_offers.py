"""
Offers, wishes and proposals that are forgotten once nobody can take them up; on one connection.

As in `past_rides`, each function takes up so many rows and returns how many that were.
"""

from __future__ import annotations

import datetime as dt

import sqlalchemy as sa

from carpool.offers import OfferState
from core.ids import OfferId
from mobility.db.offers import OFFER_CHANGED, SqlOfferStore
from mobility.db.past_rides import taken
from mobility.db.proposals import LIVE, forget_proposals
from mobility.db.schema import (
    change,
    compiled_offer,
    offer,
    outside_offer,
    proposal,
    ride,
    wish,
    wish_match,
)
from mobility.db.sent_rows import among
from mobility.db.wishes import WISH_CHANGED

_OUTSIDE = sa.exists().where(outside_offer.c.offer_id == offer.c.id)


def forget_answered(connection: sa.Connection, before: dt.datetime, most: int) -> int:
    """Forget proposals made before a moment that were declined or have lapsed."""
    past = sa.and_(proposal.c.at < before, proposal.c.state.not_in(LIVE))
    ids = taken(connection, proposal, past, most)
    forget_proposals(connection, ids)
    return len(ids)


def forget_wishes(
    connection: sa.Connection, last_date: dt.date, before: dt.datetime, most: int
) -> int:
    """Forget wishes for dates before one, and those that their riders have ended before."""
    ended = sa.and_(~wish.c.open, _unchanged(wish, WISH_CHANGED, before))
    ids = taken(connection, wish, sa.or_(wish.c.valid_to < last_date, ended), most)
    of_wishes = sa.select(proposal.c.id).where(among(proposal.c.wish_id, ids))
    forget_proposals(connection, connection.execute(of_wishes).scalars().all())
    connection.execute(wish_match.delete().where(among(wish_match.c.wish_id, ids)))
    return connection.execute(wish.delete().where(among(wish.c.id, ids))).rowcount


def end_offers(connection: sa.Connection, last_date: dt.date, most: int) -> int:
    """End offers whose last date was before one: every process takes up that they are over."""
    past = sa.and_(offer.c.state != OfferState.ENDED, _over(last_date), ~_OUTSIDE)
    ids = taken(connection, offer, past, most)
    store = SqlOfferStore(connection)
    for offer_id in ids:
        store.change_state(OfferId(str(offer_id)), OfferState.ENDED)
    return len(ids)


def forget_offers(
    connection: sa.Connection,
    last_date: dt.date,
    before: dt.datetime,
    most: int,
    *,
    known_since: dt.datetime,
) -> int:
    """
    Forget offers that have ended before a moment, and those whose last date was before one.

    Kept are those with a ride that is, and those of which processes have not known for long enough
    that they have ended; those of other operators go when these take them back.
    """
    ended = _unchanged(offer, OFFER_CHANGED, before)
    over = sa.and_(_over(last_date), _unchanged(offer, OFFER_CHANGED, known_since))
    driven = sa.exists().where(ride.c.offer_id == offer.c.id)
    past = (offer.c.state == OfferState.ENDED, sa.or_(ended, over), ~driven, ~_OUTSIDE)
    ids = taken(connection, offer, sa.and_(*past), most)
    either = sa.or_(among(proposal.c.offer_id, ids), among(proposal.c.back_offer_id, ids))
    of_offers = sa.select(proposal.c.id).where(either)
    forget_proposals(connection, connection.execute(of_offers).scalars().all())
    for column in (wish_match.c.offer_id, compiled_offer.c.offer_id):
        connection.execute(sa.delete(column.table).where(among(column, ids)))
    return connection.execute(offer.delete().where(among(offer.c.id, ids))).rowcount


def _over(last_date: dt.date) -> sa.ColumnElement[bool]:
    return sa.cast(offer.c.content["valid_to"].astext, sa.Date) < last_date


def _unchanged(table: sa.Table, kind: str, since: dt.datetime) -> sa.ColumnElement[bool]:
    """Whether the last change of a row was before a moment."""
    return ~sa.exists().where(
        change.c.kind == kind, change.c.subject_id == table.c.id, change.c.at >= since
    )
