"""
How long it is kept who rode with whom, from where to where and when.

Everything counts from the ride itself, not from when it was booked, called off or rated. Whatever
somebody can still act on is kept, however old it is: a seat that nobody has given back or ridden,
a complaint that nobody has looked at.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from carpool.bookings import COMPLAINT, SEATED, BookingState
from carpool.ratings import BLIND
from carpool.series import DAYS_LIMIT

ONE_DAY = dt.timedelta(days=1)
UNFINISHED = SEATED | {BookingState.DISPUTED}
"""Bookings that are kept however old they are, until they are in another state."""
ANSWER_KEPT = dt.timedelta(days=7)
"""After a complaint was looked at: its two people read what came of it before its booking goes."""
LONGEST_DRIVE = 2 * ONE_DAY
"""A drive of one date may leave the next day, and is over a day later on any clock."""
NEEDED = dt.timedelta(days=DAYS_LIMIT) + max(COMPLAINT, BLIND) + LONGEST_DRIVE
"""From the first date of the longest series until nobody can rate or complain of its last."""


@dataclass(frozen=True, slots=True)
class Cut:
    """What lies before these is forgotten, unless somebody can still act on it."""

    at: dt.datetime
    """Pick-ups, and whatever people were told."""
    resolved_at: dt.datetime
    """When a complaint was looked at, of bookings whose pick-up was before."""
    first_date: dt.date
    """
    First dates of series: the times of a series tell when its rider was in a car on its first date,
    so it is forgotten as a whole before any ride of it is, up to two days sooner.
    """
    last_date: dt.date
    """Dates of rides that nobody has booked, last dates of offers and wishes."""


def cut(now: dt.datetime, kept: dt.timedelta) -> Cut:
    """What is forgotten by now of all that is kept for some time after the ride."""
    assert kept > NEEDED
    at = now - kept
    first_date, last_date = (at + LONGEST_DRIVE).date(), (at - LONGEST_DRIVE).date()
    return Cut(at, now - ANSWER_KEPT, first_date, last_date)
