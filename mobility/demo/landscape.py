"""
The lie of the land, before any street: river, railway, settlements, and who is joined to whom.

The country roads start as a Gabriel graph (two places are joined when no third one lies in the
circle between them): it is planar, connected and looks like the web of a farming region.
"""

from __future__ import annotations

import cmath
import itertools
import math
from dataclasses import dataclass

import numpy as np
from scipy.interpolate import PchipInterpolator
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import dijkstra
from scipy.spatial import Delaunay

from mobility.demo import names
from mobility.demo.geometry import Polyline, crosses, distance_to_line

REGION_RADIUS_M = 24_000.0
TOWN_RADIUS_M = 2_550.0
GATE_RADIUS_M = 2_800.0
BYPASS_RADIUS_M = 3_500.0
GATE_ANGLES_DEG = (6.0, 318.0, 274.0, 232.0, 186.0, 143.0, 92.0, 41.0)
BYPASS_ANGLES_DEG = tuple(range(178, 375, 12))
VILLAGE_COUNT = 12
FILL_GAP_M = 2_350.0
RIVER_PENALTY_M = 9_000.0  # what building one more bridge is worth in detour
TRIES = 6_000  # rejection sampling of places gives up after this many draws


@dataclass(frozen=True, slots=True)
class Settlement:
    """A place with streets."""

    name: str
    centre: complex
    radius_m: float
    place: str
    population: int


@dataclass(frozen=True, slots=True)
class CountryRoad:
    """A road to build between two places of the mesh, by their rows in `Landscape.places`."""

    a: int
    b: int
    kind: str
    ref: str


@dataclass(frozen=True, slots=True)
class Landscape:
    """Everything that stands before the streets do."""

    river: Polyline
    railway: Polyline
    stations: dict[str, complex]
    settlements: tuple[Settlement, ...]
    places: Polyline
    gate_rows: tuple[int, ...]
    roads: tuple[CountryRoad, ...]
    hamlets: dict[int, str]

    @property
    def town(self) -> Settlement:
        """The town in the middle."""
        return self.settlements[0]


def build_landscape(rng: np.random.Generator) -> Landscape:
    """Draw river, railway and settlements, and decide which roads join them."""
    river = _draw_river(rng)
    settlements, stations = _place_settlements(rng, river)
    order = [names.MARKET_TOWNS[0], names.TOWN, names.HALT_VILLAGE, names.MARKET_TOWNS[1]]
    stops = [stations[name] for name in order]
    ends = [stops[0] - 9_000 + 900j, *stops, stops[-1] + 9_500 + 1_200j]
    railway = _draw_railway(np.array(ends))
    gates = [cmath.rect(GATE_RADIUS_M, math.radians(a)) for a in GATE_ANGLES_DEG]
    bypass = [cmath.rect(BYPASS_RADIUS_M, math.radians(a)) for a in BYPASS_ANGLES_DEG]
    fixed = [s.centre for s in settlements[1:]] + gates + bypass
    places = np.array(fixed + _fill_places(rng, fixed, river))
    village_count = len(settlements) - 1
    gate_rows = tuple(range(village_count, village_count + len(gates)))
    first_bypass = village_count + len(gates)
    bypass_rows = list(range(first_bypass, first_bypass + len(bypass)))
    roads = _plan_roads(
        rng, places, river, village_count=village_count, gate_rows=gate_rows, bypass=bypass_rows
    )
    used = {r for road in roads for r in (road.a, road.b)}
    rows = [r for r in range(len(fixed), len(places)) if r in used]
    chosen = rng.permutation(rows)[: len(names.HAMLETS)]
    hamlets = {int(r): name for r, name in zip(chosen, names.HAMLETS, strict=False)}
    return Landscape(
        river=river,
        railway=railway,
        stations=stations,
        settlements=tuple(settlements),
        places=places,
        gate_rows=gate_rows,
        roads=tuple(roads),
        hamlets=hamlets,
    )


def _draw_railway(stops: Polyline) -> Polyline:
    """A line through the stations, from one edge of the region to the other."""
    x = np.arange(stops[0].real, stops[-1].real, 120.0)
    line: Polyline = x + 1j * PchipInterpolator(stops.real, stops.imag)(x)
    return line


def _draw_river(rng: np.random.Generator) -> Polyline:
    x = np.arange(-27_500.0, 27_500.0, 45.0)
    far = np.clip((np.abs(x) - 2_800.0) / 7_000.0, 0.0, 1.0)
    far = far * far * (3 - 2 * far)
    y = 760.0 + 75.0 * np.sin(2 * math.pi * x / 3_100.0 + rng.uniform(0, 6.28))
    for wave_m, height_m in ((14_000.0, 900.0), (6_500.0, 520.0), (3_400.0, 200.0)):
        y = y + far * height_m * np.sin(2 * math.pi * x / wave_m + rng.uniform(0, 6.28))
    return x + 1j * y


