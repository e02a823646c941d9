"""
Bounds on the way that is left: least seconds and fewest vehicles between parts of a network.

Stops are put in cells of neighbours, one stop each where the network is small. For every pair of
cells the table holds what no journey undercuts on any date: fastest runs, no waiting, no change.
A search drops whatever cannot beat the goal even so.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from os import cpu_count

import numpy as np
import numpy.typing as npt

from core.jit import kernel
from gtfs_data.store import frozen
from gtfs_data.timetable import Timetable
from routing.street.kernels import Arcs, Arena, Walks, new_arena, search_within

CELL_LIMIT = 4_096
LARGE_CELL_LIMIT = 1_024
"""Of networks with more stops than `CELL_LIMIT`: each cell costs a search over all stops."""
COARSE_LIMIT = 256
"""Of tables read as a whole by every search: cells of some hundred metres in a city."""
UNREACHED_S = 2**16 - 1
VEHICLE_BITS = 4
MOST_ONWARD = 2**VEHICLE_BITS - 1
"""More vehicles than are ever searched: the goal cannot be reached from there."""
CHUNK = 64
"""Cells that one thread searches before it takes more."""

Int32 = npt.NDArray[np.int32]
Seconds = npt.NDArray[np.uint16]
Counts = npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Bounds:
    """Tables over pairs of cells; the first index is the side where the search has its goal."""

    cell: Int32
    """Shape (stop_count,): cell of each stop."""
    to_s: Seconds
    """Shape (C, C): least seconds to the first cell from the second."""
    to_vehicles: Counts
    """Fewest vehicles to the first cell; one may walk before the first of them."""
    from_s: Seconds
    """Least seconds from the first cell to the second."""
    from_vehicles: Counts
    """Fewest vehicles from the first cell; one may walk after the last of them."""


def build_bounds(timetable: Timetable, walks: Walks, walks_back: Walks) -> Bounds:
    """Bounds of a timetable and the walks between its stops."""
    t, stop_count = timetable, timetable.stop_count
    cell = _cells(t.stop_lat, t.stop_lon, _cell_limit(stop_count))
    start, end, seconds = _fastest(t, walks)
    count = int(cell.max(initial=-1)) + 1
    by_cell = np.argsort(cell, kind="stable").astype(np.int32)
    first = np.searchsorted(cell[by_cell], np.arange(count + 1)).astype(np.int32)
    against = _arcs(end, start, seconds, stop_count)
    to_s = np.full((count, count), UNREACHED_S, np.uint16)
    to_vehicles = np.full((count, count), MOST_ONWARD, np.uint8)
    from_vehicles = np.full((count, count), MOST_ONWARD, np.uint8)
    lengths = np.diff(t.pattern_first_stop)
    row = np.arange(len(t.pattern_stop))
    pattern = np.repeat(np.arange(len(lengths)), lengths)
    turned = (t.pattern_first_stop[:-1] + t.pattern_first_stop[1:])[pattern] - 1 - row
    lines = _Lines.of(t.pattern_first_stop, t.pattern_stop, stop_count)
    lines_back = _Lines.of(t.pattern_first_stop, t.pattern_stop[turned], stop_count)

    def fill(begin: int) -> None:
        some = slice(begin, min(begin + CHUNK, count))
        arena = new_arena(stop_count, len(against.head))
        _nearest_cells(against, first, by_cell, cell, begin, arena, to_s[some])
        for way, back, out in (
            (lines, walks_back, to_vehicles),
            (lines_back, walks, from_vehicles),
        ):
            _fewest_vehicles(
                way.first_stop, way.stop, way.at_stop_first, way.at_stop_row, way.pattern,
                back, first, by_cell, cell, begin, out[some],
            )  # fmt: skip

    with ThreadPoolExecutor(cpu_count()) as pool:
        list(pool.map(fill, range(0, count, CHUNK)))
    return Bounds(cell, to_s, to_vehicles, np.ascontiguousarray(to_s.T), from_vehicles)


@dataclass(frozen=True, slots=True)
class CoarseBounds:
    """Least seconds between cells of stops and between cells of meeting points, as in `Bounds`."""

    stop_cell: Int32
    ride_to_s: Seconds
    ride_from_s: Seconds
    point_cell: Int32
    drive_to_s: Seconds
    drive_from_s: Seconds


def coarse_bounds(
    bounds: Bounds,
    stop_lat: npt.NDArray[np.float64],
    stop_lon: npt.NDArray[np.float64],
    point_lat: npt.NDArray[np.float64],
    point_lon: npt.NDArray[np.float64],
    drive_s: Seconds,
) -> CoarseBounds:
    """Bounds in vehicles and drives, in up to `COARSE_LIMIT` cells each."""
    stop_cell = _cells(stop_lat, stop_lon, COARSE_LIMIT)
    point_cell = _cells(point_lat, point_lon, COARSE_LIMIT)
    ride_s = _least(bounds.to_s, bounds.cell, stop_cell)
    drive_from_s = _least(drive_s, np.arange(len(drive_s)), point_cell)
    arrays = (
        stop_cell, ride_s, ride_s.T, point_cell, drive_from_s.T, drive_from_s,
    )  # fmt: skip
    return CoarseBounds(*(frozen(np.ascontiguousarray(array)) for array in arrays))


def _least(table: Seconds, row: Int32, cell: Int32) -> Seconds:
    """Least of `table`, which place i reads at ``row[i]``, between every two cells of places."""
    if len(cell) == 0:
        return np.zeros((0, 0), table.dtype)
    order = np.argsort(cell, kind="stable")
    first = np.searchsorted(cell[order], np.arange(cell.max() + 1))
    least = np.empty((len(first), table.shape[1]), table.dtype)
    for i, rows in enumerate(np.split(row[order], first[1:])):
        table[rows].min(axis=0, out=least[i])
    return np.minimum.reduceat(least[:, row[order]], first, axis=1)


def _cell_limit(stop_count: int) -> int:
    return CELL_LIMIT if stop_count <= CELL_LIMIT else LARGE_CELL_LIMIT


def _cells(lat: npt.NDArray[np.float64], lon: npt.NDArray[np.float64], limit: int) -> Int32:
    """Cell of each place: halved along the longer side until there are enough, or each is one."""
    if len(lat) <= limit:
        return np.arange(len(lat), dtype=np.int32)
    y = np.nan_to_num(lat)
    x = np.nan_to_num(lon) * np.cos(np.radians(y.mean()))
    groups = [np.arange(len(lat))]
    while 2 * len(groups) <= limit:
        halves = []
        for group in groups:
            axis = x if np.ptp(x[group]) > np.ptp(y[group]) else y
            order = group[np.argsort(axis[group], kind="stable")]
            halves += [order[: len(order) // 2], order[len(order) // 2 :]]
        groups = halves
    cell = np.zeros(len(lat), np.int32)
    for number, group in enumerate(groups):
        cell[group] = number
    return cell


def _fastest(t: Timetable, walks: Walks) -> tuple[Int32, Int32, Int32]:
    """(from, to, seconds) of the fastest run between consecutive stops, and of walks."""
    length = np.diff(t.pattern_first_stop)
    ride_s = np.full(len(t.pattern_stop), 2**30, np.int32)
    _fastest_runs(
        t.pattern_first_stop, t.trip_pattern, t.trip_first_event, t.event_arrival_s,
        t.event_departure_s, ride_s,
    )  # fmt: skip
    last = np.zeros(len(t.pattern_stop), bool)
    last[t.pattern_first_stop[1:][length > 0] - 1] = True
    row = np.flatnonzero(~last & (ride_s < 2**30))
    stops = t.stop_count
    walk_from = np.repeat(np.arange(stops), np.diff(walks.first[: stops + 1]))
    walk_to = walks.to[: len(walk_from)]
    start = np.r_[t.pattern_stop[row], walk_from]
    end = np.r_[t.pattern_stop[row + 1], walk_to]
    seconds = np.maximum(np.r_[ride_s[row], walks.seconds[: len(walk_from)]], 0)
    order = np.lexsort((seconds, end, start))
    start, end, seconds = start[order], end[order], seconds[order]
    best = np.r_[True, (np.diff(start) != 0) | (np.diff(end) != 0)][: len(start)]
    return tuple(a[best].astype(np.int32) for a in (start, end, seconds))


@kernel
def _fastest_runs(
    pattern_first_stop: Int32,
    trip_pattern: Int32,
    trip_first_event: Int32,
    arrival_s: Int32,
    departure_s: Int32,
    out_s: Int32,
) -> None:
    """Least seconds from each stop of a pattern to the next, over all its trips."""
    for trip in range(len(trip_pattern)):
        row, event = pattern_first_stop[trip_pattern[trip]], trip_first_event[trip]
        for i in range(trip_first_event[trip + 1] - event - 1):
            run_s = arrival_s[event + i + 1] - departure_s[event + i]
            out_s[row + i] = min(out_s[row + i], run_s)


def _arcs(start: Int32, end: Int32, seconds: Int32, node_count: int) -> Arcs:
    order = np.argsort(start, kind="stable")
    first = np.r_[0, np.cumsum(np.bincount(start, minlength=node_count))].astype(np.int32)
    return Arcs(first, end[order], seconds[order], np.zeros(0, np.int32))


@kernel
def _nearest_cells(
    arcs: Arcs, first: Int32, by_cell: Int32, cell: Int32, begin: int, arena: Arena, out: Seconds
) -> None:
    """Seconds from the cells `begin` … along arcs to every cell; rows of `out`."""
    zero_s = np.zeros(len(by_cell), np.int32)
    for i in range(len(out)):
        seeds = by_cell[first[begin + i] : first[begin + i + 1]]
        settled = search_within(arcs, seeds, zero_s[: len(seeds)], UNREACHED_S - 1, -1, arena)
        for k in range(settled):
            node = arena.settled[k]
            out[i, cell[node]] = min(out[i, cell[node]], np.uint16(arena.seconds[node]))


@dataclass(frozen=True, slots=True)
class _Lines:
    """Stop sequences and where each stop stands in them."""

    first_stop: Int32
    stop: Int32
    at_stop_first: Int32
    at_stop_row: Int32
    pattern: Int32

    @classmethod
    def of(cls, first_stop: Int32, stop: Int32, stop_count: int) -> _Lines:
        counts = np.bincount(stop, minlength=stop_count)
        return cls(
            np.ascontiguousarray(first_stop),
            np.ascontiguousarray(stop),
            np.r_[0, np.cumsum(counts)].astype(np.int32),
            np.argsort(stop, kind="stable").astype(np.int32),
            np.repeat(np.arange(len(first_stop) - 1), np.diff(first_stop)).astype(np.int32),
        )


@kernel
def _fewest_vehicles(
    first_stop: Int32,
    stop: Int32,
    at_stop_first: Int32,
    at_stop_row: Int32,
    pattern: Int32,
    walks_back: Walks,
    first: Int32,
    by_cell: Int32,
    cell: Int32,
    begin: int,
    out: Counts,
) -> None:
    """Vehicles from every stop to the cells `begin` …, walking before each; rows of `out`."""
    stops = len(cell)
    vehicles = np.empty(stops, np.uint8)
    boards = np.empty(stops, np.uint8)
    scanned_to = np.empty(len(first_stop), np.int32)
    now, then = np.empty(stops, np.int32), np.empty(stops, np.int32)
    for i in range(len(out)):
        vehicles[:], boards[:] = MOST_ONWARD, 0
        scanned_to[:-1] = first_stop[:-1]
        count = 0
        for k in range(first[begin + i], first[begin + i + 1]):
            node = by_cell[k]
            vehicles[node] = 0
            now[count] = node
            count += 1
        for level in range(1, MOST_ONWARD):
            boarding = 0
            for k in range(count):
                for j in range(at_stop_first[now[k]], at_stop_first[now[k] + 1]):
                    row = at_stop_row[j]
                    p = pattern[row]
                    for r in range(scanned_to[p], row):
                        if boards[stop[r]] == 0:
                            boards[stop[r]] = 1
                            then[boarding] = stop[r]
                            boarding += 1
                    scanned_to[p] = max(scanned_to[p], row)
            count = 0
            for k in range(boarding):
                node = then[k]
                if vehicles[node] > level:
                    vehicles[node] = level
                    now[count] = node
                    count += 1
                for j in range(walks_back.first[node], walks_back.first[node + 1]):
                    other = walks_back.to[j]
                    if other < stops and vehicles[other] > level:
                        vehicles[other] = level
                        now[count] = other
                        count += 1
            if count == 0:
                break
        for node in range(stops):
            out[i, cell[node]] = min(out[i, cell[node]], vehicles[node])
