"""Weekly calendars and dated exceptions: which service runs on which day."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import pytest

from gtfs_data.calendar import Calendar, read_calendar
from gtfs_data.checks import Findings, Severity
from gtfs_data.days import date_of_day_number, day_number
from tests.gtfs_data.small_feeds import Table, small_feed, told

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.unit
WEEK = "service_id,monday,tuesday,wednesday,thursday,friday,saturday,sunday,start_date,end_date\n"
DATES = "service_id,date,exception_type\n"


def calendar(
    folder: Path, *, weekly: Table = None, dated: Table = None
) -> tuple[Calendar, Findings]:
    findings = Findings()
    feed = small_feed(folder, calendar=weekly, calendar_dates=dated)
    return read_calendar(feed, findings), findings


def days_of(calendar: Calendar, service: str) -> list[str]:
    runs = calendar.runs[calendar.service_ids.index(service)]
    return [str(date_of_day_number(calendar.first_day + i)) for i, on in enumerate(runs) if on]


def test_day_numbers_count_from_1970() -> None:
    assert day_number(dt.date(1970, 1, 1)) == 0
    assert day_number(dt.date(1971, 1, 2)) == 366
    assert date_of_day_number(day_number(dt.date(2028, 2, 29))) == dt.date(2028, 2, 29)


def test_service_runs_on_its_weekdays_from_first_to_last_day(tmp_path: Path) -> None:
    # 2026-11-23 is a Monday; the service starts on a Tuesday and ends on the Monday after.
    weekly = f"{WEEK}C,1,0,0,0,1,0,0,20261124,20261130\n"
    found, findings = calendar(tmp_path, weekly=weekly.encode())
    assert days_of(found, "C") == ["2026-11-27", "2026-11-30"]
    assert told(findings) == []


def test_exceptions_add_and_remove_days(tmp_path: Path) -> None:
    weekly = f"{WEEK}C,1,1,1,1,1,0,0,20261123,20261127\n"
    dated = f"{DATES}C,20261125,2\nC,20261128,1\n"
    found, _ = calendar(tmp_path, weekly=weekly.encode(), dated=dated.encode())
    expected = ["2026-11-23", "2026-11-24", "2026-11-26", "2026-11-27", "2026-11-28"]
    assert days_of(found, "C") == expected


def test_exception_may_lie_outside_the_weekly_span(tmp_path: Path) -> None:
    weekly = f"{WEEK}C,1,1,1,1,1,1,1,20261123,20261123\n"
    dated = f"{DATES}C,20261120,1\nC,20261201,1\n"
    found, _ = calendar(tmp_path, weekly=weekly.encode(), dated=dated.encode())
    assert days_of(found, "C") == ["2026-11-20", "2026-11-23", "2026-12-01"]


def test_feed_may_have_dated_services_only(tmp_path: Path) -> None:
    dated = f"{DATES}A,20261123,1\nB,20261125,1\nB,20261124,2\n"
    found, findings = calendar(tmp_path, dated=dated.encode())
    assert (days_of(found, "A"), days_of(found, "B")) == (["2026-11-23"], ["2026-11-25"])
    assert told(findings) == []


def test_two_weekly_rows_of_one_service_are_both_honoured(tmp_path: Path) -> None:
    weekly = f"{WEEK}C,1,0,0,0,0,0,0,20261123,20261123\nC,0,1,0,0,0,0,0,20261123,20261130\n"
    found, _ = calendar(tmp_path, weekly=weekly.encode())
    assert days_of(found, "C") == ["2026-11-23", "2026-11-24"]


def test_calendar_that_ends_before_it_starts_is_left_out_and_told(tmp_path: Path) -> None:
    weekly = f"{WEEK}C,1,1,1,1,1,1,1,20261123,20261123\nD,1,1,1,1,1,1,1,20261130,20261101\n"
    found, findings = calendar(tmp_path, weekly=weekly.encode())
    assert days_of(found, "C") == ["2026-11-23"]
    assert "D" not in found.service_ids
    assert told(findings) == [("calendar_ends_first", "calendar.txt", 3)]


def test_exception_of_no_known_type_is_left_out_and_told(tmp_path: Path) -> None:
    dated = f"{DATES}C,20261123,1\nC,20261124,3\n"
    found, findings = calendar(tmp_path, dated=dated.encode())
    assert days_of(found, "C") == ["2026-11-23"]
    assert told(findings) == [("exception_type", "calendar_dates.txt", 3)]


def test_feed_without_a_single_day_is_told(tmp_path: Path) -> None:
    found, findings = calendar(tmp_path, weekly=WEEK.encode())
    assert found.runs.size == 0
    assert told(findings) == [("no_service", "calendar.txt", None)]
    assert findings.worst() is Severity.ERROR


def test_calendar_until_2099_still_runs_today(tmp_path: Path) -> None:
    weekly = f"{WEEK}C,1,1,1,1,1,1,1,20260101,20991231\n"
    found, findings = calendar(tmp_path, weekly=weekly.encode())
    assert "2026-11-24" in days_of(found, "C")
    # 2026 to 2099 are 74 years: all of them, at a byte a day.
    assert found.runs.shape[1] == 27_028
    assert told(findings) == []


@pytest.mark.parametrize(
    "old", ["C,1,1,1,1,1,1,1,20100101,20301231", "C,1,1,1,1,1,1,1,19000101,20991231"]
)
def test_calendar_that_began_long_ago_still_runs_today(tmp_path: Path, old: str) -> None:
    # Such feeds exist ("valid since the line was opened"); cutting must not take today away.
    found, _ = calendar(tmp_path, weekly=f"{WEEK}{old}\n".encode())
    assert "2026-11-24" in days_of(found, "C")


def test_one_mistyped_year_does_not_cost_the_other_services_their_days(tmp_path: Path) -> None:
    weekly = f"{WEEK}C,1,1,1,1,1,1,1,20261101,20261130\n"
    dated = f"{DATES}D,20061124,1\n"
    found, _ = calendar(tmp_path, weekly=weekly.encode(), dated=dated.encode())
    assert "2026-11-24" in days_of(found, "C")
