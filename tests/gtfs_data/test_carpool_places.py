"""Carpool places of the national base, bad rows told and left out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from core.errors import InvalidInput
from gtfs_data.carpool_places import CarpoolPlace, read_carpool_places
from gtfs_data.checks import Findings, Severity
from tests.gtfs_data.small_feeds import table_bytes, told

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.unit
HEADER = "id_lieu,nom_lieu,com_lieu,type,Xlong,Ylat,ouvert\n"


def places(folder: Path, rows: str | bytes) -> tuple[list[CarpoolPlace], Findings]:
    path = folder / "bnlc.csv"
    path.write_bytes(table_bytes(HEADER + rows) if isinstance(rows, str) else rows)
    findings = Findings()
    return read_carpool_places(path, findings), findings


def test_place_is_read_with_its_town_and_kind(tmp_path: Path) -> None:
    found, findings = places(tmp_path, "1,Aire du Pont,Valmont,Aire de covoiturage,3.9,43.6,true\n")
    aire = "Aire de covoiturage"
    assert found == [CarpoolPlace("1", "Aire du Pont", aire, "Valmont", lat=43.6, lon=3.9)]
    assert told(findings) == []


def test_byte_order_mark_and_decimal_commas_are_read(tmp_path: Path) -> None:
    rows = b"\xef\xbb\xbf" + f'{HEADER}1,Pont,Valmont,Parking,"3,9","43,6",\n'.encode()
    found, findings = places(tmp_path, rows)
    assert [(p.id, p.lat, p.lon) for p in found] == [("1", 43.6, 3.9)]
    assert told(findings) == []


@pytest.mark.parametrize("closed", ["false", "False", "non", "0", " FALSE "])
def test_closed_place_is_left_out_in_silence(tmp_path: Path, closed: str) -> None:
    found, findings = places(tmp_path, f"1,Pont,Valmont,Parking,3.9,43.6,{closed}\n")
    assert (found, told(findings)) == ([], [])


@pytest.mark.parametrize("where", ["x,43.6", "3.9,", "3.9,143.6", "nan,43.6", "181,43.6"])
def test_place_without_a_place_on_earth_is_left_out_and_told(tmp_path: Path, where: str) -> None:
    rows = f"1,Pont,Valmont,Parking,3.9,43.6,\n2,Gué,Valmont,Parking,{where},\n"
    found, findings = places(tmp_path, rows)
    assert [p.id for p in found] == ["1"]
    assert told(findings) == [("invalid_value", "bnlc.csv", 3)]


def test_short_and_long_rows_are_read_as_far_as_they_go(tmp_path: Path) -> None:
    rows = "1,Pont,Valmont,Parking\n2,Gué,Valmont,Parking,3.9,43.6,,more,and more\n"
    found, findings = places(tmp_path, rows)
    assert [p.id for p in found] == ["2"]
    assert told(findings) == [("invalid_value", "bnlc.csv", 2)]


def test_kind_out_of_the_schema_is_kept_and_told(tmp_path: Path) -> None:
    rows = "1,Pont,Valmont,Terrain vague,3.9,43.6,\n2,A9,Valmont,Sortie d’autoroute,3.9,43.6,\n"
    found, findings = places(tmp_path, rows)
    assert [p.kind for p in found] == ["Terrain vague", "Sortie d'autoroute"]
    assert told(findings) == [("unknown_kind", "bnlc.csv", 2)]
    assert findings.worst() is Severity.WARNING


def test_first_place_of_an_id_counts_and_a_missing_id_is_the_line(tmp_path: Path) -> None:
    rows = "1,Pont,,Parking,3.9,43.6,\n1,Gué,,Parking,3.9,43.7,\n,Bac,,Parking,3.9,43.8,\n"
    found, _ = places(tmp_path, rows)
    assert [(p.id, p.name) for p in found] == [("1", "Pont"), ("line-4", "Bac")]


def test_file_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=r"cannot read carpool places .*none\.csv"):
        read_carpool_places(tmp_path / "none.csv", Findings())
    with pytest.raises(InvalidInput, match=r"bnlc\.csv"):
        places(tmp_path, f"{HEADER}1,Lycée,,Parking,3.9,43.6,\n".encode("cp1252"))
