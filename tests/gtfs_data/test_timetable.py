"""Timetable: feeds merged without mixing, stations, transfers and shapes."""

from __future__ import annotations

import itertools
import math
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gtfs_data.build import build_timetable
from gtfs_data.checks import Findings
from gtfs_data.days import date_of_day_number
from gtfs_data.kernels import stops_on_shape
from gtfs_data.timetable import NONE, Timetable
from tests.gtfs_data.small_feeds import small_feed, small_timetable, told, trip_lines

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.unit

STATION = """
    stop_id,stop_name,stop_lat,stop_lon,location_type,parent_station
    P1,Gare quai 1,43.60,3.90,0,ST
    P2,Gare quai 2,43.61,3.90,0,ST
    S3,Lycée,43.63,3.90,0,
    ST,Gare,43.605,3.90,1,
"""
TIMES = """
    trip_id,stop_id,stop_sequence,arrival_time,departure_time
    T1,P1,1,07:00:00,07:00:00
    T1,S3,2,07:25:00,07:25:00
    T2,P2,1,07:30:00,07:30:00
    T2,S3,2,07:55:00,07:55:00
"""
SHAPES = """
    shape_id,shape_pt_lat,shape_pt_lon,shape_pt_sequence
    X,43.63,3.90,30
    X,43.60,3.90,10
    X,43.615,3.91,20
"""
TRIPS = """
    trip_id,route_id,service_id,shape_id
    T1,R,C,X
    T2,R,C,
"""
TRANSFERS = """
    from_stop_id,to_stop_id,transfer_type,min_transfer_time
    ST,S3,2,240
    P1,P2,3,
    S3,S3,,60
"""


def described(t: Timetable) -> dict[str, list[Any]]:
    """Everything that an index leads to, resolved to texts and numbers."""
    shapes: list[Any] = []
    for p, shape in enumerate(t.pattern_shape):
        if shape == NONE:
            shapes.append(None)
            continue
        a, b = t.shape_first_point[shape], t.shape_first_point[shape + 1]
        q, r = t.pattern_first_stop[p], t.pattern_first_stop[p + 1]
        points = list(zip(t.shape_lat[a:b], t.shape_lon[a:b], strict=True))
        shapes.append((points, t.pattern_stop_point[q:r].tolist()))
    return {
        "trips": trip_lines(t),
        "days": [
            [
                str(date_of_day_number(int(t.service_first_day[0]) + d))
                for d in np.flatnonzero(t.service_runs[service]).tolist()
            ]
            for service in t.trip_service
        ],
        "routes": [
            (t.route_id[t.pattern_route[p]], t.agency_name[t.route_agency[t.pattern_route[p]]])
            for p in t.trip_pattern
        ],
        "parents": [None if s == NONE else t.stop_id[s] for s in t.stop_parent],
        "shapes": shapes,
        "transfers": [
            (t.stop_id[a], t.stop_id[b], int(kind), int(least))
            for a, b, kind, least in zip(
                t.transfer_from, t.transfer_to, t.transfer_type, t.transfer_min_s, strict=True
            )
        ],
        "stop_feeds": [t.feed_id[f] for f in t.stop_feed],
        "route_feeds": [t.feed_id[f] for f in t.route_feed],
        "first_days": t.feed_first_day.tolist(),
        "last_days": t.feed_last_day.tolist(),
        "zones": list(t.feed_zone),
    }


def test_feeds_with_equal_ids_are_merged_without_mixing(tmp_path: Path) -> None:
    week = "service_id,monday,tuesday,wednesday,thursday,friday,saturday,sunday,start_date,end_date"
    zone = "agency_id,agency_name,agency_url,agency_timezone\nA,{},https://x.example,{}\n"
    changes: list[dict[str, str | bytes]] = [
        {"stops": STATION, "stop_times": TIMES, "shapes": SHAPES, "trips": TRIPS,
         "transfers": TRANSFERS, "agency": zone.format("Un", "Europe/Paris").encode()},
        {"agency": zone.format("Deux", "Europe/London").encode(),
         "calendar": f"{week}\nC,1,0,0,0,0,0,0,20260901,20260930\n".encode()},
        {"stop_times": b"trip_id,stop_id,stop_sequence\n"},
        {"stops": STATION, "stop_times": TIMES, "shapes": SHAPES, "trips": TRIPS,
         "transfers": TRANSFERS, "agency": zone.format("Quatre", "Europe/Paris").encode(),
         "calendar": f"{week}\nC,0,1,0,0,0,0,0,20270101,20270131\n".encode()},
    ]  # fmt: skip
    feeds = [
        small_feed(tmp_path, name, **change) for name, change in zip("abcd", changes, strict=True)
    ]
    together = described(build_timetable(feeds, Findings()))
    apart = [described(build_timetable([feed], Findings())) for feed in feeds]
    for key, value in together.items():
        assert value == [item for each in apart for item in each[key]], key


