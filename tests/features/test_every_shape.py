"""Every shape of GTFS feed: built whole, its calls, changes and kept tables as its files say."""

from __future__ import annotations

import datetime as dt
import random
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from core.time import day_start_epoch_s
from gtfs_data.throughs import is_through
from tests.oracles.board_oracle import Call, ListedFeed
from tests.oracles.check_context import CheckContext
from tests.oracles.feed_tables import FeedTables, ListedCall
from tests.oracles.itinerary_checker import check_itinerary
from tests.oracles.straight_oracle import StraightOracle
from tests.support.no_streets import BareTerritory, build_bare
from tests.support.territories import shared_data

FEED = "f"
PAIR_COUNT = 12
ASKED_STOPS = 300
"""Feeds of more stops than this are compared at so many of them."""


@dataclass(frozen=True)
class Shape:
    """A published feed, and a day on which to look at it."""

    path: str
    zone: str
    date: dt.date
    """Service day within, of which yesterday and tomorrow are looked at as well."""
    late: bool = False
    """Has trips that call after midnight on their service day."""
    day_off: bool = False
    """Nothing runs on the day itself."""
    some_blank: bool = False
    """Some stop times have no time."""

    @property
    def name(self) -> str:
        return Path(self.path).stem


WEST, EAST = "America/Los_Angeles", "America/New_York"
SHAPES = [
    Shape("feeds/google_sample.zip", WEST, dt.date(2007, 6, 4), day_off=True),  # an exception
    Shape(
        "feeds/cairns_2014.zip",
        "Australia/Brisbane",
        dt.date(2014, 11, 29),
        late=True,
        some_blank=True,
    ),
    Shape("feeds/nyc_subway_2lines.zip", EAST, dt.date(2024, 12, 25), late=True),  # on a Sunday's
    Shape("feeds/sound_transit_fares2.zip", WEST, dt.date(2025, 1, 11), late=True),
    Shape("feeds/wmata_rail_pathways.zip", EAST, dt.date(2026, 5, 30), late=True),
    Shape("feeds/hart_2018.zip", EAST, dt.date(2018, 5, 28), late=True),  # Memorial Day
    Shape("feeds/cdmx_frequencies.zip", "America/Mexico_City", dt.date(2019, 3, 18), late=True),
    Shape("porto/metro_2026_frequencies.zip", "Europe/Lisbon", dt.date(2026, 3, 29), late=True),
    Shape("montpellier/tam_gtfs.zip", "Europe/Paris", dt.date(2024, 2, 9), late=True),
]
FLEX = Shape("feeds/ctran_flex_fares2.zip", WEST, dt.date(2025, 11, 3))


class Built:
    """A shape's feed, built without streets, beside its files."""

    def __init__(self, shape: Shape, out: Path) -> None:
        folder, _, file = shape.path.partition("/")
        self.shape = shape
        self.path = shared_data(folder) / file
        self.zone = ZoneInfo(shape.zone)
        self.territory = build_bare(
            shape.name.replace("_", "-"), shape.zone, {FEED: self.path}, out
        )

    @cached_property
    def listed(self) -> ListedFeed:
        return ListedFeed(self.path)

    @cached_property
    def tables(self) -> FeedTables:
        return FeedTables(FEED, self.path)

    @cached_property
    def asked(self) -> set[str]:
        """Stops that are looked at."""
        stops = sorted(row["stop_id"] for row in self.listed.rows("stops"))
        return set(random.Random(7).sample(stops, min(ASKED_STOPS, len(stops))))

    @cached_property
    def calls(self) -> list[Call]:
        """Listed calls of the day at these stops."""
        return self.listed.calls_on(self.shape.date, self.asked)

    @property
    def snapshot(self) -> Path:
        return self.territory.world.snapshot.folder

    def boarding(self, trip: str) -> tuple[set[str], set[str]]:
        """Stops at which one may board, and alight from, a trip or one of its runs."""
        calls = self.tables.calls(trip.partition("@")[0])
        board, alight = ({c.stop_id for c in calls if ok(c)} for ok in (_may_board, _may_alight))
        return board, alight


def _may_board(call: ListedCall) -> bool:
    return call.may_board


def _may_alight(call: ListedCall) -> bool:
    return call.may_alight


