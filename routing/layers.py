"""
Via stops: the network in layers, one more than there are vias.

A journey starts in layer 0 and ends in the last; visiting the next via leads one layer up. So the
search itself knows nothing of vias and stays exact: stop ``s`` of layer ``v`` is node
``v × S + s``, walks to a via and on from it lead from layer to layer, and so does a vehicle that
calls at a via at which nobody has to stay.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from gtfs_data.enums import CAN_ALIGHT, CAN_BOARD
from gtfs_data.rolling import DayTimetable, mirrored
from gtfs_data.store import frozen
from routing.links import Links, in_rows, joined, together
from routing.terrain import Terrain, ViaStops

Int32 = npt.NDArray[np.int32]
FAR_S = 2**30


class Visit(NamedTuple):
    """A via on the way from one vehicle to the next, to the first or from the last."""

    stop: int
    walk_s: int
    """From where the last leg, or the via before, ended."""
    stay_s: int
    onward_s: int
    """Walk on from the last via of several to the next leg or the destination; 0 before it."""


class Layers:
    """A terrain with via stops."""

    def __init__(self, plain: Terrain, vias: Sequence[ViaStops]) -> None:
        self.stop_count = plain.stop_count
        self._vias = tuple(vias)
        self._change_s = plain.change_s
        self._rows = plain.walks
        links = Links.of(plain.walks)
        self._links = links.where((links.start < self.stop_count) & (links.to < self.stop_count))
        nodes = self.stop_count * (len(vias) + 1)
        walks = self._walks()
        rows, rows_back = in_rows(walks, nodes), in_rows(walks.turned(), nodes)
        day = layered_day(plain.day, self.stop_count, self._vias)
        self.terrain = Terrain(
            day=day,
            day_back=mirrored(day),
            walks=rows,
            walks_back=rows_back,
            point_walks=rows,
            point_walks_back=rows_back,
            change_s=frozen(np.tile(plain.change_s[: self.stop_count], len(vias) + 1)),
            cell=frozen(np.tile(plain.cell, len(vias) + 1)),
            onward_256=plain.onward_256,
        )

    def access(self, node: Int32, seconds: Int32) -> tuple[Int32, Int32]:
        """Nodes of all layers that can be walked to from the origin."""
        reach = Links(np.zeros_like(node), node, seconds)
        first = self._vias[0]
        visiting = reach.where(np.isin(node, first.stops))
        visiting = visiting._replace(seconds=visiting.seconds + first.stay_s)
        parts = [reach]
        for layer in range(1, len(self._vias) + 1):
            then = self._from(0)
            if layer > 1:
                then = self._by_vias(1, layer, self._from(layer - 1), full=True)
            parts.append(self._lifted(joined(visiting, then, self.stop_count), 0, layer))
        every = together(parts)
        return every.to, every.seconds

    def egress(self, node: Int32, seconds: Int32) -> tuple[Int32, Int32]:
        """Nodes of all layers from which the destination can be walked to."""
        last = len(self._vias)
        reach = Links(node, np.zeros_like(node), seconds)
        parts = [self._lifted(reach, last, 0)]
        for layer in range(last):
            by_vias = self._by_vias(layer, last, reach, full=True)
            parts.append(self._lifted(by_vias, layer, 0))
        every = together(parts)
        return every.start, every.seconds

    def visits(
        self, start: int, end: int, access_s: dict[int, int], egress_s: dict[int, int]
    ) -> tuple[Visit, ...]:
        """
        Vias visited on foot between two nodes of layers.

        Parameters
        ----------
        start, end
            Where a vehicle was left and the next is boarded; -1 is the origin or the destination,
            to which `access_s` and `egress_s` tell the walks.
        """
        first = 0 if start < 0 else start // self.stop_count
        last = len(self._vias) if end < 0 else end // self.stop_count
        best_s = FAR_S
        best: tuple[tuple[int, int, int], ...] = ()
        for stops in itertools.product(*(via.stops for via in self._vias[first:last])):
            walks_s, at = [], start
            for stop in stops:
                walks_s.append(access_s.get(stop, FAR_S) if at < 0 else self._walk_s(at, stop))
                at = stop
            rest_s = egress_s.get(at, FAR_S) if end < 0 else self._walk_s(at, end)
            if sum(walks_s) + rest_s < best_s:
                best_s = sum(walks_s) + rest_s
                onward_s = [*[0] * len(stops), rest_s][1:]
                best = tuple(zip(stops, walks_s, onward_s, strict=True))
        return tuple(
            Visit(stop, walk_s, self._vias[first + i].stay_s, onward_s)
            for i, (stop, walk_s, onward_s) in enumerate(best)
        )

    def _walk_s(self, start: int, end: int) -> int:
        start, end = start % self.stop_count, end % self.stop_count
        if start == end:
            return 0
        row = slice(int(self._rows.first[start]), int(self._rows.first[start + 1]))
        found = self._rows.seconds[row][self._rows.to[row] == end]
        return int(found[0]) if len(found) else FAR_S

    def _walks(self) -> Links:
        """Walks in every layer, and those that visit vias on the way."""
        parts = []
        for low in range(len(self._vias) + 1):
            parts.append(self._lifted(self._links, low, low))
            for high in range(low + 1, len(self._vias) + 1):
                climb = self._by_vias(low, high, self._from(high - 1), full=False)
                parts.append(self._lifted(climb, low, high))
        return together(parts)

    def _by_vias(self, low: int, high: int, last: Links, *, full: bool) -> Links:
        """Walks to the vias `low` … before `high`, staying at each, then as `last` leads on."""
        stops = np.array(self._vias[low].stops, np.int32)
        stay_s = np.full(self.stop_count, self._vias[low].stay_s, np.int32)
        if not full:  # the search adds the time for a change to every walk
            stay_s = np.maximum(stay_s - self._change_s[: self.stop_count], 0)
        into = together([self._links.where(np.isin(self._links.to, stops)), _here(stops)])
        into = into._replace(seconds=into.seconds + stay_s[into.to])
        then = last if low + 1 == high else self._by_vias(low + 1, high, last, full=full)
        return joined(into, then, self.stop_count)

    def _from(self, via: int) -> Links:
        """Walks on from a via, or none."""
        stops = np.array(self._vias[via].stops, np.int32)
        return together([self._links.where(np.isin(self._links.start, stops)), _here(stops)])

    def _lifted(self, links: Links, start: int, to: int) -> Links:
        return links._replace(
            start=links.start + start * self.stop_count, to=links.to + to * self.stop_count
        )


def _here(stops: Int32) -> Links:
    return Links(stops, stops, np.zeros(len(stops), np.int32))


def layered_day(day: DayTimetable, stop_count: int, vias: Sequence[ViaStops]) -> DayTimetable:
    """
    Patterns in every layer, and once more where a vehicle passes a via without a stay.

    The latter are boarded before the via only and left from it on only: all else is done by the
    pattern in its own layer.
    """
    patterns = np.arange(len(day.first_stop) - 1)
    lengths = np.diff(day.first_stop)
    own = np.tile(patterns, len(vias) + 1)
    stops = [day.stop + layer * stop_count for layer in range(len(vias) + 1)]
    flags = [day.flag] * (len(vias) + 1)
    passing = []
    for low, via in enumerate(vias):
        calls = np.isin(day.stop, via.stops)
        touched = np.repeat(patterns, lengths)[calls] if via.stay_s == 0 else patterns[:0]
        for pattern in np.unique(touched).tolist():
            rows = slice(int(day.first_stop[pattern]), int(day.first_stop[pattern + 1]))
            before = 0  # boarded since the last time that the line called there
            for at in np.flatnonzero(calls[rows]).tolist():
                if at > 0:
                    layer, may = _passing(day.stop[rows], at, low, vias)
                    may[:before] = 0
                    passing.append(pattern)
                    stops.append(day.stop[rows] + layer * stop_count)
                    flags.append(day.flag[rows] & may)
                before = at
    source = np.r_[own, np.array(passing, np.int64)]
    trips = np.diff(day.first_trip)
    first_stop, stop = _firsts(lengths[source]), np.concatenate(stops).astype(np.int32)
    trip_row = _rows_of(day.first_trip[:-1][source], trips[source])
    sizes = lengths * trips
    event_row = _rows_of(day.first_event[:-1][source], sizes[source])
    pattern = np.repeat(np.arange(len(source)), lengths[source])
    position = np.arange(len(stop)) - first_stop[pattern]
    by_stop = np.lexsort((position, pattern, stop))
    nodes = stop_count * (len(vias) + 1)
    columns = (
        first_stop, stop, np.concatenate(flags).astype(np.uint8), _firsts(trips[source]),
        day.trip[trip_row], day.day[trip_row], _firsts(sizes[source]), day.arrival_s[event_row],
        day.departure_s[event_row], _firsts(np.bincount(stop, minlength=nodes)),
        pattern[by_stop].astype(np.int32), position[by_stop].astype(np.int32),
    )  # fmt: skip
    return DayTimetable(*(frozen(np.ascontiguousarray(c)) for c in columns))


def _passing(
    stops: Int32, at: int, low: int, vias: Sequence[ViaStops]
) -> tuple[Int32, npt.NDArray[np.uint8]]:
    """
    Layers and uses of the calls of a vehicle boarded in layer `low` before it passes its via.

    It calls there at position `at`, and at further vias after it.
    """
    layers = np.full(len(stops), low, np.int32)
    layer = low
    for i in range(at, len(stops)):
        while layer < len(vias) and vias[layer].stay_s == 0 and stops[i] in vias[layer].stops:
            layer += 1
        layers[i] = layer
    return layers, np.where(layers == low, CAN_BOARD, CAN_ALIGHT).astype(np.uint8)


def _firsts(counts: npt.NDArray[np.integer]) -> Int32:
    firsts: Int32 = np.r_[0, np.cumsum(counts)].astype(np.int32)
    return firsts


def _rows_of(first: Int32, count: npt.NDArray[np.integer]) -> npt.NDArray[np.int64]:
    """Rows ``first[i]`` … one after the other, ``count[i]`` of them."""
    nth = np.arange(int(count.sum())) - np.repeat(np.cumsum(count) - count, count)
    rows: npt.NDArray[np.int64] = np.repeat(first, count) + nth
    return rows
