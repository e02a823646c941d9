"""Look at one feed without building anything: what it holds, when it runs, what is wrong in it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from gtfs_data.checks import Findings
from gtfs_data.reader import read_feed
from gtfs_data.timetable import build_timetable
from mobility.service_drop import FeedService, service_of_feeds

FEED = "feed"
"""Id of the feed while it is looked at; file names in findings begin with it."""


@dataclass(frozen=True, slots=True)
class FeedReport:
    """What a publisher, or who is about to build with the feed, wants to know."""

    file: str
    sha256: str
    agencies: tuple[str, ...]
    zone: str
    counts: dict[str, int]
    service: FeedService
    stop_lat: npt.NDArray[np.float64]
    stop_lon: npt.NDArray[np.float64]
    """Shape (stop_count,), NaN where a stop has no place."""
    findings: Findings


def check_feed(path: Path) -> FeedReport:
    """Read a feed as a build does; raises `UnreadableFeed` when it cannot be read at all."""
    findings = Findings()
    feed = read_feed(path, FEED)
    timetable = build_timetable([feed], findings)
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
        service=service,
        stop_lat=timetable.stop_lat,
        stop_lon=timetable.stop_lon,
        findings=findings,
    )
