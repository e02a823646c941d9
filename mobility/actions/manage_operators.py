"""An authority says which other operators are asked for offers, and told of bookings."""

from __future__ import annotations

import datetime as dt
import re

import httpx

from core.errors import InvalidInput
from mobility.db.audit import record_act
from mobility.db.engine import Engine
from mobility.db.operators import Operator, put_operator, stop_asking
from mobility.db.outside_offers import end_outside, list_known
from mobility.live import Wakeups

HOST = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*")
KEY_LENGTH = 1_000


def enter_operator(engine: Engine, given: Operator, key: str | None, *, now: dt.datetime) -> None:
    """
    Enter an operator, or put what is known of it anew; its offers are fetched at once.

    Raises
    ------
    InvalidInput, OwnerTaken
        A name, an address or a key that cannot be one; the program is of another operator.
    """
    if not HOST.fullmatch(given.operator):
        raise InvalidInput(f"{given.operator!r} is no host name such as covoiturage.example.org")
    for address in (given.url, given.events_url):
        if address is not None:
            _check_address(address)
    if key is not None and not (key.isascii() and key.isprintable() and 0 < len(key) <= KEY_LENGTH):
        raise InvalidInput("the key is none that goes into one line of a header")
    with engine.begin() as connection:
        put_operator(connection, given, key, now)
        detail = {"url": given.url, "events_url": given.events_url, "key": key is not None}
        record_act(connection, None, "operator_entered", given.operator, detail)


def remove_operator(engine: Engine, wakeups: Wakeups, operator: str, *, now: dt.datetime) -> int:
    """Neither ask nor tell an operator any more, and end its offers; returns how many these are."""
    with engine.begin() as connection:
        stop_asking(connection, operator)
        known = list_known(connection, operator)
        revisions = [end_outside(connection, operator, key, now) for key in known]
        record_act(connection, None, "operator_removed", operator, {"offers": len(known)})
    if revisions:
        wakeups.announce(max(revisions))
    return len(known)


def _check_address(address: str) -> None:
    try:
        url = httpx.URL(address)
    except (httpx.InvalidURL, TypeError) as error:
        raise InvalidInput(f"{address!r} is no address") from error
    if url.scheme not in ("http", "https") or not url.host or url.userinfo or url.query:
        raise InvalidInput(f"{address!r}: an http(s) address without user and query is expected")
