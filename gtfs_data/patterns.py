"""
Stop times → clean trips → patterns.

A pattern is the set of trips of one route with one stop sequence, one set of boarding rules and
one shape. Trips that overtake each other share a pattern here; they are parted when days are
rolled out (`gtfs_data.rolling`), because two days' trips may overtake each other as well.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from gtfs_data.checks import Findings
from gtfs_data.enums import CAN_ALIGHT, CAN_BOARD
from gtfs_data.kernels import fill_blank_times
from gtfs_data.reader import BLANK, Feed

NOT_AVAILABLE = 1  # pickup_type and drop_off_type
HEADWAY_LIMIT = 5_000
"""Trips that one frequencies.txt row may stand for: more is a typing error."""
EXPANDED_LIMIT = 30_000_000
"""Stop times that a feed's frequencies may stand for; a capital has three million."""

EXACT_TIMES = 1
"""exact_times of frequencies.txt: vehicles leave at these times, not just this often."""

Int32 = npt.NDArray[np.int32]
_Member = tuple[int, int, str, int]
"""A trip of a pattern: its first event's row, seconds to add to its times, id, headway."""


@dataclass(frozen=True, slots=True)
class FeedTrips:
    """Clean trips of one feed, in order of pattern; stops are rows of its stops.txt frame."""

    trips: pd.DataFrame
    """Trips that refer to a known route, each id once."""
    trip_row: Int32
    """Shape (trip_count,): row of `trips`; frequency runs repeat it."""
    trip_id: list[str]
    """Unique, also among the runs that one frequency-based trip stands for."""
    headway_s: Int32
    """Shape (trip_count,): see `Timetable.trip_headway_s`."""
    first_event: Int32
    """Shape (trip_count + 1,)."""
    arrival_s: Int32
    departure_s: Int32
    """Shape (event_count,): seconds from the service day's start."""
    pattern_first_trip: Int32
    pattern_first_stop: Int32
    """Shape (pattern_count + 1,)."""
    pattern_stop: Int32
    """Row in stops.txt's frame."""
    pattern_flag: npt.NDArray[np.uint8]
    """`CAN_BOARD` | `CAN_ALIGHT` at each stop of a pattern."""


def read_trips(feed: Feed, findings: Findings) -> FeedTrips:
    """Clean a feed's stop times, expand its frequencies and group its trips."""
    trips, events = _events(feed, findings)
    first = np.flatnonzero(np.r_[True, np.diff(events["trip"]) != 0, True]).astype(np.int32)
    if len(events) == 0:
        first = np.zeros(1, np.int32)
    arrival, departure = _times(feed, events, first)
    good = _monotone(trips, events, first, arrival, departure, findings)
    flag = _flags(events)
    stop = events["stop"].to_numpy(np.int32)
    trip_row = events["trip"].to_numpy(np.int32)[first[:-1]] if len(events) else first[:0]
    runs = _frequency_runs(feed, trips, findings)

    route_of, shape_of, id_of = (trips[c].tolist() for c in ("route_id", "shape_id", "trip_id"))
    groups: dict[tuple[Any, ...], list[_Member]] = {}
    expanded = 0
    for i in np.flatnonzero(good).tolist():
        a, b = int(first[i]), int(first[i + 1])
        row = int(trip_row[i])
        key = (route_of[row], stop[a:b].tobytes(), flag[a:b].tobytes(), shape_of[row])
        trip_id = id_of[row]
        if trip_id in runs:
            expanded += len(runs[trip_id]) * (b - a)
            if expanded > EXPANDED_LIMIT:
                message = f"more than {EXPANDED_LIMIT:,} stop times: trip {trip_id} is left out"
                findings.error("too_many_runs", "frequencies.txt", None, message)
                continue
            group = groups.setdefault(key, [])
            group += [
                (i, start_s - int(departure[a]), f"{trip_id}@{_clock(start_s)}", headway_s)
                for start_s, headway_s in runs[trip_id].items()
            ]
        else:
            groups.setdefault(key, []).append((i, 0, trip_id, 0))
    return _assemble(trips, groups, first, trip_row, (stop, flag, arrival, departure))


