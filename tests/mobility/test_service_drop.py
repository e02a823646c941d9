"""When a new timetable has too little service to be published."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gtfs_data.service import trips_per_day
from mobility.service_drop import ServiceDropped, check_service, list_drops, service_of_feeds
from tests.gtfs_data.small_feeds import small_timetable

pytestmark = pytest.mark.unit
TODAY = dt.date(2026, 3, 10)


def about(*trips: int, start: str = "2026-03-01", feed: str = "bus") -> dict[str, Any]:
    service = {"since": start if trips else None, "trips": list(trips)}
    return {"feeds": [{"id": feed, "service": service}]}


def test_half_of_the_trips_is_enough_and_less_is_not() -> None:
    old = about(*[100] * 30)
    assert list_drops(old, about(*[50] * 30), TODAY) == []
    (drop,) = list_drops(old, about(*[49] * 30), TODAY)
    assert drop == "feed bus: 49 trips on its busiest day, 100 so far"


def test_feed_that_ends_too_soon_is_a_drop_although_its_days_are_full() -> None:
    # From 10 March 14 days count: 10 to 23. The new feed runs until the 15th: 6 of them.
    (drop,) = list_drops(about(*[100] * 30), about(*[100] * 15), TODAY)
    assert drop == "feed bus: 600 trips in the next 14 days, 1,400 so far"


def test_feed_of_next_month_is_not_published_over_this_one() -> None:
    assert list_drops(about(*[100] * 40), about(*[100] * 30, start="2026-04-01"), TODAY)


def test_expired_timetable_may_be_replaced_by_any_other() -> None:
    assert list_drops(about(100, start="2025-01-01"), about(60, start="2024-01-01"), TODAY) == []


def test_lost_feed_is_named_and_new_ones_are_welcome() -> None:
    both = {"feeds": about(9)["feeds"] + about(9, feed="tram")["feeds"]}
    assert list_drops(both, about(9), TODAY) == ["feed tram is gone"]
    assert list_drops(about(9), both, TODAY) == []


def test_error_says_what_to_do() -> None:
    with pytest.raises(ServiceDropped, match="--allow-drop"):
        check_service(about(9), about(), TODAY)


@given(st.lists(st.integers(0, 50), max_size=60), st.integers(-40, 60))
def test_nothing_drops_when_nothing_changes(trips: list[int], shift: int) -> None:
    start = (TODAY - dt.timedelta(days=shift)).isoformat()
    assert list_drops(about(*trips, start=start), about(*trips, start=start), TODAY) == []


def test_trips_are_counted_by_feed_and_day(tmp_path: Path) -> None:
    t, _ = small_timetable(tmp_path)
    expected = np.zeros((len(t.feed_id), t.service_runs.shape[1]), int)
    for trip, service in enumerate(t.trip_service.tolist()):
        expected[t.route_feed[t.pattern_route[t.trip_pattern[trip]]]] += t.service_runs[service]
    assert trips_per_day(t).tolist() == expected.tolist()
    (told,) = service_of_feeds(t)
    days = np.flatnonzero(expected[0])
    assert sum(told["trips"]) == expected.sum() > 0
    first = dt.date(1970, 1, 1) + dt.timedelta(days=int(t.service_first_day[0] + days[0]))
    assert told["since"] == first.isoformat()
