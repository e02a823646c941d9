"""
GTFS archive → typed frames: the one door to gtfs-kit.

gtfs-kit raises on one bad value or one over-long row, so each table is read here as text with
its row numbers, coerced column by column with findings, and only then handed to
`gtfs_kit.Feed`. A bad value costs its row (required column) or becomes blank (optional one);
it never costs the feed. Source: GTFS Schedule reference, "Dataset Files".
"""

from __future__ import annotations

import codecs
import csv
import hashlib
import io
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from gtfs_data.archive import (
    SPOILT_ARCHIVE,
    UnreadableFeed,
    list_members,
    open_archive,
    without_tables,
)
from gtfs_data.checks import Findings

if TYPE_CHECKING:
    import gtfs_kit

BLANK = -1
"""Integer and time columns: no value was given."""

FIELD_LIMIT_CHARS = 1_000_000
TIME_LIMIT_S = 14 * 86_400
"""A stop time later than two weeks after its service day is a typing error."""


@dataclass(frozen=True, slots=True)
class Feed:
    """One feed's tables, typed, with the findings of its reading."""

    id: str
    sha256: str
    tables: gtfs_kit.Feed
    findings: Findings

    def table(self, name: str) -> pd.DataFrame:
        """Frame of a table; an empty one with all known columns when the file is absent."""
        frame = getattr(self.tables, name)
        return frame if frame is not None else empty_table(COLUMNS[name])


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
    "feed_info": {
        "feed_publisher_name": (TEXT, False),
        "feed_publisher_url": (TEXT, False),
        "feed_lang": (TEXT, False),
        "feed_start_date": (DATE, False),
        "feed_end_date": (DATE, False),
        "feed_version": (TEXT, False),
    },
}
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

    tables = gtfs_kit.Feed(dist_units="km", **frames)
    return Feed(feed_id, hashlib.sha256(content).hexdigest(), tables, findings)


def _decode(raw: bytes, file: str, findings: Findings) -> str:
    if raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        findings.warning("not_utf8", file, 1, "not UTF-8: read as UTF-16")
        return raw.decode("utf-16", errors="replace")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        findings.warning("not_utf8", file, line, "not UTF-8: read as Windows-1252")
        return raw.decode("cp1252", errors="replace")


def empty_table(known: Columns) -> pd.DataFrame:
    """Frame of no rows with all known columns, typed."""
    return _typed("", known, {}, 0, [], Findings())


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
    csv.field_size_limit(FIELD_LIMIT_CHARS)
    text = io.StringIO(_decode(raw, file, findings).replace("\0", ""), newline="")
    lines = csv.reader(text, skipinitialspace=True)
    try:
        header = [cell.strip() for cell in next(lines, [])]
        rows, numbers = [], []
        for row in lines:
            if not row or (len(row) == 1 and not row[0].strip()):
                continue
            if len(row) != len(header):
                if len(row) > len(header) and any(cell.strip() for cell in row[len(header) :]):
                    findings.warning(
                        "row_length",
                        file,
                        lines.line_num,
                        f"{len(row)} fields under a header of {len(header)}: the rest is ignored",
                    )
                row = (row + [""] * len(header))[: len(header)]  # noqa: PLW2901 — made to fit
            rows.append(row)
            numbers.append(lines.line_num)
    except csv.Error as error:
        raise UnreadableFeed(f"{file}, line {lines.line_num}: {error}") from error
    if len(set(header)) != len(header):
        findings.error("duplicate_column", file, 1, "a column stands twice: the last one counts")
    columns = dict(zip(header, zip(*rows, strict=True), strict=True)) if rows else {}
    if others:
        known = {name: (TEXT, False) for name in header if name not in ("", "row")} | known
    return _typed(file, known, columns, len(rows), numbers, findings)


def _typed(
    file: str,
    known: Columns,
    columns: dict[str, tuple[str, ...]],
    row_count: int,
    numbers: list[int],
    findings: Findings,
) -> pd.DataFrame:
    """Frame with every known column, typed; `row` is the line in the file."""
    frame: dict[str, Any] = {"row": np.array(numbers, dtype=np.int32)}
    keep = np.ones(row_count, dtype=bool)
    for column, (kind, needed) in known.items():
        given = columns.get(column)
        if given is None:
            if needed and row_count:
                raise UnreadableFeed(f"{file} has no column {column}")
            frame[column] = _full(row_count, kind)
            continue
        # Few distinct values per column: parse each once.
        meaning, bad = _parse_distinct(set(given), kind)
        values = [meaning[text] for text in given]
        if bad or (needed and any(not text.strip() for text in meaning)):
            for i, text in enumerate(given):
                stripped = text.strip()
                if text in bad:
                    message = f"{column} {stripped[:60]!r} is not a {kind.name}"
                    report = findings.error if needed or kind in GRAVE else findings.warning
                    report("invalid_value", file, numbers[i], message)
                if needed and (text in bad or not stripped):
                    if not stripped:
                        findings.error("missing_value", file, numbers[i], f"{column} is blank")
                    keep[i] = False
        if kind.dtype == "object":
            frame[column] = np.array(values, dtype=object) if values else _full(0, kind)
        else:
            frame[column] = np.array(values, dtype=kind.dtype)
    table = pd.DataFrame(frame)
    return table if keep.all() else table[keep].reset_index(drop=True)


def _full(row_count: int, kind: Kind) -> np.ndarray[Any, Any]:
    array = np.empty(row_count, dtype=kind.dtype)
    array[:] = kind.blank
    return array


def _parse_distinct(texts: set[str], kind: Kind) -> tuple[dict[str, Any], set[str]]:
    """Text → value, and the texts that are not of this kind."""
    meaning: dict[str, Any] = {}
    bad: set[str] = set()
    for text in texts:
        stripped = text.strip()
        try:
            meaning[text] = kind.parse(stripped) if stripped else kind.blank
        except (ValueError, OverflowError):
            meaning[text] = kind.blank
            bad.add(text)
    return meaning, bad
