"""Kept tables: every row of the source is found again, and bad files cost only themselves."""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
import math
import os
import zipfile
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gtfs_data.checks import Findings
from gtfs_data.kept import (
    TABLES,
    ZONES_FILE,
    keep_tables,
    read_kept,
    read_zones,
)
from gtfs_data.reader import BLANK, NO_INTEGER, read_feed
from tests.gtfs_data.small_feeds import GOOD, told, zip_feed

ROOT = Path(__file__).resolve().parents[2]
DATA = Path(os.environ.get("MOBILITY_SHARED_DATA", ROOT.parent / "shared" / "data"))
ARCHIVES = sorted(
    [
        *DATA.glob("feeds/*.zip"),
        DATA / "montpellier" / "tam_gtfs.zip",
        DATA / "realtime" / "bart" / "bart_gtfs.zip",
        DATA / "portland" / "trimet_2routes_gtfs.zip",
    ]
)
WINDOWS = {
    "stop_times": """
        trip_id,stop_id,location_id,stop_sequence,arrival_time,departure_time,start_pickup_drop_off_window,end_pickup_drop_off_window,pickup_booking_rule_id
        T1,S1,,1,07:00:00,07:00:00,,,
        T1,S3,,2,07:25:00,07:25:00,,,
        T2,,Z,1,,,25:00:00,26:30:00,B
        T2,,Z,2,,,25:00:00,26:30:00,
    """,
}


def keep(path: Path, out: Path) -> tuple[dict[str, int], Findings]:
    findings = Findings()
    return keep_tables(read_feed(path, "f"), path, out, findings), findings


def kept_rows(out: Path, table: str) -> list[dict[str, Any]]:
    return [
        {k: v for k, v in row.items() if k != "row"}
        for row in read_kept(out, "f", table).to_dict("records")
    ]


# --- every row again ----------------------------------------------------------------------------


@cache
def raw_rows(path: Path, file: str) -> list[dict[str, str]]:
    """Rows as the publisher wrote them, by the standard library alone."""
    with zipfile.ZipFile(path) as archive:
        text = io.TextIOWrapper(archive.open(file), "utf-8-sig", newline="")
        rows = csv.DictReader(text, skipinitialspace=True)
        cells = [{k.strip(): (v or "").strip() for k, v in row.items() if k} for row in rows]
    return [row for row in cells if any(row.values())]


def expected_rows(path: Path, table: str) -> list[dict[str, str]]:
    rows = raw_rows(path, f"{TABLES[table].source}.txt")
    if table == "blocks":
        return [row for row in rows if row["block_id"]]
    if table == "flexible_stop_times":
        return [row for row in rows if row["start_pickup_drop_off_window"] or row["location_id"]]
    if table == "flexible_trips":
        trips = {row["trip_id"] for row in expected_rows(path, "flexible_stop_times")}
        return [row for row in rows if row["trip_id"] in trips]
    return rows


def same(text: str, value: object) -> bool:
    """Whether a kept value says what the publisher's text says."""
    if text == "":
        return value in ("", BLANK, NO_INTEGER) or (isinstance(value, float) and math.isnan(value))
    if isinstance(value, str):
        return value == text or value == text.upper()
    if ":" in text:
        hours, minutes, seconds = map(int, text.split(":"))
        return value == hours * 3600 + minutes * 60 + seconds
    number = float(text)
    if value == number:
        return True
    # dates: YYYYMMDD as days since 1970
    if len(text) != 8:
        return False
    day = dt.date(int(text[:4]), int(text[4:6]), int(text[6:]))
    return value == (day - dt.date(1970, 1, 1)).days


def files_of(path: Path) -> set[str]:
    with zipfile.ZipFile(path) as archive:
        return set(archive.namelist())


def test_published_feeds_are_at_hand() -> None:
    if not DATA.is_dir():
        pytest.skip(f"real data is absent: {DATA} (set MOBILITY_SHARED_DATA)")
    assert len(ARCHIVES) > 4


