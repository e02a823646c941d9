"""What a leg is to a wheelchair, as answers say it."""

from __future__ import annotations

import pytest

from mobility.mapping.access import write_access
from tests.support.stations import ask, lift_id, station_world

pytestmark = pytest.mark.unit

STATION = """
    stop  Mairie  0     yes
    stop  Gare    6000  station yes
    stop  Quai    6000  in Gare
    stop  Nord    6000  entrance in Gare
    way   lift    Nord <> Quai  elevator 60
    lift  6060    yes
    trip  T1      Mairie 07:00 Quai 07:10 yes
"""


def test_walk_says_which_elevators_it_takes_of_stations_and_of_the_map() -> None:
    """The streets are not said to be step-free: unknown is the worst, and OSM does not say it."""
    world = station_world(STATION)
    found = ask(world, 0.0, 6180.0, depart="07:00", wheelchair=True)
    access = found.itineraries[0].legs[-1].access
    assert access is not None
    assert write_access(world.network.timetable, access) == {
        "accessible": "unknown",
        "accessible_sources": ["OSM"],
        "pathways": [{"id": "tiny:lift", "mode": "elevator"}],
        "elevators": ["tiny:lift", lift_id(6060)],
    }
