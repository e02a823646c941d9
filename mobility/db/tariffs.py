"""Versions of the tariff in PostgreSQL: as they were written, reviewed and published."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from core.errors import NotFound
from mobility.db.changes import record_change
from mobility.db.fare_schema import tariff_publication, tariff_version

TARIFF_CHANGED = "tariff"
_SUBJECT = uuid.uuid5(uuid.NAMESPACE_URL, "tariff")
"""The change feed wants a UUID; the territory has one tariff."""


class TariffUnknown(NotFound):
    """No version of the tariff has this hash."""

    code = "tariff_unknown"


@dataclass(frozen=True, slots=True)
class StoredTariff:
    """A version as it was written, identified by the hash of its content."""

    hash: str
    name: str
    source: str
    drafted_at: dt.datetime
    reviewed_at: dt.datetime | None
    findings: Sequence[Mapping[str, Any]]
    """What the linter had against it."""


@dataclass(frozen=True, slots=True)
class Publication:
    """That a version holds from a fare day on, until the next one does; None: since ever."""

    hash: str
    effective_from: dt.date | None
    published_at: dt.datetime


def add_draft(
    connection: sa.Connection, tariff_hash: str, name: str, source: str, now: dt.datetime
) -> bool:
    """Store a version; returns whether it was not there yet."""
    insert = pg.insert(tariff_version).values(
        hash=tariff_hash, name=name, source=source, drafted_at=now
    )
    made = insert.on_conflict_do_nothing().returning(tariff_version.c.hash)
    return connection.execute(made).first() is not None


def drop_draft(connection: sa.Connection, tariff_hash: str) -> None:
    """Forget a version that was not reviewed."""
    connection.execute(tariff_version.delete().where(tariff_version.c.hash == tariff_hash))


def find_version(connection: sa.Connection, prefix: str) -> StoredTariff:
    """
    Version whose hash begins with some digits.

    Raises
    ------
    TariffUnknown
        None does, or several.
    """
    query = _versions().where(tariff_version.c.hash.startswith(prefix, autoescape=True))
    found = connection.execute(query.limit(2)).all()
    if len(found) != 1 or not prefix:
        many = "several versions begin" if found else "no version of the tariff begins"
        raise TariffUnknown(f"{many} with {prefix!r}: mobility tariff versions lists them")
    return StoredTariff(*found[0])


def list_versions(connection: sa.Connection) -> list[StoredTariff]:
    """All versions, the newest first."""
    ordered = _versions().order_by(tariff_version.c.drafted_at.desc(), tariff_version.c.hash)
    return [StoredTariff(*row) for row in connection.execute(ordered)]


def mark_reviewed(
    connection: sa.Connection,
    tariff_hash: str,
    findings: Sequence[Mapping[str, Any]],
    now: dt.datetime,
) -> None:
    """Note that somebody has looked at a version, and what the linter had against it."""
    connection.execute(
        tariff_version.update()
        .where(tariff_version.c.hash == tariff_hash)
        .values(reviewed_at=now, findings=list(findings))
    )


def publish_version(
    connection: sa.Connection, tariff_hash: str, since: dt.date | None, now: dt.datetime
) -> int:
    """Let a version hold from a day on; returns the revision of the change."""
    connection.execute(
        tariff_publication.insert().values(
            hash=tariff_hash, effective_from=since, published_at=now
        )
    )  # fmt: skip
    return record_change(connection, TARIFF_CHANGED, _SUBJECT)


def withdraw_publication(connection: sa.Connection, of: Publication, now: dt.datetime) -> int:
    """Let what was published from a day on not hold; returns the revision of the change."""
    connection.execute(
        tariff_publication.update()
        .where(
            tariff_publication.c.effective_from == of.effective_from,
            tariff_publication.c.withdrawn_at.is_(None),
        )
        .values(withdrawn_at=now)
    )
    return record_change(connection, TARIFF_CHANGED, _SUBJECT)


def list_publications(connection: sa.Connection) -> list[Publication]:
    """What holds, in order of days."""
    columns = [tariff_publication.c[name] for name in Publication.__dataclass_fields__]
    query = (
        sa.select(*columns)
        .where(tariff_publication.c.withdrawn_at.is_(None))
        .order_by(tariff_publication.c.effective_from.asc().nulls_first())
    )
    return [Publication(*row) for row in connection.execute(query)]


def read_sources(connection: sa.Connection, hashes: Sequence[str]) -> dict[str, str]:
    """Versions as they were written."""
    query = sa.select(tariff_version.c.hash, tariff_version.c.source)
    found = connection.execute(query.where(tariff_version.c.hash.in_(hashes)))
    return {row.hash: row.source for row in found}


def _versions() -> sa.Select[Any]:
    return sa.select(*(tariff_version.c[name] for name in StoredTariff.__dataclass_fields__))
