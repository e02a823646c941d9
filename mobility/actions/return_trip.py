"""Whoever has booked his way there is shown how to look for his way back."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import NamedTuple
from zoneinfo import ZoneInfo

from carpool.bookings import Booking
from mobility.db.engagements import is_on_the_way
from mobility.db.engine import Connection
from mobility.db.journeys import JourneyEnds, read_journeys

HOME_FROM = dt.time(17)
"""When most go home, where the rider is there by then;"""
STAYS = dt.timedelta(hours=1)
"""else so long after he arrives."""


class Return(NamedTuple):
    """Where to look for a way back, and from when on."""

    ends: JourneyEnds
    at: dt.datetime


def offer_return(
    connection: Connection, journey: Sequence[Booking], zone: ZoneInfo
) -> Return | None:
    """
    The way back on the day of a journey that was booked.

    None where nothing is booked any more, the day is over by then, or its rider is on the way again
    later on that day.
    """
    last = journey[-1]
    ends = read_journeys(connection, [last.together_id]).get(last.together_id)
    if ends is None or not last.takes_seats:
        return None
    day = last.pickup_from.astimezone(zone).date()
    midnight = dt.datetime.combine(day + dt.timedelta(days=1), dt.time(), zone)
    at = max(last.dropoff_by + STAYS, dt.datetime.combine(day, HOME_FROM, zone))
    if at >= midnight or is_on_the_way(connection, last.rider_id, last.dropoff_by, midnight):
        return None
    return Return(JourneyEnds(ends.ends.end, ends.ends.start), at.astimezone(zone))
