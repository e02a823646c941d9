"""Drivers and buses in one journey. A car does 100 minutes on foot in ten; letting in takes one."""

from __future__ import annotations

import pytest

from routing.itinerary import Family
from tests.support.tiny import answer, explained, instant, plan, tiny_world

pytestmark = pytest.mark.unit


def test_ride_alone() -> None:
    # Ready at 07:03; Anna leaves at 07:05 at the earliest, lets in for a minute, drives ten.
    world = tiny_world("""
        street  Ferme 100min Gare 100min Port
        offer Anna  Ferme > Gare  07:05-07:15
    """)
    assert plan(world, "walk 3min > Ferme", "Gare > walk 2min", depart="07:00") == [
        "walk 3min | Anna Ferme 07:05 > Gare 07:16 | walk 2min  [07:02 > 07:18, 0 transfers]"
    ]


def test_driver_waits_for_the_rider_within_his_window_and_no_longer() -> None:
    world = tiny_world("""
        street  Ferme 100min Gare 100min Mairie
        offer Anna  Ferme > Gare  07:05-07:15  on tue
    """)
    assert plan(world, "walk 5min > Ferme", "Gare", depart="07:10") == [
        "walk 5min | Anna Ferme 07:15 > Gare 07:26  [07:10 > 07:26, 0 transfers]"
    ]
    assert plan(world, "walk 5min > Ferme", "Gare", depart="07:10:01") == []


def test_ride_first_leaves_five_minutes_for_the_bus() -> None:
    # Anna is at Gare at 07:11; with five minutes to spare the bus of 07:16 is the first.
    world = tiny_world("""
        street  Ferme 100min Gare 100min Lycée
        L1   Gare   Lycée
             07:15  07:25
             07:16  07:30
        offer Anna  Ferme > Gare  07:00
    """)
    assert plan(world, "Ferme", "Lycée", depart="06:50") == [
        "Anna Ferme 07:00 > Gare 07:11 | L1 Gare 07:16 > Lycée 07:30  [07:00 > 07:30, 1 transfer]"
    ]


def test_ride_last() -> None:
    world = tiny_world("""
        street  Mairie 100min Gare 100min Ferme
        L1   Mairie  Gare
             07:00   07:10
        offer Bob  Gare > Ferme  07:05-07:20
    """)
    assert plan(world, "Mairie", "Ferme", depart="06:50") == [
        "L1 Mairie 07:00 > Gare 07:10 | Bob Gare 07:11 > Ferme 07:22  [07:00 > 07:22, 1 transfer]"
    ]


def test_ride_between_two_buses() -> None:
    # Bob: ready at 07:11, at Halte at 07:22, ready for the bus at 07:27.
    world = tiny_world("""
        street  Mairie 100min Gare 100min Halte 100min Lycée
        L1   Mairie  Gare
             07:00   07:10
        L2   Halte   Lycée
             07:26   07:36
             07:27   07:37
        offer Bob  Gare > Halte  07:05-07:20
    """)
    assert plan(world, "Mairie", "Lycée", depart="06:50") == [
        (
            "L1 Mairie 07:00 > Gare 07:10 | Bob Gare 07:11 > Halte 07:22 | "
            "L2 Halte 07:27 > Lycée 07:37  [07:00 > 07:37, 2 transfers]"
        )
    ]


def test_arriving_by_a_time_with_a_ride_leaves_as_late_as_can_be() -> None:
    # The bus of 07:16 wants the rider out of the car at 07:11, in it at 07:00; Anna may wait
    # until 07:15, and then the bus of 07:31 is just caught.
    world = tiny_world("""
        street  Ferme 100min Gare 100min Lycée
        L1   Gare   Lycée
             07:16  07:30
             07:31  07:45
        offer Anna  Ferme > Gare  07:00-07:20
    """)
    assert plan(world, "Ferme", "Lycée", arrive="07:45") == [
        "Anna Ferme 07:15 > Gare 07:26 | L1 Gare 07:31 > Lycée 07:45  [07:15 > 07:45, 1 transfer]"
    ]
    assert plan(world, "Ferme", "Lycée", arrive="07:44") == [
        "Anna Ferme 07:00 > Gare 07:11 | L1 Gare 07:16 > Lycée 07:30  [07:00 > 07:30, 1 transfer]"
    ]


@pytest.mark.parametrize(
    "question", [{"depart": "07:00"}, {"arrive": "08:10"}, {"between": ("07:00", "07:30")}]
)
def test_best_without_carpool_always_stands_beside(question: dict[str, object]) -> None:
    # The ride leaves later, arrives sooner and takes one vehicle as well.
    world = tiny_world("""
        street  Ferme 100min Gare
        L1   Ferme  Gare
             07:00  08:00
        offer Anna  Ferme > Gare  07:05
    """)
    bus = "L1 Ferme 07:00 > Gare 08:00  [07:00 > 08:00, 0 transfers]"
    ride = "Anna Ferme 07:05 > Gare 07:16  [07:05 > 07:16, 0 transfers]"
    assert plan(world, "Ferme", "Gare", **question) == [bus, ride]
    assert plan(world, "Ferme", "Gare", carpool=False, **question) == [bus]