@pytest.mark.parametrize("path", ARCHIVES, ids=lambda path: path.stem)
def test_every_row_of_the_source_is_found_again(path: Path, tmp_path: Path) -> None:
    if not path.is_file():
        pytest.skip(f"real data is absent: {path} (set MOBILITY_SHARED_DATA)")
    counts, findings = keep(path, tmp_path)
    assert told(findings) == []
    present = files_of(path)
    sources = {table.source for name, table in TABLES.items() if not table.only}
    assert {f"{TABLES[name].source}.txt" for name in counts if name in TABLES} >= (
        present & {f"{source}.txt" for source in sources} - {"trips.txt"}
    )
    for name in counts.keys() & TABLES.keys():
        frame = read_kept(tmp_path, "f", name)
        expected = expected_rows(path, name)
        assert len(frame) == len(expected) == counts[name]
        columns = {c: frame[c].tolist() for c in frame.columns}
        wanted = set(expected[0]) if expected and TABLES[name].others else set()
        assert wanted <= set(columns)
        for i, row in enumerate(expected):
            for column, text in row.items():
                if column in columns:
                    assert same(text, columns[column][i]), (name, i, column, text)


def test_zones_are_found_again(tmp_path: Path) -> None:
    path = DATA / "feeds" / "ctran_flex_fares2.zip"
    if not path.is_file():
        pytest.skip(f"real data is absent: {path} (set MOBILITY_SHARED_DATA)")
    keep(path, tmp_path)
    with zipfile.ZipFile(path) as archive:
        features = json.loads(archive.read(ZONES_FILE))["features"]
    assert read_zones(tmp_path, "f") == {feature["id"]: feature for feature in features}
    called = set(read_kept(tmp_path, "f", "flexible_stop_times")["location_id"]) - {""}
    assert called
    assert called <= set(read_zones(tmp_path, "f"))


# --- shapes of columns --------------------------------------------------------------------------


@pytest.mark.unit
def test_flexible_stop_times_and_their_trips_are_kept(tmp_path: Path) -> None:
    path = zip_feed(tmp_path / "f.zip", **WINDOWS)
    counts, findings = keep(path, tmp_path)
    assert told(findings) == []
    assert counts["flexible_stop_times"] == 2
    first = kept_rows(tmp_path, "flexible_stop_times")[0]
    assert first["trip_id"] == "T2"
    assert first["location_id"] == "Z"
    assert first["start_pickup_drop_off_window"] == 25 * 3600
    assert first["end_pickup_drop_off_window"] == 26 * 3600 + 1800
    assert first["pickup_booking_rule_id"] == "B"
    assert first["arrival_time"] == BLANK
    assert kept_rows(tmp_path, "flexible_trips") == [
        {"trip_id": "T2", "route_id": "R", "service_id": "C"}
    ]


@pytest.mark.unit
def test_money_never_passes_a_float(tmp_path: Path) -> None:
    products = """
        fare_product_id,amount,currency
        day,0.30,EUR
        long,12345678901234567.89,JOD
    """
    keep(zip_feed(tmp_path / "f.zip", fare_products=products), tmp_path)
    amounts = [row["amount"] for row in kept_rows(tmp_path, "fare_products")]
    assert [Decimal(text) for text in amounts] == [Decimal("0.30"), Decimal("12345678901234567.89")]


@pytest.mark.unit
def test_unlimited_transfers_are_not_blank(tmp_path: Path) -> None:
    rules = """
        from_leg_group_id,to_leg_group_id,transfer_count,fare_transfer_type
        bus,bus,-1,0
        bus,metro,,0
    """
    keep(zip_feed(tmp_path / "f.zip", fare_transfer_rules=rules), tmp_path)
    frame = read_kept(tmp_path, "f", "fare_transfer_rules")
    assert frame["transfer_count"].tolist() == [-1, NO_INTEGER]
    assert frame["transfer_count"].dtype == "int32"


@pytest.mark.unit
def test_columns_that_gtfs_does_not_know_are_kept_as_text(tmp_path: Path) -> None:
    levels = """
        level_id,level_index,colour of the floor
        L0,-1.5,"green, mostly"
    """
    keep(zip_feed(tmp_path / "f.zip", levels=levels), tmp_path)
    assert kept_rows(tmp_path, "levels") == [
        {
            "level_id": "L0",
            "level_index": -1.5,
            "level_name": "",
            "colour of the floor": "green, mostly",
        }
    ]


@pytest.mark.unit
def test_absent_table_has_no_rows_and_all_its_columns(tmp_path: Path) -> None:
    counts, _ = keep(zip_feed(tmp_path / "f.zip"), tmp_path)
    assert "pathways" not in counts
    frame = read_kept(tmp_path, "f", "pathways")
    assert len(frame) == 0
    assert {"pathway_id", "from_stop_id", "traversal_time", "row"} <= set(frame)
    assert read_zones(tmp_path, "f") == {}


