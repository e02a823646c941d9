"""Build a snapshot from a territory file: feeds and streets in, arrays out, or nothing at all."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from carpool.meeting_points import place_sites, stop_sites, street_sites
from gtfs_data.calendar import date_of_day_number
from gtfs_data.carpool_places import read_carpool_places
from gtfs_data.checks import Findings, Severity
from gtfs_data.reader import read_feed
from gtfs_data.timetable import Timetable, build_timetable
from mobility.mapping.basemap import build_basemap
from mobility.snapshots import point_at
from mobility.territory import TerritoryFile
from payments.tariff import read_tariff
from routing.build import build_network
from routing.network import Network, save_network
from routing.places import build_places
from routing.street.graph import build_streets
from routing.street.osm import RawStreets, read_osm
from routing.street.rules import speeds_of_territory

Step = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class BuildResult:
    """A published snapshot and what was found on the way."""

    folder: Path
    findings: Findings
    counts: dict[str, int]


def build_territory(
    source: TerritoryFile, snapshots: Path, *, on_step: Step = lambda _: None
) -> BuildResult:
    """
    Compile a territory into a new snapshot and make it the current one.

    Raises
    ------
    MobilityError
        A source cannot be read. Nothing is published then, and nothing is left behind.
    """
    territory, findings = source.territory, Findings()
    feeds = []
    for feed in territory.feeds:
        on_step(f"feed {feed.id}")
        feeds.append(read_feed(source.path(feed.path), feed.id))
    on_step("timetable")
    timetable = build_timetable(feeds, findings)
    if territory.tariff is not None:
        read_tariff(source.path(territory.tariff))  # a bad one stops the build here
    raw, network = _network(source, timetable, findings, on_step)
    counts = _counts(network)
    about = _about(source, network, findings, counts)
    about["feeds"] = [
        {**described, "sha256": feed.sha256}
        for described, feed in zip(about["feeds"], feeds, strict=True)
    ]
    on_step("places, map and snapshot")
    name = f"{territory.id}-{_fingerprint(about)}"
    folder = snapshots / name
    if folder.exists():
        shutil.rmtree(folder)
    snapshots.mkdir(parents=True, exist_ok=True)

    def write_more(draft: Path) -> None:
        named = () if raw is None else raw.places
        counts["places"] = build_places(draft / "places", timetable, network.streets, named)
        if raw is not None:
            drawn = build_basemap(network.streets, raw)
            (draft / "basemap.geojson").write_bytes(orjson.dumps(drawn))
        for field in ("tariff", "riders"):
            path = getattr(territory, field)
            if path is not None:
                shutil.copy(source.path(path), draft / f"{field}{path.suffix}")

    save_network(network, folder, about, write_more)
    point_at(snapshots, folder)
    return BuildResult(folder, findings, counts)


def _network(
    source: TerritoryFile, timetable: Timetable, findings: Findings, on_step: Step
) -> tuple[RawStreets | None, Network]:
    """Tie the timetable to the extract's streets, or to straight lines where there is none."""
    territory = source.territory
    speeds = speeds_of_territory(territory.speeds)
    raw, streets, sites = None, None, []
    if territory.osm is None:
        message = "no OSM extract: walks are straight lines, and there are no rides and no bikes"
        findings.info("no_street_map", "TERRITORY.yaml", None, message)
    else:
        on_step("OSM extract")
        raw = read_osm(source.path(territory.osm.path))
        sites = stop_sites(timetable)
        if territory.carpool_places is not None:
            places = read_carpool_places(source.path(territory.carpool_places.path), findings)
            sites += place_sites(places)
        on_step("streets")
        streets = build_streets(raw, speeds)
        sites += street_sites(streets, raw.places, sites)
    network = build_network(
        timetable,
        streets,
        zone=source.zone,
        sites=sites,
        speeds=speeds,
        findings=findings,
        on_step=on_step,
    )
    return raw, network


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
        "built_at": dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
        "limits": territory.limits.model_dump(),
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
        "feeds": _feeds(network.timetable),
        "counts": counts,
        "findings": {str(s): findings.count(s) for s in Severity},
    }


def _feeds(t: Timetable) -> list[dict[str, Any]]:
    return [
        {
            "id": t.feed_id[i],
            "name": t.feed_publisher[i] or t.feed_id[i],
            "valid_from": date_of_day_number(int(t.feed_first_day[i])).isoformat(),
            "valid_to": date_of_day_number(max(int(t.feed_last_day[i]), 0)).isoformat(),
        }
        for i in range(len(t.feed_id))
    ]


def _fingerprint(about: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(about, sort_keys=True).encode()).hexdigest()[:12]
