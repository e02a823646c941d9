"""The base map: drawn from the territory's own extract, kept with its streets, served by ranges."""

from __future__ import annotations

import asyncio
import dataclasses
import gzip
import itertools
import json
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
import yaml
from fastapi import FastAPI

from gtfs_data.store import list_damage, read_manifest
from mobility.actions import build_territory as building
from mobility.actions import draw_basemap
from mobility.actions.build_territory import BuildResult, build_territory
from mobility.actions.draw_basemap import BASEMAP, find_tippecanoe
from mobility.app import create_app
from mobility.settings import Settings
from mobility.territory import read_territory
from mobility.world import World, open_snapshot
from routing.street.osm_write import OsmNode, OsmWay, write_osm
from tests.gtfs_data.small_feeds import GOOD, zip_feed

NODES = [
    *(OsmNode(i, 43.60 + i / 1000, 3.90) for i in range(32)),
    OsmNode(40, 43.612, 3.91, {"place": "village", "name": "Valmont"}),
    OsmNode(41, 43.613, 3.91, {"amenity": "hospital", "name": "Hôpital"}),
    OsmNode(42, 43.62, 3.92),
    OsmNode(43, 43.62, 3.93),
    OsmNode(44, 43.63, 3.93),
]
WAYS = [
    OsmWay(1, tuple(range(16)), {"highway": "primary", "name": "Grand'Rue"}),
    OsmWay(2, tuple(range(15, 32)), {"highway": "residential", "name": "Rue du Lycée"}),
    OsmWay(3, (5, 42, 43), {"waterway": "river", "name": "Lère"}),
    OsmWay(4, (42, 43, 44, 42), {"natural": "water"}),
    OsmWay(5, (3, 44), {"railway": "rail"}),
    OsmWay(6, (4, 43, 44, 4), {"leisure": "park"}),
    OsmWay(7, (7, 43), {"highway": "proposed"}),
]


@dataclasses.dataclass(frozen=True)
class Town:
    """Files of a small territory, and where its snapshots go."""

    folder: Path

    @property
    def snapshots(self) -> Path:
        return self.folder / "snapshots"

    def build(self, *, streets: bool = True, steps: list[str] | None = None) -> BuildResult:
        content: dict[str, Any] = {
            "id": "town",
            "name": "Town",
            "timezone": "Europe/Paris",
            "feeds": [{"id": "f", "path": "f.zip"}],
        }
        if streets:
            content["osm"] = {"path": "town.osm"}
        path = self.folder / "territory.yaml"
        path.write_text(yaml.safe_dump(content))
        said = [] if steps is None else steps
        return build_territory(read_territory(path), self.snapshots, on_step=said.append)


@pytest.fixture
def town(tmp_path: Path) -> Town:
    write_osm(tmp_path / "town.osm", NODES, WAYS)
    zip_feed(tmp_path / "f.zip")
    return Town(tmp_path)


def warnings_of(result: BuildResult) -> list[str]:
    return [f"{f.rule}: {f.message}" for f in result.findings if f.rule == "no_base_map"]


@dataclasses.dataclass(frozen=True)
class Client:
    """Asks the application of one snapshot, without servers."""

    app: FastAPI

    def get(self, path: str, headers: dict[str, str] | None = None) -> httpx.Response:
        async def ask() -> httpx.Response:
            transport = httpx.ASGITransport(self.app)
            async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
                return await client.get(path, headers=headers)

        return asyncio.run(ask())


def client_of(folder: Path) -> Client:
    app = create_app(Settings(web=Path("absent")))
    app.state.keeper = SimpleNamespace(world=World(open_snapshot(folder)))
    return Client(app)


def metadata_of(tiles: bytes) -> dict[str, Any]:
    """Metadata of a PMTiles archive, version 3: its place stands in bytes 24 to 40."""
    first, length = (int.from_bytes(tiles[at : at + 8], "little") for at in (24, 32))
    read: dict[str, Any] = json.loads(gzip.decompress(tiles[first : first + length]))
    return read


def drawn_at(tiles: Path, zoom: int) -> list[tuple[str, dict[str, str]]]:
    """(layer, properties) of everything that the tiles of a zoom draw, each once."""
    program = find_tippecanoe()
    assert program is not None
    command = [program.with_name("tippecanoe-decode"), f"-z{zoom}", f"-Z{zoom}", tiles]
    text = subprocess.run(command, check=True, capture_output=True).stdout
    found = [
        (layer["properties"]["layer"], feature["properties"])
        for tile in json.loads(text)["features"]
        for layer in tile["features"]
        for feature in layer["features"]
    ]
    return [key for key, _ in itertools.groupby(sorted(found, key=repr))]


