"""
Random street grids: junctions a few hundred metres apart, one-way streets, meeting points between.

For what must hold on any streets. The network has a timetable of one bus, and its streets go the
production code's whole way from OSM ways on; `car_graph` gives them to networkx.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from itertools import accumulate

import networkx as nx
import numpy as np

from carpool.offers import Offer, parse_offer
from core.geo import METRES_PER_DEGREE, Coordinate
from core.ids import OfferId
from gtfs_data.checks import Findings
from routing.build import build_network
from routing.network import Network
from routing.spi import MeetingSite, SiteKind
from routing.street.access import ties
from routing.street.graph import build_streets
from routing.street.osm import raw_streets
from tests.support.tiny import SPEEDS, ZONE, past_timetable

START, END = "start", "end"


@dataclass(frozen=True)
class Grid:
    """A network on a random grid, and the size of the ground it covers."""

    network: Network
    east_m: float
    north_m: float


def random_grid(seed: int, *, columns: int = 5, rows: int = 4, site_count: int = 12) -> Grid:
    """Streets of random length, speed and direction; meeting points at and between junctions."""
    dice = random.Random(seed)
    xs, ys = (
        [0, *accumulate(dice.choice((300, 400, 500)) for _ in range(count - 1))]
        for count in (columns, rows)
    )
    ids = {(x, y): i for i, (x, y) in enumerate((x, y) for x in xs for y in ys)}
    where = {i: _degrees(x, y) for (x, y), i in ids.items()}
    refs: list[int] = []
    first, tags = [0], []
    pairs = [((x, y), (x2, y)) for y in ys for x, x2 in zip(xs, xs[1:], strict=False)]
    pairs += [((x, y), (x, y2)) for x in xs for y, y2 in zip(ys, ys[1:], strict=False)]
    for a, b in pairs:
        refs += [ids[a], ids[b]]
        first.append(len(refs))
        tags.append(
            {
                "highway": "residential",
                "maxspeed": dice.choice(("30", "50")),
                "oneway": dice.choice(("no", "no", "no", "yes", "-1")),
            }
        )
    sites = []
    for i in range(site_count):
        (x, y), (x2, y2) = dice.choice(pairs)
        share = dice.choice((0.0, 0.25, 0.5, dice.random()))
        lat, lon = _degrees(x + share * (x2 - x), y + share * (y2 - y))
        sites.append(MeetingSite(f"site{i}", f"Site {i}", SiteKind.CARPOOL_PLACE, lat, lon))
    network = build_network(
        past_timetable(), build_streets(raw_streets(refs, first, tags, where), SPEEDS), zone=ZONE,
        sites=sites, speeds=SPEEDS, findings=Findings(),
    )  # fmt: skip
    return Grid(network, xs[-1], ys[-1])


def _degrees(east_m: float, north_m: float) -> tuple[float, float]:
    return north_m / METRES_PER_DEGREE, east_m / METRES_PER_DEGREE


def random_offer(grid: Grid, seed: int, *, via_count: int = 0, budget_s: int = 0) -> Offer:
    """An offer between random places of the grid."""
    dice = random.Random(seed)

    def place() -> dict[str, float]:
        lat, lon = _degrees(dice.random() * grid.east_m, dice.random() * grid.north_m)
        return {"lat": lat, "lon": lon}

    return parse_offer(
        {
            "driver": "Anna",
            "start": place(),
            "end": place(),
            "vias": [place() for _ in range(via_count)],
            "depart_from": "07:00",
            "depart_to": "07:15",
            "valid_from": "2026-01-01",
            "valid_to": "2026-12-31",
            "seats": 3,
            "detour_budget_s": budget_s,
        },
        OfferId(f"offer{seed}"),
    )


def car_graph(network: Network) -> nx.DiGraph:
    """Streets as cars drive them, seconds as ``s``."""
    arcs = network.arcs["car"]
    graph = nx.DiGraph()
    tails = np.repeat(np.arange(len(arcs.first) - 1), np.diff(arcs.first))
    _add(graph, zip(tails.tolist(), arcs.head.tolist(), arcs.seconds.tolist(), strict=True))
    return graph


def car_graph_between(network: Network, start: Coordinate, end: Coordinate) -> nx.DiGraph:
    """`car_graph` with arcs from START to the streets and from these on to END."""
    graph = car_graph(network)
    leaving, reaching = (
        ties(
            network.streets,
            "car",
            network.find_snapped("car", place, 500),
            leaving=leaving,
            off_street_mps=float("inf"),
        ).pairs()
        for place, leaving in ((start, True), (end, False))
    )
    _add(graph, ((START, node, seconds) for node, seconds in leaving))
    _add(graph, ((node, END, seconds) for node, seconds in reaching))
    return graph


def _add(graph, arcs) -> None:  # noqa: ANN001 — arcs of ints and the two texts above
    for a, b, seconds in arcs:
        if not graph.has_edge(a, b) or graph[a][b]["s"] > seconds:
            graph.add_edge(a, b, s=seconds)
