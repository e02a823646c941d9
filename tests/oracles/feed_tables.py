"""Feeds as their authors wrote them: CSV in a ZIP, read by nothing of the product."""

from __future__ import annotations

import csv
import datetime as dt
import io
import itertools
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from zoneinfo import ZoneInfo

from core.geo import Coordinate, distance_m

INTERPOLATED_TOLERANCE_S = 1
NO_BOARDING = "1"
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


@dataclass(frozen=True, slots=True)
class ListedCall:
    """A row of stop_times.txt."""

    stop_id: str
    arrival_s: int
    departure_s: int
    may_board: bool
    may_alight: bool
    tolerance_s: int


class FeedTables:
    """Raw tables of one GTFS zip, as text."""

    def __init__(self, feed_id: str, archive: Path) -> None:
        self.feed_id = feed_id
        with zipfile.ZipFile(archive) as opened:
            names = {Path(name).name: name for name in opened.namelist()}

            def rows(table: str) -> list[dict[str, str]]:
                if f"{table}.txt" not in names:
                    return []
                raw = opened.read(names[f"{table}.txt"]).decode("utf-8-sig")
                reader = csv.DictReader(io.StringIO(raw, newline=""), skipinitialspace=True)
                return [{k: (v or "").strip() for k, v in row.items() if k} for row in reader]

            self.stops = {row["stop_id"]: row for row in rows("stops")}
            self.trips = {row["trip_id"]: row for row in rows("trips")}
            self.routes = {row["route_id"]: row for row in rows("routes")}
            self._calendar = {row["service_id"]: row for row in rows("calendar")}
            self._exceptions = {
                (row["service_id"], row["date"]): row["exception_type"]
                for row in rows("calendar_dates")
            }
            self.zone = ZoneInfo(rows("agency")[0]["agency_timezone"])
            self.transfers = rows("transfers")
            self.pathways = rows("pathways")
            self.frequencies: dict[str, list[dict[str, str]]] = {}
            for row in rows("frequencies"):
                self.frequencies.setdefault(row["trip_id"], []).append(row)
            self._times: dict[str, list[dict[str, str]]] = {}
            for row in rows("stop_times"):
                self._times.setdefault(row["trip_id"], []).append(row)
        self._calls: dict[str, list[ListedCall]] = {}

    def runs(self, service_id: str, date: dt.date) -> bool:
        """Whether a service runs: the calendar, then its exceptions."""
        day = date.strftime("%Y%m%d")
        exception = self._exceptions.get((service_id, day))
        if exception is not None:
            return exception == "1"
        row = self._calendar.get(service_id)
        if row is None:
            return False
        in_season = row["start_date"] <= day <= row["end_date"]
        return in_season and row[WEEKDAYS[date.weekday()]] == "1"

    def coordinate(self, stop_id: str) -> Coordinate:
        """Where a stop stands."""
        row = self.stops[stop_id]
        return Coordinate(float(row["stop_lat"]), float(row["stop_lon"]))

    def family_of_stop(self, stop_id: str) -> set[str]:
        """The stop and its station, for rules that name either."""
        parent = self.stops.get(stop_id, {}).get("parent_station", "")
        return {stop_id, parent} - {""}

    def transfer_rules(self, from_id: str, to_id: str) -> Iterator[Mapping[str, str]]:
        """Rows of transfers.txt for any trip between two stops."""
        a, b = self.family_of_stop(from_id), self.family_of_stop(to_id)
        for row in self.transfers:
            narrowed = any(row.get(f"{end}_{what}_id") for end in ("from", "to")
                           for what in ("route", "trip"))  # fmt: skip
            if row["from_stop_id"] in a and row["to_stop_id"] in b and not narrowed:
                yield row

    def seat_rules(self, from_trip: str, to_trip: str) -> set[str]:
        """Types of the rows of transfers.txt between two trips."""
        return {
            row["transfer_type"]
            for row in self.transfers
            if (row.get("from_trip_id"), row.get("to_trip_id")) == (from_trip, to_trip)
        }

    def trips_of_block(self, block_id: str) -> list[str]:
        """Trips that one vehicle runs, each on its days."""
        return [trip for trip, row in self.trips.items() if row.get("block_id") == block_id]

    def calls(self, trip_id: str) -> list[ListedCall]:
        """Stop times of a trip in order, blanks filled by distance."""
        if trip_id not in self._calls:
            rows = sorted(self._times.get(trip_id, []), key=lambda r: int(r["stop_sequence"]))
            self._calls[trip_id] = self._filled(rows)
        return self._calls[trip_id]

    def _filled(self, rows: list[dict[str, str]]) -> list[ListedCall]:
        where = self._distances(rows)
        arrivals = [row.get("arrival_time") or row.get("departure_time") or "" for row in rows]
        departures = [row.get("departure_time") or row.get("arrival_time") or "" for row in rows]
        known = [i for i, text in enumerate(arrivals) if text]
        calls = []
        for i, row in enumerate(rows):
            if arrivals[i]:
                times, tolerance_s = (clock_s(arrivals[i]), clock_s(departures[i])), 0
            else:
                before = max(k for k in known if k < i)
                after = min(k for k in known if k > i)
                a, b = clock_s(departures[before]), clock_s(arrivals[after])
                whole = where[after] - where[before]
                share = (where[i] - where[before]) / whole if whole > 0 else 0.0
                then_s = round(a + share * (b - a))
                times, tolerance_s = (then_s, then_s), INTERPOLATED_TOLERANCE_S
            may_board = row.get("pickup_type", "") != NO_BOARDING and i < len(rows) - 1
            may_alight = row.get("drop_off_type", "") != NO_BOARDING and i > 0
            calls.append(ListedCall(row["stop_id"], *times, may_board, may_alight, tolerance_s))
        return calls

    def _distances(self, rows: list[dict[str, str]]) -> list[float]:
        texts = [row.get("shape_dist_traveled", "") for row in rows]
        if rows and all(texts):
            return [float(text) for text in texts]
        along = [0.0]
        for a, b in itertools.pairwise(rows):
            step = distance_m(self.coordinate(a["stop_id"]), self.coordinate(b["stop_id"]))
            along.append(along[-1] + step)
        return along

    def start_shifts_s(self, trip_id: str, suffix: str | None) -> int | None:
        """Seconds to add to the listed times, or None when the trip does not start then."""
        windows = self.frequencies.get(trip_id)
        if suffix is None:
            return None if windows else 0
        if not windows:
            return None
        start_s = clock_s(suffix)
        for row in windows:
            a, b = clock_s(row["start_time"]), clock_s(row["end_time"])
            if a <= start_s < b and (start_s - a) % int(row["headway_secs"]) == 0:
                return start_s - self.calls(trip_id)[0].departure_s
        return None


def clock_s(text: str) -> int:
    """Seconds of HH:MM:SS, which may pass 24:00."""
    hours, minutes, seconds = (int(part) for part in text.split(":"))
    return hours * 3600 + minutes * 60 + seconds
