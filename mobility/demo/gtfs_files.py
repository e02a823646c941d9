"""
A GTFS feed as plain rows, and the zip it is written to.

Bytes depend on the rows alone: the entries of the zip carry a fixed date.
"""

from __future__ import annotations

import csv
import io
import zipfile
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from mobility.demo.service_days import (
    DAILY,
    FIRST_DATE,
    LAST_DATE,
    SATURDAY,
    SCHOOL,
    SUNDAY,
    WEEKDAY,
    list_exceptions,
)

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

GENERATED_LABEL = "données générées / generated data"
ZIP_DATE = (2026, 1, 1, 0, 0, 0)

Row = dict[str, str | int | float]

_WEEK = {WEEKDAY: "1111100", SATURDAY: "0000010", SUNDAY: "0000001", DAILY: "1111111"}
_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


def clock(second: int) -> str:
    """Seconds of the service day as GTFS writes them: 24:05:00 is five past midnight."""
    return f"{second // 3600:02d}:{second // 60 % 60:02d}:{second % 60:02d}"


@dataclass(slots=True)
class Feed:
    """The tables of one feed, growing while it is built."""

    agency_name: str
    url: str
    stops: list[Row] = field(default_factory=list)
    routes: list[Row] = field(default_factory=list)
    trips: list[Row] = field(default_factory=list)
    stop_times: list[Row] = field(default_factory=list)
    shapes: list[Row] = field(default_factory=list)
    transfers: list[Row] = field(default_factory=list)
    frequencies: list[Row] = field(default_factory=list)
    pathways: list[Row] = field(default_factory=list)
    levels: list[Row] = field(default_factory=list)

    def add_shape(self, shape_id: str, points: Iterable[tuple[float, float, float]]) -> None:
        """Add a shape from (lat, lon, metres travelled)."""
        for i, (lat, lon, at_m) in enumerate(points):
            self.shapes.append(
                {
                    "shape_id": shape_id,
                    "shape_pt_lat": round(lat, 6),
                    "shape_pt_lon": round(lon, 6),
                    "shape_pt_sequence": i + 1,
                    "shape_dist_traveled": round(at_m, 1),
                }
            )

    def add_trip(
        self, trip: Row, calls: Iterable[tuple[str, int, int, float]], *, headsign: str
    ) -> None:
        """Add a trip from its calls: stop, arrival, departure, metres travelled."""
        self.trips.append({**trip, "trip_headsign": headsign})
        for i, (stop_id, arrival_s, departure_s, at_m) in enumerate(calls):
            self.stop_times.append(
                {
                    "trip_id": trip["trip_id"],
                    "arrival_time": clock(arrival_s),
                    "departure_time": clock(departure_s),
                    "stop_id": stop_id,
                    "stop_sequence": i + 1,
                    "shape_dist_traveled": round(at_m, 1),
                }
            )

    def write(self, path: Path) -> None:
        """Write the feed's zip."""
        tables = {
            **common_tables(self.agency_name, self.url, {str(t["service_id"]) for t in self.trips}),
            "stops.txt": self.stops,
            "routes.txt": self.routes,
            "trips.txt": self.trips,
            "stop_times.txt": self.stop_times,
            "shapes.txt": self.shapes,
            "transfers.txt": self.transfers,
            "frequencies.txt": self.frequencies,
            "pathways.txt": self.pathways,
            "levels.txt": self.levels,
        }
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
            for name, rows in tables.items():
                if rows:
                    archive.writestr(
                        zipfile.ZipInfo(name, ZIP_DATE), csv_text(rows), zipfile.ZIP_DEFLATED
                    )


def common_tables(agency_name: str, url: str, used: set[str]) -> dict[str, list[Row]]:
    """File → rows of what every generated feed says: who runs it, since when, on which days."""
    start, end = FIRST_DATE.strftime("%Y%m%d"), LAST_DATE.strftime("%Y%m%d")
    span: Row = {"start_date": start, "end_date": end}
    calendar: list[Row] = [
        {"service_id": s, **dict(zip(_DAYS, map(int, week), strict=True)), **span}
        for s, week in _WEEK.items()
        if s in used
    ]
    dates: list[Row] = [
        {
            "service_id": e.service_id,
            "date": e.on_date.strftime("%Y%m%d"),
            "exception_type": 1 if e.runs else 2,
        }
        for e in list_exceptions(tuple(s for s in (*_WEEK, SCHOOL) if s in used))
    ]
    agency: Row = {
        "agency_id": "1",
        "agency_name": f"{agency_name} ({GENERATED_LABEL})",
        "agency_url": url,
        "agency_timezone": "Europe/Paris",
        "agency_lang": "fr",
    }
    info: Row = {
        "feed_publisher_name": "Données générées (Mobility)",
        "feed_publisher_url": "https://example.org/mobility/demo",
        "feed_lang": "fr",
        "feed_start_date": start,
        "feed_end_date": end,
        "feed_version": "generated",
    }
    return {
        "agency.txt": [agency],
        "feed_info.txt": [info],
        "calendar.txt": calendar,
        "calendar_dates.txt": dates,
    }


def csv_text(rows: list[Row], *, quoting: int = csv.QUOTE_MINIMAL) -> str:
    """Rows as CSV with a header, the columns in order of first appearance."""
    columns = list(dict.fromkeys(c for row in rows for c in row))
    out = io.StringIO()
    # quoting is one of csv's own constants, which typeshed wants as a literal
    writer = csv.DictWriter(out, columns, restval="", lineterminator="\n", quoting=quoting)  # type: ignore[arg-type]
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()
