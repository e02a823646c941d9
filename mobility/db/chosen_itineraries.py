"""Itineraries that riders say they take, in PostgreSQL."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Collection
from dataclasses import asdict
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from core.errors import Conflict, NotFound
from mobility.db.fare_schema import chosen_itinerary
from payments.chosen import ChosenItinerary, ChosenLeg

KEPT_LIMIT = 100
"""Of one account, also those that it has taken back: nobody travels so often in a month."""


class ChosenItineraryNotFound(NotFound):
    """Not an itinerary that whoever asks has chosen."""

    code = "chosen_itinerary_not_found"


class TooManyChosen(Conflict):
    """More itineraries than anybody takes."""

    code = "too_many_chosen"


def add_chosen(
    connection: sa.Connection,
    account_id: uuid.UUID,
    legs: tuple[ChosenLeg, ...],
    now: dt.datetime,
) -> ChosenItinerary:
    """
    Note that an account's person takes an itinerary; said again, it stays as it was noted first.

    Raises
    ------
    TooManyChosen
        `KEPT_LIMIT` of it are kept.
    """
    kept = list_chosen(connection, [account_id]).get(account_id, [])
    for own in kept:
        if own.legs == legs and own.dropped_at is None:
            return own
    if len(kept) >= KEPT_LIMIT:
        raise TooManyChosen(f"{KEPT_LIMIT} of your itineraries are kept: until two days after them")
    chosen = ChosenItinerary(uuid.uuid4(), legs, now)
    connection.execute(
        chosen_itinerary.insert().values(
            id=chosen.id, account_id=account_id, noted_at=now,
            legs=[asdict(leg) | {"board_at": leg.board_at.isoformat()} for leg in legs],
            last_at=max(leg.board_at for leg in legs),
        )
    )  # fmt: skip
    return chosen


def list_chosen(
    connection: sa.Connection, account_ids: Collection[uuid.UUID]
) -> dict[uuid.UUID, list[ChosenItinerary]]:
    """What some accounts have chosen, the last first, also what they have taken back."""
    found: dict[uuid.UUID, list[ChosenItinerary]] = {}
    for account_id, id_, legs, *times in connection.execute(_OF, {"of": list(account_ids)}):
        own = ChosenItinerary(id_, tuple(map(_leg, legs)), *times)
        found.setdefault(account_id, []).append(own)
    return found


_OF = (
    sa.select(
        *(chosen_itinerary.c[n] for n in ("account_id", "id", "legs", "noted_at", "dropped_at"))
    )
    .where(chosen_itinerary.c.account_id == sa.any_(sa.bindparam("of", type_=pg.ARRAY(sa.Uuid))))
    .order_by(chosen_itinerary.c.noted_at.desc(), chosen_itinerary.c.id)
)
"""Written once: each batch of taps asks it."""


def drop_chosen(
    connection: sa.Connection, account_id: uuid.UUID | None, chosen_id: uuid.UUID, now: dt.datetime
) -> None:
    """
    Note that an account's person no longer takes an itinerary.

    It is kept as long as others: taps from before may still come.

    Raises
    ------
    ChosenItineraryNotFound
        It is not his, or taken back already.
    """
    c = chosen_itinerary.c
    own = c.id == chosen_id, c.account_id == account_id, c.dropped_at.is_(None)
    dropped = connection.execute(chosen_itinerary.update().where(*own).values(dropped_at=now))
    if dropped.rowcount == 0:
        raise ChosenItineraryNotFound("you have chosen no such itinerary")


def forget_chosen(connection: sa.Connection, before: dt.datetime) -> int:
    """Forget itineraries of which the last leg left before a time; returns how many."""
    gone = chosen_itinerary.delete().where(chosen_itinerary.c.last_at < before)
    return connection.execute(gone).rowcount


def erase_chosen(connection: sa.Connection, account_id: uuid.UUID) -> None:
    """Forget all that an account's person has chosen."""
    connection.execute(chosen_itinerary.delete().where(chosen_itinerary.c.account_id == account_id))


def _leg(kept: dict[str, Any]) -> ChosenLeg:
    return ChosenLeg(**kept | {"board_at": dt.datetime.fromisoformat(kept["board_at"])})
