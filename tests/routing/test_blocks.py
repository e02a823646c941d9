"""Riders stay aboard where the vehicle goes on as another trip, and only there."""

from __future__ import annotations

import pytest

from core.modes import Mode
from gtfs_data.enums import CAN_BOARD
from routing.board import BoardQuery, list_events
from routing.one_to_all import ReachQuery, search_one_to_all
from routing.query import Endpoint, Limits
from routing.raptor.body_table import no_flexible_trips
from routing.raptor.search import no_rides
from tests.support.tiny import instant, plan, tiny_world

pytestmark = pytest.mark.unit

# L2 leaves Gare in the minute in which L1 arrives: nobody changes that fast (60 s).
TWO_LINES = """
    service 2026-03-10..2026-03-10
    L1   Mairie  Gare
         07:00   07:10
    block Bus1 07:00
    L2   Gare    Lycée
         07:10   07:25
"""
ABOARD = (
    "walk 5min | L1 Mairie 07:00 > Gare 07:10 | aboard L2 Gare 07:10 > Lycée 07:25 | walk 2min"
    "  [06:55 > 07:27, 0 transfers]"
)


def told(text: str, **question: str) -> list[str]:
    return plan(tiny_world(text), "walk 5min > Mairie", "Lycée > walk 2min", **question)


def test_rider_stays_aboard_when_the_bus_becomes_another_line() -> None:
    world = f"{TWO_LINES}\n    block Bus1 07:10"
    assert told(world, depart="06:50") == [ABOARD]
    assert told(world, arrive="07:30") == [ABOARD]
    assert told(world, between=("06:30", "07:30")) == [ABOARD]


def test_rider_cannot_change_as_fast_as_the_bus_turns() -> None:
    assert told(TWO_LINES, depart="06:50") == []
    assert told(f"{TWO_LINES}\n    block Bus2 07:10", depart="06:50") == []


def test_rider_must_get_out_where_the_feed_says_so() -> None:
    world = f"{TWO_LINES}\n    block Bus1 07:10\n    alight L1@07:00 > L2@07:10"
    assert told(world, depart="06:50") == []


def test_rider_stays_aboard_where_the_feed_says_so_without_a_block() -> None:
    assert told(f"{TWO_LINES}\n    aboard L1@07:00 > L2@07:10", depart="06:50") == [ABOARD]


def test_feed_may_link_trips_of_a_vehicle_that_waits_for_hours_or_drives_on_empty() -> None:
    world = """
        L1   Mairie  Gare
             07:00   07:10
        L2   Halle   Lycée
             10:00   10:15
        aboard L1@07:00 > L2@10:00
    """
    assert told(world, depart="06:50") == [
        (
            "walk 5min | L1 Mairie 07:00 > Gare 07:10 | aboard L2 Halle 10:00 > Lycée 10:15 | "
            "walk 2min  [06:55 > 10:17, 0 transfers]"
        )
    ]


def test_block_that_goes_on_elsewhere_is_left() -> None:
    # Halle is four minutes on foot from Gare, 240 m.
    world = """
        service 2026-03-10..2026-03-10
        street Mairie 100min Gare 4min Halle 100min Lycée
        L1   Mairie  Gare
             07:00   07:10
        block Bus1 07:00
        L2   Halle   Lycée
             07:12   07:25
        block Bus1 07:12
    """
    assert told(world, depart="06:50") == []
    near = world.replace("4min", "1min")
    assert told(near, depart="06:50") == [
        (
            "walk 5min | L1 Mairie 07:00 > Gare 07:10 | aboard L2 Halle 07:12 > Lycée 07:25 | "
            "walk 2min  [06:55 > 07:27, 0 transfers]"
        )
    ]


def test_nobody_is_kept_in_a_parked_bus_for_more_than_half_an_hour() -> None:
    world = """
        L1   Mairie  Gare
             07:00   07:10
        block Bus1 07:00
        L2   Gare    Lycée
             07:40   07:55
        block Bus1 07:40
    """
    assert "aboard" in told(world, depart="06:50")[0]
    assert "aboard" not in told(world.replace("07:40", "07:41"), depart="06:50")[0]


def test_block_of_another_service_day_does_not_join() -> None:
    world = """
        service 2026-03-10..2026-03-10
        L1   Mairie  Gare
             23:50   24:00
        block Bus1 23:50
        service 2026-03-11..2026-03-11
        L2   Gare    Lycée
             00:00   00:15
        block Bus1 00:00
    """
    assert told(world, depart="23:40") == []
    same = world.replace("00:00   00:15", "24:00   24:15").replace("03-11", "03-10")
    assert "aboard" in told(same.replace("Bus1 00:00", "Bus1 24:00"), depart="23:40")[0]


def test_block_joins_on_the_days_on_which_both_trips_run() -> None:
    world = tiny_world("""
        L1   Mairie  Gare
             07:00   07:10
        block Bus1 07:00
        service 2026-03-10..2026-03-11
        L2   Gare    Lycée
             07:10   07:25
        block Bus1 07:10
    """)
    ends = "walk 5min > Mairie", "Lycée > walk 2min"
    for day, count in (("09", 0), ("10", 1), ("11", 1), ("12", 0)):
        found = plan(world, *ends, between=(f"2026-03-{day} 06:50", f"2026-03-{day} 07:30"))
        assert len(found) == count


