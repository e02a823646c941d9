"""Starts and ends of rides in PostgreSQL, as long as it is kept who was where."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Sequence

import sqlalchemy as sa

from mobility.db.fare_schema import ride_half
from mobility.db.sent_rows import among
from payments.ride_halves import Half, RideHalf, RideHalves

RIDES_LOCK = 7_305_008
"""First key of the advisory locks of rides; the second is the first byte of a ride's id."""
COLUMNS = tuple(RideHalf.__dataclass_fields__)


def hold_rides(connection: sa.Connection, rides: Collection[str]) -> dict[str, RideHalves]:
    """
    What is known of rides; nobody else adds to them until the transaction ends.

    Both halves of a ride may come at the same time: whoever is the second sees the first.
    """
    # A lock for each of 256 parts: those of each ride of many batches do not fit into the server.
    for part in sorted({int(ride[:2], 16) for ride in rides}):
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(RIDES_LOCK, part)))
    found = {ride: RideHalves() for ride in rides}
    query = sa.select(*(ride_half.c[name] for name in COLUMNS)).where(
        among(ride_half.c.ride, rides)
    )
    for row in connection.execute(query).mappings():
        half = RideHalf(**dict(row) | {"half": Half(row["half"]), "zones": tuple(row["zones"])})
        found[half.ride] = found[half.ride].with_half(half)
    return found


def add_halves(connection: sa.Connection, halves: Sequence[RideHalf], now: dt.datetime) -> None:
    """Store halves that are not known yet, of rides that are held."""
    if halves:
        rows = [
            {name: getattr(half, name) for name in COLUMNS} | {"received_at": now}
            for half in halves
        ]
        connection.execute(ride_half.insert(), rows)


def forget_halves(connection: sa.Connection, before: dt.datetime) -> int:
    """Drop halves received before a time, also those that wait for the other; returns how many."""
    return connection.execute(ride_half.delete().where(ride_half.c.received_at < before)).rowcount