def _place_settlements(
    rng: np.random.Generator, river: Polyline
) -> tuple[list[Settlement], dict[str, complex]]:
    def near(x: float, y: float, spread_m: float) -> complex:
        return complex(x + rng.uniform(-spread_m, spread_m), y + rng.uniform(-spread_m, spread_m))

    west, east = near(-15_200, -2_900, 700), near(15_000, -3_800, 700)
    halt = near(7_900, -2_300, 300)
    stations = {
        names.TOWN: -180 - 1_010j,
        names.MARKET_TOWNS[0]: west - 470j,
        names.MARKET_TOWNS[1]: east + 450j,
        names.HALT_VILLAGE: halt + 260j,
    }
    out = [
        Settlement(names.TOWN, 0j, TOWN_RADIUS_M, "town", 61_200),
        Settlement(names.MARKET_TOWNS[0], west, 760.0, "town", 6_400),
        Settlement(names.MARKET_TOWNS[1], east, 680.0, "town", 4_900),
        Settlement(names.HALT_VILLAGE, halt, 360.0, "village", 1_350),
    ]
    free = [str(n) for n in rng.permutation(names.VILLAGES)]
    for _ in range(TRIES):
        if len(out) == VILLAGE_COUNT + 3:
            break
        spot = cmath.rect(math.sqrt(rng.uniform(0.07, 0.86)) * 23_500.0, rng.uniform(0, 6.28))
        apart_m = min(abs(spot - s.centre) for s in out[1:])
        wet_m = float(distance_to_line(np.array([spot]), river)[0])
        if abs(spot) > 6_000 and apart_m > 5_200 and wet_m > 700:
            radius_m = float(rng.uniform(240, 400))
            people = int(rng.integers(30, 170) * 10)
            out.append(Settlement(free[len(out) - 4], spot, radius_m, "village", people))
    return out, stations


def _fill_places(rng: np.random.Generator, fixed: list[complex], river: Polyline) -> list[complex]:
    kept = np.array(fixed)
    out: list[complex] = []
    draws = np.sqrt(rng.uniform(0.0, 1.0, TRIES)) * REGION_RADIUS_M
    spots = draws * np.exp(1j * rng.uniform(0, 2 * math.pi, TRIES))
    wet_m = distance_to_line(spots, river)
    for spot, water_m in zip(spots, wet_m, strict=True):
        gap_m = FILL_GAP_M if abs(spot) > 6_500 else 1_500.0
        if abs(spot) < 4_600 or water_m < 400 or np.abs(kept - spot).min() < gap_m:
            continue
        kept = np.append(kept, spot)
        out.append(complex(spot))
    return out


def _gabriel_edges(places: Polyline) -> list[tuple[int, int]]:
    mesh = Delaunay(np.column_stack([places.real, places.imag]))
    pairs = {
        (min(int(a), int(b)), max(int(a), int(b)))
        for tri in mesh.simplices
        for a, b in ((tri[0], tri[1]), (tri[1], tri[2]), (tri[2], tri[0]))
    }
    out = []
    for a, b in sorted(pairs):
        middle, radius_m = (places[a] + places[b]) / 2, abs(places[a] - places[b]) / 2
        inside = np.abs(places - middle) < radius_m * 0.999
        if not inside.any() and radius_m < 4_500:
            out.append((a, b))
    return out


def _plan_roads(
    rng: np.random.Generator,
    places: Polyline,
    river: Polyline,
    *,
    village_count: int,
    gate_rows: tuple[int, ...],
    bypass: list[int],
) -> list[CountryRoad]:
    """Class the mesh: national ring, departmental roads between places, lanes; thin the lanes."""
    ring = {(a, b) for a, b in itertools.pairwise(bypass)}
    edges = [
        (a, b)
        for a, b in _gabriel_edges(places)
        if float(distance_to_line(np.zeros(1, complex), places[[a, b]])[0]) > GATE_RADIUS_M - 160
        and not (a in gate_rows and b in gate_rows)
    ]
    edges = sorted(set(edges) | ring)
    wet = {e: crosses(complex(places[e[0]]), complex(places[e[1]]), river) for e in edges}
    length_m = {e: float(abs(places[e[0]] - places[e[1]])) for e in edges}
    kinds: dict[tuple[int, int], tuple[str, str]] = dict.fromkeys(ring, ("primary", "N 543"))

    def walk(source: int, target: int, kind: str, ref: str) -> None:
        # Roads that exist already are cheaper: routes to several villages share their trunk.
        price = [
            (length_m[e] + RIVER_PENALTY_M * (wet[e] and e not in kinds))
            * (0.62 if e in kinds else 1.0)
            for e in edges
        ]
        rows, cols = np.array(edges).T
        graph = csr_matrix((price, (rows, cols)), shape=(len(places), len(places)))
        _, before = dijkstra(graph, directed=False, indices=source, return_predecessors=True)
        at = target
        while at != source and before[at] >= 0:
            prior = int(before[at])
            kinds.setdefault((min(at, prior), max(at, prior)), (kind, ref))
            at = prior

    walk(bypass[0], 0, "primary", "N 543")
    walk(bypass[-1], 1, "primary", "N 543")
    for gate in gate_rows:
        nearest = min(bypass, key=lambda r: abs(places[r] - places[gate]))
        if abs(places[nearest] - places[gate]) < 1_300:
            walk(gate, nearest, "secondary", f"D {900 + gate}")
    for village in range(2, village_count):
        gate = min(gate_rows, key=lambda g: abs(places[g] - places[village]))
        walk(gate, village, "secondary", f"D {int(rng.integers(2, 99))}")
    for village in range(village_count):
        others = sorted(range(village_count), key=lambda o: abs(places[o] - places[village]))
        for other in others[1:3]:
            walk(village, other, "tertiary", f"D {int(rng.integers(100, 940))}")
    for edge in edges:
        if edge not in kinds and not wet[edge] and rng.random() < 0.66:
            kinds[edge] = ("unclassified", "")
    return [CountryRoad(a, b, *kinds[a, b]) for a, b in edges if (a, b) in kinds]
