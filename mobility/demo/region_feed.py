"""
Lines as arrays, and the GTFS archive of all their trips: millions of rows, a column at a time.

A column is an array of bytes, or one text for every row. What an array pads with zero bytes is
left out, so that texts may be of different lengths; none holds a comma or a quote.
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from mobility.demo.gtfs_files import clock, common_tables, csv_text
from mobility.demo.service_days import DAILY, WEEKDAY

CLOCK_LIMIT_S = 48 * 3600
"""No trip is on its way at that time of the day after."""
DAY_H = (5.0, 6.5, 8.5, 9.5, 16.0, 19.0, 21.0, 24.0)
LEFT = (0.0, 0.05, 0.22, 0.28, 0.62, 0.85, 0.94, 1.0)
"""Share of a line's trips that have left at each hour of `DAY_H`: more in the rush hours."""
MINUTE_S = 60
CHUNK_TRIPS = 20_000
"""Trips whose stop times are written at a time."""

Array = npt.NDArray[Any]
Rows = npt.NDArray[np.int64]
Text = npt.NDArray[np.bytes_]


@dataclass(frozen=True, slots=True)
class Lines:
    """Lines end to end, each served in both directions."""

    length: Rows
    """Stops of each line."""
    stop: Rows
    """Shape (length.sum(),)."""
    arrival_s: Rows
    departure_s: Rows
    """At each stop, from the line's start; both are equal at its ends."""
    trip_count: Rows
    """Of each line, a day and direction."""
    phase: npt.NDArray[np.float64]
    """Shape (line_count, 2): share of the headway after which the first trip leaves."""
    route_type: Rows

    @property
    def first(self) -> Rows:
        """Row of each line's first stop."""
        return np.cumsum(self.length) - self.length

    @property
    def last(self) -> Rows:
        """Row of each line's last stop."""
        return np.cumsum(self.length) - 1

    @property
    def event_count(self) -> int:
        """Stop events of a working day."""
        return int((2 * self.trip_count * self.length).sum())

    def among(self, kept: npt.NDArray[np.bool_]) -> Lines:
        """Lines between kept stops, which are numbered anew."""
        line = kept[self.stop[self.first]]
        row = np.repeat(line, self.length)
        return Lines(
            self.length[line], (np.cumsum(kept) - 1)[self.stop[row]], self.arrival_s[row],
            self.departure_s[row], self.trip_count[line], self.phase[line], self.route_type[line],
        )  # fmt: skip


def numbered(count: Rows) -> tuple[Rows, Rows]:
    """For groups of these sizes: the group of each member, and its number in the group."""
    group = np.repeat(np.arange(len(count)), count)
    return group, np.arange(len(group)) - np.repeat(np.cumsum(count) - count, count)


def write_feed(path: Path, agency: str, lines: Lines, stops: tuple[Text, Array, Array]) -> None:
    """Write the archive of some lines between stops of these names, latitudes and longitudes."""
    name, lat, lon = stops
    stop, route = (digits(np.arange(len(rows)), 6) for rows in (name, lines.length))
    start, end = name[lines.stop[lines.first]], name[lines.stop[lines.last]]
    both = np.strings.add(np.strings.add(start, " – ".encode()), end)
    trips = _Trips.of(lines)
    trip = digits(np.arange(len(trips.line)), 7)
    to = np.where(trips.back, start[trips.line], end[trips.line])
    common = common_tables(agency, "https://example.org/mobility/region", {DAILY, WEEKDAY})
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for file, rows in common.items():
            _write(archive, file, [csv_text(rows).encode()])
        for file, header, *columns in (
            ("stops", "stop_id,stop_name,stop_lat,stop_lon",
             stop, name, degrees(lat), degrees(lon)),
            ("routes", "route_id,agency_id,route_short_name,route_long_name,route_type",
             route, "1", route, both, digits(lines.route_type, 3)),
            ("trips", "route_id,service_id,trip_id,trip_headsign,direction_id",
             route[trips.line], trips.service, trip, to, digits(trips.back, 1)),
        ):  # fmt: skip
            _write(archive, f"{file}.txt", [f"{header}\n".encode(), csv_rows(*columns)])
        _write(archive, "stop_times.txt", _stop_times(lines, trips, trip, stop))


