"""
Write feeds anew so that every engine reads them alike, and random pairs of stops to ask for.

    python benchmarks/alike_feed.py OUT_FOLDER 2024-03-13 FEED.zip[@DATE] …

Whole minutes, frequencies written out, neither stations, blocks nor boarding rules, one time zone;
transfers.txt holds all walks: straight lines of up to 250 m at 1.2 m/s, joined up to 10 minutes.
``FEED.zip@DATE`` takes that feed's service of another day. All trips of the day and the one before
stand in one service of the day before. Also writes OUT_FOLDER.queries.csv: 1,000 pairs at 08:00.
"""

from __future__ import annotations

import csv
import datetime as dt
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

sys.path.insert(0, str(Path(__file__).parent.parent))

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra
from scipy.spatial import KDTree

from gtfs_data.build import build_timetable
from gtfs_data.checks import Findings
from gtfs_data.reader import read_feed
from gtfs_data.rolling import roll_days
from gtfs_data.throughs import is_through

NEAR_M, WALK_MPS, LONGEST_WALK_MIN = 250.0, 1.2, 10
METRES_PER_DEGREE = 111_320
DAY_MIN = 1_440
PAIRS, SEED, ASKED_AT = 1_000, 42, dt.time(8)


def clock(minutes: int) -> str:
    return f"{minutes // 60:02}:{minutes % 60:02}:00"


def write(path: Path, header: str, rows: Iterable[Iterable[Any]]) -> None:
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(header.split(","))
        writer.writerows(rows)


def calls_of(
    archive: Path, date: dt.date, prefix: str
) -> tuple[list[list[tuple[str, int, int]]], dict[str, tuple[float, float]]]:
    """Calls (stop, arrival, departure in minutes) of each trip, and the places of stops."""
    t = build_timetable([read_feed(archive, prefix)], Findings())
    day = roll_days(t, date, ZoneInfo(t.feed_zone[0]))
    trips = []
    for p in range(len(day.first_stop) - 1):
        if is_through(t, int(day.trip[day.first_trip[p]])):
            break  # riders who stay aboard: not every rival knows them
        stops = [t.stop_id[s] for s in day.stop[day.first_stop[p] : day.first_stop[p + 1]].tolist()]
        some = slice(int(day.first_event[p]), int(day.first_event[p + 1]))
        arrival, departure = (
            (times[some].reshape(len(stops), -1).T // 60).tolist()
            for times in (day.arrival_s, day.departure_s)
        )
        of_day = day.day[day.first_trip[p] : day.first_trip[p + 1]].tolist()
        for n, when in enumerate(of_day):
            if when <= 0:
                trips.append(list(zip(stops, arrival[n], departure[n], strict=True)))
    called = {stop for trip in trips for stop, _, _ in trip}
    rows = zip(t.stop_id, t.stop_lat.tolist(), t.stop_lon.tolist(), strict=True)
    return trips, {stop: (lat, lon) for stop, lat, lon in rows if stop in called}


def walks_between(places: list[tuple[float, float]]) -> Iterable[tuple[int, int, int]]:
    """(from, to, minutes) of all walks."""
    degrees = np.array(places)
    metres = degrees * METRES_PER_DEGREE
    metres[:, 1] *= np.cos(np.radians(degrees[:, 0].mean()))
    pairs = KDTree(metres).query_pairs(NEAR_M, output_type="ndarray")
    apart = np.linalg.norm(metres[pairs[:, 0]] - metres[pairs[:, 1]], axis=1)
    minutes = np.maximum(1, np.ceil(apart / WALK_MPS / 60))
    graph = csr_array((minutes, (pairs[:, 0], pairs[:, 1])), shape=(len(places), len(places)))
    for start in range(len(places)):
        reached = dijkstra(graph, directed=False, indices=start, limit=LONGEST_WALK_MIN)
        for end in np.flatnonzero(np.isfinite(reached)).tolist():
            yield start, end, int(reached[end])


def main(out: Path, date: dt.date, archives: list[str]) -> None:
    trips, place_of = [], {}
    for number, name in enumerate(archives):
        path, _, other = name.partition("@")
        own = dt.date.fromisoformat(other) if other else date
        found, places = calls_of(Path(path), own, f"f{number}")
        trips += found
        place_of |= places
    stops = sorted(place_of)
    out.mkdir(parents=True, exist_ok=True)
    yesterday = f"{date - dt.timedelta(days=1):%Y%m%d}"
    write(
        out / "agency.txt",
        "agency_id,agency_name,agency_url,agency_timezone",
        [("A", "A", "https://example.org", "Etc/UTC")],
    )
    write(
        out / "calendar.txt",
        "service_id,monday,tuesday,wednesday,thursday,friday,saturday,sunday,start_date,end_date",
        [("S", *[1] * 7, yesterday, yesterday)],
    )
    write(
        out / "stops.txt",
        "stop_id,stop_name,stop_lat,stop_lon",
        [(stop, stop, *place_of[stop]) for stop in stops],
    )
    write(
        out / "routes.txt",
        "route_id,agency_id,route_short_name,route_long_name,route_type",
        [("R", "A", "R", "", 3)],
    )
    write(
        out / "trips.txt",
        "route_id,service_id,trip_id",
        [("R", "S", f"t{n}") for n in range(len(trips))],
    )
    write(
        out / "stop_times.txt",
        "trip_id,arrival_time,departure_time,stop_id,stop_sequence",
        (
            (f"t{n}", clock(arrival + DAY_MIN), clock(departure + DAY_MIN), stop, i)
            for n, trip in enumerate(trips)
            for i, (stop, arrival, departure) in enumerate(trip)
        ),
    )
    write(
        out / "transfers.txt",
        "from_stop_id,to_stop_id,transfer_type,min_transfer_time",
        (
            (stops[a], stops[b], 2, 60 * minutes)
            for a, b, minutes in walks_between([place_of[stop] for stop in stops])
        ),
    )
    rng = np.random.default_rng(SEED)
    asked_at = dt.datetime.combine(date, ASKED_AT).isoformat()
    write(
        out.with_suffix(".queries.csv"),
        "from_stop,to_stop,departure",
        (
            (*(stops[i] for i in rng.choice(len(stops), 2, replace=False)), asked_at)
            for _ in range(PAIRS)
        ),
    )
    print(f"{len(stops):,} stops, {len(trips):,} trips, {sum(map(len, trips)):,} stop times")


if __name__ == "__main__":
    main(Path(sys.argv[1]), dt.date.fromisoformat(sys.argv[2]), sys.argv[3:])
