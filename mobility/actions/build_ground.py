"""
Streets, walks and drives of a territory: compiled, or taken over from the last snapshot.

A timetable often changes without moving a stop. The ground is then the same, and is not compiled
again: its key, a hash of everything that it rests on, stands in the manifest.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import orjson

from carpool.meeting_points import place_sites, stop_sites, street_sites
from core.errors import MobilityError
from gtfs_data.carpool_places import read_carpool_places
from gtfs_data.checks import Findings
from gtfs_data.store import file_sha256, read_manifest
from gtfs_data.timetable import Timetable
from mobility.actions.draw_basemap import BASEMAP
from mobility.territory import TerritoryFile
from routing.build import build_network, with_timetable
from routing.network import Network, open_network
from routing.spi import MeetingSite
from routing.street.graph import build_streets
from routing.street.osm import NamedPlace, RawStreets, read_osm
from routing.street.rules import Speeds, speeds_of_territory

NAMED_PLACES = "named_places.json"
_ROOT = Path(__file__).resolve().parent.parent.parent
_CODE = ("core", "gtfs_data", "carpool", "routing", "mobility/mapping/basemap.py")
"""Sources that decide what a ground and its base map look like."""

Step = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class BuiltGround:
    """A network, and what else was learnt from the street map."""

    network: Network
    key: str
    named: Sequence[NamedPlace]
    taken_from: Path | None
    """Snapshot whose ground this is; None when it was compiled."""


def build_ground(
    source: TerritoryFile,
    timetable: Timetable,
    findings: Findings,
    *,
    last: Path | None,
    draw: Callable[[Path, RawStreets], None],
    on_step: Step,
) -> BuiltGround:
    """
    Tie the timetable to the extract's streets, or to straight lines where there is none.

    `draw` is called with the extract and what was read of it as soon as a base map can be begun,
    unless the last snapshot's can be taken over with its streets.
    """
    territory = source.territory
    speeds = speeds_of_territory(territory.speeds)
    sites: list[MeetingSite] = []
    if territory.osm is None:
        message = "no OSM extract: walks are straight lines, and there are no rides and no bikes"
        findings.info("no_street_map", "TERRITORY.yaml", None, message)
    else:
        sites = stop_sites(timetable)
        if territory.carpool_places is not None:
            places = read_carpool_places(source.path(territory.carpool_places.path), findings)
            sites += place_sites(places)
    osm = None if territory.osm is None else source.path(territory.osm.path)
    key = _key(osm, speeds, timetable, sites)
    kept = None if last is None else _taken_over(last, key, timetable, findings)
    if kept is not None and last is not None:
        on_step("streets are those of the last snapshot")
        if osm is not None and not (last / BASEMAP).is_file():
            draw(osm, read_osm(osm))
        return kept
    raw, streets = None, None
    if osm is not None:
        on_step("OSM extract")
        raw = read_osm(osm)
        draw(osm, raw)
        on_step("streets")
        streets = build_streets(raw, speeds)
        sites += street_sites(streets, raw.places, sites)
    network = build_network(
        timetable,
        streets,
        zone=source.zone,
        sites=sites,
        speeds=speeds,
        findings=findings,
        on_step=on_step,
    )
    return BuiltGround(network, key, () if raw is None else raw.places, None)


def write_named_places(folder: Path, named: Sequence[NamedPlace]) -> None:
    """Keep them in a snapshot, for the next build that takes its ground over."""
    (folder / NAMED_PLACES).write_bytes(orjson.dumps(list(named)))


def _taken_over(
    last: Path, key: str, timetable: Timetable, findings: Findings
) -> BuiltGround | None:
    """Ground of the last snapshot, when its key is this one."""
    try:
        if read_manifest(last).get("ground_key") != key:
            return None
        network = with_timetable(open_network(last), timetable, findings)
        named = [NamedPlace(**p) for p in orjson.loads((last / NAMED_PLACES).read_bytes())]
    except (MobilityError, OSError, ValueError):
        return None  # it is compiled anew then
    return BuiltGround(network, key, named, last)


def _key(
    osm: Path | None, speeds: Speeds, timetable: Timetable, sites: Sequence[MeetingSite]
) -> str:
    """Hash of everything that the ground rests on, the program that compiles it included."""
    t = timetable
    called = np.zeros(t.stop_count, np.uint8)
    called[t.pattern_stop] = 1
    rests_on: list[Any] = [
        None if osm is None else file_sha256(osm),
        [repr(getattr(speeds, name)) for name in speeds.__slots__],
        [asdict(site) for site in sites],
        _code_hash(),
    ]
    digest = hashlib.sha256(orjson.dumps(rests_on))
    rows: list[npt.NDArray[Any]] = [called, t.stop_lat, t.stop_lon]
    rows += [t.stop_id.offset, t.stop_id.utf8, t.stop_name.offset, t.stop_name.utf8]
    rows += [t.transfer_from, t.transfer_to, t.transfer_type, t.transfer_min_s]
    rows += [t.stop_type, t.stop_parent, t.wheelchair_boarding, t.pathway_from, t.pathway_to]
    rows += [t.pathway_mode, t.pathway_both_ways, t.pathway_m, t.pathway_s, t.pathway_stairs]
    rows += [t.pathway_slope, t.pathway_width_m, t.pathway_id.offset, t.pathway_id.utf8]
    for array in rows:
        digest.update(f"{array.dtype}{array.shape}".encode())
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()


def _code_hash() -> str:
    digest = hashlib.sha256()
    for name in _CODE:
        source = _ROOT / name
        for path in sorted(source.rglob("*.py")) if source.is_dir() else [source]:
            digest.update(path.read_bytes())
    return digest.hexdigest()
