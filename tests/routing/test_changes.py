"""Where riders are told to change."""

from __future__ import annotations

import pytest

from tests.support.tiny import plan, tiny_world

pytestmark = pytest.mark.unit


def test_rider_changes_where_there_is_most_time_to_spare() -> None:
    # Both lines call at Gare and Marché; at Marché the second waits five minutes.
    world = tiny_world("""
        L1   Mairie  Gare    Marché  Plage
             07:00   07:10   07:15   07:30
        L2   Gare    Marché        Lycée
             07:13   07:17/07:22   07:30
    """)
    assert plan(world, "Mairie", "Lycée", depart="07:00") == [
        (
            "L1 Mairie 07:00 > Marché 07:15 | L2 Marché 07:22 > Lycée 07:30  "
            "[07:00 > 07:30, 1 transfer]"
        ),
    ]


def test_rider_changes_at_one_stop_rather_than_walk_to_another() -> None:
    # From Gare one could walk four minutes to Halle, with more time to spare.
    world = tiny_world("""
        street  Mairie 100min Gare 4min Halle 100min Marché 100min Lycée
        L1   Mairie  Gare    Marché
             07:00   07:10   07:20
        L2   Halle   Marché  Lycée
             07:21   07:22   07:30
    """)
    assert plan(world, "Mairie", "Lycée", depart="07:00") == [
        (
            "L1 Mairie 07:00 > Marché 07:20 | L2 Marché 07:22 > Lycée 07:30  "
            "[07:00 > 07:30, 1 transfer]"
        ),
    ]


def test_nobody_changes_where_getting_out_is_not_allowed() -> None:
    world = tiny_world("""
        L1   Mairie  Gare    Marché   Plage
             07:00   07:10   07:15b   07:30
        L2   Gare    Marché        Lycée
             07:13   07:17/07:22   07:30
    """)
    assert plan(world, "Mairie", "Lycée", depart="07:00") == [
        ("L1 Mairie 07:00 > Gare 07:10 | L2 Gare 07:13 > Lycée 07:30  [07:00 > 07:30, 1 transfer]"),
    ]


def test_second_change_fits_the_first() -> None:
    # L2 is boarded at Gare or Marché and left at Lycée or Stade: each after the other.
    world = tiny_world("""
        L1   Mairie  Gare    Marché
             07:00   07:10   07:14
        L2   Gare    Marché  Lycée   Stade
             07:12   07:18   07:25   07:30
        L3   Lycée   Stade   Hôpital
             07:27   07:33   07:40
    """)
    assert plan(world, "Mairie", "Hôpital", depart="07:00") == [
        (
            "L1 Mairie 07:00 > Marché 07:14 | L2 Marché 07:18 > Stade 07:30 | "
            "L3 Stade 07:33 > Hôpital 07:40  [07:00 > 07:40, 2 transfers]"
        ),
    ]
