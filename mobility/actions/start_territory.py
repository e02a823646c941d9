"""Begin a territory of one's own: sources fetched or found, one commented file that names them."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import unicodedata
import zipfile
from dataclasses import dataclass
from pathlib import Path

from core.errors import Conflict, InvalidInput
from core.time import get_zone
from mobility.download import OnBytes, download
from mobility.territory import InvalidTerritory, read_territory

FILE_NAME = "territory.yaml"
FEED_ID = re.compile(r"[A-Za-z0-9_.-]+")
AGENCY_LIMIT_BYTES = 10_000_000
"""No list of agencies is longer; a spoilt archive must not fill the memory."""
OSM_NOTICE = (
    '{text: "© OpenStreetMap contributors", url: "https://www.openstreetmap.org/copyright"}'
)

EXPLAINED = {
    "id": "Short name for folders and the database: a-z, 0-9 and -. A data directory belongs to\n"
    "one id for good.",
    "name": "Name that people read.",
    "generated": "true only for an invented town: pages and answers then say so.",
    "timezone": "Time zone of the clocks in the town (IANA name, as in agency.txt).",
    "languages": "Languages of the page, first one first.",
    "centre": "Where the map opens; the middle of the streets when left out.",
    "feeds": "Timetables: GTFS archives. The id is put before every stop and trip id of the feed:\n"
    "keep it when the file is replaced by a newer one.",
    "osm": "Streets: an OpenStreetMap extract that covers the stops (.osm.pbf or .osm). Without\n"
    "it nobody can walk from door to door, and carpool offers cannot be compiled.",
    "carpool_places": "Meeting points for carpool: a CSV in the shape of the French national base.",
    "tariff": "Prices; without this every price is said to be unknown.",
    "offers": "Carpool offers to publish with the demo; yours come by `mobility offers add`.",
    "riders": "Example journeys that the page proposes.",
    "attributions": "Who must be named on the page. Street data always needs OpenStreetMap's line.",
    "limits": "Seconds to change vehicles, to change to a carpool, and that a driver stops.",
    "speeds": "Speeds that differ here, by kind of street.",
    "driving_costs": "What driving costs here, in thousandths of a cent per kilometre.",
}
EXAMPLES = {
    "generated": "generated: false",
    "languages": "languages: [fr, en]",
    "centre": "centre: {lat: 46.58, lon: 1.2}",
    "osm": "osm: {path: streets.osm.pbf}",
    "attributions": 'attributions: [{text: "Timetables: the operator", url: null}]',
    "carpool_places": "carpool_places: {path: carpool_places.csv}",
    "tariff": "tariff: tariff.yaml",
    "offers": "offers: offers.json",
    "riders": "riders: riders.json",
    "limits": "limits: {change_s: 60, carpool_change_s: 300, pickup_stop_s: 60}",
    "speeds": "speeds: {foot_mps: 1.3, car_kmh: {residential: 25}}",
    "driving_costs": "driving_costs: {toll_millicents_per_km: 11000}",
}


class TerritoryExists(Conflict):
    """There is a territory file already."""

    code = "territory_exists"


class SourceUnusable(InvalidInput):
    """A source that was named is absent, or is not what it should be."""

    code = "source_unusable"


@dataclass(frozen=True, slots=True)
class Sources:
    """Files of a territory, all on this machine."""

    feeds: tuple[tuple[str, Path], ...]
    """Feed id and archive."""
    osm: Path | None
    carpool_places: Path | None = None


def slug(text: str) -> str:
    """Turn a name into an id: `Saint-Étienne (42)` → `saint-etienne-42`."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")


def split_feed(given: str) -> tuple[str, str]:
    """Take `ID=SOURCE` apart; without an id the file's name becomes one."""
    head, equals, tail = given.partition("=")
    if equals and FEED_ID.fullmatch(head):
        feed_id, source = head, tail
    else:
        feed_id, source = slug(Path(given.partition("?")[0]).name.removesuffix(".zip")), given
    if not feed_id or not source:
        raise SourceUnusable(f"--gtfs {given}: write ID=FILE.zip or ID=https://…")
    return feed_id, source


def fetch_source(source: str, target: Path, on_bytes: OnBytes = lambda *_: None) -> Path:
    """Give the file that is meant: a path as it is, an address downloaded to `target`."""
    if "://" in source:
        download(source, target, on_bytes=on_bytes)
        return target
    path = Path(source).expanduser()
    if not path.is_file():
        raise SourceUnusable(f"{source}: no such file")
    return path.resolve()


