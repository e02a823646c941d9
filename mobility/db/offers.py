"""Offers in PostgreSQL, with their compiled bodies and the revisions by which they change."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from carpool.offers import (
    Offer,
    OfferChanged,
    OfferEnded,
    OfferState,
    offer_as_json,
    parse_offer,
)
from carpool.ports import StoredOffer
from core.errors import NotFound
from core.ids import OfferId
from mobility.db.changes import latest_revision, record_change
from mobility.db.schema import change, compiled_offer, offer, person

OFFER_CHANGED = "offer"
ROWS_AT_ONCE = 500
"""Rows that are taken over together: all at once would need twice the memory."""


class OfferNotFound(NotFound):
    """No offer has this id."""

    code = "offer_not_found"


class SqlOfferStore:
    """One transaction's view of the offers; whoever opened it commits."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def add_offer(
        self,
        given: Offer,
        ground_hash: str,
        body: bytes,
        entered: Mapping[str, Any] | None = None,
        *,
        driver_id: uuid.UUID | None = None,
    ) -> int:
        """
        Store a new offer with its compiled body; returns the revision of the change.

        Its driver is the person of that alias, or who is given.
        """
        offer_id = uuid.UUID(given.id)
        self._connection.execute(
            offer.insert().values(
                id=offer_id,
                driver_id=driver_id or self._person(given.driver),
                version=1,
                state=OfferState.PUBLISHED,
                content=offer_as_json(given),
                entered=entered,
                created_at=dt.datetime.now(dt.UTC),
            )
        )
        self.save_body(given.id, 1, ground_hash, body)
        return record_change(self._connection, OFFER_CHANGED, offer_id)

    def replace_offer(
        self,
        given: Offer,
        version: int,
        ground_hash: str,
        body: bytes,
        entered: Mapping[str, Any] | None = None,
    ) -> int:
        """
        Put a new version in the place of `version`; returns the revision of the change.

        Raises
        ------
        OfferNotFound, OfferEnded, OfferChanged
            It is not there, has ended, or is of another version by now.
        """
        key = _key(given.id)
        replaced = self._connection.execute(
            offer.update()
            .where(offer.c.id == key, offer.c.version == version, _open())
            .values(content=offer_as_json(given), entered=entered, version=version + 1)
            .returning(offer.c.id)
        )
        if replaced.scalar() is None:
            self._refuse(key)
            raise OfferChanged(f"offer {given.id} was changed since version {version}: read again")
        self._connection.execute(
            compiled_offer.delete().where(
                compiled_offer.c.offer_id == key, compiled_offer.c.offer_version <= version
            )
        )
        self.save_body(given.id, version + 1, ground_hash, body)
        return record_change(self._connection, OFFER_CHANGED, key)

    def change_state(self, offer_id: OfferId, state: OfferState) -> int:
        """Pause, resume or end an offer, or raise as `replace_offer`; returns the revision."""
        key = _key(offer_id)
        changed = self._connection.execute(
            offer.update()
            .where(offer.c.id == key, _open())
            .values(state=state)
            .returning(offer.c.id)
        )
        if changed.scalar() is None:
            self._refuse(key)
        return record_change(self._connection, OFFER_CHANGED, key)

    def _refuse(self, key: uuid.UUID) -> None:
        """Say why an offer was not changed, if it is not there or has ended."""
        state = self._connection.execute(sa.select(offer.c.state).where(offer.c.id == key)).scalar()
        if state is None:
            raise OfferNotFound(f"no offer {key}")
        if state == OfferState.ENDED:
            raise OfferEnded(f"offer {key} has ended: publish a new one")

    def list_of(
        self, person_id: uuid.UUID, *, after: OfferId | None = None, count: int
    ) -> list[StoredOffer]:
        """Offers of a driver, the newest first, from behind one of them on, without bodies."""
        at = sa.tuple_(offer.c.created_at, offer.c.id)
        query = _of(person_id).order_by(at.desc()).limit(count)
        if after is not None:
            last = sa.select(offer.c.created_at, offer.c.id).where(offer.c.id == _key(after))
            query = query.where(at < last.scalar_subquery())
        return [self._stored(row) for row in self._connection.execute(query).mappings()]

    def get_of(self, person_id: uuid.UUID, offer_id: OfferId) -> StoredOffer:
        """An offer of a driver, without body; raises `OfferNotFound` for those of others."""
        query = _of(person_id).where(offer.c.id == _key(offer_id))
        row = self._connection.execute(query).mappings().one_or_none()
        if row is None:
            raise OfferNotFound(f"you have no offer {offer_id}")
        return self._stored(row)

    def count_open(self, person_id: uuid.UUID) -> int:
        """How many offers of a driver have not ended; nobody adds one until the commit."""
        self._connection.execute(
            sa.select(person.c.id).where(person.c.id == person_id).with_for_update(key_share=True)
        )
        query = sa.select(sa.func.count()).where(offer.c.driver_id == person_id, _open())
        return int(self._connection.execute(query).scalar_one())

    def list_changed(self, after_revision: int, ground_hash: str) -> list[StoredOffer]:
        """Offers that changed after a revision, in order of id, in whatever state."""
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
            sa.select(
                *(column for column in offer.c if column is not offer.c.entered),
                compiled_offer.c.body,
            )
            .select_from(offer.outerjoin(compiled_offer, bodies))
            .where(offer.c.id.in_(changed))
            .order_by(offer.c.id),
            execution_options={
                "yield_per": ROWS_AT_ONCE
            },  # all at once would take twice the memory
        )
        return [self._stored(row) for row in rows.mappings()]

    def save_body(self, offer_id: OfferId, version: int, ground_hash: str, body: bytes) -> None:
        """Keep a compiled body, in the place of one that an older program has packed."""
        insert = pg.insert(compiled_offer).values(
            offer_id=uuid.UUID(offer_id),
            offer_version=version,
            ground_hash=ground_hash,
            body=body,
        )
        self._connection.execute(
            insert.on_conflict_do_update(constraint=compiled_offer.primary_key, set_={"body": body})
        )

    def latest_revision(self) -> int:
        """Revision of the last visible change; 0 before the first."""
        return latest_revision(self._connection)

    def _stored(self, row: Any) -> StoredOffer:  # noqa: ANN401 — a row mapping
        parsed = parse_offer(row["content"], OfferId(str(row["id"])))
        state, entered = OfferState(row["state"]), row.get("entered")
        return StoredOffer(parsed, row["version"], state, row["body"], entered, row["driver_id"])

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


def _key(offer_id: OfferId) -> uuid.UUID:
    try:
        return uuid.UUID(offer_id)
    except ValueError as error:
        raise OfferNotFound(f"{offer_id!r} is not an offer id") from error


def _of(person_id: uuid.UUID) -> sa.Select[Any]:
    return sa.select(offer, sa.null().label("body")).where(offer.c.driver_id == person_id)


def _open() -> sa.ColumnElement[bool]:
    return offer.c.state != OfferState.ENDED
