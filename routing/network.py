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
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

from core.geo import Coordinate
from core.remember import Remembered
from core.time import get_zone
from gtfs_data.days import date_of_day_number
from gtfs_data.rolling import DayTimetable, mirrored, only_trips, roll_days, without_throughs
from gtfs_data.store import (
    from_arrays,
    frozen,
    open_arrays,
    read_manifest,
    to_arrays,
    write_snapshot,
)
from gtfs_data.timetable import NONE, Timetable, pattern_metres
from routing.bounds import Bounds, CoarseBounds, coarse_bounds
from routing.doors import Door, find_spot, make_door
from routing.ground import Ground, MeetingPoints, usable_edges
from routing.layers import Layers
from routing.leg_places import LegPlaces
from routing.links import Links, at_pace, turned
from routing.stations import Stations, list_elevators
from routing.straight_ways import find_straight_way
from routing.street.access import EdgeGrid, Snapped, StreetRoute, at_node, find_route, snap, ties
from routing.street.drive import DriveTimes
from routing.street.graph import (
    PROFILES,
    Streets,
    profile_arcs,
)
from routing.street.kernels import (
    Arcs,
    Arena,
    Walks,
    new_arena,
)
from routing.street.rules import Speeds
from routing.street.step_free import StepFree
from routing.street.straight import anywhere
from routing.terrain import WHOLE, Conditions, Terrain, allowed_day
from routing.walks import (
    MINIMUM_TIME,
    Walking,
    around,
    link_seconds,
    reached,
    settle,
    standing_at,
    wheel_speed,
)

DAYS_KEPT = 8
"""Rolled days kept per process: a few searched dates, about 10 MB each on a city."""
LEAST_DAYS_KEPT = 2
"""Today and tomorrow, however large: a rolled day takes a second or more there."""
DAYS_KEPT_BYTES = 500_000_000
DAY_BYTES_PER_EVENT = 48
"""Of three days, turned both ways, when every trip runs."""
TERRAINS_KEPT = 12
"""Conditions on dates whose searches are prepared: small unless lines or stops are avoided."""
PACES_KEPT = 4
LAYERS_KEPT = 2
"""With vias: times in every layer, 30 MB each on a city."""
DOORS_KEPT = 64
"""Of those who ask just now, and of the rides in which they sit: 30 KB each on a city."""
WALKINGS_KEPT = 4
"""Profiles with elevators out of service: two profiles, now and a moment ago."""
Int32 = npt.NDArray[np.int32]

