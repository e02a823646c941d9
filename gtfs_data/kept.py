"""
Tables that the search does not read, kept beside its arrays for the parts that will.

Pathways and levels, fares of both versions, flexible services, blocks, transfers between trips,
translations, attributions: each feed's rows stand in ``feeds/<feed>/<table>.csv`` of a snapshot,
checked and in one spelling (UTF-8, ``HH:MM:SS``, ``YYYYMMDD``), with the feed's own ids. Columns
that GTFS does not know are kept as text. A bad value costs its row (where the row means nothing
without it) or becomes blank; a bad file costs itself: each gives a finding.

Source: GTFS Schedule reference, revised 2025; docs/gtfs.md lists the tables.
"""

from __future__ import annotations

import csv
import json
import zipfile
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from gtfs_data.archive import SPOILT_ARCHIVE, UnreadableFeed, list_members, open_archive
from gtfs_data.checks import Findings
from gtfs_data.reader import (
    COLOUR,
    COLUMNS,
    COUNT,
    DATE,
    INTEGER,
    LATITUDE,
    LONGITUDE,
    NUMBER,
    TEXT,
    TIME,
    WEEKDAYS,
    Columns,
    Feed,
    Kind,
    empty_table,
    read_table,
)

FEEDS_FOLDER = "feeds"
ZONES_FILE = "locations.geojson"
ZONE_SHAPES = ("Polygon", "MultiPolygon")

Json = Mapping[str, Any]


def _amount(value: str) -> str:
    try:
        number = Decimal(value)
    except InvalidOperation as error:
        raise ValueError(value) from error
    if not number.is_finite():
        raise ValueError(value)
    return value


AMOUNT = Kind(_amount, "", "object", "amount of money")
"""Text as the feed wrote it: no money passes through a float."""

