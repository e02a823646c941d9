"""
Streets: edges between junctions, split where stops and meeting points stand.

Raw ways (from `routing.street.osm`, or through osmnx, whose one door this is) become one set of
nodes and edges with whole seconds per profile and direction. Places that are known when the
snapshot is built become nodes, so that sums of seconds along a path are exact integers whatever
the place at which one boards.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from core.errors import Unavailable
from core.geo import METRES_PER_DEGREE
from gtfs_data.store import Texts
from routing.street.elevators import Shaft, part_floors, spokes
from routing.street.kernels import NO_ACCESS, Arcs
from routing.street.osm import (
    ELEVATOR,
    ELEVATOR_TAGS,
    RawStreets,
    UnreadableStreets,
    raw_streets,
)
from routing.street.osm_write import OsmNode, OsmWay, write_osm
from routing.street.rules import Speeds, use_of_way
from routing.street.ways import Edges

Int32 = npt.NDArray[np.int32]
Float64 = npt.NDArray[np.float64]

PROFILES = ("foot", "bike", "car", "wheelchair")
DIRECTIONS = ("forward", "backward")
KINDS = (
    "motorway", "trunk", "primary", "secondary", "tertiary", "unclassified", "residential",
    "living_street", "service", "track", "pedestrian", "footway", "path", "steps", "cycleway",
    "elevator", "escalator", "moving_walkway", "corridor", "gate", "other",
)  # fmt: skip
NO_ELEVATOR = -1


@dataclass(frozen=True, slots=True)
class Streets:
    """Nodes, edges and their shapes; seconds are `NO_ACCESS` where a profile may not go."""

    node_lat: Float64
    node_lon: Float64
    edge_from: Int32
    edge_to: Int32
    edge_m: Float64
    edge_kind: Int32
    """Row of `KINDS`."""
    edge_name: Int32
    """Row of `names`; 0 is no name."""
    edge_may_stop: npt.NDArray[np.uint8]
    """1 where a car may stop to let a rider in or out."""
    edge_toll: npt.NDArray[np.uint8]
    """1 where a car pays for driving."""
    foot_forward_s: Int32
    foot_backward_s: Int32
    bike_forward_s: Int32
    bike_backward_s: Int32
    car_forward_s: Int32
    car_backward_s: Int32
    wheelchair_forward_s: Int32
    wheelchair_backward_s: Int32
    edge_step_free: npt.NDArray[np.uint8]
    """`StepFree` of every edge."""
    edge_elevator: Int32
    """Row of `elevator_id`, or `NO_ELEVATOR`: also where the elevator is a feed's."""
    elevator_id: Texts
    """``osm:node/12`` or ``osm:way/12``."""
    elevator_name: Texts
    """Of the elevator itself or, once stops are known, of the nearest one."""
    edge_first_point: Int32
    """Shape (edge_count + 1,)."""
    point_lat: Float64
    point_lon: Float64
    names: Texts

    @property
    def node_count(self) -> int:
        """Number of nodes."""
        return len(self.node_lat)

    @property
    def edges(self) -> Edges:
        """What the drawing of a way reads."""
        return Edges(
            self.edge_from, self.edge_to, self.edge_first_point, self.point_lat, self.point_lon
        )

    def seconds(self, profile: str, direction: str) -> Int32:
        """Seconds of every edge for a profile and direction."""
        array: Int32 = getattr(self, f"{profile}_{direction}_s")
        return array


