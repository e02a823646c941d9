"""Who rode with whom, whence, whither and when is forgotten when it is whose leg it was."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from functools import partial

from carpool.retention import cut
from mobility.actions.forget_usage import RIDERS_KEPT
from mobility.db.chances import forget_seats
from mobility.db.engine import Connection, Engine, again_after_deadlock
from mobility.db.idempotency import forget_answers
from mobility.db.past_offers import end_offers, forget_answered, forget_offers, forget_wishes
from mobility.db.past_rides import (
    forget_bookings,
    forget_notices,
    forget_outside,
    forget_series,
    forget_unbooked,
    is_own_turn,
)

AT_ONCE = 200
"""Rows that one transaction takes up: whoever needs one of them does not wait for all."""
BATCHES = 20
"""Transactions of one kind in a row: what is left waits, as the upkeep has other things to do."""
ENDED_FIRST = dt.timedelta(days=1)
"""So long an offer that is over has ended before it goes: no process searches it any more."""


def forget_rides(engine: Engine, now: dt.datetime) -> int:
    """
    Forget what is due of carpool; returns how many rows of all kinds it was.

    Any process may do this, one at a time; one that dies leaves whole batches done.
    """
    past = cut(now, RIDERS_KEPT)
    batches: list[Callable[[Connection], int]] = [
        partial(forget_series, before=past.first_date, most=AT_ONCE),
        partial(forget_bookings, past=past, most=AT_ONCE),
        partial(forget_unbooked, before=past.last_date, most=AT_ONCE),
        partial(forget_outside, before=past.at, most=AT_ONCE),
        partial(forget_notices, before=past.at, most=AT_ONCE),
        partial(forget_answered, before=past.at, most=AT_ONCE),
        partial(forget_wishes, last_date=past.last_date, before=past.at, most=AT_ONCE),
        partial(end_offers, last_date=past.last_date, most=AT_ONCE),
        partial(
            forget_offers, last_date=past.last_date, before=past.at, most=AT_ONCE,
            known_since=now - ENDED_FIRST,
        ),
    ]  # fmt: skip
    whole: list[Callable[[Connection], int]] = [
        partial(forget_seats, now=now),
        partial(forget_answers, now=now),
    ]
    count = sum(_forget_batch(engine, forget) for forget in whole)
    for forget in batches:
        for _ in range(BATCHES):
            done = _forget_batch(engine, forget)
            count += done
            if not done:
                break
    return count


@again_after_deadlock
def _forget_batch(engine: Engine, forget: Callable[[Connection], int]) -> int:
    with engine.begin() as connection:
        return forget(connection) if is_own_turn(connection) else 0