@pytest.mark.unit
def test_feeds_with_equal_ids_do_not_mix(tmp_path: Path) -> None:
    for feed_id, name in (("north", "Quai"), ("south", "Rue")):
        path = zip_feed(
            tmp_path / f"{feed_id}.zip", levels=f"level_id,level_index,level_name\nL,0,{name}"
        )
        keep_tables(read_feed(path, feed_id), path, tmp_path, Findings())
    names = {f: read_kept(tmp_path, f, "levels")["level_name"].tolist() for f in ("north", "south")}
    assert names == {"north": ["Quai"], "south": ["Rue"]}


@pytest.mark.unit
@settings(
    deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(texts=st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\0")), max_size=5))
def test_any_text_comes_back(texts: list[str], tmp_path: Path) -> None:
    table = io.StringIO(newline="")
    lines = csv.writer(table)
    lines.writerow(("level_id", "level_index", "level_name"))
    lines.writerows((f"L{i}", i, text) for i, text in enumerate(texts))
    path = zip_feed(tmp_path / "f.zip", levels=table.getvalue().encode())
    keep(path, tmp_path)
    frame = read_kept(tmp_path, "f", "levels")
    assert frame["level_name"].tolist() == [text.strip() for text in texts]


# --- bad files ----------------------------------------------------------------------------------


@pytest.mark.unit
def test_bad_value_costs_its_row_or_becomes_blank(tmp_path: Path) -> None:
    pathways = """
        pathway_id,from_stop_id,to_stop_id,pathway_mode,is_bidirectional,length
        P1,S1,S2,1,1,far
        P2,S1,S2,stairs,1,10
        P3,S1,,1,1,10
    """
    path = zip_feed(tmp_path / "f.zip", pathways=pathways)
    counts, _ = keep(path, tmp_path)
    assert counts["pathways"] == 1
    (row,) = kept_rows(tmp_path, "pathways")
    assert row["pathway_id"] == "P1"
    assert math.isnan(row["length"])
    assert told(read_feed(path, "f").findings) == [
        ("invalid_value", "pathways.txt", 2),
        ("invalid_value", "pathways.txt", 3),
        ("missing_value", "pathways.txt", 4),
    ]


@pytest.mark.unit
@pytest.mark.parametrize(
    "networks",
    [b"network_name\nStreet\n", b'network_id\n"' + b"x" * 1_100_000],
    ids=["lacks a column", "cell without end"],
)
def test_unreadable_table_costs_itself(networks: bytes, tmp_path: Path) -> None:
    path = zip_feed(tmp_path / "f.zip", networks=networks, areas="area_id,area_name\nA,Centre")
    counts, findings = keep(path, tmp_path)
    assert "networks" not in counts
    assert counts["areas"] == 1
    assert [rule for rule, *_ in told(findings)] == ["unreadable_table"]


@pytest.mark.unit
@pytest.mark.parametrize(
    "zones",
    [
        b"",
        b"[1, 2]",
        b'{"features": 7}',
        b"\xff\xfe",
        b'{"features": [7]}',
        b'{"features": ' + b"[" * 100_000,
        b'{"features": [{"id": "Z", "geometry": {"type": "Point", "coordinates": [1, 2]}}]}',
        b'{"features": [{"geometry": {"type": "Polygon", "coordinates": []}}]}',
    ],
)
def test_spoilt_zones_are_told_and_left_out(zones: bytes, tmp_path: Path) -> None:
    path = zip_feed(tmp_path / "f.zip")
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(ZONES_FILE, zones)
    counts, findings = keep(path, tmp_path)
    assert counts[ZONES_FILE] == 0
    assert read_zones(tmp_path, "f") == {}
    assert [rule for rule, *_ in told(findings)] == ["invalid_geojson"]


@pytest.mark.unit
def test_archive_that_is_gone_since_is_told(tmp_path: Path) -> None:
    path = zip_feed(tmp_path / "f.zip")
    feed = read_feed(path, "f")
    path.write_bytes(b"no zip any more")
    findings = Findings()
    assert keep_tables(feed, path, tmp_path, findings) == {}
    assert [rule for rule, *_ in told(findings)] == ["unreadable_table"]


@pytest.mark.unit
def test_defects_that_the_reader_has_told_are_not_told_again(tmp_path: Path) -> None:
    stops = GOOD["stops"].replace("3.90,0,", "east,0,")
    path = zip_feed(tmp_path / "f.zip", stops=stops)
    feed = read_feed(path, "f")
    assert {rule for rule, *_ in told(feed.findings)} == {"invalid_value"}
    findings = Findings()
    keep_tables(feed, path, tmp_path, findings)
    assert told(findings) == []
