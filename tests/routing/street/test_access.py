"""Searches on small street worlds against networkx and against looking at every segment."""

from __future__ import annotations

import math

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.geo import Coordinate
from routing.street.access import Snapped, at_node, build_grid, find_route, snap
from routing.street.graph import Streets
from routing.street.kernels import NO_ACCESS, NO_GOAL, new_arena, search_within
from tests.routing.street.small_streets import (
    PLACES,
    arcs_of,
    digraph,
    edge_points,
    nearest_by_hand,
    step_m,
    usable_edges,
    world,
    worlds,
)

pytestmark = pytest.mark.unit
OFTEN = settings(deadline=None, derandomize=True, max_examples=50)
FOOT_MPS = 1.3
FAR_S = 10**6


@given(
    worlds(),
    st.sampled_from(["foot", "bike", "car"]),
    st.lists(st.tuples(st.integers(0, 99), st.integers(0, 200)), min_size=1, max_size=4),
    st.sampled_from([0, 60, 200, 600, FAR_S]),
)
@OFTEN
def test_search_settles_what_networkx_reaches_within_the_limit(
    streets: Streets, profile: str, seeds: list[tuple[int, int]], limit_s: int
) -> None:
    graph, arcs = digraph(streets, profile), arcs_of(streets, profile)
    arena = new_arena(streets.node_count, len(arcs.head))
    for node, seconds in seeds:
        here = node % streets.node_count
        least = min(seconds, graph.get_edge_data("seed", here, {"s": seconds})["s"])
        graph.add_edge("seed", here, s=least)
    expected = nx.single_source_dijkstra_path_length(graph, "seed", cutoff=limit_s, weight="s")
    del expected["seed"]
    nodes = np.array([node % streets.node_count for node, _ in seeds], np.int32)
    at_s = np.array([seconds for _, seconds in seeds], np.int32)
    for _ in range(2):  # the scratch may be used again
        count = search_within(arcs, nodes, at_s, limit_s, NO_GOAL, NO_GOAL, arena)
        settled = arena.settled[:count].tolist()
        assert {node: int(arena.seconds[node]) for node in settled} == expected
        assert len(set(settled)) == count
        assert (np.diff(arena.seconds[arena.settled[:count]]) >= 0).all()


@given(worlds(), st.integers(0, 99), st.integers(0, 99))
@OFTEN
def test_search_for_a_target_stops_there_with_its_seconds(
    streets: Streets, start: int, end: int
) -> None:
    graph, arcs = digraph(streets, "foot"), arcs_of(streets, "foot")
    start, end = start % streets.node_count, end % streets.node_count
    arena = new_arena(streets.node_count, len(arcs.head))
    seed = np.array([start], np.int32)
    count = search_within(
        arcs,
        seed,
        np.zeros(1, np.int32),
        FAR_S,
        np.array([end], np.int32),
        np.zeros(1, np.int32),
        arena,
    )
    if nx.has_path(graph, start, end):
        assert arena.settled[count - 1] == end
        assert arena.seconds[end] == nx.dijkstra_path_length(graph, start, end, weight="s")
    else:
        assert end not in arena.settled[:count]


@given(
    worlds(),
    st.sampled_from(["foot", "car"]),
    PLACES,
    st.sampled_from([5.0, 100.0, 149.0, 700.0, 3000.0]),
)
@OFTEN
def test_place_is_tied_to_the_nearest_edge_that_may_be_used(
    streets: Streets, profile: str, place: tuple[float, float], limit_m: float
) -> None:
    usable = usable_edges(streets, profile)
    found = snap(build_grid(streets), usable, Coordinate(*place), limit_m)
    expected = nearest_by_hand(streets, usable.astype(bool).tolist(), *place)
    if not expected or expected[0].away_m > limit_m + 1e-6:
        assert found is None
        return
    if expected[0].away_m > limit_m - 1e-6:
        return  # on the limit: either answer
    assert found is not None
    assert found.away_m == pytest.approx(expected[0].away_m, abs=1e-6)
    assert found.edge in {n.edge for n in expected if n.away_m < expected[0].away_m + 1e-6}
    first, last = streets.edge_first_point[found.edge], streets.edge_first_point[found.edge + 1]
    assert first <= found.point < last - 1
    assert 0 <= found.share <= 1


def test_of_two_edges_equally_near_the_first_is_taken() -> None:
    # Two ways over the same two nodes.
    where = {0: (43.6, 3.9), 1: (43.6, 3.91)}
    street = {"highway": "residential"}
    streets = world(where, ([0, 1], street), ([1, 0], street))
    found = snap(build_grid(streets), usable_edges(streets, "foot"), Coordinate(43.601, 3.905), 500)
    assert found is not None
    assert found.edge == 0


def share_by_hand(streets: Streets, at: Snapped) -> float:
    points = edge_points(streets, at.edge)
    steps = [step_m(a, b) for a, b in zip(points, points[1:], strict=False)]
    whole = sum(steps)
    if whole == 0:
        return 0.0
    n = at.point - int(streets.edge_first_point[at.edge])
    return (sum(steps[:n]) + at.share * steps[n]) / whole


