"""
Fetch the real data that tests and benchmarks read: from public repositories, checked by hash.

    python tools/get_data.py                       # everything, into $MOBILITY_SHARED_DATA
    python tools/get_data.py --only 'porto/*'      # some of it; quote the pattern
    python tools/get_data.py --check               # only look at what is there; exits 1 if wrong
    python tools/get_data.py --base-url http://…   # a mirror: <base>/<repository>/<commit>/<path>

`tools/data_manifest.json` names every file. Some were derived from what is published; they are
derived again here, and compared by contents, because packed bytes depend on the packer.
"""

from __future__ import annotations

import argparse
import fnmatch
import hashlib
import json
import os
import shutil
import sys
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import osmium
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn

from gtfs_data.store import file_sha256
from mobility.download import DownloadFailed, Wanted, download

ROOT = Path(__file__).resolve().parent.parent
MANIFEST = ROOT / "tools" / "data_manifest.json"
BASE_URL = "https://raw.githubusercontent.com"
SOURCE_LIMIT_BYTES = 50_000_000
"""No file of the manifest is larger, as published."""
CALENDARS = ("calendar.txt", "calendar_dates.txt")
WITHOUT_TRIPS = "FE"
"""How the ids of services without trips end in the agency's calendar of April 2025."""

Entry = dict[str, Any]
Fetch = Callable[[str, Path], Path]
console = Console(stderr=True)


class ByHand(Exception):
    """A file whose source is not named, and that is not here either."""


def read_manifest(pattern: str = "*") -> list[Entry]:
    """Entries whose name fits a pattern."""
    entries: list[Entry] = json.loads(MANIFEST.read_text(encoding="utf-8"))
    return [entry for entry in entries if fnmatch.fnmatch(entry["name"], pattern)]


def data_folder() -> Path:
    """Where tests and benchmarks look for it."""
    return Path(os.environ.get("MOBILITY_SHARED_DATA", ROOT.parent / "shared" / "data"))


def state_of(entry: Entry, folder: Path) -> str:
    """Say of a file: `absent`, `same`, `same contents` (derived, other bytes) or `different`."""
    path = folder / entry["name"]
    if not path.is_file():
        return "absent"
    if file_sha256(path) == entry["sha256"]:
        return "same"
    if "contents_sha256" not in entry:
        return "different"
    try:
        found = contents_sha256(path)
    except (zipfile.BadZipFile, RuntimeError):
        return "different"
    return "same contents" if found == entry["contents_sha256"] else "different"


def contents_sha256(path: Path) -> str:
    """Hash of what an archive or extract holds, whatever it was packed with."""
    digest = hashlib.sha256()
    if path.suffix == ".zip":
        with zipfile.ZipFile(path) as archive:
            for name in sorted(archive.namelist()):
                digest.update(f"{name} {hashlib.sha256(archive.read(name)).hexdigest()}\n".encode())
        return digest.hexdigest()
    for thing in osmium.FileProcessor(str(path)):
        if thing.is_node():
            held: Any = (thing.location.x, thing.location.y)
        elif thing.is_way():
            held = [node.ref for node in thing.nodes]
        else:
            held = [(member.type, member.ref, member.role) for member in thing.members]
        tags = sorted((tag.k, tag.v) for tag in thing.tags)
        digest.update(repr((thing.type_str(), thing.id, held, tags)).encode())
    return digest.hexdigest()


def get_file(entry: Entry, folder: Path, fetch: Fetch) -> None:
    """Fetch or derive one file; raises `DownloadFailed` or `ByHand`."""
    target = folder / entry["name"]
    target.parent.mkdir(parents=True, exist_ok=True)
    recipe = entry.get("recipe")
    if recipe is None:
        if entry["repository"] is None:
            raise ByHand(f"{entry['repository_name']} @ {entry['commit']}: {entry['how']}")
        fetch(source_path(entry), target)
        return
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".derive-") as work:
        draft = Path(work) / target.name
        RECIPES[recipe](entry, folder, draft, fetch)
        if contents_sha256(draft) != entry["contents_sha256"]:
            raise DownloadFailed(f"{entry['name']}: what was derived has other contents")
        draft.replace(target)


def source_path(entry: Entry, member: str | None = None) -> str:
    """Path of a source below the base address."""
    parts = [entry["repository"], entry["commit"], entry["path"], *([member] if member else [])]
    return "/".join(quote(part) for part in parts)


def derive_zip(entry: Entry, _folder: Path, draft: Path, fetch: Fetch) -> None:
    """Zip the files of one folder."""
    with zipfile.ZipFile(draft, "w", zipfile.ZIP_DEFLATED) as archive:
        for member in entry["members"]:
            got = fetch(source_path(entry, member), draft.parent / "member")
            archive.writestr(zipfile.ZipInfo(member), got.read_bytes(), zipfile.ZIP_DEFLATED)


def derive_osm(entry: Entry, _folder: Path, draft: Path, fetch: Fetch) -> None:
    """Write an extract as PBF without the metadata of its objects, nodes first, by id."""
    published = fetch(source_path(entry), draft.with_name(f"source-{Path(entry['path']).name}"))
    header = osmium.io.Header()
    header.set("generator", "Mobility, tools/get_data.py")
    with osmium.SimpleWriter(str(draft), header=header) as writer:
        reader = osmium.MergeInputReader()
        reader.add_file(str(published))
        reader.apply(_Plain(writer))