def build_streets(raw: RawStreets, speeds: Speeds) -> Streets:
    """Cut ways at junctions, price them in seconds and keep each profile's connected part."""
    uses = [use_of_way(tags, speeds) for tags in raw.way_tags]
    raw, shafts = part_floors(raw, uses)
    kept = np.array([use.used for use in uses])
    way_of_entry = np.repeat(np.arange(len(uses)), np.diff(raw.way_first))
    entry = np.flatnonzero(kept[way_of_entry])
    node, way = raw.way_node[entry], way_of_entry[entry]
    if len(node) == 0:
        raise UnreadableStreets("no way of the extract may be used on foot, by bike or by car")
    begins = np.r_[True, way[1:] != way[:-1]]
    ends = np.r_[begins[1:], True]
    shared = np.bincount(node, minlength=len(raw.lat)) > 1
    shared[[door for shaft in shafts for door in shaft.doors]] = True
    cut = np.flatnonzero(begins | ends | shared[node])
    pair = way[cut[:-1]] == way[cut[1:]]
    a, b = cut[:-1][pair], cut[1:][pair]  # first and last entry of each edge
    length = b - a + 1
    point = np.repeat(a - (np.cumsum(length) - length), length) + np.arange(length.sum())
    lat, lon = raw.lat[node[point]], raw.lon[node[point]]
    junctions, ends_of_edge = np.unique(np.r_[node[a], node[b]], return_inverse=True)
    first_point = np.r_[0, np.cumsum(length)].astype(np.int32)
    metres = _edge_metres(first_point, lat, lon)
    names, kinds = _labels(raw.way_tags)
    edge_way = way[a]
    columns = {
        f"{profile}_{direction}_s": _seconds(
            metres, np.array([_speed(use, profile, direction) for use in uses])[edge_way]
        )
        for profile in PROFILES
        for direction in DIRECTIONS
    }
    streets = Streets(
        node_lat=raw.lat[junctions],
        node_lon=raw.lon[junctions],
        edge_from=ends_of_edge[: len(a)].astype(np.int32),
        edge_to=ends_of_edge[len(a) :].astype(np.int32),
        edge_m=metres,
        edge_kind=kinds[edge_way],
        edge_name=names[1][edge_way],
        edge_may_stop=np.array([u.car_may_stop for u in uses], np.uint8)[edge_way],
        edge_toll=np.array([u.car_toll for u in uses], np.uint8)[edge_way],
        edge_step_free=np.array([u.step_free for u in uses], np.uint8)[edge_way],
        edge_elevator=np.full(len(a), NO_ELEVATOR, np.int32),
        elevator_id=Texts.of([]),
        elevator_name=Texts.of([]),
        edge_first_point=first_point,
        point_lat=lat,
        point_lon=lon,
        names=names[0],
        **columns,
    )
    streets = _with_elevators(streets, shafts, junctions, speeds)
    for profile in PROFILES:
        streets = _largest_part(streets, profile)
    return streets


def _with_elevators(
    streets: Streets, shafts: Sequence[Shaft], junctions: npt.NDArray[np.int64], speeds: Speeds
) -> Streets:
    """Join the floors of elevators; `junctions` are the raw rows of the streets' nodes."""
    if not shafts:
        return streets
    node = {int(row): i for i, row in enumerate(junctions)}
    lat, lon = streets.node_lat, streets.node_lon
    columns, hub_lat, hub_lon = spokes(shafts, node, lat, lon, speeds.foot_mps)
    names = [*streets.names, *(shaft.name for shaft in shafts)]
    own = np.array([0 if not s.name else len(streets.names) + i for i, s in enumerate(shafts)])
    count = len(columns["edge_from"])
    joined = with_edges(
        replace(streets, names=Texts.of(names)),
        np.r_[lat, hub_lat],
        np.r_[lon, hub_lon],
        {
            **columns,
            "edge_kind": [KINDS.index(ELEVATOR)] * count,
            "edge_name": own[columns["edge_elevator"]].tolist(),
        },
    )
    return replace(
        joined,
        elevator_id=Texts.of([shaft.id for shaft in shafts]),
        elevator_name=Texts.of([shaft.name for shaft in shafts]),
    )


def with_edges(
    streets: Streets, lat: Float64, lon: Float64, columns: Mapping[str, Sequence[Any]]
) -> Streets:
    """
    Streets with straight edges at their end; `lat` and `lon` are those of all nodes, then.

    An edge has no name and no elevator where `columns` has none, and whom they do not name may
    not go there.
    """
    count = len(columns["edge_from"])
    ends = np.array([columns["edge_from"], columns["edge_to"]], np.int32).T
    blank: dict[str, int] = dict.fromkeys(("edge_name", "edge_may_stop", "edge_toll"), 0)
    blank["edge_elevator"] = NO_ELEVATOR
    blank |= {f"{profile}_{d}_s": NO_ACCESS for profile in PROFILES for d in DIRECTIONS}
    every = {**{name: [value] * count for name, value in blank.items()}, **columns}
    joined: dict[str, Any] = {
        name: np.r_[getattr(streets, name), values].astype(getattr(streets, name).dtype)
        for name, values in every.items()
    }
    last = streets.edge_first_point[-1]
    return replace(
        streets,
        node_lat=lat,
        node_lon=lon,
        edge_first_point=np.r_[streets.edge_first_point, last + 2 * np.arange(1, count + 1)].astype(
            np.int32
        ),
        point_lat=np.r_[streets.point_lat, lat[ends].reshape(-1)],
        point_lon=np.r_[streets.point_lon, lon[ends].reshape(-1)],
        **joined,
    )


