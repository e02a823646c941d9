"""Ways into edges: seconds by hand, connected parts, edges split without losing a second."""

from __future__ import annotations

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.geo import METRES_PER_DEGREE
from routing.street.cuts import Cut, split_edges
from routing.street.graph import (
    DIRECTIONS,
    KINDS,
    PROFILES,
    Streets,
    profile_arcs,
)
from routing.street.kernels import NO_ACCESS
from routing.street.osm import UnreadableStreets
from tests.routing.street.small_streets import digraph, edge_points, step_m, world, worlds

pytestmark = pytest.mark.unit
STREET = {"highway": "residential"}
LINE = {i: (43.6 + i / 1000, 3.9) for i in range(6)}


def edges(streets: Streets) -> set[tuple[int, int]]:
    """Edges as pairs of OSM ids in `LINE` (thousandths of a degree north of 43.6)."""
    node = [round((lat - 43.6) * 1000) for lat in streets.node_lat]
    pairs = zip(streets.edge_from, streets.edge_to, strict=True)
    return {(node[a], node[b]) for a, b in pairs}


def test_way_is_one_edge_with_all_its_points() -> None:
    streets = world(LINE, ([0, 1, 2, 3], STREET))
    assert edges(streets) == {(0, 3)}
    assert [round((lat - 43.6) * 1000) for lat, _ in edge_points(streets, 0)] == [0, 1, 2, 3]
    assert streets.edge_m[0] == pytest.approx(3 * METRES_PER_DEGREE / 1000)


def test_way_is_cut_where_another_one_crosses_or_ends() -> None:
    where = {**LINE, 10: (43.602, 3.91), 11: (43.603, 3.91)}
    streets = world(where, ([0, 1, 2, 3, 4], STREET), ([10, 2, 11], STREET), ([11, 3], STREET))
    # Junctions 2 and 3, ends 0, 4 and 10, and 11, where two ways meet; 1 is only a bend.
    assert streets.node_count == 6
    assert len(streets.edge_from) == 6


def test_seconds_are_metres_over_speed_rounded() -> None:
    # A thousandth of a degree is 111.195 m: 85.5 s at 1.3 m/s, 26.5 at 4.2 m/s, 14.3 at 28 km/h.
    streets = world(LINE, ([0, 1], STREET))
    assert streets.foot_forward_s.tolist() == streets.foot_backward_s.tolist() == [86]
    assert streets.bike_forward_s.tolist() == [26]
    assert streets.car_backward_s.tolist() == [14]


def test_shortest_edge_takes_a_second() -> None:
    streets = world({0: (43.6, 3.9), 1: (43.600001, 3.9)}, ([0, 1], STREET))
    assert streets.car_forward_s.tolist() == [1]


def test_name_is_the_name_or_else_the_number() -> None:
    streets = world(
        LINE,
        ([0, 1], {**STREET, "name": "Rue du Lavoir", "ref": "D1"}),
        ([1, 2], {"highway": "primary_link", "ref": "D2"}),
        ([2, 3], STREET),
    )
    assert [streets.names[i] for i in streets.edge_name] == ["Rue du Lavoir", "D2", ""]
    assert [KINDS[i] for i in streets.edge_kind] == ["residential", "primary", "residential"]


def test_island_loses_every_profile() -> None:
    streets = world(LINE, ([0, 1, 2], STREET), ([4, 5], STREET))
    assert streets.foot_forward_s.tolist()[1] == NO_ACCESS
    assert streets.car_forward_s.tolist()[1] == NO_ACCESS
    assert streets.edge_may_stop.tolist() == [1, 0]


def test_oneway_dead_end_is_kept_on_foot_and_lost_by_car() -> None:
    streets = world(LINE, ([0, 1], STREET), ([1, 2], {**STREET, "oneway": "yes"}))
    assert streets.foot_forward_s.tolist() == [86, 86]
    assert streets.car_forward_s.tolist() == [14, NO_ACCESS]
    assert streets.edge_may_stop.tolist() == [1, 0]


def test_extract_without_a_usable_way_is_refused() -> None:
    with pytest.raises(UnreadableStreets, match="no way of the extract may be used"):
        world(LINE, ([0, 1], {"highway": "construction"}))
    with pytest.raises(UnreadableStreets, match="no way with a highway tag"):
        world(LINE)


