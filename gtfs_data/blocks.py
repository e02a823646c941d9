"""
Vehicles that go on as another trip: riders stay in their seats.

Trips of one block, and trips that transfers.txt links (type 4), are joined to **through trips**:
the first trip's calls, for getting in, and those of the trips that follow, for getting out. Only
calls at which this helps are kept. It helps to get in at x and out at y, with the vehicle's calls
in one row, unless

* the vehicle calls at y's stop between them and riders may get out there: they are sooner, or
* it calls at x's stop between them, on the same route, and riders may get in there: they leave
  later, for the same price.

Either ride is shorter, so that whatever is left out is bettered by a ride that is kept.
Source: GTFS Schedule reference, "Blocks and service day" and "Linked trips".
"""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from core.geo import Coordinate, distance_m
from gtfs_data.checks import Findings
from gtfs_data.enums import CAN_ALIGHT, CAN_BOARD
from gtfs_data.patterns import FeedTrips, offsets
from gtfs_data.reader import Feed

MOST_TRIPS = 3
"""Of a through trip: with the second change of trips a vehicle is where it began its first."""
LONGEST_STAND_S = 1_800
"""Nobody is kept waiting in a parked bus for longer, unless the feed links the two trips."""
SEAM_M = 100.0
"""How far from the end of one trip the next of a block may begin, if not at the same station."""
IN_SEAT, NOT_IN_SEAT = 4, 5
"""transfer_type."""

Int32 = npt.NDArray[np.int32]
Days = npt.NDArray[np.uint8]
Link = tuple[int, int]
"""Trip and the one that its vehicle runs next."""


class _Vehicles(NamedTuple):
    """What joining reads of one feed: a row for each trip, then stops of patterns."""

    service: Int32
    start_s: Int32
    end_s: Int32
    pattern: Int32
    route: list[str]
    """Of each pattern."""
    block: list[str]
    """Empty for trips that frequencies.txt repeats: which run goes on as which is not told."""
    trips: FeedTrips
    feed: Feed


def join_trips(
    feed: Feed, trips: FeedTrips, service: Int32, runs: Days, findings: Findings
) -> tuple[dict[str, npt.NDArray[Any]], Days]:
    """
    Through trips of a feed, as the `through_` arrays of a `Timetable`.

    Parameters
    ----------
    service
        Shape (trip_count,): row of `runs`, or -1.
    runs
        Shape (service_count, day_count).

    Returns
    -------
    Arrays, and `runs` with rows added for days that are no service's own.
    """
    vehicles = _vehicles(feed, trips, service)
    linked, parted = _links(feed, vehicles, findings)
    days_of: dict[tuple[int, ...], Days] = {}
    overlapping: set[int] = set()
    for group in _groups(vehicles, linked):
        for active, days in _variants(vehicles, runs, group):
            links = _links_of_day(vehicles, active, overlapping)
            links |= {pair for pair in linked if pair[0] in active and pair[1] in active}
            for path in _paths(links - parted):
                days_of[path] = days_of.get(path, np.zeros_like(days)) | days
    for trip in sorted(overlapping):
        row = int(trips.trips["row"].iloc[trips.trip_row[trip]])
        message = f"trip {trips.trip_id[trip]} overlaps another of block {vehicles.block[trip]!r}"
        findings.warning("block_overlap", "trips.txt", row, f"{message}: not joined")
    return _arrays(vehicles, days_of, runs)


def _vehicles(feed: Feed, trips: FeedTrips, service: Int32) -> _Vehicles:
    frame = trips.trips.iloc[trips.trip_row]
    once = np.array(trips.trip_id, object) == frame["trip_id"].to_numpy(object)
    counts = np.diff(trips.pattern_first_trip)
    return _Vehicles(
        service=service,
        start_s=trips.departure_s[trips.first_event[:-1]],
        end_s=trips.arrival_s[trips.first_event[1:] - 1],
        pattern=np.repeat(np.arange(len(counts), dtype=np.int32), counts),
        route=frame["route_id"].iloc[trips.pattern_first_trip[:-1]].tolist(),
        block=np.where(once, frame["block_id"].to_numpy(object), "").tolist(),
        trips=trips,
        feed=feed,
    )


