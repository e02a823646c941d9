"""What a rider may ask for beyond from, to and when: by way of, without, slower, by bike."""

from __future__ import annotations

import pytest

from core.ids import StopId
from core.modes import Mode
from routing.ends import PlaceUnknown
from routing.planner import LineUnknown
from routing.query import Limits, Via
from tests.support.tiny import answer, instant, plan, tiny_world, told

pytestmark = pytest.mark.unit


def via(stop: str, stay_min: int = 0) -> Via:
    return Via(StopId(f"tiny:{stop}"), stay_min * 60)


TOWN = """
    L1   Mairie  Gare    Lycée
         07:00   07:10   07:20
         07:30   07:40   07:50
    L2   Mairie  Marché  Lycée
         07:02   07:15   07:25
    L3   Gare    Hôpital
         07:12   07:30
    L4   Hôpital Lycée
         07:40   07:55
"""


def test_rider_who_wants_to_pass_by_the_market_takes_the_slower_bus() -> None:
    world = tiny_world(TOWN)
    assert plan(world, "Mairie", "Lycée", depart="07:00", vias=(via("Marché"),)) == [
        "L2 Mairie 07:02 > Lycée 07:25  [07:02 > 07:25, 0 transfers]",
    ]


def test_bus_that_calls_at_the_via_counts_without_getting_out() -> None:
    world = tiny_world(TOWN)
    assert plan(world, "Mairie", "Lycée", depart="07:00", vias=(via("Gare"),)) == [
        "L1 Mairie 07:00 > Lycée 07:20  [07:00 > 07:20, 0 transfers]",
    ]


def test_rider_who_stays_at_the_via_takes_the_next_bus_on() -> None:
    # 07:10 and a quarter of an hour: the bus of 07:40 is the next.
    world = tiny_world(TOWN)
    assert plan(world, "Mairie", "Lycée", depart="07:00", vias=(via("Gare", 15),)) == [
        "L1 Mairie 07:00 > Gare 07:10 | L1 Gare 07:40 > Lycée 07:50  [07:00 > 07:50, 1 transfer]",
    ]


def test_two_vias_are_visited_in_the_order_asked_for() -> None:
    world = tiny_world(TOWN)
    both = (via("Gare"), via("Hôpital"))
    assert plan(world, "Mairie", "Lycée", depart="07:00", vias=both) == [
        (
            "L1 Mairie 07:00 > Gare 07:10 | L3 Gare 07:12 > Hôpital 07:30 | "
            "L4 Hôpital 07:40 > Lycée 07:55  [07:00 > 07:55, 2 transfers]"
        ),
    ]
    assert plan(world, "Mairie", "Lycée", depart="07:00", vias=both[::-1]) == []


def test_arrival_by_way_of_a_stop_leaves_as_late_as_it_can() -> None:
    world = tiny_world(TOWN)
    assert plan(world, "Mairie", "Lycée", arrive="07:50", vias=(via("Gare"),)) == [
        "L1 Mairie 07:30 > Lycée 07:50  [07:30 > 07:50, 0 transfers]",
    ]


def test_rider_walks_to_the_via_and_on_to_the_bus() -> None:
    # 4 minutes to Halle, 10 there, 4 back: 07:10 + 18, and a minute to change.
    world = tiny_world("""
        street  Mairie 100min Gare 4min Halle 100min Lycée
        L1   Mairie  Gare
             07:00   07:10
        L2   Gare    Lycée
             07:20   07:40
             07:30   07:50
        L9   Halle   Mairie
             05:00   05:10
    """)
    found = answer(world, "Mairie", "Lycée", depart="07:00", vias=(via("Halle", 10),))
    assert [told(world, i, instant("07:00").date()) for i in found.itineraries] == [
        (
            "L1 Mairie 07:00 > Gare 07:10 | walk 4min | walk 4min | L2 Gare 07:30 > Lycée 07:50  "
            "[07:00 > 07:50, 1 transfer]"
        ),
    ]
    there, back = found.itineraries[0].legs[1:3]
    assert (there.end.name, back.start.name) == ("Halle", "Halle")
    assert (back.start_at - there.end_at).total_seconds() == 600


def test_carpool_is_not_sent_by_way_of_a_stop_and_the_answer_says_so() -> None:
    world = tiny_world(
        TOWN
        + """
    offer Anna  Mairie > Lycée  07:00-07:10  budget 5min
    """
    )
    found = answer(world, "Mairie", "Lycée", depart="07:00", vias=(via("Gare"),))
    assert "no_carpool_with_vias" in [e.code for e in found.explanations]


def test_unknown_via_is_named() -> None:
    world = tiny_world(TOWN)
    with pytest.raises(PlaceUnknown, match="tiny:Plage"):
        plan(world, "Mairie", "Lycée", depart="07:00", vias=(via("Plage"),))


