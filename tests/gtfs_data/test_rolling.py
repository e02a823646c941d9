"""Three rolled days against plain loops over the trips as the planner wrote them."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from typing import TYPE_CHECKING, NamedTuple
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gtfs_data.build import build_timetable
from gtfs_data.checks import Findings
from gtfs_data.rolling import DayTimetable, roll_days
from gtfs_data.timetable import Timetable
from tests.gtfs_data.small_feeds import clock, small_feed, small_timetable

if TYPE_CHECKING:
    from pathlib import Path

    from gtfs_data.reader import Feed

pytestmark = pytest.mark.unit
PARIS = ZoneInfo("Europe/Paris")
DatedTrip = tuple[str, int, tuple[int, ...], tuple[int, ...]]
"""Trip, day, arrivals, departures."""


def rolled_trips(timetable: Timetable, day: DayTimetable) -> list[DatedTrip]:
    """Every trip of the rolled days, read pattern by pattern from the stop-major arrays."""
    found = []
    for p in range(len(day.first_stop) - 1):
        stop_count = int(day.first_stop[p + 1] - day.first_stop[p])
        a, b = int(day.first_trip[p]), int(day.first_trip[p + 1])
        events = [
            slice(
                int(day.first_event[p]) + i * (b - a), int(day.first_event[p]) + (i + 1) * (b - a)
            )
            for i in range(stop_count)
        ]
        for n in range(b - a):
            arrivals = tuple(int(day.arrival_s[e][n]) for e in events)
            departures = tuple(int(day.departure_s[e][n]) for e in events)
            trip = timetable.trip_id[day.trip[a + n]]
            found.append((trip, int(day.day[a + n]), arrivals, departures))
    return found


def lines(timetable: Timetable, date: str) -> list[str]:
    """Rolled trips as text; times before the searched day carry a minus."""
    day = roll_days(timetable, dt.date.fromisoformat(date), PARIS)
    return [
        f"{trip} {day:+d} " + " ".join(clock(s) if s >= 0 else "-" + clock(-s) for s in departures)
        for trip, day, _, departures in rolled_trips(timetable, day)
    ]


def test_all_of_yesterday_is_there_for_journeys_that_run_past_midnight(tmp_path: Path) -> None:
    times = """
        trip_id,stop_id,stop_sequence,arrival_time,departure_time
        T1,S1,1,07:00:00,07:00:00
        T1,S3,2,07:25:00,07:25:00
        T2,S1,1,23:50:00,23:50:00
        T2,S3,2,24:15:00,24:15:00
    """
    timetable, _ = small_timetable(tmp_path, stop_times=times)
    # Yesterday's T1 left 17 hours before the searched day, T2 ten minutes before it.
    assert lines(timetable, "2026-11-24") == [
        "f:T1 -1 -17:00:00 -16:35:00",
        "f:T2 -1 -00:10:00 00:15:00",
        "f:T1 +0 07:00:00 07:25:00",
        "f:T2 +0 23:50:00 24:15:00",
        "f:T1 +1 31:00:00 31:25:00",
        "f:T2 +1 47:50:00 48:15:00",
    ]


def test_trips_that_overtake_stand_in_two_patterns(tmp_path: Path) -> None:
    week = "service_id,monday,tuesday,wednesday,thursday,friday,saturday,sunday,start_date,end_date"
    times = """
        trip_id,stop_id,stop_sequence,arrival_time,departure_time
        T1,S1,1,07:00:00,07:00:00
        T1,S3,2,07:25:00,07:25:00
        T2,S1,1,07:05:00,07:05:00
        T2,S3,2,07:20:00,07:20:00
    """
    calendar = f"{week}\nC,1,1,1,1,1,1,1,20261124,20261124\n".encode()
    timetable, _ = small_timetable(tmp_path, stop_times=times, calendar=calendar)
    day = roll_days(timetable, dt.date(2026, 11, 24), PARIS)
    assert np.diff(day.first_trip).tolist() == [1, 1]


@pytest.mark.parametrize(
    ("date", "tomorrow_s"),
    [
        # The service day of 2026-03-29 starts 23 h after that of the 28th, the 25th of October's
        # 25 h after that of the 24th.
        ("2026-03-28", 23 * 3600),
        ("2026-10-24", 25 * 3600),
        ("2026-11-24", 24 * 3600),
    ],
)
def test_tomorrow_starts_when_its_service_day_does(
    tmp_path: Path, date: str, tomorrow_s: int
) -> None:
    week = "service_id,monday,tuesday,wednesday,thursday,friday,saturday,sunday,start_date,end_date"
    calendar = f"{week}\nC,1,1,1,1,1,1,1,20260101,20261231\n".encode()
    timetable, _ = small_timetable(tmp_path, calendar=calendar)
    day = roll_days(timetable, dt.date.fromisoformat(date), PARIS)
    found = {
        (trip, day): departures[0] for trip, day, _, departures in rolled_trips(timetable, day)
    }
    assert found["f:T1", 0] == 7 * 3600
    assert found["f:T1", 1] == tomorrow_s + 7 * 3600


def test_date_outside_every_calendar_has_no_trips(tmp_path: Path) -> None:
    timetable, _ = small_timetable(tmp_path)
    day = roll_days(timetable, dt.date(2031, 1, 1), PARIS)
    assert rolled_trips(timetable, day) == []
    assert day.at_stop_first.tolist() == [0] * (timetable.stop_count + 1)


def test_rolled_days_cannot_be_written_to(tmp_path: Path) -> None:
    timetable, _ = small_timetable(tmp_path)
    day = roll_days(timetable, dt.date(2026, 11, 24), PARIS)
    assert not any(array.flags.writeable for array in day)


# --- the slow twin --------------------------------------------------------------------------------

ZONES = ("Europe/Paris", "Europe/London", "America/New_York", "Asia/Tokyo", "Pacific/Auckland")
# On these Sundays clocks change in Paris and London, in New York, in Auckland.
DATES = [
    dt.date(2026, m, d) + dt.timedelta(days=i)
    for m, d in ((3, 29), (10, 25), (3, 8), (11, 1), (4, 5), (9, 27), (7, 14))
    for i in (-1, 0, 1)
]
SEQUENCES = (("S1", "S2", "S3"), ("S1", "S3"), ("S3", "S2", "S1", "S2"))


class WrittenTrip(NamedTuple):
    """A trip as it stands in a feed."""

    sequence: int
    first_s: int
    rides_s: tuple[int, ...]
    waits_s: tuple[int, ...]
    days: frozenset[int]
    """Days from the searched date on which it runs."""

    def events(self) -> tuple[list[int], list[int]]:
        arrivals, departures, at = [], [], self.first_s
        for i in range(len(SEQUENCES[self.sequence])):
            at += self.rides_s[i] if i else 0
            arrivals.append(at)
            at += self.waits_s[i]
            departures.append(at)
        return arrivals, departures


TRIPS = st.builds(
    WrittenTrip,
    sequence=st.integers(0, len(SEQUENCES) - 1),
    first_s=st.integers(0, 30).map(lambda hour: hour * 3600)
    | st.integers(6 * 60, 7 * 60).map(lambda minute: minute * 60),
    rides_s=st.tuples(*[st.sampled_from((0, 60, 300, 1800, 7200))] * 4),
    waits_s=st.tuples(*[st.sampled_from((0, 0, 60, 600))] * 4),
    days=st.frozensets(st.integers(-3, 3), min_size=1),
)
FEEDS = st.lists(
    st.tuples(st.sampled_from(ZONES), st.lists(TRIPS, min_size=1, max_size=9)),
    min_size=1,
    max_size=3,
)


def written_feed(
    folder: Path, name: str, zone: str, trips: list[WrittenTrip], date: dt.date
) -> Feed:
    table, times, dates = ["trip_id,route_id,service_id"], [], []
    times.append("trip_id,stop_id,stop_sequence,arrival_time,departure_time")
    dates.append("service_id,date,exception_type")
    for n, trip in enumerate(trips):
        table.append(f"T{n},R,C{n}")
        dates += [
            f"C{n},{(date + dt.timedelta(days=offset)):%Y%m%d},1" for offset in sorted(trip.days)
        ]
        for i, (arrival, departure) in enumerate(zip(*trip.events(), strict=True)):
            stop = SEQUENCES[trip.sequence][i]
            times.append(f"T{n},{stop},{i},{clock(arrival)},{clock(departure)}")
    agency = f"agency_id,agency_name,agency_url,agency_timezone\nA,Agence,,{zone}\n"
    tables = {"trips": table, "stop_times": times, "calendar_dates": dates}
    return small_feed(
        folder, name, calendar=None, agency=agency.encode(),
        **{key: ("\n".join(rows) + "\n").encode() for key, rows in tables.items()},
    )  # fmt: skip


def noon_minus_twelve(date: dt.date, zone: str) -> int:
    noon = dt.datetime.combine(date, dt.time(12), tzinfo=ZoneInfo(zone))
    return round((noon - dt.datetime(1970, 1, 1, tzinfo=dt.UTC)).total_seconds()) - 12 * 3600


def expected_trips(
    feeds: list[tuple[str, list[WrittenTrip]]], date: dt.date, territory_zone: str
) -> Counter[DatedTrip]:
    """Plain loops: feed, trip, day."""
    expected: Counter[DatedTrip] = Counter()
    base = noon_minus_twelve(date, territory_zone)
    for number, (zone, trips) in enumerate(feeds):
        for n, trip in enumerate(trips):
            for offset in (-1, 0, 1):
                if offset not in trip.days:
                    continue
                shift = noon_minus_twelve(date + dt.timedelta(days=offset), zone) - base
                arrivals, departures = trip.events()
                expected[
                    f"f{number}:T{n}",
                    offset,
                    tuple(s + shift for s in arrivals),
                    tuple(s + shift for s in departures),
                ] += 1
    return expected


@given(FEEDS, st.sampled_from(DATES), st.sampled_from(ZONES))
@settings(
    deadline=None,
    derandomize=True,
    max_examples=80,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_every_active_dated_trip_is_there_once_and_none_overtakes(
    tmp_path: Path,
    feeds: list[tuple[str, list[WrittenTrip]]],
    date: dt.date,
    territory_zone: str,
) -> None:
    read = [
        written_feed(tmp_path, f"f{i}", zone, trips, date) for i, (zone, trips) in enumerate(feeds)
    ]
    timetable = build_timetable(read, Findings())
    day = roll_days(timetable, date, ZoneInfo(territory_zone))
    assert Counter(rolled_trips(timetable, day)) == expected_trips(feeds, date, territory_zone)
    calls = set()
    for p in range(len(day.first_stop) - 1):
        stops = day.stop[day.first_stop[p] : day.first_stop[p + 1]].tolist()
        count = int(day.first_trip[p + 1] - day.first_trip[p])
        a = int(day.first_event[p])
        assert day.first_event[p + 1] - a == count * len(stops)
        for i, stop in enumerate(stops):
            calls.add((stop, p, i))
            at = slice(a + i * count, a + (i + 1) * count)
            assert (np.diff(day.arrival_s[at]) >= 0).all()
            assert (np.diff(day.departure_s[at]) >= 0).all()
    listed = [
        (stop, int(day.at_stop_pattern[k]), int(day.at_stop_position[k]))
        for stop in range(timetable.stop_count)
        for k in range(day.at_stop_first[stop], day.at_stop_first[stop + 1])
    ]
    assert listed == sorted(calls)
