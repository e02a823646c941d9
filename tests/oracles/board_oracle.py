"""
What calls where on a service day, read from a feed's CSV files with the standard library alone.

The obvious way: the calendar and its exceptions say which services run, stop times say when their
trips call, frequencies repeat them. Nothing is shared with the code that compiles timetables.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
import zipfile
from collections.abc import Container, Iterator
from pathlib import Path
from typing import NamedTuple
from zoneinfo import ZoneInfo

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
NOON_S = 43_200


class Call(NamedTuple):
    """A trip at a stop, in epoch seconds; `trip_id` names the run where frequencies repeat it."""

    stop_id: str
    trip_id: str
    arrival_s: int
    departure_s: int


class _Row(NamedTuple):
    sequence: int
    stop_id: str
    arrival: str
    departure: str


class ListedFeed:
    """A feed as its publisher wrote it."""

    def __init__(self, archive: Path) -> None:
        self._archive = archive
        (agency, *_) = self.rows("agency")
        self.zone = ZoneInfo(agency["agency_timezone"])
        self.trips = {row["trip_id"]: row for row in self.rows("trips")}
        self.frequencies: dict[str, list[dict[str, str]]] = {}
        for row in self.rows("frequencies"):
            self.frequencies.setdefault(row["trip_id"], []).append(row)
        self._times: dict[str, list[_Row]] = {}
        with zipfile.ZipFile(archive) as opened:
            text = io.TextIOWrapper(opened.open("stop_times.txt"), "utf-8-sig", newline="")
            lines = csv.reader(text, skipinitialspace=True)
            header = [name.strip() for name in next(lines)]
            at = [header.index(n) for n in ("stop_sequence", "stop_id", "arrival_time",
                                            "departure_time", "trip_id")]  # fmt: skip
            for line in lines:
                if any(line):
                    sequence, stop, arrival, departure, trip = (line[i].strip() for i in at)
                    row = _Row(int(sequence), stop, arrival, departure)
                    self._times.setdefault(trip, []).append(row)
        for rows in self._times.values():
            rows.sort()

    def rows(self, table: str) -> list[dict[str, str]]:
        """Rows of a table as text; none when the file is absent."""
        with zipfile.ZipFile(self._archive) as opened:
            if f"{table}.txt" not in opened.namelist():
                return []
            text = io.TextIOWrapper(opened.open(f"{table}.txt"), "utf-8-sig", newline="")
            reader = csv.DictReader(text, skipinitialspace=True)
            rows = [{k.strip(): (v or "").strip() for k, v in row.items() if k} for row in reader]
        return [row for row in rows if any(row.values())]

    def services_on(self, date: dt.date) -> set[str]:
        """Services that run on a date: the week, then its exceptions."""
        day = date.strftime("%Y%m%d")
        weekday = WEEKDAYS[date.weekday()]
        services = {
            row["service_id"]
            for row in self.rows("calendar")
            if row["start_date"] <= day <= row["end_date"] and row[weekday] == "1"
        }
        for row in self.rows("calendar_dates"):
            if row["date"] == day:
                change = services.add if row["exception_type"] == "1" else services.discard
                change(row["service_id"])
        return services

    def calls_on(self, date: dt.date, stops: Container[str] | None = None) -> list[Call]:
        """Every timed call of one service day, sorted; `stops` narrows them."""
        midday = dt.datetime.combine(date, dt.time(12), self.zone)
        start_s = int(midday.timestamp()) - NOON_S
        services = self.services_on(date)
        return sorted(
            Call(row.stop_id, run, start_s + shift_s + _clock_s(row.arrival or row.departure),
                 start_s + shift_s + _clock_s(row.departure or row.arrival))
            for trip_id, trip in self.trips.items()
            if trip["service_id"] in services and len(self._times.get(trip_id, [])) > 1
            for run, shift_s in self._runs(trip_id)
            for row in self._times[trip_id]
            if (row.arrival or row.departure) and (stops is None or row.stop_id in stops)
        )  # fmt: skip

    def _runs(self, trip_id: str) -> Iterator[tuple[str, int]]:
        """Id of each run of a trip, and what to add to its listed times."""
        windows = self.frequencies.get(trip_id)
        if windows is None:
            yield trip_id, 0
            return
        first = self._times[trip_id][0]
        listed_s = _clock_s(first.departure or first.arrival)
        starts = {
            start
            for row in windows
            for start in range(_clock_s(row["start_time"]), _clock_s(row["end_time"]),
                               int(row["headway_secs"]))
        }  # fmt: skip
        for start in starts:
            yield f"{trip_id}@{clock(start)}", start - listed_s


def _clock_s(text: str) -> int:
    hours, minutes, seconds = (int(part) for part in text.split(":"))
    return hours * 3600 + minutes * 60 + seconds


def clock(seconds: int) -> str:
    """Seconds of a service day as HH:MM:SS, which may pass 24:00."""
    return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"