def _write(archive: zipfile.ZipFile, file: str, pieces: Iterable[bytes]) -> None:
    with archive.open(file, "w", force_zip64=True) as target:  # by name it has a fixed date
        for piece in pieces:
            target.write(piece)


def _stop_times(lines: Lines, trips: _Trips, trip: Text, stop: Text) -> Iterable[bytes]:
    time = _clock_texts()
    yield b"trip_id,arrival_time,departure_time,stop_id,stop_sequence\n"
    for begin in range(0, len(trips.line), CHUNK_TRIPS):
        line, back = (
            trips.line[begin : begin + CHUNK_TRIPS],
            trips.back[begin : begin + CHUNK_TRIPS],
        )
        which, k = numbered(lines.length[line])
        first, last = lines.first[line][which], lines.last[line][which]
        at = np.where(back[which], last - k, first + k)
        end_s, start_s = lines.arrival_s[last], trips.start_s[begin + which]
        arrival_s = np.where(back[which], end_s - lines.departure_s[at], lines.arrival_s[at])
        departure_s = np.where(back[which], end_s - lines.arrival_s[at], lines.departure_s[at])
        yield csv_rows(
            trip[begin + which], time[start_s + arrival_s], time[start_s + departure_s],
            stop[lines.stop[at]], digits(k + 1, 3),
        )  # fmt: skip


@cache
def _clock_texts() -> Text:
    """Second of the service day → as GTFS writes it."""
    return np.array([clock(second) for second in range(CLOCK_LIMIT_S)], np.bytes_)


@dataclass(frozen=True, slots=True)
class _Trips:
    """Every trip of some lines."""

    line: Rows
    back: npt.NDArray[np.bool_]
    start_s: Rows
    service: Text

    @classmethod
    def of(cls, lines: Lines) -> _Trips:
        """Spread the trips over the day; every other one runs on all days."""
        way, nth = numbered(np.repeat(lines.trip_count, 2))
        line, back = way // 2, way % 2
        share = (nth + lines.phase[line, back]) / lines.trip_count[line]
        start_s = np.interp(share, LEFT, np.array(DAY_H) * 3600) // MINUTE_S * MINUTE_S
        service = np.where(nth % 2 == 0, DAILY.encode(), WEEKDAY.encode())
        return cls(line, back == 1, start_s.astype(np.int64), service)


def digits(number: Array, width: int) -> Text:
    """Whole numbers from 0 with leading zeros."""
    power = 10 ** np.arange(width - 1, -1, -1)
    figures = (number[:, None] // power % 10 + ord("0")).astype(np.uint8)
    return figures.view(f"S{width}")[:, 0]


def degrees(number: Array) -> Text:
    """Degrees with six decimals: a tenth of a metre."""
    return np.char.mod("%.6f", number).astype(np.bytes_)


def csv_rows(*columns: Text | str) -> bytes:
    """Rows of a table, without its header."""
    count = next(len(column) for column in columns if not isinstance(column, str))
    cells = [part for column in columns for part in (_cells(column, count), _cells(",", count))]
    table = np.concatenate([*cells[:-1], _cells("\n", count)], axis=1)
    rows: bytes = table[table != 0].tobytes()
    return rows


def _cells(column: Text | str, count: int) -> npt.NDArray[np.uint8]:
    if isinstance(column, str):
        text = np.frombuffer(column.encode(), np.uint8)
        return np.broadcast_to(text, (count, len(text)))
    return np.ascontiguousarray(column).view(np.uint8).reshape(count, -1)
