"""
Streets of one settlement: the edges of a Voronoi diagram, whose cells are the blocks.

A block's seed decides its shape. Seeds on a jittered, turned lattice give a planned quarter,
scattered seeds an old core, and pairs of seeds mirrored in a line make that line a street:
so avenues, boulevards and quays run smoothly through an otherwise irregular web.
"""

from __future__ import annotations

import cmath
import itertools
import math
from dataclasses import dataclass, field

import numpy as np
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import dijkstra
from scipy.spatial import Voronoi, cKDTree

from mobility.demo.geometry import Polyline, distance_to_line, point_at, resample

MERGE_SHARE = 0.3  # corners closer than this share of the block size become one
OFF_LINE_M = 34.0  # edges farther off are hooks at an avenue's end, not part of it


@dataclass(frozen=True, slots=True)
class Quarter:
    """A part of a settlement with its own grain."""

    name: str
    centre: complex
    block_m: float
    turn_rad: float
    jitter: float


@dataclass(frozen=True, slots=True)
class Avenue:
    """A street that the plan wants, before the blocks are drawn."""

    line: Polyline
    kind: str
    name: str


@dataclass(slots=True)
class Web:
    """Corners and edges of a settlement's blocks."""

    corners: Polyline
    edges: list[tuple[int, int]]
    avenue_of: dict[tuple[int, int], int] = field(default_factory=dict)


def quarter_of(point: complex, quarters: tuple[Quarter, ...]) -> Quarter:
    """The quarter whose centre is nearest."""
    return min(quarters, key=lambda q: abs(q.centre - point))


def draw_web(
    quarters: tuple[Quarter, ...],
    avenues: list[Avenue],
    *,
    radius_m: float,
    river: Polyline,
    rng: np.random.Generator,
) -> Web:
    """Seed the blocks, draw their Voronoi diagram and find the avenues in it."""
    outline = _Outline.draw(radius_m, rng)
    centre = quarters[0].centre
    seeds: list[complex] = []
    for avenue in avenues:
        seeds += _mirrored(avenue.line, sides_m=(40.0,), step_m=82.0, away_from=seeds, gap_m=52.0)
    river_near = river[np.abs(river - centre) < radius_m * 1.4]
    if len(river_near) > 3:
        banks = (22.0, 74.0)  # mirrored in the river, and in a quay 48 m from its middle
        seeds += _mirrored(river_near, sides_m=banks, step_m=80.0, away_from=seeds, gap_m=38.0)
    lines = [a.line for a in avenues] + ([river_near] if len(river_near) > 3 else [])
    seeds += _lattices(quarters, lines, radius_m=radius_m * 1.35, rng=rng)
    kept = np.array(seeds)
    diagram = Voronoi(np.column_stack([kept.real, kept.imag]))
    corners = diagram.vertices[:, 0] + 1j * diagram.vertices[:, 1]
    inside = outline.contains(corners - centre)
    pairs = [
        (int(a), int(b))
        for a, b in diagram.ridge_vertices
        if a >= 0 and b >= 0 and inside[a] and inside[b]
    ]
    smallest_m = min(q.block_m for q in quarters)
    web = _merge(corners, pairs, gap_m=max(24.0, smallest_m * MERGE_SHARE))
    for row, avenue in enumerate(avenues):
        for edge in _match(web, avenue.line):
            web.avenue_of.setdefault(edge, row)
    return web


@dataclass(frozen=True, slots=True)
class _Outline:
    """An irregular round boundary."""

    radius_m: float
    waves: tuple[tuple[int, float, float], ...]

    @classmethod
    def draw(cls, radius_m: float, rng: np.random.Generator) -> _Outline:
        waves = tuple(
            (k, float(rng.uniform(0.03, 0.10)), float(rng.uniform(0, 6.28))) for k in (2, 3, 5)
        )
        return cls(radius_m, waves)

    def contains(self, points: Polyline) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
        angle = np.angle(points)
        limit = np.ones(len(points))
        for k, height, phase in self.waves:
            limit += height * np.sin(k * angle + phase)
        out: np.ndarray[tuple[int], np.dtype[np.bool_]] = np.abs(points) < self.radius_m * limit
        return out


def _mirrored(
    line: Polyline,
    *,
    sides_m: tuple[float, ...],
    step_m: float,
    away_from: list[complex],
    gap_m: float,
) -> list[complex]:
    others = np.array(away_from) if away_from else np.array([1e9 + 0j])
    length_m = float(np.abs(np.diff(line)).sum())
    out: list[complex] = []
    for at_m in np.arange(step_m / 2, length_m, step_m):
        spot, heading = point_at(line, float(at_m))
        for side_m in sides_m:
            pair = [spot + 1j * heading * side_m, spot - 1j * heading * side_m]
            if all(np.abs(others - p).min() > gap_m for p in pair):
                out += pair
    return out