def seconds_by_networkx(
    streets: Streets, profile: str, start: Snapped, end: Snapped, mps: float
) -> int | None:
    """Shortest way in a graph to which both places were added, with parts of their edges."""
    graph = digraph(streets, profile)
    graph.add_nodes_from(["start", "end"])

    def add(tail: object, head: object, seconds: int) -> None:
        least = min(seconds, graph.get_edge_data(tail, head, {"s": seconds})["s"])
        graph.add_edge(tail, head, s=least)

    for name, at in (("start", start), ("end", end)):
        if at.node >= 0:
            add(*(("start", at.node) if name == "start" else (at.node, "end")), 0)
            continue
        share = share_by_hand(streets, at)
        a, b = int(streets.edge_from[at.edge]), int(streets.edge_to[at.edge])
        forward = int(streets.seconds(profile, "forward")[at.edge])
        backward = int(streets.seconds(profile, "backward")[at.edge])
        if forward != NO_ACCESS:
            done = round(share * forward)
            add(*(("start", b, forward - done) if name == "start" else (a, "end", done)))
        if backward != NO_ACCESS:
            done = round(share * backward)
            add(*(("start", a, done) if name == "start" else (b, "end", backward - done)))
    if start.edge == end.edge >= 0:
        s, e = share_by_hand(streets, start), share_by_hand(streets, end)
        for direction, fits in (("forward", e >= s), ("backward", e <= s)):
            whole = int(streets.seconds(profile, direction)[start.edge])
            if fits and whole != NO_ACCESS:
                add("start", "end", abs(round(e * whole) - round(s * whole)))
    if not nx.has_path(graph, "start", "end"):
        return None
    links = round(start.away_m / mps) + round(end.away_m / mps)
    return int(nx.dijkstra_path_length(graph, "start", "end", weight="s")) + links


@given(
    worlds(),
    st.sampled_from([("foot", FOOT_MPS), ("car", math.inf), ("bike", FOOT_MPS)]),
    PLACES,
    PLACES | st.none(),
    st.booleans(),
)
@settings(deadline=None, derandomize=True, max_examples=100)
def test_way_from_place_to_place_takes_as_long_as_networkx_says(
    streets: Streets,
    profile_and_mps: tuple[str, float],
    start: tuple[float, float],
    end: tuple[float, float] | None,
    from_node: bool,
) -> None:
    profile, mps = profile_and_mps
    grid, usable, arcs = (
        build_grid(streets),
        usable_edges(streets, profile),
        arcs_of(streets, profile),
    )
    ties = [snap(grid, usable, Coordinate(*p), 3000) for p in (start, end or start)]
    if ties[0] is None or ties[1] is None:
        return
    a, b = ties[0], ties[1]
    if from_node:
        node = int(streets.edge_from[a.edge])
        where = Coordinate(float(streets.node_lat[node]), float(streets.node_lon[node]))
        a = at_node(where, node, 0.0)
    arena = new_arena(streets.node_count, len(arcs.head))
    route = find_route(streets, arcs, arena, profile, a, b, limit_s=FAR_S, off_street_mps=mps)
    expected = seconds_by_networkx(streets, profile, a, b, mps)
    assert (None if route is None else route.seconds) == expected
    if route is None:
        return
    points = list(zip(route.lat.tolist(), route.lon.tolist(), strict=True))
    ends = ((a.coordinate.lat, a.coordinate.lon), (b.coordinate.lat, b.coordinate.lon))
    assert (points[0], points[-1]) == ends
    drawn_m = sum(step_m(p, q) for p, q in zip(points, points[1:], strict=False))
    assert route.metres == pytest.approx(drawn_m, abs=0.01)
    late = find_route(
        streets, arcs, arena, profile, a, b, limit_s=route.seconds - 1, off_street_mps=mps
    )
    assert late is None


STREET = {"highway": "residential"}
# A block: 0 south-west, 1 south-east, 2 north-east, 3 north-west; about 805 m by 1,112 m.
BLOCK = {0: (43.60, 3.90), 1: (43.60, 3.91), 2: (43.61, 3.91), 3: (43.61, 3.90)}


def drive_s(streets: Streets, start: Coordinate, end: Coordinate) -> int | None:
    grid, usable, arcs = build_grid(streets), usable_edges(streets, "car"), arcs_of(streets, "car")
    a, b = (snap(grid, usable, place, 500) for place in (start, end))
    assert a is not None
    assert b is not None
    arena = new_arena(streets.node_count, len(arcs.head))
    route = find_route(streets, arcs, arena, "car", a, b, limit_s=FAR_S, off_street_mps=math.inf)
    return None if route is None else route.seconds


def test_two_places_on_one_edge_are_a_part_of_it_apart() -> None:
    streets = world(BLOCK, ([0, 1], STREET), ([1, 2, 3, 0], STREET))
    # Edge 0 is 805.3 m at 28 km/h (7.78 m/s): 104 s (103.5). From a quarter to three quarters: 52.
    assert streets.car_forward_s[0] == 104
    quarter, three = Coordinate(43.6, 3.9025), Coordinate(43.6, 3.9075)
    assert drive_s(streets, quarter, three) == 52
    assert drive_s(streets, three, quarter) == 52


def test_driver_goes_round_the_block_against_a_oneway_street() -> None:
    oneway = {**STREET, "oneway": "yes"}
    streets = world(BLOCK, ([0, 1], oneway), ([1, 2, 3, 0], STREET))
    quarter, three = Coordinate(43.6, 3.9025), Coordinate(43.6, 3.9075)
    assert drive_s(streets, quarter, three) == 52
    # 104 − 78 to the corner, round the three other sides, and 26 on.
    round_s = int(streets.car_forward_s[1])
    assert drive_s(streets, three, quarter) == 26 + round_s + 26


@pytest.mark.parametrize("oneway", ["yes", "-1", "no"])
def test_driver_who_is_there_already_needs_no_time(oneway: str) -> None:
    streets = world(BLOCK, ([0, 1], {**STREET, "oneway": oneway}), ([1, 2, 3, 0], STREET))
    here = Coordinate(43.6, 3.9025)
    assert drive_s(streets, here, here) == 0
