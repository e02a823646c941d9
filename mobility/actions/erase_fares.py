"""A rider has it forgotten what he used; what he owes, or has paid, stays as amounts."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Sequence

from mobility.actions.forget_usage import RIDERS_KEPT
from mobility.db.chosen_itineraries import erase_chosen
from mobility.db.engine import Connection, Engine
from mobility.db.fare_data import accounts_to_erase, ask_erasure, erase_rider, open_months
from mobility.db.media import list_media, unlink_medium
from mobility.db.paying_riders import end_paying
from mobility.db.usage import find_account, hold_accounts
from payments.month import month_after
from payments.tariff import ONE_DAY


def ask_for_erasure(
    connection: Connection, person_id: uuid.UUID, now: dt.datetime
) -> Sequence[dt.date]:
    """
    Part a person from his cards and what he chose, and from all else once his months are issued.

    Returns the months for which that has to wait; none: it is done.
    """
    account_id = find_account(connection, person_id)
    if account_id is None:
        return []
    hold_accounts(connection, [account_id])
    for card in list_media(connection, person_id):
        unlink_medium(connection, card.digest, person_id, now)
    erase_chosen(connection, account_id)
    ask_erasure(connection, account_id, now)
    return _erase(connection, account_id, person_id, now)


def erase_fares(engine: Engine, now: dt.datetime) -> int:
    """Erase those who wait for it and need no longer; returns how many."""
    with engine.begin() as connection:
        asked = accounts_to_erase(connection)
        return sum(not _erase(connection, *own, now) for own in asked)


def _erase(
    connection: Connection, account_id: uuid.UUID, person_id: uuid.UUID, now: dt.datetime
) -> list[dt.date]:
    # Of older months it is forgotten by now whose they were, and nobody can close them.
    since = month_after(month_after((now - RIDERS_KEPT).date().replace(day=1)))
    waiting = open_months(connection, account_id, since)
    if not waiting:
        for card in list_media(connection, person_id):
            unlink_medium(connection, card.digest, person_id, now)
        erase_chosen(connection, account_id)
        end_paying(connection, now.date() - ONE_DAY, account_id=account_id)
        erase_rider(connection, account_id, person_id)
    return waiting
