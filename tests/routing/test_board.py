"""Departure and arrival boards of a tiny town."""

from __future__ import annotations

from typing import Any

import pytest

from core.modes import Mode
from routing.board import BoardQuery, list_events
from tests.support.tiny import World, instant, tiny_world

pytestmark = pytest.mark.unit

TOWN = """
    street   Mairie 4min Gare 10min Lycée
    service 2026-03-09..2026-03-13
    L1   Mairie  Gare         Lycée
         07:00   07:10/07:12  07:25
         08:00   08:10a       08:25
         09:00   09:10        09:25
         23:50   24:05        24:20
    L2   Gare   Lycée   Mairie  Gare
         10:00  10:05   10:10   10:15
"""


@pytest.fixture(scope="module")
def town() -> World:
    return tiny_world(TOWN)


def board(world: World, stop: str, at: str, count: int, **query: Any) -> list[str]:
    events = list_events(world.network, BoardQuery((world.row(stop),), instant(at), count, **query))
    return [f"{event.at.astimezone(world.network.zone):%H:%M}" for event in events]


def test_next_departures_leave_out_where_nobody_may_board(town: World) -> None:
    assert board(town, "Gare", "07:00", 3) == ["07:12", "09:10", "10:00"]
    assert board(town, "Gare", "07:00", 3, with_skipped=True) == ["07:12", "08:10", "09:10"]


def test_arrivals_leave_out_the_first_stop_and_departures_the_last(town: World) -> None:
    assert board(town, "Gare", "07:00", 9, arrivals=True, window_s=4 * 3600)[:4] == [
        "07:10", "08:10", "09:10", "10:15",
    ]  # fmt: skip
    assert board(town, "Lycée", "07:00", 1) == ["10:05"]
    assert board(town, "Mairie", "07:00", 1, arrivals=True) == ["10:10"]


def test_earlier_ones_end_at_the_moment(town: World) -> None:
    assert board(town, "Gare", "09:10", 2, later=False) == ["07:12", "09:10"]
    assert board(town, "Gare", "09:09", 0, later=False) == []


def test_window_may_hold_more_than_the_count(town: World) -> None:
    assert board(town, "Gare", "07:00", 1, window_s=3 * 3600) == ["07:12", "09:10", "10:00"]
    assert board(town, "Gare", "10:00", 1, window_s=3 * 3600, later=False) == [
        "07:12", "09:10", "10:00",
    ]  # fmt: skip
    assert board(town, "Gare", "07:00", 1, window_s=3 * 3600, most=2) == ["07:12", "09:10"]
    assert board(town, "Gare", "10:00", 1, window_s=3 * 3600, most=2, later=False) == [
        "09:10", "10:00",
    ]  # fmt: skip


def test_trip_after_midnight_is_on_the_board_of_the_next_day(town: World) -> None:
    assert board(town, "Gare", "2026-03-11 00:00", 1) == ["00:05"]
    assert board(town, "Gare", "2026-03-10 23:00", 2) == ["00:05", "07:12"]


def test_days_of_a_long_window_are_all_there(town: World) -> None:
    # From Tuesday 7:00 to Thursday 7:00: 7:12, 9:10, 10:00 and 0:05 on each of two days.
    two_days = board(town, "Gare", "2026-03-10 07:00", 0, window_s=2 * 86_400)
    assert two_days == ["07:12", "09:10", "10:00", "00:05"] * 2


def test_only_the_asked_modes_are_shown(town: World) -> None:
    assert board(town, "Gare", "07:00", 9, modes=frozenset({Mode.TRAM})) == []


def test_board_is_empty_after_the_last_day_of_service(town: World) -> None:
    assert board(town, "Gare", "2026-04-20 07:00", 5) == []
