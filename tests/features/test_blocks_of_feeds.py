"""Real feeds whose vehicles go on as other trips: riders stay aboard, as the raw files say."""

from __future__ import annotations

import datetime as dt
import itertools
import random
from collections import Counter
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, cast
from zoneinfo import ZoneInfo

import pytest

from core.geo import distance_m
from tests.oracles.carpool_oracle import clock_epoch_s
from tests.oracles.check_context import STAYS, CheckContext, instant_s
from tests.oracles.feed_tables import FeedTables, ListedCall
from tests.oracles.itinerary_checker import check_itinerary
from tests.oracles.straight_oracle import StraightOracle
from tests.support.no_streets import BareTerritory, build_bare
from tests.support.territories import shared_data

FEED = "f"
RIDE_COUNT = 40
TRIED = 2_000
WALK_S = 120
FAR_M = 1_000.0
SEED = 20250522

Json = dict[str, Any]


@dataclass(frozen=True)
class Seat:
    """A ride for which one stays aboard: from a call of one trip to a call of the next."""

    board: str
    alight: str
    departure_s: int
    arrival_s: int


@dataclass(frozen=True)
class Blocks:
    """A feed with its answers, and its files."""

    territory: BareTerritory
    tables: FeedTables
    date: dt.date
    zone: ZoneInfo

    def seats(self) -> list[Seat]:
        """Rides over the ends of trips of one block that no walk can stand for."""
        found = []
        for block in sorted({row["block_id"] for row in self.tables.trips.values()} - {""}):
            calls = [
                self.tables.calls(trip)
                for trip in self.tables.trips_of_block(block)
                if self.tables.runs(self.tables.trips[trip]["service_id"], self.date)
            ]
            calls.sort(key=lambda c: c[0].departure_s)
            for before, then in itertools.pairwise(calls):
                stands_s = then[0].departure_s - before[-1].arrival_s
                if before[-1].stop_id != then[0].stop_id or not 0 <= stands_s <= 1_800:
                    continue
                found.append((before, then))
        dice, seats = random.Random(SEED), []
        for before, then in dice.choices(found, k=TRIED):
            i, j = dice.randrange(len(before) - 1), dice.randrange(1, len(then))
            a, b = before[i], then[j]
            usable = a.may_board and b.may_alight
            if usable and self._far(b.stop_id, before[i:]) and self._far(a.stop_id, then[:j]):
                seats.append(Seat(a.stop_id, b.stop_id, a.departure_s, b.arrival_s))
        return seats[:RIDE_COUNT]

    def _far(self, stop: str, calls: list[ListedCall]) -> bool:
        """Whether nobody walks between a stop and those of some calls."""
        place = self.tables.coordinate(stop)
        others = {self.tables.coordinate(call.stop_id) for call in calls}
        return all(distance_m(place, other) > FAR_M for other in others)

    def at(self, seconds: int) -> dt.datetime:
        """An instant of the service day."""
        return dt.datetime.fromtimestamp(clock_epoch_s(self.date, seconds, self.zone), self.zone)

    def context(self, seat: Seat, at: dt.datetime) -> CheckContext:
        """What an answer is checked against."""
        return CheckContext(
            StraightOracle(), {FEED: self.tables}, cast("Any", SimpleNamespace(offers=[])),
            self.tables.coordinate(seat.board), self.tables.coordinate(seat.alight), self.zone,
            earliest_at=at,
        )  # type: ignore[arg-type] # fmt: skip


@pytest.fixture(
    scope="module",
    params=[
        ("realtime/raba", "raba_gtfs.zip", "America/Los_Angeles", dt.date(2025, 5, 22)),
        ("addison", "actr_gtfs.zip", "America/New_York", dt.date(2016, 10, 12)),
        pytest.param(
            ("feeds", "hart_2018.zip", "America/New_York", dt.date(2018, 7, 6)),
            marks=pytest.mark.slow,
        ),
    ],
    ids=["redding", "addison", "hart"],
)
def blocks(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Blocks:
    folder, file, zone, date = request.param
    path = shared_data(folder) / file
    out = tmp_path_factory.mktemp("blocks")
    built = build_bare("blocks", zone, {FEED: path}, out)
    return Blocks(built, FeedTables(FEED, path), date, ZoneInfo(zone))


def test_riders_arrive_as_soon_as_by_keeping_their_seats(blocks: Blocks) -> None:
    found: Counter[str] = Counter()
    violations = []
    asked = blocks.seats()
    for seat in asked:
        at = blocks.at(seat.departure_s - WALK_S)
        ends = f"{FEED}:{seat.board}", f"{FEED}:{seat.alight}"
        answer = blocks.territory.plan(*ends, at, timetableView=False)
        every = [*answer["itineraries"], *answer["direct"]]
        context = blocks.context(seat, at)
        violations += [f"{seat}: {text}" for i in every for text in check_itinerary(i, context)]
        # As soon, without a change: by keeping the seat, or by what is better still.
        latest_s = blocks.at(seat.arrival_s).timestamp()
        in_time = [i for i in every if instant_s(i["endTime"]) <= latest_s]
        assert any(i["transfers"] == 0 for i in in_time), seat
        found[
            "aboard" if any(leg.get(STAYS) for i in every for leg in i["legs"]) else "otherwise"
        ] += 1
    assert violations == []
    print(f"{found} of {len(asked)}")
    assert found["aboard"] > RIDE_COUNT / 4
