"""A stay that nobody tapped out of ends where its rider usually goes at that time."""

from __future__ import annotations

import datetime as dt
import random
from dataclasses import replace
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from payments.habits import REACH, usual_leg
from payments.tariff import FareLeg
from tests.support.random_fares import some

pytestmark = pytest.mark.unit
PARIS = ZoneInfo("Europe/Paris")
MONDAY = dt.datetime(2027, 4, 12, 8, tzinfo=PARIS)
"""After the day on which clocks are put forward: the weeks before are an hour off in UTC."""
WEEK = dt.timedelta(days=7)
OPEN = FareLeg("rail", MONDAY.astimezone(dt.UTC), 30_000, 0, ("A", "B", "C"), "sncf", "1")


def ridden(weeks_ago: int, minutes: int = 0, **more: Any) -> FareLeg:
    """By clocks so many weeks before, and minutes later."""
    at = (MONDAY - weeks_ago * WEEK + dt.timedelta(minutes=minutes)).astimezone(dt.UTC)
    usual = replace(OPEN, board_at=at, metres=12_000, seconds=900, zones=("A", "B"))
    return replace(usual, **more)


def metres(*others: FareLeg) -> int:
    return usual_leg(OPEN, others, PARIS).metres


def test_what_was_done_three_times_at_that_time_of_that_weekday_is_a_habit() -> None:
    weeks = [ridden(n) for n in (1, 2, 3)]
    usual = usual_leg(OPEN, weeks, PARIS)
    assert usual == replace(OPEN, metres=12_000, zones=("A", "B"))
    assert metres(*weeks[:2]) == OPEN.metres
    assert metres(ridden(1, 59), ridden(2, -60), ridden(3)) == 12_000
    assert metres(ridden(1, 61), *weeks[1:]) == OPEN.metres


@pytest.mark.parametrize(
    "other",
    [
        ridden(1, route="2"), ridden(1, mode="bus"), ridden(1, operator=""),
        ridden(1, seconds=0),  # nobody tapped out of it either
        ridden(1, metres=30_001), ridden(1, zones=("B", "C")), ridden(1, zones=()),
        ridden(-1), ridden(6), ridden(0), ridden(1, 24 * 60),
    ],
)  # fmt: skip
def test_what_is_not_alike_makes_no_habit(other: FareLeg) -> None:
    assert metres(ridden(2), ridden(3), other) == OPEN.metres
    assert metres(ridden(2), ridden(3), ridden(4), other) == 12_000


def test_of_two_habits_the_more_frequent_is_taken_then_the_nearer() -> None:
    near = [ridden(n, metres=5_000) for n in (1, 2, 3)]
    far = [ridden(n, minutes) for n in (1, 2, 3) for minutes in (10, 20)]
    assert metres(*near, *far) == 12_000
    assert metres(*near, *far[:3]) == 5_000


rides = st.builds(
    ridden,
    st.integers(-1, 6),
    st.sampled_from((0, 30, 90, 1_440)),
    metres=st.sampled_from((4_000, 9_000, 40_000)),
    route=st.sampled_from(("1", "1", "1", "2")),
)


@some
@given(st.lists(rides, max_size=14), st.randoms(use_true_random=False))
def test_a_habit_is_one_in_whatever_order_rides_are_known(
    others: list[FareLeg], dice: random.Random
) -> None:
    found = usual_leg(OPEN, others, PARIS)
    assert found == usual_leg(OPEN, dice.sample(others, len(others)), PARIS)
    assert found.metres <= OPEN.metres
    if found != OPEN:
        same = [o for o in others if (o.metres, o.zones) == (found.metres, found.zones)]
        assert len(same) >= 3
        assert any(OPEN.board_at - REACH <= other.board_at < OPEN.board_at for other in same)
