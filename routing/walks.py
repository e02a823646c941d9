"""
Walks between stops and meeting points, on foot or by wheelchair, as the search reads them.

With a street map walks follow its edges and the pathways of stations. Without one they are
straight lines between what stands in the open: stops, and entrances of stations with pathways.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from core.geo import Coordinate
from gtfs_data.store import frozen
from gtfs_data.timetable import Timetable
from routing.links import Links, in_rows, together
from routing.street.graph import Streets, step_metres
from routing.street.kernels import (
    NO_GOAL,
    UNREACHED,
    Arcs,
    Arena,
    Walks,
    new_arena,
    places_within,
    search_within,
    walk_links,
)
from routing.street.rules import Speeds
from routing.street.straight import straight_seconds, straight_walks

STRAIGHT_WALK_MPS = 1.0
"""Along a straight line, for streets that turn."""
FOOT_LIMIT_S = 900
"""Walks between vehicles: 15 minutes."""
MINIMUM_TIME = 2
FORBIDDEN = 3
"""transfer_type of transfers.txt."""

Int32 = npt.NDArray[np.int32]
Float64 = npt.NDArray[np.float64]


class Standing(NamedTuple):
    """Where search nodes stand on the streets."""

    node: Int32
    """Shape (S + P,): street node of each search node, or -1."""
    first_at_node: Int32
    at_node: Int32
    """CSR street node → search nodes."""
    lat: Float64
    lon: Float64
    """Of street nodes."""
    open_node: Int32
    """Without a street map: street nodes between which one walks straight."""
    straight: bool


class Walking(NamedTuple):
    """How one gets about in one profile, and what is shut of it."""

    profile: str
    mps: float
    arcs: Arcs
    back: Arcs
    """Turned round, to search from where one wants to be; the same where nothing is one-way."""
    links_s: Int32
    """Shape (S + P,): seconds between each search node and its street node."""
    walks: Walks
    """Stop to stop."""
    walks_back: Walks
    point_walks: Walks
    """Between stops and meeting points, and stop to stop as in `walks`."""
    point_walks_back: Walks


def wheel_speed(speeds: Speeds) -> float:
    """Metres per second of a wheelchair: never more than on foot, so that bounds hold for it."""
    return min(speeds.wheelchair_mps, speeds.foot_mps)


def link_seconds(stop_away_m: Float64, point_link_s: Int32, speeds: Speeds, mps: float) -> Int32:
    """Shape (S + P,): seconds between each search node and its street node."""
    stop_s = np.rint(np.nan_to_num(stop_away_m) / mps)
    point_s = np.rint(point_link_s * (speeds.foot_mps / mps))
    links_s: Int32 = np.r_[stop_s, point_s].astype(np.int32)
    return links_s


def standing_at(nodes: Int32, streets: Streets, open_node: Int32, *, straight: bool) -> Standing:
    """Sort search nodes by the street node at which they stand."""
    placed = np.flatnonzero(nodes >= 0)
    order = placed[np.argsort(nodes[placed], kind="stable")].astype(np.int32)
    counts = np.bincount(nodes[order], minlength=streets.node_count)
    first = np.r_[0, np.cumsum(counts)].astype(np.int32)
    arrays = (nodes, first, order, streets.node_lat, streets.node_lon, open_node)
    node, first, order, lat, lon, opens = (frozen(a) for a in arrays)
    return Standing(node, first, order, lat, lon, opens, straight)


def settle(
    standing: Standing,
    arcs: Arcs,
    arena: Arena,
    seeds: tuple[Int32, Int32],
    limit_s: int,
    mps: float,
    place: Coordinate | None = None,
) -> int:
    """
    Search from nodes (and their seconds), or from a place in the open, as `search_within` does.

    Without a street map one goes out of the open nodes that are reached, and into all others.
    """
    settled = search_within(arcs, *seeds, limit_s, NO_GOAL, NO_GOAL, arena)
    if not standing.straight:
        return settled
    inside = arena.settled[:settled].copy()
    inside_s = arena.seconds[inside].copy()
    doors = standing.open_node
    out = np.isin(inside, doors)
    starts = [
        (standing.lat[node], standing.lon[node], int(at_s))
        for node, at_s in zip(inside[out], inside_s[out], strict=True)
    ]
    if place is not None:
        starts.append((place.lat, place.lon, 0))
    best_s = np.full(len(doors), UNREACHED, np.int64)
    for lat, lon, at_s in starts:
        walk_s = straight_seconds(lat, lon, standing.lat[doors], standing.lon[doors], mps)
        np.minimum(best_s, walk_s + at_s, out=best_s)
    near = best_s <= limit_s
    node = np.r_[inside, doors[near]].astype(np.int32)
    return search_within(
        arcs, node, np.r_[inside_s, best_s[near]].astype(np.int32), limit_s, NO_GOAL, NO_GOAL, arena
    )


def reached(
    standing: Standing, arena: Arena, settled: int, links_s: Int32, limit_s: int
) -> tuple[Int32, Int32]:
    """
    Search nodes that stand where the last search came, and the seconds to them.

    `links_s` may be cut short: search nodes beyond its end are left out.
    """
    node, seconds = np.empty(len(links_s), np.int32), np.empty(len(links_s), np.int32)
    count = places_within(
        arena, settled, standing.first_at_node, standing.at_node, links_s, limit_s, node, seconds
    )
    return node[:count], seconds[:count]


def find_walks(standing: Standing, arcs: Arcs, links_s: Int32, mps: float, sources: Int32) -> Links:
    """Walks from some search nodes to all others, up to `FOOT_LIMIT_S`."""
    if not standing.straight:
        return _street_walks(standing, arcs, links_s, sources)
    if len(arcs.head) == 0 and len(sources) == len(standing.node):
        stop = np.flatnonzero(np.isin(standing.node, standing.open_node)).astype(np.int32)
        lat, lon = standing.lat[standing.node[stop]], standing.lon[standing.node[stop]]
        start, to, seconds = straight_walks(lat, lon, FOOT_LIMIT_S, mps)
        return Links(stop[start], stop[to], seconds)
    arena = new_arena(len(standing.lat), len(arcs.head) + len(standing.lat))
    found = []
    for source in sources[standing.node[sources] >= 0].tolist():
        seeds = standing.node[[source]], links_s[[source]]
        settled = settle(standing, arcs, arena, seeds, FOOT_LIMIT_S, mps)
        to, seconds = reached(standing, arena, settled, links_s, FOOT_LIMIT_S)
        other = to != source
        found.append(Links(np.full(other.sum(), source, np.int32), to[other], seconds[other]))
    return together(found)


def _street_walks(standing: Standing, arcs: Arcs, links_s: Int32, sources: Int32) -> Links:
    arena = new_arena(len(standing.lat), len(arcs.head))
    room = 4 * len(sources) + 1024
    while True:
        to, seconds = np.empty(room, np.int32), np.empty(room, np.int32)
        first = np.empty(len(sources) + 1, np.int32)
        found = walk_links(
            arcs, standing.node[sources], links_s[sources], standing.first_at_node,
            standing.at_node, links_s, FOOT_LIMIT_S, arena, to, seconds, first,
        )  # fmt: skip
        if found <= room:
            break
        room = found
    start = np.repeat(sources, np.diff(first))
    other = start != to[:found]
    return Links(start[other], to[:found][other], seconds[:found][other])


def walk_tables(
    links: Links, timetable: Timetable, node_count: int, *, on_foot: bool
) -> tuple[Walks, Walks, Walks, Walks]:
    """
    Walks and walks back between stops, by the rules of transfers.txt, and with meeting points.

    On foot the feed may state a change where no walk was found; wheels need a way that is known.
    """
    ruled = _with_rules(_between_stops(links, timetable.stop_count), timetable, adding=on_foot)
    both = _join(ruled, links, timetable.stop_count)
    return (
        in_rows(ruled, node_count),
        in_rows(ruled.turned(), node_count),
        in_rows(both, node_count),
        in_rows(both.turned(), node_count),
    )


SHUT_S = 2**28
"""Seconds of an arc that is out of service: beyond every limit."""


def around(
    walking: Walking, standing: Standing, timetable: Timetable, edges: Sequence[int]
) -> Walking:
    """The same with some edges shut: walks are searched again wherever one led through them."""
    shut = np.isin(walking.arcs.way >> 1, edges)
    tail = np.repeat(np.arange(len(walking.arcs.first) - 1), np.diff(walking.arcs.first))[shut]
    arcs, back = (
        a._replace(seconds=frozen(np.where(np.isin(a.way >> 1, edges), SHUT_S, a.seconds)))
        for a in (walking.arcs, walking.back)
    )
    seeds = tail.astype(np.int32), np.zeros(len(tail), np.int32)
    arena = new_arena(len(standing.lat), len(arcs.head) + len(standing.open_node) + len(tail))
    settled = settle(standing, walking.back, arena, seeds, FOOT_LIMIT_S, walking.mps)
    sources, _ = reached(standing, arena, settled, walking.links_s, FOOT_LIMIT_S)
    links = find_walks(standing, arcs, walking.links_s, walking.mps, np.sort(sources))
    fresh = walk_tables(links, timetable, len(standing.node), on_foot=walking.profile == "foot")
    touched = np.zeros(len(standing.node), bool)
    touched[sources] = True
    walks, _, point_walks, _ = fresh
    tables = []
    for old, new in ((walking.walks, walks), (walking.point_walks, point_walks)):
        kept, found = _listed(old, ~touched), _listed(new, touched)
        links = together([kept, found])
        count = len(standing.node)
        tables += [in_rows(links, count), in_rows(links.turned(), count)]
    return walking._replace(
        arcs=arcs,
        back=back,
        walks=tables[0],
        walks_back=tables[1],
        point_walks=tables[2],
        point_walks_back=tables[3],
    )


def _listed(walks: Walks, sources: npt.NDArray[np.bool_]) -> Links:
    """Walks from some search nodes as links."""
    links = Links.of(walks)
    return links.where(sources[links.start])


def _between_stops(links: Links, stop_count: int) -> Links:
    return links.where((links.start < stop_count) & (links.to < stop_count))


def _with_rules(links: Links, timetable: Timetable, *, adding: bool) -> Links:
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
        if not adding and (a, b) not in walk_s:
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
    return Links(start, to, seconds)


def _straight_walk_s(timetable: Timetable, a: int, b: int) -> int:
    """A change that the feed recommends where no walk was found within the limit."""
    lat, lon = timetable.stop_lat[[a, b]], timetable.stop_lon[[a, b]]
    return round(float(step_metres(lat, lon)[0]) / STRAIGHT_WALK_MPS)


def _join(ruled: Links, every: Links, stop_count: int) -> Links:
    mixed = every.where((every.start < stop_count) != (every.to < stop_count))
    return together([ruled, mixed])