def test_rider_who_avoids_a_line_takes_another() -> None:
    world = tiny_world(TOWN)
    assert plan(world, "Mairie", "Lycée", depart="07:00", avoid_routes=frozenset({"tiny:L1"})) == [
        "L2 Mairie 07:02 > Lycée 07:25  [07:02 > 07:25, 0 transfers]"
    ]
    with pytest.raises(LineUnknown, match="tiny:L7"):
        plan(world, "Mairie", "Lycée", depart="07:00", avoid_routes=frozenset({"tiny:L7"}))


def test_rider_who_avoids_a_stop_may_pass_it_but_not_change_there() -> None:
    world = tiny_world(TOWN)
    gare = frozenset({StopId("tiny:Gare")})
    assert plan(world, "Mairie", "Lycée", depart="07:00", avoid_stops=gare)[0].startswith(
        "L1 Mairie 07:00 > Lycée 07:20"
    )
    assert plan(world, "Mairie", "Hôpital", depart="07:00", avoid_stops=gare) == []


def test_slow_walker_leaves_earlier_and_misses_the_close_change() -> None:
    # At 0.5 m/s, half of the street's pace, 5 minutes become 10 and the 4 of the change 8.
    world = tiny_world("""
        street  Mairie 100min Gare 4min Halle 100min Lycée
        L1   Mairie  Gare
             07:00   07:10
        L2   Halle   Lycée
             07:15   07:21
             07:30   07:36
    """)
    question = {"depart": "06:40"}
    assert plan(world, "walk 5min > Mairie", "Lycée", **question) == [
        (
            "walk 5min | L1 Mairie 07:00 > Gare 07:10 | walk 4min | L2 Halle 07:15 > Lycée 07:21  "
            "[06:55 > 07:21, 1 transfer]"
        ),
    ]
    assert plan(world, "walk 5min > Mairie", "Lycée", walk_mps=0.5, **question) == [
        (
            "walk 10min | L1 Mairie 07:00 > Gare 07:10 | walk 8min | L2 Halle 07:30 > Lycée 07:36  "
            "[06:50 > 07:36, 1 transfer]"
        ),
    ]


def test_fast_walker_catches_what_others_miss() -> None:
    # At 2 m/s the 4 minutes between the stops are 2: 07:10 + 1 to change + 2.
    world = tiny_world("""
        street  Mairie 100min Gare 4min Halle 100min Lycée
        L1   Mairie  Gare
             07:00   07:10
        L2   Halle   Lycée
             07:13   07:19
             07:30   07:36
    """)
    assert plan(world, "Mairie", "Lycée", depart="06:40", walk_mps=2.0) == [
        (
            "L1 Mairie 07:00 > Gare 07:10 | walk 2min | L2 Halle 07:13 > Lycée 07:19  "
            "[07:00 > 07:19, 1 transfer]"
        ),
    ]


def test_rider_who_wants_more_time_to_change_takes_the_later_bus() -> None:
    world = tiny_world("""
        L1   Mairie  Gare
             07:00   07:10
        L2   Gare    Lycée
             07:12   07:20
             07:16   07:24
    """)

    def last_bus(**wish: float) -> str:
        return plan(world, "Mairie", "Lycée", depart="07:00", **wish)[0].split(" | ")[1][:13]

    assert last_bus() == "L2 Gare 07:12"
    assert last_bus(change_factor=2.0) == "L2 Gare 07:12"  # two minutes
    assert last_bus(change_factor=3.0) == "L2 Gare 07:16"
    assert last_bus(extra_change_s=120) == "L2 Gare 07:16"
    assert last_bus(min_change_s=180) == "L2 Gare 07:16"


def test_rider_cycles_to_the_stop_and_leaves_the_bike_there() -> None:
    # 40 minutes on foot are 2,400 m: 9 min 31 s at 4.2 m/s, and a minute to lock the bike.
    world = tiny_world("""
        street  Ferme 40min Mairie 100min Lycée
        L1   Mairie  Lycée
             07:00   07:20
    """)
    question = {"depart": "06:00", "limits": Limits(bike_parking_s=60)}
    assert plan(world, "Ferme", "Lycée", **question) == []
    found = plan(world, "Ferme", "Lycée", access_modes=(Mode.WALK, Mode.BIKE), **question)
    assert len(found) == 1
    assert found[0].startswith("bike 1")
    assert found[0].endswith("| L1 Mairie 07:00 > Lycée 07:20  [06:49:29 > 07:20, 0 transfers]")


def test_bike_to_the_stop_does_not_hide_the_walk_to_it() -> None:
    world = tiny_world("""
        street  Ferme 12min Mairie 100min Lycée
        L1   Mairie  Lycée
             07:00   07:20
             07:10   07:30
    """)
    found = plan(
        world, "Ferme", "Lycée", depart="06:48", access_modes=(Mode.WALK, Mode.BIKE),
        limits=Limits(bike_parking_s=60),
    )  # fmt: skip
    assert [line.split()[0] for line in found] == ["walk"]  # the bike would take 3 min 51 s
    slow = plan(
        world, "Ferme", "Lycée", depart="06:48", access_modes=(Mode.WALK, Mode.BIKE), bike_mps=2.0
    )
    assert sorted(line.split()[0] for line in slow) == ["bike", "walk"]
