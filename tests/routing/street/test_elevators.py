"""Elevators of the map: which floors they join, who rides them, and who passes by."""

from __future__ import annotations

import itertools
from pathlib import Path

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.geo import METRES_PER_DEGREE
from routing.street.elevators import ELEVATOR_S
from routing.street.graph import KINDS, PROFILES, Streets, build_streets
from routing.street.kernels import NO_ACCESS
from routing.street.osm import read_osm
from routing.street.osm_write import OsmNode, OsmWay, write_osm
from routing.street.rules import Speeds
from routing.street.step_free import StepFree
from tests.oracles.elevator_oracle import Segment, floors_graph
from tests.routing.street.small_streets import Tags, digraph, raw_world

pytestmark = pytest.mark.unit
SPEEDS = Speeds(foot_mps=1.0, wheelchair_mps=0.5, stairs_mps=0.5)
STREET = {"highway": "residential"}
FOOTWAY = {"highway": "footway"}
LIFT = {"highway": "elevator"}
# Node 5 is the elevator; 1, 2, 3, 4 lie 100 m west, east, north and south of it.
PLACES = {1: (0.0, -100.0), 2: (0.0, 100.0), 3: (100.0, 0.0), 4: (-100.0, 0.0), 5: (0.0, 0.0)}
WHERE = {i: (n / METRES_PER_DEGREE, e / METRES_PER_DEGREE) for i, (n, e) in PLACES.items()}


def on(level: str, tags: Tags = FOOTWAY) -> Tags:
    return {**tags, "level": level}


def streets_of(*ways: tuple[list[int], Tags], lift: Tags = LIFT) -> Streets:
    return build_streets(raw_world(WHERE, ways, {5: lift}), SPEEDS)


def node_at(streets: Streets, lat: float, lon: float) -> int:
    return int(np.hypot(streets.node_lat - lat, streets.node_lon - lon).argmin())


def seconds(streets: Streets, profile: str, start: int, end: int) -> int | None:
    """Seconds between two of the outer nodes, or None where there is no way."""
    ends = (node_at(streets, *WHERE[start]), node_at(streets, *WHERE[end]))
    try:
        found: int = nx.dijkstra_path_length(digraph(streets, profile), *ends, weight="s")
    except nx.NetworkXNoPath:
        return None
    return found


def test_elevator_joins_ways_of_two_levels() -> None:
    streets = streets_of(([1, 5], on("0")), ([5, 2], on("1")))
    assert list(streets.elevator_id) == ["osm:node/5"]
    assert seconds(streets, "foot", 1, 2) == 100 + ELEVATOR_S + 100
    # Wheels take twice as long on the street, and as long in the elevator.
    assert seconds(streets, "wheelchair", 2, 1) == 200 + ELEVATOR_S + 200
    own = streets.edge_elevator == 0
    assert {KINDS[kind] for kind in streets.edge_kind[own]} == {"elevator"}
    assert set(streets.edge_step_free[own].tolist()) == {StepFree.UNKNOWN}


def test_who_passes_by_on_his_floor_does_not_ride() -> None:
    streets = streets_of(([1, 5, 2], FOOTWAY), ([3, 5, 4], on("1")))
    assert seconds(streets, "foot", 1, 2) == 200
    assert seconds(streets, "foot", 3, 4) == 200
    assert seconds(streets, "foot", 1, 3) == 200 + ELEVATOR_S


