"""
OSM extracts → raw ways, named places and shapes to draw: the one door to osmium (reading).

A truncated file raises only at its end, so everything is read before anything is built.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt
import osmium

from core.errors import InvalidInput

WAY_TAGS = frozenset(
    {
        "highway", "name", "ref", "oneway", "oneway:bicycle", "cycleway", "maxspeed", "access",
        "foot", "bicycle", "vehicle", "motor_vehicle", "motorcar", "junction", "tunnel",
        "bridge", "area", "route", "wheelchair", "kerb", "incline", "smoothness", "width", "toll",
        "toll:motorcar", "level", "layer",
    }
)  # fmt: skip
ELEVATOR = "elevator"
"""Value of highway, of nodes and of ways."""
ELEVATOR_TAGS = frozenset({"highway", "name", "ref", "access", "foot", "wheelchair", "width"})
PLACE_KINDS = frozenset(
    {"city", "town", "village", "hamlet", "suburb", "quarter", "neighbourhood", "locality"}
)
POI_KEYS = ("amenity", "shop", "leisure", "tourism", "office", "railway")
_DULL = frozenset(
    {
        "bench", "parking_space", "waste_basket", "recycling", "bicycle_parking", "parking",
        "level_crossing", "crossing", "switch", "signal", "vending_machine", "post_box",
    }
)  # fmt: skip


RIVERS = frozenset({"river", "canal", "stream"})
RAILS = frozenset({"rail", "light_rail", "subway", "tram", "narrow_gauge"})
AREAS = {
    "natural": {"water": "water", "wood": "green", "scrub": "green", "grassland": "green"},
    "waterway": {"riverbank": "water", "dock": "water"},
    "landuse": {
        "reservoir": "water", "basin": "water", "forest": "green", "grass": "green",
        "meadow": "green", "village_green": "green", "recreation_ground": "green",
        "cemetery": "green",
    },
    "leisure": {"park": "green", "garden": "green", "golf_course": "green"},
}  # fmt: skip
"""Key and value of an area → its kind on the base map."""


class UnreadableStreets(InvalidInput):
    """The OSM extract cannot be read to its end."""

    code = "unreadable_streets"


@dataclass(frozen=True, slots=True)
class NamedPlace:
    """A named point of the map, for search by name and for the base map."""

    name: str
    kind: str
    """OSM value: city, village, hospital, supermarket …"""
    lat: float
    lon: float


@dataclass(frozen=True, slots=True)
class MapShape:
    """Something to draw on the base map beside streets and places."""

    kind: str
    """river and rail are lines, water and green are areas."""
    parts: tuple[npt.NDArray[np.float64], ...]
    """Shape (n, 2) each: latitude, longitude. One line, or an outer ring and its holes."""


@dataclass(frozen=True, slots=True)
class RawElevator:
    """An elevator of the map: one of its nodes, or a way, often the outline of the cabin."""

    id: str
    """``osm:node/12`` or ``osm:way/12``."""
    tags: Mapping[str, str]
    rows: tuple[int, ...]
    """Nodes, as rows of `RawStreets.lat`."""
    is_way: bool


@dataclass(frozen=True, slots=True)
class RawStreets:
    """Ways with highway tags, named places and shapes of an extract."""

    lat: npt.NDArray[np.float64]
    lon: npt.NDArray[np.float64]
    """Shape (node_count,)."""
    way_first: npt.NDArray[np.int64]
    """Shape (way_count + 1,): row of each way's first entry in `way_node`."""
    way_node: npt.NDArray[np.int64]
    """Rows of `lat` and `lon`."""
    way_tags: list[Mapping[str, str]]
    way_id: npt.NDArray[np.int64]
    """Shape (way_count,): ids of OSM; pieces of one way may be several ways here."""
    elevators: list[RawElevator] = field(default_factory=list)
    places: list[NamedPlace] = field(default_factory=list)
    shapes: list[MapShape] = field(default_factory=list)


