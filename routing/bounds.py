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
from routing.street.kernels import Arcs, Walks

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
"""Cells that one thread searches before it takes more: bits of a word."""
NO_ENTRY = -1

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
    every = _arcs(end, start, seconds, stop_count)
    needed = np.ones(len(end), np.uint8)
    _find_detours(every, needed)
    against = _only(every, needed == 1)
    to_s = np.full((count, count), UNREACHED_S, np.uint16)
    to_vehicles = np.full((count, count), MOST_ONWARD, np.uint8)
    from_vehicles = np.full((count, count), MOST_ONWARD, np.uint8)
    # A through trip is one line: one vehicle, though it runs several trips.
    first_stop = np.r_[t.pattern_first_stop, len(t.pattern_stop) + t.through_first_row[1:]]
    first_stop = first_stop.astype(np.int32)
    calls = np.r_[t.pattern_stop, t.through_row_stop].astype(np.int32)
    lengths = np.diff(first_stop)
    pattern = np.repeat(np.arange(len(lengths)), lengths)
    turned = (first_stop[:-1] + first_stop[1:])[pattern] - 1 - np.arange(len(calls))

    def fill(begin: int) -> None:
        some = slice(begin, min(begin + CHUNK, count))
        _nearest_cells(against, first, by_cell, cell, begin, to_s[some])
        for stop, back, out in (
            (calls, walks_back, to_vehicles),
            (calls[turned], walks, from_vehicles),
        ):
            _fewest_vehicles(first_stop, stop, back, cell, begin, out[some])

    with ThreadPoolExecutor(cpu_count()) as pool:
        list(pool.map(fill, range(0, count, CHUNK)))
    return Bounds(cell, to_s, to_vehicles, np.ascontiguousarray(to_s.T), from_vehicles)


@dataclass(frozen=True, slots=True)
class CoarseBounds:
    """
    Least seconds between cells of stops and cells of meeting points.

    The first index is the side where the search has its goal.
    """

    stop_cell: Int32
    ride_to_s: Seconds
    ride_from_s: Seconds
    point_cell: Int32
    drive_to_s: Seconds
    drive_from_s: Seconds
    stop_to_s: Seconds
    """Walks to cells of stops from cells of meeting points."""
    stop_from_s: Seconds
    """Walks from cells of stops to cells of meeting points."""
    point_to_s: Seconds
    """Walks to cells of meeting points from cells of stops."""
    point_from_s: Seconds


