"""The generated territory: deterministic, connected, labelled, and with trips worth planning."""

from __future__ import annotations

import csv
import io
import itertools
import json
import zipfile
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

import numpy as np
import osmium
import pytest
import yaml
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

from mobility.demo.geometry import METRES_PER_DEGREE, crosses
from mobility.demo.network import CAR_KINDS
from mobility.demo.service_days import easter_sunday, public_holidays
from mobility.demo.territory import CENTRE_LAT, build_demo_territory

if TYPE_CHECKING:
    from pathlib import Path

    import numpy.typing as npt


Rows = list[dict[str, str]]


@dataclass(frozen=True, slots=True)
class OsmText:
    """What the tests need of the PBF: node positions in metres, and the ways."""

    at: dict[int, complex]
    ways: list[tuple[dict[str, str], list[int]]]

    def streets(
        self, kinds: frozenset[str] | None = None
    ) -> list[tuple[dict[str, str], list[int]]]:
        return [
            (tags, nodes)
            for tags, nodes in self.ways
            if "highway" in tags and (kinds is None or tags["highway"] in kinds)
        ]


def metres(lat: float, lon: float) -> complex:
    scale = METRES_PER_DEGREE * np.cos(np.radians(CENTRE_LAT))
    return complex(lon * scale, lat * METRES_PER_DEGREE)


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_demo_territory(tmp_path_factory.mktemp("demo")).parent


@pytest.fixture(scope="session")
def osm(folder: Path) -> OsmText:
    at: dict[int, complex] = {}
    ways = []
    for item in osmium.FileProcessor(str(folder / "streets.osm.pbf")):
        if item.is_node():
            at[item.id] = metres(item.lat, item.lon)
        elif item.is_way():
            ways.append((dict(item.tags), [n.ref for n in item.nodes]))
    return OsmText(at, ways)


@pytest.fixture(scope="session")
def street_tree(osm: OsmText) -> cKDTree:
    """Points every five metres of every street."""
    spots: list[complex] = []
    for _, nodes in osm.streets():
        for a, b in itertools.pairwise(nodes):
            za, zb = osm.at[a], osm.at[b]
            spots += list(np.linspace(za, zb, max(2, int(abs(zb - za) / 5))))
    return cKDTree(np.column_stack([np.real(spots), np.imag(spots)]))


def table(folder: Path, feed: str, name: str) -> Rows:
    with zipfile.ZipFile(folder / f"{feed}.zip") as archive:
        return list(csv.DictReader(io.StringIO(archive.read(name).decode())))


def street_gap_m(tree: cKDTree, lats: list[float], lons: list[float]) -> npt.NDArray[np.float64]:
    spots = [metres(lat, lon) for lat, lon in zip(lats, lons, strict=True)]
    gaps: npt.NDArray[np.float64] = tree.query(np.column_stack([np.real(spots), np.imag(spots)]))[0]
    return gaps


def contents(folder: Path) -> dict[str, bytes]:
    return {p.name: p.read_bytes() for p in sorted(folder.iterdir())}


def largest_share(osm: OsmText, kinds: frozenset[str] | None, *, directed: bool) -> float:
    edges = [
        pair
        for tags, nodes in osm.streets(kinds)
        for a, b in itertools.pairwise(nodes)
        for pair in ([(a, b)] if directed and tags.get("oneway") == "yes" else [(a, b), (b, a)])
    ]
    ids, flat = np.unique(np.array(edges).ravel(), return_inverse=True)
    ends = flat.reshape(-1, 2)
    graph = csr_matrix((np.ones(len(ends)), (ends[:, 0], ends[:, 1])), shape=(len(ids), len(ids)))
    labels = connected_components(graph, directed=True, connection="strong")[1]
    return float(np.bincount(labels).max() / len(ids))


