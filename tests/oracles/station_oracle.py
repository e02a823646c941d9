"""Walks through stations the slow way: one networkx graph of everything, searched whole."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import networkx as nx

FAR_S = 900
STRAIGHT = 1.3
STEPS = ("stairs", "escalator")
AT_OWN_PACE = ("walkway", "fare_gate", "exit_gate")


@dataclass(frozen=True, slots=True)
class Way:
    """A pathway as its feed writes it."""

    id: str
    start: str
    end: str
    mode: str
    seconds: int
    both: bool


def station_walks(
    doors_m: Mapping[str, float],
    platforms: Iterable[str],
    ways: Iterable[Way],
    shut: Iterable[str],
    *,
    wheels: bool,
    streets: bool,
) -> dict[tuple[str, str], int]:
    """
    Seconds between platforms, at 1 m/s on foot and 0.8 m/s by wheelchair, up to a quarter hour.

    `doors_m` are the places on the street, each with its metre; one goes through a door in a
    second. Without streets one walks straight, once, from door to door.
    """
    mps = 0.8 if wheels else 1.0
    inside = nx.DiGraph()
    inside.add_nodes_from([*doors_m, *platforms])
    for way in ways:
        if way.id in shut or (wheels and way.mode in STEPS):
            continue
        pace = 1.25 if wheels and way.mode in AT_OWN_PACE else 1.0
        seconds = round(way.seconds * pace)
        pairs = [(way.start, way.end)]
        if way.both and way.mode != "exit_gate":
            pairs.append((way.end, way.start))
        for a, b in pairs:
            known = inside.get_edge_data(a, b, {"s": math.inf})["s"]
            inside.add_edge(a, b, s=min(known, seconds))
    graph = inside
    if streets:
        graph = nx.DiGraph(inside)
        for a, at_m in doors_m.items():
            graph.add_edge(a, ("street", a), s=1)
            graph.add_edge(("street", a), a, s=1)
            for b, other_m in doors_m.items():
                graph.add_edge(("street", a), ("street", b), s=abs(at_m - other_m) / mps)
    walks = {}
    for a in platforms:
        reached = nx.single_source_dijkstra_path_length(graph, a, weight="s")
        if not streets:
            reached = _straight(inside, reached, doors_m, mps)
        walks |= {
            (a, b): round(reached[b])
            for b in platforms
            if a != b and reached.get(b, math.inf) <= FAR_S
        }
    return walks


def _straight(
    inside: nx.DiGraph, reached: Mapping[str, float], doors_m: Mapping[str, float], mps: float
) -> dict[str, float]:
    best = dict(reached)
    for a, at_m in doors_m.items():
        for b, other_m in doors_m.items():
            if a in reached:
                over_s = reached[a] + round(STRAIGHT * abs(at_m - other_m) / mps)
                onward = nx.single_source_dijkstra_path_length(inside, b, weight="s")
                for node, seconds in onward.items():
                    best[node] = min(best.get(node, math.inf), over_s + seconds)
    return best