def check_feed(path: Path) -> Path:
    """Refuse what is no archive before anything rests on it; `mobility check` looks closer."""
    if not zipfile.is_zipfile(path):
        raise SourceUnusable(
            f"{path} is not a GTFS archive (a .zip): a web page may have come in its place"
        )
    return path


def find_zone(feeds: tuple[tuple[str, Path], ...]) -> str | None:
    """Time zone of the first feed that names one we know, from its `agency.txt`."""
    for _, path in feeds:
        for row in _agencies(path):
            zone = (row.get("agency_timezone") or "").strip()
            try:
                return get_zone(zone).key
            except InvalidInput:
                continue
    return None


def _agencies(path: Path) -> list[dict[str, str]]:
    try:
        with zipfile.ZipFile(path) as archive:
            name = next((n for n in archive.namelist() if Path(n).name == "agency.txt"), None)
            if name is None or archive.getinfo(name).file_size > AGENCY_LIMIT_BYTES:
                return []
            text = archive.read(name).decode("utf-8-sig", errors="replace")
    except (OSError, zipfile.BadZipFile, NotImplementedError, RuntimeError):
        return []
    return list(csv.DictReader(io.StringIO(text)))


def check_absent(folder: Path, *, force: bool) -> None:
    """Refuse to overwrite a territory file that somebody may have worked on."""
    if (folder / FILE_NAME).exists() and not force:
        raise TerritoryExists(f"{folder / FILE_NAME} exists: --force overwrites it")


def start_territory(
    folder: Path,
    sources: Sources,
    *,
    territory_id: str,
    name: str,
    timezone: str,
    force: bool = False,
) -> Path:
    """
    Write the territory file; it is read back before it gets its name.

    Raises
    ------
    TerritoryExists
        There is one, and `force` was not given.
    InvalidTerritory
        An id, a time zone or the lack of a source is not allowed.
    """
    check_absent(folder, force=force)
    folder.mkdir(parents=True, exist_ok=True)
    values = {
        "id": f"id: {_quoted(territory_id)}",
        "name": f"name: {_quoted(name)}",
        "timezone": f"timezone: {_quoted(timezone)}",
        "feeds": "feeds:"
        + "".join(
            f"\n  - {{id: {_quoted(feed_id)}, path: {_place(path, folder)}}}"
            for feed_id, path in sources.feeds
        ),
    }
    if not sources.feeds:
        values["feeds"] = "feeds: []"
    if sources.osm is not None:
        values["osm"] = f"osm: {{path: {_place(sources.osm, folder)}}}"
        values["attributions"] = f"attributions:\n  - {OSM_NOTICE}"
    if sources.carpool_places is not None:
        values["carpool_places"] = (
            f"carpool_places: {{path: {_place(sources.carpool_places, folder)}}}"
        )
    draft = folder / f".{FILE_NAME}.draft"
    draft.write_text(_text(name, values), encoding="utf-8")
    try:
        read_territory(draft)
    except InvalidTerritory as error:
        raise InvalidTerritory(str(error).replace(draft.name, FILE_NAME)) from error
    else:
        draft.replace(folder / FILE_NAME)
    finally:
        draft.unlink(missing_ok=True)
    return folder / FILE_NAME


def _text(name: str, values: dict[str, str]) -> str:
    """Lay out the keys in order: those that are set, and the others behind a # to take up."""
    blocks = [f"# The territory of {_one_line(name)}. Paths are relative to this file."]
    for key, comment in EXPLAINED.items():
        said = comment.replace("\n", "\n# ")
        blocks.append(f"# {said}\n{values.get(key) or '# ' + EXAMPLES[key]}")
    return "\n\n".join(blocks) + "\n"


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _quoted(text: str) -> str:
    """Write a YAML string that is safe whatever it holds (JSON strings are YAML)."""
    return json.dumps(text, ensure_ascii=False)


def _place(path: Path, folder: Path) -> str:
    """Write a path relative to the folder when it is inside, so that the folder can be moved."""
    path, folder = path.resolve(), folder.resolve()
    inside = path.is_relative_to(folder)
    return _quoted(os.fspath(path.relative_to(folder) if inside else path))
