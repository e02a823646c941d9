"""OSM files in: by osmium or through osmnx the same streets; spoilt files are refused."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import pytest

from routing.street.graph import DIRECTIONS, PROFILES, Streets, build_streets, read_osmnx
from routing.street.osm import RawStreets, UnreadableStreets, read_areas, read_osm
from routing.street.osm_write import OsmNode, OsmWay, write_osm
from routing.street.rules import Speeds

pytestmark = pytest.mark.unit

# A grid of 4 by 4 junctions, every node of every way being one.
GRID = [OsmNode(1 + 4 * r + c, 43.6 + r / 300, 3.9 + c / 250) for r in range(4) for c in range(4)]
ROWS = (
    {"highway": "residential", "name": "Rue du Lavoir"},
    {"highway": "secondary", "oneway": "yes", "maxspeed": "50"},
    {"highway": "tertiary", "oneway": "-1"},
    {"highway": "residential", "oneway": "yes", "oneway:bicycle": "no"},
)
COLUMNS = (
    {"highway": "residential"},
    {"highway": "footway", "bicycle": "yes"},
    {"highway": "primary", "maxspeed": "30 mph", "bridge": "yes"},
    {"highway": "living_street", "motor_vehicle": "no"},
)
WAYS = [
    *(OsmWay(1 + r, tuple(1 + 4 * r + c for c in range(4)), ROWS[r]) for r in range(4)),
    *(OsmWay(5 + c, tuple(1 + 4 * r + c for r in range(4)), COLUMNS[c]) for c in range(4)),
]


def through_osmnx(path: Path) -> RawStreets:
    with warnings.catch_warnings():  # its dependencies' deprecations are none of ours
        warnings.simplefilter("ignore")
        return read_osmnx(xml=path)


def edge_rows(streets: Streets) -> list[tuple[object, ...]]:
    """Edges as ends and columns, turned so that the lesser end comes first; sorted."""
    rows: list[tuple[object, ...]] = []
    for e in range(len(streets.edge_from)):
        ends = [
            (round(float(streets.node_lat[n]), 7), round(float(streets.node_lon[n]), 7))
            for n in (streets.edge_from[e], streets.edge_to[e])
        ]
        turned = ends[1] < ends[0]
        seconds = tuple(
            tuple(int(streets.seconds(p, d)[e]) for d in DIRECTIONS)[:: -1 if turned else 1]
            for p in PROFILES
        )
        name, stop = streets.names[streets.edge_name[e]], int(streets.edge_may_stop[e])
        rows.append((*sorted(ends), seconds, round(float(streets.edge_m[e]), 6), name, stop))
    return sorted(rows)


def both(folder: Path, nodes: list[OsmNode], ways: list[OsmWay]) -> tuple[Streets, Streets]:
    path = folder / "streets.osm"
    write_osm(path, nodes, ways)
    plain, other = build_streets(read_osm(path), Speeds()), through_osmnx(path)
    return plain, build_streets(other, Speeds())


def test_same_file_gives_the_same_streets_by_osmium_and_through_osmnx(tmp_path: Path) -> None:
    plain, other = both(tmp_path, GRID, WAYS)
    assert plain.node_count == other.node_count == 16
    assert len(plain.edge_from) == 24  # 4 rows and 4 columns of 3 edges
    assert edge_rows(plain) == edge_rows(other)


@pytest.mark.parametrize(
    "tags",
    [
        {"highway": "tertiary", "junction": "roundabout"},
        {"highway": "tertiary", "junction": "circular"},
        {"highway": "motorway"},
        {"highway": "motorway_link"},
        {"highway": "tertiary", "junction": "roundabout", "oneway": "-1"},
    ],
    ids=lambda tags: "-".join(tags.values()),
)
def test_implied_oneway_is_the_same_through_osmnx(tmp_path: Path, tags: dict[str, str]) -> None:
    plain, other = both(tmp_path, GRID, [OsmWay(9, (1, 2, 6, 5, 1), tags), *WAYS])
    assert edge_rows(plain) == edge_rows(other)


def test_bends_make_nodes_through_osmnx_but_no_metre_more(tmp_path: Path) -> None:
    bend = [*GRID, OsmNode(99, 43.6015, 3.8999)]
    ways = [OsmWay(9, (1, 99, 5), {"highway": "residential"}), *WAYS]
    plain, other = both(tmp_path, bend, ways)
    assert other.node_count == plain.node_count + 1
    assert other.edge_m.sum() == pytest.approx(plain.edge_m.sum())


def test_elevators_are_the_same_through_osmnx(tmp_path: Path) -> None:
    """A node beside a street that goes on, where a bridge ends, and a way between two corners."""
    lift = {"highway": "elevator", "name": "Ascenseur", "wheelchair": "yes"}
    nodes = [OsmNode(6, GRID[5].lat, GRID[5].lon, lift), *GRID[:5], *GRID[6:]]
    nodes += [OsmNode(98, 43.6, 3.8999), OsmNode(99, 43.5999, 3.9)]
    bridge = OsmWay(98, (98, 6), {"highway": "footway", "layer": "1"})
    shaft = OsmWay(99, (99, 1), {"highway": "elevator"})
    ways = [*WAYS, bridge, OsmWay(100, (98, 99), {"highway": "footway"}), shaft]
    plain, other = both(tmp_path, nodes, ways)
    assert list(plain.elevator_id) == list(other.elevator_id) == ["osm:node/6", "osm:way/99"]
    assert list(plain.elevator_name) == list(other.elevator_name) == ["Ascenseur", ""]
    assert edge_rows(plain) == edge_rows(other)


def test_absent_xml_file_is_refused_through_osmnx(tmp_path: Path) -> None:
    with pytest.raises(UnreadableStreets, match=r"none\.osm"):
        through_osmnx(tmp_path / "none.osm")


def test_pbf_and_xml_of_the_same_streets_are_read_alike(tmp_path: Path) -> None:
    for name in ("a.osm", "a.osm.pbf"):
        write_osm(tmp_path / name, GRID, WAYS)
    xml, pbf = (read_osm(tmp_path / name) for name in ("a.osm", "a.osm.pbf"))
    assert np.allclose(xml.lat, pbf.lat, atol=1e-7)
    assert np.array_equal(xml.way_node, pbf.way_node)
    assert [dict(t) for t in xml.way_tags] == [dict(t) for t in pbf.way_tags]


@pytest.fixture(scope="module")
def pbf(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A PBF of several blocks (8,000 objects each)."""
    path = tmp_path_factory.mktemp("osm") / "big.osm.pbf"
    nodes = [OsmNode(i, 43.6 + i / 1e6, 3.9 + (i * 7919 % 10_000) / 1e6) for i in range(1, 18_000)]
    ways = [OsmWay(i, (i, i + 1), {"highway": "residential"}) for i in range(1, 17_000)]
    write_osm(path, nodes, ways)
    return path.read_bytes()


