"""Requests that may arrive twice: the second is answered as the first was, and does nothing."""

from __future__ import annotations

import datetime as dt
import hashlib
import uuid
from typing import Any

import orjson
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from core.errors import InvalidInput
from mobility.db.engine import LATER
from mobility.db.schema import answered

KEPT = dt.timedelta(days=2)
"""A phone without network repeats a request for a day at most."""


class KeyReused(InvalidInput):
    """The same key came with another request."""

    code = "idempotency_key_reused"


def find_answer(
    connection: sa.Connection,
    user_id: uuid.UUID,
    key: str,
    asked: Any,  # noqa: ANN401 — any JSON
    now: dt.datetime,
) -> Any:  # noqa: ANN401 — any JSON
    """
    Answer that a request of this key was given, or None for the first, which then holds the key.

    Another request of the same key waits here until the first is committed or has failed.

    Raises
    ------
    KeyReused
        The key was used for something else.
    """
    forget_answers(connection, now)
    held = connection.execute(
        pg.insert(answered)
        .values(user_id=user_id, key=key, asked=_digest(asked), at=now)
        .on_conflict_do_nothing()
        .returning(answered.c.key)
    ).scalar()
    if held is not None:
        return None
    return find_kept(connection, user_id, key, asked)


def forget_answers(connection: sa.Connection, now: dt.datetime) -> int:
    """Drop answers for which nobody asks any more; returns how many."""
    return connection.execute(answered.delete().where(answered.c.at < now - KEPT)).rowcount


def find_kept(
    connection: sa.Connection,
    user_id: uuid.UUID,
    key: str,
    asked: Any,  # noqa: ANN401 — any JSON
) -> Any:  # noqa: ANN401 — any JSON
    """Answer of a request that is done with, without holding its key; raises `KeyReused`."""
    row = connection.execute(
        sa.select(answered.c.asked, answered.c.answer).where(
            answered.c.user_id == user_id, answered.c.key == key
        )
    ).one_or_none()
    if row is None:
        return None
    if row.asked != _digest(asked):
        raise KeyReused("this Idempotency-Key came with another request before: take a new one")
    return row.answer


def _digest(asked: Any) -> bytes:  # noqa: ANN401 — any JSON
    return hashlib.sha256(orjson.dumps(asked, option=orjson.OPT_SORT_KEYS)).digest()


def keep_answer(connection: sa.Connection, user_id: uuid.UUID, key: str, answer: Any) -> None:  # noqa: ANN401 — any JSON
    """Keep what the holder of a key is answered, in the same transaction as what it did."""
    connection.execute(
        answered.update()
        .where(answered.c.user_id == user_id, answered.c.key == key)
        .values(answer=answer),
        execution_options=LATER,
    )
