"""Feeds → one timetable: each read on its own, then joined."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from core.ids import scoped
from core.time import find_zone
from gtfs_data.blocks import IN_SEAT, join_trips
from gtfs_data.calendar import read_calendar
from gtfs_data.checks import Findings
from gtfs_data.pathways import read_levels, read_pathways
from gtfs_data.patterns import read_trips
from gtfs_data.reader import Feed
from gtfs_data.references import check_references
from gtfs_data.shapes import read_shapes, stops_along_shapes
from gtfs_data.store import Texts
from gtfs_data.timetable import NONE, Timetable

Int32 = npt.NDArray[np.int32]
Float64 = npt.NDArray[np.float64]


class _Part(NamedTuple):
    """Arrays of one feed, indices still counted from its own first row."""

    texts: dict[str, list[str]]
    arrays: dict[str, npt.NDArray[Any]]
    runs_first_day: int
    runs: npt.NDArray[np.uint8]


# What each index column counts: shifted by that table's rows of the feeds before.
_REFERS = {
    "stop_parent": "stop_lat",
    "pattern_stop": "stop_lat",
    "transfer_from": "stop_lat",
    "transfer_to": "stop_lat",
    "pathway_from": "stop_lat",
    "pathway_to": "stop_lat",
    "route_agency": "agency_id",
    "trip_service": "service",
    "trip_pattern": "pattern_route",
    "pattern_route": "route_type",
    "pattern_shape": "shape",
    "through_pattern": "through",
    "through_service": "service",
    "through_trip": "trip_service",
    "through_row_stop": "stop_lat",
}
_OFFSETS = {
    "trip_first_event": "event_arrival_s",
    "pattern_first_trip": "trip_service",
    "pattern_first_stop": "pattern_stop",
    "shape_first_point": "shape_lat",
    "through_first_trip": "through_trip",
    "through_first_row": "through_row_stop",
}


def build_timetable(feeds: Iterable[Feed], findings: Findings) -> Timetable:
    """
    Clean and merge feeds. What is wrong is left out and told in `findings`, feed by feed.

    Feeds are taken one by one: an iterator that reads them need hold only one.
    """

    def cleaned(feed: Feed) -> _Part:
        own = Findings()
        own.extend(feed.findings)
        read = _read_part(feed, own)
        findings.extend(own, prefix=f"{feed.id}/")
        return read

    parts = list(map(cleaned, feeds))  # a loop's variable would hold a feed beside the next
    columns: dict[str, Any] = {}
    for name in parts[0].texts:
        columns[name] = Texts.of([text for part in parts for text in part.texts[name]])
    for name in parts[0].arrays:
        columns[name] = _merge(name, parts)
    first_day = min((p.runs_first_day for p in parts if p.runs.size), default=0)
    last_day = max((p.runs_first_day + p.runs.shape[1] for p in parts if p.runs.size), default=0)
    runs = np.zeros((sum(len(p.runs) for p in parts), last_day - first_day), np.uint8)
    row = 0
    for part in parts:
        column = part.runs_first_day - first_day if part.runs.size else 0
        runs[row : row + len(part.runs), column : column + part.runs.shape[1]] = part.runs
        row += len(part.runs)
    columns["service_runs"] = runs
    columns["service_first_day"] = np.array([first_day], np.int32)
    return Timetable(**columns)


def _row_count(part: _Part, table: str) -> int:
    if table == "service":
        return len(part.runs)
    if table in ("shape", "through"):
        firsts = {"shape": "shape_first_point", "through": "through_first_row"}
        return len(part.arrays[firsts[table]]) - 1
    column = part.texts.get(table, part.arrays.get(table))
    assert column is not None
    return len(column)


def _merge(name: str, parts: list[_Part]) -> npt.NDArray[Any]:
    pieces, before = [], 0
    for number, part in enumerate(parts):
        array = part.arrays[name]
        if name in _REFERS:
            array = np.where(array == NONE, NONE, array + before).astype(np.int32)
            before += _row_count(part, _REFERS[name])
        elif name in _OFFSETS:
            array = (array[:-1] if number < len(parts) - 1 else array) + np.int32(before)
            before += _row_count(part, _OFFSETS[name])
        elif name in ("stop_feed", "route_feed"):
            array = np.full(len(array), number, np.int32)
        pieces.append(array)
    return np.concatenate(pieces)


def _read_part(feed: Feed, findings: Findings) -> _Part:
    agency, stops, routes = (feed.table(n) for n in ("agency", "stops", "routes"))
    zone = str(agency["agency_timezone"].iloc[0]) if len(agency) else ""
    if find_zone(zone) is None:
        findings.error("unknown_zone", "agency.txt", 2, f"unknown time zone {zone!r}: UTC is used")
        zone = "UTC"
    check_references(feed, findings)
    calendar = read_calendar(feed, findings)
    trips = read_trips(feed, findings)
    frame = trips.trips.iloc[trips.trip_row]
    service_row = {service: i for i, service in enumerate(calendar.service_ids)}
    service = np.array([service_row.get(s, NONE) for s in frame["service_id"]], np.int32)
    for row in frame["row"][service == NONE]:
        findings.error("unknown_service", "trips.txt", int(row), "service_id has no calendar")
    throughs, runs = join_trips(feed, trips, service, calendar.runs, findings)
    pattern_of_trip = np.repeat(
        np.arange(len(trips.pattern_first_trip) - 1), np.diff(trips.pattern_first_trip)
    )
    route_row = _first_rows(routes["route_id"])
    head = frame.iloc[trips.pattern_first_trip[:-1]]
    running = np.flatnonzero(calendar.runs.any(axis=0)) + calendar.first_day
    shapes, shape_arrays = read_shapes(feed)
    pattern_shape = np.array([shapes.get(s, NONE) for s in head["shape_id"]], np.int32)
    pathway_ids, pathway_arrays = read_pathways(feed, _first_rows(stops["stop_id"]), findings)
    publisher = feed.table("feed_info")["feed_publisher_name"]
    texts: dict[str, list[str]] = {
        "feed_id": [feed.id],
        "feed_zone": [zone],
        "feed_publisher": [str(publisher.iloc[0]) if len(publisher) else ""],
        "agency_id": [scoped(feed.id, a) for a in agency["agency_id"]],
        "agency_name": list(agency["agency_name"]),
        "agency_url": list(agency["agency_url"]),
        **_stop_texts(feed.id, stops),
        "pathway_id": pathway_ids,
        "route_id": [scoped(feed.id, r) for r in routes["route_id"]],
        **{
            name: list(routes[name])
            for name in ("route_short_name", "route_long_name", "route_url")
        },
        **{name: list(routes[name]) for name in ("route_color", "route_text_color")},
        "trip_id": [scoped(feed.id, t) for t in trips.trip_id],
        "trip_headsign": list(frame["trip_headsign"]),
        "trip_short_name": list(frame["trip_short_name"]),
    }
    arrays = {
        "feed_first_day": np.array([running[0] if len(running) else 0], np.int32),
        "feed_last_day": np.array([running[-1] if len(running) else -1], np.int32),
        **_stop_arrays(feed, stops, findings),
        **pathway_arrays,
        "route_type": routes["route_type"].to_numpy(np.int32),
        "route_agency": _agencies(routes, agency),
        "route_feed": np.zeros(len(routes), np.int32),
        "trip_service": service,
        "trip_direction": frame["direction_id"].to_numpy(np.int32),
        "trip_pattern": pattern_of_trip.astype(np.int32),
        "trip_wheelchair": frame["wheelchair_accessible"].to_numpy(np.int32),
        "trip_headway_s": trips.headway_s,
        "trip_first_event": trips.first_event,
        "event_arrival_s": trips.arrival_s,
        "event_departure_s": trips.departure_s,
        "pattern_route": np.array([route_row[r] for r in head["route_id"]], np.int32),
        "pattern_first_trip": trips.pattern_first_trip,
        "pattern_first_stop": trips.pattern_first_stop,
        "pattern_stop": trips.pattern_stop,
        "pattern_flag": trips.pattern_flag,
        "pattern_shape": pattern_shape,
        "pattern_stop_point": stops_along_shapes(trips, stops, pattern_shape, shape_arrays),
        **shape_arrays,
        **_transfers(feed, stops, findings),
        **throughs,
    }
    return _Part(texts, arrays, calendar.first_day, runs)


def _first_rows(ids: pd.Series[str]) -> dict[str, int]:
    rows: dict[str, int] = {}
    for i, text in enumerate(ids):
        rows.setdefault(text, i)
    return rows


def _stop_texts(feed_id: str, stops: pd.DataFrame) -> dict[str, list[str]]:
    return {
        "stop_id": [scoped(feed_id, s) for s in stops["stop_id"]],
        "stop_name": list(stops["stop_name"]),
        "stop_platform": list(stops["platform_code"]),
        "stop_zone": [zone and scoped(feed_id, zone) for zone in stops["zone_id"]],
    }


def _stop_arrays(
    feed: Feed, stops: pd.DataFrame, findings: Findings
) -> dict[str, npt.NDArray[Any]]:
    rows = _first_rows(stops["stop_id"])
    parents = []
    for row, parent in zip(stops["row"], stops["parent_station"], strict=True):
        if parent and parent not in rows:
            findings.error("unknown_parent", "stops.txt", int(row), f"no station {parent!r}")
        parents.append(rows.get(parent, NONE) if parent else NONE)
    return {
        "stop_lat": stops["stop_lat"].to_numpy(np.float64),
        "stop_lon": stops["stop_lon"].to_numpy(np.float64),
        "stop_parent": np.array(parents, np.int32),
        "stop_feed": np.zeros(len(stops), np.int32),
        "stop_wheelchair": stops["wheelchair_boarding"].to_numpy(np.int32),
        "stop_level": read_levels(feed, findings),
        "stop_type": np.maximum(stops["location_type"].to_numpy(np.int32), 0),
    }


def _agencies(routes: pd.DataFrame, agency: pd.DataFrame) -> Int32:
    rows = _first_rows(agency["agency_id"])
    default = 0 if len(agency) else NONE
    return np.array([rows.get(a, default) for a in routes["agency_id"]], np.int32)


_TRANSFER_LIMITS = ("from_route_id", "to_route_id", "from_trip_id", "to_trip_id")


def _transfers(
    feed: Feed, stops: pd.DataFrame, findings: Findings
) -> dict[str, npt.NDArray[np.int32]]:
    rows = _first_rows(stops["stop_id"])
    platforms: dict[int, list[int]] = {}
    for i, parent in enumerate(stops["parent_station"]):
        if parent in rows and stops["location_type"].iloc[i] <= 0:
            platforms.setdefault(rows[parent], []).append(i)
    table: list[tuple[int, int, int, int]] = []
    for rule in feed.table("transfers").to_dict("records"):
        if rule["transfer_type"] >= IN_SEAT:
            continue  # tells who stays aboard: see `gtfs_data.blocks`
        ends = [rows.get(rule["from_stop_id"], NONE), rows.get(rule["to_stop_id"], NONE)]
        if NONE in ends:
            lost = rule["to_stop_id"] if ends[0] != NONE else rule["from_stop_id"]
            findings.error("unknown_stop", "transfers.txt", rule["row"], f"no stop {lost!r}")
            continue
        if any(rule[name] for name in _TRANSFER_LIMITS):
            continue  # between single trips or routes: not for everyone who changes here
        kind = max(rule["transfer_type"], 0)
        for a in platforms.get(ends[0], [ends[0]]):
            for b in platforms.get(ends[1], [ends[1]]):
                table.append((a, b, kind, max(rule["min_transfer_time"], 0)))
    columns = np.array(table, np.int32).reshape(-1, 4)
    names = ("transfer_from", "transfer_to", "transfer_type", "transfer_min_s")
    return {name: columns[:, i].copy() for i, name in enumerate(names)}
