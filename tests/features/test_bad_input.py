"""Whatever is given to a build: a snapshot with findings or a clear refusal, nothing in between."""

from __future__ import annotations

import io
import json
import os
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from core.errors import MobilityError
from gtfs_data import archive as archive_rules
from mobility.actions.build_territory import BuildResult, build_territory
from mobility.snapshots import DRAFT, current_snapshot
from mobility.territory import read_territory
from tests.gtfs_data.small_feeds import GOOD, table_bytes, zip_feed
from tests.support.territories import shared_data

FILE_SIZE_AT = 24
"""Offset of the unpacked size in an entry of a zip's central directory."""
FLAGS_AT = 8
DATA = Path(os.environ.get("MOBILITY_SHARED_DATA", "../shared/data")).resolve()
BROKEN = sorted(DATA.glob("broken/**/*.zip"))


class Home:
    """A folder in which a good snapshot is current, and bad things are then built."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.snapshots = folder / "snapshots"
        self.current = self.build(zip_feed(folder / "good.zip")).folder

    def build(self, feed: Path, osm: Path | None = None, **more: str) -> BuildResult:
        """Build a territory of one feed."""
        content = {
            "id": "town", "name": "Town", "timezone": "Europe/Paris",
            "feeds": [{"id": "f", "path": str(feed)}],
        }  # fmt: skip
        content |= more
        content |= {} if osm is None else {"osm": {"path": str(osm)}}
        (self.folder / "territory.yaml").write_text(yaml.safe_dump(content))
        source = read_territory(self.folder / "territory.yaml")
        return build_territory(source, self.snapshots, allow_drop=True)

    def refusal(self, feed: Path, osm: Path | None = None) -> str:
        """Message of the refusal, after a look that nothing is left of the attempt."""
        before = sorted(p.name for p in self.snapshots.iterdir())
        with pytest.raises(MobilityError) as refused:
            self.build(feed, osm)
        assert sorted(p.name for p in self.snapshots.iterdir()) == before
        assert not list(self.snapshots.glob(f"*{DRAFT}*"))
        assert current_snapshot(self.snapshots) == self.current.resolve()
        message = str(refused.value)
        assert "Traceback" not in message
        assert len(message) < 400
        return message

    def rules(self, feed: Path, osm: Path | None = None) -> set[str]:
        """Rules that a feed breaks which is built all the same."""
        result = self.build(feed, osm)
        assert current_snapshot(self.snapshots) == result.folder.resolve()
        assert not list(self.snapshots.glob(f"*{DRAFT}*"))
        return {finding.rule for finding in result.findings} - {"no_street_map"}


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path)


def packed(members: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return out.getvalue()


def good(change: Callable[[str], str] = str, recode: str = "utf-8") -> dict[str, bytes]:
    """Members of the good feed, renamed and recoded."""
    tables = {f"{name}.txt": table_bytes(table) for name, table in GOOD.items()}
    return {change(name): text.decode().encode(recode) for name, text in tables.items()}


def entry_changed(content: bytes, member: str, at: int, value: int) -> bytes:
    """Overwrite four bytes of a member's entry in the central directory."""
    spoilt = bytearray(content)
    name_at = spoilt.rindex(member.encode())  # local headers come before the directory
    begin = spoilt.rindex(b"PK\x01\x02", 0, name_at)
    spoilt[begin + at : begin + at + 4] = value.to_bytes(4, "little")
    return bytes(spoilt)


