"""
The streets while they are being built, and routing over them.

A way is a row of nodes with tags; ways meet where they share a node, exactly as in OSM.
"""

from __future__ import annotations

import itertools
from collections import defaultdict
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import connected_components, dijkstra
from scipy.spatial import cKDTree

from mobility.demo.geometry import Polyline, crosses

CAR_KINDS = frozenset(
    {"primary", "secondary", "tertiary", "unclassified", "residential", "living_street", "service"}
)
MAIN_KINDS = frozenset({"primary", "secondary", "tertiary"})
WALK_ONLY_KINDS = frozenset({"footway", "path", "steps", "pedestrian", "cycleway"})


@dataclass(frozen=True, slots=True)
class Way:
    """A street: its nodes in order, and what OSM says about it."""

    nodes: tuple[int, ...]
    kind: str
    zone: str
    name: str = ""
    ref: str = ""
    maxspeed: int = 0
    oneway: bool = False
    bridge: bool = False
    roundabout: bool = False

    @property
    def drivable(self) -> bool:
        """Whether a car may use it."""
        return self.kind in CAR_KINDS


@dataclass(slots=True)
class StreetNetwork:
    """Nodes (plane points) and ways, growing while the territory is built."""

    points: list[complex] = field(default_factory=list)
    ways: list[Way] = field(default_factory=list)

    def add_point(self, point: complex) -> int:
        """Add a node and return its row."""
        self.points.append(complex(point))
        return len(self.points) - 1

    def add_line(self, line: Polyline, *, first: int | None, last: int | None) -> tuple[int, ...]:
        """Add the nodes of a line, reusing the nodes given for its ends."""
        ids = [self.add_point(p) for p in line[1:-1]]
        head = self.add_point(line[0]) if first is None else first
        tail = self.add_point(line[-1]) if last is None else last
        return (head, *ids, tail)

    def line(self, way: Way) -> Polyline:
        """The way's points."""
        return np.array([self.points[n] for n in way.nodes])

    def length_m(self, way: Way) -> float:
        """The way's length."""
        return float(np.abs(np.diff(self.line(way))).sum())

    def components(self, *, drivable: bool) -> npt.NDArray[np.int32]:
        """Component of each node, ignoring direction; -1 where no such way passes."""
        count = len(self.points)
        pairs = [
            pair
            for way in self.ways
            if way.drivable or not drivable
            for pair in zip(way.nodes, way.nodes[1:], strict=False)
        ]
        rows, cols = np.array(pairs).T
        graph = csr_matrix((np.ones(len(rows)), (rows, cols)), shape=(count, count))
        labels = np.asarray(connected_components(graph, directed=False)[1], dtype=np.int32)
        touched = np.zeros(count, dtype=bool)
        touched[rows] = touched[cols] = True
        return np.where(touched, labels, -1).astype(np.int32)

    def keep_largest_parts(self) -> None:
        """Turn streets that cars cannot reach into footways, then drop what nobody reaches."""
        cars = _largest(self.components(drivable=True))
        self.ways = [
            replace(w, kind="footway", maxspeed=0) if w.drivable and not cars[w.nodes[0]] else w
            for w in self.ways
        ]
        walk = _largest(self.components(drivable=False))
        self.ways = [w for w in self.ways if walk[w.nodes[0]]]

    def free_oneways(self) -> None:
        """Open to both directions every oneway street that traps cars, until none does."""
        for _ in range(20):
            router = Router.build(self)
            core = router.core
            stuck = {
                row
                for row, w in enumerate(self.ways)
                if w.drivable and w.oneway and not w.roundabout
                if not all(core[n] for n in w.nodes)
            }
            if not stuck:
                return
            self.ways = [
                replace(w, oneway=False) if row in stuck else w for row, w in enumerate(self.ways)
            ]

    def join_crossings(self) -> None:
        """Give ways that cross on the level a node in common."""
        segments = [
            (row, i, a, b)
            for row, way in enumerate(self.ways)
            if not way.bridge
            for i, (a, b) in enumerate(zip(way.nodes, way.nodes[1:], strict=False))
        ]
        points = np.array(self.points)
        ends = np.array([(a, b) for _, _, a, b in segments])
        a, b = points[ends[:, 0]], points[ends[:, 1]]
        middle = (a + b) / 2
        reach_m = float(np.abs(b - a).max())
        near = cKDTree(np.column_stack([middle.real, middle.imag])).query_pairs(
            reach_m, output_type="ndarray"
        )
        p, q = near[:, 0], near[:, 1]
        d1, d2 = b[p] - a[p], b[q] - a[q]
        det = (np.conj(d1) * d2).imag
        gap = a[q] - a[p]
        with np.errstate(divide="ignore", invalid="ignore"):
            t, u = (np.conj(gap) * d2).imag / det, (np.conj(gap) * d1).imag / det
        hit = (np.abs(det) > 1e-9) & (t > 0) & (t < 1) & (u > 0) & (u < 1)
        hit &= ~(ends[p][:, :, None] == ends[q][:, None, :]).any(axis=(1, 2))
        inserts: dict[int, list[tuple[int, float, int]]] = defaultdict(list)
        for i, j, share_p, share_q in sorted(
            zip(p[hit].tolist(), q[hit].tolist(), t[hit], u[hit], strict=True)
        ):
            node = self.add_point(a[i] + share_p * (b[i] - a[i]))
            inserts[segments[i][0]].append((segments[i][1], float(share_p), node))
            inserts[segments[j][0]].append((segments[j][1], float(share_q), node))
        for row, extra in inserts.items():
            way = self.ways[row]
            keyed = [((float(i), 0.0), n) for i, n in enumerate(way.nodes)]
            keyed += [((float(i), share), n) for i, share, n in extra]
            self.ways[row] = replace(way, nodes=tuple(n for _, n in sorted(keyed)))

    def wet(self, way: Way, river: Polyline) -> bool:
        """Whether the way crosses the river."""
        line = self.line(way)
        return any(crosses(complex(a), complex(b), river) for a, b in itertools.pairwise(line))


