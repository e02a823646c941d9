"""
Carpool places: the French national base (BNLC), read row by row with findings.

Source: schema "Lieux de covoiturage" of transport.data.gouv.fr.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

from core.errors import InvalidInput
from gtfs_data.checks import Findings

KINDS = frozenset(
    {
        "Aire de covoiturage",
        "Parking",
        "Parking relais",
        "Supermarché",
        "Délaissé routier",
        "Sortie d'autoroute",
        "Auto-stop",
    }
)


@dataclass(frozen=True, slots=True)
class CarpoolPlace:
    """A place where people meet to share a car."""

    id: str
    name: str
    kind: str
    town: str
    lat: float
    lon: float


def read_carpool_places(path: Path, findings: Findings) -> list[CarpoolPlace]:
    """Read a BNLC file; closed places are left out, bad rows become findings."""
    places: dict[str, CarpoolPlace] = {}
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = csv.DictReader(file)
            for row in rows:
                place = _place(row, path.name, rows.line_num, findings)
                if place is not None:
                    places.setdefault(place.id, place)
    except (OSError, csv.Error, UnicodeDecodeError) as error:
        raise InvalidInput(f"cannot read carpool places {path}: {error}") from error
    return list(places.values())


def _place(row: dict[str, str], file: str, line: int, findings: Findings) -> CarpoolPlace | None:
    if (row.get("ouvert") or "true").strip().lower() in ("false", "non", "0"):
        return None
    try:
        lat, lon = float(row["Ylat"].replace(",", ".")), float(row["Xlong"].replace(",", "."))
    except (KeyError, ValueError, AttributeError):
        findings.error("invalid_value", file, line, "Ylat or Xlong is not a number: left out")
        return None
    if not (-90 <= lat <= 90 and -180 <= lon <= 180):
        findings.error("invalid_value", file, line, "not a place on Earth: left out")
        return None
    kind = (row.get("type") or "").strip().replace("’", "'")
    if kind not in KINDS:
        findings.warning("unknown_kind", file, line, f"type {kind[:40]!r} is not in the schema")
    return CarpoolPlace(
        id=row.get("id_lieu") or f"line-{line}",
        name=(row.get("nom_lieu") or "").strip(),
        kind=kind,
        town=(row.get("com_lieu") or "").strip(),
        lat=lat,
        lon=lon,
    )
