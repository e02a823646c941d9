"""
Service days: which service runs on which day, exceptions included.

Source: GTFS Schedule reference, calendar.txt and calendar_dates.txt.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from gtfs_data.checks import Findings
from gtfs_data.reader import WEEKDAYS, Feed

_THURSDAY = 3  # 1970-01-01
ADDED, REMOVED = 1, 2
FIRST_DAY, LAST_DAY = 0, 47_846
"""1970 to 2100: dates outside are typing errors, and would only cost memory."""


@dataclass(frozen=True, slots=True)
class Calendar:
    """On which days each service of one feed runs."""

    service_ids: list[str]
    first_day: int
    """Day number of column 0 of `runs`."""
    runs: npt.NDArray[np.uint8]
    """Shape (service_count, day_count): 1 where the service runs."""


def read_calendar(feed: Feed, findings: Findings) -> Calendar:
    """Merge weekly calendars and dated exceptions of a feed."""
    weekly, dated = feed.table("calendar"), feed.table("calendar_dates")
    wrong = weekly[weekly["end_date"] < weekly["start_date"]]
    for row in wrong["row"]:
        findings.error("calendar_ends_first", "calendar.txt", int(row), "end before start")
    weekly = weekly[weekly["end_date"] >= weekly["start_date"]]
    reason = {name: weekly[name].clip(FIRST_DAY, LAST_DAY) for name in ("start_date", "end_date")}
    weekly = weekly.assign(**reason)
    dated = _within_reason(dated, findings)
    service_ids = list(dict.fromkeys([*weekly["service_id"], *dated["service_id"]]))
    firsts = [*weekly["start_date"], *dated["date"]]
    lasts = [*weekly["end_date"], *dated["date"]]
    if not firsts:
        findings.error("no_service", "calendar.txt", None, "no service runs on any day")
        return Calendar(service_ids, 0, np.zeros((len(service_ids), 0), np.uint8))
    first, last = int(min(firsts)), int(max(lasts))
    row_of = {service: i for i, service in enumerate(service_ids)}
    runs = np.zeros((len(service_ids), last - first + 1), np.uint8)
    weekday = (np.arange(first, last + 1) + _THURSDAY) % 7
    for week in weekly.to_dict("records"):
        on = np.array([week[name] == 1 for name in WEEKDAYS])[weekday]
        days = np.arange(first, last + 1)
        on &= (days >= week["start_date"]) & (days <= week["end_date"])
        runs[row_of[week["service_id"]]] |= on
    for exception in dated.to_dict("records"):
        day = exception["date"] - first
        if exception["exception_type"] not in (ADDED, REMOVED):
            kind = f"exception_type {exception['exception_type']} is neither 1 nor 2"
            findings.error("exception_type", "calendar_dates.txt", exception["row"], kind)
        elif day < runs.shape[1]:
            added = exception["exception_type"] == ADDED
            runs[row_of[exception["service_id"]], day] = 1 if added else 0
    return Calendar(service_ids, first, runs)


def _within_reason(dated: pd.DataFrame, findings: Findings) -> pd.DataFrame:
    """Exceptions between 1970 and 2100; a finding for each of the others."""
    good = dated["date"].between(FIRST_DAY, LAST_DAY)
    for row in dated["row"][~good]:
        message = "date before 1970 or after 2100"
        findings.error("date_out_of_range", "calendar_dates.txt", int(row), message)
    return dated[good]
