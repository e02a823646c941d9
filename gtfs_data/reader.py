"""
GTFS archive → typed frames: the one door to gtfs-kit.

gtfs-kit raises on one bad value or one over-long row, so each table is read here as text with
its row numbers, coerced column by column with findings, and only then handed to
`gtfs_kit.Feed`. A bad value costs its row (required column) or becomes blank (optional one);
it never costs the feed. Source: GTFS Schedule reference, "Dataset Files".
"""

from __future__ import annotations

import codecs
import hashlib
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from gtfs_data.archive import (
    SPOILT_ARCHIVE,
    UnreadableFeed,
    list_members,
    open_archive,
    without_tables,
)
from gtfs_data.cells import Cells, read_cells
from gtfs_data.checks import Findings

if TYPE_CHECKING:
    import gtfs_kit

Array = npt.NDArray[Any]
BLANK = -1
"""Integer and time columns: no value was given."""
NO_INTEGER = -(2**31)
"""Columns that may be negative (transfer_count, stair_count): no value was given."""

TIME_LIMIT_S = 14 * 86_400
"""A stop time later than two weeks after its service day is a typing error."""


@dataclass(frozen=True, slots=True)
class Feed:
    """One feed's tables, typed, with the findings of its reading."""

    id: str
    sha256: str
    tables: gtfs_kit.Feed
    findings: Findings
    inside: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    """Tables about the inside of stations, which gtfs-kit does not know."""

    def table(self, name: str) -> pd.DataFrame:
        """Frame of a table; an empty one with all known columns when the file is absent."""
        frame = self.inside.get(name) if name in INSIDE else getattr(self.tables, name)
        return frame if frame is not None else empty_table(COLUMNS[name])

    def without_tables(self) -> Feed:
        """What remains known of the feed when its tables, often gigabytes, are let go."""
        return replace(self, tables=type(self.tables)(dist_units="km"), inside={})


def _text(value: str) -> str:
    return value


def _time(value: str) -> int:
    hours, minutes, seconds = value.split(":")
    total = int(hours) * 3600 + int(minutes) * 60 + int(seconds)
    if not (0 <= int(minutes) < 60 and 0 <= int(seconds) < 60 and 0 <= total <= TIME_LIMIT_S):
        raise ValueError(value)
    return total


def _date(value: str) -> int:
    if len(value) != 8 or not value.isdigit():
        raise ValueError(value)
    return int(np.datetime64(f"{value[:4]}-{value[4:6]}-{value[6:]}", "D").astype(int))


def _count(value: str) -> int:
    number = int(value)
    if not 0 <= number < 2**31:
        raise ValueError(value)
    return number


def _integer(value: str) -> int:
    number = int(value)
    if not NO_INTEGER < number < 2**31:
        raise ValueError(value)
    return number


def _number(value: str) -> float:
    number = float(value)
    if not np.isfinite(number):
        raise ValueError(value)
    return number


def _latitude(value: str) -> float:
    number = _number(value)
    if not -90 <= number <= 90:
        raise ValueError(value)
    return number


def _longitude(value: str) -> float:
    number = _number(value)
    if not -180 <= number <= 180:
        raise ValueError(value)
    return number


def _colour(value: str) -> str:
    if len(value) != 6:
        raise ValueError(value)
    int(value, 16)
    return value.upper()


@dataclass(frozen=True, slots=True)
class Kind:
    """What a column's values are."""

    parse: Callable[[str], Any]
    blank: Any
    dtype: str
    name: str


Columns = dict[str, tuple[Kind, bool]]
"""Column → its kind, and whether a row without it is useless."""

TEXT = Kind(_text, "", "object", "text")
TIME = Kind(_time, BLANK, "int32", "time (HH:MM:SS)")
DATE = Kind(_date, BLANK, "int32", "date (YYYYMMDD)")
COUNT = Kind(_count, BLANK, "int32", "whole number")
INTEGER = Kind(_integer, NO_INTEGER, "int32", "whole number")
NUMBER = Kind(_number, np.nan, "float64", "number")
LATITUDE = Kind(_latitude, np.nan, "float64", "latitude")
LONGITUDE = Kind(_longitude, np.nan, "float64", "longitude")
COLOUR = Kind(_colour, "", "object", "colour (RRGGBB)")

GRAVE = (TIME, DATE, LATITUDE, LONGITUDE)
"""Without such a value a journey is lost or goes wrong, also where the column is optional."""

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")