def _links(feed: Feed, v: _Vehicles, findings: Findings) -> tuple[set[Link], set[Link]]:
    """Pairs of trips that transfers.txt joins, and that it parts."""
    transfers = feed.table("transfers")
    ruled = transfers[transfers["transfer_type"].isin((IN_SEAT, NOT_IN_SEAT))]
    found: dict[int, set[Link]] = {IN_SEAT: set(), NOT_IN_SEAT: set()}
    if len(ruled) == 0:
        return found[IN_SEAT], found[NOT_IN_SEAT]
    row_of = {trip_id: i for i, trip_id in enumerate(v.trips.trip_id)}
    known = set(v.trips.trips["trip_id"])
    for rule in ruled.to_dict("records"):
        ids = rule["from_trip_id"], rule["to_trip_id"]
        lost = next((trip_id for trip_id in ids if trip_id not in known), None)
        if lost is not None:
            message = f"no trip {lost!r}: who stays aboard is not told"
            findings.error("unknown_trip", "transfers.txt", rule["row"], message)
        elif ids[0] in row_of and ids[1] in row_of:
            found[rule["transfer_type"]].add((row_of[ids[0]], row_of[ids[1]]))
    in_time = {(a, b) for a, b in found[IN_SEAT] if a != b and v.end_s[a] <= v.start_s[b]}
    return in_time, found[NOT_IN_SEAT]


def _groups(v: _Vehicles, linked: set[Link]) -> list[list[int]]:
    """Trips that may share a vehicle: of one block, or linked, or both."""
    of_block: defaultdict[str, list[int]] = defaultdict(list)
    for trip, block in enumerate(v.block):
        if block and v.service[trip] >= 0:
            of_block[block].append(trip)
    group_of = {trip: trips for trips in of_block.values() for trip in trips}
    for pair in sorted(linked):
        a, b = (group_of.setdefault(trip, [trip]) for trip in pair)
        if a is not b:
            a += b
            group_of.update(dict.fromkeys(b, a))
    whole = {id(trips): trips for trips in group_of.values() if len(trips) > 1}
    return list(whole.values())


def _variants(v: _Vehicles, runs: Days, group: list[int]) -> Iterator[tuple[set[int], Days]]:
    """Sets of a group's trips that run together, and the days on which they do."""
    trips = np.array([trip for trip in group if v.service[trip] >= 0], np.int64)
    if runs.shape[1] == 0 or len(trips) < 2:
        return
    services, nth = np.unique(v.service[trips], return_inverse=True)
    combinations, which = np.unique(runs[services], axis=1, return_inverse=True)
    for i, on in enumerate(combinations.T):
        active = trips[on[nth] == 1]
        if len(active) > 1:
            yield set(active.tolist()), (which.reshape(-1) == i).astype(np.uint8)


def _links_of_day(v: _Vehicles, active: set[int], overlapping: set[int]) -> set[Link]:
    """
    Trips of the same block that follow each other; `overlapping` receives those that cannot.

    A vehicle is in one place at a time: trips that overlap are joined to nothing.
    """
    of_block: defaultdict[str, list[int]] = defaultdict(list)
    for trip in active:
        if v.block[trip]:
            of_block[v.block[trip]].append(trip)
    links: set[Link] = set()
    for trips in of_block.values():
        trips.sort(key=lambda i: (v.start_s[i], v.end_s[i], i))
        start_s, end_s = v.start_s[trips], v.end_s[trips]
        wrong = np.zeros(len(trips), bool)
        wrong[1:] = start_s[1:] < np.maximum.accumulate(end_s)[:-1]
        wrong[:-1] |= end_s[:-1] > start_s[1:]
        overlapping.update(trip for trip, bad in zip(trips, wrong, strict=True) if bad)
        fits = ~wrong[1:] & ~wrong[:-1] & (start_s[1:] - end_s[:-1] <= LONGEST_STAND_S)
        for (a, b), good in zip(itertools.pairwise(trips), fits, strict=True):
            if good and _meet(v, a, b):
                links.add((a, b))
    return links


def _meet(v: _Vehicles, a: int, b: int) -> bool:
    """Whether a trip begins where another ends."""
    first, stops = v.trips.pattern_first_stop, v.trips.pattern_stop
    end, start = int(stops[first[v.pattern[a] + 1] - 1]), int(stops[first[v.pattern[b]]])
    if end == start:
        return True
    table = v.feed.table("stops")
    station = table["parent_station"].tolist()
    if station[end] and station[end] == station[start]:
        return True
    lat, lon = table["stop_lat"].tolist(), table["stop_lon"].tolist()
    return distance_m(*(Coordinate(lat[i], lon[i]) for i in (end, start))) <= SEAM_M


def _paths(links: set[Link]) -> Iterator[tuple[int, ...]]:
    """Trips that follow each other, `MOST_TRIPS` at most, from every trip that goes on."""
    onward: defaultdict[int, list[int]] = defaultdict(list)
    for a, b in sorted(links):
        onward[a].append(b)
    paths: list[tuple[int, ...]] = [(trip,) for trip in onward]
    while paths:
        path = paths.pop()
        # Trips of no length, linked in a ring, would never end.
        following = [trip for trip in onward.get(path[-1], ()) if trip not in path]
        if len(path) < MOST_TRIPS and following:
            paths += [(*path, trip) for trip in following]
        elif len(path) > 1:
            yield path


