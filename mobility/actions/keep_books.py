"""Each night the ledger is recounted, and the days that are over are closed, hash on hash."""

from __future__ import annotations

import datetime as dt

import structlog

from mobility.db.engine import Engine
from mobility.db.ledger import close_days, has_open_days, recount
from mobility.metrics import LEDGER_WRONG

log = structlog.get_logger()
AFTER_MIDNIGHT = dt.timedelta(hours=1)
"""Whoever began to post on a day has ended by then."""


def keep_books(engine: Engine, now: dt.datetime) -> int:
    """
    Recount the ledger if days with postings are over, and close them; returns how many.

    While some balance is not what its postings add up to, that is told, and no day is closed.
    """
    before = (now - AFTER_MIDNIGHT).date()
    with engine.connect() as connection:
        # One view of all of it, whatever is posted meanwhile.
        connection.execution_options(isolation_level="REPEATABLE READ")
        if not has_open_days(connection, before):
            return 0
        wrong = recount(connection)
    LEDGER_WRONG.set(len(wrong))
    for (account, currency), (kept, counted) in wrong.items():
        log.error(
            "ledger balance is not that of its postings", account=account, currency=currency,
            kept_cents=kept.net_cents, counted_cents=counted.net_cents,
        )  # fmt: skip
    if wrong:
        return 0
    with engine.begin() as connection:
        return len(close_days(connection, before))