COLUMNS: dict[str, Columns] = {
    "agency": {
        "agency_id": (TEXT, False),
        "agency_name": (TEXT, False),
        "agency_url": (TEXT, False),
        "agency_timezone": (TEXT, False),
        "agency_lang": (TEXT, False),
        "agency_fare_url": (TEXT, False),
    },
    "stops": {
        "stop_id": (TEXT, True),
        "stop_code": (TEXT, False),
        "stop_name": (TEXT, False),
        "stop_lat": (LATITUDE, False),
        "stop_lon": (LONGITUDE, False),
        "zone_id": (TEXT, False),
        "location_type": (COUNT, False),
        "parent_station": (TEXT, False),
        "stop_timezone": (TEXT, False),
        "wheelchair_boarding": (COUNT, False),
        "level_id": (TEXT, False),
        "platform_code": (TEXT, False),
    },
    "routes": {
        "route_id": (TEXT, True),
        "agency_id": (TEXT, False),
        "route_short_name": (TEXT, False),
        "route_long_name": (TEXT, False),
        "route_type": (COUNT, True),
        "route_url": (TEXT, False),
        "route_color": (COLOUR, False),
        "route_text_color": (COLOUR, False),
    },
    "trips": {
        "trip_id": (TEXT, True),
        "route_id": (TEXT, True),
        "service_id": (TEXT, True),
        "trip_headsign": (TEXT, False),
        "trip_short_name": (TEXT, False),
        "direction_id": (COUNT, False),
        "block_id": (TEXT, False),
        "shape_id": (TEXT, False),
        "wheelchair_accessible": (COUNT, False),
        "bikes_allowed": (COUNT, False),
    },
    "stop_times": {
        "trip_id": (TEXT, True),
        "stop_id": (TEXT, False),
        "location_group_id": (TEXT, False),
        "location_id": (TEXT, False),
        "stop_sequence": (COUNT, True),
        "arrival_time": (TIME, False),
        "departure_time": (TIME, False),
        "start_pickup_drop_off_window": (TIME, False),
        "pickup_type": (COUNT, False),
        "drop_off_type": (COUNT, False),
        "shape_dist_traveled": (NUMBER, False),
    },
    "calendar": {
        "service_id": (TEXT, True),
        **dict.fromkeys(WEEKDAYS, (COUNT, True)),
        "start_date": (DATE, True),
        "end_date": (DATE, True),
    },
    "calendar_dates": {
        "service_id": (TEXT, True),
        "date": (DATE, True),
        "exception_type": (COUNT, True),
    },
    "frequencies": {
        "trip_id": (TEXT, True),
        "start_time": (TIME, True),
        "end_time": (TIME, True),
        "headway_secs": (COUNT, True),
        "exact_times": (COUNT, False),
    },
    "transfers": {
        "from_stop_id": (TEXT, False),
        "to_stop_id": (TEXT, False),
        "transfer_type": (COUNT, False),
        "min_transfer_time": (COUNT, False),
        "from_route_id": (TEXT, False),
        "to_route_id": (TEXT, False),
        "from_trip_id": (TEXT, False),
        "to_trip_id": (TEXT, False),
    },
    "shapes": {
        "shape_id": (TEXT, True),
        "shape_pt_lat": (LATITUDE, True),
        "shape_pt_lon": (LONGITUDE, True),
        "shape_pt_sequence": (COUNT, True),
        "shape_dist_traveled": (NUMBER, False),
    },
    "pathways": {
        **dict.fromkeys(("pathway_id", "from_stop_id", "to_stop_id"), (TEXT, True)),
        **dict.fromkeys(("pathway_mode", "is_bidirectional"), (COUNT, True)),
        "traversal_time": (COUNT, False),
        "stair_count": (INTEGER, False),
        **dict.fromkeys(("length", "max_slope", "min_width"), (NUMBER, False)),
    },
    "levels": {"level_id": (TEXT, True), "level_index": (NUMBER, True)},
    "feed_info": {
        "feed_publisher_name": (TEXT, False),
        "feed_publisher_url": (TEXT, False),
        "feed_lang": (TEXT, False),
        "feed_start_date": (DATE, False),
        "feed_end_date": (DATE, False),
        "feed_version": (TEXT, False),
    },
}
INSIDE = ("pathways", "levels")
REQUIRED_TABLES = ("agency", "stops", "routes", "trips", "stop_times")
ONE_CALENDAR = "calendar_dates.txt"
"""Without it, calendar.txt is required."""


