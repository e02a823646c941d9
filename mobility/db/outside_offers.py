"""Offers of other operators beside our own, and by what they are known again; on one connection."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from carpool.offers import OfferEnded, OfferState
from core.ids import OfferId
from mobility.db.offers import SqlOfferStore
from mobility.db.schema import compiled_offer, offer, outside_offer

PURGED_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class KnownOffer:
    """An offer of another operator that it has not taken back."""

    offer_id: OfferId
    version: int
    digest: bytes
    seen_at: dt.datetime
    ended: bool
    """Whether somebody here has ended it: it does not come back while it is told."""
    content: Mapping[str, Any]


def list_known(connection: sa.Connection, operator: str) -> dict[str, KnownOffer]:
    """What is searched of an operator, by its outside ids."""
    query = (
        sa.select(outside_offer, offer.c.version, offer.c.state, offer.c.content)
        .join(offer, offer.c.id == outside_offer.c.offer_id)
        .where(outside_offer.c.operator == operator, outside_offer.c.ended_at.is_(None))
    )
    return {
        row["outside_id"]: KnownOffer(
            OfferId(str(row["offer_id"])), row["version"], row["digest"], row["seen_at"],
            row["state"] == OfferState.ENDED, row["content"],
        )
        for row in connection.execute(query).mappings()
    }  # fmt: skip


def know(
    connection: sa.Connection,
    operator: str,
    outside_id: str,
    offer_id: OfferId,
    digest: bytes,
    now: dt.datetime,
) -> None:
    """Keep by what an offer is known again."""
    values = {
        "offer_id": uuid.UUID(offer_id), "digest": digest, "seen_at": now, "ended_at": None,
    }  # fmt: skip
    connection.execute(
        pg.insert(outside_offer)
        .values(operator=operator, outside_id=outside_id, **values)
        .on_conflict_do_update(constraint=outside_offer.primary_key, set_=values)
    )


def note_seen(
    connection: sa.Connection, operator: str, outside_ids: Collection[str], now: dt.datetime
) -> None:
    """Note that offers are still there."""
    connection.execute(
        outside_offer.update()
        .where(
            outside_offer.c.operator == operator,
            outside_offer.c.outside_id == sa.any_(sa.cast(list(outside_ids), pg.ARRAY(sa.Text))),
        )
        .values(seen_at=now)
    )


def end_outside(connection: sa.Connection, operator: str, outside_id: str, now: dt.datetime) -> int:
    """End an offer that is there no more; returns the revision of the change, or 0."""
    offer_id = connection.execute(
        outside_offer.update()
        .where(outside_offer.c.operator == operator, outside_offer.c.outside_id == outside_id)
        .values(ended_at=now)
        .returning(outside_offer.c.offer_id)
    ).scalar_one()
    try:
        return SqlOfferStore(connection).change_state(OfferId(str(offer_id)), OfferState.ENDED)
    except OfferEnded:  # by somebody here
        return 0


def purge_ended(connection: sa.Connection, before: dt.datetime) -> int:
    """Forget some of what ended before a moment; nobody can have booked any of it here."""
    ids = [
        row.offer_id
        for row in connection.execute(
            sa.select(outside_offer.c.offer_id)
            .where(outside_offer.c.ended_at < before)
            .limit(PURGED_AT_ONCE)
        )
    ]
    for column in (outside_offer.c.offer_id, compiled_offer.c.offer_id, offer.c.id):
        connection.execute(sa.delete(column.table).where(column.in_(ids)))
    return len(ids)