class _Rows(NamedTuple):
    """Calls of a through pattern: which of its trips, which of that trip's calls."""

    part: Int32
    position: Int32
    stop: Int32
    flag: npt.NDArray[np.uint8]


def _useful_rows(trips: FeedTrips, patterns: tuple[int, ...], routes: list[str]) -> _Rows | None:
    """Calls at which staying aboard helps, by the rule of this module, or None."""
    first = trips.pattern_first_stop
    counts = [int(first[p + 1] - first[p]) for p in patterns]
    part = np.repeat(np.arange(len(patterns)), counts)
    position = np.concatenate([np.arange(count) for count in counts])
    row = np.concatenate([np.arange(first[p], first[p + 1]) for p in patterns])
    stop, flag = trips.pattern_stop[row], trips.pattern_flag[row].copy()
    ends = np.cumsum(counts)
    flag[ends - 1] &= CAN_ALIGHT  # nobody gets in where a trip ends, or out where it begins
    flag[ends - counts] &= CAN_BOARD
    last_out = np.full(len(row), -1)
    next_in = np.full(len(row), len(row))
    seen: dict[int, int] = {}
    for y, at in enumerate(stop.tolist()):
        last_out[y] = seen.get(at, -1)
        if flag[y] & CAN_ALIGHT:
            seen[at] = y
    seen.clear()
    route = [routes[p] for p in patterns]
    for x in range(len(row) - 1, -1, -1):
        next_in[x] = seen.get(int(stop[x]), len(row))
        if flag[x] & CAN_BOARD and route[part[x]] == route[0]:
            seen[int(stop[x])] = x
    ins = np.flatnonzero((part == 0) & (flag & CAN_BOARD > 0))
    outs = np.flatnonzero((part > 0) & (flag & CAN_ALIGHT > 0))
    helps = (last_out[outs] <= ins[:, None]) & (next_in[ins][:, None] >= outs)
    ins, outs = ins[helps.any(axis=1)], outs[helps.any(axis=0)]
    if len(ins) == 0:
        return None
    kept = np.r_[ins, outs]
    flags = np.r_[np.full(len(ins), CAN_BOARD), np.full(len(outs), CAN_ALIGHT)]
    columns = (part[kept].astype(np.int32), position[kept].astype(np.int32), stop[kept])
    return _Rows(*columns, flags.astype(np.uint8))


def _arrays(
    v: _Vehicles, days_of: dict[tuple[int, ...], Days], runs: Days
) -> tuple[dict[str, npt.NDArray[Any]], Days]:
    rows_of: dict[tuple[int, ...], _Rows | None] = {}
    number_of: dict[tuple[int, ...], int] = {}
    through: dict[tuple[int, ...], tuple[int, Days]] = {}
    for path, days in sorted(days_of.items()):
        patterns = tuple(int(v.pattern[trip]) for trip in path)
        if patterns not in rows_of:
            rows_of[patterns] = _useful_rows(v.trips, patterns, v.route)
        rows = rows_of[patterns]
        if rows is None:
            continue
        length = int(rows.part[-1]) + 1  # beyond, nobody gets out
        rows_of.setdefault(patterns[:length], rows)
        number = number_of.setdefault(patterns[:length], len(number_of))
        before = through.get(path[:length], (number, np.zeros_like(days)))[1]
        through[path[:length]] = number, before | days
    all_runs = [row.tobytes() for row in runs]
    service_of = {days: i for i, days in reversed(list(enumerate(all_runs)))}
    services = []
    for _, days in through.values():
        services.append(service_of.setdefault(days.tobytes(), len(all_runs)))
        if services[-1] == len(all_runs):
            all_runs.append(days.tobytes())
    tables = [rows for rows in (rows_of[patterns] for patterns in number_of) if rows is not None]
    parts = [np.array(path, np.int32) for path in through]
    arrays = {
        "through_pattern": np.array([number for number, _ in through.values()], np.int32),
        "through_service": np.array(services, np.int32),
        "through_first_trip": offsets([len(part) for part in parts]),
        "through_trip": np.concatenate([np.zeros(0, np.int32), *parts]),
        "through_first_row": offsets([len(rows.part) for rows in tables]),
        **{
            f"through_row_{name}": np.concatenate(
                [np.zeros(0, kind), *(getattr(rows, name) for rows in tables)]
            ).astype(kind)
            for name, kind in zip(_Rows._fields, (*[np.int32] * 3, np.uint8), strict=True)
        },
    }
    joined = np.frombuffer(b"".join(all_runs), np.uint8).reshape(len(all_runs), runs.shape[1])
    return arrays, joined
