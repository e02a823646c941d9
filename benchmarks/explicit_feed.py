"""
Write a frequency-based feed out as explicit trips, for measuring on a large timetable.

    python benchmarks/explicit_feed.py cdmx_frequencies.zip cdmx_explicit.zip

By GTFS: a trip leaves at start_time and then every headway_secs before end_time; its stop times
are shifted so that the first is that moment. Trips without frequencies stay as they are.
"""

from __future__ import annotations

import csv
import io
import sys
import zipfile
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

Row = dict[str, str]


def seconds(text: str) -> int:
    hours, minutes, rest = text.split(":")
    return int(hours) * 3600 + int(minutes) * 60 + int(rest)


def clock(moment_s: int) -> str:
    return f"{moment_s // 3600:02}:{moment_s // 60 % 60:02}:{moment_s % 60:02}"


def read(archive: zipfile.ZipFile, name: str) -> list[Row]:
    if name not in archive.namelist():
        return []
    return list(csv.DictReader(io.TextIOWrapper(archive.open(name), "utf-8-sig")))


def write(archive: zipfile.ZipFile, name: str, rows: Iterator[Row]) -> None:
    first = next(rows)
    with archive.open(name, "w") as raw, io.TextIOWrapper(raw, "utf-8", newline="") as text:
        writer = csv.DictWriter(text, list(first))
        writer.writeheader()
        writer.writerow(first)
        writer.writerows(rows)


def expand(source: Path, target: Path) -> None:
    """Write the explicit feed; every other table is copied."""
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as new:
        departures: dict[str, list[int]] = defaultdict(list)
        for row in read(old, "frequencies.txt"):
            first, last = seconds(row["start_time"]), seconds(row["end_time"])
            departures[row["trip_id"]] += range(first, last, int(row["headway_secs"]))
        calls: dict[str, list[Row]] = defaultdict(list)
        for row in read(old, "stop_times.txt"):
            calls[row["trip_id"]].append(row)
        trips = read(old, "trips.txt")

        def trip_rows() -> Iterator[Row]:
            for trip in trips:
                for start_s in departures.get(trip["trip_id"], [None]):
                    own = trip["trip_id"]
                    yield {**trip, "trip_id": own if start_s is None else f"{own}@{start_s}"}

        def call_rows() -> Iterator[Row]:
            for trip, own in calls.items():
                own.sort(key=lambda row: int(row["stop_sequence"]))
                begins_s = seconds(own[0]["departure_time"])
                for start_s in departures.get(trip, [None]):
                    for row in own:
                        if start_s is None:
                            yield row
                            continue
                        times = {
                            key: clock(seconds(row[key]) - begins_s + start_s) if row[key] else ""
                            for key in ("arrival_time", "departure_time")
                        }
                        yield {**row, **times, "trip_id": f"{trip}@{start_s}"}

        write(new, "trips.txt", trip_rows())
        write(new, "stop_times.txt", call_rows())
        for name in old.namelist():
            if name not in ("trips.txt", "stop_times.txt", "frequencies.txt"):
                new.writestr(name, old.read(name))


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    expand(Path(sys.argv[1]), Path(sys.argv[2]))
