"""Isochrones: points against the planner and networkx, outlines against the points."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import networkx as nx
import numpy as np
import pytest
import shapely

from core.errors import InvalidInput
from core.geo import METRES_PER_DEGREE, Coordinate
from gtfs_data.checks import Findings
from routing.build import build_network
from routing.isochrones import Isochrone, search_isochrone
from routing.network import Network
from routing.query import Endpoint, Limits
from routing.raptor.labels import FAR
from routing.street.access import ties
from routing.street.graph import build_streets
from routing.street.osm import raw_streets
from routing.travel_times import TravelQuery
from tests.oracles.travel_oracle import NEVER_S, planned_minutes_s
from tests.support.grids import random_grid
from tests.support.tiny import (
    SPEEDS,
    ZONE,
    World,
    endpoint,
    instant,
    past_timetable,
    tiny_world,
)

pytestmark = pytest.mark.unit

TOWN = """
    street   Ferme 100min Mairie 100min Gare 4min Halle
    L1   Mairie  Gare         Lycée
         07:00   07:10        07:25
         07:30   07:40        07:55
"""


def isochrone(
    world: World, place: str, *, at: str, minutes: list[int], window: int = 0, **more: Any
) -> Isochrone:
    """Isochrone of a place of the street."""
    query = TravelQuery(instant(at), window * 60, 60 * max(minutes))
    return search_isochrone(
        world.network, endpoint(world, place), query, [60 * m for m in minutes],
        limits=Limits(), **more,
    )  # fmt: skip


def within(found: Isochrone, cutoff: int, place: Coordinate) -> bool:
    """Whether a place lies in one of the areas."""
    return bool(shapely.contains_xy(found.areas[cutoff], place.lon, place.lat))


def test_the_bus_opens_up_what_lies_around_its_stops() -> None:
    # Leaving Mairie at 7:00, one gets out at Gare at 7:10 and has ten minutes left of twenty.
    world = tiny_world(TOWN)
    found = isochrone(world, "Mairie", at="07:00", minutes=[20])
    for name, north_m, reached in (
        ("Mairie", 0, True), ("Mairie", 1000, True), ("Mairie", 1350, False),
        ("Gare", 0, True), ("Gare", 500, True), ("Gare", 700, False),
        ("Halle", 0, True), ("Halle", 250, True), ("Halle", 500, False),
        ("Lycée", 0, False), ("Ferme", 0, False),
    ):  # fmt: skip
        assert within(found, 0, world.at(name, north_m)) is reached, (name, north_m)


def test_who_leaves_after_the_bus_has_only_the_walk() -> None:
    world = tiny_world(TOWN)
    found = isochrone(world, "Mairie", at="07:01", minutes=[20])
    assert within(found, 0, world.at("Mairie", 1000))
    assert not within(found, 0, world.at("Gare"))


def test_a_percentile_says_at_how_many_departures_a_place_is_within_reach() -> None:
    # Gare is ten minutes by bus: 22 minutes leave some to walk there for departures from 7:19 to
    # 7:30, 12 of 30.
    world = tiny_world(TOWN)
    for percentile, reached in ((40, True), (44, False)):
        found = isochrone(
            world, "Mairie", at="07:01", minutes=[22], window=30, percentile=percentile
        )
        assert within(found, 0, world.at("Gare")) is reached


def test_areas_are_valid_and_each_holds_the_lesser_ones() -> None:
    world = tiny_world(TOWN)
    found = isochrone(world, "walk 3min > Mairie", at="06:55", minutes=[45, 5, 15, 30])
    assert found.cutoffs_s == (300, 900, 1800, 2700)
    for area in found.areas:
        assert area.is_valid
        assert area.geom_type == "MultiPolygon"
    for less, more in zip(found.areas, found.areas[1:], strict=False):
        assert less.difference(more).area < 1e-12
        assert less.area < more.area
    assert list(found.areas_km2) == sorted(found.areas_km2)


def test_geojson_has_longitude_first_and_rings_that_turn_as_the_standard_says() -> None:
    world = tiny_world(TOWN)
    content = isochrone(world, "Mairie", at="07:00", minutes=[10, 20], window=5).as_geojson()
    assert content["type"] == "FeatureCollection"
    first, second = content["features"]
    assert first["properties"]["minutes"] == 10
    assert second["properties"]["window_minutes"] == 5
    assert second["properties"]["depart"] == "2026-03-10T07:00:00+01:00"
    shape = shapely.geometry.shape(second["geometry"])
    assert shape.is_valid
    mairie = world.at("Mairie")
    assert shape.contains(shapely.Point(mairie.lon, mairie.lat))
    for polygon in second["geometry"]["coordinates"]:
        for i, ring in enumerate(polygon):
            assert ring[0] == ring[-1]
            assert shapely.LinearRing(ring).is_ccw is (i == 0)


def test_a_block_without_streets_is_a_hole() -> None:
    # Streets around an empty square of 1.5 km: its middle is farther than 250 m from all of them.
    grid = hollow_square(1500)
    found = search_isochrone(
        grid, Endpoint(Coordinate(0.0, 0.0)),
        TravelQuery(instant("2026-01-01 10:00"), most_s=7200, max_direct_s=7200), [7200],
        limits=Limits(),
    )  # fmt: skip
    (area,) = found.areas[0].geoms
    assert len(area.interiors) == 1
    middle = 750 / METRES_PER_DEGREE
    assert not shapely.contains_xy(area, middle, middle)
    assert shapely.contains_xy(area, 0.0, middle)


def test_nothing_is_within_reach_of_a_place_far_from_everything() -> None:
    world = tiny_world(TOWN)
    found = search_isochrone(
        world.network, Endpoint(Coordinate(10.0, 10.0)), TravelQuery(instant("07:00"), most_s=900),
        [900], limits=Limits(),
    )  # fmt: skip
    assert found.areas[0].is_empty
    assert found.areas_km2 == (0.0,)
    assert found.as_geojson()["features"][0]["geometry"]["coordinates"] == []


@pytest.mark.parametrize("wrong", [[], [0], [1200, 7201], list(range(1, 26))])
def test_cutoffs_out_of_bounds_are_refused(wrong: list[int]) -> None:
    world = tiny_world(TOWN)
    with pytest.raises(InvalidInput, match="cutoffs"):
        search_isochrone(
            world.network, endpoint(world, "Gare"), TravelQuery(instant("07:00")), wrong,
            limits=Limits(),
        )  # fmt: skip


def test_points_have_the_times_that_the_planner_finds() -> None:
    world = tiny_world(TOWN)
    origin = endpoint(world, "walk 3min > Mairie")
    query = TravelQuery(instant("06:50"), 8 * 60, most_s=40 * 60)
    surface = search_isochrone(
        world.network, origin, query, [2400], percentile=50, limits=Limits()
    ).surface
    rng = np.random.default_rng(3)
    reached = np.argwhere(surface.seconds < FAR)
    beyond = np.argwhere(surface.seconds == FAR)
    for row, column in [*rng.permutation(reached)[:30], *rng.permutation(beyond)[:10]]:
        place = Endpoint(Coordinate(float(surface.lat[row]), float(surface.lon[column])))
        wanted = sorted(planned_minutes_s(world.network, origin, place, query, Limits()))[3]
        found = int(surface.seconds[row, column])
        assert (found if found < FAR else NEVER_S) == wanted


@pytest.mark.parametrize("seed", range(5))
def test_on_foot_alone_points_are_as_far_as_networkx_says(seed: int) -> None:
    grid = random_grid(seed)
    network = grid.network
    origin = Coordinate(
        0.4 * grid.north_m / METRES_PER_DEGREE, 0.3 * grid.east_m / METRES_PER_DEGREE
    )
    query = TravelQuery(instant("2026-01-01 10:00"), most_s=1500)
    surface = search_isochrone(network, Endpoint(origin), query, [1500], limits=Limits()).surface
    walked = walked_s(network, origin)
    compared = 0
    for row, column in np.argwhere(surface.seconds >= 0)[::7]:
        place = Coordinate(float(surface.lat[row]), float(surface.lon[column]))
        snapped = network.find_snapped("foot", place, query.max_matching_m)
        start = network.find_snapped("foot", origin, query.max_matching_m)
        if snapped is None or start is None or snapped.edge == start.edge:
            continue  # along one edge there is no node between
        tied = ties(network.streets, "foot", snapped, leaving=False, off_street_mps=1.0)
        wanted = min(walked.get(node, math.inf) + s for node, s in tied.pairs())
        compared += wanted <= 1500
        assert int(surface.seconds[row, column]) == (wanted if wanted <= 1500 else FAR)
    assert compared > 20


def test_without_a_street_map_areas_are_circles_around_the_stops_that_are_reached() -> None:
    # At Lycée at 7:25: five minutes are left of thirty, 231 m as one walks 1.3 times the line.
    bare = bare_town()
    found = search_isochrone(
        bare.network, endpoint(bare, "Mairie"), TravelQuery(instant("07:00"), most_s=1800), [1800],
        limits=Limits(),
    )  # fmt: skip
    assert within(found, 0, bare.at("Lycée", 190))
    assert not within(found, 0, bare.at("Lycée", 270))
    around_mairie = min(found.areas[0].geoms, key=lambda polygon: polygon.centroid.x)
    radius_m = math.sqrt(around_mairie.area / math.pi) * METRES_PER_DEGREE
    assert radius_m == pytest.approx(1800 / 1.3, abs=30)
    surface, dice = found.surface, np.random.default_rng(1)
    query = TravelQuery(instant("07:00"), most_s=1800)
    for row, column in dice.permutation(np.argwhere(surface.seconds < FAR))[:30]:
        place = Endpoint(Coordinate(float(surface.lat[row]), float(surface.lon[column])))
        wanted = planned_minutes_s(bare.network, endpoint(bare, "Mairie"), place, query, Limits())
        assert [int(surface.seconds[row, column])] == wanted


def bare_town() -> World:
    """The town without its streets."""
    town = tiny_world(TOWN)
    network = build_network(
        town.network.timetable, None, zone=ZONE, sites=[], speeds=SPEEDS, findings=Findings()
    )
    return replace(town, network=network)


def hollow_square(side_m: float) -> Network:
    """Four streets around nothing."""
    side = side_m / METRES_PER_DEGREE
    corners = dict(enumerate([(0.0, 0.0), (0.0, side), (side, side), (side, 0.0)]))
    refs, tags = [0, 1, 1, 2, 2, 3, 3, 0], [{"highway": "residential"}] * 4
    streets = build_streets(raw_streets(refs, [0, 2, 4, 6, 8], tags, corners), SPEEDS)
    return build_network(
        past_timetable(), streets, zone=ZONE, sites=[], speeds=SPEEDS, findings=Findings()
    )


def walked_s(network: Network, origin: Coordinate) -> dict[int, int]:
    """Seconds on foot from a place to every street node, by networkx."""
    arcs = network.arcs["foot"]
    graph = nx.DiGraph()
    tails = np.repeat(np.arange(len(arcs.first) - 1), np.diff(arcs.first))
    for a, b, s in zip(tails.tolist(), arcs.head.tolist(), arcs.seconds.tolist(), strict=True):
        if not graph.has_edge(a, b) or graph[a][b]["s"] > s:
            graph.add_edge(a, b, s=s)
    start = network.find_snapped("foot", origin, 250)
    assert start is not None
    tied = ties(network.streets, "foot", start, leaving=True, off_street_mps=1.0)
    for node, s in tied.pairs():
        graph.add_edge("start", node, s=s)
    found: dict[int, int] = nx.single_source_dijkstra_path_length(graph, "start", weight="s")
    return found
