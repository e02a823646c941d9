"""Streets → the simple base map of the page: roads by class, waters and settlements as GeoJSON."""

from __future__ import annotations

from typing import Any

import numpy as np

from routing.street.graph import KINDS, Streets
from routing.street.osm import RawStreets

MAJOR = ("motorway", "trunk", "primary", "secondary", "tertiary")
PATHS = ("footway", "path", "steps", "cycleway", "track", "pedestrian")
FEATURE_LIMIT = 60_000
"""Beyond this, streets below tertiary are left out: pages fetch the map whole."""
PLACE_RANKS = {"city": "city", "town": "town", "village": "village", "suburb": "suburb"}
DECIMALS = 5


def build_basemap(streets: Streets, raw: RawStreets) -> dict[str, Any]:
    """Feature collection with properties kind (road, water, place), class, name, rank."""
    minor = len(streets.edge_from) <= FEATURE_LIMIT
    features = [
        *(_road(streets, edge) for edge in _shown(streets, with_minor=minor)),
        *(
            _feature("LineString", np.round(w[:, ::-1], DECIMALS).tolist(), {"kind": "water"})
            for w in raw.waters
        ),
        *(
            _feature(
                "Point",
                [p.lon, p.lat],
                {"kind": "place", "name": p.name, "rank": PLACE_RANKS[p.kind]},
            )
            for p in raw.places
            if p.kind in PLACE_RANKS
        ),
    ]
    return {"type": "FeatureCollection", "features": features}


def _shown(streets: Streets, *, with_minor: bool) -> list[int]:
    kinds = [KINDS[k] for k in streets.edge_kind.tolist()]
    return [
        edge for edge, kind in enumerate(kinds) if kind in MAJOR or (with_minor and kind != "other")
    ]


def _road(streets: Streets, edge: int) -> dict[str, Any]:
    a, b = int(streets.edge_first_point[edge]), int(streets.edge_first_point[edge + 1])
    line = np.column_stack([streets.point_lon[a:b], streets.point_lat[a:b]])
    kind = KINDS[streets.edge_kind[edge]]
    shown = kind if kind in MAJOR else "path" if kind in PATHS else "minor"
    properties = {"kind": "road", "class": shown}
    name = streets.names[streets.edge_name[edge]]
    if name:
        properties["name"] = name
    return _feature("LineString", np.round(line, DECIMALS).tolist(), properties)


def _feature(kind: str, coordinates: Any, properties: dict[str, str]) -> dict[str, Any]:  # noqa: ANN401
    return {
        "type": "Feature",
        "geometry": {"type": kind, "coordinates": coordinates},
        "properties": properties,
    }
