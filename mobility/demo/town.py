"""From a web of blocks to streets: which edges stay, their class, their name, their limits."""

from __future__ import annotations

import itertools
import math
from collections import defaultdict
from dataclasses import dataclass

import numpy as np

from mobility.demo import names
from mobility.demo.geometry import (
    Polyline,
    crosses,
    deflection_rad,
    distance_to_line,
    project,
    smooth,
    unit,
)
from mobility.demo.landscape import GATE_ANGLES_DEG, Settlement
from mobility.demo.network import CAR_KINDS, StreetNetwork, Way
from mobility.demo.settlement import Avenue, Quarter, Web, bowed, draw_web, quarter_of, ring

PARK_CENTRE = -820 + 330j
PARK_RADIUS_M = 190.0
FOOTBRIDGE_X_M = -560.0
STRAIGHT_RAD = math.radians(40)
BUSINESS_ZONE = "activités"

Edge = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Stroke:
    """Edges that people call one street: as straight as possible, one class."""

    corners: tuple[int, ...]
    kind: str
    avenue: int


def town_quarters(rng: np.random.Generator) -> tuple[Quarter, ...]:
    """The quarters of the town in the middle; the first one is its centre."""
    plan = (
        ("Centre-ville", 0j, 76.0, 0.27),
        ("La Gare", -150 - 1_150j, 104.0, 0.03),
        ("Les Tanneries", -1_050 + 250j, 98.0, 0.11),
        ("Saint-Éloi", 1_080 + 60j, 108.0, 0.03),
        ("Beauregard", -1_500 - 820j, 128.0, 0.06),
        ("Les Vergers", 1_480 - 1_000j, 138.0, 0.15),
        ("La Croix-Verte", 330 - 1_950j, 134.0, 0.05),
        ("Rive-Nord", 150 + 1_380j, 110.0, 0.035),
        ("Les Hautes-Terres", -1_350 + 1_600j, 144.0, 0.20),
        ("Le Moulin-Neuf", 1_420 + 1_500j, 140.0, 0.11),
        (BUSINESS_ZONE, -1_230 - 1_700j, 190.0, 0.02),
    )
    out = []
    for name, centre, block_m, jitter in plan:
        moved = centre + (complex(*rng.normal(0, 70, 2)) if centre else 0)
        out.append(Quarter(name, moved, block_m, float(rng.uniform(0, 1.57)), jitter))
    return tuple(out)


def town_avenues(river: Polyline, rng: np.random.Generator) -> list[Avenue]:
    """The avenues, boulevards and main streets of the town in the middle."""
    people = [str(p) for p in rng.permutation(names.PEOPLE)]
    out = [
        Avenue(ring(470.0, 20, 380, wobble_m=22.0), "secondary", f"boulevard {people.pop()}"),
        Avenue(bowed(-462 + 30j, 455 + 20j, 0.06), "residential", "rue de la République"),
        Avenue(bowed(-30 - 462j, 20 + 452j, -0.07), "residential", "Grande Rue"),
    ]
    bridges = []
    for x in (-1_250.0, 40.0, 1_230.0):
        at = complex(river[np.abs(river.real - x).argmin()])
        bridges.append(at)
        inner = 470.0 * unit(at - 100j) if abs(x) < 500 else 500.0 * unit(at)
        if abs(x) > 500:
            inner = 470.0 * np.exp(1j * math.radians(146 if x < 0 else 34))
        approach = np.array([at + 150j, at, at - 150j, inner])
        out.append(Avenue(_rounded(approach), "secondary", f"avenue {people.pop()}"))
    for angle in GATE_ANGLES_DEG:
        gate = 2_760.0 * complex(np.exp(1j * math.radians(angle)))
        if 20 < angle < 160:
            head = min(bridges, key=lambda b: abs(b - gate)) + 150j
        else:
            head = 470.0 * complex(np.exp(1j * math.radians(angle)))
        line = bowed(head, gate, float(rng.uniform(-0.07, 0.07)))
        out.append(Avenue(line, "secondary", f"avenue {people.pop()}"))
    south = ring(1_420.0, 188, 364, wobble_m=45.0)
    north = bowed(-1_650 + 1_340j, 1_700 + 1_320j, 0.08)
    out.append(Avenue(south, "tertiary", f"boulevard {people.pop()}"))
    out.append(Avenue(north, "tertiary", f"boulevard {people.pop()}"))
    return out


