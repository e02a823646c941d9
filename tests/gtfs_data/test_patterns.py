"""Stop times into clean trips: what is filled in, repeated, left out and told."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gtfs_data.enums import CAN_ALIGHT, CAN_BOARD
from gtfs_data.kernels import BLANK, fill_blank_times
from tests.gtfs_data.small_feeds import small_timetable, told, trip_lines

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.unit

# A quarter of the way from S1 to S3 lies S2 (binary fractions of a degree: exact).
QUARTER = """
    stop_id,stop_name,stop_lat,stop_lon
    S1,Mairie,43.5,3.9
    S2,Gare,43.5625,3.9
    S3,Lycée,43.75,3.9
"""
T1 = """
    trip_id,route_id,service_id
    T1,R,C
"""


def test_trips_with_the_same_stops_share_a_pattern(tmp_path: Path) -> None:
    timetable, findings = small_timetable(tmp_path)
    assert trip_lines(timetable) == [
        "f:T1: f:S1 07:00:00, f:S2 07:10:00/07:11:00, f:S3 07:25:00",
        "f:T2: f:S1 07:30:00, f:S2 07:40:00/07:41:00, f:S3 07:55:00",
    ]
    assert len(timetable.pattern_route) == 1
    assert told(findings) == []


def test_blank_times_are_interpolated_by_shape_distance(tmp_path: Path) -> None:
    times = """
        trip_id,stop_id,stop_sequence,arrival_time,departure_time,shape_dist_traveled
        T1,S1,1,06:58:00,07:00:00,0
        T1,S2,2,,,3
        T1,S3,3,07:08:00,07:09:00,4
    """
    # Three quarters of the way of 8 minutes from departure to arrival: 07:06.
    timetable, findings = small_timetable(tmp_path, trips=T1, stop_times=times)
    assert trip_lines(timetable) == [
        "f:T1: f:S1 06:58:00/07:00:00, f:S2 07:06:00, f:S3 07:08:00/07:09:00"
    ]
    assert told(findings) == []


@pytest.mark.parametrize(
    "distances", [("", "", ""), ("0", "", "4"), ("0", "5", "4"), ("2", "2", "2")]
)
def test_blank_times_are_interpolated_by_straight_line_when_distances_are_of_no_use(
    tmp_path: Path, distances: tuple[str, str, str]
) -> None:
    a, b, c = distances
    times = f"""
        trip_id,stop_id,stop_sequence,arrival_time,departure_time,shape_dist_traveled
        T1,S1,1,07:00:00,07:00:00,{a}
        T1,S2,2,,,{b}
        T1,S3,3,07:20:00,07:20:00,{c}
    """
    # A quarter of the way of 20 minutes: 07:05.
    timetable, _ = small_timetable(tmp_path, stops=QUARTER, trips=T1, stop_times=times)
    assert trip_lines(timetable) == ["f:T1: f:S1 07:00:00, f:S2 07:05:00, f:S3 07:20:00"]


def test_blank_time_at_the_same_place_as_its_neighbours_is_shared_out_evenly(
    tmp_path: Path,
) -> None:
    times = """
        trip_id,stop_id,stop_sequence,arrival_time,departure_time
        T1,S1,1,07:00:00,07:00:00
        T1,S1,2,,
        T1,S1,3,,
        T1,S1,4,07:03:00,07:03:00
    """
    timetable, _ = small_timetable(tmp_path, trips=T1, stop_times=times)
    assert trip_lines(timetable) == [
        "f:T1: f:S1 07:00:00, f:S1 07:01:00, f:S1 07:02:00, f:S1 07:03:00"
    ]


def test_one_blank_of_two_times_is_the_other(tmp_path: Path) -> None:
    times = """
        trip_id,stop_id,stop_sequence,arrival_time,departure_time
        T1,S1,1,,07:00:00
        T1,S2,2,07:10:00,
        T1,S3,3,07:25:00,
    """
    timetable, findings = small_timetable(tmp_path, trips=T1, stop_times=times)
    assert trip_lines(timetable) == ["f:T1: f:S1 07:00:00, f:S2 07:10:00, f:S3 07:25:00"]
    assert told(findings) == []


def test_trip_without_a_time_at_its_end_is_left_out_and_told(tmp_path: Path) -> None:
    times = """
        trip_id,stop_id,stop_sequence,arrival_time,departure_time
        T1,S1,1,07:00:00,07:00:00
        T1,S2,2,07:10:00,07:10:00
        T1,S3,3,,
        T2,S1,1,07:30:00,07:30:00
        T2,S2,2,,
        T2,S3,3,07:50:00,07:50:00
    """
    timetable, findings = small_timetable(tmp_path, stops=QUARTER, stop_times=times)
    assert trip_lines(timetable) == ["f:T2: f:S1 07:30:00, f:S2 07:35:00, f:S3 07:50:00"]
    assert told(findings) == [("missing_end_time", "f/stop_times.txt", 4)]


@pytest.mark.parametrize(
    ("second", "row"),
    [
        ("07:10:00,07:09:00", 3),  # leaves before it arrives
        ("06:59:00,07:10:00", 3),  # arrives before it left the stop before
        ("07:10:00,07:26:00", 4),  # leaves after it arrives at the next
    ],
)
def test_trip_that_goes_back_in_time_is_left_out_and_told(
    tmp_path: Path, second: str, row: int
) -> None:
    times = f"""
        trip_id,stop_id,stop_sequence,arrival_time,departure_time
        T1,S1,1,07:00:00,07:00:00
        T1,S2,2,{second}
        T1,S3,3,07:25:00,07:25:00
        T2,S1,1,07:30:00,07:30:00
        T2,S3,2,07:55:00,07:55:00
    """
    timetable, findings = small_timetable(tmp_path, stop_times=times)
    assert trip_lines(timetable) == ["f:T2: f:S1 07:30:00, f:S3 07:55:00"]
    assert told(findings) == [("time_goes_back", "f/stop_times.txt", row)]


def test_next_trip_may_start_before_the_last_one_ended(tmp_path: Path) -> None:
    times = """
        trip_id,stop_id,stop_sequence,arrival_time,departure_time
        T1,S1,1,07:00:00,07:00:00
        T1,S3,2,07:25:00,07:25:00
        T2,S1,1,06:00:00,06:00:00
        T2,S3,2,06:25:00,06:25:00
    """
    timetable, findings = small_timetable(tmp_path, stop_times=times)
    # Trips of a pattern stand in order of departure.
    assert trip_lines(timetable) == [
        "f:T2: f:S1 06:00:00, f:S3 06:25:00",
        "f:T1: f:S1 07:00:00, f:S3 07:25:00",
    ]
    assert told(findings) == []


def test_trip_of_one_stop_is_left_out_and_told(tmp_path: Path) -> None:
    times = """
        trip_id,stop_id,stop_sequence,arrival_time,departure_time
        T1,S1,1,07:00:00,07:00:00
        T2,S1,1,07:30:00,07:30:00
        T2,S3,2,07:55:00,07:55:00
    """
    timetable, findings = small_timetable(tmp_path, stop_times=times)
    assert trip_lines(timetable) == ["f:T2: f:S1 07:30:00, f:S3 07:55:00"]
    assert told(findings) == [("short_trip", "f/stop_times.txt", 2)]


def test_second_row_of_a_stop_sequence_is_left_out_and_told(tmp_path: Path) -> None:
    times = """
        trip_id,stop_id,stop_sequence,arrival_time,departure_time
        T1,S3,9,07:25:00,07:25:00
        T1,S1,4,07:00:00,07:00:00
        T1,S2,9,07:10:00,07:10:00
    """
    timetable, findings = small_timetable(tmp_path, trips=T1, stop_times=times)
    assert trip_lines(timetable) == ["f:T1: f:S1 07:00:00, f:S3 07:25:00"]
    assert told(findings) == [("duplicate_sequence", "f/stop_times.txt", 4)]


def test_unknown_and_unplaced_stops_are_skipped_and_told(tmp_path: Path) -> None:
    stops = (
        "stop_id,stop_name,stop_lat,stop_lon\nS1,Mairie,43.6,3.9\nS2,Gare,,\nS3,Lycée,43.7,3.9\n"
    )
    times = """
        trip_id,stop_id,stop_sequence,arrival_time,departure_time
        T1,S1,1,07:00:00,07:00:00
        T1,S2,2,07:10:00,07:10:00
        T1,S9,3,07:15:00,07:15:00
        T1,S3,4,07:25:00,07:25:00
        T9,S3,1,07:25:00,07:25:00
    """
    timetable, findings = small_timetable(
        tmp_path, trips=T1, stops=stops.encode(), stop_times=times
    )
    assert trip_lines(timetable) == ["f:T1: f:S1 07:00:00, f:S3 07:25:00"]
    assert told(findings) == [
        ("unknown_stop", "f/stop_times.txt", 3),
        ("unknown_stop", "f/stop_times.txt", 4),
        ("unknown_trip", "f/stop_times.txt", 6),
    ]


def test_trip_of_an_unknown_route_and_a_second_trip_of_an_id_are_left_out_and_told(
    tmp_path: Path,
) -> None:
    trips = """
        trip_id,route_id,service_id
        T1,R,C
        T2,Q,C
        T1,R,C
    """
    timetable, findings = small_timetable(tmp_path, trips=trips)
    assert list(timetable.trip_id) == ["f:T1"]
    assert ("unknown_route", "f/trips.txt", 3) in told(findings)
    assert ("duplicate_id", "f/trips.txt", 4) in told(findings)


def test_first_of_two_stops_with_one_id_counts(tmp_path: Path) -> None:
    stops = """
        stop_id,stop_name,stop_lat,stop_lon
        S1,Mairie,43.60,3.90
        S2,Gare,43.61,3.90
        S3,Lycée,43.63,3.90
        S1,Elsewhere,48.85,2.35
    """
    timetable, findings = small_timetable(tmp_path, stops=stops)
    # The finding says that the first counts: so must the pattern.
    assert told(findings) == [("duplicate_id", "f/stops.txt", 5)]
    names = [timetable.stop_name[s] for s in timetable.pattern_stop]
    assert names == ["Mairie", "Gare", "Lycée"]


def test_frequencies_are_expanded_past_midnight_and_the_end_is_not_included(
    tmp_path: Path,
) -> None:
    frequencies = """
        trip_id,start_time,end_time,headway_secs
        T2,23:50:00,24:20:00,600
    """
    timetable, findings = small_timetable(tmp_path, frequencies=frequencies)
    # T2 takes 10 min, waits 1, takes 14; runs at 23:50, 24:00, 24:10 (not 24:20).
    assert trip_lines(timetable) == [
        "f:T1: f:S1 07:00:00, f:S2 07:10:00/07:11:00, f:S3 07:25:00",
        "f:T2@23:50:00: f:S1 23:50:00, f:S2 24:00:00/24:01:00, f:S3 24:15:00",
        "f:T2@24:00:00: f:S1 24:00:00, f:S2 24:10:00/24:11:00, f:S3 24:25:00",
        "f:T2@24:10:00: f:S1 24:10:00, f:S2 24:20:00/24:21:00, f:S3 24:35:00",
    ]
    assert told(findings) == []


def test_overlapping_frequency_windows_give_each_departure_once(tmp_path: Path) -> None:
    frequencies = """
        trip_id,start_time,end_time,headway_secs
        T2,08:00:00,08:30:00,600
        T2,08:20:00,08:50:00,900
    """
    timetable, _ = small_timetable(tmp_path, frequencies=frequencies)
    # 08:00 08:10 08:20 of the first, 08:20 08:35 of the second.
    assert list(timetable.trip_id)[1:] == [
        "f:T2@08:00:00", "f:T2@08:10:00", "f:T2@08:20:00", "f:T2@08:35:00",
    ]  # fmt: skip


def test_frequency_windows_that_meet_give_the_second_once(tmp_path: Path) -> None:
    frequencies = """
        trip_id,start_time,end_time,headway_secs,exact_times
        T2,08:00:00,08:20:00,600,0
        T2,08:20:00,08:40:01,1200,1
    """
    timetable, _ = small_timetable(tmp_path, frequencies=frequencies)
    # 08:20 is the end of the first, and begins the second; 08:40 is a second before its end.
    assert list(timetable.trip_id)[1:] == [
        "f:T2@08:00:00", "f:T2@08:10:00", "f:T2@08:20:00", "f:T2@08:40:00",
    ]  # fmt: skip
    assert timetable.trip_headway_s.tolist() == [0, 600, 600, 0, 0]


def test_shortest_headway_is_told_where_windows_overlap_and_none_where_one_is_exact(
    tmp_path: Path,
) -> None:
    frequencies = """
        trip_id,start_time,end_time,headway_secs,exact_times
        T2,08:00:00,08:30:00,900,
        T2,08:00:00,08:30:00,600,
        T2,08:15:00,08:16:00,600,1
    """
    timetable, _ = small_timetable(tmp_path, frequencies=frequencies)
    told_s = dict(zip(timetable.trip_id, timetable.trip_headway_s.tolist(), strict=True))
    assert told_s == {
        "f:T1": 0, "f:T2@08:00:00": 600, "f:T2@08:10:00": 600, "f:T2@08:15:00": 0,
        "f:T2@08:20:00": 600,
    }  # fmt: skip


def test_frequencies_count_from_the_first_departure_wherever_the_listed_times_begin(
    tmp_path: Path,
) -> None:
    times = """
        trip_id,stop_id,stop_sequence,arrival_time,departure_time
        T1,S1,1,00:00:00,00:02:00
        T1,S3,2,00:25:00,00:25:00
    """
    frequencies = """
        trip_id,start_time,end_time,headway_secs
        T1,08:00:00,08:10:00,600
    """
    timetable, _ = small_timetable(tmp_path, stop_times=times, frequencies=frequencies)
    # Two minutes at the first stop, 23 to the last.
    assert trip_lines(timetable) == ["f:T1@08:00:00: f:S1 07:58:00/08:00:00, f:S3 08:23:00"]


@pytest.mark.parametrize(
    "window", ["08:00:00,09:00:00,0", "09:00:00,08:00:00,600", "00:00:00,24:00:00,1"]
)
def test_frequency_window_that_makes_no_sense_is_told(tmp_path: Path, window: str) -> None:
    frequencies = (
        f"trip_id,start_time,end_time,headway_secs\nT2,{window}\nT9,08:00:00,09:00:00,60\n"
    )
    _, findings = small_timetable(tmp_path, frequencies=frequencies.encode())
    assert told(findings) == [
        ("frequency_window", "f/frequencies.txt", 2),
        ("unknown_trip", "f/frequencies.txt", 3),
    ]


def test_negative_headway_is_no_number_of_seconds(tmp_path: Path) -> None:
    frequencies = """
        trip_id,start_time,end_time,headway_secs
        T2,08:00:00,09:00:00,-600
    """
    timetable, findings = small_timetable(tmp_path, frequencies=frequencies)
    assert told(findings) == [("invalid_value", "f/frequencies.txt", 2)]
    assert list(timetable.trip_id) == ["f:T1", "f:T2"]


def test_boarding_rules_part_patterns(tmp_path: Path) -> None:
    times = """
        trip_id,stop_id,stop_sequence,arrival_time,departure_time,pickup_type,drop_off_type
        T1,S1,1,07:00:00,07:00:00,0,1
        T1,S3,2,07:25:00,07:25:00,1,
        T2,S1,1,07:30:00,07:30:00,,
        T2,S3,2,07:55:00,07:55:00,2,3
    """
    timetable, _ = small_timetable(tmp_path, stop_times=times)
    both = CAN_BOARD | CAN_ALIGHT
    # 1 forbids; blank, 0, 2 (call the agency) and 3 (ask the driver) allow.
    assert timetable.pattern_flag.tolist() == [CAN_BOARD, CAN_ALIGHT, both, both]


@given(
    st.lists(
        st.lists(
            st.tuples(st.booleans(), st.integers(0, 900), st.integers(0, 120), st.integers(0, 4)),
            min_size=2,
            max_size=7,
        ),
        min_size=1,
        max_size=3,
    )
)
@settings(deadline=None, derandomize=True)
def test_filled_times_never_go_back_and_known_times_stay(
    trips: list[list[tuple[bool, int, int, int]]],
) -> None:
    first, arrival, departure, distance = [0], [], [], []
    for trip in trips:
        at, along = 0, 0
        for i, (known, ride_s, wait_s, step) in enumerate(trip):
            arrives, at, along = at + ride_s, at + ride_s + wait_s, along + step
            shown = known or i in (0, len(trip) - 1)
            arrival.append(arrives if shown else BLANK)
            departure.append(at if shown else BLANK)
            distance.append(float(along))
        first.append(len(arrival))
    before_a, before_d = np.array(arrival, np.int32), np.array(departure, np.int32)
    after_a, after_d = before_a.copy(), before_d.copy()
    fill_blank_times(np.array(first, np.int32), after_a, after_d, np.array(distance))
    shown = before_a != BLANK
    assert (after_a[shown] == before_a[shown]).all()
    assert (after_d[shown] == before_d[shown]).all()
    assert (after_a != BLANK).all()
    for a, b in zip(first, first[1:], strict=False):
        assert (np.diff(np.c_[after_a[a:b], after_d[a:b]].ravel()) >= 0).all()
