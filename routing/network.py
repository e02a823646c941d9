"""
Network: timetable, streets and meeting points of one territory, ready to be searched.

`build_network` is slow and offline; `open_network` maps a snapshot and is what a notebook calls.
Search nodes are numbered stops first (0 … S-1), then meeting points (S … S+P-1).
"""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

from core.geo import Coordinate
from core.time import get_zone
from gtfs_data.checks import Findings
from gtfs_data.rolling import DayTimetable, roll_days
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
from routing.spi import MeetingSite
from routing.street.access import EdgeGrid, Snapped, at_node, build_grid, snap
from routing.street.drive import DriveTimes, order_nodes
from routing.street.graph import (
    PROFILES,
    Cut,
    Streets,
    profile_arcs,
    split_edges,
    step_metres,
)
from routing.street.kernels import NO_ACCESS, Arcs, Arena, Walks, new_arena, walk_links
from routing.street.rules import Speeds

STOP_SNAP_M = 400.0
"""A stop farther from any footway is not reached on foot (a finding says so)."""
SITE_SNAP_M = {"stop": 40.0, "carpool_place": 150.0, "street": 5.0}
"""How far from its place a car may stop for a rider who waits there."""
PERSON_SNAP_M = 60.0
STRAIGHT_WALK_MPS = 1.0
"""Along a straight line, for streets that turn."""
FOOT_LIMIT_S = 900
"""Walks between vehicles: 15 minutes."""
DAYS_KEPT = 8
"""Rolled days kept per process: a few searched dates, about 10 MB each on a city."""
MEETING_POINT_LIMIT = 16_000
"""The drive matrix takes 2 bytes a pair, twice: 1 GB at this size."""

Int32 = npt.NDArray[np.int32]
Step = Callable[[str], None]


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
        speeds: Speeds,
    ) -> None:
        self.zone = zone
        self.timetable = timetable
        self.streets = streets
        self.grid = grid
        self.points = points
        self.ground = ground
        self.speeds = speeds
        self.arcs = {"foot": ground.foot, "bike": ground.bike, "car": ground.car}
        self.usable = {profile: frozen(_usable(streets, profile)) for profile in PROFILES}
        self.first_at_node, self.at_node = (frozen(a) for a in self._places_at_nodes())
        self.links_s = frozen(_link_s(ground.stop_away_m, points.foot_link_s, speeds))
        self.drive = DriveTimes(ground.car, ground.car_order)
        self.stop_row = {stop: i for i, stop in enumerate(timetable.stop_id)}
        self.point_row = {point: i for i, point in enumerate(points.id)}
        self._scratch = threading.local()
        self._day = lru_cache(maxsize=DAYS_KEPT)(self._roll)
        self._day_lock = threading.Lock()

    @property
    def stop_count(self) -> int:
        """S: search nodes below are stops."""
        return self.timetable.stop_count

    @property
    def node_count(self) -> int:
        """S + P: stops and meeting points."""
        return self.stop_count + len(self.points.lat)

    def arena(self) -> Arena:
        """Street scratch of the calling thread."""
        arena: Arena | None = getattr(self._scratch, "arena", None)
        if arena is None:
            arcs = max(len(self.arcs[profile].head) for profile in PROFILES)
            arena = self._scratch.arena = new_arena(self.streets.node_count, arcs)
        return arena

    def day(self, date: dt.date) -> tuple[DayTimetable, DayTimetable]:
        """Rolled timetable of a date and its mirror for searching backward; cached."""
        with self._day_lock:
            return self._day(date)

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
        """Nearest usable street to a place."""
        return snap(self.grid, self.usable[profile], place, limit_m)

    def _places_at_nodes(self) -> tuple[Int32, Int32]:
        nodes = np.r_[self.ground.stop_node, self.points.foot_node]
        return places_at_nodes(nodes, self.streets.node_count)


def _link_s(stop_away_m: npt.NDArray[np.float64], point_link_s: Int32, speeds: Speeds) -> Int32:
    stop_s = np.rint(np.nan_to_num(stop_away_m) / speeds.foot_mps)
    links_s: Int32 = np.r_[stop_s, point_link_s].astype(np.int32)
    return links_s


def places_at_nodes(nodes: Int32, node_count: int) -> tuple[Int32, Int32]:
    """CSR street node → search nodes that stand there."""
    placed = np.flatnonzero(nodes >= 0)
    order = placed[np.argsort(nodes[placed], kind="stable")]
    first = np.r_[0, np.cumsum(np.bincount(nodes[order], minlength=node_count))]
    return first.astype(np.int32), order.astype(np.int32)


def _usable(streets: Streets, profile: str) -> npt.NDArray[np.uint8]:
    forward, backward = (streets.seconds(profile, d) for d in ("forward", "backward"))
    usable: npt.NDArray[np.uint8] = ((forward != NO_ACCESS) | (backward != NO_ACCESS)).astype(
        np.uint8
    )
    return usable


