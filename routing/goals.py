"""Goals: many places at once, how each hangs on the streets, and the stops one walks there from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from core.geo import METRES_PER_DEGREE, Coordinate
from routing.ends import tie_end
from routing.kernels import NO_NODE, snap_points, walks_by_end
from routing.network import Network
from routing.query import Endpoint
from routing.street.access import CELL_M, Snapped, ties
from routing.street.graph import step_metres
from routing.street.kernels import NO_ACCESS, NO_EDGE, Walks, walk_links
from routing.street.straight import walks_between

Int32 = npt.NDArray[np.int32]
Float64 = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Goals:
    """Places to which travel times are asked, in arrays of one row each."""

    lat: Float64
    lon: Float64
    edge: Int32
    """Edge on which a place hangs, or `NO_EDGE`: none is near, or it hangs on a node."""
    point: Int32
    share: Float64
    """Which of the edge's points a place comes after, and how far on to the next (0 to 1)."""
    away_m: Float64
    end_node: Int32
    end_s: Int32
    """Shape (n, 2): nodes by which a place is reached, or `NO_NODE`, and the seconds from there."""
    own_stops: tuple[tuple[int, ...], ...] = ()
    """Stops that a place is itself, for as many of the first places as have any."""

    def __len__(self) -> int:
        return len(self.lat)

    def rows(self, first: int, end: int) -> Goals:
        """Some of them."""
        return replace(self, **{name: getattr(self, name)[first:end] for name in self.__slots__})

    def place(self, row: int) -> Snapped:
        """One of them, as searches from place to place take it."""
        where = Coordinate(float(self.lat[row]), float(self.lon[row]))
        on = int(self.edge[row]), int(self.point[row]), float(self.share[row])
        return Snapped(where, NO_NODE, *on, float(self.away_m[row]))


def goals_at(network: Network, ends: Sequence[Endpoint], limit_m: float) -> Goals:
    """
    Tie places and stops to the streets, as the planner does with a destination.

    Raises
    ------
    PlaceUnknown
        A stop id that the timetable does not have.
    """
    lat = np.array([end.coordinate.lat for end in ends], np.float64)
    lon = np.array([end.coordinate.lon for end in ends], np.float64)
    goals = goals_around(network, lat, lon, limit_m)
    own: list[tuple[int, ...]] = [()] * len(ends)
    for row, end in enumerate(ends):
        if end.stop_id is None:
            continue
        snapped, stops = tie_end(network, end, limit_m)
        own[row] = tuple(stops)
        if network.has_streets and snapped is not None and snapped.node >= 0:
            tied = ties(
                network.streets, "foot", snapped, leaving=False,
                off_street_mps=network.speeds.foot_mps,
            )  # fmt: skip
            goals.edge[row] = NO_EDGE
            goals.end_node[row] = tied.node[0], NO_NODE
            goals.end_s[row, 0] = tied.seconds[0]
    return replace(goals, own_stops=tuple(own))


def goals_around(network: Network, lat: Float64, lon: Float64, limit_m: float) -> Goals:
    """Tie coordinates, shape (n,) in degrees, to the nearest street within `limit_m`."""
    count = len(lat)
    edge, out = np.full(count, NO_EDGE, np.int32), np.zeros((count, 3))
    end_node, end_s = np.full((count, 2), NO_NODE, np.int32), np.zeros((count, 2), np.int32)
    if network.has_streets:
        grid = network.grid
        lat0, lon0, per_lon = grid.origin.tolist()
        x, y = (lon - lon0) * per_lon, (lat - lat0) * METRES_PER_DEGREE
        snap_points(
            x, y, float(limit_m), CELL_M, int(grid.size[0]), int(grid.size[1]), *grid[2:],
            network.usable["foot"], edge, out,
        )  # fmt: skip
    point, share, away_m = out[:, 1].astype(np.int32), out[:, 2], out[:, 0]
    tied = np.flatnonzero(edge != NO_EDGE)
    if len(tied):
        end_node[tied], end_s[tied] = _ends(network, edge[tied], point[tied], share[tied])
        end_s[tied] += np.rint(away_m[tied, None] / network.speeds.foot_mps).astype(np.int32)
    return Goals(lat, lon, edge, point, share, away_m, end_node, end_s)


