"""Builds the whole street network: town, villages, country roads, bridges, roundabouts, farms."""

from __future__ import annotations

import cmath
import itertools
import math
from collections import defaultdict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from mobility.demo import names
from mobility.demo.geometry import Polyline, crosses, curve, distance_to_line, unit
from mobility.demo.network import CAR_KINDS, StreetNetwork, Way
from mobility.demo.town import (
    FOOTBRIDGE_X_M,
    build_settlement,
    town_avenues,
    town_quarters,
    village_plan,
)

if TYPE_CHECKING:
    from mobility.demo.landscape import Landscape
    from mobility.demo.settlement import Quarter

ROUNDABOUT_RADIUS_M = 19.0
FARM_COUNT = 110
COUNTRY_ZONE = "campagne"


@dataclass(frozen=True, slots=True)
class Farm:
    """An isolated house at the end of a track."""

    name: str
    node: int
    point: complex


@dataclass(frozen=True, slots=True)
class Streets:
    """The finished network, with the places that lie on it."""

    network: StreetNetwork
    farms: tuple[Farm, ...]
    hamlets: dict[str, complex]
    quarters: tuple[Quarter, ...]


def build_streets(land: Landscape, rng: np.random.Generator) -> Streets:
    """Build every street of the territory; cars reach all of them."""
    network = StreetNetwork()
    exits = _exits(land)
    reach: dict[int, list[int]] = {}
    town = land.town
    town_parts, avenues = town_quarters(rng), town_avenues(land.river, rng)
    town_nodes = build_settlement(
        network, town, quarters=town_parts, avenues=avenues, river=land.river, rng=rng
    )
    for row, settlement in enumerate(land.settlements[1:]):
        quarters, avenues = village_plan(settlement, exits[row], rng)
        reach[row] = build_settlement(
            network, settlement, quarters=quarters, avenues=avenues, river=land.river, rng=rng
        )
    mesh_node = _add_country_roads(network, land, reach, rng)
    _join_gates(network, land, mesh_node, town_nodes)
    _add_greenway(network, land.river)
    network.join_crossings()
    _build_bridges(network, land.river)
    _add_footbridge(network, land.river)
    network.keep_largest_parts()
    farms = _add_farms(network, land, rng)
    _add_roundabouts(network, land, mesh_node)
    network.free_oneways()
    hamlets = {name: complex(land.places[row]) for row, name in land.hamlets.items()}
    return Streets(network, farms, hamlets, town_parts)


def _exits(land: Landscape) -> dict[int, list[tuple[complex, str]]]:
    out: dict[int, list[tuple[complex, str]]] = defaultdict(list)
    count = len(land.settlements) - 1
    for road in land.roads:
        for here, there in ((road.a, road.b), (road.b, road.a)):
            if here < count:
                out[here].append((unit(land.places[there] - land.places[here]), road.kind))
    return out


def _outermost(network: StreetNetwork, nodes: list[int], centre: complex, heading: complex) -> int:
    """The node of a settlement where a road in that direction would leave it."""
    z = (np.array([network.points[n] for n in nodes]) - centre) * np.conj(heading)
    return nodes[int((z.real - 1.3 * np.abs(z.imag)).argmax())]


def _add_country_roads(
    network: StreetNetwork,
    land: Landscape,
    reach: dict[int, list[int]],
    rng: np.random.Generator,
) -> dict[int, int]:
    """Draw the roads between the places; return the node of each place without streets."""
    node_of: dict[int, int] = {}

    def end(row: int, other: int) -> int:
        if row in reach:
            heading = unit(complex(land.places[other] - land.places[row]))
            return _outermost(network, reach[row], complex(land.places[row]), heading)
        if row not in node_of:
            node_of[row] = network.add_point(complex(land.places[row]))
        return node_of[row]

    limits = {"primary": 90, "secondary": 80, "tertiary": 80, "unclassified": 70}
    bends = {"primary": 0.015, "secondary": 0.035, "tertiary": 0.045, "unclassified": 0.055}
    for road in land.roads:
        first, last = end(road.a, road.b), end(road.b, road.a)
        line = curve(
            network.points[first],
            network.points[last],
            bend=bends[road.kind],
            step_m=150.0,
            rng=rng,
        )
        nodes = network.add_line(line, first=first, last=last)
        name = "" if road.ref else f"route {rng.choice(_LANE_NAMES)}"
        network.ways.append(
            Way(nodes, road.kind, COUNTRY_ZONE, name, road.ref, maxspeed=limits[road.kind])
        )
    return node_of


