"""
Where a stay ended that nobody tapped out of, from what its rider usually does.

Places are forgotten in two days; what is left of a leg (line, length, zones, time) is enough to see
a habit. It never makes a leg longer than its line goes on, nor begin in another zone.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from zoneinfo import ZoneInfo

from payments.tariff import FareLeg

REACH = dt.timedelta(days=35)
"""How far back habits are looked for."""
NEAR_S = 3_600
"""Times of day so near to one another are alike."""
REPEATS = 3
"""As often it has to have been done."""


def usual_leg(unended: FareLeg, others: Iterable[FareLeg], zone: ZoneInfo) -> FareLeg:
    """
    Make of a leg without an end what its rider has done most often at that time of that weekday.

    Of ends as frequent the nearest is taken; without a habit the leg stays as long as its line.

    Parameters
    ----------
    others
        Legs of the same rider.
    """
    weekday, clock_s = _clock(unended, zone)
    ends: Counter[tuple[int, tuple[str, ...]]] = Counter()
    for leg in others:
        is_before = unended.board_at - REACH <= leg.board_at < unended.board_at
        alike = (leg.mode, leg.operator, leg.route) == (
            unended.mode, unended.operator, unended.route,
        )  # fmt: skip
        fits = leg.metres <= unended.metres and leg.zones[:1] == unended.zones[:1]
        if not (leg.seconds and is_before and alike and fits):
            continue
        day, at_s = _clock(leg, zone)
        if day == weekday and abs(at_s - clock_s) <= NEAR_S:
            ends[leg.metres, leg.zones] += 1
    often = max(ends.values(), default=0)
    if often < REPEATS:
        return unended
    metres, zones = min(end for end, count in ends.items() if count == often)
    return replace(unended, metres=metres, zones=zones)


def _clock(leg: FareLeg, zone: ZoneInfo) -> tuple[int, int]:
    local = leg.board_at.astimezone(zone)
    return local.weekday(), local.hour * 3600 + local.minute * 60 + local.second
