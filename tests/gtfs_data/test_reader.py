"""Archives as publishers really write them: what is read, what is told, what is refused."""

from __future__ import annotations

import io
import itertools
import zipfile
from pathlib import Path
from typing import NoReturn

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gtfs_data.archive import UnreadableFeed
from gtfs_data.build import build_timetable
from gtfs_data.checks import FINDINGS_PER_RULE, Findings, Severity
from gtfs_data.reader import BLANK, read_feed
from tests.gtfs_data.small_feeds import GOOD, small_feed, table_bytes, told, zip_feed

pytestmark = pytest.mark.unit
SHARED_FOLDER = settings(
    deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def test_good_feed_has_no_findings_and_typed_columns(tmp_path: Path) -> None:
    feed = small_feed(tmp_path)
    assert told(feed.findings) == []
    times = feed.table("stop_times")
    assert times["departure_time"].tolist()[:2] == [7 * 3600, 7 * 3600 + 11 * 60]
    assert times["row"].tolist() == [2, 3, 4, 5, 6, 7]
    # 2026-11-01 is 20,758 days after 1970-01-01: 56 years, 14 leap days, 304 days of 2026.
    assert feed.table("calendar")["start_date"].tolist() == [56 * 365 + 14 + 304]


def test_absent_optional_table_is_empty_with_all_its_columns(tmp_path: Path) -> None:
    frequencies = small_feed(tmp_path).table("frequencies")
    assert len(frequencies) == 0
    assert {"trip_id", "start_time", "end_time", "headway_secs", "row"} <= set(frequencies)


def test_absent_optional_column_is_blank(tmp_path: Path) -> None:
    feed = small_feed(tmp_path)
    assert set(feed.table("stop_times")["pickup_type"]) == {BLANK}
    assert feed.table("stop_times")["shape_dist_traveled"].isna().all()
    assert set(feed.table("trips")["trip_headsign"]) == {""}


def test_byte_order_mark_is_not_part_of_the_first_column(tmp_path: Path) -> None:
    bom = {name: b"\xef\xbb\xbf" + table_bytes(table) for name, table in GOOD.items()}
    feed = small_feed(tmp_path, **bom)
    assert told(feed.findings) == []
    assert feed.table("stops")["stop_id"].tolist() == ["S1", "S2", "S3"]


def test_windows_bytes_are_read_as_such_and_the_first_bad_line_is_told(tmp_path: Path) -> None:
    stops = table_bytes(GOOD["stops"]).decode().encode("cp1252")
    feed = small_feed(tmp_path, stops=stops)
    assert feed.table("stops")["stop_name"].tolist() == ["Mairie", "Gare", "Lycée"]
    assert told(feed.findings) == [("not_utf8", "stops.txt", 4)]  # Lycée: third row, line 4
    assert feed.findings.worst() is Severity.WARNING


def test_row_that_is_too_long_loses_the_rest_and_is_told(tmp_path: Path) -> None:
    routes = """
        route_id,route_short_name,route_type
        R,L1,3,what,is,this
        Q,L2,3,,
    """
    feed = small_feed(tmp_path, routes=routes)
    assert feed.table("routes")["route_id"].tolist() == ["R", "Q"]
    # The second row's extra fields are blank: nothing is lost, nothing is told.
    assert told(feed.findings) == [("row_length", "routes.txt", 2)]


def test_row_that_is_too_short_has_blank_values(tmp_path: Path) -> None:
    stops = """
        stop_id,stop_lat,stop_lon,stop_name
        S1,43.60,3.90
        S2,43.61
        S3
    """
    feed = small_feed(tmp_path, stops=stops)
    frame = feed.table("stops")
    assert frame["stop_id"].tolist() == ["S1", "S2", "S3"]
    assert frame["stop_name"].tolist() == ["", "", ""]
    assert frame["stop_lon"].isna().tolist() == [False, True, True]


def test_blank_lines_are_skipped_but_counted(tmp_path: Path) -> None:
    routes = b"route_id,route_type\n\n   \nR,3\n\nQ,three\n"
    feed = small_feed(tmp_path, routes=routes)
    assert feed.table("routes")["row"].tolist() == [4]
    assert told(feed.findings) == [("invalid_value", "routes.txt", 6)]


def test_quoted_commas_quotes_and_line_ends_stay_in_their_field(tmp_path: Path) -> None:
    routes = (
        b'route_id,route_short_name,route_type\r\nR,"L ""1"", Gare",3\r\nQ,"two\r\nlines",3\r\n'
    )
    feed = small_feed(tmp_path, routes=routes)
    assert feed.table("routes")["route_short_name"].tolist() == ['L "1", Gare', "two\r\nlines"]
    assert feed.table("routes")["route_type"].tolist() == [3, 3]


@pytest.mark.parametrize("lat", ["north", "91", "-90.5", "nan", "inf", "43,6x"])
def test_bad_coordinate_is_an_error_and_becomes_blank(tmp_path: Path, lat: str) -> None:
    stops = f'stop_id,stop_name,stop_lat,stop_lon\nS1,Mairie,43.6,3.9\nS2,Gare,"{lat}",3.9\n'
    feed = small_feed(tmp_path, stops=stops.encode())
    assert told(feed.findings) == [("invalid_value", "stops.txt", 3)]
    assert feed.findings.worst() is Severity.ERROR
    assert feed.table("stops")["stop_id"].tolist() == ["S1", "S2"]
    assert np.isnan(feed.table("stops")["stop_lat"].iat[1])


@pytest.mark.parametrize(
    "sequence", ["-1", "1.5", "one", "99999999999", "2147483648", "1e3", "0x1", ""]
)
def test_bad_required_number_costs_its_row_and_is_an_error(tmp_path: Path, sequence: str) -> None:
    times = f"trip_id,stop_id,stop_sequence\nT1,S1,1\nT1,S2,{sequence}\nT1,S3,3\n"
    feed = small_feed(tmp_path, stop_times=times.encode())
    rule = "invalid_value" if sequence else "missing_value"
    assert told(feed.findings) == [(rule, "stop_times.txt", 3)]
    assert feed.findings.worst() is Severity.ERROR
    assert feed.table("stop_times")["row"].tolist() == [2, 4]


@pytest.mark.parametrize(
    "time",
    ["7h10", "07:10", "07:60:00", "07:00:60", "-1:00:00", "400:00:00", "7:1a:00", "::",
     "07:-5:00", "07:10:-5"],
)  # fmt: skip
def test_bad_time_is_told_and_becomes_blank(tmp_path: Path, time: str) -> None:
    times = f"""
        trip_id,stop_id,stop_sequence,arrival_time,departure_time
        T1,S1,1,07:00:00,07:00:00
        T1,S2,2,{time},07:11:00
    """
    feed = small_feed(tmp_path, stop_times=times)
    assert told(feed.findings) == [("invalid_value", "stop_times.txt", 3)]
    assert feed.table("stop_times")["arrival_time"].tolist() == [25_200, BLANK]


@pytest.mark.parametrize(
    ("time", "seconds"),
    [("7:05:09", 25_509), (" 07:05:09 ", 25_509), ("00:00:00", 0), ("31:00:00", 111_600)],
)
def test_times_may_lack_a_zero_and_pass_midnight(tmp_path: Path, time: str, seconds: int) -> None:
    times = f"trip_id,stop_id,stop_sequence,arrival_time\nT1,S1,1,{time}\n"
    feed = small_feed(tmp_path, stop_times=times.encode())
    assert feed.table("stop_times")["arrival_time"].tolist() == [seconds]
    assert told(feed.findings) == []


@pytest.mark.parametrize(
    "date", ["2026-11-01", "20261131", "20261301", "261101", "tomorrow", "²0261101", "٢٠٢٦١١٠١"]
)
def test_bad_date_costs_its_row_and_is_an_error(tmp_path: Path, date: str) -> None:
    dates = f"""
        service_id,date,exception_type
        C,20261111,2
        C,{date},2
    """
    feed = small_feed(tmp_path, calendar_dates=dates)
    assert told(feed.findings) == [("invalid_value", "calendar_dates.txt", 3)]
    assert feed.table("calendar_dates")["row"].tolist() == [2]


def test_bad_colour_is_told_and_becomes_blank(tmp_path: Path) -> None:
    routes = "route_id,route_type,route_color\nR,3,red\nQ,3,00aaff\n"
    feed = small_feed(tmp_path, routes=routes.encode())
    assert feed.table("routes")["route_color"].tolist() == ["", "00AAFF"]
    assert told(feed.findings) == [("invalid_value", "routes.txt", 2)]


def test_same_defect_in_every_row_is_counted_but_not_listed(tmp_path: Path) -> None:
    rows = "".join(f"S{i},x,3.9\n" for i in range(FINDINGS_PER_RULE + 7))
    feed = small_feed(tmp_path, stops=f"stop_id,stop_lat,stop_lon\n{rows}".encode())
    assert len(list(feed.findings)) == FINDINGS_PER_RULE
    assert feed.findings.count(Severity.ERROR) == FINDINGS_PER_RULE + 7
    assert feed.findings.unlisted() == {("stops.txt", "invalid_value"): 7}


@pytest.mark.parametrize("name", ["agency", "stops", "routes", "trips", "stop_times"])
def test_feed_without_a_required_file_is_refused_by_its_name(tmp_path: Path, name: str) -> None:
    with pytest.raises(UnreadableFeed, match=rf"no {name}\.txt"):
        small_feed(tmp_path, **{name: None})


def test_feed_without_any_calendar_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnreadableFeed, match=r"neither calendar\.txt nor calendar_dates\.txt"):
        small_feed(tmp_path, calendar=None)


