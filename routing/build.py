"""
Build a network: stops and meeting points on the streets, walks between them, drive times.

Slow and offline; `mobility build` calls it and saves the result as a snapshot.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

from core.geo import Coordinate
from gtfs_data.checks import Findings
from gtfs_data.store import Texts
from gtfs_data.timetable import Timetable
from routing.bounds import build_bounds
from routing.network import (
    MINIMUM_TIME,
    Ground,
    MeetingPoints,
    Network,
    link_seconds,
    places_at_nodes,
    usable_edges,
)
from routing.spi import MeetingSite
from routing.street.access import Snapped, build_grid, snap
from routing.street.drive import DriveTimes, order_nodes
from routing.street.graph import PROFILES, Cut, Streets, profile_arcs, split_edges, step_metres
from routing.street.kernels import Arcs, Walks, new_arena, walk_links
from routing.street.rules import Speeds
from routing.street.straight import bare_streets, straight_walks

STOP_SNAP_M = 400.0
"""A stop farther from any footway is not reached on foot (a finding says so)."""
SITE_SNAP_M = {"stop": 40.0, "carpool_place": 150.0, "street": 5.0}
"""How far from its place a car may stop for a rider who waits there."""
PERSON_SNAP_M = 60.0
STRAIGHT_WALK_MPS = 1.0
"""Along a straight line, for streets that turn."""
FOOT_LIMIT_S = 900
"""Walks between vehicles: 15 minutes."""
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
    on_step("stops and meeting points on the streets")
    bare = streets is None
    streets, stop_node, stop_away_m, points = (
        _place_bare(timetable) if streets is None else _place(streets, timetable, sites, speeds)
    )
    if not bare:
        _find_off_streets(timetable, streets, stop_node, findings)
    grid = build_grid(streets)
    arcs = {profile: profile_arcs(streets, profile) for profile in PROFILES}
    on_step("walks between stops")
    nodes = np.r_[stop_node, points.foot_node]
    links = link_seconds(stop_away_m, points.foot_link_s, speeds)
    every = (
        _straight_walks(timetable, stop_node, speeds)
        if bare
        else _walks(arcs["foot"], nodes, links, streets.node_count)
    )
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
    on_step("bounds of travel times")
    return Network(
        zone=zone, timetable=timetable, streets=streets, grid=grid, points=points, ground=ground,
        bounds=build_bounds(timetable, ground.walks, ground.walks_back), speeds=speeds,
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


def _place(
    streets: Streets,
    timetable: Timetable,
    sites: Sequence[MeetingSite],
    speeds: Speeds,
) -> tuple[Streets, Int32, npt.NDArray[np.float64], MeetingPoints]:
    """Split streets at every stop and meeting point: they become nodes."""
    grid, foot = build_grid(streets), usable_edges(streets, "foot")
    cuts: list[Cut] = []

    def cut(at: Snapped) -> int:
        cuts.append(Cut(at.edge, at.point, at.share))
        return len(cuts) - 1

    stop_cut = np.full(timetable.stop_count, -1, np.int32)
    stop_away_m = np.full(timetable.stop_count, np.nan)
    for stop in np.unique(timetable.pattern_stop).tolist():
        place = Coordinate(float(timetable.stop_lat[stop]), float(timetable.stop_lon[stop]))
        at = snap(grid, foot, place, STOP_SNAP_M)
        if at is not None:
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


def _place_bare(
    timetable: Timetable,
) -> tuple[Streets, Int32, npt.NDArray[np.float64], MeetingPoints]:
    """Without a street map: every stop that a trip calls at is its own node."""
    streets, node = bare_streets(timetable.stop_lat, timetable.stop_lon)
    called = np.zeros(timetable.stop_count, bool)
    called[timetable.pattern_stop] = True
    none, rows = Texts.of([]), np.zeros(0, np.int32)
    points = MeetingPoints(none, none, none, np.zeros(0), np.zeros(0), rows, rows, rows)
    stop_node = np.where(called, node, -1).astype(np.int32)
    return streets, stop_node, np.where(stop_node >= 0, 0.0, np.nan), points


Links = tuple[Int32, Int32, Int32]
"""(from, to, seconds) of walks."""


def _straight_walks(timetable: Timetable, stop_node: Int32, speeds: Speeds) -> Links:
    stop = np.flatnonzero(stop_node >= 0).astype(np.int32)
    lat, lon = timetable.stop_lat[stop], timetable.stop_lon[stop]
    start, to, seconds = straight_walks(lat, lon, FOOT_LIMIT_S, speeds.foot_mps)
    return stop[start], stop[to], seconds


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


def _with_rules(links: Links, timetable: Timetable) -> Links:
    """Apply transfers.txt: forbidden changes go, minimum times bind, stated ones are added."""
    rules = timetable.transfer_from, timetable.transfer_to
    pair, stated = (a.astype(np.int64) * timetable.stop_count + b for a, b in (links[:2], rules))
    bound = np.isin(pair, stated)
    walk_s = {
        (a, b): s for a, b, s in zip(*(column[bound].tolist() for column in links), strict=True)
    }
    placed = set(np.flatnonzero(~np.isnan(timetable.stop_lat + timetable.stop_lon)).tolist())
    for a, b, kind, least_s in zip(
        timetable.transfer_from.tolist(),
        timetable.transfer_to.tolist(),
        timetable.transfer_type.tolist(),
        timetable.transfer_min_s.tolist(),
        strict=True,
    ):
        if a == b or a not in placed or b not in placed:
            continue
        if kind == FORBIDDEN:
            walk_s.pop((a, b), None)
        elif kind == MINIMUM_TIME:
            walk_s[a, b] = max(walk_s.get((a, b), 0), least_s)
        else:
            walk_s.setdefault((a, b), _straight_walk_s(timetable, a, b))
    ruled = np.array([(a, b, s) for (a, b), s in walk_s.items()], np.int32).reshape(-1, 3)
    start, to, seconds = (
        np.r_[column[~bound], ruled[:, i]].astype(np.int32) for i, column in enumerate(links)
    )
    return start, to, seconds


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