def _assemble(
    trips: pd.DataFrame,
    groups: dict[tuple[Any, ...], list[_Member]],
    first: Int32,
    trip_row: Int32,
    columns: tuple[Int32, npt.NDArray[np.uint8], Int32, Int32],
) -> FeedTrips:
    stop, flag, arrival, departure = columns
    rows, ids, headways, lengths, arrivals, departures = [], [], [], [], [], []
    stops, flags, trip_counts, stop_counts = [], [], [], []
    for members in groups.values():
        a, b = int(first[members[0][0]]), int(first[members[0][0] + 1])
        stops.append(stop[a:b])
        flags.append(flag[a:b])
        trip_counts.append(len(members))
        stop_counts.append(b - a)
        for i, shift_s, trip_id, headway_s in sorted(
            members, key=lambda m: int(departure[first[m[0]]]) + m[1]
        ):
            a, b = int(first[i]), int(first[i + 1])
            rows.append(trip_row[i])
            ids.append(trip_id)
            headways.append(headway_s)
            lengths.append(b - a)
            arrivals.append(arrival[a:b] + shift_s)
            departures.append(departure[a:b] + shift_s)
    return FeedTrips(
        trips=trips,
        trip_row=np.array(rows, np.int32),
        trip_id=ids,
        headway_s=np.array(headways, np.int32),
        first_event=offsets(lengths),
        arrival_s=_joined(arrivals, np.int32),
        departure_s=_joined(departures, np.int32),
        pattern_first_trip=offsets(trip_counts),
        pattern_first_stop=offsets(stop_counts),
        pattern_stop=_joined(stops, np.int32),
        pattern_flag=_joined(flags, np.uint8),
    )


def offsets(counts: list[int]) -> Int32:
    """Where each of some tables of so many rows begins when they stand end to end, and the end."""
    firsts: Int32 = np.r_[0, np.cumsum(counts)].astype(np.int32)
    return firsts


def _joined(parts: list[Any], dtype: Any) -> npt.NDArray[Any]:  # noqa: ANN401 — numpy dtype
    return np.concatenate(parts).astype(dtype) if parts else np.zeros(0, dtype)


def _clock(seconds: int) -> str:
    return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"


