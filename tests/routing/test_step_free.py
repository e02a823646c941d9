"""Wheelchairs: which stops, trips, streets and ways through stations they take."""

from __future__ import annotations

import pytest

from routing.street.step_free import StepFree
from tests.support.stations import answers, ask, pathways_of, station_world
from tests.support.tiny import explained, plan, tiny_world

pytestmark = pytest.mark.unit

STATION = """
    stop  Mairie  0     yes
    stop  Gare    6000  station yes
    stop  Quai    6000  in Gare
    stop  Nord    6000  entrance in Gare
    stop  Sud     6240  entrance in Gare
    stop  Hall    6000  node in Gare
    way   porte   Nord <> Hall  walkway 40
    way   marches Hall <> Quai  stairs 20
    way   lift    Hall <> Quai  elevator 60
    way   rampe   Sud  <> Quai  walkway 80
    trip  T1      Mairie 07:00 Quai 07:10 yes
    trip  T2      Mairie 07:30 Quai 07:40 yes
"""
STRICT = {"wheelchair": True}
LOOSE = {"wheelchair": True, "wheelchair_unknown": True}


def test_rider_on_foot_takes_the_stairs_and_one_in_a_wheelchair_the_elevator() -> None:
    world = station_world(STATION)
    on_foot = ask(world, 0.0, 6000.0, depart="07:00")
    # Quai, stairs 20 s, walkway 40 s, door 1 s.
    assert answers(world, 0.0, 6000.0, depart="07:00") == [
        "L1 Mairie 07:00 > Quai 07:10 | walk 1min1s  [07:00 > 07:11:01, 0 transfers]"
    ]
    assert pathways_of(world, on_foot) == [["marches", "porte"]]
    # The elevator takes as long as on foot, 60 s; the walkway 40 / 0.8 = 50 s, the door 1 s.
    assert answers(world, 0.0, 6000.0, depart="07:00", **STRICT) == [
        "L1 Mairie 07:00 > Quai 07:10 | walk 1min51s  [07:00 > 07:11:51, 0 transfers]"
    ]
    assert pathways_of(world, ask(world, 0.0, 6000.0, depart="07:00", **STRICT)) == [
        ["lift", "porte"]
    ]


@pytest.mark.parametrize("streets", [True, False])
def test_other_entrance_is_taken_while_the_elevator_is_out_of_service(streets: bool) -> None:
    world = station_world(STATION, streets=streets)
    usual = ask(world, 0.0, 6000.0, depart="07:00", **STRICT)
    assert pathways_of(world, usual) == [["lift", "porte"]]
    found = ask(world, 0.0, 6000.0, depart="07:00", out={"lift"}, **STRICT)
    assert pathways_of(world, found) == [["rampe"]]
    # Walkway 80 / 0.8, then 240 m along the street: 300 s, and a door; straight, 1.3 times that.
    last_s = (found.itineraries[0].legs[-1].end_at - found.itineraries[0].legs[-1].start_at).seconds
    assert last_s == (100 + 1 + 300 if streets else 100 + 390)
    assert found.explanations[0].code == "elevator_out_of_service"
    assert found.explanations[0].values == {"elevator": "tiny:lift", "station": "Gare"}


def test_rider_on_foot_hears_nothing_of_an_elevator_that_he_does_not_need() -> None:
    world = station_world(STATION)
    found = ask(world, 0.0, 6000.0, depart="07:00", out={"lift"})
    assert pathways_of(world, found) == [["marches", "porte"]]
    assert found.explanations == ()


def test_answer_names_the_elevator_without_which_there_is_no_way() -> None:
    world = station_world(
        STATION.replace("rampe   Sud  <> Quai  walkway", "rampe Sud <> Quai escalator")
    )
    assert answers(world, 0.0, 6000.0, depart="07:00", **STRICT)
    found = ask(world, 0.0, 6000.0, depart="07:00", out={"lift"}, **STRICT)
    assert found.itineraries == ()
    assert found.explanations[0].code == "elevator_out_of_service"


def test_elevator_that_is_back_is_taken_again() -> None:
    world = station_world(STATION)
    assert pathways_of(world, ask(world, 0.0, 6000.0, depart="07:00", out={"lift"}, **STRICT)) == [
        ["rampe"]
    ]
    assert pathways_of(world, ask(world, 0.0, 6000.0, depart="07:00", **STRICT)) == [
        ["lift", "porte"]
    ]


@pytest.mark.parametrize(
    "ramp", ["walkway 80 slope 0.1", "walkway 80 slope -0.09", "walkway 80 width 0.7",
             "stairs 80", "escalator 80"],
)  # fmt: skip
def test_way_that_is_steep_narrow_or_has_steps_is_not_for_wheels(ramp: str) -> None:
    world = station_world(STATION.replace("walkway 80", ramp))
    assert not ask(world, 0.0, 6000.0, depart="07:00", out={"lift"}, **STRICT).itineraries
    assert ask(world, 0.0, 6000.0, depart="07:00", out={"lift"}).itineraries


def test_entrance_that_is_marked_no_is_not_for_wheels() -> None:
    world = station_world(
        STATION.replace("entrance in Gare\n    stop  Sud", "entrance in Gare no\n    stop  Sud")
    )
    assert pathways_of(world, ask(world, 0.0, 6000.0, depart="07:00", **STRICT)) == [["rampe"]]
    assert pathways_of(world, ask(world, 0.0, 6000.0, depart="07:00")) == [["marches", "porte"]]