def test_driver_without_budget_serves_every_meeting_point_on_his_way() -> None:
    # Mairie and Gare lie between Ferme and Port: Anna passes them at 07:10 and 07:20.
    world = tiny_world("""
        street  Ferme 100min Mairie 100min Gare 100min Port
        offer Anna  Ferme > Port  07:00  budget 0min
    """)
    assert plan(world, "Mairie", "Gare", depart="07:00") == [
        "Anna Mairie 07:10 > Gare 07:21  [07:10 > 07:21, 0 transfers]"
    ]
    assert plan(world, "Mairie", "Port", depart="07:00") == [
        "Anna Mairie 07:10 > Port 07:31  [07:10 > 07:31, 0 transfers]"
    ]


@pytest.mark.parametrize(("budget", "served"), [("19min", False), ("20min", True)])
def test_detour_is_made_within_the_budget_only(budget: str, served: bool) -> None:
    # Port lies ten minutes beyond the driver's end: there and back are twenty.
    world = tiny_world(f"""
        street  Ferme 100min Gare 100min Port
        offer Anna  Ferme > Gare  07:00  budget {budget}
    """)
    ride = "Anna Ferme 07:00 > Port 07:21  [07:00 > 07:21, 0 transfers]"
    assert plan(world, "Ferme", "Port", depart="07:00") == ([ride] if served else [])


def test_driver_does_not_take_anyone_the_other_way() -> None:
    world = tiny_world("""
        street  Ferme 100min Mairie 100min Gare
        offer Anna  Ferme > Gare  07:00
    """)
    assert plan(world, "Gare", "Mairie", depart="06:00") == []


def test_nobody_is_sent_from_one_driver_to_the_next() -> None:
    world = tiny_world("""
        street  Ferme 100min Gare 100min Port
        offer Anna  Ferme > Gare  07:00
        offer Bob   Gare > Port   07:30
    """)
    assert plan(world, "Ferme", "Gare", depart="06:50")
    assert plan(world, "Gare", "Port", depart="06:50")
    assert plan(world, "Ferme", "Port", depart="06:50") == []


def test_ride_all_the_way_stands_beside_ride_and_bus() -> None:
    # With Anna to Gare at 07:11 and on by the bus of 07:16; Bob comes later and needs no bus.
    world = tiny_world("""
        street  Ferme 100min Gare 100min Port
        service 2026-03-10..2026-03-10
        L1   Gare   Port
             07:16  07:30
        offer Anna  Ferme > Gare  07:00
        offer Bob   Ferme > Port  07:20
    """)
    assert plan(world, "Ferme", "Port", depart="06:50") == [
        "Anna Ferme 07:00 > Gare 07:11 | L1 Gare 07:16 > Port 07:30  [07:00 > 07:30, 1 transfer]",
        "Bob Ferme 07:20 > Port 07:41  [07:20 > 07:41, 0 transfers]",
    ]


def test_nobody_leaves_a_car_to_arrive_later_than_by_staying_in_it() -> None:
    world = tiny_world("""
        street  Ferme 100min Gare 100min Port
        service 2026-03-10..2026-03-10
        L1   Gare   Port
             07:16  07:30
        offer Anna  Ferme > Port  07:00
    """)
    assert plan(world, "Ferme", "Port", depart="06:50") == [
        "Anna Ferme 07:00 > Port 07:21  [07:00 > 07:21, 0 transfers]"
    ]


def test_ride_leg_says_what_it_asks_of_the_driver() -> None:
    world = tiny_world("""
        street  Ferme 100min Gare 50min Port
        offer Anna  Ferme > Gare  07:00  budget 12min  seats 2
    """)
    leg = answer(world, "Ferme", "Port", depart="07:00").itineraries[0].legs[0]
    assert (leg.detour_s, leg.budget_s, leg.drive_s, leg.seat_count) == (600, 720, 900, 2)
    assert leg.shape is not None
    assert leg.shape.metres == pytest.approx(9000, abs=1)


def test_rider_gets_out_where_the_driver_first_passes() -> None:
    # Anna passes Mairie twice, on the way to Port at 07:10 and back from it at 07:30.
    world = tiny_world("""
        street  Ferme 100min Mairie 100min Port
        offer Anna  Ferme > Port > Mairie  07:00
    """)
    told = ["Anna Ferme 07:00 > Mairie 07:11  [07:00 > 07:11, 0 transfers]"]
    assert plan(world, "Ferme", "Mairie", depart="06:50") == told
    assert plan(world, "Ferme", "Mairie", arrive="07:11") == told