def mirrored(day: DayTimetable) -> DayTimetable:
    """
    Turn time round: patterns and trips reversed, times negated, boarding and alighting swapped.

    A search forward on the mirror is a search backward on the day.
    """
    pattern_count = len(day.first_stop) - 1
    lengths = np.diff(day.first_stop)
    trips = np.diff(day.first_trip)
    pattern = np.repeat(np.arange(pattern_count), lengths)
    nth = np.arange(len(day.stop)) - day.first_stop[pattern]
    row = day.first_stop[pattern] + lengths[pattern] - 1 - nth
    trip_pattern = np.repeat(np.arange(pattern_count), trips)
    trip_nth = np.arange(len(day.trip)) - day.first_trip[trip_pattern]
    trip_row = day.first_trip[trip_pattern] + trips[trip_pattern] - 1 - trip_nth
    sizes = lengths * trips
    event_pattern = np.repeat(np.arange(pattern_count), sizes)
    event_nth = np.arange(len(day.arrival_s)) - day.first_event[event_pattern]
    event_row = day.first_event[event_pattern] + sizes[event_pattern] - 1 - event_nth
    flag = day.flag[row]
    stop = day.stop[row]
    calls = np.lexsort((nth, pattern, stop))
    columns = (
        day.first_stop, stop, ((flag & 1) << 1 | flag >> 1).astype(np.uint8), day.first_trip,
        day.trip[trip_row], day.day[trip_row], day.first_event, -day.departure_s[event_row],
        -day.arrival_s[event_row], day.at_stop_first, pattern[calls].astype(np.int32),
        nth[calls].astype(np.int32),
    )  # fmt: skip
    return DayTimetable(*(frozen(np.ascontiguousarray(c)) for c in columns))


def build_network(
    timetable: Timetable,
    streets: Streets,
    *,
    zone: ZoneInfo,
    sites: Sequence[MeetingSite],
    speeds: Speeds,
    findings: Findings,
    on_step: Step = lambda _: None,
) -> Network:
    """Tie timetable and meeting sites to the streets and compile everything a search reads."""
    on_step("stops and meeting points on the streets")
    streets, stop_node, stop_away_m, points = _place(streets, timetable, sites, speeds, findings)
    grid = build_grid(streets)
    arcs = {profile: profile_arcs(streets, profile) for profile in PROFILES}
    on_step("walks between stops")
    nodes = np.r_[stop_node, points.foot_node]
    links = _link_s(stop_away_m, points.foot_link_s, speeds)
    every = _walks(arcs["foot"], nodes, links, streets.node_count)
    stops_only = _between_stops(every, timetable.stop_count)
    ruled = _with_rules(stops_only, timetable)
    both = _join(ruled, every, timetable.stop_count)
    on_step("drive times between meeting points")
    order = order_nodes(arcs["car"], streets.node_lat, streets.node_lon)
    matrix = DriveTimes(arcs["car"], order).matrix(points.car_node)
    ground = Ground(
        foot=arcs["foot"],
        bike=arcs["bike"],
        car=arcs["car"],
        car_order=order,
        stop_node=stop_node,
        stop_away_m=stop_away_m,
        walks=_csr(ruled, len(nodes)),
        walks_back=_csr(_turned(ruled), len(nodes)),
        point_walks=_csr(both, len(nodes)),
        point_walks_back=_csr(_turned(both), len(nodes)),
        drive_s=matrix,
        drive_back_s=np.ascontiguousarray(matrix.T),
    )
    return Network(
        zone=zone, timetable=timetable, streets=streets, grid=grid, points=points, ground=ground,
        speeds=speeds,
    )  # fmt: skip