@pytest.mark.parametrize(
    ("table", "column"),
    [
        ("stops", "stop_id"),
        ("routes", "route_type"),
        ("trips", "service_id"),
        ("stop_times", "stop_sequence"),
        ("calendar", "sunday"),
        ("calendar", "end_date"),
    ],
)
def test_feed_without_a_required_column_is_refused_by_its_name(
    tmp_path: Path, table: str, column: str
) -> None:
    text = table_bytes(GOOD[table]).decode().replace(column, "other")
    with pytest.raises(UnreadableFeed, match=rf"{table}\.txt has no column {column}"):
        small_feed(tmp_path, **{table: text.encode()})


def test_file_that_is_not_a_zip_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "feed.zip"
    path.write_text("<html>404 Not Found</html>")
    with pytest.raises(UnreadableFeed, match=r"feed\.zip is not a zip archive"):
        read_feed(path, "f")


def test_absent_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnreadableFeed, match=r"cannot read .*feed\.zip"):
        read_feed(tmp_path / "feed.zip", "f")


def test_tables_may_lie_in_one_folder(tmp_path: Path) -> None:
    feed = read_feed(zip_feed(tmp_path / "f.zip", folder="export 2026/"), "f")
    assert feed.table("stops")["stop_id"].tolist() == ["S1", "S2", "S3"]


