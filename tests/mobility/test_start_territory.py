"""A territory of one's own begins with one command, and its file explains itself."""

from __future__ import annotations

import functools
import threading
import zipfile
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import networkx as nx
import osmnx
import pytest
import requests
from typer.testing import CliRunner, Result

from mobility.actions.start_territory import EXPLAINED, slug, split_feed
from mobility.cli import app
from mobility.territory import Territory, read_territory
from routing.street.graph import StreetsUnavailable, download_place
from routing.street.osm import read_osm

pytestmark = pytest.mark.unit


@pytest.fixture
def feed(tmp_path: Path) -> Path:
    """An archive of which only the time zone matters here."""
    path = tmp_path / "elsewhere" / "bus.zip"
    path.parent.mkdir(exist_ok=True)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(
            "agency.txt",
            "\ufeffagency_name,agency_url,agency_timezone\nT,https://example.org,America/Sao_Paulo\n",
        )
    return path


@pytest.fixture
def streets(tmp_path: Path) -> Path:
    path = tmp_path / "elsewhere" / "town.osm.pbf"
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(b"never read here")
    return path


def init(*words: str | Path) -> Result:
    return CliRunner().invoke(app, ["init", *map(str, words)])


def test_two_options_are_enough(tmp_path: Path, feed: Path, streets: Path) -> None:
    folder = tmp_path / "porto-alegre"
    done = init(folder, "--gtfs", f"bus={feed}", "--osm", streets)
    assert done.exit_code == 0, done.exception
    territory = read_territory(folder / "territory.yaml").territory
    assert (territory.id, territory.name) == ("porto-alegre", "Porto Alegre")
    assert territory.timezone == "America/Sao_Paulo"
    assert [(f.id, f.path) for f in territory.feeds] == [("bus", feed)]
    assert territory.osm is not None
    assert territory.osm.path == streets
    assert f"mobility build {folder}/territory.yaml" in done.stdout
    assert "mobility serve" in done.stdout
    assert sorted(path.name for path in folder.iterdir()) == ["territory.yaml"]


def test_files_inside_the_folder_are_named_relative_to_it(
    tmp_path: Path, feed: Path, streets: Path
) -> None:
    folder = feed.parent
    assert init(folder, "--gtfs", f"bus={feed}", "--osm", streets).exit_code == 0
    territory = read_territory(folder / "territory.yaml").territory
    assert territory.feeds[0].path == Path("bus.zip")
    assert territory.osm is not None
    assert territory.osm.path == Path("town.osm.pbf")


def test_file_explains_every_key_and_survives_any_name(
    tmp_path: Path, feed: Path, streets: Path
) -> None:
    name = 'L\'Haÿ: "ville" # 1\nnouvelle'
    done = init(tmp_path / "x", "--gtfs", f"bus={feed}", "--osm", streets, "--name", name)
    assert done.exit_code == 0, done.exception
    assert read_territory(tmp_path / "x" / "territory.yaml").territory.name == name
    text = (tmp_path / "x" / "territory.yaml").read_text()
    assert set(Territory.model_fields) <= set(EXPLAINED), "explain the new key in EXPLAINED"
    for key in Territory.model_fields:
        assert f"\n{key}:" in text or f"\n# {key}:" in text


def test_every_key_that_is_proposed_is_a_lawful_one(
    tmp_path: Path, feed: Path, streets: Path
) -> None:
    folder = tmp_path / "x"
    init(folder, "--gtfs", f"bus={feed}", "--osm", streets)
    text = (folder / "territory.yaml").read_text()
    for key in EXPLAINED:
        text = text.replace(f"\n# {key}:", f"\n{key}:")
    (folder / "all.yaml").write_text(text)
    assert read_territory(folder / "all.yaml").territory.limits.change_s == 60


@pytest.mark.parametrize(
    ("words", "flag"),
    [
        (["--osm", "x.osm.pbf"], "--gtfs"),
        (["--gtfs", "bus=bus.zip"], "--osm"),
        (["--gtfs", "bus=bus.zip", "--place", "Foix", "--no-streets"], "--place"),
    ],
)
def test_what_is_missing_is_named_by_its_flag(tmp_path: Path, words: list[str], flag: str) -> None:
    done = init(tmp_path / "x", *words)
    assert flag in str(done.exception)
    assert not (tmp_path / "x").exists()


def test_time_zone_that_no_feed_names_is_asked_for_by_flag(tmp_path: Path, streets: Path) -> None:
    with zipfile.ZipFile(tmp_path / "f.zip", "w") as archive:
        archive.writestr("agency.txt", "agency_name,agency_timezone\nT,Mars/Base\n")
    done = init(tmp_path / "x", "--gtfs", tmp_path / "f.zip", "--osm", streets)
    assert "--timezone" in str(done.exception)