def _events(feed: Feed, findings: Findings) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Trips, and stop times in order of (trip, sequence), that refer to what exists."""
    routes, stops = feed.table("routes"), feed.table("stops")
    trips = feed.table("trips")
    for row, route in zip(trips["row"], trips["route_id"].isin(routes["route_id"]), strict=True):
        if not route:
            findings.error("unknown_route", "trips.txt", int(row), "route_id is not in routes.txt")
    trips = trips[trips["route_id"].isin(routes["route_id"])]
    twice = trips["trip_id"].duplicated()
    for row in trips["row"][twice]:
        findings.error("duplicate_id", "trips.txt", int(row), "trip_id stands twice")
    trips = trips[~twice].reset_index(drop=True)

    times = _fixed_times(feed.table("stop_times"), findings)
    has_place = (stops["stop_lat"].notna() & stops["stop_lon"].notna()).to_numpy()
    trip = pd.Index(trips["trip_id"]).get_indexer(times["trip_id"])
    place: dict[str, int] = {}
    for i, stop_id in enumerate(stops["stop_id"]):
        place.setdefault(stop_id, i)
    known = {stop_id for stop_id, i in place.items() if has_place[i]}
    stop = np.array([place[s] if s in known else -1 for s in times["stop_id"].tolist()], np.int32)
    for row in times["row"][trip < 0]:
        findings.error("unknown_trip", "stop_times.txt", int(row), "trip_id is not in trips.txt")
    for row in times["row"][(stop < 0) & (trip >= 0)]:
        findings.error(
            "unknown_stop", "stop_times.txt", int(row), "stop_id has no place in stops.txt"
        )
    events = times.assign(trip=trip.astype(np.int32), stop=stop)[(trip >= 0) & (stop >= 0)]
    events = events.sort_values(["trip", "stop_sequence"], kind="stable")
    same = events.duplicated(["trip", "stop_sequence"])
    for row in events["row"][same]:
        findings.error("duplicate_sequence", "stop_times.txt", int(row), "stop_sequence again")
    return trips, events[~same].reset_index(drop=True)


def _fixed_times(times: pd.DataFrame, findings: Findings) -> pd.DataFrame:
    """Stop times at one stop each; those of flexible services are kept, not searched."""
    flexible = (
        (times["location_group_id"] != "")
        | (times["location_id"] != "")
        | (times["start_pickup_drop_off_window"] != BLANK)
    )
    if flexible.any():
        count = times["trip_id"][flexible].nunique()
        message = f"{count} trips call at zones or on demand: kept, not searched"
        findings.info("flexible_trips", "stop_times.txt", None, message)
    blank = ~flexible & (times["stop_id"] == "")
    for row in times["row"][blank]:
        findings.error("missing_value", "stop_times.txt", int(row), "stop_id is blank")
    return times[~flexible & ~blank]


def _times(feed: Feed, events: pd.DataFrame, first: Int32) -> tuple[Int32, Int32]:
    """Arrivals and departures, blanks interpolated by shape distance, else by straight line."""
    arrival = events["arrival_time"].to_numpy(np.int32).copy()
    departure = events["departure_time"].to_numpy(np.int32).copy()
    arrival = np.where(arrival == BLANK, departure, arrival)
    departure = np.where(departure == BLANK, arrival, departure)
    if not (arrival == BLANK).any():
        return arrival, departure
    stops = feed.table("stops")
    lat = stops["stop_lat"].to_numpy()[events["stop"]]
    lon = stops["stop_lon"].to_numpy()[events["stop"]]
    step = np.hypot(np.diff(lat), np.diff(lon) * np.cos(np.radians(lat[:-1])))
    straight = np.r_[0, np.cumsum(step)]
    along = events["shape_dist_traveled"].to_numpy(float).copy()
    for a, b in zip(first[:-1], first[1:], strict=True):
        d = along[a:b]
        if not np.isfinite(d).all() or (np.diff(d) < 0).any() or d[-1] <= d[0]:
            along[a:b] = straight[a:b] - straight[a]
    ends = np.r_[first[:-1], first[1:] - 1]
    incomplete = np.zeros(len(first) - 1, bool)
    bad = ends[arrival[ends] == BLANK]
    incomplete[np.searchsorted(first, bad, side="right") - 1] = True
    complete = np.repeat(~incomplete, np.diff(first))
    filled_a, filled_d = arrival[complete].copy(), departure[complete].copy()
    fill_blank_times(
        np.r_[0, np.cumsum(np.diff(first)[~incomplete])].astype(np.int32),
        filled_a,
        filled_d,
        along[complete],
    )
    arrival[complete], departure[complete] = filled_a, filled_d
    return arrival, departure


def _monotone(
    trips: pd.DataFrame,
    events: pd.DataFrame,
    first: Int32,
    arrival: Int32,
    departure: Int32,
    findings: Findings,
) -> npt.NDArray[np.bool_]:
    """Which trips have two stops at least and times that never go back; findings for the rest."""
    count = len(first) - 1
    good = np.diff(first) >= 2
    trip = np.repeat(np.arange(count), np.diff(first))
    backwards = departure < arrival
    backwards[1:] |= (arrival[1:] < departure[:-1]) & (trip[1:] == trip[:-1])
    blank = arrival == BLANK
    rows, names = events["row"].to_numpy(), trips["trip_id"].to_numpy()
    owner = events["trip"].to_numpy()
    for i in np.flatnonzero(~good):
        e = first[i]
        message = f"trip {names[owner[e]]} has fewer than two stops: left out"
        findings.warning("short_trip", "stop_times.txt", int(rows[e]), message)
    for rule, wrong, what in (
        ("missing_end_time", blank, "has no time at its first or last stop"),
        ("time_goes_back", backwards & ~blank, "goes back in time"),
    ):
        seen: set[int] = set()
        for e in np.flatnonzero(wrong):
            if trip[e] not in seen and good[trip[e]]:
                seen.add(int(trip[e]))
                message = f"trip {names[owner[e]]} {what}: left out"
                findings.error(rule, "stop_times.txt", int(rows[e]), message)
        good[list(seen)] = False
    return good


def _flags(events: pd.DataFrame) -> npt.NDArray[np.uint8]:
    board = np.where(events["pickup_type"] != NOT_AVAILABLE, CAN_BOARD, 0)
    alight = np.where(events["drop_off_type"] != NOT_AVAILABLE, CAN_ALIGHT, 0)
    flags: npt.NDArray[np.uint8] = (board | alight).astype(np.uint8)
    return flags


def _frequency_runs(
    feed: Feed, trips: pd.DataFrame, findings: Findings
) -> dict[str, dict[int, int]]:
    """
    Trip id → departures at its first stop, for trips that frequencies.txt repeats.

    Each with the headway where times are not exact, else 0. A vehicle leaves at the start of a
    window and every headway from there on, before its end.
    """
    runs: dict[str, dict[int, int]] = {}
    known = set(trips["trip_id"])
    for window in feed.table("frequencies").to_dict("records"):
        row, start_s, end_s = window["row"], window["start_time"], window["end_time"]
        headway_s = window["headway_secs"]
        if window["trip_id"] not in known:
            findings.error("unknown_trip", "frequencies.txt", row, "trip_id is not in trips.txt")
        elif headway_s <= 0 or end_s <= start_s or (end_s - start_s) / headway_s > HEADWAY_LIMIT:
            message = f"{start_s}–{end_s} s every {headway_s} s makes no sense: left out"
            findings.error("frequency_window", "frequencies.txt", row, message)
        else:
            told_s = 0 if window["exact_times"] == EXACT_TIMES else headway_s
            starts = runs.setdefault(window["trip_id"], {})
            for at_s in range(start_s, end_s, headway_s):
                starts[at_s] = min(starts.get(at_s, told_s), told_s)
    return runs