def read_feed(path: Path, feed_id: str) -> Feed:
    """
    Read a GTFS archive.

    Raises
    ------
    UnreadableFeed
        Not a zip that can be trusted, not GTFS, or a required table is absent or spoilt.
    """
    findings = Findings()
    content, archive = open_archive(path)
    frames: dict[str, pd.DataFrame] = {}
    with archive:
        members = list_members(archive, path)
        for name in REQUIRED_TABLES:
            if f"{name}.txt" not in members:
                raise without_tables(path, members, name)
        for name, known in COLUMNS.items():
            member = members.get(f"{name}.txt")
            if member is None:
                continue
            try:
                frames[name] = read_table(archive, member, known, findings)
            except UnreadableFeed as error:
                if name in REQUIRED_TABLES or (name == "calendar" and ONE_CALENDAR not in members):
                    raise
                findings.error("unreadable_table", f"{name}.txt", None, f"{error}: left out")
    if not ({"calendar", "calendar_dates"} & set(frames)):
        raise UnreadableFeed(f"{path} has neither calendar.txt nor calendar_dates.txt")
    import gtfs_kit  # noqa: PLC0415 — takes two seconds, and serving needs it not

    inside = {name: frames.pop(name) for name in INSIDE if name in frames}
    tables = gtfs_kit.Feed(dist_units="km", **frames)
    return Feed(feed_id, hashlib.sha256(content).hexdigest(), tables, findings, inside)


def _utf8(raw: bytes, file: str, findings: Findings) -> bytes:
    """Text of a table in UTF-8, without byte order mark and zero bytes."""
    if raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        findings.warning("not_utf8", file, 1, "not UTF-8: read as UTF-16")
        raw = raw.decode("utf-16", errors="replace").encode()
    else:
        raw = raw.removeprefix(codecs.BOM_UTF8)
        try:
            raw.decode()
        except UnicodeDecodeError as error:
            line = raw.count(b"\n", 0, error.start) + 1
            findings.warning("not_utf8", file, line, "not UTF-8: read as Windows-1252")
            raw = raw.decode("cp1252", errors="replace").encode()
    return raw.replace(b"\0", b"")


def empty_table(known: Columns) -> pd.DataFrame:
    """Frame of no rows with all known columns, typed."""
    return _typed("", known, Cells([], {}, np.zeros(0, np.int32)), Findings())


def read_table(
    archive: zipfile.ZipFile,
    member: zipfile.ZipInfo,
    known: Columns,
    findings: Findings,
    *,
    others: bool = False,
) -> pd.DataFrame:
    """
    Frame of one table: every known column, typed, and `row`, its line in the file.

    Parameters
    ----------
    others
        Keep the columns that are not known as well, as text.

    Raises
    ------
    UnreadableFeed
        The file cannot be unpacked or split into cells, or lacks a column that rows need.
    """
    file = PurePosixPath(member.filename).name
    try:
        raw = archive.read(member)
    except SPOILT_ARCHIVE as error:
        raise UnreadableFeed(f"{file} cannot be unpacked: {error}") from error
    cells = read_cells(_utf8(raw, file, findings), file, findings)
    if others:
        known = {name: (TEXT, False) for name in cells.header if name not in ("", "row")} | known
    return _typed(file, known, cells, findings)


def _typed(file: str, known: Columns, cells: Cells, findings: Findings) -> pd.DataFrame:
    """Frame with every known column, typed; `row` is the line in the file."""
    row_count = len(cells.line)
    frame: dict[str, Any] = {"row": cells.line}
    keep = np.ones(row_count, dtype=bool)
    for name, (kind, needed) in known.items():
        column = cells.columns.get(name)
        if column is None:
            if needed and row_count:
                raise UnreadableFeed(f"{file} has no column {name}")
            frame[name] = _full(row_count, kind)
            continue
        meaning, bad = _parse_distinct(column.texts, kind)
        frame[name] = meaning[column.code]
        blank = np.array([not text.strip() for text in column.texts])
        for i in np.flatnonzero(bad[column.code]).tolist():
            message = f"{name} {column.texts[column.code[i]].strip()[:60]!r} is not a {kind.name}"
            report = findings.error if needed or kind in GRAVE else findings.warning
            report("invalid_value", file, int(cells.line[i]), message)
        if needed:
            for i in np.flatnonzero(blank[column.code]).tolist():
                findings.error("missing_value", file, int(cells.line[i]), f"{name} is blank")
            keep &= ~(bad | blank)[column.code]
    table = pd.DataFrame(frame)
    return table if keep.all() else table[keep].reset_index(drop=True)


def _full(row_count: int, kind: Kind) -> Array:
    array = np.empty(row_count, dtype=kind.dtype)
    array[:] = kind.blank
    return array


def _parse_distinct(texts: list[str], kind: Kind) -> tuple[Array, npt.NDArray[np.bool_]]:
    """Values of distinct texts, and which of them are not of this kind."""
    meaning, bad = _full(len(texts), kind), np.zeros(len(texts), bool)
    for i, text in enumerate(texts):
        stripped = text.strip()
        try:
            meaning[i] = kind.parse(stripped) if stripped else kind.blank
        except (ValueError, OverflowError):
            bad[i] = True
    return meaning, bad
