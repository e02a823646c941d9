"""
May a wheelchair go there? Every leg of an answer against the raw feeds.

Reads the answer as a client does and the feeds as their authors wrote them; shares no code with
the planner. The checker returns sentences, one per violation.
"""

from __future__ import annotations

import csv
import io
import re
import zipfile
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

Json = Mapping[str, Any]
NO, YES = "2", "1"
STEPS = ("2", "4")
MAX_SLOPE = 0.083
MIN_WIDTH_M = 0.815


class WheelchairFeed:
    """What one feed says of wheelchairs."""

    def __init__(self, feed_id: str, path: Path) -> None:
        self.id = feed_id
        with zipfile.ZipFile(path) as archive:
            self.stops, self.trips, self.pathways = (
                {row[key]: row for row in _rows(archive, f"{table}.txt")}
                for table, key in (
                    ("stops", "stop_id"), ("trips", "trip_id"), ("pathways", "pathway_id")
                )
            )  # fmt: skip
        self.inside = {
            row[end] for row in self.pathways.values() for end in ("from_stop_id", "to_stop_id")
        }

    def boarding(self, stop_id: str) -> str:
        """wheelchair_boarding of a stop, or of what it belongs to."""
        row: Json | None = self.stops[stop_id]
        while row is not None and row.get("location_type") != "3":
            if row.get("wheelchair_boarding") in (YES, NO):
                return str(row["wheelchair_boarding"])
            row = self.stops.get(row.get("parent_station") or "")
        return (row or {}).get("wheelchair_boarding") or "0"


def _rows(archive: zipfile.ZipFile, name: str) -> Iterator[dict[str, str]]:
    if name in archive.namelist():
        text = archive.read(name).decode("utf-8-sig")
        for row in csv.DictReader(io.StringIO(text, newline=""), skipinitialspace=True):
            yield {k: (v or "").strip() for k, v in row.items() if k}


def check_wheelchair(
    itinerary: Json,
    feeds: Mapping[str, WheelchairFeed],
    *,
    unknown: bool,
    out: Collection[str] = (),
) -> list[str]:
    """What a wheelchair cannot do in an itinerary or, unless `unknown`, cannot count on."""
    found: list[str] = []
    for i, leg in enumerate(itinerary["legs"]):
        if leg["mode"] == "WALK":
            checks = _check_walk(leg, feeds, out)
        elif leg["mode"] == "RIDE_SHARING":
            checks = iter(() if unknown else ("a ride, of which nothing is known",))
        else:
            checks = _check_vehicle(leg, feeds, unknown=unknown)
        found += [f"leg {i} ({leg['mode']}): {text}" for text in checks]
    return found


def _check_vehicle(
    leg: Json, feeds: Mapping[str, WheelchairFeed], *, unknown: bool
) -> Iterator[str]:
    feed_id, _, trip_id = re.sub(r"^\d{8}_", "", leg["tripId"]).partition(":")
    feed = feeds[feed_id]
    trip = feed.trips.get(trip_id) or feed.trips[trip_id.rpartition("@")[0]]
    said = {f"trip {trip_id}": trip.get("wheelchair_accessible") or "0"}
    for side in ("from", "to"):
        stop = leg[side]["stopId"].partition(":")[2]
        said[f"stop {stop}"] = feed.boarding(stop)
    for what, code in said.items():
        if code == NO or (not unknown and code != YES):
            yield f"{what} is {'not for wheelchairs' if code == NO else 'unknown'}"
    level = "no" if NO in said.values() else "yes" if {YES} == set(said.values()) else "unknown"
    if leg["mobility"]["accessible"] != level:
        yield f"says {leg['mobility']['accessible']}, the feed says {said}"


def _check_walk(
    leg: Json, feeds: Mapping[str, WheelchairFeed], out: Collection[str]
) -> Iterator[str]:
    if leg["mobility"]["accessible"] == "no":
        yield "says itself that it is not step-free"
    if any(step["relativeDirection"] == "STAIRS" for step in leg.get("steps", ())):
        yield "leads over stairs"
    taken = leg["mobility"].get("pathways", [])
    for pathway in taken:
        feed_id, _, own = pathway["id"].partition(":")
        feed, row = feeds[feed_id], feeds[feed_id].pathways[own]
        if row["pathway_mode"] in STEPS:
            yield f"pathway {own} has steps"
        if abs(float(row.get("max_slope") or 0)) > MAX_SLOPE:
            yield f"pathway {own} is too steep"
        if float(row.get("min_width") or 9) < MIN_WIDTH_M:
            yield f"pathway {own} is too narrow"
        for end in ("from_stop_id", "to_stop_id"):
            if feed.boarding(row[end]) == NO:
                yield f"pathway {own} touches {row[end]}, which is marked no"
        if pathway["id"] in out:
            yield f"elevator {own} is out of service"
    for side, pathway in (("from", taken[:1]), ("to", taken[-1:])):
        feed_id, _, stop = leg[side].get("stopId", "").partition(":")
        if feed_id in feeds and stop in feeds[feed_id].inside:
            ends = [feeds[feed_id].pathways[p["id"].partition(":")[2]] for p in pathway]
            if not any(stop in (row["from_stop_id"], row["to_stop_id"]) for row in ends):
                yield f"no pathway leads {side} {stop}"