def test_rider_stays_in_through_the_drivers_own_stop() -> None:
    world = tiny_world("""
        street  Ferme 100min Mairie 100min Port
        offer Anna  Ferme > Mairie > Port  07:00
    """)
    assert plan(world, "Ferme", "Port", depart="07:00") == [
        "Anna Ferme 07:00 > Port 07:21  [07:00 > 07:21, 0 transfers]"
    ]


def test_rider_boards_where_the_driver_passes_last() -> None:
    # Anna leaves Mairie at 07:00 and passes it again at 07:20: both lead to Ferme at 07:31.
    world = tiny_world("""
        street  Ferme 100min Mairie 100min Port
        offer Anna  Mairie > Port > Ferme  07:00
    """)
    assert plan(world, "Mairie", "Ferme", depart="07:00") == [
        "Anna Mairie 07:20 > Ferme 07:31  [07:20 > 07:31, 0 transfers]"
    ]


def test_group_larger_than_the_seats_is_told_so_and_takes_the_bus() -> None:
    world = tiny_world("""
        street  Ferme 100min Gare
        L1   Ferme  Gare
             07:00  08:00
        offer Anna  Ferme > Gare  07:05  seats 2
    """)
    assert len(plan(world, "Ferme", "Gare", depart="07:00", seats=2)) == 2
    assert plan(world, "Ferme", "Gare", depart="07:00", seats=3) == [
        "L1 Ferme 07:00 > Gare 08:00  [07:00 > 08:00, 0 transfers]"
    ]
    found = explained(world, "Ferme", "Gare", depart="07:00", seats=3)
    assert found == {"group_too_large": {"seats": 3, "largest": 2}}


def test_offer_runs_on_its_days_only() -> None:
    # 10 March 2026 is a Tuesday.
    world = tiny_world("""
        street  Ferme 100min Gare 100min Port
        offer Anna  Ferme > Gare  07:05  on tue,wed
    """)
    assert len(plan(world, "Ferme", "Gare", depart="2026-03-11 07:00")) == 1
    assert plan(world, "Ferme", "Gare", depart="2026-03-12 07:00") == []


def test_driver_who_leaves_after_midnight_is_found_from_both_days() -> None:
    world = tiny_world("""
        street  Ferme 100min Gare 100min Port
        offer Anna  Ferme > Gare  24:30  on tue
    """)
    told = ["Anna Ferme 00:30 > Gare 00:41  [00:30 > 00:41, 0 transfers]"]
    assert plan(world, "Ferme", "Gare", depart="2026-03-10 23:00") == [
        "Anna Ferme 00:30+1 > Gare 00:41+1  [00:30+1 > 00:41+1, 0 transfers]"
    ]
    assert plan(world, "Ferme", "Gare", depart="2026-03-11 00:10") == told
    assert plan(world, "Ferme", "Gare", arrive="2026-03-11 00:41") == told


def test_clock_time_of_an_offer_holds_on_the_days_of_23_and_25_hours() -> None:
    world = tiny_world("""
        street  Ferme 100min Gare 100min Port
        offer Anna  Ferme > Gare  07:05
    """)
    told = ["Anna Ferme 07:05 > Gare 07:16  [07:05 > 07:16, 0 transfers]"]
    for date in ("2026-03-29", "2026-10-25"):
        assert plan(world, "Ferme", "Gare", depart=f"{date} 06:00") == told


def test_range_finds_a_driver_who_would_have_waited_since_before_it() -> None:
    # Anna's window opened at 06:50, before the range; leaving at 07:00 she is still there.
    world = tiny_world("""
        street  Ferme 100min Gare 100min Port
        offer Anna  Ferme > Gare  06:50-07:15
    """)
    found = answer(world, "Ferme", "Gare", between=("07:00", "07:30")).itineraries
    assert [i.family for i in found] == [Family.CARPOOL]
    assert instant("07:00") <= found[0].start_at <= instant("07:15")


def test_range_of_arrivals_finds_a_driver_without_budget() -> None:
    # Anna leaves at 07:05 sharp and is there at 07:16, the minute of letting in included.
    world = tiny_world("""
        street  Ferme 100min Gare 100min Port
        offer Anna  Ferme > Gare  07:05  budget 0min
    """)
    ends = ("07:00", "07:30")
    told = ["Anna Ferme 07:05 > Gare 07:16  [07:05 > 07:16, 0 transfers]"]
    assert plan(world, "Ferme", "Gare", between=ends) == told
    assert plan(world, "Ferme", "Gare", between=ends, arrive_by=True) == told


def test_range_shows_a_ride_once() -> None:
    world = tiny_world("""
        street  Ferme 100min Gare 100min Port
        offer Anna  Ferme > Gare  07:05-07:25
    """)
    assert len(plan(world, "Ferme", "Gare", between=("07:00", "08:00"))) == 1