_KINDS = {
    "text": TEXT, "time": TIME, "date": DATE, "count": COUNT, "integer": INTEGER,
    "number": NUMBER, "amount": AMOUNT, "lat": LATITUDE, "lon": LONGITUDE, "colour": COLOUR,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class KeptTable:
    """What is kept of one file of a feed."""

    source: str
    """Name in the archive, without ``.txt``."""
    columns: Columns
    only: tuple[str, ...] = ()
    """Keep rows that have a value in one of these; without any, all rows."""
    trips_of: str = ""
    """Keep rows whose trip stands in this table, which is kept before."""
    others: bool = True
    """Keep columns that are not named here, as text."""


def _columns(text: str) -> Columns:
    """``pathway_id! length:number``: names, kinds unless text, ``!`` where a row needs a value."""
    found = {}
    for word in text.split():
        name, _, kind = word.removesuffix("!").partition(":")
        found[name] = (_KINDS[kind or "text"], word.endswith("!"))
    return found


_WINDOW = "start_pickup_drop_off_window end_pickup_drop_off_window"
_FLEXIBLE = (
    "location_id", "location_group_id", "pickup_booking_rule_id", "drop_off_booking_rule_id",
    *_WINDOW.split(),
)  # fmt: skip

TABLES: dict[str, KeptTable] = {
    name: KeptTable(name, _columns(text))
    for name, text in {
        "stops": """stop_id! stop_lat:lat stop_lon:lon zone_id location_type:count parent_station
            wheelchair_boarding:count level_id platform_code stop_access:count""",
        "routes": """route_id! agency_id route_type:count! network_id route_sort_order:count
            continuous_pickup:count continuous_drop_off:count cemv_support:count
            route_color:colour route_text_color:colour""",
        "pathways": """pathway_id! from_stop_id! to_stop_id! pathway_mode:count!
            is_bidirectional:count! length:number traversal_time:count stair_count:integer
            max_slope:number min_width:number signposted_as reversed_signposted_as""",
        "levels": "level_id! level_index:number! level_name",
        "calendar": f"""service_id! {" ".join(f"{day}:count!" for day in WEEKDAYS)}
            start_date:date! end_date:date!""",
        "calendar_dates": "service_id! date:date! exception_type:count!",
        "transfers": """from_stop_id to_stop_id from_route_id to_route_id from_trip_id to_trip_id
            transfer_type:count min_transfer_time:count""",
        "fare_attributes": """fare_id! price:amount! currency_type! payment_method:count
            transfers:count agency_id transfer_duration:count""",
        "fare_rules": "fare_id! route_id origin_id destination_id contains_id",
        "fare_products": """fare_product_id! fare_product_name rider_category_id fare_media_id
            amount:amount! currency!""",
        "fare_leg_rules": """leg_group_id network_id from_area_id to_area_id
            from_timeframe_group_id to_timeframe_group_id fare_product_id! rule_priority:count""",
        "fare_leg_join_rules": """from_network_id! to_network_id! from_stop_id to_stop_id""",
        "fare_transfer_rules": """from_leg_group_id to_leg_group_id transfer_count:integer
            duration_limit:count duration_limit_type:count fare_transfer_type:count!
            fare_product_id""",
        "fare_media": "fare_media_id! fare_media_name fare_media_type:count!",
        "rider_categories": """rider_category_id! rider_category_name
            is_default_fare_category:count eligibility_url""",
        "areas": "area_id! area_name",
        "stop_areas": "area_id! stop_id!",
        "networks": "network_id! network_name",
        "route_networks": "network_id! route_id!",
        "timeframes": "timeframe_group_id! start_time:time end_time:time service_id!",
        "booking_rules": """booking_rule_id! booking_type:count! prior_notice_duration_min:count
            prior_notice_duration_max:count prior_notice_last_day:count
            prior_notice_last_time:time prior_notice_start_day:count
            prior_notice_start_time:time prior_notice_service_id message pickup_message
            drop_off_message phone_number info_url booking_url""",
        "location_groups": "location_group_id! location_group_name",
        "location_group_stops": "location_group_id! stop_id!",
        "translations": """table_name! field_name! language! translation! record_id record_sub_id
            field_value""",
        "attributions": """attribution_id agency_id route_id trip_id organization_name!
            is_producer:count is_operator:count is_authority:count attribution_url
            attribution_email attribution_phone""",
        "feed_info": """feed_publisher_name feed_publisher_url feed_lang default_lang
            feed_start_date:date feed_end_date:date feed_version feed_contact_email
            feed_contact_url""",
    }.items()
}  # fmt: skip
TABLES["blocks"] = KeptTable(
    "trips", _columns("trip_id! service_id! block_id"), only=("block_id",), others=False
)
TABLES["flexible_stop_times"] = KeptTable(
    "stop_times",
    _columns(f"""trip_id! stop_id location_group_id location_id stop_sequence:count!
        arrival_time:time departure_time:time {_WINDOW.replace("window", "window:time")}
        pickup_type:count drop_off_type:count pickup_booking_rule_id drop_off_booking_rule_id"""),
    only=_FLEXIBLE,
)
TABLES["flexible_trips"] = KeptTable(
    "trips", _columns("trip_id! route_id! service_id!"), trips_of="flexible_stop_times"
)


def keep_tables(feed: Feed, path: Path, snapshot: Path, findings: Findings) -> dict[str, int]:
    """
    Write what the archive at `path` has of `TABLES` and of zones into a snapshot's folder.

    Returns
    -------
    Table → rows kept, zones under `ZONES_FILE`; files that the feed has not are not named.
    """
    own, zone_count = Findings(), None
    kept: dict[str, pd.DataFrame] = {}
    folder = _folder(snapshot, feed.id)
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with zipfile.ZipFile(path) as archive:
            members = list_members(archive, path)
            for name, table in TABLES.items():
                if table.trips_of and table.trips_of not in kept:
                    continue
                frame = _read(archive, members, table, own)
                if frame is not None and table.trips_of:
                    frame = frame[frame["trip_id"].isin(kept[table.trips_of]["trip_id"])]
                if frame is not None:
                    kept[name] = frame
            if ZONES_FILE in members:
                zone_count = _keep_zones(archive, members[ZONES_FILE], folder, own)
    except (UnreadableFeed, *SPOILT_ARCHIVE) as error:
        own.error("unreadable_table", path.name, None, f"cannot be opened again: {error}")
    for name, frame in kept.items():
        _write(folder / f"{name}.csv", frame, TABLES[name].columns)
    told = set(feed.findings)  # of tables that the reader has read before
    for finding in own:
        if finding not in told:
            file = f"{feed.id}/{finding.file}"
            findings.add(finding.severity, finding.rule, file, finding.row, finding.message)
    counts = {name: len(frame) for name, frame in kept.items()}
    return counts if zone_count is None else counts | {ZONES_FILE: zone_count}


def read_kept(snapshot: Path, feed_id: str, table: str) -> pd.DataFrame:
    """
    Frame of a kept table: its columns of `TABLES`, typed, then the feed's other columns as text.

    `row` is the line in the feed's file. Blank is ``""`` in text and amounts, -1 in counts,
    times (seconds) and dates (day numbers), `NO_INTEGER` in integers, NaN in numbers. A feed
    without the file gives no rows.
    """
    known = TABLES[table].columns
    path = _folder(snapshot, feed_id) / f"{table}.csv"
    if not path.is_file():
        return empty_table(known)
    with path.open(newline="", encoding="utf-8") as file:
        header, *rows = csv.reader(file)
    kinds = [COUNT if name == "row" else known.get(name, (TEXT, False))[0] for name in header]
    frame = {}
    for i, (name, kind) in enumerate(zip(header, kinds, strict=True)):
        values = np.empty(len(rows), kind.dtype)
        values[:] = [kind.parse(row[i]) if row[i] else kind.blank for row in rows]
        frame[name] = values
    return pd.DataFrame(frame)


def read_archive_tables(
    path: Path, names: Collection[str], findings: Findings
) -> dict[str, pd.DataFrame]:
    """
    Frames of some tables of an archive, as `read_kept` gives them, without a snapshot.

    Raises
    ------
    UnreadableFeed
        It is no archive, or a table of it cannot be read.
    """
    _, archive = open_archive(path)
    with archive:
        members = list_members(archive, path)
        frames = {}
        for name in names:
            known = TABLES[name].columns if name in TABLES else COLUMNS[name]
            member = members.get(f"{name}.txt")
            frames[name] = (
                empty_table(known)
                if member is None
                else read_table(archive, member, known, findings)
            )
        return frames


def read_zones(snapshot: Path, feed_id: str) -> dict[str, Json]:
    """Location id → GeoJSON feature (a polygon or several): where flexible services call."""
    path = _folder(snapshot, feed_id) / ZONES_FILE
    if not path.is_file():
        return {}
    collection = json.loads(path.read_text(encoding="utf-8"))
    return {feature["id"]: feature for feature in collection["features"]}


def _folder(snapshot: Path, feed_id: str) -> Path:
    return snapshot / FEEDS_FOLDER / feed_id


def _read(
    archive: zipfile.ZipFile,
    members: Mapping[str, zipfile.ZipInfo],
    table: KeptTable,
    findings: Findings,
) -> pd.DataFrame | None:
    """Rows to keep, or None when the feed has no such file or column, or one beyond reading."""
    file = f"{table.source}.txt"
    member = members.get(file)
    try:
        if member is None or (table.only and not _mentions(archive, member, table.only)):
            return None
        frame = read_table(archive, member, table.columns, findings, others=table.others)
    except (UnreadableFeed, *SPOILT_ARCHIVE) as error:
        if table.source not in COLUMNS:  # else the reader has said so
            findings.error("unreadable_table", file, None, f"{error}: left out")
        return None
    if not table.only:
        return frame
    given = np.zeros(len(frame), bool)
    for name in table.only:
        given |= (frame[name] != table.columns[name][0].blank).to_numpy()
    return frame[given]


def _mentions(archive: zipfile.ZipFile, member: zipfile.ZipInfo, names: tuple[str, ...]) -> bool:
    """Whether the header has one of these columns: spares a second look at large tables."""
    with archive.open(member) as file:
        # Without its zeros, a header in UTF-16 holds the same names.
        header = file.readline(10_000).replace(b"\0", b"").decode("utf-8", errors="replace")
    return any(name in header for name in names)


def _write(path: Path, frame: pd.DataFrame, known: Columns) -> None:
    names = [str(name) for name in frame.columns]
    kinds = [COUNT if name == "row" else known.get(name, (TEXT, False))[0] for name in names]
    cells = [
        [_spelt(value, kind) for value in frame[name].tolist()]
        for name, kind in zip(names, kinds, strict=True)
    ]
    with path.open("w", newline="", encoding="utf-8") as file:
        lines = csv.writer(file)
        lines.writerow(names)
        lines.writerows(zip(*cells, strict=True))


def _spelt(value: Any, kind: Kind) -> str:  # noqa: ANN401 — a cell
    if value == kind.blank or value != value:  # noqa: PLR0124 — NaN
        return ""
    if kind is TIME:
        return f"{value // 3600:02d}:{value // 60 % 60:02d}:{value % 60:02d}"
    if kind is DATE:
        return str(np.datetime64(value, "D")).replace("-", "")
    return str(value)


def _keep_zones(
    archive: zipfile.ZipFile, member: zipfile.ZipInfo, folder: Path, findings: Findings
) -> int:
    try:
        features = json.loads(archive.read(member))["features"]
        good = [f for i, f in enumerate(features) if _is_zone(f, i, findings)]
    except (*SPOILT_ARCHIVE, RecursionError, KeyError, TypeError) as error:
        message = f"is no GeoJSON feature collection: {error!r}"
        findings.error("invalid_geojson", ZONES_FILE, None, message)
        return 0
    collection = {"type": "FeatureCollection", "features": good}
    (folder / ZONES_FILE).write_text(json.dumps(collection, ensure_ascii=False), encoding="utf-8")
    return len(good)


def _is_zone(feature: object, number: int, findings: Findings) -> bool:
    about = feature if isinstance(feature, dict) else {}
    geometry = about.get("geometry")
    shape = geometry.get("type") if isinstance(geometry, dict) else None
    if isinstance(about.get("id"), str) and shape in ZONE_SHAPES:
        return True
    message = f"feature {number}: id {about.get('id')!r} and {shape!r} make no zone: left out"
    findings.error("invalid_geojson", ZONES_FILE, None, message)
    return False
