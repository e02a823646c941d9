"""The tariff that holds: versions that were published, or else the file of the territory."""

from __future__ import annotations

import datetime as dt

from mobility.db.engine import Connection
from mobility.db.tariffs import list_publications, read_sources
from mobility.world import Snapshot
from payments.tariff import Tariff
from payments.tariff_file import read_tariff_text
from payments.versions import Tariffs


def read_tariffs(
    connection: Connection, of_territory: Tariff | None, before: Tariffs | None = None
) -> Tariffs | None:
    """
    Versions that hold, by day.

    Parameters
    ----------
    of_territory
        Tariff of the snapshot: it holds as long as nothing was published.
    before
        What held when it was read last: a version in it is not parsed again.
    """
    publications = list_publications(connection)
    if not publications:
        return None if of_territory is None else Tariffs((of_territory,))
    known = {} if before is None else {own.content_hash: own for own in before.versions}
    missing = [own.hash for own in publications if own.hash not in known]
    for tariff_hash, source in read_sources(connection, missing).items():
        known[tariff_hash] = read_tariff_text(source)
    return Tariffs.from_days((known[own.hash], own.effective_from) for own in publications)


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
