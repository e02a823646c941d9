"""Which months of a rider are paid: what he has paid is for the oldest first."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping


def settled(due_cents: Mapping[dt.date, int], owed_cents: int) -> set[dt.date]:
    """
    Months of which nothing is owed any more.

    Parameters
    ----------
    due_cents
        What each month has come to, for the rider to pay.
    owed_cents
        What he owes of all of them together; below 0 if he has paid more.
    """
    found, later_cents = set(), 0
    for month in sorted(due_cents, reverse=True):
        if owed_cents <= later_cents or not due_cents[month]:
            found.add(month)
        later_cents += due_cents[month]
    return found