@pytest.mark.parametrize("streets", [True, False])
def test_exit_gate_lets_out_and_not_in(streets: bool) -> None:
    world = station_world(
        """
        stop  Mairie  0     yes
        stop  Gare    6000  station yes
        stop  Quai    6000  in Gare
        stop  Nord    6000  entrance in Gare
        stop  Sud     6240  entrance in Gare
        way   sortie  Quai > Nord exit_gate 10
        way   entree  Sud  > Quai fare_gate 10
        trip  T1      Mairie 07:00 Quai 07:10 yes
        trip  T2      Quai 08:00 Mairie 08:10 yes
        """,
        streets=streets,
    )
    assert pathways_of(world, ask(world, 0.0, 6000.0, depart="07:00")) == [["sortie"]]
    assert pathways_of(world, ask(world, 6000.0, 0.0, depart="07:30")) == [["entree"]]
    assert pathways_of(world, ask(world, 6000.0, 0.0, arrive="08:30")) == [["entree"]]


def test_platform_without_pathways_stays_on_the_street_and_a_finding_says_so() -> None:
    world = station_world(
        STATION + "\n    stop Quai2 6000 in Gare\n    trip T3 Mairie 09:00 Quai2 09:10 yes"
    )
    assert answers(world, 0.0, 6060.0, depart="08:59") == [
        "L1 Mairie 09:00 > Quai2 09:10 | walk 1min  [09:00 > 09:11, 0 transfers]"
    ]
    assert [f.rule for f in world.findings] == ["platform_without_pathway"]


def test_bus_that_takes_no_wheelchair_leaves_without_one() -> None:
    world = station_world(STATION.replace("Quai 07:10 yes", "Quai 07:10 no"))
    (line,) = answers(world, 0.0, 6000.0, depart="06:55", **LOOSE)
    assert "07:30" in line
    (line,) = answers(world, 0.0, 6000.0, depart="06:55")
    assert "07:00" in line


def test_bus_of_which_nothing_is_known_is_taken_when_asked_for() -> None:
    world = station_world(STATION.replace("Quai 07:10 yes", "Quai 07:10"))
    (line,) = answers(world, 0.0, 6000.0, depart="06:55", **STRICT)
    assert "07:30" in line
    found = ask(world, 0.0, 6000.0, depart="06:55", **LOOSE)
    leg = found.itineraries[0].legs[0]
    assert leg.access is not None
    assert leg.access.step_free is StepFree.UNKNOWN
    assert leg.access.sources == ("trips.txt wheelchair_accessible",)


def test_stop_of_which_nothing_is_known_is_taken_when_asked_for() -> None:
    world = station_world(STATION.replace("Mairie  0     yes", "Mairie  0"))
    found = ask(world, 0.0, 6000.0, depart="06:55", **STRICT)
    assert found.itineraries == ()
    assert "accessibility_unknown" in [e.code for e in found.explanations]
    assert ask(world, 0.0, 6000.0, depart="06:55", **LOOSE).itineraries


def test_stop_that_is_marked_no_is_never_used() -> None:
    world = station_world(STATION.replace("Mairie  0     yes", "Mairie  0     no"))
    assert ask(world, 0.0, 6000.0, depart="06:55", **LOOSE).itineraries == ()
    leg = ask(world, 0.0, 6000.0, depart="06:55").itineraries[0].legs[0]
    assert leg.access is not None
    assert leg.access.step_free is StepFree.NO
    assert leg.access.sources == ("stops.txt wheelchair_boarding",)


def test_platform_says_what_its_station_says_unless_it_says_otherwise() -> None:
    world = station_world(STATION.replace("Quai    6000  in Gare", "Quai    6000  in Gare no"))
    boarding = world.network.wheelchair_boarding
    assert [int(boarding[world.row(name)]) for name in ("Quai", "Nord", "Hall")] == [2, 1, 0]


def test_stairs_in_the_street_are_gone_round() -> None:
    world = station_world("""
        stop  Mairie  0     yes
        stop  Gare    6000  yes
        steps 6060 6120
        trip  T1      Mairie 07:00 Gare 07:10 yes
    """)
    # On foot 60 m, stairs 60 m at 0.5 m/s, 60 m; by wheelchair 120 m + 660 m at 0.8 m/s.
    assert answers(world, 0.0, 6180.0, depart="07:00") == [
        "L1 Mairie 07:00 > Gare 07:10 | walk 4min  [07:00 > 07:14, 0 transfers]"
    ]
    assert answers(world, 0.0, 6180.0, depart="07:00", max_egress_s=1200, **STRICT) == [
        "L1 Mairie 07:00 > Gare 07:10 | walk 16min15s  [07:00 > 07:26:15, 0 transfers]"
    ]


def test_driver_is_asked_only_where_the_unknown_is_allowed() -> None:
    world = tiny_world("offer Anna Ferme > Mairie 07:05-07:15 seats 2")
    ends = "walk 1min > Ferme", "Mairie > walk 1min"
    assert plan(world, *ends, depart="07:00", **LOOSE)
    assert not plan(world, *ends, depart="07:00", **STRICT)
    assert "accessibility_unknown" in explained(world, *ends, depart="07:00", **STRICT)
