"""Drivers who come to the door, in worlds of one street: 600 m a minute by car, 60 m on foot."""

from __future__ import annotations

import pytest

from core.geo import METRES_PER_DEGREE, Coordinate
from routing.itinerary import RideLeg
from tests.support.tiny import World, answer, plan, tiny_world

pytestmark = pytest.mark.unit

STREET = """
    street Ferme 80min Gare 80min Bourg
    L1   Gare   Lycée
         07:40  08:00
    L2   Lycée  Gare
         06:30  06:50
"""
HOME = "Ferme + 40min"
"""2400 m from Ferme and from Gare: nobody walks that."""

BY_CAR_AND_BUS = (
    "Anna Grande Rue 07:19 > Gare 07:24 | L1 Gare 07:40 > Lycée 08:00  [07:19 > 08:00, 1 transfer]"
)


def world_with(*offers: str) -> World:
    return tiny_world(STREET + "".join(f"    offer {offer}\n" for offer in offers))


def test_a_driver_who_comes_to_the_door_fetches_somebody_who_lives_far_from_every_stop() -> None:
    # Anna leaves at 07:15 at the latest, is at the door four minutes later and waits one there.
    world = world_with("Anna Ferme > Bourg 07:05-07:15 budget 5min door yes")
    assert plan(world, HOME, "Lycée", depart="07:00") == [BY_CAR_AND_BUS]


def test_a_driver_who_does_not_come_to_doors_stops_for_nobody_there() -> None:
    world = world_with("Anna Ferme > Bourg 07:05-07:15 budget 5min")
    assert plan(world, HOME, "Lycée", depart="07:00") == []


def test_whoever_comes_by_train_is_driven_to_his_door() -> None:
    # Five minutes for the change; Bernard comes by Gare eight minutes after he left.
    world = world_with("Bernard Bourg > Ferme 06:50-07:00 budget 0min door yes")
    (told,) = plan(world, "Lycée", HOME, depart="06:20")
    assert told.startswith("L2 Lycée 06:30 > Gare 06:50 | Bernard Gare 06:58 > Grande Rue 07:03  [")


def test_two_doors_are_joined_by_one_drive() -> None:
    world = world_with("Anna Ferme > Bourg 07:05-07:15 budget 0min door yes")
    assert plan(world, HOME, "Gare + 40min", depart="07:00") == [
        "Anna Grande Rue 07:09 > Grande Rue 07:18  [07:09 > 07:18, 0 transfers]",
    ]


def test_whoever_must_be_somewhere_in_time_is_fetched_as_late_as_the_driver_leaves() -> None:
    world = world_with("Anna Ferme > Bourg 07:05-07:15 budget 5min door yes")
    assert plan(world, HOME, "Lycée", arrive="08:05") == [BY_CAR_AND_BUS]
    assert plan(world, HOME, "Gare + 40min", arrive="07:20") == [
        "Anna Grande Rue 07:11 > Grande Rue 07:20  [07:11 > 07:20, 0 transfers]",
    ]


def test_all_departures_of_an_hour_hold_the_ride_from_the_door_once() -> None:
    world = world_with("Anna Ferme > Bourg 07:05-07:15 budget 5min door yes")
    assert plan(world, HOME, "Lycée", between=("07:00", "08:00")) == [BY_CAR_AND_BUS]


@pytest.mark.parametrize(("budget", "comes"), [("7.9min", False), ("8min", True)])
def test_a_driver_comes_to_the_door_within_his_budget(budget: str, *, comes: bool) -> None:
    # From Gare four minutes there, and four back.
    world = world_with(f"Anna Gare > Bourg 07:05-07:15 budget {budget} door yes")
    assert bool(plan(world, HOME, "Bourg", depart="07:00")) == comes


@pytest.mark.parametrize(("away_m", "comes"), [(60, True), (120, False)])
def test_a_rider_walks_from_his_house_to_the_car_if_the_street_is_near(
    away_m: int, *, comes: bool
) -> None:
    world = world_with("Anna Ferme > Bourg 07:05-07:15 budget 0min door yes")
    house = Coordinate(
        away_m / METRES_PER_DEGREE, (world.place_m["Ferme"] + 2400) / METRES_PER_DEGREE
    )
    assert (
        plan(world, house, "Bourg", depart="07:00")
        == ["walk 1min | Anna Grande Rue 07:09 > Bourg 07:22  [07:08 > 07:22, 0 transfers]"] * comes
    )


def test_a_stop_is_no_door() -> None:
    world = world_with("Anna Ferme > Bourg 07:05-07:15 budget 0min door yes")
    found = answer(world, "Gare", HOME, depart="07:00", carpool=False)
    assert found.itineraries == ()


def test_the_way_from_the_door_is_drawn_and_measured() -> None:
    world = world_with("Anna Ferme > Bourg 07:05-07:15 budget 0min door yes")
    (found,) = answer(world, HOME, "Gare + 40min", depart="07:00").itineraries
    (leg,) = found.legs
    assert isinstance(leg, RideLeg)
    assert leg.shape is not None
    assert leg.drive_s == 480
    assert leg.shape.metres == pytest.approx(4800, abs=1)
    assert leg.shape.lon[0] == pytest.approx(2400 / METRES_PER_DEGREE)
