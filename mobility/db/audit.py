"""The audit log: privileged acts, kept by rights and trigger; on one connection."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from mobility.db.schema import audit


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One privileged act."""

    id: int
    at: dt.datetime
    actor_id: uuid.UUID | None
    """User who did it; None for whoever has the machine's command line."""
    act: str
    subject: str
    detail: Mapping[str, Any]


def record_act(
    connection: sa.Connection,
    actor_id: uuid.UUID | None,
    act: str,
    subject: str,
    detail: Mapping[str, Any],
) -> None:
    """Add an act to the running transaction: it is there if what was done is."""
    connection.execute(
        audit.insert().values(
            at=dt.datetime.now(dt.UTC), actor_id=actor_id, act=act, subject=subject, detail=detail
        )
    )


def list_acts(connection: sa.Connection, before_id: int | None, count: int) -> list[AuditEntry]:
    """List acts, the newest first, from before an id on."""
    query = sa.select(audit).order_by(audit.c.id.desc()).limit(count)
    if before_id is not None:
        query = query.where(audit.c.id < before_id)
    return [AuditEntry(**row) for row in connection.execute(query).mappings()]