def read_osm(path: Path) -> RawStreets:
    """
    Read a PBF (or OSM XML) extract.

    Raises
    ------
    UnreadableStreets
        The file is absent, truncated or not OSM data.
    """
    refs: list[int] = []
    first = [0]
    tags: list[Mapping[str, str]] = []
    way_ids: list[int] = []
    where: dict[int, tuple[float, float]] = {}
    elevators: dict[int, Mapping[str, str]] = {}
    places: list[NamedPlace] = []
    shapes: list[MapShape] = []
    wanted = osmium.filter.KeyFilter("highway", "waterway", "place", *POI_KEYS)
    try:
        objects = osmium.FileProcessor(str(path)).with_locations().with_filter(wanted)
        for item in objects:
            if item.is_node():
                place = _place(item.tags, item.location.lat, item.location.lon)
                places += [place] if place else []
                if item.tags.get("highway") == ELEVATOR:
                    elevators[item.id] = {t.k: t.v for t in item.tags if t.k in ELEVATOR_TAGS}
            elif item.is_way():
                points = [(n.ref, n.location) for n in item.nodes]
                known = [(r, loc.lat, loc.lon) for r, loc in points if loc.valid()]
                if len(known) < 2:
                    continue
                if "highway" in item.tags:
                    refs.extend(r for r, _, _ in known)
                    where.update((r, (lat, lon)) for r, lat, lon in known)
                    first.append(len(refs))
                    tags.append({t.k: t.v for t in item.tags if t.k in WAY_TAGS})
                    way_ids.append(item.id)
                elif (kind := _line_kind(item.tags)) is not None:
                    shapes.append(MapShape(kind, (np.array([k[1:] for k in known]),)))
                else:
                    middle = known[len(known) // 2]
                    place = _place(item.tags, middle[1], middle[2])
                    places += [place] if place else []
    except (RuntimeError, OSError, ValueError) as error:
        raise UnreadableStreets(f"cannot read OSM extract {path}: {error}") from error
    return raw_streets(
        refs, first, tags, where, way_ids=way_ids, elevators=elevators, places=places,
        shapes=shapes,
    )  # fmt: skip


def read_areas(path: Path) -> list[MapShape]:
    """
    Read the waters and greens of an extract: closed ways and multipolygons.

    Raises
    ------
    UnreadableStreets
        The file cannot be read, or its objects do not stand in the order of their ids.
    """
    wanted = osmium.filter.KeyFilter(*AREAS)
    areas = osmium.FileProcessor(str(path)).with_areas(wanted).with_filter(wanted)
    try:
        return [shape for item in areas if item.is_area() for shape in _areas(item)]
    except (RuntimeError, OSError, ValueError) as error:
        raise UnreadableStreets(f"cannot read the areas of {path}: {error}") from error


def raw_streets(
    refs: list[int],
    first: list[int],
    tags: list[Mapping[str, str]],
    where: Mapping[int, tuple[float, float]],
    *,
    way_ids: Sequence[int] = (),
    elevators: Mapping[int, Mapping[str, str]] | None = None,
    places: Iterable[NamedPlace] = (),
    shapes: Iterable[MapShape] = (),
) -> RawStreets:
    """
    Number the nodes of ways given by OSM node ids (`refs`) and their places.

    `elevators` are tags of nodes by their ids; without `way_ids` ways are numbered from 1.
    """
    ids, way_node = np.unique(np.array(refs, np.int64), return_inverse=True)
    if len(ids) == 0:
        raise UnreadableStreets("the extract holds no way with a highway tag")
    places_of = np.array([where[i] for i in ids.tolist()])
    way_id = np.array(way_ids or range(1, len(tags) + 1), np.int64)
    found = {f"osm:node/{i}": (own, [i], False) for i, own in (elevators or {}).items()}
    for way, own in enumerate(tags):
        if own.get("highway") == ELEVATOR:
            _, nodes, _ = found.setdefault(f"osm:way/{way_id[way]}", (own, [], True))
            nodes += refs[first[way] : first[way + 1]]
    row = {i: k for k, i in enumerate(ids.tolist())} if found else {}
    return RawStreets(
        lat=places_of[:, 0],
        lon=places_of[:, 1],
        way_first=np.array(first, np.int64),
        way_node=way_node,
        way_tags=tags,
        way_id=way_id,
        elevators=[
            RawElevator(name, own, tuple(row[i] for i in dict.fromkeys(nodes) if i in row), is_way)
            for name, (own, nodes, is_way) in found.items()
        ],
        places=list(places),
        shapes=list(shapes),
    )


def _place(tags: osmium.osm.TagList, lat: float, lon: float) -> NamedPlace | None:
    name = tags.get("name")
    if not name:
        return None
    kind = tags.get("place")
    if kind in PLACE_KINDS:
        return NamedPlace(name, str(kind), lat, lon)
    for key in POI_KEYS:
        value = tags.get(key)
        if value and value not in _DULL:
            return NamedPlace(name, str(value), lat, lon)
    return None


def _line_kind(tags: osmium.osm.TagList) -> str | None:
    if tags.get("waterway") in RIVERS:
        return "river"
    return "rail" if tags.get("railway") in RAILS else None


def _areas(area: osmium.osm.Area) -> Iterator[MapShape]:
    """Outer rings of a closed way or multipolygon, each with its holes; none of another kind."""
    kinds = (AREAS[key].get(area.tags[key]) for key in AREAS if key in area.tags)
    kind = next(filter(None, kinds), None)
    if kind is None:
        return
    for outer in area.outer_rings():
        rings = (outer, *area.inner_rings(outer))
        yield MapShape(kind, tuple(np.array([(n.lat, n.lon) for n in ring]) for ring in rings))
