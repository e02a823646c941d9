"""Trips per day as few columns as a picture has: for the terminal and for a page."""

from __future__ import annotations

import datetime as dt
import math
from statistics import fmean
from typing import NamedTuple

from mobility.service_drop import FeedService

BLOCKS = "▁▂▃▄▅▆▇█"


class Column(NamedTuple):
    """Some days in a row, and how many trips run on each of them on average."""

    first: dt.date
    last: dt.date
    trips: float


def columns_of(service: FeedService, limit: int) -> list[Column]:
    """At most `limit` columns of as many whole days each; of whole weeks from seven days on."""
    if service["since"] is None:
        return []
    trips, since = service["trips"], dt.date.fromisoformat(service["since"])
    days = -(-len(trips) // limit)
    if days > 1:
        days = -(-days // 7) * 7
    return [
        Column(
            since + dt.timedelta(days=i),
            since + dt.timedelta(days=min(i + days, len(trips)) - 1),
            fmean(trips[i : i + days]),
        )
        for i in range(0, len(trips), days)
    ]


def sparkline(columns: list[Column]) -> str:
    """One character a column; blank where nothing runs."""
    most = max((column.trips for column in columns), default=0.0)
    return "".join(
        BLOCKS[math.ceil(column.trips / most * len(BLOCKS)) - 1] if column.trips else " "
        for column in columns
    )