def test_trip_between_two_others_of_a_block_parts_them() -> None:
    # The bus leaves Gare for Dépôt before it comes back to run L2: not the ride that was boarded.
    world = f"{TWO_LINES}\n    block Bus1 07:10".replace("07:10   07:25", "07:20   07:25")
    world = world.replace("Bus1 07:10", "Bus1 07:20")
    assert "aboard" in told(world, depart="06:50")[0]
    between = "\n    L3   Gare   Dépôt   Gare\n         07:10  07:15   07:19\n    block Bus1 07:10"
    # Riders sit through L3: three trips.
    assert told(world + between, depart="06:50")[0].count("aboard") == 2
    elsewhere = between.replace("Dépôt   Gare", "Dépôt   Halle")
    assert "aboard" not in told(world + elsewhere, depart="06:50")[0]


def test_trips_of_a_block_that_overlap_join_nothing_and_are_told() -> None:
    world = tiny_world(f"{TWO_LINES}\n    block Bus1 07:10".replace("07:10   07:25", "07:09 07:25")
                       .replace("Bus1 07:10", "Bus1 07:09"))  # fmt: skip
    assert len(world.network.timetable.through_trip) == 0
    assert [f.rule for f in world.findings if f.rule == "block_overlap"] == ["block_overlap"] * 2


def test_riders_stay_aboard_for_three_trips() -> None:
    world = """
        service 2026-03-10..2026-03-10
        L1   Mairie  Gare
             07:00   07:10
        block Bus1 07:00
        L2   Gare    Halle
             07:10   07:15
        block Bus1 07:10
        L3   Halle   Lycée
             07:15   07:25
        block Bus1 07:15
        L4   Lycée   Ferme
             07:25   07:40
        block Bus1 07:25
    """
    assert told(world, depart="06:50") == [
        (
            "walk 5min | L1 Mairie 07:00 > Gare 07:10 | aboard L2 Gare 07:10 > Halle 07:15 | "
            "aboard L3 Halle 07:15 > Lycée 07:25 | walk 2min  [06:55 > 07:27, 0 transfers]"
        )
    ]
    assert plan(tiny_world(world), "Mairie", "Ferme", depart="06:50") == []


def test_nobody_sits_through_a_turn_to_pass_the_own_stop_again() -> None:
    # There and back: whoever wants to go back from Halle takes the bus when it comes back.
    world = tiny_world("""
        L1   Mairie  Halle  Gare
             07:00   07:05  07:10
        block Bus1 07:00
        L1   Gare    Halle  Mairie
             07:15   07:20  07:25
        block Bus1 07:15
    """)
    assert plan(world, "Halle", "Mairie", depart="07:00") == [
        "L1 Halle 07:20 > Mairie 07:25  [07:20 > 07:25, 0 transfers]"
    ]
    # What is left is riding round to where one got in: a walk there and another one on from there
    # are more than one walk.
    t = world.network.timetable
    rows = [
        f"{t.stop_name[stop]} {'in' if flag == CAN_BOARD else 'out'}"
        for stop, flag in zip(t.through_row_stop, t.through_row_flag, strict=True)
    ]
    assert rows == ["Mairie in", "Halle in", "Halle out", "Mairie out"]


def test_board_shows_each_departure_once() -> None:
    world = tiny_world(f"{TWO_LINES}\n    block Bus1 07:10")
    for stop, count in (("Mairie", 1), ("Gare", 1), ("Lycée", 0)):
        query = BoardQuery(stops=(world.row(stop),), at=instant("06:00"), count=1)
        on_day = [e for e in list_events(world.network, query) if e.at < instant("08:00")]
        assert len(on_day) == count
        assert all(e.trip < len(world.network.timetable.trip_id) for e in on_day)


def test_vehicle_that_goes_on_is_one_to_all_stops() -> None:
    world = tiny_world(f"{TWO_LINES}\n    block Bus1 07:10")
    reached = search_one_to_all(
        world.network,
        ReachQuery(Endpoint(world.at("Mairie")), instant("06:50"), most_s=3600),
        flexible=no_flexible_trips(),
        rides_on=lambda _: no_rides(),
        limits=Limits(),
    )
    counts = dict(zip(reached.stop.tolist(), reached.vehicle_count.tolist(), strict=True))
    assert counts[world.row("Lycée")] == 1


def test_modes_that_are_left_out_end_the_ride() -> None:
    world = tiny_world(f"{TWO_LINES}\n    block Bus1 07:10")
    kinds = world.network.timetable.route_type
    kinds.flags.writeable = True
    kinds[1] = 0  # L2 is a tram
    ends = "walk 5min > Mairie", "Lycée > walk 2min"
    for question in ({"depart": "06:50"}, {"arrive": "07:30"}):
        for modes, count in (({Mode.BUS, Mode.TRAM}, 1), ({Mode.BUS}, 0), ({Mode.TRAM}, 0)):
            assert len(plan(world, *ends, transit_modes=frozenset(modes), **question)) == count
        part = plan(world, ends[0], "Gare", transit_modes=frozenset({Mode.BUS}), **question)
        assert len(part) == 1
