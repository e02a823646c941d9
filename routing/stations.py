"""
The inside of stations: pathways become edges that hang from the streets by the entrances.

A platform that pathways join to an entrance, in and out, is reached by them alone; any other
stays on the street as if its station had no pathways, and a finding says so. Boarding areas are
one with their platform.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from core.geo import Coordinate, distance_m
from gtfs_data.checks import Findings
from gtfs_data.enums import BOARDING_AREA, ENTRANCE, PathwayMode
from gtfs_data.store import Texts
from gtfs_data.timetable import NONE, Timetable
from routing.street.elevators import ELEVATOR_S
from routing.street.graph import KINDS, NO_ELEVATOR, Streets, with_edges
from routing.street.kernels import NO_ACCESS
from routing.street.rules import Speeds
from routing.street.step_free import StepFree, fits

GATE_S = 5
STAIR_S = 0.6
"""Per step: a hundred steps a minute."""
MOVING_MPS = 0.5
"""Escalators and moving sidewalks, standing: the usual speed of EN 115."""
STEPS = (PathwayMode.STAIRS, PathwayMode.ESCALATOR)
AT_OWN_PACE = (PathwayMode.WALKWAY, PathwayMode.FARE_GATE, PathwayMode.EXIT_GATE)
KIND_OF_MODE = {
    PathwayMode.WALKWAY: "corridor",
    PathwayMode.STAIRS: "steps",
    PathwayMode.MOVING_SIDEWALK: "moving_walkway",
    PathwayMode.ESCALATOR: "escalator",
    PathwayMode.ELEVATOR: "elevator",
    PathwayMode.FARE_GATE: "gate",
    PathwayMode.EXIT_GATE: "gate",
}

Int32 = npt.NDArray[np.int32]
Bool = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Stations:
    """What the streets hold of stations: edges from `first_edge` on."""

    first_edge: Int32
    """Shape (1,): edges of the street map stand below."""
    edge_pathway: Int32
    """Row of the timetable's pathways by edge, counted from `first_edge`; `NONE` at doors."""
    indoors: npt.NDArray[np.uint8]
    """Shape (stop_count,): 1 where a platform is reached by pathways alone."""
    open_node: Int32
    """Street nodes between which one walks straight, in a territory without a street map."""


def stations_of(streets: Streets, edge_pathway: Int32, indoors: Bool, open_node: Int32) -> Stations:
    """Remember what was added to `streets`."""
    first_edge = np.array([len(streets.edge_from)], np.int32)
    return Stations(first_edge, edge_pathway, indoors.astype(np.uint8), open_node)


@dataclass(frozen=True, slots=True)
class Elevator:
    """An elevator that may be out of service; its id is that of its pathway, or of OSM."""

    id: str
    station: str
    """Name of the station, of the place where it begins, or of the elevator of the map."""
    edges: tuple[int, ...]


def list_elevators(
    timetable: Timetable, streets: Streets, stations: Stations
) -> dict[str, Elevator]:
    """All elevators on which somebody may ride, by id: those of stations, then the map's."""
    t, found = timetable, {}
    for nth in np.flatnonzero(stations.edge_pathway != NONE).tolist():
        pathway = int(stations.edge_pathway[nth])
        if t.pathway_mode[pathway] == PathwayMode.ELEVATOR:
            row = int(t.pathway_from[pathway])
            for _ in range(2):  # a boarding area belongs to a platform, that to a station
                row = int(t.stop_parent[row]) if t.stop_parent[row] != NONE else row
            name = t.pathway_id[pathway]
            edge = int(stations.first_edge[0]) + nth
            found[name] = Elevator(name, t.stop_name[row], (edge,))
    edges_of: dict[int, list[int]] = {}
    on_map = (streets.edge_elevator != NO_ELEVATOR) & (streets.foot_forward_s != NO_ACCESS)
    for edge in np.flatnonzero(on_map).tolist():
        edges_of.setdefault(int(streets.edge_elevator[edge]), []).append(edge)
    for row, edges in sorted(edges_of.items()):
        name = streets.elevator_id[row]
        found[name] = Elevator(name, streets.elevator_name[row], tuple(edges))
    return found


def named_by_stops(streets: Streets, timetable: Timetable) -> Streets:
    """Elevators of the map that have no name get that of the nearest stop."""
    t = timetable
    called = np.unique(t.pattern_stop)
    called = called[np.isfinite(t.stop_lat[called]) & np.isfinite(t.stop_lon[called])]
    names = list(streets.elevator_name)
    for row, name in enumerate(names):
        edge = np.flatnonzero(streets.edge_elevator == row)
        if not name and len(called) and len(edge):
            node = int(streets.edge_from[edge[0]])
            lat, lon = streets.node_lat[node], streets.node_lon[node]
            east = (t.stop_lon[called] - lon) * np.cos(np.radians(lat))
            near = int(called[np.hypot(t.stop_lat[called] - lat, east).argmin()])
            names[row] = t.stop_name[near]
    return replace(streets, elevator_name=Texts.of(names))