def _ends(network: Network, edge: Int32, point: Int32, share: Float64) -> tuple[Int32, Int32]:
    """Both ends of each edge, and the seconds from there to a place on it; see `ties`."""
    s = network.streets
    step_m = np.r_[0.0, step_metres(s.point_lat, s.point_lon), 0.0]
    along_m = np.cumsum(step_m)[:-1]
    first, last = s.edge_first_point[edge], s.edge_first_point[edge + 1] - 1
    total_m = along_m[last] - along_m[first]
    before_m = along_m[point] - along_m[first] + share * step_m[point + 1]
    part = np.divide(before_m, total_m, out=np.zeros(len(edge)), where=total_m > 0)
    node, seconds = np.full((len(edge), 2), NO_NODE, np.int32), np.zeros((len(edge), 2), np.int32)
    forward, backward = s.seconds("foot", "forward")[edge], s.seconds("foot", "backward")[edge]
    on, back = forward != NO_ACCESS, backward != NO_ACCESS
    node[on, 0], node[back, 1] = s.edge_from[edge][on], s.edge_to[edge][back]
    seconds[on, 0] = np.rint(part * forward)[on]
    seconds[back, 1] = (backward - np.rint(part * backward))[back]
    return node, seconds


def walks_from_stops(network: Network, stop: Int32, limit_s: int) -> Walks:
    """Walks from some stops (rows) by the street node where they end."""
    from scipy.sparse import csr_array  # noqa: PLC0415 — loaded once asked for

    nodes = network.streets.node_count
    start = network.ground.stop_node[stop]
    alone, nobody = np.arange(nodes + 1, dtype=np.int32), np.zeros(nodes, np.int32)
    room = 400 * len(stop) + 1024
    walking = network.walking("foot")
    while True:
        to, seconds = np.empty(room, np.int32), np.empty(room, np.int32)
        first = np.empty(len(stop) + 1, np.int32)
        found = walk_links(
            walking.arcs, start, walking.links_s[stop], alone, alone, nobody, limit_s,
            network.arena(), to, seconds, first,
        )  # fmt: skip
        if found <= room:
            break
        room = found
    by_stop = csr_array((seconds[:found], to[:found], first), shape=(len(stop), nodes))
    by_node = by_stop.tocsc()
    return Walks(by_node.indptr.astype(np.int32), stop[by_node.indices], by_node.data)


def walks_to(network: Network, goals: Goals, at_node: Walks, limit_s: int) -> Walks:
    """
    Stops from which one walks to each goal within a limit, and the goal's own stops.

    `at_node` is from `walks_from_stops`, and is not read in a territory without streets.
    """
    if network.has_streets:
        walks = _along_streets(goals, at_node, limit_s)
    else:
        t, stop = network.timetable, np.flatnonzero(network.ground.stop_node >= 0)
        place, near, seconds = walks_between(
            (goals.lat, goals.lon), (t.stop_lat[stop], t.stop_lon[stop]), limit_s,
            network.speeds.foot_mps,
        )  # fmt: skip
        counts = np.bincount(place, minlength=len(goals))
        first = np.r_[0, np.cumsum(counts)].astype(np.int32)
        walks = Walks(first, stop[near].astype(np.int32), seconds)
    return _with_own_stops(walks, goals)


def _along_streets(goals: Goals, at_node: Walks, limit_s: int) -> Walks:
    counts = np.diff(at_node.first, append=at_node.first[-1])  # none at NO_NODE, the last
    room = int(counts[goals.end_node].sum())
    first = np.empty(len(goals) + 1, np.int32)
    stop, seconds = np.empty(room, np.int32), np.empty(room, np.int32)
    found = walks_by_end(goals.end_node, goals.end_s, at_node, limit_s, first, stop, seconds)
    assert found <= room
    return Walks(first, stop[:found], seconds[:found])


def _with_own_stops(walks: Walks, goals: Goals) -> Walks:
    own = [(row, stop) for row, stops in enumerate(goals.own_stops) for stop in stops]
    if not own:
        return walks
    place, stop = np.array(own, np.int32).T
    before = walks.first[place]
    counts = np.diff(walks.first) + np.bincount(place, minlength=len(goals))
    first = np.r_[0, np.cumsum(counts)].astype(np.int32)
    return Walks(first, np.insert(walks.to, before, stop), np.insert(walks.seconds, before, 0))
