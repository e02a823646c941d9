"""Feeds whose service has ended or soon will: what the doctor shows and the worker logs."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

SOON_DAYS = 14
"""Time enough to ask a publisher for the next archive."""
ALARM_DAYS = 7
"""Riders plan a week ahead: from here on they find nothing where there is service."""


class Validity(StrEnum):
    """Where a day lies in a feed's service."""

    VALID = "valid"
    NOT_BEGUN = "not begun"
    SOON = "expires soon"
    ALARM = "expires within a week"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class FeedExpiry:
    """How long one feed of a snapshot still runs."""

    feed: str
    first_date: dt.date
    last_date: dt.date
    days_left: int
    """Days after today with service; 0 on the last one, negative when expired."""
    validity: Validity

    @property
    def needs_attention(self) -> bool:
        """Whether somebody should fetch a newer feed."""
        return self.validity not in (Validity.VALID, Validity.NOT_BEGUN)


def list_expiries(about: Mapping[str, Any], today: dt.date) -> list[FeedExpiry]:
    """Judge every feed of a snapshot's manifest by its days."""
    return [_expiry(feed, today) for feed in about["feeds"]]


def _expiry(feed: Mapping[str, Any], today: dt.date) -> FeedExpiry:
    first, last = (dt.date.fromisoformat(feed[key]) for key in ("valid_from", "valid_to"))
    days_left = (last - today).days
    if days_left < 0:
        validity = Validity.EXPIRED
    elif first > today:
        validity = Validity.NOT_BEGUN
    elif days_left < ALARM_DAYS:
        validity = Validity.ALARM
    elif days_left < SOON_DAYS:
        validity = Validity.SOON
    else:
        validity = Validity.VALID
    return FeedExpiry(feed["id"], first, last, days_left, validity)