class Inside:
    """Places that pathways join, as rows of the timetable's stops."""

    def __init__(self, timetable: Timetable) -> None:
        t = timetable
        self._t = t
        self._whole = np.arange(t.stop_count, dtype=np.int32)
        areas = np.flatnonzero((t.stop_type == BOARDING_AREA) & (t.stop_parent != NONE))
        self._whole[areas] = t.stop_parent[areas]
        self.start = self._whole[t.pathway_from]
        self.end = self._whole[t.pathway_to]
        self.rows = np.unique(np.r_[self.start, self.end]).astype(np.int32)
        called = np.unique(t.pattern_stop)
        homes = np.setdiff1d(t.stop_parent[self.rows], NONE)
        self.platforms = called[np.isin(called, self.rows) | np.isin(t.stop_parent[called], homes)]
        self.entrances = self.rows[t.stop_type[self.rows] == ENTRANCE]

    def indoors(self, tied: Sequence[int], findings: Findings) -> Bool:
        """Shape (stop_count,): platforms joined in and out to entrances on the streets."""
        t = self._t
        reached = self._reached(tied, self.start, self.end)
        left = self._reached(tied, self.end, self.start)
        inside = np.zeros(t.stop_count, bool)
        inside[self.platforms] = (reached & left)[self.platforms]
        for row in self.platforms[~inside[self.platforms]].tolist():
            message = (
                f"{t.stop_name[row]} ({t.stop_id[row]}): no pathways lead there and back from an "
                "entrance near a street: it is reached from the nearest street"
            )
            findings.warning("platform_without_pathway", "pathways.txt", None, message)
        return inside

    def _reached(self, seeds: Sequence[int], start: Int32, end: Int32) -> Bool:
        """Stops that are reached along pathways, all modes, both ways where they go so."""
        from scipy.sparse import csr_array  # noqa: PLC0415 — builds only
        from scipy.sparse.csgraph import breadth_first_order  # noqa: PLC0415 — builds only

        t, count = self._t, self._t.stop_count
        both = t.pathway_both_ways == 1
        tail, head = np.r_[start, end[both]], np.r_[end, start[both]]
        # One more node leads to all seeds.
        tail, head = np.r_[tail, np.full(len(seeds), count)], np.r_[head, list(seeds)]
        ones = np.ones(len(tail), np.int8)
        shape = (count + 1, count + 1)
        graph = csr_array((ones, (tail.astype(np.int32), head.astype(np.int32))), shape=shape)
        reached = np.zeros(count + 1, bool)
        reached[breadth_first_order(graph, count, return_predecessors=False)] = True
        return reached[:count]

    def place(self, row: int) -> Coordinate | None:
        """Where a row is; nodes without coordinates stand where what they belong to does."""
        t = self._t
        for at in (row, int(t.stop_parent[row])):
            if at != NONE and np.isfinite(t.stop_lat[at]) and np.isfinite(t.stop_lon[at]):
                return Coordinate(float(t.stop_lat[at]), float(t.stop_lon[at]))
        return None


@dataclass(frozen=True, slots=True)
class Door:
    """Where a place inside of a station meets the streets."""

    row: int
    node: int
    away_m: float


def lay_pathways(
    streets: Streets,
    timetable: Timetable,
    inside: Inside,
    doors: Iterable[Door],
    own_nodes: Mapping[int, int],
    speeds: Speeds,
) -> tuple[Streets, dict[int, int], Int32]:
    """
    Add a node for every place inside of stations, and an edge for every pathway and door.

    Parameters
    ----------
    own_nodes
        Rows that have a node of their own already; the others get one.

    Returns
    -------
    streets, nodes, edge_pathway
        Nodes by row; for each added edge its pathway, or `NONE` for a door.
    """
    places = {row: inside.place(row) for row in inside.rows.tolist() if row not in own_nodes}
    new = {row: place for row, place in places.items() if place is not None}
    node = {**own_nodes, **{row: streets.node_count + i for i, row in enumerate(new)}}
    edges = _Edges(timetable, speeds)
    for pathway, ends in enumerate(zip(inside.start.tolist(), inside.end.tolist(), strict=True)):
        if all(row in node for row in ends):
            places_of = [inside.place(row) for row in ends]
            edges.add_pathway(pathway, node[ends[0]], node[ends[1]], _apart_m(*places_of))
    for door in doors:
        if door.row in node:
            edges.add_door(door.node, node[door.row], door.away_m)
    lat = np.r_[streets.node_lat, [p.lat for p in new.values()]]
    lon = np.r_[streets.node_lon, [p.lon for p in new.values()]]
    return edges.on(streets, lat, lon), node, np.array(edges.pathway, np.int32)