def _speed(use: Any, profile: str, direction: str) -> float:  # noqa: ANN401 — WayUse
    both_ways = profile in ("foot", "wheelchair")
    name = f"{profile}_mps" if both_ways else f"{profile}_{direction}_mps"
    speed: float = getattr(use, name)
    return speed


def _seconds(metres: Float64, mps: Float64) -> Int32:
    usable = mps > 0
    seconds = np.full(len(metres), NO_ACCESS, np.int32)
    seconds[usable] = np.maximum(1, np.rint(metres[usable] / mps[usable]))
    return seconds


def _labels(tags: list[Mapping[str, str]]) -> tuple[tuple[Texts, Int32], Int32]:
    rows: dict[str, int] = {"": 0}
    name = [rows.setdefault(t.get("name") or t.get("ref") or "", len(rows)) for t in tags]
    kind_row = {kind: i for i, kind in enumerate(KINDS)}
    kind = [kind_row.get(t.get("highway", "").removesuffix("_link"), len(KINDS) - 1) for t in tags]
    return (Texts.of(list(rows)), np.array(name, np.int32)), np.array(kind, np.int32)


def step_metres(lat: Float64, lon: Float64) -> Float64:
    """Metres between consecutive points (equirectangular, exact enough below 10 km)."""
    north = np.diff(lat) * METRES_PER_DEGREE
    east = np.diff(lon) * METRES_PER_DEGREE * np.cos(np.radians((lat[1:] + lat[:-1]) / 2))
    metres: Float64 = np.hypot(north, east)
    return metres


def _edge_metres(first_point: Int32, lat: Float64, lon: Float64) -> Float64:
    along = np.r_[0, np.cumsum(step_metres(lat, lon))]
    metres: Float64 = along[first_point[1:] - 1] - along[first_point[:-1]]
    return metres


def _largest_part(streets: Streets, profile: str) -> Streets:
    """Take the profile's access from edges outside its largest strongly connected part."""
    from scipy.sparse import csr_array  # noqa: PLC0415 — builds only
    from scipy.sparse.csgraph import connected_components  # noqa: PLC0415 — builds only

    arcs = profile_arcs(streets, profile)
    count = streets.node_count
    tail = np.repeat(np.arange(count), np.diff(arcs.first))
    graph = csr_array((np.ones(len(tail), np.int8), (tail, arcs.head)), shape=(count, count))
    _, part = connected_components(graph, directed=True, connection="strong")
    inside = part == np.bincount(part).argmax()
    kept = inside[streets.edge_from] & inside[streets.edge_to]
    changes: dict[str, Any] = {
        f"{profile}_{d}_s": np.where(kept, streets.seconds(profile, d), NO_ACCESS).astype(np.int32)
        for d in DIRECTIONS
    }
    if profile == "car":
        changes["edge_may_stop"] = (kept & (streets.edge_may_stop == 1)).astype(np.uint8)
    return replace(streets, **changes)


def profile_arcs(streets: Streets, profile: str, *, reverse: bool = False) -> Arcs:
    """Directed arcs of a profile by tail node; `reverse` turns every arc round."""
    tails, heads, seconds, ways = [], [], [], []
    for bit, direction in enumerate(DIRECTIONS):
        s = streets.seconds(profile, direction)
        edge = np.flatnonzero(s != NO_ACCESS)
        ends = (streets.edge_from[edge], streets.edge_to[edge])
        tail, head = ends if bit == 0 else ends[::-1]
        tails.append(head if reverse else tail)
        heads.append(tail if reverse else head)
        seconds.append(s[edge])
        ways.append(edge * 2 + bit)
    tail = np.concatenate(tails)
    order = np.argsort(tail, kind="stable")
    first = np.r_[0, np.cumsum(np.bincount(tail, minlength=streets.node_count))]
    return Arcs(
        first.astype(np.int32),
        np.concatenate(heads)[order].astype(np.int32),
        np.concatenate(seconds)[order].astype(np.int32),
        np.concatenate(ways)[order].astype(np.int32),
    )


