"""
Walks and drives by the book: every segment looked at, plain Dijkstra over all arcs.

The search is `scipy.sparse.csgraph.dijkstra` on a matrix of whole seconds (exact in float64). Long
tables of drives first take away junctions with up to six neighbours, which changes no distance
between the places that stay. Nothing here uses the planner's grid, kernels or hierarchy; only the
definitions are the same:

* a place hangs on the nearest street that its profile may use, on a plane in metres;
* a part of an edge takes ``round(share * seconds)``, the rest the remainder;
* between place and street a walker goes straight at 1.3 m/s (``round``), a driver needs nothing;
* a meeting point stands at its nodes, with its own link for the person.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra

from core.geo import METRES_PER_DEGREE, Coordinate

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

FOOT_MPS = 1.3
NO_ACCESS = -1
FAR_S = 10**9
PERSON_LIMIT_M = 250.0
STOP_LIMIT_M = 400.0
DRIVER_LIMIT_M = 500.0
TIE_M = 1e-6
"""Streets no farther apart than this are equally near: any of them may be meant."""
CHUNK_ROWS = 64
SHORTCUT_NEIGHBOURS = 6

Int32 = npt.NDArray[np.int32]
Float64 = npt.NDArray[np.float64]
Pairs = tuple[tuple[int, int], ...]
"""(node, seconds)"""


@dataclass(frozen=True, slots=True)
class Hung:
    """A place on one profile's graph, by one choice of nearest street."""

    leave: Pairs
    reach: Pairs
    edge: int = -1
    share: float = 0.0
    link_s: int = 0
    away_m: float = 0.0


