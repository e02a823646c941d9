"""Days as numbers, for arrays."""

from __future__ import annotations

import datetime as dt

_EPOCH = dt.date(1970, 1, 1)


def day_number(day: dt.date) -> int:
    """Days since 1970-01-01."""
    return (day - _EPOCH).days


def date_of_day_number(number: int) -> dt.date:
    """Undo `day_number`."""
    return _EPOCH + dt.timedelta(days=number)
