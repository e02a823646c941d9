"""
Network: timetable, streets and meeting points of one territory, ready to be searched.

`routing.build` makes one, slowly and offline; `open_network` maps a snapshot and is what a notebook
calls.
Search nodes are numbered stops first (0 … S-1), then meeting points (S … S+P-1).
"""

from __future__ import annotations

import datetime as dt
import threading
from functools import cached_property
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

from core.geo import Coordinate
from core.remember import Remembered
from core.time import get_zone
from gtfs_data.rolling import DayTimetable, mirrored, roll_days
from gtfs_data.store import (
    Texts,
    from_arrays,
    frozen,
    open_arrays,
    read_manifest,
    to_arrays,
    write_snapshot,
)
from gtfs_data.timetable import Timetable
from routing.bounds import Bounds, CoarseBounds, coarse_bounds
from routing.street.access import EdgeGrid, Snapped, StreetRoute, at_node, find_route, snap, ties
from routing.street.drive import DriveTimes
from routing.street.graph import (
    PROFILES,
    Streets,
)
from routing.street.kernels import (
    NO_ACCESS,
    Arcs,
    Arena,
    Walks,
    new_arena,
    places_within,
    search_within,
)
from routing.street.rules import Speeds
from routing.street.straight import anywhere, straight_route, straight_seconds

DAYS_KEPT = 8
"""Rolled days kept per process: a few searched dates, about 10 MB each on a city."""
CHANGES_KEPT = 8
MINIMUM_TIME = 2
"""transfer_type of transfers.txt."""
Int32 = npt.NDArray[np.int32]

MEETING_POINT = "carpool:"
"""Begins the public id of a meeting point, as a feed's id begins that of a stop."""


@dataclass(frozen=True, slots=True)
class MeetingPoints:
    """Where drivers let riders in and out: a node for the car, a node for the person."""

    id: Texts
    name: Texts
    kind: Texts
    lat: npt.NDArray[np.float64]
    lon: npt.NDArray[np.float64]
    """Where the car stops."""
    car_node: Int32
    foot_node: Int32
    foot_link_s: Int32


@dataclass(frozen=True, slots=True)
class Ground:
    """Everything compiled from streets: arcs by profile, walks, drive matrix."""

    foot: Arcs
    bike: Arcs
    car: Arcs
    car_order: Int32
    stop_node: Int32
    """Foot node of each stop, or -1."""
    stop_away_m: npt.NDArray[np.float64]
    walks: Walks
    """Stop to stop."""
    walks_back: Walks
    point_walks: Walks
    """Between stops and meeting points, and stop to stop as in `walks`."""
    point_walks_back: Walks
    drive_s: npt.NDArray[np.uint16]
    """Shape (P, P): from row to column."""
    drive_back_s: npt.NDArray[np.uint16]