class StreetOracle:
    """Seconds on foot and by car between places, from a network's street arrays alone."""

    def __init__(self, streets: Any, points: Any) -> None:
        self.streets = streets
        self.points = points
        self.point_row = {str(points.id[i]): i for i in range(len(points.lat))}
        self._lay_plane()
        self._graph = {profile: _matrix(*self._arcs(profile)) for profile in ("foot", "car")}
        self._walk_cache: dict[tuple[Pairs, int], Float64] = {}

    def _lay_plane(self) -> None:
        """Metres east and north of the south-western corner; straight segments of all edges."""
        s = self.streets
        self._lat0, self._lon0 = float(s.point_lat.min()), float(s.point_lon.min())
        middle = math.radians((self._lat0 + float(s.point_lat.max())) / 2)
        self._per_lon = METRES_PER_DEGREE * math.cos(middle)
        x = (np.asarray(s.point_lon) - self._lon0) * self._per_lon
        y = (np.asarray(s.point_lat) - self._lat0) * METRES_PER_DEGREE
        first = np.asarray(s.edge_first_point).astype(np.int64)
        edge = np.repeat(np.arange(len(first) - 1), np.diff(first))
        a = np.flatnonzero(edge[1:] == edge[:-1])
        self._seg_edge, self._seg_point = edge[a], a
        self._ax, self._ay = x[a], y[a]
        self._dx, self._dy = x[a + 1] - x[a], y[a + 1] - y[a]
        square = self._dx**2 + self._dy**2
        self._square = np.where(square > 0, square, 1.0)
        self._usable = {}
        for profile in ("foot", "car"):
            f, b = s.seconds(profile, "forward"), s.seconds(profile, "backward")
            self._usable[profile] = ((f != NO_ACCESS) | (b != NO_ACCESS))[self._seg_edge]

    def _arcs(self, profile: str) -> tuple[int, Int32, Int32, Int32]:
        s = self.streets
        f, b = s.seconds(profile, "forward"), s.seconds(profile, "backward")
        on, back = np.flatnonzero(f != NO_ACCESS), np.flatnonzero(b != NO_ACCESS)
        tail = np.r_[s.edge_from[on], s.edge_to[back]]
        head = np.r_[s.edge_to[on], s.edge_from[back]]
        return len(s.node_lat), tail, head, np.r_[f[on], b[back]]

    # --- places -------------------------------------------------------------------------------

    def hang(self, profile: str, place: Coordinate, limit_m: float) -> list[Hung]:
        """Place on its nearest street; several when streets are equally near, none beyond limit."""
        x = (place.lon - self._lon0) * self._per_lon
        y = (place.lat - self._lat0) * METRES_PER_DEGREE
        share = ((x - self._ax) * self._dx + (y - self._ay) * self._dy) / self._square
        share = np.clip(share, 0.0, 1.0)
        away = np.hypot(self._ax + share * self._dx - x, self._ay + share * self._dy - y)
        away = np.where(self._usable[profile], away, np.inf)
        least = float(away.min())
        if least > limit_m:
            return []
        found: dict[int, Hung] = {}
        for row in np.flatnonzero(away <= least + TIE_M).tolist():
            edge = int(self._seg_edge[row])
            if edge not in found:
                point = int(self._seg_point[row])
                found[edge] = self._hung(profile, edge, point, float(share[row]), least)
        return [found[edge] for edge in sorted(found)]

    def _hung(self, profile: str, edge: int, point: int, t: float, away_m: float) -> Hung:
        s = self.streets
        a, b = int(s.edge_first_point[edge]), int(s.edge_first_point[edge + 1])
        steps = _steps_m(s.point_lat[a:b], s.point_lon[a:b])
        total = sum(steps)
        share = (sum(steps[: point - a]) + t * steps[point - a]) / total if total > 0 else 0.0
        link_s = round(away_m / FOOT_MPS) if profile == "foot" else 0
        forward = int(s.seconds(profile, "forward")[edge])
        backward = int(s.seconds(profile, "backward")[edge])
        u, v = int(s.edge_from[edge]), int(s.edge_to[edge])
        leave, reach = [], []
        if forward != NO_ACCESS:
            done = round(share * forward)
            leave.append((v, link_s + forward - done))
            reach.append((u, link_s + done))
        if backward != NO_ACCESS:
            done = round(share * backward)
            leave.append((u, link_s + done))
            reach.append((v, link_s + backward - done))
        return Hung(tuple(leave), tuple(reach), edge, share, link_s, away_m)

    def person(self, place: Coordinate, limit_m: float = PERSON_LIMIT_M) -> list[Hung]:
        """Somebody on foot at a coordinate."""
        return self.hang("foot", place, limit_m)

    def driver(self, place: Coordinate) -> list[Hung]:
        """A car at a coordinate."""
        return self.hang("car", place, DRIVER_LIMIT_M)

    def at_point(self, row: int, *, car: bool) -> Hung:
        """A meeting point, on its car's or its person's side."""
        p = self.points
        node, link_s = (
            (int(p.car_node[row]), 0) if car else (int(p.foot_node[row]), int(p.foot_link_s[row]))
        )
        return Hung(((node, link_s),), ((node, link_s),), link_s=link_s)

    # --- walks --------------------------------------------------------------------------------

    def walks_from(self, start: Hung, limit_s: int) -> Float64:
        """Seconds from a place to every node, infinite beyond the limit."""
        key = (start.leave, limit_s)
        if key not in self._walk_cache:
            self._walk_cache[key] = _from_pairs(self._graph["foot"], start.leave, limit_s)
        return self._walk_cache[key]

    def walk_s(self, start: Hung, end: Hung, limit_s: int) -> int | None:
        """Seconds of the shortest walk, or None when it is longer than the limit."""
        seconds = self.walks_from(start, limit_s)
        ways = [float(seconds[node]) + tail for node, tail in end.reach]
        least = min([*ways, self._along("foot", start, end)])
        return int(least) if least <= limit_s else None

    def walk_choices_s(self, starts: list[Hung], ends: list[Hung], limit_s: int) -> set[int]:
        """Shortest walks for every choice among equally near streets."""
        found = {self.walk_s(a, b, limit_s) for a, b in product(starts, ends)}
        return {s for s in found if s is not None}

    def walks_to_points(self, start: Hung, limit_s: int) -> npt.NDArray[np.int64]:
        """Shape (P,): seconds from a place to each meeting point; FAR_S beyond the limit."""
        walked = self.walks_from(start, limit_s)[self.points.foot_node] + self.points.foot_link_s
        return np.where(walked <= limit_s, walked, FAR_S).astype(np.int64)

    def walks_from_points(self, end: Hung, limit_s: int) -> npt.NDArray[np.int64]:
        """Shape (P,): seconds from each meeting point to a place, by the graph turned round."""
        seconds = _from_pairs(self._turned_foot(), end.reach, limit_s)
        walked = seconds[self.points.foot_node] + self.points.foot_link_s
        return np.where(walked <= limit_s, walked, FAR_S).astype(np.int64)

    def _turned_foot(self) -> csr_array:
        if "turned" not in self._graph:
            self._graph["turned"] = csr_array(self._graph["foot"].T)
        return self._graph["turned"]

    def along_s(self, start: Hung, end: Hung) -> float:
        """Seconds by car between two places on one edge without leaving it; infinite if not so."""
        return self._along("car", start, end)

    def _along(self, profile: str, start: Hung, end: Hung) -> float:
        """Seconds between two places on one edge without leaving it; infinite if not so."""
        if start.edge < 0 or start.edge != end.edge:
            return math.inf
        direction = "forward" if end.share >= start.share else "backward"
        whole = int(self.streets.seconds(profile, direction)[start.edge])
        if whole == NO_ACCESS:
            return math.inf
        part = abs(round(end.share * whole) - round(start.share * whole))
        return part + start.link_s + end.link_s

    # --- drives -------------------------------------------------------------------------------

    def drive_s(self, start: Hung, end: Hung) -> int:
        """Seconds of the fastest drive between two places on the full graph; FAR_S if none."""
        seconds = _from_pairs(self._graph["car"], start.leave, math.inf)
        ways = [float(seconds[node]) + tail for node, tail in end.reach]
        least = min([*ways, self._along("car", start, end)])
        return int(least) if math.isfinite(least) else FAR_S

    def drive_table(self, starts: Sequence[Hung], ends: Sequence[Hung]) -> Int32:
        """Shape (len(starts), len(ends)): seconds of the fastest drives, FAR_S where none."""
        count, tail, head, seconds = self._arcs("car")
        row_of: dict[tuple[str, Pairs], int] = {}
        arcs: list[tuple[int, int, int]] = []
        for way, places in (("out", starts), ("in", ends)):
            for place in places:
                pairs = place.leave if way == "out" else place.reach
                if len(pairs) == 1 and pairs[0][1] == 0:
                    row_of[way, pairs] = pairs[0][0]
                elif (way, pairs) not in row_of:  # a node of its own, one way out or in
                    own = row_of[way, pairs] = count
                    arcs += [(own, n, s) if way == "out" else (n, own, s) for n, s in pairs]
                    count += 1
        more = np.array(arcs, np.int32).reshape(-1, 3)
        columns = (np.r_[a, b] for a, b in zip((tail, head, seconds), more.T, strict=True))
        small, small_row = _shortened(count, *columns, kept=row_of.values())
        sources = [small_row[row_of["out", h.leave]] for h in starts]
        targets = [small_row[row_of["in", h.reach]] for h in ends]
        out = np.empty((len(starts), len(ends)), np.int32)
        for i in range(0, len(sources), CHUNK_ROWS):
            found = dijkstra(small, indices=sources[i : i + CHUNK_ROWS])[:, targets]
            out[i : i + CHUNK_ROWS] = np.where(np.isfinite(found), found, FAR_S)
        self._shorten_along(starts, ends, out)
        return out

    def _shorten_along(self, starts: Sequence[Hung], ends: Sequence[Hung], out: Int32) -> None:
        at_edge: dict[int, list[int]] = {}
        for b, end in enumerate(ends):
            if end.edge >= 0:
                at_edge.setdefault(end.edge, []).append(b)
        for a, start in enumerate(starts):
            for b in at_edge.get(start.edge, ()):
                out[a, b] = min(float(out[a, b]), self._along("car", start, ends[b]))


