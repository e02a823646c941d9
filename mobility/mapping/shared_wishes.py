"""Ids of wishes as other operators see them: of the wish, and of its way on one date."""

from __future__ import annotations

import datetime as dt
import uuid

from carpool.wishes import Direction


def journey_id(wish_id: uuid.UUID, direction: Direction, date: dt.date) -> str:
    """Id of one way of a wish on a date."""
    return f"{wish_id}:{direction}:{date.isoformat()}"


def read_wish_id(text: str) -> uuid.UUID | None:
    """Wish of such an id, or of a passenger's."""
    try:
        return uuid.UUID(text.split(":", maxsplit=1)[0])
    except ValueError:
        return None


def passenger_alias(wish_id: uuid.UUID) -> str:
    """Name of whoever wishes, made for the wish: it tells nothing of the person."""
    return f"Passager {wish_id.hex[:4].upper()}"
