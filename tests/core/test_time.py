"""Service days and local times on the days on which the clock changes."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

import pytest

from core.errors import InvalidInput, MobilityError
from core.time import DAY_S, day_start_epoch_s, find_zone, get_zone, parse_instant, to_instant

pytestmark = pytest.mark.unit
PARIS = ZoneInfo("Europe/Paris")


def epoch_s(text: str) -> int:
    return int(dt.datetime.fromisoformat(text).timestamp())


def test_service_day_starts_at_midnight_on_an_ordinary_day() -> None:
    # 2026-11-24 is in winter: local midnight is 23:00 UTC of the day before.
    assert day_start_epoch_s(dt.date(2026, 11, 24), PARIS) == epoch_s("2026-11-23T23:00+00:00")


def test_service_day_starts_an_hour_before_midnight_when_the_clock_is_put_forward() -> None:
    # 2026-03-29: noon is 10:00 UTC (summer time), minus 12 h is 22:00 UTC, 23:00 local of the 28th.
    assert day_start_epoch_s(dt.date(2026, 3, 29), PARIS) == epoch_s("2026-03-28T22:00+00:00")


def test_service_day_starts_an_hour_after_midnight_when_the_clock_is_put_back() -> None:
    # 2026-10-25: noon is 11:00 UTC (winter time), minus 12 h is 23:00 UTC, 01:00 local summer time.
    assert day_start_epoch_s(dt.date(2026, 10, 25), PARIS) == epoch_s("2026-10-24T23:00+00:00")


def test_only_the_two_days_of_the_year_on_which_the_clock_changes_are_not_a_day_apart() -> None:
    days = [dt.date(2026, 1, 1) + dt.timedelta(days=i) for i in range(366)]
    starts = [day_start_epoch_s(day, PARIS) for day in days]
    odd = {
        days[i]: starts[i + 1] - starts[i] - DAY_S
        for i in range(365)
        if starts[i + 1] - starts[i] != DAY_S
    }
    # Noon to noon is 23 h into the spring day and 25 h into the autumn day.
    assert odd == {dt.date(2026, 3, 28): -3600, dt.date(2026, 10, 24): 3600}


def test_ambiguous_local_time_is_the_first_of_the_two() -> None:
    # 02:30 occurs at 00:30 UTC (summer time) and at 01:30 UTC (winter time).
    moment = parse_instant("2026-10-25T02:30", PARIS)
    assert moment.timestamp() == epoch_s("2026-10-25T00:30+00:00")


def test_local_time_that_does_not_exist_is_refused_with_its_zone() -> None:
    with pytest.raises(InvalidInput, match=r"2026-03-29T02:30 does not exist in Europe/Paris"):
        parse_instant("2026-03-29T02:30", PARIS)


def test_offset_of_a_time_counts_more_than_the_zone() -> None:
    moment = parse_instant("2026-03-29T02:30+00:00", PARIS)
    assert moment.timestamp() == epoch_s("2026-03-29T02:30+00:00")


@pytest.mark.parametrize("text", ["", "yesterday", "25:00", "2026-13-01T08:00", "2026-11-24T24:30"])
def test_text_that_is_no_time_is_refused_and_an_example_is_given(text: str) -> None:
    with pytest.raises(InvalidInput, match="2026-11-24T08:00"):
        parse_instant(text, PARIS)


@pytest.mark.parametrize("text", ["0001-01-01T00:00", "9999-12-31T23:59:59"])
@pytest.mark.parametrize("zone", ["Europe/Paris", "America/New_York"])
def test_time_at_the_end_of_the_calendar_never_breaks_the_caller(text: str, zone: str) -> None:
    # Either it is read or it is refused; nothing else may come out of a typed time.
    try:
        told = parse_instant(text, ZoneInfo(zone)).astimezone(dt.UTC).isoformat()
    except MobilityError as refused:
        told = str(refused)
    assert text[:4] in told


@pytest.mark.parametrize(
    "name", ["", "Paris", "Europe", "../etc/passwd", "Europe/Paris\0", "x" * 999]
)
def test_unknown_zone_is_none_or_refused_with_an_example(name: str) -> None:
    assert find_zone(name) is None
    with pytest.raises(InvalidInput, match="Europe/Paris"):
        get_zone(name)


def test_epoch_second_is_shown_in_a_zone() -> None:
    second = epoch_s("2026-11-24T07:00+00:00")
    assert to_instant(second, PARIS).isoformat() == "2026-11-24T08:00:00+01:00"
    assert to_instant(second).isoformat() == "2026-11-24T07:00:00+00:00"
