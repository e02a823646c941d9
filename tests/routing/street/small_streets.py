"""Small street worlds: as OSM ways in a test's text, or drawn by Hypothesis."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import networkx as nx
import numpy as np
from hypothesis import strategies as st

from core.geo import METRES_PER_DEGREE
from routing.street.graph import Streets, build_streets, profile_arcs
from routing.street.kernels import NO_ACCESS, Arcs
from routing.street.osm import RawStreets, raw_streets
from routing.street.rules import Speeds

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

Tags = dict[str, str]


def raw_world(
    where: Mapping[int, tuple[float, float]],
    ways: Iterable[tuple[Sequence[int], Tags]],
    elevators: Mapping[int, Mapping[str, str]] | None = None,
) -> RawStreets:
    """Ways as node ids and tags, `where` each node lies; `elevators` are tags of such nodes."""
    refs: list[int] = []
    first = [0]
    tags: list[Mapping[str, str]] = []
    for nodes, way_tags in ways:
        refs += nodes
        first.append(len(refs))
        tags.append(way_tags)
    return raw_streets(refs, first, tags, where, elevators=elevators)


def world(where: Mapping[int, tuple[float, float]], *ways: tuple[Sequence[int], Tags]) -> Streets:
    """Streets of a few ways."""
    return build_streets(raw_world(where, ways), Speeds())


TAGS: tuple[Tags, ...] = (
    {"highway": "residential"},
    {"highway": "residential"},
    {"highway": "residential", "oneway": "yes"},
    {"highway": "tertiary", "oneway": "-1"},
    {"highway": "secondary", "maxspeed": "70"},
    {"highway": "footway"},
    {"highway": "steps"},
    {"highway": "service", "access": "private"},
    {"highway": "motorway"},
    {"highway": "residential", "oneway": "yes", "oneway:bicycle": "no"},
)
LAT, LON = 43.6, 3.9


@st.composite
def worlds(draw: st.DrawFn) -> Streets:
    """Up to twelve nodes in a square kilometre, joined by up to nine ways; one is residential."""
    count = draw(st.integers(3, 12))
    spot = st.tuples(st.integers(0, 100), st.integers(0, 100))
    spots = draw(st.lists(spot, min_size=count, max_size=count))
    where = {i: (LAT + y / 11_000, LON + x / 8_000) for i, (x, y) in enumerate(spots)}
    nodes = st.lists(st.integers(0, count - 1), min_size=2, max_size=6)
    ways = draw(st.lists(st.tuples(nodes, st.sampled_from(TAGS)), min_size=1, max_size=8))
    return world(where, (list(range(count)), {"highway": "residential"}), *ways)


PLACES = st.tuples(st.integers(-30, 130), st.integers(-30, 130)).map(
    lambda spot: (LAT + spot[1] / 11_000 + 1e-5, LON + spot[0] / 8_000 + 2e-5)
)


def digraph(streets: Streets, profile: str) -> nx.DiGraph:
    """One profile's streets for networkx: of parallel arcs the least."""
    graph = nx.DiGraph()
    graph.add_nodes_from(range(streets.node_count))
    for edge in range(len(streets.edge_from)):
        a, b = int(streets.edge_from[edge]), int(streets.edge_to[edge])
        for tail, head, seconds in (
            (a, b, int(streets.seconds(profile, "forward")[edge])),
            (b, a, int(streets.seconds(profile, "backward")[edge])),
        ):
            if seconds != NO_ACCESS:
                least = min(seconds, graph.get_edge_data(tail, head, {"s": seconds})["s"])
                graph.add_edge(tail, head, s=least)
    return graph


def arcs_of(streets: Streets, profile: str) -> Arcs:
    return profile_arcs(streets, profile)


def edge_points(streets: Streets, edge: int) -> list[tuple[float, float]]:
    a, b = int(streets.edge_first_point[edge]), int(streets.edge_first_point[edge + 1])
    return [(float(streets.point_lat[i]), float(streets.point_lon[i])) for i in range(a, b)]


def step_m(a: tuple[float, float], b: tuple[float, float]) -> float:
    """Metres between neighbouring points, on their own plane."""
    north = (b[0] - a[0]) * METRES_PER_DEGREE
    east = (b[1] - a[1]) * METRES_PER_DEGREE * math.cos(math.radians((a[0] + b[0]) / 2))
    return math.hypot(north, east)


@dataclass(frozen=True, slots=True)
class Nearest:
    """Nearest place on an edge, by looking at every segment."""

    edge: int
    away_m: float


def nearest_by_hand(
    streets: Streets, usable: Sequence[bool], lat: float, lon: float
) -> list[Nearest]:
    """All usable edges by their distance, on the plane that the streets' bounding box defines."""
    middle = math.radians((float(streets.point_lat.min()) + float(streets.point_lat.max())) / 2)
    scale = METRES_PER_DEGREE * math.cos(middle)
    found = []
    for edge in range(len(streets.edge_from)):
        if not usable[edge]:
            continue
        best = math.inf
        points = [
            ((p[1] - lon) * scale, (p[0] - lat) * METRES_PER_DEGREE)
            for p in edge_points(streets, edge)
        ]
        for (ax, ay), (bx, by) in zip(points, points[1:], strict=False):
            square = (bx - ax) ** 2 + (by - ay) ** 2
            share = -(ax * (bx - ax) + ay * (by - ay)) / square if square else 0.0
            share = min(1.0, max(0.0, share))
            best = min(best, math.hypot(ax + share * (bx - ax), ay + share * (by - ay)))
        found.append(Nearest(edge, best))
    return sorted(found, key=lambda n: n.away_m)


def usable_edges(streets: Streets, profile: str) -> np.ndarray[Any, np.dtype[np.uint8]]:
    forward, backward = (streets.seconds(profile, d) for d in ("forward", "backward"))
    return ((forward != NO_ACCESS) | (backward != NO_ACCESS)).astype(np.uint8)