class _Plain(osmium.SimpleHandler):  # type: ignore[misc] # osmium has no types here
    """Copies objects with their ids, tags and members alone."""

    def __init__(self, writer: osmium.SimpleWriter) -> None:
        super().__init__()
        self._writer = writer

    def node(self, node: Any) -> None:  # noqa: ANN401 — osmium's
        """Copy a node."""
        self._writer.add_node(node.replace(**_NOTHING))

    def way(self, way: Any) -> None:  # noqa: ANN401 — osmium's
        """Copy a way."""
        self._writer.add_way(way.replace(**_NOTHING))

    def relation(self, relation: Any) -> None:  # noqa: ANN401 — osmium's
        """Copy a relation."""
        self._writer.add_relation(relation.replace(**_NOTHING))


_NOTHING = {"version": 0, "changeset": 0, "uid": 0, "user": "", "timestamp": 0}


def derive_calendars(entry: Entry, folder: Path, draft: Path, _fetch: Fetch) -> None:
    """Put other calendars into an archive; all three sources must lie in the folder."""
    archive_name, *calendar_names = entry["derived_from"]
    missing = [name for name in entry["derived_from"] if not (folder / name).is_file()]
    if missing:
        raise ByHand(f"needs {', '.join(missing)}. {entry['how']}")
    with zipfile.ZipFile(folder / archive_name) as old, zipfile.ZipFile(draft, "w") as new:
        for member in old.namelist():
            content = old.read(member)
            if member in CALENDARS:
                path = folder / calendar_names[CALENDARS.index(member)]
                content = _with_trips(path.read_bytes())
            new.writestr(zipfile.ZipInfo(member), content, zipfile.ZIP_DEFLATED)


def _with_trips(table: bytes) -> bytes:
    """Leave out the rows of services that have no trips."""
    head, *rows = table.decode("utf-8-sig").splitlines(keepends=True)
    column = head.strip().split(",").index("service_id")
    kept = (r for r in rows if not r.split(",")[column].strip().strip('"').endswith(WITHOUT_TRIPS))
    return "".join([head, *kept]).encode()


RECIPES: dict[str, Callable[[Entry, Path, Path, Fetch], None]] = {
    "zip": derive_zip,
    "osm_to_pbf": derive_osm,
    "osm_plain": derive_osm,
    "calendars": derive_calendars,
}


def check(entries: list[Entry], folder: Path) -> int:
    """Say what is there; absent files are no fault of the others."""
    states = {entry["name"]: state_of(entry, folder) for entry in entries}
    for name, state in states.items():
        print(f"{state:>13}  {name}")
    return 1 if "different" in states.values() else 0


def get_all(entries: list[Entry], folder: Path, base_url: str) -> int:
    """Fetch what is not there yet; one file that fails does not stop the others."""
    failed = 0
    columns = TextColumn("{task.description}"), BarColumn(), DownloadColumn()
    with (
        httpx.Client(follow_redirects=True, timeout=30) as client,
        Progress(*columns, console=console) as progress,
    ):
        task = progress.add_task("")
        for entry in entries:
            if state_of(entry, folder).startswith("same"):
                print(f"here already  {entry['name']}")
                continue
            progress.reset(task, description=entry["name"])
            is_plain = "recipe" not in entry
            wanted = Wanted(entry["sha256"] if is_plain else None, SOURCE_LIMIT_BYTES)

            def fetch(path: str, target: Path, wanted: Wanted = wanted) -> Path:
                def told(done: int, total: int | None) -> None:
                    progress.update(task, completed=done, total=total)

                url = f"{base_url.rstrip('/')}/{path}"
                download(url, target, wanted=wanted, on_bytes=told, client=client)
                return target

            try:
                get_file(entry, folder, fetch)
                print(f"         got  {entry['name']}")
            except ByHand as error:
                print(f"     by hand  {entry['name']}: {error}")
            except (DownloadFailed, OSError, RuntimeError) as error:
                failed += 1
                print(f"      FAILED  {entry['name']}: {error}")
    return 1 if failed else 0


def main(words: list[str] | None = None) -> int:
    """Fetch or check; returns the exit code."""
    parser = argparse.ArgumentParser(description="Fetch the real data of tests and benchmarks.")
    parser.add_argument("--only", default="*", metavar="GLOB", help="names that fit, as 'porto/*'")
    parser.add_argument("--check", action="store_true", help="look at what is there, fetch nothing")
    parser.add_argument("--base-url", default=BASE_URL, help="mirror to fetch from")
    given = parser.parse_args(words)
    entries = read_manifest(given.only)
    if not entries:
        parser.error(f"no file of the manifest fits {given.only}")
    folder = data_folder()
    if given.check:
        return check(entries, folder)
    needed = sum(entry["bytes"] for entry in entries)
    folder.mkdir(parents=True, exist_ok=True)
    if shutil.disk_usage(folder).free < 3 * needed:
        parser.error(f"{folder} has too little room for {needed:,} bytes")
    print(f"{len(entries)} files, {needed / 1e6:.1f} MB, into {folder}")
    return get_all(entries, folder, base_url=given.base_url)


if __name__ == "__main__":
    sys.exit(main())