def _rounded(points: Polyline) -> Polyline:
    return smooth(points, passes=2)


def village_plan(
    settlement: Settlement, exits: list[tuple[complex, str]], rng: np.random.Generator
) -> tuple[tuple[Quarter, ...], list[Avenue]]:
    """One quarter (two in a market town), and a main street towards each road that leaves."""
    block_m = float(rng.uniform(88, 112))
    turn = float(rng.uniform(0, 1.57))
    quarters = [Quarter("village", settlement.centre, block_m, turn, 0.22)]
    if settlement.place == "town":
        aside = settlement.centre + 520 * complex(np.exp(1j * rng.uniform(0, 6.28)))
        quarters.append(Quarter("lotissement", aside, 120.0, turn + 0.6, 0.08))
    avenues: list[Avenue] = []
    taken: list[complex] = []
    labels = ["Grande Rue", "rue de l'Église", "rue du Pont-Neuf", "route de la Forêt"]
    for heading, kind in sorted(exits, key=lambda e: (e[1], e[0].real, e[0].imag)):
        if any(deflection_rad(heading, other) < 0.75 for other in taken):
            continue
        end = settlement.centre + heading * settlement.radius_m * 1.1
        label = labels[len(taken)] if len(taken) < len(labels) else ""
        better = kind if kind in {"secondary", "tertiary", "primary"} else "unclassified"
        avenues.append(
            Avenue(bowed(settlement.centre, end, float(rng.uniform(-0.08, 0.08))), better, label)
        )
        taken.append(heading)
    return tuple(quarters), avenues