def _place(
    streets: Streets,
    timetable: Timetable,
    sites: Sequence[MeetingSite],
    speeds: Speeds,
    findings: Findings,
) -> tuple[Streets, Int32, npt.NDArray[np.float64], MeetingPoints]:
    """Split streets at every stop and meeting point: they become nodes."""
    grid, foot = build_grid(streets), _usable(streets, "foot")
    cuts: list[Cut] = []

    def cut(at: Snapped) -> int:
        cuts.append(Cut(at.edge, at.point, at.share))
        return len(cuts) - 1

    stop_cut = np.full(timetable.stop_count, -1, np.int32)
    stop_away_m = np.full(timetable.stop_count, np.nan)
    called = np.unique(timetable.pattern_stop)
    for stop in called.tolist():
        place = Coordinate(float(timetable.stop_lat[stop]), float(timetable.stop_lon[stop]))
        at = snap(grid, foot, place, STOP_SNAP_M)
        if at is None:
            name = timetable.stop_name[stop]
            message = f"{name} ({timetable.stop_id[stop]}): no footway within {STOP_SNAP_M:.0f} m"
            findings.warning("stop_off_streets", "stops.txt", None, message)
        else:
            stop_cut[stop], stop_away_m[stop] = cut(at), at.away_m
    kept: list[tuple[MeetingSite, Snapped, int, int, float]] = []
    for site in sites:
        place = Coordinate(site.lat, site.lon)
        car = snap(grid, streets.edge_may_stop, place, SITE_SNAP_M[site.kind])
        if car is None:
            continue
        car_cut = cut(car)
        if foot[car.edge]:
            kept.append((site, car, car_cut, car_cut, 0.0))
            continue
        person = snap(grid, foot, place, PERSON_SNAP_M)
        if person is not None:
            away_m = car.away_m + person.away_m
            kept.append((site, car, car_cut, cut(person), away_m))
    kept = kept[:MEETING_POINT_LIMIT]
    streets, node = split_edges(streets, cuts)
    node = np.r_[node, np.int32(-1)]  # so that -1 stays -1
    car_node = node[[k[2] for k in kept]].astype(np.int32)
    points = MeetingPoints(
        id=Texts.of([k[0].id for k in kept]),
        name=Texts.of([k[0].name for k in kept]),
        kind=Texts.of([str(k[0].kind) for k in kept]),
        lat=streets.node_lat[car_node],
        lon=streets.node_lon[car_node],
        car_node=car_node,
        foot_node=node[[k[3] for k in kept]].astype(np.int32),
        foot_link_s=np.rint(np.array([k[4] for k in kept]) / speeds.foot_mps).astype(np.int32),
    )
    return streets, node[stop_cut].astype(np.int32), stop_away_m, points


Links = tuple[Int32, Int32, Int32]
"""(from, to, seconds) of walks."""


def _walks(arcs: Arcs, nodes: Int32, links: Int32, node_count: int) -> Links:
    first_at_node, at_node_ = places_at_nodes(nodes, node_count)
    arena = new_arena(node_count, len(arcs.head))
    room = 4 * len(nodes) + 1024
    while True:
        to, seconds = np.empty(room, np.int32), np.empty(room, np.int32)
        first = np.empty(len(nodes) + 1, np.int32)
        found = walk_links(
            arcs, nodes, links, first_at_node, at_node_, links, FOOT_LIMIT_S, arena, to, seconds,
            first,
        )  # fmt: skip
        if found <= room:
            break
        room = found
    start = np.repeat(np.arange(len(nodes), dtype=np.int32), np.diff(first))
    other = start != to[:found]
    return start[other], to[:found][other], seconds[:found][other]


def _between_stops(links: Links, stop_count: int) -> Links:
    start, to, seconds = links
    inside = (start < stop_count) & (to < stop_count)
    return start[inside], to[inside], seconds[inside]


FORBIDDEN = 3
MINIMUM_TIME = 2


def _with_rules(links: Links, timetable: Timetable) -> Links:
    """Apply transfers.txt: forbidden changes go, minimum times bind, stated ones are added."""
    walk_s = {
        (int(a), int(b)): int(s) for a, b, s in zip(*(x.tolist() for x in links), strict=True)
    }
    for a, b, kind, least_s in zip(
        timetable.transfer_from.tolist(),
        timetable.transfer_to.tolist(),
        timetable.transfer_type.tolist(),
        timetable.transfer_min_s.tolist(),
        strict=True,
    ):
        if a == b:
            continue
        if kind == FORBIDDEN:
            walk_s.pop((a, b), None)
        elif kind == MINIMUM_TIME:
            walk_s[a, b] = max(walk_s.get((a, b), 0), least_s)
        else:
            walk_s.setdefault((a, b), _straight_walk_s(timetable, a, b))
    if not walk_s:
        empty = np.zeros(0, np.int32)
        return empty, empty, empty
    table = np.array([(a, b, s) for (a, b), s in walk_s.items()], np.int32)
    return table[:, 0], table[:, 1], table[:, 2]


def _straight_walk_s(timetable: Timetable, a: int, b: int) -> int:
    """A change that the feed recommends where no walk was found within the limit."""
    lat, lon = timetable.stop_lat[[a, b]], timetable.stop_lon[[a, b]]
    return round(float(step_metres(lat, lon)[0]) / STRAIGHT_WALK_MPS)


def _join(ruled: Links, every: Links, stop_count: int) -> Links:
    start, to, seconds = every
    mixed = (start < stop_count) != (to < stop_count)
    return (
        np.r_[ruled[0], start[mixed]],
        np.r_[ruled[1], to[mixed]],
        np.r_[ruled[2], seconds[mixed]],
    )


def _turned(links: Links) -> Links:
    return links[1], links[0], links[2]


def _csr(links: Links, node_count: int) -> Walks:
    start, to, seconds = links
    order = np.lexsort((to, seconds, start))
    first = np.r_[0, np.cumsum(np.bincount(start, minlength=node_count))]
    return Walks(first.astype(np.int32), to[order].copy(), seconds[order].copy())


PARTS = ("timetable", "streets", "grid", "points", "ground")


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
