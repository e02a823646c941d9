"""Offers in PostgreSQL: implements `carpool.ports.OfferStore` on one connection."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from carpool.offers import Offer, offer_as_json, parse_offer
from carpool.ports import StoredOffer
from core.errors import NotFound
from core.ids import OfferId
from mobility.db.changes import latest_revision, record_change
from mobility.db.schema import change, compiled_offer, offer, person

OFFER_CHANGED = "offer"


class OfferNotFound(NotFound):
    """No offer has this id."""

    code = "offer_not_found"


class SqlOfferStore:
    """One transaction's view of the offers; whoever opened it commits."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def add_offer(self, given: Offer, ground_hash: str, body: bytes) -> int:
        """Store a new offer with its compiled body; returns the revision of the change."""
        offer_id = uuid.UUID(given.id)
        self._connection.execute(
            offer.insert().values(
                id=offer_id,
                driver_id=self._person(given.driver),
                version=1,
                active=True,
                content=offer_as_json(given),
                created_at=dt.datetime.now(dt.UTC),
            )
        )
        self.save_body(given.id, 1, ground_hash, body)
        return record_change(self._connection, OFFER_CHANGED, offer_id)

    def end_offer(self, offer_id: OfferId) -> int:
        """End an offer; raises `OfferNotFound` when there is none."""
        try:
            key = uuid.UUID(offer_id)
        except ValueError as error:
            raise OfferNotFound(f"{offer_id!r} is not an offer id") from error
        ended = self._connection.execute(
            offer.update()
            .where(offer.c.id == key)
            .values(active=False, version=offer.c.version + 1)
        )
        if ended.rowcount == 0:
            raise OfferNotFound(f"no offer {offer_id}")
        return record_change(self._connection, OFFER_CHANGED, key)

    def list_changed(self, after_revision: int, ground_hash: str) -> list[StoredOffer]:
        """Offers that changed after a revision, in order of id; those ended have `active` unset."""
        changed = (
            sa.select(change.c.subject_id)
            .where(change.c.kind == OFFER_CHANGED, change.c.revision > after_revision)
            .distinct()
        )
        bodies = sa.and_(
            compiled_offer.c.offer_id == offer.c.id,
            compiled_offer.c.offer_version == offer.c.version,
            compiled_offer.c.ground_hash == ground_hash,
        )
        rows = self._connection.execute(
            sa.select(offer, compiled_offer.c.body)
            .select_from(offer.outerjoin(compiled_offer, bodies))
            .where(offer.c.id.in_(changed))
            .order_by(offer.c.id)
        )
        return [self._stored(row) for row in rows.mappings()]

    def save_body(self, offer_id: OfferId, version: int, ground_hash: str, body: bytes) -> None:
        """Keep a compiled body; one that is there already stays."""
        self._connection.execute(
            pg.insert(compiled_offer)
            .values(
                offer_id=uuid.UUID(offer_id),
                offer_version=version,
                ground_hash=ground_hash,
                body=body,
            )
            .on_conflict_do_nothing()
        )

    def latest_revision(self) -> int:
        """Revision of the last visible change; 0 before the first."""
        return latest_revision(self._connection)

    def _stored(self, row: Any) -> StoredOffer:  # noqa: ANN401 — a row mapping
        parsed = parse_offer(row["content"], OfferId(str(row["id"])))
        return StoredOffer(parsed, row["version"], row["active"], row["body"])

    def _person(self, alias: str) -> uuid.UUID:
        """Person of this alias, made when new."""
        self._connection.execute(
            pg.insert(person)
            .values(id=uuid.uuid4(), alias=alias, created_at=dt.datetime.now(dt.UTC))
            .on_conflict_do_nothing(index_elements=["alias"])
        )
        found: uuid.UUID = self._connection.execute(
            sa.select(person.c.id).where(person.c.alias == alias)
        ).scalar_one()
        return found
