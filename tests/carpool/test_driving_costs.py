"""What a drive costs: by hand on a small street, toll by what the map says."""

from __future__ import annotations

import pytest

from carpool.compile import OfferUnusable
from carpool.driving_costs import DrivenWay, DrivingCosts, cost_of_drive, driven_way
from carpool.offers import Energy
from core.geo import Coordinate
from gtfs_data.checks import Findings
from routing.build import build_network
from tests.routing.street.small_streets import world
from tests.support.tiny import SPEEDS, ZONE, past_timetable

pytestmark = pytest.mark.unit
TWENTY_KM = DrivenWay(drive_s=1_200, metres=20_000, toll_metres=12_000)


def test_energy_is_by_fuel_and_power_and_toll_by_kilometre() -> None:
    costs = DrivingCosts()
    usual = cost_of_drive(costs, TWENTY_KM, None, None)
    assert (usual.energy_cents, usual.toll_cents) == (304, 132)
    assert cost_of_drive(costs, TWENTY_KM, Energy.PETROL, 5) == usual
    small, large = (cost_of_drive(costs, TWENTY_KM, Energy.DIESEL, p) for p in (4, 12))
    assert (small.energy_cents, large.energy_cents) == (198, 364)
    assert cost_of_drive(costs, TWENTY_KM, Energy.ELECTRIC, None).energy_cents == 80


def test_all_who_sit_in_the_car_share_alike() -> None:
    cost = cost_of_drive(DrivingCosts(), TWENTY_KM, None, None)
    assert [cost.share_cents(riders) for riders in (1, 2, 3)] == [218, 145, 109]


def test_metres_of_toll_are_those_that_the_drive_takes() -> None:
    road = {"highway": "primary", "maxspeed": "50"}
    where = {i: (43.6 + i / 100, 3.9) for i in range(4)}
    streets = world(where, ([0, 1], road), ([1, 2], {**road, "toll": "yes"}), ([2, 3], road))
    network = build_network(
        past_timetable(), streets, zone=ZONE, sites=[], speeds=SPEEDS, findings=Findings()
    )
    way = driven_way(network, [Coordinate(43.601, 3.9), Coordinate(43.629, 3.9)])
    assert way.metres == pytest.approx(3_113, abs=10)
    assert way.toll_metres == pytest.approx(1_112, abs=3)
    back = driven_way(network, [Coordinate(43.601, 3.9), Coordinate(43.609, 3.9)])
    assert back.toll_metres == 0
    part = driven_way(network, [Coordinate(43.601, 3.9), Coordinate(43.615, 3.9)])
    assert part.toll_metres == pytest.approx(556, abs=5)
    with pytest.raises(OfferUnusable, match="no street open to cars"):
        driven_way(network, [Coordinate(43.601, 3.9), Coordinate(44.9, 3.9)])


@pytest.mark.parametrize(
    ("tags", "pays"),
    [
        ({"toll": "yes"}, 1), ({"toll": "no"}, 0), ({}, 0), ({"toll:motorcar": "yes"}, 1),
        ({"toll": "yes", "toll:motorcar": "no"}, 0), ({"toll": "yes", "motorcar": "no"}, 0),
    ],
)  # fmt: skip
def test_toll_is_what_the_map_says_of_cars(tags: dict[str, str], pays: int) -> None:
    streets = world(
        {0: (43.6, 3.9), 1: (43.61, 3.9), 2: (43.62, 3.9)},
        ([0, 1], {"highway": "primary", **tags}), ([1, 2], {"highway": "primary"}),
    )  # fmt: skip
    assert streets.edge_toll.tolist()[0] == pays