class Network:
    """One opened territory: immutable arrays, and per-thread scratch to search them."""

    def __init__(
        self,
        *,
        zone: ZoneInfo,
        timetable: Timetable,
        streets: Streets,
        grid: EdgeGrid,
        points: MeetingPoints,
        ground: Ground,
        bounds: Bounds,
        speeds: Speeds,
    ) -> None:
        for part in (timetable, streets, grid, points, ground, bounds):
            for array in to_arrays(part, "").values():
                frozen(array)  # so that kernels compile once, for built and opened ones alike
        self.zone = zone
        self.timetable = timetable
        self.streets = streets
        self.grid = grid
        self.points = points
        self.ground = ground
        self.bounds = bounds
        self.speeds = speeds
        self.arcs = {"foot": ground.foot, "bike": ground.bike, "car": ground.car}
        self.usable = {profile: frozen(usable_edges(streets, profile)) for profile in PROFILES}
        self.first_at_node, self.at_node = (frozen(a) for a in self._places_at_nodes())
        self.links_s = frozen(link_seconds(ground.stop_away_m, points.foot_link_s, speeds))
        self.drive = DriveTimes(ground.car, ground.car_order)
        self.stop_row = {stop: i for i, stop in enumerate(timetable.stop_id)}
        self.point_row = {point: i for i, point in enumerate(points.id)}
        self._scratch = threading.local()
        self._days = Remembered(self._roll, DAYS_KEPT)
        self._changes = Remembered(self._change_times, CHANGES_KEPT)

    @cached_property
    def coarse(self) -> CoarseBounds:
        """Least times between parts of the territory, in vehicles and by car."""
        t, points = self.timetable, self.points
        return coarse_bounds(
            self.bounds, t.stop_lat, t.stop_lon, points.lat, points.lon, self.ground.drive_s
        )

    @property
    def stop_count(self) -> int:
        """S: search nodes below are stops."""
        return self.timetable.stop_count

    @property
    def node_count(self) -> int:
        """S + P: stops and meeting points."""
        return self.stop_count + len(self.points.lat)

    @property
    def has_streets(self) -> bool:
        """False in a territory without a street map, where walks are straight lines."""
        return len(self.streets.edge_from) > 0

    def arena(self) -> Arena:
        """Street scratch of the calling thread."""
        arena: Arena | None = getattr(self._scratch, "arena", None)
        if arena is None:
            arcs = max(len(self.arcs[profile].head) for profile in PROFILES)
            arena = self._scratch.arena = new_arena(self.streets.node_count, arcs)
        return arena

    def day(self, date: dt.date) -> tuple[DayTimetable, DayTimetable]:
        """Rolled timetable of a date and its mirror for searching backward; the last are kept."""
        return self._days(date)

    @property
    def dates_ready(self) -> tuple[dt.date, ...]:
        """Dates that are rolled out already."""
        return self._days.keys

    def change_times(self, change_s: int, carpool_change_s: int) -> Int32:
        """
        Shape (node_count,): seconds between vehicles at each node; the last few are kept.

        `change_s` is the least at a stop where transfers.txt asks for nothing longer.
        """
        return self._changes((change_s, carpool_change_s))

    def _change_times(self, least_s: tuple[int, int]) -> Int32:
        change_s = np.full(self.node_count, least_s[0], np.int32)
        change_s[self.stop_count :] = least_s[1]
        t = self.timetable
        same = (t.transfer_from == t.transfer_to) & (t.transfer_type == MINIMUM_TIME)
        np.maximum.at(change_s, t.transfer_from[same], t.transfer_min_s[same])
        frozen(change_s)
        return change_s

    def _roll(self, date: dt.date) -> tuple[DayTimetable, DayTimetable]:
        day = roll_days(self.timetable, date, self.zone)
        return day, mirrored(day)

    def place_at_stop(self, stop: int) -> Snapped | None:
        """A stop on the streets, or None when no footway is near."""
        node = int(self.ground.stop_node[stop])
        t = self.timetable
        place = Coordinate(float(t.stop_lat[stop]), float(t.stop_lon[stop]))
        return None if node < 0 else at_node(place, node, float(self.ground.stop_away_m[stop]))

    def place_at_point(self, point: int, *, car: bool) -> Snapped:
        """A meeting point on the streets, on its car's or on its person's side."""
        place = Coordinate(float(self.points.lat[point]), float(self.points.lon[point]))
        if car:
            return at_node(place, int(self.points.car_node[point]), 0.0)
        away_m = float(self.points.foot_link_s[point]) * self.speeds.foot_mps
        return at_node(place, int(self.points.foot_node[point]), away_m)

    def find_snapped(self, profile: str, place: Coordinate, limit_m: float) -> Snapped | None:
        """Nearest usable street to a place; without streets one walks from anywhere."""
        if profile == "foot" and not self.has_streets:
            return anywhere(place)
        return snap(self.grid, self.usable[profile], place, limit_m)

    def find_route(
        self, profile: str, start: Snapped, end: Snapped, limit_s: int
    ) -> StreetRoute | None:
        """Fastest way from place to place, or None when it takes longer than `limit_s`."""
        if not self.has_streets:
            route = straight_route(start.coordinate, end.coordinate, self.speeds.foot_mps)
            return route if profile == "foot" and route.seconds <= limit_s else None
        return find_route(
            self.streets,
            self.arcs[profile],
            self.arena(),
            profile,
            start,
            end,
            limit_s=limit_s,
            off_street_mps=self.speeds.foot_mps,
        )

    def walks_from(self, at: Snapped, limit_s: int) -> tuple[Int32, Int32]:
        """Stops and meeting points (search nodes) within a walk of a place, and its seconds."""
        if not self.has_streets:
            lat, lon = self.timetable.stop_lat, self.timetable.stop_lon
            stop = np.flatnonzero(self.ground.stop_node >= 0).astype(np.int32)
            place = at.coordinate
            walk_s = straight_seconds(
                place.lat, place.lon, lat[stop], lon[stop], self.speeds.foot_mps
            )
            return stop[walk_s <= limit_s], walk_s[walk_s <= limit_s]
        tied = ties(self.streets, "foot", at, leaving=True, off_street_mps=self.speeds.foot_mps)
        arena = self.arena()
        settled = search_within(self.arcs["foot"], tied.node, tied.seconds, limit_s, -1, arena)
        node = np.empty(self.node_count, np.int32)
        reach_s = np.empty(self.node_count, np.int32)
        count = places_within(
            arena, settled, self.first_at_node, self.at_node, self.links_s, limit_s, node, reach_s
        )
        return node[:count], reach_s[:count]

    def _places_at_nodes(self) -> tuple[Int32, Int32]:
        nodes = np.r_[self.ground.stop_node, self.points.foot_node]
        return places_at_nodes(nodes, self.streets.node_count)