def _largest(labels: npt.NDArray[np.int32]) -> npt.NDArray[np.bool_]:
    biggest = int(np.bincount(labels[labels >= 0]).argmax())
    return np.asarray(labels == biggest)


def speed_kmh(way: Way) -> float:
    """How fast cars really go: below the limit, more so in town."""
    limit = float(way.maxspeed or 30)
    return limit * (0.82 if limit > 50 else 0.68)


@dataclass(frozen=True, slots=True)
class Router:
    """
    Shortest paths over the finished network.

    `graph` holds seconds for cars (or weighted metres), `core` the nodes of the largest
    strongly connected part.
    """

    points: Polyline
    graph: csr_matrix
    core: npt.NDArray[np.bool_]

    @classmethod
    def build(
        cls,
        network: StreetNetwork,
        *,
        kinds: frozenset[str] = CAR_KINDS,
        directed: bool = True,
        main_bonus: float = 1.0,
    ) -> Router:
        """
        Make the graph of some classes of street.

        Parameters
        ----------
        directed
            Whether oneway streets bind, as they do cars; without it, every street has one speed.
        main_bonus
            Factor on the cost of main streets: below 1 draws bus lines onto avenues.
        """
        cost: dict[tuple[int, int], float] = {}
        for way in network.ways:
            if way.kind not in kinds:
                continue
            factor = main_bonus if way.kind in MAIN_KINDS else 1.0
            pace = factor * 3.6 / (speed_kmh(way) if directed else 25.0)
            line = network.line(way)
            for (a, b), gap in zip(
                zip(way.nodes, way.nodes[1:], strict=False), np.abs(np.diff(line)), strict=True
            ):
                cost[a, b] = float(gap) * pace + 1e-6
                if not (way.oneway and directed):
                    cost[b, a] = float(gap) * pace + 1e-6
        count = len(network.points)
        rows, cols = np.array(list(cost)).T
        graph = csr_matrix((list(cost.values()), (rows, cols)), shape=(count, count))
        labels = np.asarray(connected_components(graph, directed=True, connection="strong")[1])
        core = labels == np.bincount(labels).argmax()
        return cls(np.array(network.points), graph, core)

    def nearest(self, point: complex, *, among: npt.NDArray[np.bool_] | None = None) -> int:
        """The node of the core (and of `among`) nearest to a point."""
        allowed = self.core if among is None else self.core & among
        rows = np.flatnonzero(allowed)
        return int(rows[np.abs(self.points[rows] - point).argmin()])

    def path(self, source: int, target: int) -> list[int]:
        """Nodes of the cheapest path, both ends included."""
        _, before = dijkstra(self.graph, indices=source, return_predecessors=True)
        out = [target]
        while out[-1] != source:
            prior = int(before[out[-1]])
            assert prior >= 0, "both ends lie in the strongly connected core"
            out.append(prior)
        return out[::-1]

    def seconds_from(self, source: int) -> npt.NDArray[np.float64]:
        """Driving seconds from one node to all."""
        return np.asarray(dijkstra(self.graph, indices=source), dtype=np.float64)