def _apart_m(a: Coordinate | None, b: Coordinate | None) -> float:
    return 0.0 if a is None or b is None else distance_m(a, b)


class _Edges:
    """Edges in the making."""

    def __init__(self, timetable: Timetable, speeds: Speeds) -> None:
        self._t = timetable
        self._speeds = speeds
        self._wheel_mps = min(speeds.wheelchair_mps, speeds.foot_mps)
        self._closed = timetable.wheelchair_boarding == StepFree.NO
        self.pathway: list[int] = []
        self._columns: dict[str, list[Any]] = {
            name: []
            for name in (
                "edge_from", "edge_to", "edge_m", "edge_kind", "edge_step_free", "foot_forward_s",
                "foot_backward_s", "wheelchair_forward_s", "wheelchair_backward_s",
            )
        }  # fmt: skip

    def add_pathway(self, pathway: int, start: int, end: int, apart_m: float) -> None:
        """One pathway; with steps, too steep, too narrow or at a shut door it is not for wheels."""
        t = self._t
        mode = PathwayMode(int(t.pathway_mode[pathway]))
        foot_s = self._foot_s(pathway, mode, apart_m)
        wheel_s = foot_s
        if mode in AT_OWN_PACE:
            wheel_s = max(foot_s, round(foot_s * self._speeds.foot_mps / self._wheel_mps))
        slope, width_m = float(t.pathway_slope[pathway]), float(t.pathway_width_m[pathway])
        shut = bool(self._closed[[t.pathway_from[pathway], t.pathway_to[pathway]]].any())
        free = mode not in STEPS and fits(slope, width_m) and not shut
        both = bool(t.pathway_both_ways[pathway]) and mode is not PathwayMode.EXIT_GATE
        given_m = float(t.pathway_m[pathway])
        self.pathway.append(pathway)
        self._add(
            (start, end), given_m if given_m >= 0 else apart_m, KIND_OF_MODE[mode],
            StepFree.YES if free else StepFree.NO, (foot_s, wheel_s if free else NO_ACCESS), both,
        )  # fmt: skip

    def add_door(self, street: int, inner: int, away_m: float) -> None:
        """The few steps between a street and an entrance."""
        foot_s = max(1, round(away_m / self._speeds.foot_mps))
        wheel_s = max(foot_s, round(away_m / self._wheel_mps))
        self.pathway.append(NONE)
        ends = (street, inner)
        self._add(ends, away_m, "corridor", StepFree.UNKNOWN, (foot_s, wheel_s), both=True)

    def _foot_s(self, pathway: int, mode: PathwayMode, apart_m: float) -> int:
        t = self._t
        given_s, metres = int(t.pathway_s[pathway]), float(t.pathway_m[pathway])
        metres = metres if metres > 0 else apart_m
        if given_s > 0:
            return given_s
        if mode is PathwayMode.ELEVATOR:
            return ELEVATOR_S
        if mode in (PathwayMode.FARE_GATE, PathwayMode.EXIT_GATE):
            return GATE_S
        if mode is PathwayMode.STAIRS:
            steps_s = float(t.pathway_stairs[pathway]) * STAIR_S
            return max(1, round(max(steps_s, metres / self._speeds.foot_mps)))
        moving = mode in (PathwayMode.ESCALATOR, PathwayMode.MOVING_SIDEWALK)
        return max(1, round(metres / (MOVING_MPS if moving else self._speeds.foot_mps)))

    def _add(
        self,
        ends: tuple[int, int],
        metres: float,
        kind: str,
        step_free: StepFree,
        seconds: tuple[int, int],
        both: bool,  # noqa: FBT001 — the only caller names it
    ) -> None:
        back = seconds if both else (NO_ACCESS, NO_ACCESS)
        values = (
            *ends, metres, KINDS.index(kind), step_free, seconds[0], back[0], seconds[1], back[1]
        )  # fmt: skip
        for column, value in zip(self._columns.values(), values, strict=True):
            column.append(value)

    def on(self, streets: Streets, lat: npt.NDArray[Any], lon: npt.NDArray[Any]) -> Streets:
        """Streets with the edges at their end; nobody rides or drives there."""
        return with_edges(streets, lat, lon, self._columns)
