"""The look of the base map, light and dark: MapLibre styles over the tiles of the snapshot."""

from __future__ import annotations

from typing import Any, Literal

Scheme = Literal["light", "dark"]
Expression = list[Any]

SOURCE = "base"
PALETTE: dict[Scheme, dict[str, str]] = {
    "light": {
        "land": "#e4ebe6", "green": "#cfe3cc", "water": "#b3d5e3", "rail": "#a9b4b1",
        "road": "#ffffff", "edge": "#b3c1ba", "major": "#ffefc4", "major_edge": "#d3bb7c",
        "path": "#aebdb5", "street_text": "#5a6a66", "text": "#1f3236", "quiet_text": "#56686b",
        "halo": "#f6faf7",
    },
    "dark": {
        "land": "#162020", "green": "#1a2c24", "water": "#113c4b", "rail": "#3b4a4a",
        "road": "#3c504f", "edge": "#0d1514", "major": "#5a5e46", "major_edge": "#12170f",
        "path": "#384a46", "street_text": "#a3b5b2", "text": "#e3eeec", "quiet_text": "#9fb3b2",
        "halo": "#101918",
    },
}  # fmt: skip
FONT = "Atkinson Hyperlegible Next Variable"
"""The page's own. Styles name no glyph server: MapLibre draws letters with the reader's fonts."""
MAJOR = ("motorway", "trunk", "primary")
ROUND = {"line-cap": "round", "line-join": "round"}


def map_style(scheme: Scheme, *, name: str, tiles: str | None, credit: str) -> dict[str, Any]:
    """
    Style document of a territory's base map.

    `tiles` is the address of the PMTiles archive; without one there is only a plain ground.
    """
    colour = PALETTE[scheme]
    ground = {"id": "land", "type": "background", "paint": {"background-color": colour["land"]}}
    style: dict[str, Any] = {"version": 8, "name": f"{name}, {scheme}", "sources": {}}
    if tiles is None:
        return style | {"layers": [ground]}
    source = {"type": "vector", "url": f"pmtiles://{tiles}", "attribution": credit}
    layers = [ground, *_ground_layers(colour), *_road_layers(colour), *_name_layers(colour)]
    return style | {"sources": {SOURCE: source}, "layers": layers}


def _layer(name: str, kind: str, source_layer: str, **more: Any) -> dict[str, Any]:  # noqa: ANN401 — style values
    return {"id": name, "type": kind, "source": SOURCE, "source-layer": source_layer, **more}


def _ground_layers(colour: dict[str, str]) -> list[dict[str, Any]]:
    river = {"line-color": colour["water"], "line-width": _by_zoom((8, 0.8), (14, 5), (17, 16))}
    rail = {"line-color": colour["rail"], "line-width": _by_zoom((10, 0.6), (14, 1.4), (17, 3))}
    return [
        _layer("green", "fill", "green", paint={"fill-color": colour["green"]}),
        _layer("water", "fill", "water", paint={"fill-color": colour["water"]}),
        _layer("rivers", "line", "river", layout=ROUND, paint=river),
        _layer("rails", "line", "rail", paint=rail),
    ]


def _road_layers(colour: dict[str, str]) -> list[dict[str, Any]]:
    is_path: Expression = ["==", ["get", "class"], "path"]
    is_major: Expression = ["in", ["get", "class"], ["literal", MAJOR]]
    order = {"line-sort-key": _by_class(6, 5, 4, 3, 2, 1)}
    dashes = {
        "line-color": colour["path"], "line-width": _by_zoom((13, 0.8), (17, 2.2)),
        "line-dasharray": [2, 1.4],
    }  # fmt: skip
    edge = {
        "line-color": ["case", is_major, colour["major_edge"], colour["edge"]],
        "line-width": _road_width(1.4),
    }
    road = {
        "line-color": ["case", is_major, colour["major"], colour["road"]],
        "line-width": _road_width(0),
    }
    return [
        _layer("paths", "line", "road", minzoom=13, filter=is_path, layout=ROUND, paint=dashes),
        _layer(
            "road-edges", "line", "road", minzoom=9, filter=["!", is_path],
            layout=ROUND | order, paint=edge,
        ),
        _layer("roads", "line", "road", filter=["!", is_path], layout=ROUND | order, paint=road),
    ]  # fmt: skip


def _name_layers(colour: dict[str, str]) -> list[dict[str, Any]]:
    streets = {
        "symbol-placement": "line", "text-field": ["get", "name"], "text-font": [FONT],
        "text-size": _by_zoom((13, 11), (17, 14.5)), "text-max-angle": 35, "text-padding": 6,
        "symbol-sort-key": _by_class(1, 2, 3, 4, 5, 6), "symbol-spacing": 320,
    }  # fmt: skip
    is_path: Expression = ["==", ["get", "class"], "path"]
    street_ink = {
        "text-color": colour["street_text"], "text-halo-color": colour["halo"],
        "text-halo-width": 1.4,
    }  # fmt: skip
    quiet = ["match", ["get", "class"], ["city", "town", "village"], False, True]
    place_ink = {
        "text-color": ["case", quiet, colour["quiet_text"], colour["text"]],
        "text-halo-color": colour["halo"], "text-halo-width": 1.6,
    }  # fmt: skip
    rank = ["match", ["get", "class"], "city", 1, "town", 2, "village", 3, "suburb", 4, 5]
    places = {
        "text-field": ["get", "name"],
        # The first name tells MapLibre the weight; no such family exists.
        "text-font": ["Semibold", FONT],
        "text-size": [
            "interpolate", ["linear"], ["zoom"],
            8, ["match", ["get", "class"], "city", 16, "town", 13, 12],
            14, ["match", ["get", "class"], "city", 22, "town", 18, "village", 16, 14],
        ],
        "text-max-width": 8, "text-padding": 8, "symbol-sort-key": rank,
    }  # fmt: skip
    return [
        _layer(
            "street-names", "symbol", "road", minzoom=12.5, layout=streets, paint=street_ink,
            filter=["any", ["!", is_path], [">=", ["zoom"], 15]],
        ),
        _layer("place-names", "symbol", "place", maxzoom=16, layout=places, paint=place_ink),
    ]  # fmt: skip


def _by_zoom(*stops: tuple[float, float]) -> Expression:
    return ["interpolate", ["exponential", 1.4], ["zoom"], *(v for stop in stops for v in stop)]


def _by_class(*values: float) -> Expression:
    """One value each for motorway and trunk, primary, secondary, tertiary, minor, service."""
    motorway, primary, secondary, tertiary, minor, service = values
    return [
        "match", ["get", "class"], ["motorway", "trunk"], motorway, "primary", primary,
        "secondary", secondary, "tertiary", tertiary, "minor", minor, service,
    ]  # fmt: skip


def _road_width(edge: float) -> Expression:
    return [
        "interpolate", ["exponential", 1.5], ["zoom"],
        6, _by_class(0.8, 0.4, 0.3, 0.2, 0.1, 0.1),
        10, _by_class(2.2 + edge / 2, 1.7 + edge / 2, 1.1 + edge / 2, 0.6 + edge / 2, 0.2, 0.1),
        13, _by_class(5 + edge, 4.2 + edge, 3.2 + edge, 2.4 + edge, 1.7 + edge / 2, 0.7),
        17, _by_class(17 + edge, 15 + edge, 13 + edge, 11 + edge, 9 + edge, 4.5 + edge),
    ]  # fmt: skip
