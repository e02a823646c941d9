"""Dates of a series, and quotes as they read on each."""

from __future__ import annotations

import datetime as dt
import json
import uuid
from dataclasses import replace
from zoneinfo import ZoneInfo

import pytest

from carpool.audience import Need
from carpool.offers import Offer
from carpool.quotes import Quote
from carpool.series import (
    InvalidSeries,
    Refused,
    Series,
    not_driven,
    parse_series,
    series_as_json,
)
from carpool.wishes import Direction
from core.geo import Coordinate
from core.ids import OfferId

PARIS = ZoneInfo("Europe/Paris")
FIRST = dt.date(2027, 3, 22)
"""A Monday; on the Sunday after it the clock is put forward."""


def quote(date: dt.date, clock: str, *, minutes: int = 30) -> Quote:
    hour, minute = map(int, clock.split(":"))
    at = dt.datetime.combine(date, dt.time(hour, minute), PARIS)
    at_s = int(at.timestamp())
    return Quote(
        offer=OfferId(str(uuid.uuid4())), date=date, pickup="a", dropoff="b", pickup_s=at_s,
        dropoff_s=at_s + minutes * 60, latest_s=at_s + minutes * 60 + 300, seats=1,
        price_cents=120, currency="EUR",
    )  # fmt: skip


def series(**changes: object) -> Series:
    made = Series(
        id=uuid.uuid4(), rider_id=uuid.uuid4(), out=(quote(FIRST, "07:30"),),
        back=(quote(FIRST, "17:30"),), weekdays=frozenset({"mon", "thu"}),
        until=FIRST + dt.timedelta(days=10), both_or_none=False,
    )  # fmt: skip
    return replace(made, **changes)  # type: ignore[arg-type]


def clocks(quotes: tuple[Quote, ...]) -> list[str]:
    zone = PARIS
    return [f"{dt.datetime.fromtimestamp(q.pickup_s, zone):%d.%m. %H:%M}" for q in quotes]


def test_dates_are_the_wanted_days_of_the_week_from_the_quoted_date_to_the_last() -> None:
    assert [f"{day:%a %d.%m.}" for day in series().dates(PARIS)] == [
        "Mon 22.03.", "Thu 25.03.", "Mon 29.03.", "Thu 01.04.",
    ]  # fmt: skip


def test_a_ride_leaves_at_the_same_time_on_the_clock_when_the_clock_has_changed() -> None:
    week_on = dt.date(2027, 3, 29)
    made = series()
    assert clocks(made.quotes_on(week_on, Direction.OUT, PARIS)) == ["29.03. 07:30"]
    assert clocks(made.quotes_on(week_on, Direction.BACK, PARIS)) == ["29.03. 17:30"]
    (moved,) = made.quotes_on(week_on, Direction.OUT, PARIS)
    assert moved.date == week_on
    assert (moved.latest_s - moved.pickup_s, moved.dropoff_s - moved.pickup_s) == (2_100, 1_800)


def test_a_ride_after_midnight_belongs_to_the_day_on_which_its_rider_leaves() -> None:
    """The run is of the day before: who gets in at 00:20 on a Tuesday wants Tuesdays."""
    night = replace(quote(FIRST + dt.timedelta(days=1), "00:20"), date=FIRST)
    made = series(out=(night,), back=(), weekdays=frozenset({"tue"}))
    assert made.dates(PARIS) == [dt.date(2027, 3, 23), dt.date(2027, 3, 30)]
    (moved,) = made.quotes_on(dt.date(2027, 3, 30), Direction.OUT, PARIS)
    assert (moved.date, clocks((moved,))) == (dt.date(2027, 3, 29), ["30.03. 00:20"])


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"weekdays": frozenset()}, "weekdays"),
        ({"until": FIRST - dt.timedelta(days=1)}, "until"),
        ({"until": FIRST + dt.timedelta(days=90)}, "until"),
        ({"until": FIRST, "weekdays": frozenset({"tue"})}, "none of these"),
        ({"back": (quote(FIRST, "07:00"),)}, "back"),
        ({"back": (quote(FIRST + dt.timedelta(days=2), "17:00"),)}, "back"),
        ({"back": (), "both_or_none": True}, "both_or_none"),
    ],
)
def test_a_series_that_contradicts_itself_is_refused(changes: dict[str, object], says: str) -> None:
    with pytest.raises(InvalidSeries, match=says):
        series(**changes).check(PARIS)


def test_ninety_days_are_the_most() -> None:
    made = series(until=FIRST + dt.timedelta(days=89), weekdays=frozenset({"mon"}))
    made.check(PARIS)
    assert len(made.dates(PARIS)) == 13


def test_a_date_says_why_it_is_not_driven() -> None:
    offer = Offer(
        id=OfferId("o"), driver="d", start=Coordinate(46.4, 1.0), end=Coordinate(46.5, 1.1),
        vias=(), depart_from_s=0, depart_to_s=0, weekdays=frozenset({"mon"}), valid_from=FIRST,
        valid_to=FIRST + dt.timedelta(days=14), seat_count=1, detour_budget_s=0,
        except_dates=frozenset({FIRST + dt.timedelta(days=7)}),
    )  # fmt: skip
    days = (0, 1, 7, 14, 21)
    assert [not_driven(offer, FIRST + dt.timedelta(days=day)) for day in days] == [
        None, Refused.NOT_DRIVEN, Refused.EXCEPT_DATE, None, Refused.NOT_DRIVEN,
    ]  # fmt: skip


def test_a_series_is_read_as_it_was_written() -> None:
    both = tuple(replace(q, needs=(Need.BIKE, Need.SMALL_LUGGAGE)) for q in series().out)
    made = series(out=both)
    stored = json.loads(json.dumps(series_as_json(made)))
    assert parse_series(stored, made.id, made.rider_id) == made