def coarse_bounds(
    bounds: Bounds,
    stop_lat: npt.NDArray[np.float64],
    stop_lon: npt.NDArray[np.float64],
    point_lat: npt.NDArray[np.float64],
    point_lon: npt.NDArray[np.float64],
    drive_s: Seconds,
    walks: Walks,
) -> CoarseBounds:
    """Bounds in vehicles, by car and on foot between these, in up to `COARSE_LIMIT` cells each."""
    stop_cell = _cells(stop_lat, stop_lon, COARSE_LIMIT)
    point_cell = _cells(point_lat, point_lon, COARSE_LIMIT)
    ride_s = _least(bounds.to_s, bounds.cell, stop_cell)
    drive_from_s = _least(drive_s, np.arange(len(drive_s), dtype=np.int32), point_cell)
    node_cell = np.r_[stop_cell, point_cell]
    size = len(ride_s), len(drive_from_s)
    start = np.repeat(np.arange(len(walks.first) - 1), np.diff(walks.first))
    stops = len(stop_cell)
    tables = []
    for from_stops in (True, False):
        some = ((start < stops) == from_stops) & ((walks.to >= stops) == from_stops)
        table = np.full(size if from_stops else size[::-1], UNREACHED_S, np.uint16)
        cells = node_cell[start[some]], node_cell[walks.to[some]]
        np.minimum.at(table, cells, np.minimum(walks.seconds[some], UNREACHED_S).astype(np.uint16))
        tables.append(table)
    to_points, to_stops = tables
    arrays = (
        stop_cell, ride_s, ride_s.T, point_cell, drive_from_s.T, drive_from_s, to_stops.T,
        to_points, to_points.T, to_stops,
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
    """
    (from, to, seconds) of the fastest run between consecutive stops, and of walks.

    Runs between the trips of a through trip, too: the second may begin elsewhere.
    """
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
    seam_from, seam_to, seam_s = _seams(t)
    start = np.r_[t.pattern_stop[row], walk_from, seam_from]
    end = np.r_[t.pattern_stop[row + 1], walk_to, seam_to]
    seconds = np.maximum(np.r_[ride_s[row], walks.seconds[: len(walk_from)], seam_s], 0)
    order = np.lexsort((seconds, end, start))
    start, end, seconds = start[order], end[order], seconds[order]
    best = np.r_[True, (np.diff(start) != 0) | (np.diff(end) != 0)][: len(start)]
    return tuple(a[best].astype(np.int32) for a in (start, end, seconds))


def _seams(t: Timetable) -> tuple[Int32, Int32, Int32]:
    """(from, to, seconds) of vehicles that go on as another trip."""
    number = np.repeat(np.arange(len(t.through_pattern)), np.diff(t.through_first_trip))
    goes_on = np.flatnonzero(np.diff(number) == 0)
    before, then = t.through_trip[goes_on], t.through_trip[goes_on + 1]
    last, first = t.trip_first_event[before + 1] - 1, t.trip_first_event[then]
    return (
        t.pattern_stop[t.pattern_first_stop[t.trip_pattern[before] + 1] - 1],
        t.pattern_stop[t.pattern_first_stop[t.trip_pattern[then]]],
        t.event_arrival_s[first] - t.event_departure_s[last],
    )


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


def _only(arcs: Arcs, needed: npt.NDArray[np.bool_]) -> Arcs:
    first = np.r_[0, np.cumsum(needed)][arcs.first].astype(np.int32)
    return Arcs(first, arcs.head[needed], arcs.seconds[needed], arcs.way)


@kernel
def _find_detours(arcs: Arcs, needed: Counts) -> None:
    """
    Write 0 at every arc that two shorter ones replace: most walks, where vehicles run.

    Both must take time, so that no two arcs replace each other.
    """
    nodes = len(arcs.first) - 1
    arc_to = np.full(nodes, NO_ENTRY, np.int32)
    for node in range(nodes):
        own = range(arcs.first[node], arcs.first[node + 1])
        for arc in own:
            arc_to[arcs.head[arc]] = arc
        for arc in own:
            middle, at_s = arcs.head[arc], arcs.seconds[arc]
            for onward in range(arcs.first[middle], arcs.first[middle + 1]):
                direct = arc_to[arcs.head[onward]]
                if direct == NO_ENTRY or at_s == 0 or arcs.seconds[onward] == 0:
                    continue
                if at_s + arcs.seconds[onward] <= arcs.seconds[direct]:
                    needed[direct] = 0
        for arc in own:
            arc_to[arcs.head[arc]] = NO_ENTRY


@kernel
def _nearest_cells(
    arcs: Arcs, first: Int32, by_cell: Int32, cell: Int32, begin: int, out: Seconds
) -> None:
    """
    Seconds from the cells `begin` … along arcs to every cell; rows of `out`.

    Dijkstra's search with one list of nodes for every second: there are few seconds, many nodes.
    """
    reached_s = np.empty(len(cell), np.int32)
    newest = np.full(UNREACHED_S, NO_ENTRY, np.int32)
    room = len(arcs.head) + len(cell)  # a node enters as a seed, or by one of its arcs
    entered, older = np.empty(room, np.int32), np.empty(room, np.int32)
    for i in range(len(out)):
        reached_s[:] = UNREACHED_S
        count = 0
        for k in range(first[begin + i], first[begin + i + 1]):
            reached_s[by_cell[k]] = 0
            entered[count], older[count] = by_cell[k], newest[0]
            newest[0] = count
            count += 1
        at_s, waiting = 0, count
        while waiting > 0:
            entry = newest[at_s]
            if entry == NO_ENTRY:
                at_s += 1
                continue
            newest[at_s] = older[entry]
            waiting -= 1
            node = entered[entry]
            if reached_s[node] != at_s:
                continue  # it was reached sooner; an equal time does not enter twice
            out[i, cell[node]] = min(out[i, cell[node]], np.uint16(at_s))
            for arc in range(arcs.first[node], arcs.first[node + 1]):
                head, then_s = arcs.head[arc], at_s + arcs.seconds[arc]
                if then_s < reached_s[head]:
                    reached_s[head] = then_s
                    entered[count], older[count] = head, newest[then_s]
                    newest[then_s] = count
                    count += 1
                    waiting += 1


@kernel
def _fewest_vehicles(
    first_stop: Int32, stop: Int32, walks_back: Walks, cell: Int32, begin: int, out: Counts
) -> None:
    """
    Vehicles from every cell to the cells `begin` …, walking before each; rows of `out`.

    All of them at once, breadth first: each goal is a bit, and every stop has a word of the goals
    that are reached from it.
    """
    stops, one = len(cell), np.uint64(1)
    reached, boards = np.zeros(stops, np.uint64), np.zeros(stops, np.uint64)
    now, then = np.zeros(stops, np.uint64), np.zeros(stops, np.uint64)
    in_cell = np.zeros(int(cell.max()) + 1, np.uint64)
    for node in range(stops):
        if begin <= cell[node] < begin + len(out):
            now[node] = reached[node] = one << np.uint64(cell[node] - begin)
    for level in range(MOST_ONWARD):
        found = False
        for node in range(stops):
            fresh = now[node] & ~in_cell[cell[node]]
            in_cell[cell[node]] |= fresh
            found |= now[node] != 0
            for i in range(len(out)):
                if fresh == 0:
                    break
                if fresh & one:
                    out[i, cell[node]] = level
                fresh >>= one
        if not found:
            break
        for p in range(len(first_stop) - 1):
            ahead = np.uint64(0)
            for row in range(first_stop[p + 1] - 1, first_stop[p] - 1, -1):
                node = stop[row]
                then[node] |= ahead & ~boards[node]
                boards[node] |= ahead
                ahead |= now[node]
        now[:] = 0
        for node in range(stops):
            if then[node] == 0:
                continue
            now[node] |= then[node] & ~reached[node]
            for k in range(walks_back.first[node], walks_back.first[node + 1]):
                other = walks_back.to[k]
                if other < stops:
                    now[other] |= then[node] & ~reached[other]
            then[node] = 0
        for node in range(stops):
            reached[node] |= now[node]
