"""
Guard against publishing a timetable that lost its service: a feed cut short, or half empty.

The manifest of a snapshot says how many trips each feed runs on each day; a new one is compared
with the one that is served.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any, TypedDict

import numpy as np

from core.errors import Conflict
from gtfs_data.days import date_of_day_number
from gtfs_data.service import trips_per_day
from gtfs_data.timetable import Timetable

LEAST_SHARE = 0.5
"""Of the trips that were served; below, somebody should look first."""
AHEAD_DAYS = 14


class ServiceDropped(Conflict):
    """A new snapshot would serve far less than the current one."""

    code = "service_dropped"


class FeedService(TypedDict):
    """When a feed runs, as it stands in manifests and reports."""

    since: str | None
    """First day with a trip, ISO 8601."""
    trips: list[int]
    """Trips of each day, from the first to the last one that has any."""


def service_of_feeds(timetable: Timetable) -> list[FeedService]:
    """When each feed runs."""
    told: list[FeedService] = []
    for trips in trips_per_day(timetable):
        days = np.flatnonzero(trips)
        if len(days) == 0:
            told.append({"since": None, "trips": []})
            continue
        first = date_of_day_number(int(timetable.service_first_day[0]) + int(days[0]))
        told.append({"since": first.isoformat(), "trips": trips[days[0] : days[-1] + 1].tolist()})
    return told


def check_service(old: Mapping[str, Any], new: Mapping[str, Any], today: dt.date) -> None:
    """Compare two manifests; raises `ServiceDropped` with everything that got too little."""
    drops = list_drops(old, new, today)
    if drops:
        raise ServiceDropped(
            f"not published, {'; '.join(drops)}. The current snapshot goes on. Look at the feeds "
            "(mobility check), or publish it all the same: mobility build --allow-drop"
        )


def list_drops(old: Mapping[str, Any], new: Mapping[str, Any], today: dt.date) -> list[str]:
    """Name the feeds that would run less than `LEAST_SHARE` of what they run now."""
    after = {feed["id"]: feed for feed in new["feeds"]}
    drops = []
    for feed in old["feeds"]:
        name = feed["id"]
        if name not in after:
            drops.append(f"feed {name} is gone")
            continue
        was, now = feed["service"], after[name]["service"]
        busiest_was, busiest_now = (max(s["trips"], default=0) for s in (was, now))
        ahead_was, ahead_now = (_trips_ahead(s, today) for s in (was, now))
        if busiest_now < LEAST_SHARE * busiest_was:
            drops.append(
                f"feed {name}: {busiest_now:,} trips on its busiest day, {busiest_was:,} so far"
            )
        elif ahead_now < LEAST_SHARE * ahead_was:
            drops.append(
                f"feed {name}: {ahead_now:,} trips in the next {AHEAD_DAYS} days, "
                f"{ahead_was:,} so far"
            )
    return drops


def _trips_ahead(service: FeedService, today: dt.date) -> int:
    if service["since"] is None:
        return 0
    skipped = (today - dt.date.fromisoformat(service["since"])).days
    return sum(service["trips"][max(skipped, 0) : max(skipped + AHEAD_DAYS, 0)])