def build_settlement(
    network: StreetNetwork,
    settlement: Settlement,
    *,
    quarters: tuple[Quarter, ...],
    avenues: list[Avenue],
    river: Polyline,
    rng: np.random.Generator,
) -> list[int]:
    """Add the streets of a settlement to the network; return the nodes that cars reach."""
    web = draw_web(quarters, avenues, radius_m=settlement.radius_m, river=river, rng=rng)
    is_town = len(quarters) > 2
    kinds = _choose_kinds(web, avenues, quarters, river=river, is_town=is_town, rng=rng)
    strokes = _find_strokes(web, kinds)
    strokes = _raise_collectors(web, strokes, quarters) if is_town else strokes
    node_of = {
        c: network.add_point(complex(web.corners[c]))
        for c in sorted({c for s in strokes for c in s.corners})
    }
    namer = names.StreetNamer(rng, {a.name for a in avenues})
    ends: dict[int, int] = defaultdict(int)
    for stroke in strokes:
        for a, b in zip(stroke.corners, stroke.corners[1:], strict=False):
            ends[a] += 1
            ends[b] += 1
    for stroke in strokes:
        line = web.corners[list(stroke.corners)]
        zone = quarter_of(complex(line[len(line) // 2]), quarters).name
        dead_end = ends[stroke.corners[0]] == 1 or ends[stroke.corners[-1]] == 1
        way = _dress(
            stroke, line, zone=zone, avenues=avenues, namer=namer, dead_end=dead_end, rng=rng
        )
        nodes = _with_bends(network, [node_of[c] for c in stroke.corners], rng)
        network.ways.append(
            Way(
                nodes,
                way.kind,
                settlement.name if not is_town else way.zone,
                way.name,
                maxspeed=way.maxspeed,
                oneway=way.oneway,
            )
        )
    return [node_of[c] for s in strokes if s.kind in CAR_KINDS for c in s.corners]


def _choose_kinds(
    web: Web,
    avenues: list[Avenue],
    quarters: tuple[Quarter, ...],
    *,
    river: Polyline,
    is_town: bool,
    rng: np.random.Generator,
) -> dict[Edge, tuple[str, int]]:
    """Class of every edge that stays, with its avenue or -1."""
    corners = web.corners
    river_near = river[np.abs(river - quarters[0].centre) < 6_000]
    river_near = river_near if len(river_near) > 1 else river[:2]
    wet_m = distance_to_line(corners, river_near)
    degree = np.bincount(np.array(web.edges).ravel(), minlength=len(corners))
    out: dict[Edge, tuple[str, int]] = {}
    for edge in web.edges:
        a, b = edge
        za, zb = complex(corners[a]), complex(corners[b])
        middle = (za + zb) / 2
        if edge in web.avenue_of:
            row = web.avenue_of[edge]
            in_core = is_town and row in (1, 2) and abs(middle) < 215
            out[edge] = ("pedestrian" if in_core else avenues[row].kind, row)
            continue
        mid_m = project(river_near, middle)[0]
        if min(wet_m[a], wet_m[b], mid_m) < 36 or crosses(za, zb, river_near):
            degree[[a, b]] -= 1
            continue
        kind = _street_kind(middle, abs(zb - za), quarters, is_town=is_town, rng=rng)
        if is_town and max(wet_m[a], wet_m[b]) < 66:
            kind = "cycleway" if middle.imag > 760 or abs(middle.real) > 1_500 else "residential"
        elif min(degree[a], degree[b]) > 2 and rng.random() < 0.20:
            if rng.random() < 0.7:
                degree[[a, b]] -= 1
                continue
            kind = "footway"
        out[edge] = (kind, -1)
    return _prune_stubs(out, corners, rng)


def _street_kind(
    middle: complex,
    length_m: float,
    quarters: tuple[Quarter, ...],
    *,
    is_town: bool,
    rng: np.random.Generator,
) -> str:
    if not is_town:
        return "residential" if rng.random() < 0.94 else "footway"
    if abs(middle - PARK_CENTRE) < PARK_RADIUS_M:
        return "footway" if rng.random() < 0.7 else "path"
    zone = quarter_of(middle, quarters).name
    if zone == BUSINESS_ZONE:
        return "residential" if rng.random() < 0.7 else "service"
    if zone == "Centre-ville" and abs(middle) < 470:
        if length_m < 60 and rng.random() < 0.06:
            return "steps"
        return str(rng.choice(["residential", "living_street", "pedestrian"], p=[0.62, 0.3, 0.08]))
    return "residential" if rng.random() < 0.95 else "living_street"


def _prune_stubs(
    kinds: dict[Edge, tuple[str, int]], corners: Polyline, rng: np.random.Generator
) -> dict[Edge, tuple[str, int]]:
    """Drop most dead ends at the fringe: short ones always, long ones by chance."""
    degree: dict[int, int] = defaultdict(int)
    for a, b in kinds:
        degree[a] += 1
        degree[b] += 1
    out = {}
    for (a, b), value in kinds.items():
        stub = min(degree[a], degree[b]) == 1 and value[1] < 0
        if stub and (abs(corners[a] - corners[b]) < 45 or rng.random() < 0.55):
            continue
        out[a, b] = value
    return out


def _find_strokes(web: Web, kinds: dict[Edge, tuple[str, int]]) -> list[Stroke]:
    """Chain edges of one class into streets, straight on at every corner."""
    at: dict[int, list[Edge]] = defaultdict(list)
    for edge in kinds:
        at[edge[0]].append(edge)
        at[edge[1]].append(edge)
    z = web.corners
    free = set(kinds)
    out = []
    for seed in sorted(kinds, key=lambda e: (-kinds[e][1], -abs(z[e[0]] - z[e[1]]), e)):
        if seed not in free:
            continue
        free.discard(seed)
        chain = list(seed)
        for _ in (0, 1):
            chain.reverse()
            while True:
                last, heading = chain[-1], z[chain[-1]] - z[chain[-2]]
                best, turn = None, STRAIGHT_RAD * (1.8 if kinds[seed][1] >= 0 else 1.0)
                for edge in at[last]:
                    if edge in free and kinds[edge] == kinds[seed]:
                        far = edge[0] + edge[1] - last
                        angle = deflection_rad(complex(heading), complex(z[far] - z[last]))
                        if angle < turn and far not in chain[1:]:
                            best, turn = edge, angle
                if best is None:
                    break
                free.discard(best)
                chain.append(best[0] + best[1] - last)
        out.append(Stroke(tuple(chain), *kinds[seed]))
    return out


def _raise_collectors(
    web: Web, strokes: list[Stroke], quarters: tuple[Quarter, ...]
) -> list[Stroke]:
    """Make the two longest plain streets of every outer quarter its collectors."""
    z = web.corners
    plain: dict[str, list[tuple[float, int]]] = defaultdict(list)
    for row, stroke in enumerate(strokes):
        line = z[list(stroke.corners)]
        if stroke.kind == "residential" and stroke.avenue < 0:
            zone = quarter_of(complex(line[len(line) // 2]), quarters).name
            plain[zone].append((float(np.abs(np.diff(line)).sum()), row))
    raised = {
        row
        for zone, rows in plain.items()
        if zone != "Centre-ville"
        for _, row in sorted(rows, reverse=True)[:3]
    }
    return [
        Stroke(s.corners, "tertiary", -1) if row in raised else s for row, s in enumerate(strokes)
    ]


def _dress(
    stroke: Stroke,
    line: Polyline,
    *,
    zone: str,
    avenues: list[Avenue],
    namer: names.StreetNamer,
    dead_end: bool,
    rng: np.random.Generator,
) -> Way:
    """Name, limit and direction of a street."""
    length_m = float(np.abs(np.diff(line)).sum())
    kind = stroke.kind
    if stroke.avenue >= 0:
        name = avenues[stroke.avenue].name
    elif kind == "cycleway":
        name = "voie verte de la Loyre"
    elif kind in {"footway", "path", "service"}:
        named = rng.random() < 0.35
        name = namer.name(kind, zone=zone, length_m=length_m) if named else ""
    else:
        name = namer.name(kind, zone=zone, length_m=length_m, dead_end=dead_end)
    limits = {"living_street": 20, "secondary": 50, "primary": 50, "tertiary": 50, "service": 20}
    maxspeed = limits.get(kind, 30 if zone in {"Centre-ville", "village"} else 0)
    if kind in CAR_KINDS and not maxspeed:
        maxspeed = 30 if rng.random() < 0.6 else 50
    chance = 0.45 if zone == "Centre-ville" else 0.07
    narrow = kind in {"residential", "living_street"} and not dead_end and stroke.avenue < 0
    oneway = bool(narrow and zone != "village" and rng.random() < chance)
    if kind not in CAR_KINDS:
        maxspeed = 0
    return Way((), kind, zone, name, maxspeed=maxspeed, oneway=oneway)


def _with_bends(
    network: StreetNetwork, nodes: list[int], rng: np.random.Generator
) -> tuple[int, ...]:
    """Give long straight edges a point or two, slightly off the line."""
    out = nodes[:1]
    for a, b in itertools.pairwise(nodes):
        za, zb = network.points[a], network.points[b]
        count = min(3, int(abs(zb - za) / 75))
        bow = float(rng.normal(0, 0.013))
        for i in range(1, count + 1):
            t = i / (count + 1)
            out.append(network.add_point(za + (zb - za) * (t + 1j * bow * math.sin(math.pi * t))))
        out.append(b)
    return tuple(out)
