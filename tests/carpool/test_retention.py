"""Until when it is kept who rode with whom."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carpool.bookings import NEXT, SEATED, BookingState
from carpool.retention import NEEDED, UNFINISHED, cut
from mobility.actions.forget_usage import RIDERS_KEPT

pytestmark = pytest.mark.unit

KEPT = dt.timedelta(days=120)
ZONES = [ZoneInfo(name) for name in ("Europe/Paris", "Indian/Reunion", "America/Cayenne")]


def test_bookings_are_kept_as_long_as_whose_leg_it_was() -> None:
    now = dt.datetime(2027, 5, 1, 12, tzinfo=dt.UTC)
    assert RIDERS_KEPT == KEPT > NEEDED
    assert cut(now, RIDERS_KEPT).at == dt.datetime(2027, 1, 1, 12, tzinfo=dt.UTC)


def test_what_somebody_may_still_do_something_about_is_kept() -> None:
    # What comes next in every other state is a complaint, for which it is too late by then.
    assert SEATED | {BookingState.DISPUTED} == UNFINISHED
    left = {event for (state, event) in NEXT if state not in UNFINISHED}
    assert left == {"complain"}


@given(
    now=st.datetimes(dt.datetime(2027, 1, 1), dt.datetime(2029, 1, 1), timezones=st.just(dt.UTC)),  # noqa: DTZ001 — strategies take them so
    ago_s=st.integers(0, 200 * 86_400),
    zone=st.sampled_from(ZONES),
)
def test_no_ride_is_forgotten_before_its_series_nor_after_its_date(
    now: dt.datetime, ago_s: int, zone: ZoneInfo
) -> None:
    past, ride_at = cut(now, KEPT), now - dt.timedelta(seconds=ago_s)
    date = ride_at.astimezone(zone).date()
    if ride_at < past.at:
        assert date < past.first_date
    if date < past.last_date:
        assert ride_at < past.at
