"""Devices count what they tell: what has not come is known, and a month waits for it."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Collection, Sequence
from dataclasses import replace

from mobility.db.devices import Device, list_devices, save_told
from mobility.db.engine import Connection, Engine, again_after_deadlock
from mobility.db.held_usage import list_held
from payments.month import month_after
from payments.versions import Tariffs


@again_after_deadlock
def note_numbers(
    engine: Engine,
    owner_id: uuid.UUID,
    sources: Collection[str],
    numbers: Sequence[tuple[int, dt.datetime]],
    ahead: dt.timedelta | None = None,
) -> None:
    """Note numbers that a device has told, with the times of their events, and how it clocks."""
    with engine.begin() as connection:
        for own in list_devices(connection, owner_id, sources, held=True):
            told = own.told.with_events(numbers)
            ahead_s = own.clock_ahead_s if ahead is None else round(ahead.total_seconds())
            save_told(connection, replace(own, told=told, clock_ahead_s=ahead_s))


def devices_that_owe(connection: Connection, tariffs: Tariffs, month: dt.date) -> list[Device]:
    """Devices of which something of a month may be missing, or waits for somebody's decision."""
    since, until = tariffs.month_start(month), tariffs.month_start(month_after(month))
    held = {(batch.owner_id, batch.source) for batch in list_held(connection)}
    return [
        own
        for own in list_devices(connection)
        if (own.owner_id, own.source) in held or own.told.owes(since, until)
    ]