def _lattices(
    quarters: tuple[Quarter, ...],
    lines: list[Polyline],
    *,
    radius_m: float,
    rng: np.random.Generator,
) -> list[complex]:
    out: list[complex] = []
    for quarter in quarters:
        block_m = quarter.block_m
        count = int(radius_m * 2 / block_m) + 2
        spots, slip = [], 0.0
        for row in range(-count, count + 1):
            slip += float(rng.normal(0, 0.5)) if rng.random() < 0.22 else 0.0  # T junctions
            for column in range(-count, count + 1):
                z = complex((column + slip) * 1.3, row * 0.78) * block_m
                z += block_m * quarter.jitter * complex(rng.normal(), rng.normal())
                spots.append(quarter.centre + z * cmath.exp(1j * quarter.turn_rad))
        centre = quarters[0].centre
        spots = [z for z in spots if abs(z - centre) < radius_m]
        spots = [z for z in spots if quarter_of(z, quarters) is quarter]
        if not spots:
            continue
        free = np.ones(len(spots), dtype=bool)
        for line in lines:
            free &= distance_to_line(np.array(spots), line) > max(76.0, block_m * 0.62)
        out += [z for z, ok in zip(spots, free, strict=True) if ok]
    return out


def _merge(corners: Polyline, pairs: list[tuple[int, int]], *, gap_m: float) -> Web:
    used = sorted({c for pair in pairs for c in pair})
    spots = corners[used]
    parent = list(range(len(used)))

    def root(i: int) -> int:
        while parent[i] != i:
            i = parent[i]
        return i

    tree = cKDTree(np.column_stack([spots.real, spots.imag]))
    for a, b in sorted(tree.query_pairs(gap_m)):
        ra, rb = root(a), root(b)
        # Chains of close corners would melt a whole street: merge only what stays small.
        if ra != rb and abs(spots[ra] - spots[rb]) < gap_m * 1.5:
            parent[max(ra, rb)] = min(ra, rb)
    row_of = {corner: i for i, corner in enumerate(used)}
    groups: dict[int, list[int]] = {}
    for i in range(len(used)):
        groups.setdefault(root(i), []).append(i)
    new_of = {r: n for n, r in enumerate(groups)}
    merged = np.array([spots[members].mean() for members in groups.values()])
    edges = set()
    for a, b in pairs:
        one, two = new_of[root(row_of[a])], new_of[root(row_of[b])]
        if one != two:
            edges.add((min(one, two), max(one, two)))
    return Web(merged, sorted(edges))


def _match(web: Web, line: Polyline) -> list[tuple[int, int]]:
    """The chain of edges that follows a line best."""
    rows, cols = np.array(web.edges).T
    a, b = web.corners[rows], web.corners[cols]
    off_m = distance_to_line((a + b) / 2, line) + distance_to_line(a, line) / 2
    off_m += distance_to_line(b, line) / 2
    off_of = dict(zip(web.edges, off_m.tolist(), strict=True))
    price = np.abs(b - a) * (1.0 + (off_m / 14.0) ** 2) + 0.1
    count = len(web.corners)
    graph = csr_matrix((price, (rows, cols)), shape=(count, count))
    marks = resample(line, 640.0)
    nodes = [int(np.abs(web.corners - m).argmin()) for m in marks]
    out = []
    for source, target in itertools.pairwise(nodes):
        if source == target:
            continue
        _, before = dijkstra(graph, directed=False, indices=source, return_predecessors=True)
        at = target
        while at != source and before[at] >= 0:
            prior = int(before[at])
            edge = (min(at, prior), max(at, prior))
            if off_of[edge] < 2 * OFF_LINE_M:
                out.append(edge)
            at = prior
    return out


def ring(radius_m: float, start_deg: float, end_deg: float, *, wobble_m: float) -> Polyline:
    """A boulevard around the origin, from one angle to another, not quite round."""
    angle = np.radians(np.linspace(start_deg, end_deg, 60))
    radius = radius_m + wobble_m * np.sin(3 * angle + 0.7) + wobble_m * np.sin(2 * angle)
    line: Polyline = radius * np.exp(1j * angle)
    return line


def bowed(a: complex, b: complex, bow: float) -> Polyline:
    """A street from a to b that swings sideways by `bow` of its length."""
    t = np.linspace(0.0, 1.0, 30)
    return a + (b - a) * t + 1j * (b - a) * bow * np.sin(math.pi * t)
