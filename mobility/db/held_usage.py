"""Batches of devices whose clocks are wrong, in PostgreSQL, until somebody has looked at them."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from core.errors import NotFound
from mobility.db.fare_schema import held_usage


class BatchUnknown(NotFound):
    """Not a batch that whoever asks may decide on."""

    code = "batch_unknown"


@dataclass(frozen=True, slots=True)
class HeldBatch:
    """Events that a device has told at once."""

    id: str
    owner_id: uuid.UUID
    source: str
    received_at: dt.datetime
    clock_ahead_s: int
    events: Sequence[Mapping[str, Any]]
    """CloudEvents, without the numbers of cards."""


_COLUMNS = [held_usage.c[name] for name in HeldBatch.__dataclass_fields__]


def hold_batch(connection: sa.Connection, batch: HeldBatch) -> None:
    """Keep a batch, once however often it comes."""
    values = {name: getattr(batch, name) for name in HeldBatch.__dataclass_fields__}
    connection.execute(pg.insert(held_usage).values(values).on_conflict_do_nothing())


def list_held(connection: sa.Connection, owner_id: uuid.UUID | None = None) -> list[HeldBatch]:
    """Batches of an operator's devices or of all, the oldest first."""
    query = sa.select(*_COLUMNS).order_by(held_usage.c.received_at, held_usage.c.id)
    if owner_id is not None:
        query = query.where(held_usage.c.owner_id == owner_id)
    return [HeldBatch(*row) for row in connection.execute(query)]


def find_held(
    connection: sa.Connection, batch_id: str, owner_id: uuid.UUID | None = None
) -> HeldBatch:
    """
    Find a batch, an operator one of his own.

    Raises
    ------
    BatchUnknown
        There is none, or somebody has decided already.
    """
    query = sa.select(*_COLUMNS).where(held_usage.c.id == batch_id)
    if owner_id is not None:
        query = query.where(held_usage.c.owner_id == owner_id)
    row = connection.execute(query).first()
    if row is None:
        raise BatchUnknown("there is no such batch, or it has been decided on already")
    return HeldBatch(*row)


def keep_events(
    connection: sa.Connection, batch: HeldBatch, events: Sequence[Mapping[str, Any]]
) -> None:
    """Keep only some events of a batch."""
    own = held_usage.c.id == batch.id
    connection.execute(held_usage.update().where(own).values(events=list(events)))


def drop_held(connection: sa.Connection, batch: HeldBatch) -> None:
    """Drop a batch that has been decided on."""
    connection.execute(held_usage.delete().where(held_usage.c.id == batch.id))


def forget_held(connection: sa.Connection, before: dt.datetime) -> list[HeldBatch]:
    """Drop batches received before a time on which nobody has decided; returns them."""
    gone = held_usage.delete().where(held_usage.c.received_at < before).returning(*_COLUMNS)
    return [HeldBatch(*row) for row in connection.execute(gone)]
