"""Streets, shapes and places of an extract → features for the base map's tiles, one a line."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import orjson

from routing.street.osm import MapShape, NamedPlace, RawStreets

FIRST_ZOOM, LAST_ZOOM = 6, 14
"""Pages draw the last zoom's tiles larger beyond it."""
DECIMALS = 6
ROAD_CLASS = {
    **{kind: kind for kind in ("motorway", "trunk", "primary", "secondary", "tertiary", "service")},
    **dict.fromkeys(("unclassified", "residential", "living_street", "pedestrian"), "minor"),
    **dict.fromkeys(("footway", "path", "steps", "cycleway", "track"), "path"),
}
"""OSM's highway, without _link → class on the map; other highways are not drawn."""
ROAD_FROM_ZOOM = {
    "motorway": 6, "trunk": 6, "primary": 8, "secondary": 9, "tertiary": 11, "minor": 12,
    "service": 13, "path": 13,
}  # fmt: skip
PLACE_FROM_ZOOM = {
    "city": 6, "town": 7, "village": 10, "suburb": 11, "hamlet": 12, "quarter": 13,
    "neighbourhood": 13,
}  # fmt: skip
SHAPE_FROM_ZOOM = {"river": 8, "water": 6, "green": 8, "rail": 10}
AREAS = ("water", "green")


def basemap_features(
    raw: RawStreets, shapes: Iterable[MapShape], places: Iterable[NamedPlace]
) -> Iterator[bytes]:
    """Features in tippecanoe's layers road, river, water, green, rail and place."""
    yield from _roads(raw)
    for shape in shapes:
        lines = [np.round(part[:, ::-1], DECIMALS) for part in shape.parts]
        area = shape.kind in AREAS
        geometry = ("Polygon", lines) if area else ("LineString", lines[0])
        yield _feature(geometry, shape.kind, SHAPE_FROM_ZOOM[shape.kind], {})
    for place in places:
        zoom = PLACE_FROM_ZOOM.get(place.kind)
        if zoom is not None:
            about = {"name": place.name, "class": place.kind}
            yield _feature(("Point", [place.lon, place.lat]), "place", zoom, about)


def _roads(raw: RawStreets) -> Iterator[bytes]:
    points = np.round(np.column_stack([raw.lon, raw.lat])[raw.way_node], DECIMALS)
    for way, tags in enumerate(raw.way_tags):
        shown = ROAD_CLASS.get(tags.get("highway", "").removesuffix("_link"))
        if shown is None:
            continue
        about = {"class": shown}
        if name := tags.get("name") or tags.get("ref"):
            about["name"] = name
        line = points[raw.way_first[way] : raw.way_first[way + 1]]
        yield _feature(("LineString", line), "road", ROAD_FROM_ZOOM[shown], about)


def _feature(
    geometry: tuple[str, Any], layer: str, from_zoom: int, properties: dict[str, str]
) -> bytes:
    kind, coordinates = geometry
    feature = {
        "type": "Feature",
        "tippecanoe": {"layer": layer, "minzoom": from_zoom},
        "geometry": {"type": kind, "coordinates": coordinates},
        "properties": properties,
    }
    return orjson.dumps(feature, option=orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_APPEND_NEWLINE)
