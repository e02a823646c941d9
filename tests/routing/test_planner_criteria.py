"""Riders who would rather pay less, emit less, walk less or be safe than be fast."""

from __future__ import annotations

import numpy as np
import pytest

from gtfs_data.store import frozen
from routing.itinerary import Itinerary
from routing.raptor.criteria import CriteriaTable
from tests.support.tiny import World, answer, instant, tiny_world, told

pytestmark = pytest.mark.unit


def table(world: World, **lines: tuple[int, int, float]) -> CriteriaTable:
    """By line: product, its cents, grams a kilometre."""
    t = world.network.timetable
    rows = [lines[name] for name in t.route_short_name]
    cents = {product: price for product, price, _ in rows}
    return CriteriaTable(
        route_kind=frozen(np.array([product for product, _, _ in rows], np.int32)),
        kind_product=frozen(np.arange(4, dtype=np.int32)),
        product_cents=frozen(np.array([cents.get(i, 0) for i in range(4)], np.int32)),
        product_once=frozen(np.ones(4, np.uint8)),
        route_g_per_km=frozen(np.array([g_per_km for _, _, g_per_km in rows])),
    )


def best(world: World, found: tuple[Itinerary, ...], criterion: str) -> str:
    """The itinerary that is the best for a criterion."""
    return next(told(world, i, instant("07:00").date()) for i in found if criterion in i.best_for)


CITY = """
    street  Mairie 100min Gare 100min Lycée
    L1   Mairie  Lycée
         07:00   07:20
    L2   Mairie  Lycée
         07:00   07:30
"""


def test_cheaper_bus_stands_beside_the_faster_train() -> None:
    world = tiny_world(CITY)
    prices = table(world, L1=(0, 400, 10.0), L2=(1, 150, 10.0))
    found = answer(world, "Mairie", "Lycée", depart="06:55", criteria=prices).itineraries
    assert len(found) == 2
    assert best(world, found, "price").startswith("L2 Mairie 07:00 > Lycée 07:30")


def test_cleaner_train_stands_beside_the_faster_bus() -> None:
    world = tiny_world(CITY)
    prices = table(world, L1=(0, 150, 113.0), L2=(0, 150, 6.0))
    found = answer(world, "Mairie", "Lycée", depart="06:55", criteria=prices).itineraries
    assert best(world, found, "co2").startswith("L2 Mairie 07:00 > Lycée 07:30")


def test_bus_that_gains_nothing_is_not_shown_and_the_explanation_says_why() -> None:
    world = tiny_world(CITY)
    prices = table(world, L1=(0, 150, 10.0), L2=(1, 145, 10.0))  # five cents are too little
    found = answer(world, "Mairie", "Lycée", depart="06:55", criteria=prices, explain=True)
    assert [i.best_for for i in found.itineraries] == [()]
    assert "gains_too_little" in {r.reason for r in found.removed}


def test_bus_far_later_than_the_train_is_out_of_the_slack() -> None:
    # 15 minutes later than 07:20 at most.
    world = tiny_world("""
        L1   Mairie  Lycée
             07:00   07:20
        L2   Mairie  Lycée
             07:00   07:36
    """)
    prices = table(world, L1=(0, 400, 10.0), L2=(1, 150, 10.0))
    found = answer(world, "Mairie", "Lycée", depart="06:55", criteria=prices).itineraries
    assert len(found) == 1


def test_rider_who_would_rather_not_walk_is_shown_the_bus_from_the_door() -> None:
    # Ten minutes on foot to Gare and a fast train, or a slow bus from Mairie.
    world = tiny_world("""
        street  Mairie 10min Gare 100min Lycée
        L1   Gare    Lycée
             07:10   07:20
        L2   Mairie  Lycée
             07:01   07:30
    """)
    prices = table(world, L1=(0, 150, 10.0), L2=(0, 150, 10.0))
    found = answer(world, "Mairie", "Lycée", depart="06:55", criteria=prices).itineraries
    assert best(world, found, "walking").startswith("L2 Mairie 07:01 > Lycée 07:30")


def test_second_ticket_of_one_product_is_not_paid_again() -> None:
    # L1 and L3 share a ticket of 1.50; L2 alone costs 2.
    world = tiny_world("""
        L1   Mairie  Gare
             07:00   07:10
        L3   Gare    Lycée
             07:15   07:30
        L2   Mairie  Lycée
             07:00   07:25
    """)
    prices = table(world, L1=(0, 150, 10.0), L3=(0, 150, 10.0), L2=(1, 200, 10.0))
    found = answer(world, "Mairie", "Lycée", depart="06:55", criteria=prices).itineraries
    assert best(world, found, "price").startswith("L1 Mairie 07:00 > Gare 07:10 | L3")


def test_safe_change_stands_beside_the_close_one() -> None:
    # The change at Gare leaves a minute; the slower bus needs none.
    world = tiny_world("""
        L1   Mairie  Gare
             07:00   07:10
        L2   Gare    Lycée
             07:11   07:20
             07:18   07:27
    """)
    prices = table(world, L1=(0, 150, 10.0), L2=(0, 150, 10.0))
    found = answer(world, "Mairie", "Lycée", depart="06:55", criteria=prices).itineraries
    assert best(world, found, "reliability").startswith(
        "L1 Mairie 07:00 > Gare 07:10 | L2 Gare 07:18 > Lycée 07:27"
    )


def test_arriving_by_a_time_the_cheaper_bus_is_found_too() -> None:
    world = tiny_world(CITY)
    prices = table(world, L1=(0, 400, 10.0), L2=(1, 150, 10.0))
    found = answer(world, "Mairie", "Lycée", arrive="07:31", criteria=prices).itineraries
    assert best(world, found, "price").startswith("L2 Mairie 07:00 > Lycée 07:30")
