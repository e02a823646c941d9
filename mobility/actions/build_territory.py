"""Build a snapshot from a territory file: feeds and streets in, arrays out, or nothing at all."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gtfs_data.build import build_timetable
from gtfs_data.checks import Findings, Severity
from gtfs_data.days import date_of_day_number
from gtfs_data.kept import keep_tables
from gtfs_data.reader import Feed, read_feed
from gtfs_data.store import SnapshotInvalid, read_manifest
from gtfs_data.timetable import Timetable
from mobility.actions.build_ground import build_ground, write_named_places
from mobility.actions.draw_basemap import BASEMAP, OSM_CREDIT, BasemapDrawing
from mobility.service_drop import check_service, service_of_feeds
from mobility.snapshots import current_snapshot, point_at, prune
from mobility.territory import FeedSource, TerritoryFile
from payments.tariff_file import read_tariff
from routing.network import Network, save_network
from routing.places import build_places

Step = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class BuildResult:
    """A published snapshot and what was found on the way."""

    folder: Path
    findings: Findings
    counts: dict[str, int]


def build_territory(
    source: TerritoryFile,
    snapshots: Path,
    *,
    allow_drop: bool = False,
    on_step: Step = lambda _: None,
) -> BuildResult:
    """
    Compile a territory into a new snapshot and make it the current one.

    Raises
    ------
    ServiceDropped
        Far fewer trips than in the current snapshot, and `allow_drop` was not given.
    MobilityError
        A source cannot be read. Nothing is published then, and nothing is left behind.
    """
    territory, findings = source.territory, Findings()
    feeds = []

    def read(feed: FeedSource) -> Feed:
        on_step(f"feed {feed.id}")
        whole = read_feed(source.path(feed.path), feed.id)
        feeds.append(whole.without_tables())
        return whole

    timetable = build_timetable(map(read, territory.feeds), findings)
    source.check_files()
    if territory.tariff is not None:
        read_tariff(source.path(territory.tariff))  # a bad one stops the build here
    described = _feeds(timetable, feeds)
    last = _last_snapshot(snapshots, territory.id)
    if last is not None and not allow_drop:
        today = dt.datetime.now(source.zone).date()
        check_service(read_manifest(last), {"feeds": described}, today)
    credit = "" if territory.generated else OSM_CREDIT
    with BasemapDrawing(snapshots, territory.name, credit, findings) as drawing:
        ground = build_ground(
            source, timetable, findings, last=last, draw=drawing.start, on_step=on_step
        )
        network = ground.network
        counts = _counts(network)
        about = _about(source, network, findings, counts)
        about |= {"feeds": described, "ground_key": ground.key}
        on_step("places, map and snapshot")
        folder = snapshots / f"{territory.id}-{_fingerprint(about)}"
        snapshots.mkdir(parents=True, exist_ok=True)

        def write_more(draft: Path) -> None:
            named = ground.named
            counts["places"] = build_places(
                draft / "places", timetable, network.streets, network.points, named
            )
            write_named_places(draft, named)
            if ground.taken_from is not None and (ground.taken_from / BASEMAP).is_file():
                shutil.copy(ground.taken_from / BASEMAP, draft / BASEMAP)
            drawing.finish(draft)
            for field in ("tariff", "riders"):
                path = getattr(territory, field)
                if path is not None:
                    shutil.copy(source.path(path), draft / f"{field}{path.suffix}")
            for read, given in zip(feeds, territory.feeds, strict=True):
                keep_tables(read, source.path(given.path), draft, findings)
            about["findings"].update({str(s): findings.count(s) for s in Severity})

        save_network(network, folder, about, write_more)
    point_at(snapshots, folder)
    prune(snapshots)
    return BuildResult(folder, findings, counts)


def _last_snapshot(snapshots: Path, territory_id: str) -> Path | None:
    """Give the snapshot that is served, when it can be read and is of this territory."""
    try:
        folder = current_snapshot(snapshots)
        return folder if read_manifest(folder)["id"] == territory_id else None
    except SnapshotInvalid:
        return None


def _counts(network: Network) -> dict[str, int]:
    t = network.timetable
    return {
        "feeds": len(t.feed_id),
        "stops": t.stop_count,
        "routes": len(t.route_type),
        "trips": len(t.trip_service),
        "stop_times": len(t.event_arrival_s),
        "street_nodes": network.streets.node_count,
        "street_edges": len(network.streets.edge_from),
        "walks": len(network.ground.walks.to),
        "meeting_points": len(network.points.lat),
    }


def _about(
    source: TerritoryFile, network: Network, findings: Findings, counts: dict[str, int]
) -> dict[str, Any]:
    territory, streets = source.territory, network.streets
    described = territory.model_dump(mode="json", include={"id", "name", "generated", "languages"})
    centre = territory.centre
    return {
        **described,
        "built_at": dt.datetime.now(dt.UTC).isoformat(timespec="milliseconds"),
        "limits": territory.limits.model_dump(),
        "driving_costs": territory.driving_costs.model_dump(mode="json"),
        "attributions": [a.model_dump() for a in territory.attributions],
        "centre": {
            "lat": centre.lat if centre else float(streets.node_lat.mean()),
            "lon": centre.lon if centre else float(streets.node_lon.mean()),
        },
        "bbox": [
            float(streets.node_lon.min()),
            float(streets.node_lat.min()),
            float(streets.node_lon.max()),
            float(streets.node_lat.max()),
        ],
        "streets": network.has_streets,
        "counts": counts,
        "findings": {str(s): findings.count(s) for s in Severity},
    }


def _feeds(t: Timetable, feeds: Sequence[Feed]) -> list[dict[str, Any]]:
    services = service_of_feeds(t)
    return [
        {
            "id": t.feed_id[i],
            "name": t.feed_publisher[i] or t.feed_id[i],
            "valid_from": date_of_day_number(int(t.feed_first_day[i])).isoformat(),
            "valid_to": date_of_day_number(max(int(t.feed_last_day[i]), 0)).isoformat(),
            "sha256": feed.sha256,
            "service": services[i],
        }
        for i, feed in enumerate(feeds)
    ]


def _fingerprint(about: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(about, sort_keys=True).encode()).hexdigest()[:12]