def test_tiles_show_streets_waters_greens_rails_and_places_from_their_zoom_on(town: Town) -> None:
    result = town.build()
    assert warnings_of(result) == []
    tiles = result.folder / BASEMAP
    far = [
        ("place", {"class": "village", "name": "Valmont"}),
        ("rail", {}),
        ("river", {}),
        ("road", {"class": "primary", "name": "Grand'Rue"}),
    ]
    areas = [("green", {}), ("water", {})]  # kilometres wide: seen from afar
    # A hospital is no place of the map, and a proposed street is none yet.
    assert drawn_at(tiles, 10) == sorted([*areas, *far], key=repr)
    near = ("road", {"class": "minor", "name": "Rue du Lycée"})
    assert drawn_at(tiles, 14) == sorted([*areas, *far, near], key=repr)


def test_tiles_name_their_source_and_no_path_of_the_machine(town: Town) -> None:
    tiles = (town.build().folder / BASEMAP).read_bytes()
    about = metadata_of(tiles)
    assert "OpenStreetMap" in about["attribution"]
    assert about["name"] == "Town"
    assert tiles[:8] == b"PMTiles\x03"
    assert tuple(tiles[100:102]) == (6, 14)  # first and last zoom
    told = json.dumps(about)
    for path in (str(town.folder), str(Path(sys.prefix)), str(Path.cwd())):
        assert path not in told


def test_damaged_tiles_are_seen_when_a_snapshot_is_verified(town: Town) -> None:
    folder = town.build().folder
    assert list_damage(folder) == []
    with (folder / BASEMAP).open("r+b") as file:
        file.seek(200)
        file.write(b"other")
    assert list_damage(folder) == [f"{BASEMAP}: not the bytes that were written"]


def test_without_tippecanoe_there_is_a_snapshot_and_a_warning(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(draw_basemap, "find_tippecanoe", lambda: None)
    result = town.build()
    assert len(warnings_of(result)) == 1
    assert "tippecanoe is absent" in warnings_of(result)[0]
    assert read_manifest(result.folder)["findings"]["warning"] == 1
    assert not (result.folder / BASEMAP).exists()

    # The program comes back: the next build keeps the streets and draws the map after all.
    monkeypatch.undo()
    steps: list[str] = []
    zip_feed(town.folder / "f.zip", routes=GOOD["routes"].replace("L1", "L2"))
    result = town.build(steps=steps)
    assert "streets are those of the last snapshot" in steps
    assert warnings_of(result) == []
    assert (result.folder / BASEMAP).is_file()


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("#!/bin/sh\necho no more room >&2; exit 3\n", "code 3: no more room"),
        ("#!/bin/sh\nexit 0\n", "code 0: it says nothing"),
        ("no program at all", "does not start"),
        ("#!/bin/sh\nexec sleep 60\n", "not ready after 1 s"),
    ],
)
def test_failing_tippecanoe_costs_the_map_and_not_the_snapshot(
    town: Town, monkeypatch: pytest.MonkeyPatch, script: str, said: str
) -> None:
    program = town.folder / "tippecanoe"
    program.write_text(script)
    program.chmod(0o755)
    monkeypatch.setattr(draw_basemap, "find_tippecanoe", lambda: program)
    monkeypatch.setattr(draw_basemap, "WAIT_LIMIT_S", 1)
    result = town.build()
    assert said in warnings_of(result)[0]
    assert not (result.folder / BASEMAP).exists()
    assert not list(town.snapshots.glob("*.tmp-*"))