REFUSED = {
    "nothing at all": (b"", "not a zip archive"),
    "a web page": (b"<html>404 Not Found</html>", "not a zip archive"),
    "a street extract": (b"\x00\x00\x00\x0d\x0a\x09OSMHeader\x18\xad\x01", "not a zip archive"),
    "an empty archive": (packed({}), "has no agency.txt"),
    "an archive cut short": (packed(good())[:-200], "not a zip archive"),
    "an archive in an archive": (
        packed({"gtfs.zip": packed(good())}), "unpack it and give gtfs.zip"
    ),
    "a way out": (
        packed(good() | {"../../stops.txt": b"stop_id\n"}), "'../../stops.txt' lies outside"
    ),
    "a way out in the middle": (packed(good(lambda name: f"a/../../{name}")), "lies outside"),
    "a place of its own": (packed(good(lambda name: f"/etc/{name}")), "lies outside"),
    "a drive": (packed(good() | {"C:\\stops.txt": b"stop_id\n"}), "lies outside"),
    "a share": (packed(good() | {"\\\\host\\share\\stops.txt": b"x\n"}), "lies outside"),
    "zeros without end": (
        packed(good() | {"stops.txt": b"0" * 12_000_000}), "unpacks to 12,000,000"
    ),
    "one endless value": (packed(good() | {"trips.txt": b"x" * 1_200_000}), "trips.txt"),
    "a size beyond all": (
        entry_changed(packed(good()), "stops.txt", FILE_SIZE_AT, 4_000_000_000),
        "stops.txt unpacks to 4,000,000,000 bytes",
    ),
    "a size that lies": (entry_changed(packed(good()), "stops.txt", FILE_SIZE_AT, 7), "stops.txt"),
    "a secret": (entry_changed(packed(good()), "stops.txt", FLAGS_AT, 1 | 8 << 16), "stops.txt"),
    "binary tables": (packed(dict.fromkeys(good(), bytes(range(256)) * 40)), "has no column"),
    "headers alone": (
        packed({name: text.partition(b"\n")[0] for name, text in good().items()}),
        "no stop has coordinates",
    ),
    "the wrong tables": (packed({"lines.txt": b"line_id\n", "physical_modes.txt": b"x\n"}), "NTFS"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_feed_is_refused_and_the_served_snapshot_stays(home: Home, name: str) -> None:
    content, said = REFUSED[name]
    path = home.folder / "bad.zip"
    path.write_bytes(content)
    assert said in home.refusal(path)
    assert not (home.folder / "stops.txt").exists()
    assert not (home.folder.parent / "stops.txt").exists()


BUILT: dict[str, tuple[dict[str, bytes], set[str]]] = {
    "UTF-8 with its mark": (good(recode="utf-8-sig"), set()),
    "UTF-16": (good(recode="utf-16"), {"not_utf8"}),
    "Windows-1252": (good(recode="cp1252"), {"not_utf8"}),
    "one folder": (good(lambda name: f"export/{name}"), set()),
    "folders in folders": (good(lambda name: f"a/b/c/{name}"), set()),
    "Windows folders": (good(lambda name: f"export\\{name}"), set()),
    "Windows line ends": (
        {name: text.replace(b"\n", b"\r\n") for name, text in good().items()}, set()
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", BUILT)
def test_odd_feed_is_built_and_its_oddity_told(home: Home, name: str) -> None:
    members, rules = BUILT[name]
    path = home.folder / "odd.zip"
    path.write_bytes(packed(members))
    assert home.rules(path) == rules
    counts = json.loads((current_snapshot(home.snapshots) / "manifest.json").read_text())["counts"]
    assert (counts["stops"], counts["stop_times"]) == (3, 6)


def test_many_tables_that_are_large_together_are_refused(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    total = sum(len(text) for text in good().values())
    monkeypatch.setattr(archive_rules, "TOTAL_LIMIT_BYTES", total)
    assert home.rules(zip_feed(home.folder / "a.zip")) == set()
    home.current = current_snapshot(home.snapshots)
    monkeypatch.setattr(archive_rules, "TOTAL_LIMIT_BYTES", total - 1)
    assert f"unpacks to {total:,} bytes" in home.refusal(zip_feed(home.folder / "b.zip"))


@pytest.mark.parametrize("share", [0.0, 0.003, 0.1, 0.5, 0.9, 0.9999])
def test_street_extract_cut_short_is_refused(home: Home, share: float) -> None:
    data = shared_data("terre_haute")
    whole = (data / "terre_haute.osm.pbf").read_bytes()
    cut = home.folder / "cut.osm.pbf"
    cut.write_bytes(whole[: int(len(whole) * share)])
    assert "cut.osm.pbf" in home.refusal(data / "terre_haute_gtfs.zip", cut)


@pytest.mark.parametrize("kind", ["page", "zip", "folder", "absent"])
def test_street_extract_that_is_something_else_is_refused(home: Home, kind: str) -> None:
    osm = home.folder / "streets.osm.pbf"
    if kind == "folder":
        osm.mkdir()
    elif kind != "absent":
        osm.write_bytes(packed(good()) if kind == "zip" else b"<html></html>")
    assert "streets.osm.pbf" in home.refusal(home.folder / "good.zip", osm)


@pytest.mark.parametrize("field", ["tariff", "riders"])
def test_absent_file_that_the_territory_names_is_refused(home: Home, field: str) -> None:
    with pytest.raises(MobilityError, match=rf"{field}: there is no file .*/none\.yaml"):
        home.build(home.folder / "good.zip", **{field: "none.yaml"})
    assert current_snapshot(home.snapshots) == home.current.resolve()
    assert not list(home.snapshots.glob(f"*{DRAFT}*"))


def test_street_extract_of_another_town_is_built_and_told(home: Home) -> None:
    osm = shared_data("paris_mini") / "paris_bss.osm.pbf"
    assert home.rules(home.folder / "good.zip", osm) == {"stops_outside_extract"}


@pytest.mark.parametrize("path", BROKEN, ids=lambda path: "/".join(path.parts[-2:]))
def test_broken_feed_is_built_or_refused_whole(home: Home, path: Path) -> None:
    try:
        home.rules(path)
    except MobilityError:
        message = home.refusal(path)
        assert ("NTFS" in message) == path.name.startswith("ntfs")
