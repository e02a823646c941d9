"""Devices in PostgreSQL: their keys, and how far each has counted."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from core.errors import NotFound
from mobility.db.fare_schema import device
from payments.devices import Gap, Told


class DeviceUnknown(NotFound):
    """Not a device of whoever asks."""

    code = "device_unknown"


@dataclass(frozen=True, slots=True)
class Device:
    """A device of an operator."""

    owner_id: uuid.UUID
    source: str
    """By which its events are known."""
    public_key: Mapping[str, str]
    registered_at: dt.datetime
    told: Told
    clock_ahead_s: int | None
    """What its clock was last ahead by; None: it never told."""


def put_device(
    connection: sa.Connection,
    owner_id: uuid.UUID,
    source: str,
    key: Mapping[str, str],
    now: dt.datetime,
) -> None:
    """Register a device, or give it another key; what it has counted stays."""
    insert = pg.insert(device).values(
        owner_id=owner_id, source=source, public_key=dict(key), registered_at=now
    )
    connection.execute(
        insert.on_conflict_do_update(
            index_elements=["owner_id", "source"], set_={"public_key": dict(key)}
        )
    )


def drop_device(connection: sa.Connection, owner_id: uuid.UUID, source: str) -> None:
    """
    Forget a device: nothing is waited for any more, and nothing taken from it without a key.

    Raises
    ------
    DeviceUnknown
        There is none.
    """
    own = (device.c.owner_id == owner_id) & (device.c.source == source)
    gone = connection.execute(device.delete().where(own).returning(device.c.source))
    if gone.first() is None:
        raise DeviceUnknown(f"you have no device {source!r}")


def list_devices(
    connection: sa.Connection,
    owner_id: uuid.UUID | None = None,
    sources: Collection[str] | None = None,
    *,
    held: bool = False,
) -> list[Device]:
    """Devices of an operator or of all, by source; `held` until the transaction ends."""
    query = sa.select(device).order_by(device.c.owner_id, device.c.source)
    if owner_id is not None:
        query = query.where(device.c.owner_id == owner_id)
    if sources is not None:
        query = query.where(device.c.source.in_(sources))
    if held:
        query = query.with_for_update()
    return [_device(row) for row in connection.execute(query)]


def save_told(connection: sa.Connection, own: Device) -> None:
    """Store how far a device has counted, and how its clock goes."""
    connection.execute(
        device.update()
        .where(device.c.owner_id == own.owner_id, device.c.source == own.source)
        .values(
            next_number=own.told.next_number, last_at=own.told.last_at,
            clock_ahead_s=own.clock_ahead_s,
            gaps=[
                [gap.first, gap.last, gap.after_at and gap.after_at.isoformat(),
                 gap.before_at.isoformat()]
                for gap in own.told.gaps
            ],
        )
    )  # fmt: skip


def _device(row: Any) -> Device:  # noqa: ANN401 — a row
    gaps = tuple(
        Gap(first, last, after and dt.datetime.fromisoformat(after),
            dt.datetime.fromisoformat(before))
        for first, last, after, before in row.gaps
    )  # fmt: skip
    told = Told(row.next_number, row.last_at, gaps)
    key = row.public_key
    return Device(row.owner_id, row.source, key, row.registered_at, told, row.clock_ahead_s)