OSMNX_TAGS = (
    "highway", "name", "ref", "maxspeed", "access", "foot", "bicycle", "vehicle", "motor_vehicle",
    "motorcar", "junction", "tunnel", "bridge", "area", "oneway", "oneway:bicycle", "cycleway",
    "wheelchair", "kerb", "incline", "smoothness", "width", "toll", "toll:motorcar", "level",
    "layer",
)  # fmt: skip
"""Tags that the rules read, and that osmnx must therefore keep."""


class StreetsUnavailable(Unavailable):
    """The streets of a place cannot be downloaded."""

    code = "streets_unavailable"


def read_osmnx(*, place: str | None = None, xml: Path | None = None) -> RawStreets:
    """
    Read streets through osmnx: a place by its name (from the network), or an OSM XML file.

    osmnx gives a graph with an edge per direction and pair of nodes; each becomes a way of two
    nodes, so that the rules and everything after are those of any other extract.
    """
    if xml is not None and not xml.is_file():
        raise UnreadableStreets(f"cannot read OSM extract {xml}: no such file")
    graph = _osmnx_graph(place, xml)
    refs: list[int] = []
    first = [0]
    ways: list[Mapping[str, str]] = []
    way_ids: list[int] = []
    for u, v, way_id, tags in _osmnx_ways(graph):
        refs += [u, v]
        first.append(len(refs))
        ways.append(tags)
        way_ids.append(way_id)
    where = {node: (data["y"], data["x"]) for node, data in graph.nodes(data=True)}
    elevators = {node: tags for node, data in graph.nodes(data=True) if (tags := _ridden(data))}
    return raw_streets(refs, first, ways, where, way_ids=way_ids, elevators=elevators)


def _ridden(data: Mapping[str, Any]) -> dict[str, str]:
    """Tags of a node that is an elevator, or nothing."""
    if data.get("highway") != ELEVATOR:
        return {}
    return {k: str(data[k]) for k in sorted(ELEVATOR_TAGS) if data.get(k) is not None}


def download_place(place: str, path: Path) -> Path:
    """
    Download the streets of a place by its name and write them as an OSM file.

    Names of villages and waters do not come along: only ways, cut at each of their nodes.

    Raises
    ------
    StreetsUnavailable
        There is no network, the server refuses, or it knows no such place.
    """
    try:
        graph = _osmnx_graph(place, None)
    except (OSError, ValueError, TypeError) as error:  # requests' errors are OSErrors
        raise StreetsUnavailable(
            f"the streets of {place!r} cannot be downloaded: {error}. Try a fuller name "
            '("Foix, Ariège, France"), or give a file with --osm'
        ) from error
    nodes = [
        OsmNode(int(n), data["y"], data["x"], _ridden(data)) for n, data in graph.nodes(data=True)
    ]
    ways = [
        OsmWay(row, (int(u), int(v)), tags)
        for row, (u, v, _, tags) in enumerate(_osmnx_ways(graph), start=1)
    ]
    draft = path.with_name(f".draft-{path.name}")
    write_osm(draft, nodes, ways, generator="Mobility, from OpenStreetMap through osmnx")
    return draft.replace(path)


def _osmnx_graph(place: str | None, xml: Path | None) -> Any:  # noqa: ANN401 — networkx graph
    import osmnx  # noqa: PLC0415 — slow to import, and rarely needed

    osmnx.settings.useful_tags_way = list(OSMNX_TAGS)
    osmnx.settings.useful_tags_node = sorted(ELEVATOR_TAGS)
    osmnx.settings.use_cache = False  # it would lie in whatever folder one stands
    if xml is not None:
        return osmnx.graph_from_xml(xml, bidirectional=False, simplify=False, retain_all=True)
    return osmnx.graph_from_place(place, network_type="all", simplify=False, retain_all=True)


def _osmnx_ways(graph: Any) -> Iterator[tuple[int, int, int, dict[str, str]]]:  # noqa: ANN401
    """Both nodes, the OSM way and the tags of every street of a graph, each told once."""
    for u, v, data in graph.edges(data=True):
        if data.get("reversed") is True and not data.get("oneway"):
            continue  # the same street, told again the other way round
        tags = {k: str(data[k]) for k in OSMNX_TAGS if data.get(k) is not None and k != "oneway"}
        if data.get("oneway") is True:
            tags["oneway"] = "yes"
        yield u, v, int(data["osmid"]), tags
