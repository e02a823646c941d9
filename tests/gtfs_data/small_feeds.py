"""Small feeds as text: a good one, and the same with some tables replaced."""

from __future__ import annotations

import inspect
import zipfile
from typing import TYPE_CHECKING

from gtfs_data.build import build_timetable
from gtfs_data.checks import Findings
from gtfs_data.reader import Feed, read_feed
from gtfs_data.timetable import Timetable

if TYPE_CHECKING:
    from pathlib import Path

GOOD = {
    "agency": """
        agency_id,agency_name,agency_url,agency_timezone
        A,Agence,https://agence.example,Europe/Paris
    """,
    "stops": """
        stop_id,stop_name,stop_lat,stop_lon,location_type,parent_station
        S1,Mairie,43.60,3.90,0,
        S2,Gare,43.61,3.90,0,
        S3,Lycée,43.63,3.90,0,
    """,
    "routes": """
        route_id,agency_id,route_short_name,route_type
        R,A,L1,3
    """,
    "trips": """
        trip_id,route_id,service_id
        T1,R,C
        T2,R,C
    """,
    "stop_times": """
        trip_id,stop_id,stop_sequence,arrival_time,departure_time
        T1,S1,1,07:00:00,07:00:00
        T1,S2,2,07:10:00,07:11:00
        T1,S3,3,07:25:00,07:25:00
        T2,S1,1,07:30:00,07:30:00
        T2,S2,2,07:40:00,07:41:00
        T2,S3,3,07:55:00,07:55:00
    """,
    "calendar": """
        service_id,monday,tuesday,wednesday,thursday,friday,saturday,sunday,start_date,end_date
        C,1,1,1,1,1,1,1,20261101,20261130
    """,
}

Table = str | bytes | None


def table_bytes(table: str | bytes) -> bytes:
    """Bytes of a table written in a test; text loses its indentation."""
    return table if isinstance(table, bytes) else (inspect.cleandoc(table) + "\n").encode()


def zip_feed(path: Path, *, folder: str = "", **changes: Table) -> Path:
    """Write the good feed with tables replaced, added or (None) taken away."""
    tables = {**GOOD, **changes}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, table in tables.items():
            if table is not None:
                archive.writestr(f"{folder}{name}.txt", table_bytes(table))
    return path


def small_feed(folder: Path, feed_id: str = "f", **changes: Table) -> Feed:
    """Read the good feed with tables replaced."""
    return read_feed(zip_feed(folder / f"{feed_id}.zip", **changes), feed_id)


def small_timetable(folder: Path, **changes: Table) -> tuple[Timetable, Findings]:
    """Timetable of the good feed with tables replaced."""
    findings = Findings()
    return build_timetable([small_feed(folder, **changes)], findings), findings


def told(findings: Findings) -> list[tuple[str, str, int | None]]:
    """Rule, file and row of every finding, sorted."""
    return sorted(((f.rule, f.file, f.row) for f in findings), key=str)


def clock(seconds: int) -> str:
    """Seconds of the service day as HH:MM:SS."""
    return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"


def trip_lines(timetable: Timetable) -> list[str]:
    """One line a trip: its id, then stop, arrival and departure of each call."""
    lines = []
    for trip in range(len(timetable.trip_id)):
        pattern = int(timetable.trip_pattern[trip])
        first_stop = int(timetable.pattern_first_stop[pattern])
        a, b = (int(timetable.trip_first_event[trip + i]) for i in (0, 1))
        calls = []
        for event in range(a, b):
            stop = timetable.stop_id[timetable.pattern_stop[first_stop + event - a]]
            arrival = clock(int(timetable.event_arrival_s[event]))
            departure = clock(int(timetable.event_departure_s[event]))
            calls.append(f"{stop} {arrival}" + (f"/{departure}" if departure != arrival else ""))
        lines.append(f"{timetable.trip_id[trip]}: " + ", ".join(calls))
    return lines