@pytest.mark.parametrize(
    ("ways", "ridden"),
    [
        # A bridge above the street; neither says its level.
        ([([1, 5], FOOTWAY), ([5, 2], {**FOOTWAY, "layer": "1"})], True),
        # Nothing tells floors: each footway is one.
        ([([1, 5], FOOTWAY), ([5, 2], FOOTWAY)], True),
        # A street goes on, whatever stands beside it; so does a path for bikes.
        ([([1, 5], STREET), ([5, 2], STREET)], False),
        ([([1, 5], {"highway": "path"}), ([5, 2], {"highway": "cycleway", "foot": "yes"})], False),
        # The elevator is beside the stairs.
        ([([1, 5], FOOTWAY), ([5, 2], {"highway": "steps"})], False),
        # A way that goes on is on one floor.
        ([([1, 5, 2], FOOTWAY)], False),
    ],
)
def test_floors_are_told_by_levels_then_layers_then_footways(
    ways: list[tuple[list[int], Tags]], *, ridden: bool
) -> None:
    stairs_s = 100 if any(tags["highway"] == "steps" for _, tags in ways) else 0
    expected = 200 + stairs_s + (ELEVATOR_S if ridden else 0)
    assert seconds(streets_of(*ways), "foot", 1, 2) == expected


def test_cars_and_bikes_go_on_and_do_not_ride() -> None:
    streets = streets_of(([1, 5], STREET), ([5, 2], STREET), ([3, 5], on("1", {"highway": "path"})))
    # 100 m at 4.2 m/s, and at 28 km/h, twice.
    assert seconds(streets, "bike", 1, 2) == 24 + 24
    assert seconds(streets, "car", 1, 2) == 13 + 13
    assert seconds(streets, "bike", 1, 3) is None
    assert seconds(streets, "foot", 1, 3) == 200 + ELEVATOR_S


def test_elevator_at_a_dead_end_joins_nothing() -> None:
    streets = streets_of(([1, 5], on("0")), ([1, 2], FOOTWAY))
    assert list(streets.elevator_id) == []


@pytest.mark.parametrize("tags", [{"access": "private"}, {"foot": "no"}])
def test_private_elevator_is_not_ridden(tags: Tags) -> None:
    streets = streets_of(
        ([1, 5], on("0")), ([5, 2], on("1")), ([1, 4], STREET), lift={**LIFT, **tags}
    )
    assert list(streets.elevator_id) == []
    assert seconds(streets, "foot", 1, 2) is None


@pytest.mark.parametrize(
    ("said", "step_free", "wheels"),
    [("yes", StepFree.YES, True), ("limited", StepFree.UNKNOWN, True), ("no", StepFree.NO, False)],
)
def test_tag_wheelchair_says_who_rides(said: str, step_free: StepFree, *, wheels: bool) -> None:
    streets = streets_of(
        ([1, 5], on("0")), ([5, 2], on("1")), ([1, 4], STREET), lift={**LIFT, "wheelchair": said}
    )
    assert set(streets.edge_step_free[streets.edge_elevator == 0].tolist()) == {step_free}
    assert seconds(streets, "foot", 1, 2) == 200 + ELEVATOR_S
    assert (seconds(streets, "wheelchair", 1, 2) is not None) is wheels


def test_elevator_that_is_a_way_joins_what_touches_it(tmp_path: Path) -> None:
    """An outline of four corners, touched at two; a node on it that is marked, too, is its door."""
    corners = [(0.0, 0.0), (0.0, 4.0), (4.0, 4.0), (4.0, 0.0)]
    places = [*corners, (0.0, -100.0), (4.0, 104.0)]
    nodes = [
        OsmNode(i, n / METRES_PER_DEGREE, e / METRES_PER_DEGREE, LIFT if i == 1 else {})
        for i, (n, e) in enumerate(places, start=1)
    ]
    ways = [
        OsmWay(7, (1, 2, 3, 4, 1), {**LIFT, "name": "Ascenseur du Lavoir"}),
        OsmWay(8, (5, 1), STREET),
        OsmWay(9, (3, 6), {**FOOTWAY, "bridge": "yes", "layer": "1"}),
    ]
    write_osm(tmp_path / "a.osm", nodes, ways)
    streets = build_streets(read_osm(tmp_path / "a.osm"), SPEEDS)
    assert list(streets.elevator_id) == ["osm:way/7"]
    assert list(streets.elevator_name) == ["Ascenseur du Lavoir"]
    graph = digraph(streets, "foot")
    ends = [int(streets.node_lon.argmin()), int(streets.node_lon.argmax())]
    assert nx.dijkstra_path_length(graph, *ends, weight="s") == 100 + ELEVATOR_S + 100