def test_failed_build_ends_tippecanoe_and_leaves_nothing(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = town.folder / "tippecanoe"
    program.write_text("#!/bin/sh\nexec sleep 600\n")
    program.chmod(0o755)
    monkeypatch.setattr(draw_basemap, "find_tippecanoe", lambda: program)
    started: list[subprocess.Popen[bytes]] = []

    class Watched(subprocess.Popen[bytes]):
        def __init__(self, *given: Any, **named: Any) -> None:
            super().__init__(*given, **named)
            started.append(self)

    def fails(*_given: Any) -> None:
        assert started[0].poll() is None, "it draws while the build goes on"
        raise OSError("the disk is full")

    monkeypatch.setattr(subprocess, "Popen", Watched)
    monkeypatch.setattr(building, "save_network", fails)
    with pytest.raises(OSError, match="the disk is full"):
        town.build()
    [process] = started
    assert process.returncode == -signal.SIGKILL
    assert not list(town.snapshots.glob("*"))


def test_map_is_taken_over_with_the_streets(town: Town) -> None:
    before = town.build().folder
    steps: list[str] = []
    zip_feed(town.folder / "f.zip", routes=GOOD["routes"].replace("L1", "L2"))
    after = town.build(steps=steps).folder
    assert "streets are those of the last snapshot" in steps
    assert before != after
    described = [read_manifest(folder)["files"][BASEMAP] for folder in (before, after)]
    assert described[0] == described[1]
    shutil.rmtree(before)
    assert list_damage(after) == []


def test_extract_out_of_order_has_a_map_without_areas_and_a_warning(town: Town) -> None:
    path = town.folder / "town.osm"
    ways = "".join(f'<way id="{i}" version="1"><nd ref="1"/></way>' for i in (2000, 1000))
    path.write_text(path.read_text().replace("</osm>", f"{ways}</osm>"))
    result = town.build()
    assert [f.rule for f in result.findings if "map" in f.message] == ["no_areas"]
    assert {layer for layer, _ in drawn_at(result.folder / BASEMAP, 14)} == {
        "place", "rail", "river", "road",
    }  # fmt: skip


@pytest.fixture
def served(town: Town) -> tuple[Client, bytes]:
    folder = town.build().folder
    return client_of(folder), (folder / BASEMAP).read_bytes()


def test_tiles_are_read_by_ranges(served: tuple[Client, bytes]) -> None:
    client, tiles = served
    answer = client.get(f"/tiles/{BASEMAP}", headers={"range": "bytes=7-126"})
    assert (answer.status_code, answer.content) == (206, tiles[7:127])
    assert answer.headers["content-range"] == f"bytes 7-126/{len(tiles)}"
    whole = client.get(f"/tiles/{BASEMAP}", headers={"accept-encoding": "gzip"})
    assert (whole.status_code, whole.content) == (200, tiles)
    assert "content-encoding" not in whole.headers  # ranges and ETag are of these bytes
    beyond = client.get(f"/tiles/{BASEMAP}", headers={"range": f"bytes={len(tiles)}-"})
    assert beyond.status_code == 416


def test_etag_is_of_the_tiles_and_spares_their_download(
    served: tuple[Client, bytes], town: Town
) -> None:
    client, _ = served
    first = client.get(f"/tiles/{BASEMAP}").headers["etag"]
    same = client.get(f"/tiles/{BASEMAP}", headers={"if-none-match": first})
    assert (same.status_code, same.content, same.headers["etag"]) == (304, b"", first)
    write_osm(town.folder / "town.osm", NODES, WAYS[:2])
    other = client_of(town.build().folder)
    answer = other.get(f"/tiles/{BASEMAP}", headers={"if-none-match": first})
    assert answer.status_code == 200
    assert answer.headers["etag"] != first


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_style_draws_layers_that_the_tiles_have(served: tuple[Client, bytes], scheme: str) -> None:
    client, tiles = served
    style = client.get(f"/tiles/style-{scheme}.json").json()
    assert style["sources"]["base"]["url"] == f"pmtiles:///tiles/{BASEMAP}"
    assert "OpenStreetMap" in style["sources"]["base"]["attribution"]
    there = {layer["id"] for layer in metadata_of(tiles)["vector_layers"]}
    assert {layer["source-layer"] for layer in style["layers"] if "source" in layer} == there
    assert "glyphs" not in style
    assert "sprite" not in style


def test_styles_differ_by_their_colours_alone(served: tuple[Client, bytes]) -> None:
    client, _ = served
    light, dark = (client.get(f"/tiles/style-{s}.json").json() for s in ("light", "dark"))
    assert [layer["id"] for layer in light["layers"]] == [layer["id"] for layer in dark["layers"]]
    for a, b in zip(light["layers"], dark["layers"], strict=True):
        assert a.get("layout") == b.get("layout")
        assert a["paint"] != b["paint"]


def test_territory_without_streets_has_no_tiles_and_a_plain_style(town: Town) -> None:
    result = town.build(streets=False)
    assert warnings_of(result) == []  # that there is no street map is said already
    client = client_of(result.folder)
    answer = client.get(f"/tiles/{BASEMAP}")
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["code"] == "basemap_absent"
    style = client.get("/tiles/style-light.json").json()
    assert (style["sources"], [layer["type"] for layer in style["layers"]]) == ({}, ["background"])
    assert client.get("/tiles/style-sepia.json").status_code == 422
