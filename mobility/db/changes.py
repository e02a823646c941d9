"""
The change feed: what other processes must take over, in an order that readers can rely on.

A revision is taken under one advisory lock that is held until the transaction ends, so that
revisions become visible in ascending order: a reader that has seen n never meets n-1 later.
A restored backup breaks that order; it brings another epoch, and readers begin from nothing.
"""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import dataclass

import sqlalchemy as sa

from mobility.db.engine import LATER
from mobility.db.schema import change, installation

CHANGE_LOCK = 7_305_001
"""Key of the advisory lock; any constant that nothing else in the database uses."""


_LOCK_CHANGES = sa.select(sa.func.pg_advisory_xact_lock(CHANGE_LOCK))
_NEXT = sa.select(sa.func.coalesce(sa.func.max(change.c.revision), 0) + 1)
_ADD_CHANGE = change.insert().inline().values(
    revision=_NEXT.scalar_subquery(), kind=sa.bindparam("kind"),
    subject_id=sa.bindparam("subject_id"), at=sa.bindparam("at"),
)  # fmt: skip
_ADD_KNOWN_CHANGE = _ADD_CHANGE.returning(change.c.revision)


@dataclass(frozen=True, slots=True)
class Position:
    """How far the feed has come; revisions of two epochs cannot be compared."""

    epoch: uuid.UUID
    revision: int


def lock_changes(connection: sa.Connection) -> None:
    """Let whoever else records a change wait until the commit: what follows is in one order."""
    connection.execute(_LOCK_CHANGES, execution_options=LATER)


def record_change(connection: sa.Connection, kind: str, subject_id: uuid.UUID) -> int:
    """Add a change to the running transaction; returns its revision."""
    lock_changes(connection)
    return int(connection.execute(_ADD_KNOWN_CHANGE, _change(kind, subject_id)).scalar_one())


def note_change(connection: sa.Connection, kind: str, subject_id: uuid.UUID) -> None:
    """Add a change under the lock of the changes, without waiting for its revision."""
    connection.execute(_ADD_CHANGE, _change(kind, subject_id), execution_options=LATER)


def _change(kind: str, subject_id: uuid.UUID) -> dict[str, object]:
    return {"kind": kind, "subject_id": subject_id, "at": dt.datetime.now(dt.UTC)}


def latest_revision(connection: sa.Connection) -> int:
    """Last visible revision; 0 before the first."""
    found = connection.execute(sa.select(sa.func.max(change.c.revision))).scalar()
    return int(found or 0)


def latest_position(connection: sa.Connection) -> Position:
    """Epoch of the database and its last visible revision."""
    last = sa.select(sa.func.coalesce(sa.func.max(change.c.revision), 0)).scalar_subquery()
    row = connection.execute(sa.select(installation.c.epoch, last)).one()
    return Position(row[0], int(row[1]))


def begin_epoch(connection: sa.Connection) -> None:
    """Tell every process that what it knows of this database no longer holds."""
    connection.execute(installation.update().values(epoch=sa.func.gen_random_uuid()))