_LANE_NAMES = tuple(names.of_place(h) for h in names.HAMLETS)


def _join_gates(
    network: StreetNetwork, land: Landscape, node_of: dict[int, int], town_nodes: list[int]
) -> None:
    for row in land.gate_rows:
        if row not in node_of:
            continue
        gate = node_of[row]
        inner = _outermost(network, town_nodes, 0j, unit(network.points[gate]))
        here, there = network.points[inner], network.points[gate]
        line: Polyline = np.array([here + (there - here) * i / 3 for i in range(4)])
        nodes = network.add_line(line, first=inner, last=gate)
        name = next((w.name for w in network.ways if inner in w.nodes and w.name), "")
        network.ways.append(Way(nodes, "secondary", "faubourg", name, maxspeed=50))


def _add_greenway(network: StreetNetwork, river: Polyline) -> None:
    """A cycleway along the river, downstream from the town."""
    part = river[(river.real > 2_300) & (river.real < 6_800)][::3]
    heading = np.gradient(part)
    line = part - 58j * heading / np.abs(heading)
    walk = [n for w in network.ways for n in w.nodes if w.zone != COUNTRY_ZONE]
    spots = np.array([network.points[n] for n in walk])
    dry = np.abs(spots - line[0]) + 1e6 * (spots.imag > line[0].imag)
    start = int(dry.argmin())
    joined: Polyline = np.array([spots[start], *line])
    nodes = network.add_line(joined, first=walk[start], last=None)
    network.ways.append(Way(nodes, "cycleway", COUNTRY_ZONE, "voie verte de la Loyre"))


def _build_bridges(network: StreetNetwork, river: Polyline) -> None:
    """Split every way at the river; the pieces over water become bridges."""
    out: list[Way] = []
    for way in network.ways:
        line = network.line(way)
        if float(distance_to_line(line, river).min()) > 400:
            out.append(way)
            continue
        wet = [crosses(complex(a), complex(b), river) for a, b in itertools.pairwise(line)]
        start = 0
        for i in range(1, len(wet) + 1):
            if i == len(wet) or wet[i] != wet[start]:
                nodes = way.nodes[start : i + 1]
                if not wet[start] or way.drivable:
                    out.append(replace(way, nodes=nodes, bridge=wet[start]))
                start = i
    network.ways = out


def _add_footbridge(network: StreetNetwork, river: Polyline) -> None:
    at = complex(river[np.abs(river.real - FOOTBRIDGE_X_M).argmin()])
    nodes = sorted({n for w in network.ways for n in w.nodes})
    spots = np.array([network.points[n] for n in nodes])
    near = np.abs(spots - at) < 300
    wet_m = distance_to_line(spots[near], river)
    rows = np.flatnonzero(near)[wet_m > 30]
    level = np.interp(spots[rows].real, river.real, river.imag)
    south = rows[spots[rows].imag < level]
    north = rows[spots[rows].imag > level]
    a = int(south[np.abs(spots[south] - at).argmin()])
    b = int(north[np.abs(spots[north] - at).argmin()])
    way = Way(
        (nodes[a], nodes[b]), "footway", "Les Tanneries", "passerelle des Tanneurs", bridge=True
    )
    network.ways.append(way)