ON_FOOT = ("foot", "wheelchair")
"""Profiles of those who walk or roll."""
MEETING_POINT = "carpool:"
"""Begins the public id of a meeting point, as a feed's id begins that of a stop."""


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
        self.stations = ground.stations
        self.speeds = speeds
        self.arcs = {profile: getattr(ground, profile) for profile in PROFILES}
        street_edges = int(ground.stations.first_edge[0])
        self.usable = {
            profile: frozen(usable_edges(streets, profile, street_edges)) for profile in PROFILES
        }
        nodes = np.r_[ground.stop_node, points.foot_node]
        self.standing = standing_at(
            nodes, streets, ground.stations.open_node, straight=not self.has_streets
        )
        self.wheelchair_boarding = frozen(timetable.wheelchair_boarding)
        self.elevators = list_elevators(timetable, streets, ground.stations)
        self.elevator_at = {e: name for name, own in self.elevators.items() for e in own.edges}
        self.drive = DriveTimes(ground.car, ground.car_order)
        self.stop_row = {stop: i for i, stop in enumerate(timetable.stop_id)}
        self.route_row = {route: i for i, route in enumerate(timetable.route_id)}
        self.point_row = {point: i for i, point in enumerate(points.id)}
        self.places = LegPlaces(timetable, points)
        self._scratch = threading.local()
        day_bytes = DAY_BYTES_PER_EVENT * max(len(timetable.event_arrival_s), 1)
        days = max(LEAST_DAYS_KEPT, min(DAYS_KEPT, DAYS_KEPT_BYTES // day_bytes))
        self._days = Remembered(self._roll, days)
        self._paces = Remembered(self._at_pace, PACES_KEPT)
        self._terrains = Remembered(self._terrain, min(TERRAINS_KEPT, 2 * days))
        self._layers = Remembered(self._laid_in_layers, LAYERS_KEPT)
        self._step_free = Remembered(self._step_free_day, days)
        self._walkings = Remembered(self._walking, len(PROFILES))
        self._around = Remembered(self._walking_around, WALKINGS_KEPT)
        self._doors = Remembered(self._make_door, DOORS_KEPT)

    @cached_property
    def coarse(self) -> CoarseBounds:
        """Least times between parts of the territory, in vehicles and by car."""
        t, points = self.timetable, self.points
        return coarse_bounds(
            self.bounds, t.stop_lat, t.stop_lon, points.lat, points.lon, self.ground.drive_s,
            self.ground.point_walks,
        )  # fmt: skip

    @cached_property
    def service_span(self) -> tuple[dt.date, dt.date]:
        """First and last day of all feeds; the first after the last where there is none."""
        t = self.timetable
        on = t.feed_last_day >= t.feed_first_day
        if not on.any():
            return dt.date.max, dt.date.min
        return (
            date_of_day_number(int(t.feed_first_day[on].min())),
            date_of_day_number(int(t.feed_last_day[on].max())),
        )

    def point_coordinate(self, point_id: str) -> Coordinate | None:
        """Where a meeting point is; None where this ground has no such point."""
        row = self.point_row.get(point_id)
        if row is None:
            return None
        return Coordinate(float(self.points.lat[row]), float(self.points.lon[row]))

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
        return int(self.stations.first_edge[0]) > 0

    def arena(self) -> Arena:
        """Street scratch of the calling thread."""
        arena: Arena | None = getattr(self._scratch, "arena", None)
        if arena is None:
            arcs = max(len(self.arcs[profile].head) for profile in PROFILES)
            seeds = len(self.stations.open_node)
            arena = self._scratch.arena = new_arena(self.streets.node_count, arcs + seeds)
        return arena

    def walking(self, profile: str, shut: frozenset[str] = frozenset()) -> Walking:
        """How one gets about, ``foot`` or ``wheelchair``, with elevators (ids) out of service.

        Other profiles have the same walks between vehicles as ``foot``.
        """
        known = frozenset(shut & self.elevators.keys())
        return self._around((profile, known)) if known else self._walkings(profile)

    def _walking_around(self, key: tuple[str, frozenset[str]]) -> Walking:
        profile, shut = key
        edges = [edge for name in sorted(shut) for edge in self.elevators[name].edges]
        return around(self.walking(profile), self.standing, self.timetable, edges)

    def _walking(self, profile: str) -> Walking:
        ground, arcs = self.ground, self.arcs[profile]
        inside = len(self.stations.edge_pathway) > 0 or profile not in ON_FOOT
        back = profile_arcs(self.streets, profile, reverse=True) if inside else arcs
        on_foot = profile != "wheelchair"
        mps = self.speeds.foot_mps if on_foot else wheel_speed(self.speeds)
        links_s = link_seconds(ground.stop_away_m, self.points.foot_link_s, self.speeds, mps)
        walks = (
            (ground.walks, ground.walks_back, ground.point_walks, ground.point_walks_back)
            if on_foot
            else (
                ground.wheel_walks, ground.wheel_walks_back, ground.wheel_point_walks,
                ground.wheel_point_walks_back,
            )
        )  # fmt: skip
        back = Arcs(*(frozen(a) for a in back))
        return Walking(profile, mps, arcs, back, frozen(links_s), *walks)

    def _step_free_day(self, key: tuple[dt.date, bool]) -> tuple[DayTimetable, DayTimetable]:
        date, unknown = key
        t = self.timetable
        taken = (StepFree.YES, *((StepFree.UNKNOWN, NONE) if unknown else ()))
        trips, stops = (
            np.isin(said, taken) for said in (t.trip_wheelchair, self.wheelchair_boarding)
        )
        whole = np.minimum.reduceat(trips[t.through_trip], t.through_first_trip[:-1])
        day = only_trips(self.day(date)[0], np.r_[trips, whole], stops)
        return day, mirrored(day)

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
        if conditions.profile == "wheelchair":
            day, day_back = self._step_free((date, conditions.step_free_unknown))
        else:
            day, day_back = self.day(date)
        t, factor = self.timetable, conditions.walk_factor
        return Terrain(
            allowed_day(t, day, conditions, turned=False),
            allowed_day(t, day_back, conditions, turned=True),
            *self._paces((conditions.profile, conditions.shut, factor)),
            change_s=self._change_times(conditions),
            cell=self.bounds.cell,
            onward_256=WHOLE if factor >= 1 else int(WHOLE * factor),
        )

    def _laid_in_layers(self, key: tuple[dt.date, Conditions]) -> Layers:
        date, conditions = key
        terrain = self.terrain(date, replace(conditions, vias=()))
        # Whoever asks to pass by a stop changes where a vehicle goes on as another trip.
        own = replace(terrain, day=without_throughs(self.timetable, terrain.day))
        return Layers(own, conditions.vias)

    def _at_pace(self, key: tuple[str, frozenset[str], float]) -> tuple[Walks, Walks, Walks, Walks]:
        """Walks of a profile around what is shut that take so many times the seconds."""
        profile, shut, factor = key
        walking = self.walking(profile, shut)
        if factor == 1:
            return (
                walking.walks, walking.walks_back, walking.point_walks, walking.point_walks_back
            )  # fmt: skip
        t = self.timetable
        ruled = (t.transfer_from != t.transfer_to) & (t.transfer_type == MINIMUM_TIME)
        least = Links(t.transfer_from, t.transfer_to, t.transfer_min_s).where(ruled)
        walks = at_pace(walking.walks, factor, least)
        point_walks = at_pace(walking.point_walks, factor, least)
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

    def find_door(self, place: Coordinate) -> Door | None:
        """Where a car stops that comes to a place itself; None where it may not."""
        spot = find_spot(self.streets, self.grid, place)
        return None if spot is None else self.door_at(spot)

    def door_at(self, spot: Coordinate) -> Door | None:
        """The door at a spot on a street, as it was found before; the last are kept."""
        return self._doors(spot)

    def street_name(self, spot: Coordinate) -> str:
        """Name of the street of a door; empty where it has none."""
        door = self.door_at(spot)
        return "" if door is None else self.streets.names[self.streets.edge_name[door.at.edge]]

    def _make_door(self, spot: Coordinate) -> Door | None:
        return make_door(self.streets, self.grid, self.points, self.drive, spot)

    def find_snapped(self, profile: str, place: Coordinate, limit_m: float) -> Snapped | None:
        """Nearest usable street to a place; without streets one walks from anywhere."""
        if profile in ON_FOOT and not self.has_streets:
            return anywhere(place)
        return snap(self.grid, self.usable[profile], place, limit_m)

    def find_route(
        self,
        profile: str,
        start: Snapped,
        end: Snapped,
        limit_s: int,
        walking: Walking | None = None,
    ) -> StreetRoute | None:
        """
        Fastest way from place to place, or None when it takes longer than `limit_s`.

        `walking` says what is shut of the ways on foot or by wheelchair.
        """
        if profile in ON_FOOT:
            walking = walking or self.walking(profile)
            if not self.has_streets:
                return find_straight_way(
                    self.streets, self.standing, walking, self.arena(), start, end, limit_s
                )
        elif not self.has_streets:
            return None
        return find_route(
            self.streets,
            self.arcs[profile] if walking is None else walking.arcs,
            self.arena(),
            profile,
            start,
            end,
            limit_s=limit_s,
            off_street_mps=self.speeds.foot_mps if walking is None else walking.mps,
        )

    def walks_from(
        self,
        at: Snapped,
        limit_s: int,
        walking: Walking | None = None,
        *,
        towards: bool = False,
        points: bool = True,
    ) -> tuple[Int32, Int32]:
        """
        Stops, and meeting points (search nodes) with `points`, within a walk, and its seconds.

        `towards` asks for those from which one walks to the place.
        """
        walking = walking or self.walking("foot")
        arcs, arena, place = walking.back if towards else walking.arcs, self.arena(), None
        if not self.has_streets and at.node < 0:
            node = seconds = np.zeros(0, np.int32)
            place = at.coordinate
        else:
            tied = ties(
                self.streets, walking.profile, at, leaving=not towards, off_street_mps=walking.mps
            )
            node, seconds = tied.node, tied.seconds
        settled = settle(self.standing, arcs, arena, (node, seconds), limit_s, walking.mps, place)
        count = self.node_count if points else self.stop_count
        return reached(self.standing, arena, settled, walking.links_s[:count], limit_s)


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
        "stations": Stations,
        **dict.fromkeys(PROFILES, Arcs),
        **{name: Walks for name in Ground.__slots__ if "walks" in name},
    }
    parts: dict[str, Any] = {
        name: from_arrays(kind, arrays, f"ground.{name}") for name, kind in structs.items()
    }
    for name in Ground.__slots__:
        if name not in parts:
            parts[name] = arrays[f"ground.{name}"]
    return Ground(**parts)
