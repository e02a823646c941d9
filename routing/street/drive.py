"""
Drive times between many places: the one door to customizable contraction hierarchies.

Whole seconds throughout, equal to Dijkstra's on the same arcs (tests/oracles holds the slow
twin). Source: Customizable Contraction Hierarchies, ACM JEA 2016, as built in RoutingKit.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import routingkit_cch

from routing.street.kernels import Arcs

Int32 = npt.NDArray[np.int32]
FAR_S = 2**30
UNREACHABLE_S = 65_535
"""Entry of a drive matrix between places that no road joins (or over 18 hours apart)."""

Seeds = Sequence[tuple[int, int]]
"""(node, seconds to or from the place) pairs by which a place is tied to the graph."""


_own = threading.local()
"""A thread's last query, which no other thread may drop: so it is not the drive times' own."""


def order_nodes(arcs: Arcs, lat: npt.NDArray[np.float64], lon: npt.NDArray[np.float64]) -> Int32:
    """Contraction order by inertial flow: once per street graph, whatever the speeds."""
    order = routingkit_cch.compute_order_inertial(
        len(lat), _tails(arcs).tolist(), arcs.head.tolist(), lat.tolist(), lon.tolist()
    )
    return np.array(order, np.int32)


def _tails(arcs: Arcs) -> Int32:
    return np.repeat(np.arange(len(arcs.first) - 1, dtype=np.int32), np.diff(arcs.first))


class DriveTimes:
    """Fastest drives on one profile's arcs. Safe to share between threads."""

    def __init__(self, arcs: Arcs, order: Int32) -> None:
        hierarchy = routingkit_cch.CCH(
            order.tolist(), _tails(arcs).tolist(), arcs.head.tolist(), False
        )
        self._metric = routingkit_cch.CCHMetric(hierarchy, arcs.seconds.tolist())

    def from_place(self, place: Seeds, targets: Int32) -> Int32:
        """Seconds from a place to each target node; `FAR_S` where no road leads."""
        if not place or not len(targets):
            return np.full(len(targets), FAR_S, np.int32)
        search = routingkit_cch.CCHOneToMany(self._metric, targets.tolist())
        return _seconds(search.distances_from_multi(list(place)))

    def to_place(self, sources: Int32, place: Seeds) -> Int32:
        """Seconds from each source node to a place; `FAR_S` where no road leads."""
        if not place or not len(sources):
            return np.full(len(sources), FAR_S, np.int32)
        search = routingkit_cch.CCHManyToOne(self._metric, sources.tolist())
        return _seconds(search.distances_to_multi(list(place)))

    def between(self, start: Seeds, end: Seeds) -> int:
        """Seconds of the fastest drive from place to place; `FAR_S` where no road leads."""
        nodes = np.array([node for node, _ in end], np.int32)
        tail = np.array([seconds for _, seconds in end], np.int32)
        return int((self.from_place(start, nodes) + tail).min(initial=FAR_S))

    def path(self, start: int, end: int) -> list[int]:
        """Arcs of the fastest drive between two nodes, in order."""
        if getattr(_own, "metric", None) is not self._metric:
            _own.metric, _own.query = self._metric, routingkit_cch.CCHQuery(self._metric)
        arcs: list[int] = _own.query.run(start, end).arc_path
        return arcs

    def matrix(self, nodes: Int32) -> npt.NDArray[np.uint16]:
        """Seconds between every two of the nodes, `UNREACHABLE_S` from there up."""
        matrix = np.empty((len(nodes), len(nodes)), np.uint16)
        if not len(nodes):
            return matrix
        search = routingkit_cch.CCHOneToMany(self._metric, nodes.tolist())
        for row, node in enumerate(nodes.tolist()):
            matrix[row] = np.minimum(_seconds(search.distances_from(node)), UNREACHABLE_S)
        return matrix


def _seconds(distances: list[int | None]) -> Int32:
    return np.array([FAR_S if d is None else d for d in distances], np.int32)