def test_funicular_takes_no_less_than_a_walk(tmp_path: Path) -> None:
    places = [-1000.0, 0.0, 400.0, 1000.0]
    nodes = [OsmNode(i, 0.0, e / METRES_PER_DEGREE) for i, e in enumerate(places, start=1)]
    ways = [OsmWay(1, (1, 2), STREET), OsmWay(2, (2, 3), LIFT), OsmWay(3, (3, 4), FOOTWAY)]
    write_osm(tmp_path / "a.osm", nodes, ways)
    streets = build_streets(read_osm(tmp_path / "a.osm"), SPEEDS)
    graph = digraph(streets, "foot")
    ends = [int(streets.node_lon.argmin()), int(streets.node_lon.argmax())]
    assert nx.dijkstra_path_length(graph, *ends, weight="s") == 1000 + 400 + 600


KIND = st.sampled_from(["footway", "footway", "footway", "steps", "residential"])
LEVEL = st.sampled_from(["0", "1", "2"])
SEGMENTS = st.lists(st.tuples(st.integers(1, 7), st.integers(1, 7), KIND, LEVEL), max_size=14)
RIDDEN = st.dictionaries(st.integers(1, 7), st.sampled_from(["", "yes", "no"]), max_size=5)


@settings(max_examples=60)
@given(SEGMENTS, RIDDEN, st.sets(st.integers(1, 7)))
def test_ways_with_elevators_are_the_shortest_by_the_slow_twin(
    drawn: list[tuple[int, int, str, str]], ridden: dict[int, str], out: set[int]
) -> None:
    """
    Random segments between seven places, some of them elevators; some of those shut.

    From a street of twenty places a long one leads to every place that is no elevator: what the
    build keeps is then always that street and what hangs from it.
    """
    where = {i: (7 * i * i % 41 / 1000, 11 * i % 37 / 1000) for i in range(1, 8)}
    where |= {i: (0.2 + i / 1000, 0.2) for i in range(8, 28)}
    ends = [i for i in range(1, 8) if i not in ridden]
    segments = [Segment(a, b, kind, level) for a, b, kind, level in drawn if a != b]
    segments += [Segment(i, i + 1, "residential", "0") for i in range(8, 27)]
    segments += [Segment(8, i, "residential", "0") for i in ends]
    lifts = {i: {**LIFT, **({"wheelchair": said} if said else {})} for i, said in ridden.items()}
    ways = [([s.a, s.b], {"highway": s.kind, "level": s.level}) for s in segments]
    streets = build_streets(raw_world(where, ways, lifts), SPEEDS)
    shut = {i for i, name in enumerate(streets.elevator_id) if int(name.split("/")[1]) in out}
    for profile in ("foot", "wheelchair"):
        graph = digraph(streets, profile)
        for edge in np.flatnonzero(np.isin(streets.edge_elevator, list(shut))).tolist():
            pair = int(streets.edge_from[edge]), int(streets.edge_to[edge])
            graph.remove_edges_from([pair, pair[::-1]])
        twin = floors_graph(where, segments, ridden, out, SPEEDS, wheels=profile == "wheelchair")
        for a, b in itertools.permutations(ends, 2):
            pair = node_at(streets, *where[a]), node_at(streets, *where[b])
            found = nx.dijkstra_path_length(graph, *pair, weight="s")
            assert found == nx.dijkstra_path_length(twin, (a, ""), (b, ""), weight="s")


def test_nobody_drives_or_rides_a_bike_in_an_elevator() -> None:
    streets = streets_of(([1, 5], on("0")), ([5, 2], on("1")))
    own = streets.edge_elevator == 0
    assert own.sum() == 2
    for profile in set(PROFILES) - {"foot", "wheelchair"}:
        assert set(streets.seconds(profile, "forward")[own].tolist()) == {NO_ACCESS}
