"""Departures (or arrivals) of an interval: all useful ones, widened until enough, page by page."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from routing.itinerary import PlanAnswer
from tests.support.tiny import ZONE, answer, instant, plan, tiny_world

pytestmark = pytest.mark.unit


def test_range_gives_every_useful_departure() -> None:
    world = tiny_world("""
        L1   Mairie  Lycée
             07:00   07:25
             07:30   07:55
             07:59   08:25
             08:00   08:26
    """)
    assert plan(world, "Mairie", "Lycée", between=("07:00", "08:00")) == [
        "L1 Mairie 07:00 > Lycée 07:25  [07:00 > 07:25, 0 transfers]",
        "L1 Mairie 07:30 > Lycée 07:55  [07:30 > 07:55, 0 transfers]",
        "L1 Mairie 07:59 > Lycée 08:25  [07:59 > 08:25, 0 transfers]",
    ]


def test_range_leaves_out_what_a_later_departure_dominates() -> None:
    world = tiny_world("""
        L1   Mairie  Lycée
             07:00   07:25
             07:30   07:55
        X1   Mairie  Lycée
             07:40   07:50
    """)
    assert plan(world, "Mairie", "Lycée", between=("07:00", "08:00")) == [
        "L1 Mairie 07:00 > Lycée 07:25  [07:00 > 07:25, 0 transfers]",
        "X1 Mairie 07:40 > Lycée 07:50  [07:40 > 07:50, 0 transfers]",
    ]


def test_range_leaves_out_what_a_departure_after_the_window_dominates() -> None:
    world = tiny_world("""
        L1   Mairie  Lycée
             07:00   07:25
             07:30   07:55
        X1   Mairie  Lycée
             07:40   07:50
    """)
    assert plan(world, "Mairie", "Lycée", between=("07:00", "07:35")) == [
        "L1 Mairie 07:00 > Lycée 07:25  [07:00 > 07:25, 0 transfers]",
    ]


def test_range_of_arrivals_gives_every_useful_one() -> None:
    world = tiny_world("""
        L1   Mairie  Lycée
             07:00   07:25
             07:30   07:55
             08:00   08:25
    """)
    assert plan(world, "Mairie", "Lycée", between=("07:20", "07:55"), arrive_by=True) == [
        "L1 Mairie 07:00 > Lycée 07:25  [07:00 > 07:25, 0 transfers]",
        "L1 Mairie 07:30 > Lycée 07:55  [07:30 > 07:55, 0 transfers]",
    ]


def test_interval_is_widened_until_enough_is_found() -> None:
    world = tiny_world("""
        L1   Mairie  Lycée
             07:00   07:25
             09:00   09:25
             15:00   15:25
    """)
    found = plan(world, "Mairie", "Lycée", depart="06:55", window_s=900, wanted_count=2)
    assert [line[:24] for line in found] == ["L1 Mairie 07:00 > Lycée ", "L1 Mairie 09:00 > Lycée "]


def shown(found: PlanAnswer) -> tuple[object, ...]:
    """When itineraries leave and arrive, and the interval that they stand for."""
    times = [(i.start_at, i.end_at, len(i.legs)) for i in found.itineraries]
    return times, found.window_start, found.window_end


@pytest.mark.parametrize("arrive_by", [False, True])
def test_interval_that_holds_enough_is_answered_as_if_nothing_lay_behind_it(
    *, arrive_by: bool
) -> None:
    world = tiny_world("""
        L1   Mairie  Gare    Lycée
             07:00   07:10   07:25
             07:05   07:15   07:30
             07:20   07:30   07:35
        L2   Gare    Lycée
             07:12   07:18
             07:16   07:21
    """)
    for minute in range(6 * 60 + 50, 7 * 60 + 40):
        asked: dict[str, Any] = {
            "depart": f"{minute // 60:02}:{minute % 60:02}", "window_s": 900, "wanted_count": 1,
            "arrive_by": arrive_by, "backwards": arrive_by,
        }  # fmt: skip
        alone = answer(world, "Mairie", "Lycée", **asked, widest_window_s=900)
        found = answer(world, "Mairie", "Lycée", **asked)
        if alone.itineraries:
            assert shown(found) == shown(alone)


def test_widened_interval_ends_where_enough_is_found_and_the_next_page_goes_on_there() -> None:
    world = tiny_world("""
        service 2026-03-10..2026-03-10
        L1   Mairie  Gare
             09:00   09:10
             09:10   09:20
             09:20   09:30
             09:30   09:40
    """)

    def page(at: dt.datetime, *, back: bool, arrive: bool) -> tuple[list[str], PlanAnswer]:
        found = answer(
            world, "Mairie", "Gare", depart=at.isoformat(), window_s=900, wanted_count=2,
            backwards=back, arrive_by=arrive,
        )  # fmt: skip
        return [f"{i.start_at.astimezone(ZONE):%H:%M}" for i in found.itineraries], found

    first, found = page(instant("06:00"), back=False, arrive=False)
    assert first == ["09:00", "09:10"]
    assert found.window_end == instant("09:10:01")
    assert page(found.window_end, back=False, arrive=False)[0] == ["09:20", "09:30"]
    last, found = page(instant("15:00"), back=True, arrive=True)
    assert last == ["09:20", "09:30"]
    assert found.window_start == instant("09:29:59")
    assert page(found.window_start, back=True, arrive=True)[0] == ["09:00", "09:10"]
