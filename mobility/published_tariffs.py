"""The tariff that holds: versions that were published, or else the file of the territory."""

from __future__ import annotations

import datetime as dt
from functools import lru_cache

from mobility.db.engine import Connection
from mobility.db.tariffs import list_publications, read_sources
from mobility.world import Snapshot
from payments.tariff import Tariff
from payments.tariff_file import read_tariff_text
from payments.versions import Tariffs

VERSIONS_KEPT = 64
_parsed = lru_cache(VERSIONS_KEPT)(read_tariff_text)
"""Versions as they were written are not read twice."""


def read_tariffs(connection: Connection, of_territory: Tariff | None) -> Tariffs | None:
    """
    Versions that hold, by day.

    Parameters
    ----------
    of_territory
        Tariff of the snapshot: it holds as long as nothing was published.
    """
    publications = list_publications(connection)
    if not publications:
        return None if of_territory is None else Tariffs((of_territory,))
    sources = read_sources(connection, [own.hash for own in publications])
    return Tariffs.from_days(
        (_parsed(sources[own.hash]), own.effective_from) for own in publications
    )


def territory_tariff(snapshot: Snapshot) -> tuple[Tariff, str] | None:
    """Tariff of the territory's file, and its text."""
    if snapshot.tariff is None:
        return None
    return snapshot.tariff, (snapshot.folder / "tariff.yaml").read_text(encoding="utf-8")


def source_on(connection: Connection, snapshot: Snapshot, fare_day: dt.date) -> str | None:
    """The version that holds on a day, as it was written."""
    published = [
        own for own in list_publications(connection) if (own.effective_from or fare_day) <= fare_day
    ]
    if published:
        return read_sources(connection, [published[-1].hash])[published[-1].hash]
    known = territory_tariff(snapshot)
    return None if known is None else known[1]
