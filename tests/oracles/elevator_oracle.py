"""Streets with elevators the slow way: a node for every floor, and a ride between any two."""

from __future__ import annotations

import itertools
import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import networkx as nx

from core.geo import METRES_PER_DEGREE
from routing.street.rules import Speeds

RIDE_S = 90


@dataclass(frozen=True, slots=True)
class Segment:
    """A way of two nodes."""

    a: int
    b: int
    kind: str
    level: str


def floors_graph(
    where: Mapping[int, tuple[float, float]],
    segments: Sequence[Segment],
    ridden: Mapping[int, str],
    shut: Collection[int],
    speeds: Speeds,
    *,
    wheels: bool,
) -> nx.Graph:
    """
    Nodes are (place, floor); a place that is no elevator has the one floor "".

    `ridden` says of each elevator what its tag wheelchair does. Edges have `s`.
    """
    graph = nx.Graph()
    for nth, segment in enumerate(segments):
        ends = [
            (place, _floor(place, nth, segments) if place in ridden else "")
            for place in (segment.a, segment.b)
        ]
        for end in ends:
            graph.add_node(end)
        if wheels and segment.kind == "steps":
            continue
        mps = speeds.stairs_mps if segment.kind == "steps" else speeds.foot_mps
        mps = min(mps, speeds.wheelchair_mps) if wheels else mps
        seconds = max(1, round(_metres(where[segment.a], where[segment.b]) / mps))
        known = graph.get_edge_data(*ends, {"s": seconds})["s"]
        graph.add_edge(*ends, s=min(known, seconds))
    for place, said in ridden.items():
        floors = [node for node in graph if node[0] == place]
        if place not in shut and not (wheels and said == "no"):
            for a, b in itertools.combinations(floors, 2):
                graph.add_edge(a, b, s=RIDE_S)
    return graph


def _floor(place: int, nth: int, segments: Sequence[Segment]) -> str:
    """Floor on which a segment meets an elevator."""
    there = [i for i, s in enumerate(segments) if place in (s.a, s.b)]
    level = {i: segments[i].level for i in there}
    roads = [i for i in there if segments[i].kind == "residential"]
    for i in roads:
        level[i] = level[roads[0]]  # cars do not ride
    told = {level[i] for i in there if segments[i].kind != "steps"}
    floors = dict(level)
    if len(told) == 1:  # each footway is a floor, all roads are one
        floors = {i: "road" if i in roads else f"way {i:03}" for i in there}
    every = {floors[i] for i in there if segments[i].kind != "steps"}
    if segments[nth].kind == "steps" and floors[nth] not in every:
        if not every:
            return "stairs"
        return "road" if "road" in every else min(every)
    return floors[nth]


def _metres(a: tuple[float, float], b: tuple[float, float]) -> float:
    north = (b[0] - a[0]) * METRES_PER_DEGREE
    east = (b[1] - a[1]) * METRES_PER_DEGREE * math.cos(math.radians((a[0] + b[0]) / 2))
    return math.hypot(north, east)
