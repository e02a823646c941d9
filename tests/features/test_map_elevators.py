"""Porto Alegre's elevators of OpenStreetMap: ridden, put out of service one by one, led around."""

from __future__ import annotations

import datetime as dt
import itertools
from dataclasses import dataclass

import numpy as np
import osmium
import pytest

from core.geo import Coordinate
from mobility.world import Snapshot
from routing.itinerary import PlanAnswer
from routing.outages import plan_around
from routing.query import Endpoint, PlanQuery
from routing.raptor.body_table import no_flexible_trips
from routing.raptor.search import no_rides
from tests.support.territories import build_real, random_places, shared_data

JOINING = 15
"""Of 28 elevators; 13 stand at a dead end, beside stairs, or off the connected ways."""
PAIRS_TRIED = 60
WALKS = 100


@dataclass(frozen=True, slots=True)
class City:
    """A territory of real files, by wheelchair."""

    snapshot: Snapshot
    on_map: frozenset[str]
    """Elevators that are nodes of the extract."""

    def walk(
        self, start: Coordinate, end: Coordinate, out: frozenset[str] = frozenset()
    ) -> PlanAnswer:
        """One walk by wheelchair, with elevators out of service."""
        network = self.snapshot.network
        at = dt.datetime(2019, 5, 15, 8, tzinfo=network.zone)
        query = PlanQuery(
            Endpoint(start), Endpoint(end), at, window_s=0, wheelchair=True, carpool=False,
            wheelchair_unknown=True, max_direct_s=5400,
        )  # fmt: skip
        return plan_around(
            network, query, flexible=no_flexible_trips(), rides_on=lambda _: no_rides(),
            limits=self.snapshot.limits, shut=out,
        )  # fmt: skip


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> City:
    data = shared_data("porto_alegre")
    out = tmp_path_factory.mktemp("porto-alegre")
    osm, feeds = data / "poa.osm.pbf", {"rail": data / "trensurb_gtfs.zip"}
    snapshot = build_real("poa", "America/Sao_Paulo", osm, feeds, out)
    wanted = osmium.filter.TagFilter(("highway", "elevator"))
    nodes = osmium.FileProcessor(str(osm), osmium.osm.NODE).with_filter(wanted)
    return City(snapshot, frozenset(f"osm:node/{node.id}" for node in nodes))


def ridden(answer: PlanAnswer) -> tuple[str, ...]:
    access = answer.direct[0].legs[0].access if answer.direct else None
    return () if access is None else access.elevators


def test_elevators_that_join_something_are_listed_with_a_place(city: City) -> None:
    listed = city.snapshot.network.elevators
    assert len(city.on_map) == 28
    assert set(listed) <= city.on_map
    assert len(listed) == JOINING
    assert all(elevator.station for elevator in listed.values())


def test_every_elevator_that_somebody_rides_is_led_around_and_named(city: City) -> None:
    """Between the far ends of the ways that meet at an elevator."""
    streets = city.snapshot.network.streets
    moved, lost = set(), set()
    for name, elevator in city.snapshot.network.elevators.items():
        doors = streets.edge_from[list(elevator.edges)]
        meets = np.isin(streets.edge_from, doors) != np.isin(streets.edge_to, doors)
        meets[list(elevator.edges)] = False
        first, end = streets.edge_first_point[:-1][meets], streets.edge_first_point[1:][meets]
        middles = (first + end) // 2
        places = [
            Coordinate(float(streets.point_lat[i]), float(streets.point_lon[i]))
            for i in middles.tolist()
        ]
        for start, goal in itertools.islice(itertools.permutations(places, 2), PAIRS_TRIED):
            usual = city.walk(start, goal)
            if name not in ridden(usual):
                continue
            around = city.walk(start, goal, frozenset([name]))
            assert name not in ridden(around)
            assert around.explanations[0].code == "elevator_out_of_service"
            assert around.explanations[0].values["elevator"] == name
            if around.direct:
                assert around.direct[0].end_at >= usual.direct[0].end_at
                moved.add(name)
            else:
                lost.add(name)
            break
    assert len(moved | lost) >= 5
    assert moved


def test_no_walk_rides_what_is_out_of_service(city: City) -> None:
    network = city.snapshot.network
    places = iter(random_places(network, 2 * WALKS, seed=7))
    out = frozenset(network.elevators)
    for start, end in itertools.islice(zip(places, places, strict=True), WALKS):
        usual, around = city.walk(start, end), city.walk(start, end, out)
        assert ridden(around) == ()
        if not ridden(usual):
            assert [it.end_at for it in around.direct] == [it.end_at for it in usual.direct]
