"""Look at one feed without building anything: what it holds, when it runs, what is wrong in it."""

from __future__ import annotations

import datetime as dt
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from gtfs_data.build import build_timetable
from gtfs_data.checks import Findings
from gtfs_data.kept import keep_tables, read_kept
from gtfs_data.plausible import check_plausible, check_validity
from gtfs_data.reader import COLUMNS, read_feed
from mobility.service_drop import FeedService, service_of_feeds

FEED = "feed"
"""Id of the feed while it is looked at; file names in findings begin with it."""
COUNTED = ("frequencies", "transfers")
"""Tables of the search that most feeds have not: counted beside the kept ones."""


@dataclass(frozen=True, slots=True)
class FeedReport:
    """What a publisher, or who is about to build with the feed, wants to know."""

    file: str
    sha256: str
    agencies: tuple[str, ...]
    zone: str
    counts: dict[str, int]
    """Of the compiled timetable: runs of a frequency are trips here."""
    more: dict[str, int]
    """Rows of the feed's further tables: fares, pathways, flexible services …"""
    service: FeedService
    stop_lat: npt.NDArray[np.float64]
    stop_lon: npt.NDArray[np.float64]
    """Shape (stop_count,), NaN where a stop has no place."""
    findings: Findings


def check_feed(path: Path, *, today: dt.date) -> FeedReport:
    """
    Read a feed as a build does, and ask whether it is plausible and still valid.

    Raises
    ------
    UnreadableFeed
        It cannot be read at all.
    """
    findings, doubts = Findings(), Findings()
    feed = read_feed(path, FEED)
    timetable = build_timetable([feed], findings)
    with tempfile.TemporaryDirectory(prefix="mobility-check-") as folder:
        kept = keep_tables(feed, path, Path(folder), findings)
        on_demand = read_kept(Path(folder), FEED, "location_group_stops")["stop_id"]
    check_plausible(feed, timetable, on_demand, doubts)
    check_validity(feed, timetable, today, doubts)
    findings.extend(doubts, prefix=f"{FEED}/")
    more = {name: len(feed.table(name)) for name in COUNTED} | {
        name: count for name, count in kept.items() if name not in COLUMNS
    }
    (service,) = service_of_feeds(timetable)
    return FeedReport(
        file=path.name,
        sha256=feed.sha256,
        agencies=tuple(timetable.agency_name),
        zone=timetable.feed_zone[0],
        counts={
            "stops": timetable.stop_count,
            "routes": len(timetable.route_type),
            "trips": len(timetable.trip_service),
            "stop_times": len(timetable.event_arrival_s),
        },
        more={name: count for name, count in more.items() if count},
        service=service,
        stop_lat=timetable.stop_lat,
        stop_lon=timetable.stop_lon,
        findings=findings,
    )
