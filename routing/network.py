"""
Network: timetable, streets and meeting points of one territory, ready to be searched.

`routing.build` makes one, slowly and offline; `open_network` maps a snapshot and is what a notebook
calls.
Search nodes are numbered stops first (0 … S-1), then meeting points (S … S+P-1).
"""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

from core.geo import Coordinate
from core.remember import Remembered
from core.time import get_zone
from gtfs_data.rolling import DayTimetable, mirrored, roll_days, without_throughs
from gtfs_data.store import (
    Texts,
    from_arrays,
    frozen,
    open_arrays,
    read_manifest,
    to_arrays,
    write_snapshot,
)
from gtfs_data.timetable import Timetable, pattern_metres
from routing.bounds import Bounds
from routing.layers import Layers
from routing.street.access import EdgeGrid, Snapped, StreetRoute, at_node, find_route, snap, ties
from routing.street.drive import DriveTimes
from routing.street.graph import (
    PROFILES,
    Streets,
    profile_arcs,
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
from routing.terrain import WHOLE, Conditions, Terrain, allowed_day
from routing.walks import Links, at_pace, turned

DAYS_KEPT = 8
"""Rolled days kept per process: a few searched dates, about 10 MB each on a city."""
TERRAINS_KEPT = 12
"""Conditions on dates whose searches are prepared: small unless lines or stops are avoided."""
PACES_KEPT = 4
LAYERS_KEPT = 2
"""With vias: times in every layer, 30 MB each on a city."""
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
        self.route_row = {route: i for i, route in enumerate(timetable.route_id)}
        self.point_row = {point: i for i, point in enumerate(points.id)}
        self._scratch = threading.local()
        self._days = Remembered(self._roll, DAYS_KEPT)
        self._arcs_back = Remembered(self._turned_arcs, len(PROFILES))
        self._paces = Remembered(self._at_pace, PACES_KEPT)
        self._terrains = Remembered(self._terrain, TERRAINS_KEPT)
        self._layers = Remembered(self._laid_in_layers, LAYERS_KEPT)

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

    def terrain(self, date: dt.date, conditions: Conditions) -> Terrain:
        """What a search on a date reads, under conditions without vias; the last are kept."""
        return self._terrains((date, conditions))

    def layers(self, date: dt.date, conditions: Conditions) -> Layers:
        """The same with via stops; the last are kept."""
        return self._layers((date, conditions))

    def _terrain(self, key: tuple[dt.date, Conditions]) -> Terrain:
        date, conditions = key
        day, day_back = self.day(date)
        t, factor = self.timetable, conditions.walk_factor
        return Terrain(
            allowed_day(t, day, conditions, turned=False),
            allowed_day(t, day_back, conditions, turned=True),
            *(self._walks if factor == 1 else self._paces(factor)),
            change_s=self._change_times(conditions),
            cell=self.bounds.cell,
            onward_256=WHOLE if factor >= 1 else int(WHOLE * factor),
        )

    def _laid_in_layers(self, key: tuple[dt.date, Conditions]) -> Layers:
        date, conditions = key
        terrain = self.terrain(date, replace(conditions, vias=()))
        # Where nobody gains by staying aboard, a vehicle that passes a via is not looked at.
        own = terrain._replace(day=without_throughs(self.timetable, terrain.day))
        return Layers(own, conditions.vias)

    @property
    def _walks(self) -> tuple[Walks, Walks, Walks, Walks]:
        ground = self.ground
        return ground.walks, ground.walks_back, ground.point_walks, ground.point_walks_back

    def _at_pace(self, factor: float) -> tuple[Walks, Walks, Walks, Walks]:
        """Walks that take `factor` times the seconds."""
        t = self.timetable
        ruled = (t.transfer_from != t.transfer_to) & (t.transfer_type == MINIMUM_TIME)
        least = Links(t.transfer_from, t.transfer_to, t.transfer_min_s).where(ruled)
        walks = at_pace(self.ground.walks, factor, least)
        point_walks = at_pace(self.ground.point_walks, factor, least)
        return walks, turned(walks), point_walks, turned(point_walks)

    def _change_times(self, conditions: Conditions) -> Int32:
        """
        Shape (node_count,): seconds between vehicles at each node.

        The conditions' is the least at a stop where transfers.txt asks for nothing longer.
        """
        change_s = np.full(self.node_count, conditions.change_s, np.int32)
        change_s[self.stop_count :] = conditions.carpool_change_s
        t = self.timetable
        same = (t.transfer_from == t.transfer_to) & (t.transfer_type == MINIMUM_TIME)
        np.maximum.at(change_s, t.transfer_from[same], t.transfer_min_s[same])
        return frozen(change_s)

    def _roll(self, date: dt.date) -> tuple[DayTimetable, DayTimetable]:
        day = roll_days(self.timetable, date, self.zone)
        return day, mirrored(day)

    @cached_property
    def pattern_metres(self) -> Int32:
        """Shape (row_count,): metres along each pattern from its first stop to every other."""
        return frozen(pattern_metres(self.timetable))

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

    def walks_from(
        self, at: Snapped, limit_s: int, profile: str = "foot", *, leaving: bool = True
    ) -> tuple[Int32, Int32]:
        """
        Stops and meeting points (search nodes) within reach of a place, and the seconds.

        `leaving` False asks for the way from them to the place: one-way streets matter to bikes.
        """
        if not self.has_streets:
            lat, lon = self.timetable.stop_lat, self.timetable.stop_lon
            stop = np.flatnonzero(self.ground.stop_node >= 0).astype(np.int32)
            place = at.coordinate
            walk_s = straight_seconds(
                place.lat, place.lon, lat[stop], lon[stop], self.speeds.foot_mps
            )
            return stop[walk_s <= limit_s], walk_s[walk_s <= limit_s]
        tied = ties(self.streets, profile, at, leaving=leaving, off_street_mps=self.speeds.foot_mps)
        arena = self.arena()
        arcs = self.arcs[profile] if leaving else self._arcs_back(profile)
        settled = search_within(arcs, tied.node, tied.seconds, limit_s, -1, arena)
        node = np.empty(self.node_count, np.int32)
        reach_s = np.empty(self.node_count, np.int32)
        count = places_within(
            arena, settled, self.first_at_node, self.at_node, self.links_s, limit_s, node, reach_s
        )
        return node[:count], reach_s[:count]

    def _turned_arcs(self, profile: str) -> Arcs:
        return Arcs(*(frozen(a) for a in profile_arcs(self.streets, profile, reverse=True)))

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
