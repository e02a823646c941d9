"""Feeds about to expire: who is told, when, and how often."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from structlog.testing import capture_logs

from mobility.feed_expiry import Validity, list_expiries
from mobility.jobs.warn_of_expiry import ExpiryWatch

pytestmark = pytest.mark.unit
TODAY = dt.date(2026, 11, 24)
NOON = dt.datetime(2026, 11, 24, 11, tzinfo=dt.UTC)


def about(*last: str, first: str = "2026-09-01") -> dict[str, Any]:
    return {
        "feeds": [{"id": f"f{i}", "valid_from": first, "valid_to": d} for i, d in enumerate(last)]
    }


def snapshot(name: str, *last: str) -> Any:
    network = SimpleNamespace(zone=ZoneInfo("Europe/Paris"))
    return SimpleNamespace(about=about(*last), folder=Path(name), network=network)


def test_days_are_counted_after_today_and_go_below_zero() -> None:
    feeds = about("2026-11-24", "2026-11-25", "2026-12-24", "2026-11-20")
    told = {expiry.feed: expiry.days_left for expiry in list_expiries(feeds, TODAY)}
    assert told == {"f0": 0, "f1": 1, "f2": 30, "f3": -4}


def test_alarm_comes_a_week_before_and_a_warning_two() -> None:
    last = ("2026-11-23", "2026-11-24", "2026-11-30", "2026-12-01", "2026-12-07", "2026-12-08")
    assert [expiry.validity for expiry in list_expiries(about(*last), TODAY)] == [
        Validity.EXPIRED, Validity.ALARM, Validity.ALARM, Validity.SOON, Validity.SOON,
        Validity.VALID,
    ]  # fmt: skip
    (early,) = list_expiries(about("2026-11-30", first="2026-11-25"), TODAY)
    assert early.validity is Validity.NOT_BEGUN


def test_worker_says_it_once_a_day_and_for_every_snapshot() -> None:
    watch, old = ExpiryWatch(), snapshot("old", "2026-11-20", "2026-12-03", "2027-12-03")
    with capture_logs() as logged:
        for minute in range(3):
            watch.look(old, NOON + dt.timedelta(minutes=minute))
    assert [(e["event"], e["log_level"], e["feed"], e["days_left"]) for e in logged] == [
        ("feed_expires", "error", "f0", -4),
        ("feed_expires", "warning", "f1", 9),
    ]
    with capture_logs() as logged:
        watch.look(old, NOON + dt.timedelta(hours=12))  # 00:00 in Paris
    assert [e["days_left"] for e in logged] == [-5, 8]
    with capture_logs() as logged:
        watch.look(snapshot("new", "2026-12-01"), NOON + dt.timedelta(hours=12))
    assert [(e["snapshot"], e["days_left"], e["log_level"]) for e in logged] == [
        ("new", 6, "error")
    ]