def link_seconds(
    stop_away_m: npt.NDArray[np.float64], point_link_s: Int32, speeds: Speeds
) -> Int32:
    """Shape (S + P,): seconds between each search node and its foot node."""
    stop_s = np.rint(np.nan_to_num(stop_away_m) / speeds.foot_mps)
    links_s: Int32 = np.r_[stop_s, point_link_s].astype(np.int32)
    return links_s


def places_at_nodes(nodes: Int32, node_count: int) -> tuple[Int32, Int32]:
    """CSR street node → search nodes that stand there."""
    placed = np.flatnonzero(nodes >= 0)
    order = placed[np.argsort(nodes[placed], kind="stable")]
    first = np.r_[0, np.cumsum(np.bincount(nodes[order], minlength=node_count))]
    return first.astype(np.int32), order.astype(np.int32)


def usable_edges(streets: Streets, profile: str) -> npt.NDArray[np.uint8]:
    """Shape (edge_count,): 1 where a profile may go in some direction."""
    forward, backward = (streets.seconds(profile, d) for d in ("forward", "backward"))
    usable: npt.NDArray[np.uint8] = ((forward != NO_ACCESS) | (backward != NO_ACCESS)).astype(
        np.uint8
    )
    return usable


PARTS = ("timetable", "streets", "grid", "points", "ground", "bounds")


def save_network(
    network: Network,
    folder: Path,
    about: Mapping[str, Any],
    write_more: Callable[[Path], None] = lambda _: None,
) -> None:
    """Write a network as a snapshot; `write_more` adds files that are no arrays."""
    arrays: dict[str, npt.NDArray[Any]] = {}
    for part in PARTS:
        arrays |= to_arrays(getattr(network, part), part)
    speeds = network.speeds
    details = {name: getattr(speeds, name) for name in speeds.__slots__}
    about = {**about, "timezone": network.zone.key, "speeds": details}
    write_snapshot(folder, arrays, about, write_more)


def open_network(folder: Path) -> Network:
    """
    Open a snapshot: maps its arrays and starts in well under a second.

    Raises
    ------
    SnapshotInvalid
        No snapshot there, or one of another version.
    """
    manifest = read_manifest(folder)
    arrays = open_arrays(folder, manifest)
    return Network(
        zone=get_zone(manifest["timezone"]),
        timetable=from_arrays(Timetable, arrays, "timetable"),
        streets=from_arrays(Streets, arrays, "streets"),
        grid=from_arrays(EdgeGrid, arrays, "grid"),
        points=from_arrays(MeetingPoints, arrays, "points"),
        ground=_open_ground(arrays),
        bounds=from_arrays(Bounds, arrays, "bounds"),
        speeds=Speeds(**manifest["speeds"]),
    )


def _open_ground(arrays: Mapping[str, npt.NDArray[Any]]) -> Ground:
    structs = {
        **dict.fromkeys(("foot", "bike", "car"), Arcs),
        **dict.fromkeys(("walks", "walks_back", "point_walks", "point_walks_back"), Walks),
    }
    parts: dict[str, Any] = {
        name: from_arrays(kind, arrays, f"ground.{name}") for name, kind in structs.items()
    }
    for name in Ground.__slots__:
        if name not in parts:
            parts[name] = arrays[f"ground.{name}"]
    return Ground(**parts)