def _steps_m(lat: Float64, lon: Float64) -> list[float]:
    """Straight metres between consecutive points, each on its own plane."""
    steps = []
    for i in range(len(lat) - 1):
        north = (lat[i + 1] - lat[i]) * METRES_PER_DEGREE
        cosine = math.cos(math.radians((lat[i + 1] + lat[i]) / 2))
        steps.append(math.hypot(north, (lon[i + 1] - lon[i]) * METRES_PER_DEGREE * cosine))
    return steps


def _matrix(count: int, tail: Int32, head: Int32, seconds: Int32) -> csr_array:
    """Sparse matrix with the least of parallel arcs; zeros stay stored as arcs of no length."""
    order = np.lexsort((seconds, head, tail))
    tail, head, seconds = tail[order], head[order], seconds[order]
    first = np.r_[True, (tail[1:] != tail[:-1]) | (head[1:] != head[:-1])]
    tail, head, seconds = tail[first], head[first], seconds[first]
    indptr = np.r_[0, np.cumsum(np.bincount(tail, minlength=count))].astype(np.int32)
    return csr_array((seconds.astype(np.float64), head, indptr), shape=(count, count))


def _from_pairs(graph: csr_array, pairs: Pairs, limit_s: float) -> Float64:
    rows = dijkstra(graph, indices=[node for node, _ in pairs], limit=limit_s)
    best: Float64 = np.min(rows + np.array([[s] for _, s in pairs], np.float64), axis=0)
    best[best > limit_s] = np.inf
    return best


def _shortened(
    count: int, tail: Int32, head: Int32, seconds: Int32, *, kept: Iterable[int]
) -> tuple[csr_array, dict[int, int]]:
    """
    Graph without the nodes of up to six neighbours that nobody asks for.

    Each is replaced by arcs from every neighbour before it to every one after it, so distances
    between the remaining nodes are what they were.
    """
    out: list[dict[int, int]] = [{} for _ in range(count)]
    into: list[dict[int, int]] = [{} for _ in range(count)]

    def join(a: int, b: int, s: int) -> None:
        if a != b and s < out[a].get(b, FAR_S):
            out[a][b] = into[b][a] = s

    for a, b, s in zip(tail.tolist(), head.tolist(), seconds.tolist(), strict=True):
        join(a, b, s)
    stays = set(kept)
    gone = [False] * count
    queue = [n for n in range(count) if n not in stays]
    while queue:
        n = queue.pop()
        near = out[n].keys() | into[n].keys()
        if gone[n] or len(near) > SHORTCUT_NEIGHBOURS:
            continue
        gone[n] = True
        for a in into[n]:
            del out[a][n]
        for b in out[n]:
            del into[b][n]
        for a, s in into[n].items():
            for b, t in out[n].items():
                join(a, b, s + t)
        queue += [a for a in near if a not in stays]
        out[n], into[n] = {}, {}
    left = [n for n in range(count) if not gone[n]]
    row_of = {n: i for i, n in enumerate(left)}
    arcs = [(row_of[a], row_of[b], s) for a in left for b, s in out[a].items()]
    from_row, to_row, arc_s = (np.array(column, np.int32) for column in zip(*arcs, strict=True))
    return _matrix(len(left), from_row, to_row, arc_s), row_of