def test_table_at_the_top_counts_more_than_one_in_a_folder(tmp_path: Path) -> None:
    path = zip_feed(tmp_path / "f.zip")
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("old/stops.txt", "stop_id\nOLD\n")
    assert read_feed(path, "f").table("stops")["stop_id"].tolist() == ["S1", "S2", "S3"]


def test_archive_that_unpacks_to_far_more_than_its_size_is_refused(tmp_path: Path) -> None:
    # Zeros pack a thousand to one; 12 MB of them is over the 10 MB below which nobody minds.
    with pytest.raises(UnreadableFeed, match=r"shapes\.txt unpacks to 12,000,000 bytes"):
        small_feed(tmp_path, shapes=b"0" * 12_000_000)


def test_same_bytes_have_the_same_hash(tmp_path: Path) -> None:
    path = zip_feed(tmp_path / "f.zip")
    assert read_feed(path, "a").sha256 == read_feed(path, "b").sha256


def archive_bytes(tables: dict[str, bytes]) -> bytes:
    """Feed with its tables stored plain, so that one flipped byte spoils one table."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for name, content in tables.items():
            archive.writestr(zipfile.ZipInfo(f"{name}.txt"), content)
    return buffer.getvalue()


def never(error: Exception) -> NoReturn:
    pytest.fail(f"{type(error).__name__} reached the caller: {error}")


def is_refused_or_whole(path: Path, content: bytes) -> bool:
    """Whether an archive is refused, or compiled to trips that go forward between known stops."""
    path.write_bytes(content)
    try:
        t = build_timetable([read_feed(path, "f")], Findings())
    except UnreadableFeed:
        return True
    except Exception as error:  # noqa: BLE001 — that nothing else comes out is the claim
        never(error)
    times_s = np.stack([t.event_arrival_s, t.event_departure_s], axis=1)
    trips = [times_s[a:b].ravel() for a, b in itertools.pairwise(t.trip_first_event)]
    known = (t.pattern_stop >= 0) & (t.pattern_stop < t.stop_count)
    return bool(known.all()) and all((np.diff(trip) >= 0).all() for trip in trips)


ALL_TABLES = {
    **GOOD,
    "frequencies": "trip_id,start_time,end_time,headway_secs\nT2,09:00:00,10:00:00,600\n",
    "calendar_dates": "service_id,date,exception_type\nC,20261111,2\n",
    "transfers": "from_stop_id,to_stop_id,transfer_type,min_transfer_time\nS1,S2,2,120\n",
    "shapes": "shape_id,shape_pt_lat,shape_pt_lon,shape_pt_sequence\nX,43.6,3.9,1\nX,43.63,3.9,2\n",
    "trips": "trip_id,route_id,service_id,shape_id\nT1,R,C,X\nT2,R,C,X\n",
}


@given(
    table=st.sampled_from(sorted(ALL_TABLES)),
    flips=st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 255)), min_size=1, max_size=8),
)
@settings(SHARED_FOLDER, max_examples=40)
def test_flipped_bytes_in_a_table_are_told_or_refused(
    tmp_path: Path, table: str, flips: list[tuple[int, int]]
) -> None:
    tables = {name: table_bytes(text) for name, text in ALL_TABLES.items()}
    spoilt = bytearray(tables[table])
    for at, byte in flips:
        spoilt[at % len(spoilt)] = byte
    assert is_refused_or_whole(tmp_path / "f.zip", archive_bytes({**tables, table: bytes(spoilt)}))


@given(
    st.lists(
        st.tuples(
            st.sampled_from(sorted(ALL_TABLES)),
            st.integers(0, 9),
            st.sampled_from(["drop", "blank", "double", "empty", "header"]),
        ),
        min_size=1,
        max_size=4,
    )
)
@settings(SHARED_FOLDER, max_examples=40)
def test_dropped_and_blanked_columns_are_told_or_refused(
    tmp_path: Path, changes: list[tuple[str, int, str]]
) -> None:
    tables = {name: table_bytes(text).decode() for name, text in ALL_TABLES.items()}
    for name, at, how in changes:
        rows = [line.split(",") for line in tables[name].splitlines()]
        if how == "empty":
            rows = []
        elif how == "header":
            rows = rows[:1]
        for number, row in enumerate(rows):
            column = at % max(len(row), 1)
            if how == "drop":
                del row[column : column + 1]
            elif how == "blank" and number > 0:
                row[column : column + 1] = [""]
            elif how == "double":
                row.extend(row[column : column + 1])
        tables[name] = "".join(",".join(row) + "\n" for row in rows)
    content = archive_bytes({name: text.encode() for name, text in tables.items()})
    assert is_refused_or_whole(tmp_path / "f.zip", content)


@given(st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 255)), min_size=1, max_size=4))
@settings(SHARED_FOLDER, max_examples=50)
def test_flipped_bytes_in_a_packed_archive_are_told_or_refused(
    tmp_path: Path, flips: list[tuple[int, int]]
) -> None:
    spoilt = bytearray(zip_feed(tmp_path / "good.zip").read_bytes())
    for at, byte in flips:
        spoilt[at % len(spoilt)] = byte
    assert is_refused_or_whole(tmp_path / "f.zip", bytes(spoilt))


@pytest.mark.parametrize(
    ("mark", "offset", "value"),
    [
        (b"PK\x01\x02", 6, 200),  # a table that needs version 20.0 of the format
        (b"PK\x01\x02", 10, 99),  # packed by an unknown method
        (b"PK\x05\x06", 17, 255),  # a directory that begins beyond the file
        (b"PK\x01\x02", 43, 255),  # a table that begins beyond the file
        (b"PK\x03\x04", 41, 7),  # packed bytes that cannot be unpacked
    ],
)
def test_archive_with_a_spoilt_directory_is_refused(
    tmp_path: Path, mark: bytes, offset: int, value: int
) -> None:
    spoilt = bytearray(zip_feed(tmp_path / "good.zip").read_bytes())
    spoilt[spoilt.index(mark) + offset] = value
    (tmp_path / "f.zip").write_bytes(spoilt)
    try:
        with pytest.raises(UnreadableFeed):
            read_feed(tmp_path / "f.zip", "f")
    except Exception as error:  # noqa: BLE001 — that nothing else comes out is the claim
        never(error)


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9, 0.99])
def test_archive_cut_short_is_refused(tmp_path: Path, share: float) -> None:
    content = zip_feed(tmp_path / "good.zip").read_bytes()
    path = tmp_path / "f.zip"
    path.write_bytes(content[: int(len(content) * share)])
    with pytest.raises(UnreadableFeed):
        read_feed(path, "f")