@pytest.fixture(scope="session")
def other_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Another seed, and twice the usual stops."""
    return build_demo_territory(tmp_path_factory.mktemp("other"), seed=8, stop_count=520).parent


def test_same_seed_gives_the_same_bytes(folder: Path, tmp_path: Path) -> None:
    assert contents(folder) == contents(build_demo_territory(tmp_path / "again").parent)


def test_another_seed_gives_another_territory(folder: Path, other_folder: Path) -> None:
    here, there = contents(folder), contents(other_folder)
    for name in ("streets.osm.pbf", "urbain.zip", "cars.zip", "rail.zip", "offers.json"):
        assert here[name] != there[name]


def test_territory_lists_files_that_exist_and_says_it_is_generated(folder: Path) -> None:
    described = yaml.safe_load((folder / "territory.yaml").read_text(encoding="utf-8"))
    paths = [f["path"] for f in described["feeds"]]
    paths += [described["osm"]["path"], described["carpool_places"]["path"]]
    paths += [described[k] for k in ("tariff", "offers", "riders")]
    assert all((folder / p).is_file() for p in paths)
    assert described["generated"] is True
    assert "généré" in described["name"]
    for feed in described["feeds"]:
        assert "generated" in table(folder, feed["id"], "agency.txt")[0]["agency_name"]
    assert yaml.safe_load((folder / "tariff.yaml").read_text(encoding="utf-8"))["currency"] == "EUR"


def test_cars_and_walkers_reach_the_whole_network(osm: OsmText) -> None:
    assert largest_share(osm, CAR_KINDS, directed=True) >= 0.97
    assert largest_share(osm, None, directed=False) == 1.0


def test_the_river_is_crossed_on_a_few_bridges_only(osm: OsmText) -> None:
    line = next(nodes for tags, nodes in osm.ways if tags.get("waterway") == "river")
    river = np.array([osm.at[n] for n in line])
    wet = [
        tags
        for tags, nodes in osm.streets()
        for a, b in itertools.pairwise(nodes)
        if crosses(osm.at[a], osm.at[b], river)
    ]
    assert all(tags.get("bridge") == "yes" for tags in wet)
    assert 4 <= len(wet) <= 14


def test_town_streets_are_named_and_roundabouts_are_oneway(osm: OsmText) -> None:
    town = [tags for tags, _ in osm.streets(frozenset({"residential", "tertiary", "secondary"}))]
    # Country roads carry a number instead of a name.
    assert sum("name" in t or "ref" in t for t in town) >= 0.95 * len(town)
    assert any("é" in t.get("name", "") for t in town)
    circles = [t for t, _ in osm.streets() if t.get("junction") == "roundabout"]
    assert len(circles) >= 2
    assert all(t["oneway"] == "yes" for t in circles)


@pytest.mark.parametrize("feed", ["urbain", "cars", "rail"])
def test_feed_refers_to_what_it_holds_and_time_never_runs_back(folder: Path, feed: str) -> None:
    stops = {r["stop_id"] for r in table(folder, feed, "stops.txt")}
    trips = {r["trip_id"]: r for r in table(folder, feed, "trips.txt")}
    shapes = {r["shape_id"] for r in table(folder, feed, "shapes.txt")}
    services = {r["service_id"] for r in table(folder, feed, "calendar.txt")}
    services |= {r["service_id"] for r in table(folder, feed, "calendar_dates.txt")}
    assert {t["service_id"] for t in trips.values()} <= services
    assert {t["shape_id"] for t in trips.values()} <= shapes
    before = ("", "")
    for row in table(folder, feed, "stop_times.txt"):
        assert row["stop_id"] in stops
        assert row["trip_id"] in trips
        assert row["arrival_time"] <= row["departure_time"]
        if row["trip_id"] == before[0]:
            assert before[1] < row["arrival_time"]
        before = (row["trip_id"], row["departure_time"])


@pytest.mark.parametrize("feed", ["urbain", "cars", "rail"])
def test_every_stop_lies_beside_a_street(folder: Path, street_tree: cKDTree, feed: str) -> None:
    rows = table(folder, feed, "stops.txt")
    lats, lons = [float(r["stop_lat"]) for r in rows], [float(r["stop_lon"]) for r in rows]
    assert street_gap_m(street_tree, lats, lons).max() < 60


def test_night_trams_run_past_midnight_and_ids_repeat_between_feeds(folder: Path) -> None:
    late = [r for r in table(folder, "urbain", "stop_times.txt") if r["arrival_time"] >= "24:00:00"]
    assert late
    for name, column in (("stops.txt", "stop_id"), ("trips.txt", "trip_id")):
        urban = {r[column] for r in table(folder, "urbain", name)}
        assert urban & {r[column] for r in table(folder, "cars", name)}


def test_offers_start_and_end_on_streets(folder: Path, street_tree: cKDTree) -> None:
    offers = json.loads((folder / "offers.json").read_text(encoding="utf-8"))
    ends = [o[k] for o in offers for k in ("start", "end")]
    gaps = street_gap_m(street_tree, [e["lat"] for e in ends], [e["lon"] for e in ends])
    assert len(offers) == 150
    assert gaps.max() < 20
    assert all(o["depart_from"] < o["depart_to"] for o in offers)


def test_showcase_farm_has_a_neighbour_who_drives_and_no_stop(folder: Path) -> None:
    farm = json.loads((folder / "riders.json").read_text(encoding="utf-8"))[0]["from"]
    here = metres(farm["lat"], farm["lon"])
    offers = json.loads((folder / "offers.json").read_text(encoding="utf-8"))
    neighbours = [
        o
        for o in offers
        if abs(metres(o["start"]["lat"], o["start"]["lon"]) - here) < 600
        and "07:05" <= o["depart_from"] <= "07:25"
    ]
    assert neighbours
    stops = [
        metres(float(r["stop_lat"]), float(r["stop_lon"]))
        for feed in ("urbain", "cars", "rail")
        for r in table(folder, feed, "stops.txt")
    ]
    assert min(abs(s - here) for s in stops) > 2_400
    end = neighbours[0]["end"]
    assert min(abs(s - metres(end["lat"], end["lon"])) for s in stops) < 300


def test_holidays_move_with_easter() -> None:
    assert easter_sunday(2027) == date(2027, 3, 28)
    assert easter_sunday(2028) == date(2028, 4, 16)
    # Ascension Day: 39 days after Easter Sunday.
    assert date(2027, 5, 6) in public_holidays(2027)


def test_more_stops_are_placed_when_more_are_asked_for(folder: Path, other_folder: Path) -> None:
    usual = len(table(folder, "urbain", "stops.txt"))
    assert len(table(other_folder, "urbain", "stops.txt")) > 1.5 * usual