@pytest.fixture(scope="module", params=SHAPES, ids=lambda shape: shape.name)
def built(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Built:
    return Built(request.param, tmp_path_factory.mktemp("shape"))


@pytest.fixture(scope="module")
def flex(tmp_path_factory: pytest.TempPathFactory) -> Built:
    return Built(FLEX, tmp_path_factory.mktemp("flex"))


# --- calls: calendars, frequencies, hours past midnight -------------------------------------------


def searched_calls(
    territory: BareTerritory, date: dt.date, offset: int, feed: str, stops: set[str] | None
) -> list[Call]:
    """Calls of one service day in the arrays that a search on `date` reads."""
    network = territory.world.network
    t, day = network.timetable, network.day(date)[0]
    base_s = day_start_epoch_s(date, network.zone)
    calls = []
    for p in range(len(day.first_stop) - 1):
        a, b = int(day.first_trip[p]), int(day.first_trip[p + 1])
        if is_through(t, int(day.trip[a])):
            break  # of riders who stay aboard: the trips themselves stand before
        own = [k for k in range(b - a) if day.day[a + k] == offset]
        names = {k: t.trip_id[int(day.trip[a + k])].removeprefix(f"{feed}:") for k in own}
        for i, row in enumerate(range(int(day.first_stop[p]), int(day.first_stop[p + 1]))):
            owner, _, stop = t.stop_id[int(day.stop[row])].partition(":")
            if owner != feed or (stops is not None and stop not in stops):
                continue
            first = int(day.first_event[p]) + i * (b - a)
            arrival = day.arrival_s[first : first + b - a].tolist()
            departure = day.departure_s[first : first + b - a].tolist()
            calls += [Call(stop, names[k], base_s + arrival[k], base_s + departure[k]) for k in own]
    return sorted(calls)


@pytest.mark.parametrize("offset", [-1, 0, 1], ids=["yesterday", "today", "tomorrow"])
def test_every_call_of_the_files_is_searched_and_no_other(built: Built, offset: int) -> None:
    date = built.shape.date
    searched = searched_calls(built.territory, date, offset, FEED, built.asked)
    listed = built.calls
    if offset:
        listed = built.listed.calls_on(date + dt.timedelta(days=offset), built.asked)
    if built.shape.some_blank:  # interpolated calls are another test's
        timed = {(call.stop_id, call.trip_id) for call in listed}
        searched = [call for call in searched if (call.stop_id, call.trip_id) in timed]
    assert bool(listed) != (built.shape.day_off and offset == 0)
    assert searched == listed


def test_calls_after_midnight_are_found_from_either_day(built: Built) -> None:
    date = built.shape.date
    midnight_s = day_start_epoch_s(date + dt.timedelta(days=1), built.zone)
    late = [call for call in built.calls if call.departure_s >= midnight_s]
    assert bool(late) == built.shape.late
    for day, offset in ((date, 0), (date + dt.timedelta(days=1), -1)):
        found = searched_calls(built.territory, day, offset, FEED, built.asked)
        assert [call for call in found if call.departure_s >= midnight_s] == late


def test_riders_board_after_midnight(built: Built) -> None:
    if not built.shape.late:
        pytest.skip("nothing runs past midnight in this feed")
    midnight_s = day_start_epoch_s(built.shape.date + dt.timedelta(days=1), built.zone)
    late = rides(built, [call for call in built.calls if call.departure_s > midnight_s])
    assert late
    first, last = max(late, key=lambda ride: ride[1].arrival_s - ride[0].departure_s)
    for start_s in (midnight_s - 60, first.departure_s - 30):  # the evening before, and then
        found = arrivals(built, (first, last), start_s)
        assert found, (first, last, start_s)
        assert min(found) <= last.arrival_s


def rides(built: Built, calls: list[Call]) -> list[tuple[Call, Call]]:
    """First and last of these calls of each trip, where one may board and alight."""
    by_trip: dict[str, list[Call]] = {}
    for call in calls:
        by_trip.setdefault(call.trip_id, []).append(call)
    found = []
    for trip, own in sorted(by_trip.items()):
        board, alight = built.boarding(trip)
        starts = [call for call in own if call.stop_id in board]
        ends = [call for call in own if call.stop_id in alight]
        if starts and ends:
            first = min(starts, key=lambda call: call.departure_s)
            last = max(ends, key=lambda call: call.arrival_s)
            if first.departure_s < last.arrival_s and first.stop_id != last.stop_id:
                found.append((first, last))
    return found


def arrivals(built: Built, ride: tuple[Call, Call], at_s: int) -> list[float]:
    """When one arrives, from a ride's first stop at its last, leaving then or later."""
    ends = (f"{FEED}:{call.stop_id}" for call in ride)
    answer = built.territory.plan(*ends, dt.datetime.fromtimestamp(at_s, built.zone))
    return [
        dt.datetime.fromisoformat(itinerary["endTime"]).timestamp()
        for itinerary in (*answer["itineraries"], *answer["direct"])
    ]


# --- itineraries ----------------------------------------------------------------------------------


def midday(built: Built) -> tuple[int, list[Call]]:
    """Noon of a day with service in epoch seconds, and the calls of the ninety minutes after."""
    date = built.shape.date + dt.timedelta(days=built.shape.day_off)
    noon_s = day_start_epoch_s(date, built.zone) + 43_200
    calls = built.listed.calls_on(date, built.asked) if built.shape.day_off else built.calls
    return noon_s, [call for call in calls if 60 < call.departure_s - noon_s < 5400]


def test_every_itinerary_holds(built: Built) -> None:
    noon_s, calls = midday(built)
    at = dt.datetime.fromtimestamp(noon_s, built.zone)
    rng, violations = random.Random(11), []
    for _ in range(PAIR_COUNT):
        start, end = rng.choice(calls).stop_id, rng.choice(calls).stop_id
        answer = built.territory.plan(f"{FEED}:{start}", f"{FEED}:{end}", at)
        violations += _violations(answer, built, start, end, at)
    assert not violations, "\n".join(violations[:10])


def test_who_waits_at_a_stop_of_a_trip_arrives_with_it_or_before(built: Built) -> None:
    noon_s, calls = midday(built)
    asked = rides(built, calls)
    asked = random.Random(13).sample(asked, min(PAIR_COUNT, len(asked)))
    assert asked
    answers = [(ride, arrivals(built, ride, noon_s)) for ride in asked]
    assert [(r, found) for r, found in answers if min(found, default=9e9) > r[1].arrival_s] == []


def _violations(
    answer: dict[str, Any], built: Built, start: str, end: str, at: dt.datetime
) -> list[str]:
    context = CheckContext(
        StraightOracle(), {FEED: built.tables}, SimpleNamespace(offers=[]),
        built.tables.coordinate(start), built.tables.coordinate(end), built.zone, earliest_at=at,
        origin_id=f"{FEED}:{start}", destination_id=f"{FEED}:{end}",
    )  # type: ignore[arg-type] # fmt: skip
    every = [*answer["itineraries"], *answer["direct"]]
    return [f"{start} > {end}: {t}" for i in every for t in check_itinerary(i, context)]
