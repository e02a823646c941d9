"""
Two feeds of Porto's metro, one with frequencies and one with every trip: the same service.

Both were published for the same season, four months apart; ids differ, names and places do not.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from gtfs_data.build import build_timetable
from gtfs_data.checks import Findings
from gtfs_data.days import date_of_day_number
from gtfs_data.reader import read_feed
from gtfs_data.timetable import Timetable
from tests.support.no_streets import BareTerritory, build_bare
from tests.support.territories import shared_data

FEEDS = {"explicit": "metro_2025_explicit.zip", "frequencies": "metro_2026_frequencies.zip"}
LISBON = ZoneInfo("Europe/Lisbon")
SEED = 20251014
PAIR_COUNT = 25
DAYS = {dt.date(2025, 10, 14): 1153, dt.date(2025, 10, 18): 918, dt.date(2025, 10, 19): 870}
"""Runs on a Tuesday, a Saturday and a Sunday."""

Run = tuple[str, tuple[str, ...], tuple[int, ...], tuple[int, ...]]
"""Line, stops, arrivals, departures."""


@pytest.fixture(scope="module")
def timetables() -> dict[str, Timetable]:
    data = shared_data("porto")
    return {
        name: build_timetable([read_feed(data / file, "metro")], Findings())
        for name, file in FEEDS.items()
    }


def runs_of_services(t: Timetable) -> list[Counter[Run]]:
    """Runs of each service of a feed."""
    found: list[Counter[Run]] = [Counter() for _ in t.service_runs]
    for trip in range(len(t.trip_id)):
        pattern = int(t.trip_pattern[trip])
        stops = t.pattern_stop[t.pattern_first_stop[pattern] : t.pattern_first_stop[pattern + 1]]
        own = slice(int(t.trip_first_event[trip]), int(t.trip_first_event[trip + 1]))
        run = (
            t.route_short_name[t.pattern_route[pattern]],
            tuple(t.stop_name[stop] for stop in stops),
            tuple(t.event_arrival_s[own].tolist()),
            tuple(t.event_departure_s[own].tolist()),
        )
        found[t.trip_service[trip]][run] += 1
    return found


def runs_of_days(t: Timetable) -> dict[dt.date, Counter[Run]]:
    """Runs of each date; dates with the same services share a counter."""
    services = runs_of_services(t)
    known: dict[bytes, Counter[Run]] = {}
    days = {}
    for column in range(t.service_runs.shape[1]):
        on = t.service_runs[:, column].copy()
        if on.tobytes() not in known:
            known[on.tobytes()] = sum((services[i] for i in np.flatnonzero(on)), Counter())
        date = date_of_day_number(int(t.service_first_day[0]) + column)
        days[date] = known[on.tobytes()]
    return days


def test_frequencies_stand_for_the_very_trips_of_the_explicit_feed(
    timetables: dict[str, Timetable],
) -> None:
    days = {name: runs_of_days(t) for name, t in timetables.items()}
    assert len(days["explicit"]) == len(days["frequencies"])
    differing = [
        date for date, runs in days["explicit"].items() if runs != days["frequencies"][date]
    ]
    assert differing == []
    for date, count in DAYS.items():
        assert days["frequencies"][date].total() == count


def test_exact_times_have_no_headway_to_tell(timetables: dict[str, Timetable]) -> None:
    assert timetables["frequencies"].trip_headway_s.max() == 0


@pytest.fixture(scope="module")
def territories(tmp_path_factory: pytest.TempPathFactory) -> dict[str, BareTerritory]:
    data = shared_data("porto")
    return {
        name: build_bare(name, LISBON.key, {"metro": data / file}, tmp_path_factory.mktemp(name))
        for name, file in FEEDS.items()
    }


def journeys(
    territory: BareTerritory, ends: tuple[str, str], at: dt.datetime
) -> list[tuple[str, ...]]:
    """What a rider is told: times and lines."""
    t = territory.world.network.timetable
    row = {name: i for i, name in enumerate(t.stop_name)}
    places = (f"{t.stop_lat[row[name]]},{t.stop_lon[row[name]]}" for name in ends)
    answer = territory.plan(*places, at)
    return sorted(
        (
            itinerary["startTime"],
            itinerary["endTime"],
            *(leg.get("displayName", "walk") for leg in itinerary["legs"]),
        )
        for itinerary in answer["itineraries"]
    )


def test_both_feeds_give_the_same_journeys(territories: dict[str, BareTerritory]) -> None:
    names = sorted(set(territories["explicit"].world.network.timetable.stop_name))
    rng = np.random.default_rng(SEED)
    compared = 0
    for nth in range(PAIR_COUNT):
        a, b = (names[i] for i in rng.choice(len(names), 2, replace=False))
        date = list(DAYS)[nth % len(DAYS)]
        at = dt.datetime.combine(date, dt.time(int(rng.integers(6, 24))), tzinfo=LISBON)
        explicit, repeated = (journeys(territories[name], (a, b), at) for name in FEEDS)
        assert explicit == repeated, f"{a} > {b} at {at}"
        compared += len(explicit)
    print(f"{compared} journeys agree")
    assert compared > PAIR_COUNT