def test_extract_without_any_road_has_no_drivers_but_walkers() -> None:
    streets = world(LINE, ([0, 1, 2], {"highway": "footway"}))
    assert streets.foot_forward_s.tolist() == [171]  # 222.39 m at 1.3 m/s: 171.07
    assert set(streets.car_forward_s.tolist()) == {NO_ACCESS}


@given(worlds())
@settings(deadline=None, derandomize=True)
def test_every_profile_keeps_its_largest_part_and_can_go_there_and_back(streets: Streets) -> None:
    for profile in PROFILES:
        graph = digraph(streets, profile)
        touched = [node for node in graph if graph.degree(node)]
        part = graph.subgraph(touched)
        assert not touched or nx.is_strongly_connected(part), profile


@given(worlds())
@settings(deadline=None, derandomize=True, max_examples=50)
def test_arcs_are_the_edges_in_both_directions_and_reverse_turns_them(streets: Streets) -> None:
    for profile in PROFILES:
        onward, back = (profile_arcs(streets, profile, reverse=r) for r in (False, True))
        expected = []
        for e in range(len(streets.edge_from)):
            ends = (int(streets.edge_from[e]), int(streets.edge_to[e]))
            for bit, direction in enumerate(DIRECTIONS):
                seconds = int(streets.seconds(profile, direction)[e])
                if seconds != NO_ACCESS:
                    expected.append((*(ends[::-1] if bit else ends), seconds, 2 * e + bit))
        tails, reversed_tails = (
            np.repeat(np.arange(streets.node_count), np.diff(a.first)) for a in (onward, back)
        )
        columns = (tails, onward.head, onward.seconds, onward.way)
        assert sorted(zip(*(c.tolist() for c in columns), strict=True)) == sorted(expected)
        columns = (back.head, reversed_tails, back.seconds, back.way)
        assert sorted(zip(*(c.tolist() for c in columns), strict=True)) == sorted(expected)


SHARES = st.sampled_from([0, 0.001, 0.3, 0.5, 0.5002, 0.77, 1])
CUTS = st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 10**6), SHARES), max_size=8)


@given(worlds(), CUTS)
@settings(deadline=None, derandomize=True, max_examples=60)
def test_split_edges_keep_their_seconds_and_metres(
    streets: Streets, drawn: list[tuple[int, int, float]]
) -> None:
    cuts = []
    for edge_draw, point_draw, share in drawn:
        edge = edge_draw % len(streets.edge_from)
        a, b = int(streets.edge_first_point[edge]), int(streets.edge_first_point[edge + 1])
        cuts.append(Cut(edge, a + point_draw % (b - 1 - a), share))
    split, node = split_edges(streets, cuts)
    # Sums of whole seconds and lengths are what they were.
    assert split.edge_m.sum() == pytest.approx(streets.edge_m.sum())
    for profile in PROFILES:
        for direction in DIRECTIONS:
            before, after = (s.seconds(profile, direction) for s in (streets, split))
            assert after[after != NO_ACCESS].sum() == before[before != NO_ACCESS].sum()
            assert (after[after != NO_ACCESS] >= 0).all()
    # Every cut stands where it was made, give or take half a metre.
    for cut, at in zip(cuts, node.tolist(), strict=True):
        p, t = cut.point, cut.share
        lat, lon = (
            float(v[p] + t * (v[p + 1] - v[p])) for v in (streets.point_lat, streets.point_lon)
        )
        place = (float(split.node_lat[at]), float(split.node_lon[at]))
        assert step_m((lat, lon), place) <= 0.51
    # Shapes run from node to node and have the length that the edge says.
    for edge in range(len(split.edge_from)):
        points = edge_points(split, edge)
        for end, where in ((split.edge_from[edge], points[0]), (split.edge_to[edge], points[-1])):
            assert (split.node_lat[end], split.node_lon[end]) == where
        length = sum(step_m(a, b) for a, b in zip(points, points[1:], strict=False))
        # Each straight segment is measured on its own plane: parts of a long one differ a little.
        assert length == pytest.approx(split.edge_m[edge], rel=1e-3, abs=0.01)
    # Nobody's way between the old nodes gets shorter or longer.
    for profile in PROFILES:
        old, new = (
            dict(nx.all_pairs_dijkstra_path_length(digraph(s, profile), weight="s"))
            for s in (streets, split)
        )
        for a in old:
            assert {b: s for b, s in new[a].items() if b < streets.node_count} == old[a]
