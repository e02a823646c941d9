"""
Build a network: stops and meeting points on the streets, walks between them, drive times.

Slow and offline; `mobility build` calls it and saves the result as a snapshot.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

from core.geo import Coordinate
from gtfs_data.checks import Findings
from gtfs_data.store import Texts
from gtfs_data.timetable import Timetable
from routing.bounds import build_bounds
from routing.ground import Ground, MeetingPoints, usable_edges
from routing.network import ON_FOOT, Network
from routing.spi import MeetingSite
from routing.stations import (
    Door,
    Inside,
    Stations,
    lay_pathways,
    named_by_stops,
    stations_of,
)
from routing.street.access import EdgeGrid, Snapped, build_grid, snap
from routing.street.cuts import Cut, split_edges
from routing.street.drive import DriveTimes, order_nodes
from routing.street.graph import PROFILES, Streets, profile_arcs
from routing.street.kernels import Walks
from routing.street.rules import Speeds
from routing.street.straight import bare_streets
from routing.walks import find_walks, link_seconds, standing_at, walk_tables, wheel_speed

STOP_SNAP_M = 400.0
"""A stop farther from any footway is not reached on foot (a finding says so)."""
SITE_SNAP_M = {"stop": 40.0, "carpool_place": 150.0, "street": 5.0}
"""How far from its place a car may stop for a rider who waits there."""
PERSON_SNAP_M = 60.0
MEETING_POINT_LIMIT = 16_000
"""The drive matrix takes 2 bytes a pair, twice: 1 GB at this size."""

Int32 = npt.NDArray[np.int32]
Step = Callable[[str], None]


def build_network(
    timetable: Timetable,
    streets: Streets | None,
    *,
    zone: ZoneInfo,
    sites: Sequence[MeetingSite],
    speeds: Speeds,
    findings: Findings,
    on_step: Step = lambda _: None,
) -> Network:
    """
    Tie timetable and meeting sites to the streets and compile everything a search reads.

    `streets` is None where there is no street map: walks are straight lines then.
    """
    on_step("stops, stations and meeting points on the streets")
    inside = Inside(timetable)
    streets = None if streets is None else named_by_stops(streets, timetable)
    placed = (
        _place_bare(timetable, inside, speeds, findings)
        if streets is None
        else _place(streets, timetable, sites, inside, speeds, findings)
    )
    stop_node, stop_away_m, points = placed.stop_node, placed.stop_away_m, placed.points
    if streets is not None:
        _find_off_streets(timetable, placed.streets, stop_node, findings)
    arcs = {profile: profile_arcs(placed.streets, profile) for profile in PROFILES}
    on_step("walks between stops, on foot and by wheelchair")
    standing = standing_at(
        np.r_[stop_node, points.foot_node], placed.streets, placed.stations.open_node,
        straight=streets is None,
    )  # fmt: skip

    def walks(profile: str) -> tuple[Walks, Walks, Walks, Walks]:
        on_foot = profile == "foot"
        mps = speeds.foot_mps if on_foot else wheel_speed(speeds)
        links_s = link_seconds(stop_away_m, points.foot_link_s, speeds, mps)
        everywhere = np.arange(len(standing.node), dtype=np.int32)
        links = find_walks(standing, arcs[profile], links_s, mps, everywhere)
        return walk_tables(links, timetable, len(standing.node), on_foot=on_foot)

    with ThreadPoolExecutor(len(ON_FOOT)) as pool:
        on_foot, on_wheels = pool.map(walks, ON_FOOT)
    on_step("drive times between meeting points")
    order = order_nodes(arcs["car"], placed.streets.node_lat, placed.streets.node_lon)
    matrix = DriveTimes(arcs["car"], order).matrix(points.car_node)
    ground = Ground(
        **arcs, car_order=order, stop_node=stop_node, stop_away_m=stop_away_m,
        walks=on_foot[0], walks_back=on_foot[1],
        point_walks=on_foot[2], point_walks_back=on_foot[3],
        wheel_walks=on_wheels[0], wheel_walks_back=on_wheels[1],
        wheel_point_walks=on_wheels[2], wheel_point_walks_back=on_wheels[3],
        stations=placed.stations, drive_s=matrix, drive_back_s=np.ascontiguousarray(matrix.T),
    )  # fmt: skip
    on_step("bounds of travel times")
    return Network(
        zone=zone, timetable=timetable, streets=placed.streets, grid=placed.grid, points=points,
        ground=ground, bounds=build_bounds(timetable, ground.walks, ground.walks_back),
        speeds=speeds,
    )  # fmt: skip


def with_timetable(built: Network, timetable: Timetable, findings: Findings) -> Network:
    """
    Put another timetable on a network's ground: equal stops, equal transfers, other trips.

    The caller knows that `build_network` would give the same ground.
    """
    if built.has_streets:
        _find_off_streets(timetable, built.streets, built.ground.stop_node, findings)
    bounds = build_bounds(timetable, built.ground.walks, built.ground.walks_back)
    return Network(
        zone=built.zone, timetable=timetable, streets=built.streets, grid=built.grid,
        points=built.points, ground=built.ground, bounds=bounds, speeds=built.speeds,
    )  # fmt: skip


def _find_off_streets(
    timetable: Timetable, streets: Streets, stop_node: Int32, findings: Findings
) -> None:
    """Say which stops nobody reaches on foot: those off the extract together, others one by one."""
    called = np.unique(timetable.pattern_stop)
    lost = called[stop_node[called] < 0]
    lat, lon = timetable.stop_lat[lost], timetable.stop_lon[lost]
    inside = (lat >= streets.point_lat.min()) & (lat <= streets.point_lat.max())
    inside &= (lon >= streets.point_lon.min()) & (lon <= streets.point_lon.max())
    outside = int(np.count_nonzero(~inside))
    if outside:
        message = (
            f"{outside:,} of {len(called):,} stops lie outside of the OSM extract: nobody walks "
            "there, also not from one vehicle to another. Take a larger extract"
        )
        findings.warning("stops_outside_extract", "stops.txt", None, message)
    for stop in lost[inside].tolist():
        name = timetable.stop_name[stop]
        message = f"{name} ({timetable.stop_id[stop]}): no footway within {STOP_SNAP_M:.0f} m"
        findings.warning("stop_off_streets", "stops.txt", None, message)


class _Placed(NamedTuple):
    """Streets on which everything has its node."""

    streets: Streets
    grid: EdgeGrid
    stop_node: Int32
    stop_away_m: npt.NDArray[np.float64]
    points: MeetingPoints
    stations: Stations


class _Cuts:
    """Cuts in the making: every stop, entrance and meeting point wants a node."""

    def __init__(self, streets: Streets) -> None:
        self.grid = build_grid(streets)
        count = len(streets.edge_from)
        self.usable = {profile: usable_edges(streets, profile, count) for profile in ON_FOOT}
        self.cuts: list[Cut] = []

    def snap(self, profile: str, place: Coordinate, limit_m: float) -> Snapped | None:
        """Nearest street that a profile may use."""
        return snap(self.grid, self.usable[profile], place, limit_m)

    def cut(self, at: Snapped) -> int:
        """Ask for a node there; gives its row among those asked for."""
        self.cuts.append(Cut(at.edge, at.point, at.share))
        return len(self.cuts) - 1


def _place(
    streets: Streets,
    timetable: Timetable,
    sites: Sequence[MeetingSite],
    inside: Inside,
    speeds: Speeds,
    findings: Findings,
) -> _Placed:
    """Split streets at every stop, entrance and meeting point; hang stations from entrances."""
    t, cuts = timetable, _Cuts(streets)
    doors = _entrances(inside, cuts)
    indoors = inside.indoors([row for row, _, _ in doors], findings)
    stop_cut = np.full(t.stop_count, -1, np.int32)
    stop_away_m = np.full(t.stop_count, np.nan)
    for stop in np.unique(t.pattern_stop[~indoors[t.pattern_stop]]).tolist():
        place = Coordinate(float(t.stop_lat[stop]), float(t.stop_lon[stop]))
        at = cuts.snap("foot", place, STOP_SNAP_M)
        if at is not None:
            stop_cut[stop], stop_away_m[stop] = cuts.cut(at), at.away_m
    kept = _sites_on_streets(streets, sites, cuts)
    streets, node = split_edges(streets, cuts.cuts)
    node = np.r_[node, np.int32(-1)]  # so that -1 stays -1
    stop_node = node[stop_cut].astype(np.int32)
    both = np.flatnonzero((stop_node >= 0) & np.isin(np.arange(t.stop_count), inside.rows))
    hung = [Door(row, int(node[at]), away_m) for row, at, away_m in doors]
    hung += [Door(row, int(stop_node[row]), float(stop_away_m[row])) for row in both.tolist()]
    grid = build_grid(streets)
    laid, nodes, edge_pathway = lay_pathways(streets, t, inside, hung, {}, speeds)
    for row in [*both.tolist(), *np.flatnonzero(indoors).tolist()]:
        stop_node[row], stop_away_m[row] = nodes[row], 0.0
    stations = stations_of(streets, edge_pathway, indoors, np.zeros(0, np.int32))
    points = _meeting_points(kept, streets, node, speeds)
    return _Placed(laid, grid, stop_node, stop_away_m, points, stations)


def _entrances(inside: Inside, cuts: _Cuts) -> list[tuple[int, int, float]]:
    """(row, cut, metres away) of entrances: at the nearest street, and the nearest for wheels."""
    found = []
    for row in inside.entrances.tolist():
        place = inside.place(row)
        if place is None:
            continue
        at = cuts.snap("foot", place, STOP_SNAP_M)
        if at is None:
            continue
        found.append((row, cuts.cut(at), at.away_m))
        wheels = cuts.snap("wheelchair", place, STOP_SNAP_M)
        if wheels is not None and not cuts.usable["wheelchair"][at.edge]:
            found.append((row, cuts.cut(wheels), wheels.away_m))
    return found


_Site = tuple[MeetingSite, int, int, float]
"""A site with its cuts for the car and the person, and metres between them."""


def _sites_on_streets(streets: Streets, sites: Sequence[MeetingSite], cuts: _Cuts) -> list[_Site]:
    kept: list[_Site] = []
    for site in sites:
        place = Coordinate(site.lat, site.lon)
        car = snap(cuts.grid, streets.edge_may_stop, place, SITE_SNAP_M[site.kind])
        if car is None:
            continue
        car_cut = cuts.cut(car)
        if cuts.usable["foot"][car.edge]:
            kept.append((site, car_cut, car_cut, 0.0))
            continue
        person = cuts.snap("foot", place, PERSON_SNAP_M)
        if person is not None:
            kept.append((site, car_cut, cuts.cut(person), car.away_m + person.away_m))
    return kept[:MEETING_POINT_LIMIT]


def _meeting_points(
    kept: Sequence[_Site], streets: Streets, node: Int32, speeds: Speeds
) -> MeetingPoints:
    car_node = node[[k[1] for k in kept]].astype(np.int32)
    return MeetingPoints(
        id=Texts.of([k[0].id for k in kept]),
        name=Texts.of([k[0].name for k in kept]),
        kind=Texts.of([str(k[0].kind) for k in kept]),
        lat=streets.node_lat[car_node],
        lon=streets.node_lon[car_node],
        car_node=car_node,
        foot_node=node[[k[2] for k in kept]].astype(np.int32),
        foot_link_s=np.rint(np.array([k[3] for k in kept]) / speeds.foot_mps).astype(np.int32),
    )


def _place_bare(
    timetable: Timetable, inside: Inside, speeds: Speeds, findings: Findings
) -> _Placed:
    """Without a street map: every stop that a trip calls at is its own node."""
    t = timetable
    streets, node = bare_streets(t.stop_lat, t.stop_lon)
    tied = [row for row in inside.entrances.tolist() if node[row] >= 0]
    indoors = inside.indoors(tied, findings)
    own = {row: int(node[row]) for row in inside.rows.tolist() if node[row] >= 0}
    laid, nodes, edge_pathway = lay_pathways(streets, t, inside, [], own, speeds)
    none, rows = Texts.of([]), np.zeros(0, np.int32)
    points = MeetingPoints(none, none, none, np.zeros(0), np.zeros(0), rows, rows, rows)
    stop_node = np.full(t.stop_count, -1, np.int32)
    called = np.unique(t.pattern_stop)
    stop_node[called] = node[called]
    for row in np.flatnonzero(indoors).tolist():
        stop_node[row] = nodes[row]
    open_rows = np.r_[called[~indoors[called]], np.array(tied, np.int64)].astype(np.int64)
    open_node = np.setdiff1d(node[open_rows], [-1]).astype(np.int32)
    stations = stations_of(streets, edge_pathway, indoors, open_node)
    away_m = np.where(stop_node >= 0, 0.0, np.nan)
    return _Placed(laid, build_grid(streets), stop_node, away_m, points, stations)
