"""Drive times by the hierarchy are Dijkstra's, whatever the roads."""

from __future__ import annotations

import gc
import sys
from concurrent.futures import ThreadPoolExecutor

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from routing.street.drive import FAR_S, UNREACHABLE_S, DriveTimes, order_nodes
from routing.street.kernels import Arcs

pytestmark = pytest.mark.unit

Roads = tuple[int, list[tuple[int, int, int]]]
"""Node count, and (tail, head, seconds): parallel roads, loops and roads of no time included."""


@st.composite
def roads(draw: st.DrawFn) -> Roads:
    count = draw(st.integers(2, 12))
    node = st.integers(0, count - 1)
    seconds = st.sampled_from([0, 1, 7, 60, 60, 333, 30_000])
    return count, draw(st.lists(st.tuples(node, node, seconds), min_size=1, max_size=30))


def arcs_of(drawn: Roads) -> Arcs:
    count, rows = drawn
    table = np.array(sorted(rows), np.int32)
    first = np.r_[0, np.cumsum(np.bincount(table[:, 0], minlength=count))]
    way = np.arange(len(table), dtype=np.int32)
    return Arcs(first.astype(np.int32), table[:, 1].copy(), table[:, 2].copy(), way)


def drives_of(drawn: Roads) -> tuple[Arcs, DriveTimes]:
    arcs = arcs_of(drawn)
    angle = np.linspace(0, 5, drawn[0])
    return arcs, DriveTimes(arcs, order_nodes(arcs, np.sin(angle), np.cos(angle)))


def table_of(drawn: Roads) -> list[list[int]]:
    """Seconds between all nodes by networkx, `FAR_S` where no road leads."""
    graph = nx.MultiDiGraph()
    graph.add_nodes_from(range(drawn[0]))
    graph.add_weighted_edges_from(drawn[1], weight="s")
    reached = dict(nx.all_pairs_dijkstra_path_length(graph, weight="s"))
    return [[int(reached[a].get(b, FAR_S)) for b in range(drawn[0])] for a in range(drawn[0])]


SEEDS = st.lists(st.tuples(st.integers(0, 99), st.integers(0, 500)), min_size=1, max_size=3)


@given(roads(), SEEDS, SEEDS)
@settings(deadline=None, derandomize=True, max_examples=66)
def test_drives_between_places_are_those_of_dijkstra(
    drawn: Roads, start: list[tuple[int, int]], end: list[tuple[int, int]]
) -> None:
    count = drawn[0]
    start, end = ([(n % count, s) for n, s in place] for place in (start, end))
    seconds, (_, drives) = table_of(drawn), drives_of(drawn)
    nodes = np.arange(count, dtype=np.int32)

    def least(candidates: list[int]) -> int:
        return min(FAR_S, *candidates)

    onward = [least([s + seconds[a][b] for a, s in start]) for b in range(count)]
    back = [least([seconds[a][b] + s for b, s in end]) for a in range(count)]
    assert drives.from_place(start, nodes).tolist() == onward
    assert drives.to_place(nodes, end).tolist() == back
    both = [s + seconds[a][b] + t for a, s in start for b, t in end]
    assert drives.between(start, end) == least(both)


@given(roads())
@settings(deadline=None, derandomize=True, max_examples=40)
def test_matrix_is_the_table_of_all_drives_capped(drawn: Roads) -> None:
    _, drives = drives_of(drawn)
    expected = np.minimum(np.array(table_of(drawn)), UNREACHABLE_S)
    assert np.array_equal(drives.matrix(np.arange(drawn[0], dtype=np.int32)), expected)


@given(roads(), st.integers(0, 99), st.integers(0, 99))
@settings(deadline=None, derandomize=True, max_examples=40)
def test_path_leads_there_in_the_time_that_was_said(drawn: Roads, start: int, end: int) -> None:
    start, end = start % drawn[0], end % drawn[0]
    arcs, drives = drives_of(drawn)
    seconds = table_of(drawn)[start][end]
    if seconds == FAR_S:
        return
    tails = np.repeat(np.arange(drawn[0]), np.diff(arcs.first))
    path, at = drives.path(start, end), start
    for arc in path:
        assert tails[arc] == at
        at = int(arcs.head[arc])
    assert at == end
    assert int(arcs.seconds[path].sum()) == seconds


def test_place_that_no_road_leaves_is_far_from_everywhere() -> None:
    _, drives = drives_of((3, [(0, 1, 60)]))
    assert drives.from_place([(1, 0)], np.array([0, 2], np.int32)).tolist() == [FAR_S, FAR_S]
    assert drives.to_place(np.array([1, 2], np.int32), [(0, 5)]).tolist() == [FAR_S, FAR_S]
    assert drives.between([(1, 10)], [(0, 10)]) == FAR_S


def test_whoever_lets_go_of_them_last_others_may_have_used_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ignored: list[object] = []
    monkeypatch.setattr(sys, "unraisablehook", ignored.append)
    _, drives = drives_of((3, [(0, 1, 7), (1, 2, 7)]))
    with ThreadPoolExecutor(1) as other:
        assert len(other.submit(drives.path, 0, 2).result()) == 2
        del drives
        gc.collect()
        _, after = drives_of((3, [(0, 1, 7), (1, 2, 7), (2, 0, 7)]))
        assert len(other.submit(after.path, 1, 0).result()) == 2
    assert ignored == []