@pytest.mark.parametrize("share", [0.0, 0.0001, 0.01, 0.3, 0.5, 0.7, 0.9, 0.99, 0.9999])
def test_truncated_pbf_is_refused_by_its_name(tmp_path: Path, pbf: bytes, share: float) -> None:
    path = tmp_path / "cut.osm.pbf"
    path.write_bytes(pbf[: int(len(pbf) * share)])
    with pytest.raises(UnreadableStreets):
        read_osm(path)


@pytest.mark.parametrize("name", ["streets.osm.pbf", "streets.osm", "streets.txt"])
def test_file_that_is_not_osm_is_refused_by_its_name(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("<html>404 Not Found</html>")
    with pytest.raises(UnreadableStreets, match=name):
        read_osm(tmp_path / name)


def test_absent_file_is_refused_by_its_name(tmp_path: Path) -> None:
    with pytest.raises(UnreadableStreets, match=r"none\.osm\.pbf"):
        read_osm(tmp_path / "none.osm.pbf")


def test_way_at_the_border_keeps_the_nodes_that_the_extract_holds(tmp_path: Path) -> None:
    path = tmp_path / "cut.osm"
    street = {"highway": "residential"}
    write_osm(path, GRID[:3], [OsmWay(1, (1, 2, 900), street), OsmWay(2, (3, 901), street)])
    raw = read_osm(path)
    assert len(raw.lat) == 2
    assert raw.way_first.tolist() == [0, 2]


def test_named_places_rivers_and_rails_are_found_on_the_way(tmp_path: Path) -> None:
    path = tmp_path / "a.osm"
    places = [
        OsmNode(50, 43.61, 3.91, {"place": "village", "name": "Valmont"}),
        OsmNode(51, 43.61, 3.92, {"amenity": "hospital", "name": "Hôpital"}),
        OsmNode(52, 43.61, 3.92, {"amenity": "bench", "name": "Banc"}),
        OsmNode(53, 43.61, 3.92, {"amenity": "hospital"}),
        OsmNode(54, 43.61, 3.92, {"place": "continent", "name": "Europe"}),
    ]
    river = OsmWay(20, (1, 6, 11), {"waterway": "river", "name": "Lère"})
    shop = OsmWay(21, (1, 2, 6, 1), {"shop": "supermarket", "name": "Épicerie"})
    rail = OsmWay(22, (1, 6), {"railway": "tram"})
    write_osm(path, [*GRID, *places], [*WAYS, river, shop, rail])
    raw = read_osm(path)
    assert sorted((p.name, p.kind) for p in raw.places) == [
        ("Hôpital", "hospital"), ("Valmont", "village"), ("Épicerie", "supermarket"),
    ]  # fmt: skip
    drawn = [(shape.kind, [len(part) for part in shape.parts]) for shape in raw.shapes]
    assert drawn == [("river", [3]), ("rail", [2])]


def test_closed_ways_and_multipolygons_become_areas_with_their_holes(tmp_path: Path) -> None:
    corners = [(0, 0), (0, 9), (9, 9), (9, 0), (3, 3), (3, 6), (6, 6), (6, 3)]
    nodes = [OsmNode(i, 43 + y / 100, 3 + x / 100, {}) for i, (x, y) in enumerate(corners, 1)]
    path = tmp_path / "areas.osm"
    pond = OsmWay(12, (5, 6, 7, 8, 5), {"natural": "water"})
    house = OsmWay(13, (5, 6, 7, 5), {"building": "yes"})
    write_osm(
        path, nodes, [OsmWay(10, (1, 2, 3, 4, 1), {}), OsmWay(11, (5, 6, 7, 8, 5), {}), pond, house]
    )
    wood = (
        '<relation id="1" version="1"><member type="way" ref="10" role="outer"/>'
        '<member type="way" ref="11" role="inner"/><tag k="type" v="multipolygon"/>'
        '<tag k="landuse" v="forest"/></relation></osm>'
    )
    path.write_text(path.read_text().replace("</osm>", wood))

    drawn = [(shape.kind, [len(part) for part in shape.parts]) for shape in read_areas(path)]
    assert sorted(drawn) == [("green", [5, 5]), ("water", [5])]


def test_areas_of_an_extract_out_of_order_are_refused_in_words(tmp_path: Path) -> None:
    path = tmp_path / "mixed.osm"
    write_osm(path, GRID, [OsmWay(9, (1, 2, 6, 1), {"natural": "water"})])
    text = path.read_text()
    early = '<way id="3" version="1"><nd ref="1"/><nd ref="2"/></way></osm>'
    path.write_text(text.replace("</osm>", early))
    with pytest.raises(UnreadableStreets, match=r"cannot read the areas of .*out of order"):
        read_areas(path)