def test_findings_of_a_merge_name_their_feed(tmp_path: Path) -> None:
    findings = Findings()
    bad = b"route_id,route_short_name,route_type\nR,L1,3\nQ,L2,three\n"
    feeds = [small_feed(tmp_path, "a"), small_feed(tmp_path, "b", routes=bad)]
    build_timetable(feeds, findings)
    assert told(findings) == [("invalid_value", "b/routes.txt", 3)]


def test_unknown_zone_is_told_and_utc_is_used(tmp_path: Path) -> None:
    agency = "agency_id,agency_name,agency_url,agency_timezone\nA,Agence,,Europe/Nowhere\n"
    timetable, findings = small_timetable(tmp_path, agency=agency.encode())
    assert list(timetable.feed_zone) == ["UTC"]
    assert told(findings) == [("unknown_zone", "f/agency.txt", 2)]


def test_trip_of_an_unknown_service_never_runs_and_is_told(tmp_path: Path) -> None:
    trips = "trip_id,route_id,service_id\nT1,R,C\nT2,R,X\n"
    timetable, findings = small_timetable(tmp_path, trips=trips.encode())
    assert timetable.trip_service.tolist() == [0, NONE]
    assert told(findings) == [("unknown_service", "f/trips.txt", 3)]


def test_platforms_know_their_station_and_an_unknown_one_is_told(tmp_path: Path) -> None:
    stops = STATION.replace("Lycée,43.63,3.90,0,", "Lycée,43.63,3.90,0,XX")
    timetable, findings = small_timetable(tmp_path, stops=stops, stop_times=TIMES)
    assert timetable.stop_parent.tolist() == [3, 3, NONE, NONE]
    assert told(findings) == [("unknown_parent", "f/stops.txt", 4)]


def test_transfer_of_a_station_holds_for_all_its_platforms(tmp_path: Path) -> None:
    transfers = """
        from_stop_id,to_stop_id,transfer_type,min_transfer_time
        ST,S3,2,240
        ST,ST,2,120
        P1,S3,0,
        S3,S9,2,60
        P1,P2,4,
    """
    timetable, findings = small_timetable(
        tmp_path, stops=STATION, stop_times=TIMES, transfers=transfers
    )
    # Row 2: P1 and P2 to S3. Row 3: all four pairs. Row 4 as it stands. Row 5 leads nowhere and is
    # told. Row 6 (a rider stays seated) joins trips, not stops, and names none.
    assert described(timetable)["transfers"] == [
        ("f:P1", "f:S3", 2, 240), ("f:P2", "f:S3", 2, 240),
        ("f:P1", "f:P1", 2, 120), ("f:P1", "f:P2", 2, 120),
        ("f:P2", "f:P1", 2, 120), ("f:P2", "f:P2", 2, 120),
        ("f:P1", "f:S3", 0, 0),
    ]  # fmt: skip
    assert told(findings) == [
        ("unknown_stop", "f/transfers.txt", 5),
        ("unknown_trip", "f/transfers.txt", 6),
    ]


def test_shape_points_are_in_order_of_sequence_and_stops_lie_on_them(tmp_path: Path) -> None:
    timetable, _ = small_timetable(
        tmp_path, stops=STATION, stop_times=TIMES, shapes=SHAPES, trips=TRIPS
    )
    lat = timetable.shape_lat
    # Points every 50 m at least: 0.00045 degrees; the given ones stay.
    assert (np.diff(lat) > 0).all()
    assert np.diff(lat).max() < 0.00045
    assert {43.60, 43.615, 43.63} <= set(lat.tolist())
    # T1 from P1 (43.60: the first point) to S3 (43.63: the last); T2 has no shape.
    assert timetable.pattern_stop_point.tolist() == [0, len(lat) - 1, NONE, NONE]


PLACES = st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6)), min_size=1, max_size=5)


@given(PLACES, PLACES)
@settings(deadline=None, derandomize=True, max_examples=150)
def test_stops_never_go_back_along_their_shape_and_lie_as_near_as_can_be(
    stops: list[tuple[int, int]], points: list[tuple[int, int]]
) -> None:
    stop_lat, stop_lon = (np.array([float(s[i]) for s in stops]) / 100 for i in (0, 1))
    lat, lon = (np.array([float(p[i]) for p in points]) / 100 for i in (0, 1))
    out = np.full(len(stops), -9, np.int32)
    stops_on_shape(stop_lat, stop_lon, lat, lon, out)
    scale = math.cos(math.radians(stop_lat[0]))

    def away(choice: tuple[int, ...]) -> float:
        return sum(
            math.hypot(stop_lat[s] - lat[p], (stop_lon[s] - lon[p]) * scale)
            for s, p in enumerate(choice)
        )

    ascending = itertools.combinations_with_replacement(range(len(points)), len(stops))
    assert (np.diff(out) >= 0).all()
    assert out.min() >= 0
    assert away(tuple(out.tolist())) == pytest.approx(min(map(away, ascending)), abs=1e-12)
