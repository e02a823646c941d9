"""
Ids are types: a public, feed-scoped text is not a row of one snapshot's arrays.

Texts (`StopId`, `TripId`, …) are stored and sent. Indices (`StopIdx`, …) name a row of one
`Timetable`: they are never stored and never sent. Mixing the two is a type error.
"""

from __future__ import annotations

from typing import NewType

FeedId = NewType("FeedId", str)
StopId = NewType("StopId", str)
RouteId = NewType("RouteId", str)
TripId = NewType("TripId", str)
OfferId = NewType("OfferId", str)

StopIdx = NewType("StopIdx", int)
RouteIdx = NewType("RouteIdx", int)
TripIdx = NewType("TripIdx", int)


def scoped(feed: str, local_id: str) -> str:
    """Make a feed's own id unique among feeds: ``feed:id``."""
    return f"{feed}:{local_id}"