def test_territory_file_is_never_overwritten_without_force(
    tmp_path: Path, feed: Path, streets: Path
) -> None:
    (tmp_path / "territory.yaml").write_text("mine")
    words = (tmp_path, "--gtfs", f"bus={feed}", "--osm", streets, "--id", "x")
    assert "--force" in str(init(*words).exception)
    assert (tmp_path / "territory.yaml").read_text() == "mine"
    assert init(*words, "--force").exit_code == 0


@pytest.mark.parametrize(
    ("words", "said"),
    [(("--id", "Not An Id"), "id"), (("--timezone", "Mars/Base"), "Mars/Base")],
)
def test_bad_value_leaves_no_file(
    tmp_path: Path, feed: Path, streets: Path, words: tuple[str, str], said: str
) -> None:
    done = init(tmp_path / "x", "--gtfs", f"bus={feed}", "--osm", streets, *words)
    assert said in str(done.exception)
    assert list((tmp_path / "x").iterdir()) == []


def test_page_in_place_of_an_archive_is_refused(tmp_path: Path, streets: Path) -> None:
    (tmp_path / "bus.zip").write_text("<html>not found</html>")
    done = init(tmp_path / "x", "--gtfs", f"bus={tmp_path / 'bus.zip'}", "--osm", streets)
    assert "not a GTFS archive" in str(done.exception)


@pytest.fixture
def web(feed: Path) -> Iterator[str]:
    """The folder of the feed, served."""
    handler = functools.partial(_Quiet, directory=str(feed.parent))
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: Any) -> None:
        """Keep the terminal of the tests clean."""


def test_addresses_are_downloaded_into_the_folder(
    tmp_path: Path, feed: Path, streets: Path, web: str
) -> None:
    folder = tmp_path / "x"
    done = init(folder, "--gtfs", f"bus={web}/bus.zip?a=b", "--osm", f"{web}/town.osm.pbf")
    assert done.exit_code == 0, done.exception
    assert (folder / "bus.zip").read_bytes() == feed.read_bytes()
    assert (folder / "streets.osm.pbf").read_bytes() == streets.read_bytes()
    assert read_territory(folder / "territory.yaml").territory.feeds[0].path == Path("bus.zip")


def test_terminal_is_asked_for_what_is_missing(
    tmp_path: Path, feed: Path, streets: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mobility.commands.own_city._is_terminal", lambda: True)
    answers = f"bus={feed}\n{streets}\n\nmy-town\n\n"
    done = CliRunner().invoke(app, ["init", str(tmp_path / "x")], input=answers)
    assert done.exit_code == 0, done.exception
    territory = read_territory(tmp_path / "x" / "territory.yaml").territory
    assert (territory.id, territory.name) == ("my-town", "X")


def test_ids_are_made_of_names() -> None:
    assert slug("Saint-Étienne (42)") == "saint-etienne-42"
    assert split_feed("bus=https://example.org/a?b=c") == ("bus", "https://example.org/a?b=c")
    assert split_feed("https://example.org/Bus.zip?b=c") == (
        "bus",
        "https://example.org/Bus.zip?b=c",
    )


def test_streets_of_a_place_are_written_as_an_extract(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    graph = nx.MultiDiGraph()
    for node, (lat, lon) in enumerate([(42.96, 1.6), (42.961, 1.6), (42.962, 1.6)], start=1):
        graph.add_node(node, y=lat, x=lon)
    street = {"highway": "residential", "name": "Rue Delcassé", "osmid": 7}
    graph.add_edge(1, 2, **street, oneway=False, reversed=False)
    graph.add_edge(2, 1, **street, oneway=False, reversed=True)
    graph.add_edge(2, 3, highway="primary", osmid=8, oneway=True, reversed=False)
    monkeypatch.setattr(osmnx, "graph_from_place", lambda *_, **__: graph)
    raw = read_osm(download_place("Foix, France", tmp_path / "streets.osm.pbf"))
    assert [dict(tags) for tags in raw.way_tags] == [
        {"highway": "residential", "name": "Rue Delcassé"},
        {"highway": "primary", "oneway": "yes"},
    ]
    assert [path.name for path in tmp_path.iterdir()] == ["streets.osm.pbf"]


@pytest.mark.parametrize(
    "error", [requests.ConnectionError("no route to host"), ValueError("found no results")]
)
def test_place_that_cannot_be_had_is_said_in_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(osmnx, "graph_from_place", fail)
    with pytest.raises(StreetsUnavailable, match=r"'Foix'.*--osm"):
        download_place("Foix", tmp_path / "streets.osm.pbf")
    assert list(tmp_path.iterdir()) == []