def _add_farms(
    network: StreetNetwork, land: Landscape, rng: np.random.Generator
) -> tuple[Farm, ...]:
    """Put farms at the ends of tracks along the country roads."""
    labels = [f"{k} {o}" for k in names.FARM_KINDS for o in names.FARM_OF]
    labels = [str(n) for n in rng.permutation(labels)]
    spots = [
        (row, i)
        for row, way in enumerate(network.ways)
        if way.zone == COUNTRY_ZONE and way.drivable and way.kind != "primary" and not way.bridge
        for i in range(2, len(way.nodes) - 2)
        if abs(network.points[way.nodes[i]]) > 4_500
    ]
    centres = np.array([s.centre for s in land.settlements])
    farms: list[Farm] = []
    for pick in rng.permutation(len(spots)):
        row, i = spots[int(pick)]
        way = network.ways[row]
        foot = network.points[way.nodes[i]]
        heading = unit(network.points[way.nodes[i + 1]] - network.points[way.nodes[i - 1]])
        side = 1j if rng.random() < 0.5 else -1j
        house = foot + heading * cmath.rect(float(rng.uniform(70, 260)), rng.normal(0, 0.25)) * side
        if np.abs(centres - house).min() < 1_000:
            continue
        if any(abs(f.point - house) < 260 for f in farms):
            continue
        if float(distance_to_line(np.array([house]), land.river)[0]) < 250:
            continue
        track = curve(foot, house, bend=0.05, step_m=60.0, rng=rng)
        nodes = network.add_line(track, first=way.nodes[i], last=None)
        name = labels[len(farms)]
        network.ways.append(
            Way(nodes, "service", COUNTRY_ZONE, f"chemin {names.of_place(name)}", maxspeed=30)
        )
        farms.append(Farm(name, nodes[-1], house))
        if len(farms) == FARM_COUNT:
            break
    return tuple(farms)


def _add_roundabouts(network: StreetNetwork, land: Landscape, mesh_node: dict[int, int]) -> None:
    """Replace the big junctions around the town by roundabouts."""
    for row, node in sorted(mesh_node.items()):
        around = [w for w, way in enumerate(network.ways) if node in (way.nodes[0], way.nodes[-1])]
        primary = any(network.ways[w].kind == "primary" for w in around)
        if len(around) >= 3 and (row in land.gate_rows or primary):
            _make_roundabout(network, node, around)


def _make_roundabout(network: StreetNetwork, node: int, around: list[int]) -> None:
    centre = network.points[node]
    arms: list[tuple[float, int, bool]] = []
    for row in around:
        for at_start in (True, False):
            nodes = network.ways[row].nodes
            if nodes[0 if at_start else -1] == node:
                beside = network.points[nodes[1 if at_start else -2]]
                if abs(beside - centre) < 1.6 * ROUNDABOUT_RADIUS_M:
                    return
                arms.append((cmath.phase(beside - centre) % (2 * math.pi), row, at_start))
    arms.sort()
    angles = [a for a, _, _ in arms]
    gaps = [(b - a) % (2 * math.pi) for a, b in zip(angles, angles[1:] + angles[:1], strict=True)]
    if min(gaps) < 0.35:
        return
    circle: list[int] = []
    for (angle, row, at_start), gap in zip(arms, gaps, strict=True):
        count = max(1, math.ceil(gap / 0.6))
        for i in range(count):
            spoke = cmath.rect(ROUNDABOUT_RADIUS_M, angle + gap * i / count)
            circle.append(network.add_point(centre + spoke))
            if i == 0:
                way = network.ways[row]
                inner = (circle[-1], *way.nodes[1:]) if at_start else (*way.nodes[:-1], circle[-1])
                network.ways[row] = replace(way, nodes=inner)
    best = next(
        k
        for k in ("primary", "secondary", "tertiary", "unclassified", *sorted(CAR_KINDS))
        if any(network.ways[r].kind == k for r in around)
    )
    network.ways.append(
        Way((*circle, circle[0]), best, COUNTRY_ZONE, "", maxspeed=30, oneway=True, roundabout=True)
    )
