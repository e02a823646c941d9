"""Legs in PostgreSQL that nobody tapped out of: how their ends were guessed, and guessed anew."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import Any

import sqlalchemy as sa

from mobility.db.fare_schema import fare_leg
from mobility.db.sent_rows import among
from mobility.db.usage import LEG_COLUMNS
from payments.taps import End
from payments.tariff import FareLeg


def list_unended(
    connection: sa.Connection,
    account_ids: Collection[uuid.UUID],
    since: dt.datetime,
    until: dt.datetime,
) -> list[tuple[uuid.UUID, FareLeg, FareLeg]]:
    """Legs that nobody tapped out of, with their accounts: as they are, and as long as lines."""
    c = fare_leg.c
    query = sa.select(
        c.account_id, c.line_metres, c.line_zones, *(c[n] for n in LEG_COLUMNS)
    ).where(
        among(c.account_id, account_ids),
        c.line_metres.is_not(None),
        c.board_at.between(since, until),
    )
    found = []
    for account_id, metres, zones, *own in connection.execute(query):
        leg = FareLeg(**dict(zip(LEG_COLUMNS, own, strict=True)))
        leg = replace(leg, zones=tuple(leg.zones))
        found.append((account_id, leg, replace(leg, metres=metres, zones=tuple(zones))))
    return found


def move_ends(connection: sa.Connection, legs: Sequence[tuple[uuid.UUID, FareLeg]]) -> None:
    """Let legs that nobody tapped out of end elsewhere: as usually, or with their line."""
    c = fare_leg.c
    for _, leg in legs:
        ends: dict[str, Any] = {"metres": leg.metres, "zones": list(leg.zones)}
        is_whole = sa.and_(c.line_metres == leg.metres, c.line_zones == list(leg.zones))
        ends["ended_by"] = sa.case((is_whole, End.LINE_MAXIMUM.value), else_=End.HABIT.value)
        connection.execute(fare_leg.update().where(c.id == leg.id).values(ends))


def list_guessed(
    connection: sa.Connection, account_id: uuid.UUID, since: dt.datetime, until: dt.datetime
) -> dict[str, End]:
    """How ends were guessed of an account's legs boarded from one time until before another."""
    c = fare_leg.c
    query = sa.select(c.id, c.ended_by).where(
        c.account_id == account_id,
        c.board_at >= since,
        c.board_at < until,
        c.ended_by.is_not(None),
    )
    return {leg_id: End(how) for leg_id, how in connection.execute(query)}


def count_guessed(
    connection: sa.Connection,
    account_ids: Collection[uuid.UUID],
    since: dt.datetime,
    until: dt.datetime,
) -> dict[uuid.UUID, dict[str, int]]:
    """Numbers of legs of accounts whose ends were guessed, by how; none for most accounts."""
    c = fare_leg.c
    query = (
        sa.select(c.account_id, c.ended_by, sa.func.count())
        .where(
            among(c.account_id, account_ids),
            c.board_at >= since,
            c.board_at < until,
            c.ended_by.is_not(None),
        )
        .group_by(c.account_id, c.ended_by)
        .order_by(c.account_id, c.ended_by)
    )
    found: dict[uuid.UUID, dict[str, int]] = {}
    for account_id, how, count in connection.execute(query):
        found.setdefault(account_id, {})[how] = count
    return found
