"""
Every answer for Porto against raw feeds, plain Dijkstra and brute force over all offers.

Nothing of the planner is used to judge the planner: see `tests/oracles`.
"""

from __future__ import annotations

import copy
import datetime as dt
import itertools
import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pytest

from core.geo import METRES_PER_DEGREE, Coordinate
from tests.oracles.carpool_oracle import BestRide, CarpoolOracle, OfferDrives
from tests.oracles.check_context import RIDE, STREET_MODES, CheckContext
from tests.oracles.feed_tables import FeedTables
from tests.oracles.itinerary_checker import check_itinerary, decoded
from tests.oracles.street_oracle import StreetOracle

SEED = 20251014
PAIR_COUNT = 100
SCATTER_M = 400.0
SHOWN = 10
GAIN_S = 300
LEAST_WINS = 10
LEAST_SHARE = 0.95
DRIVES_AGAIN = 25
ARRIVING_STEP = 20

Json = dict[str, Any]


@dataclass
class Judge:
    """Oracles over one network, and what they need to check answers."""

    porto: Any
    streets: StreetOracle
    drives: OfferDrives
    carpool: CarpoolOracle
    feeds: dict[str, FeedTables]
    pairs: list[tuple[Coordinate, Coordinate]]
    at: dt.datetime
    stop_hung: dict[str, Any] = field(default_factory=dict)
    _best: dict[int, BestRide | None] = field(default_factory=dict)

    def best_ride(self, pair: int) -> BestRide | None:
        """Best single ride for leaving at 08:00, by brute force; sought once per pair."""
        if pair not in self._best:
            self._best[pair] = self.carpool.best(*self.pairs[pair], self.at)
        return self._best[pair]

    def context(self, pair: int, **limits: Any) -> CheckContext:
        """What the answer for a pair is checked against."""
        origin, destination = self.pairs[pair]
        return CheckContext(
            self.streets, self.feeds, self.drives, origin, destination, self.porto.zone,
            stop_hung=self.stop_hung, **limits,
        )  # fmt: skip


@pytest.fixture(scope="module")
def judge(porto: Any) -> Judge:
    streets = StreetOracle(porto.network.streets, porto.network.points)
    drives = OfferDrives(streets, porto.offers)
    feeds = {feed_id: FeedTables(feed_id, path) for feed_id, path in porto.feeds.items()}
    rng = np.random.default_rng(SEED)
    stops = [feed.coordinate(stop) for feed in feeds.values() for stop in feed.stops]

    def near_a_stop() -> Coordinate:
        stop = stops[rng.integers(len(stops))]
        north, east = rng.normal(0, SCATTER_M / METRES_PER_DEGREE, 2)
        lon = stop.lon + east / math.cos(math.radians(stop.lat))
        return Coordinate(float(stop.lat + north), float(lon))

    return Judge(
        porto, streets, drives, CarpoolOracle(drives, porto.zone), feeds,
        [(near_a_stop(), near_a_stop()) for _ in range(PAIR_COUNT)],
        dt.datetime.combine(porto.date, dt.time(8), tzinfo=porto.zone),
    )  # fmt: skip


@pytest.fixture(scope="module")
def answers(judge: Judge) -> list[Json]:
    """Answers of the usual search: departures in an interval from 08:00."""
    return [judge.porto.plan(a, b, judge.at) for a, b in judge.pairs]


@pytest.fixture(scope="module")
def at_eight(judge: Judge) -> list[Json]:
    """Answers for leaving at 08:00 sharp."""
    return [judge.porto.plan(a, b, judge.at, timetableView=False) for a, b in judge.pairs]


@pytest.fixture(scope="module")
def at_nine(judge: Judge) -> list[Json]:
    """Answers for being there at 09:00, for some of the pairs."""
    by = judge.at + dt.timedelta(hours=1)
    return [judge.porto.plan(a, b, by, arriveBy=True) for a, b in judge.pairs[::ARRIVING_STEP]]


def _all(answer: Json) -> list[Json]:
    return [*answer["itineraries"], *answer.get("direct", [])]


def _violations(judge: Judge, answers: list[Json], *, step: int = 1, **limits: Any) -> list[str]:
    found = []
    for k, answer in enumerate(answers):
        context = judge.context(k * step, **limits)
        for n, itinerary in enumerate(_all(answer)):
            for text in check_itinerary(itinerary, context):
                a, b = judge.pairs[k * step]
                found.append(f"{a.lat:.5f},{a.lon:.5f} > {b.lat:.5f},{b.lon:.5f} #{n}: {text}")
    return found


def _told(violations: list[str]) -> str:
    return f"{len(violations)} violations:\n" + "\n".join(violations[:SHOWN])


def test_every_itinerary_of_an_interval_holds(judge: Judge, answers: list[Json]) -> None:
    assert sum(len(_all(answer)) for answer in answers) > PAIR_COUNT
    violations = _violations(judge, answers, earliest_at=judge.at)
    assert not violations, _told(violations)


def test_every_itinerary_of_a_single_moment_holds(judge: Judge, at_eight: list[Json]) -> None:
    violations = _violations(judge, at_eight, earliest_at=judge.at)
    assert not violations, _told(violations)


def test_every_itinerary_that_arrives_by_nine_holds(judge: Judge, at_nine: list[Json]) -> None:
    latest_at = judge.at + dt.timedelta(hours=1)
    violations = _violations(judge, at_nine, step=ARRIVING_STEP, latest_at=latest_at)
    assert not violations, _told(violations)


def _ends(answer: Json, *, carpool: bool) -> list[dt.datetime]:
    """Arrivals of the itineraries with or without a ride."""
    return [
        dt.datetime.fromisoformat(itinerary["endTime"])
        for itinerary in _all(answer)
        if any(leg["mode"] == RIDE for leg in itinerary["legs"]) == carpool
    ]


def _miss(judge: Judge, pair: int, best: BestRide, answer: Json) -> str:
    a, b = judge.pairs[pair]
    with_ride, without = (_ends(answer, carpool=kind) for kind in (True, False))
    points = judge.streets.points.id
    return (
        f"{a.lat:.6f},{a.lon:.6f} > {b.lat:.6f},{b.lon:.6f}: offer {best.offer.id} from "
        f"{points[best.pickup]} at {best.board_at:%H:%M:%S} to {points[best.dropoff]} arrives "
        f"{best.arrival_at:%H:%M:%S}; planner by ride {min(with_ride, default=None)}, "
        f"otherwise {min(without, default=None)}"
    )


def test_planner_finds_the_rides_that_beat_the_bus(judge: Judge, at_eight: list[Json]) -> None:
    gain = dt.timedelta(seconds=GAIN_S)
    wins, misses = 0, []
    for k, answer in enumerate(at_eight):
        best = judge.best_ride(k)
        without = _ends(answer, carpool=False)
        if best is None or (without and best.arrival_at + gain > min(without)):
            continue
        wins += 1
        if not any(end <= best.arrival_at for end in _ends(answer, carpool=True)):
            misses.append(_miss(judge, k, best, answer))
    assert wins >= LEAST_WINS, f"rides win in {wins} pairs only: the test proves little"
    print(f"rides beat the rest by 5 minutes in {wins} pairs; {len(misses)} of them missed")
    told = f"{len(misses)} of {wins} missed:\n" + "\n".join(misses)
    assert len(misses) <= (1 - LEAST_SHARE) * wins, told


def test_no_single_ride_of_the_planner_arrives_before_the_best_there_is(
    judge: Judge, at_eight: list[Json]
) -> None:
    impossible = []
    for k, answer in enumerate(at_eight):
        for itinerary in _all(answer):
            modes = [leg["mode"] for leg in itinerary["legs"] if leg["mode"] not in STREET_MODES]
            end_at = dt.datetime.fromisoformat(itinerary["endTime"])
            best = judge.best_ride(k) if modes == [RIDE] else None
            if modes == [RIDE] and (best is None or end_at < best.arrival_at):
                impossible.append(f"pair {k}: {end_at} before {best}")
    assert not impossible, "\n".join(impossible[:SHOWN])


# --- the oracles themselves -------------------------------------------------------------------


def test_table_of_drives_is_that_of_the_full_graph(judge: Judge) -> None:
    rng = np.random.default_rng(SEED)
    count = len(judge.streets.points.lat)
    for a, b in rng.integers(count, size=(DRIVES_AGAIN, 2)).tolist():
        start, end = (judge.streets.at_point(row, car=True) for row in (a, b))
        assert judge.drives.between_s[a, b] == judge.streets.drive_s(start, end)


def test_own_drive_of_an_offer_is_that_of_the_full_graph(judge: Judge) -> None:
    for offer in judge.porto.offers[:DRIVES_AGAIN]:
        places = [judge.streets.driver(p)[0] for p in (offer.start, *offer.vias, offer.end)]
        legs = itertools.pairwise(places)
        solo_s = sum(judge.streets.drive_s(a, b) for a, b in legs)
        assert judge.drives.ways(offer)[0].solo_s == solo_s


# --- a check that cannot fail is worthless ----------------------------------------------------


def _shift(leg: Json, seconds: int, *keys: str) -> None:
    for key in keys or ("startTime", "endTime", "scheduledStartTime", "scheduledEndTime"):
        moved = dt.datetime.fromisoformat(leg[key]) + dt.timedelta(seconds=seconds)
        leg[key] = moved.isoformat()


def _is_ride(leg: Json) -> bool:
    return str(leg["mode"]) == RIDE


def _is_vehicle(leg: Json) -> bool:
    return leg["mode"] not in STREET_MODES and leg["mode"] != RIDE


def _calls_twice(leg: Json) -> bool:
    return _is_vehicle(leg) and len(leg["intermediateStops"]) > 1


def _is_walk(leg: Json) -> bool:
    return str(leg["mode"]) == "WALK" and int(leg["duration"]) > 60


def _bus_later(itinerary: Json, leg: Json) -> None:
    _shift(leg, 17)


def _leave_the_bus_early(itinerary: Json, leg: Json) -> None:
    leg["to"]["stopId"] = leg["intermediateStops"][-1]["stopId"]


def _skip_a_stop(itinerary: Json, leg: Json) -> None:
    del leg["intermediateStops"][0]


def _call_later(itinerary: Json, leg: Json) -> None:
    _shift(leg["intermediateStops"][0], 30, "arrival")


def _other_trip(itinerary: Json, leg: Json) -> None:
    leg["tripId"] += "x"


def _on_another_day(itinerary: Json, leg: Json) -> None:
    _shift(leg, 9 * 365 * 86_400)
    leg["tripId"] = leg["tripId"].replace("20251014_", "20341012_")
    if "service_date" in leg.get("mobility", {}):
        leg["mobility"]["service_date"] = "2034-10-12"


def _walk_faster(itinerary: Json, leg: Json) -> None:
    leg["duration"] -= 30
    _shift(leg, -30, "endTime", "scheduledEndTime")


def _start_elsewhere(itinerary: Json, leg: Json) -> None:
    leg["from"]["lat"] += 0.001


def _cut_the_line(itinerary: Json, leg: Json) -> None:
    leg["from"]["lat"] += 0.01


def _ride_tomorrow(itinerary: Json, leg: Json) -> None:
    leg["mobility"]["date"] = "2025-10-15"


def _ride_shorter(itinerary: Json, leg: Json) -> None:
    _shift(leg, -1, "endTime", "scheduledEndTime")


def _tell_less_detour(itinerary: Json, leg: Json) -> None:
    leg["mobility"]["detour_s"] -= 300


def _full_car(itinerary: Json, leg: Json) -> None:
    leg["mobility"]["seats_left"] = 0


def _unknown_point(itinerary: Json, leg: Json) -> None:
    leg["mobility"]["pickup_point_id"] = "stop:nowhere"


def _wrong_sum(itinerary: Json, leg: Json) -> None:
    charge = {"legs": [0], "rule": "r", "label_fr": "", "label_en": "", "amount_cents": 120}
    price = {"amount_cents": 121, "currency": "EUR", "unknown_reason": "", "charges": [charge]}
    itinerary["mobility"]["price"] = price


def _leave_too_early(itinerary: Json, leg: Json) -> None:
    _shift(itinerary, -7200, "startTime")
    itinerary["duration"] += 7200


Which = Callable[[Json], bool]
Spoil = Callable[[Json, Json], None]
SPOILS: list[tuple[Which, Spoil, str]] = [
    (_is_vehicle, _bus_later, "is not listed"),
    (_calls_twice, _leave_the_bus_early, "is not listed"),
    (_calls_twice, _skip_a_stop, "intermediate stops"),
    (_calls_twice, _call_later, "listed is"),
    (_is_vehicle, _other_trip, "no trip"),
    (_is_vehicle, _on_another_day, "does not run"),
    (_is_walk, _walk_faster, "the ways from"),
    (_is_walk, _start_elsewhere, "from lies"),
    (_is_walk, _cut_the_line, "geometry ends"),
    (_is_ride, _bus_later, "takes|must leave|before leg|starts at"),
    (_is_ride, _ride_tomorrow, "too early"),
    (_is_ride, _ride_shorter, "not 60"),
    (_is_ride, _tell_less_detour, "tells a detour"),
    (_is_ride, _full_car, "seats left"),
    (_is_ride, _unknown_point, "no place"),
    (_is_vehicle, _wrong_sum, "add up to 120"),
    (_is_vehicle, _leave_too_early, "before the rider can"),
]


def _sound(judge: Judge, answers: list[Json], which: Which) -> tuple[Json, int, CheckContext]:
    """First itinerary without violations that has such a leg, as a copy to be spoilt."""
    for k, answer in enumerate(answers):
        context = judge.context(k, earliest_at=judge.at)
        for itinerary in answer["itineraries"]:
            rows = [i for i, leg in enumerate(itinerary["legs"]) if which(leg)]
            if rows and not check_itinerary(itinerary, context):
                return copy.deepcopy(itinerary), rows[0], context
    raise AssertionError("no sound itinerary has such a leg")


@pytest.mark.parametrize(
    ("which", "spoil", "complaint"), SPOILS, ids=[f"{w.__name__}{s.__name__}" for w, s, _ in SPOILS]
)
def test_checker_complains_when_an_itinerary_is_spoilt(
    judge: Judge, answers: list[Json], which: Which, spoil: Spoil, complaint: str
) -> None:
    itinerary, row, context = _sound(judge, answers, which)
    spoil(itinerary, itinerary["legs"][row])
    found = check_itinerary(itinerary, context)
    assert any(word in text for text in found for word in complaint.split("|")), found


def test_checker_complains_when_the_driver_accepts_less_than_the_detour(
    judge: Judge, answers: list[Json]
) -> None:
    def detours(leg: Json) -> bool:
        return _is_ride(leg) and int(leg["mobility"]["detour_s"]) > 0

    itinerary, row, context = _sound(judge, answers, detours)
    told = itinerary["legs"][row]["mobility"]
    offer = context.offer_of[told["offer_id"]]

    def complains(budget_s: int) -> bool:
        context.offer_of[offer.id] = replace(offer, detour_budget_s=budget_s)
        told["detour_budget_s"] = budget_s
        found = check_itinerary(itinerary, context)
        return any("over his budget" in text for text in found)

    # Told is the detour rounded up to five minutes.
    assert not complains(int(told["detour_s"]))
    assert complains(int(told["detour_s"]) - 300)


@pytest.mark.parametrize(("kind", "complaint"), [("3", "forbidden"), ("2", "asks for more")])
def test_checker_complains_when_transfers_txt_forbids_the_change(
    judge: Judge, answers: list[Json], kind: str, complaint: str
) -> None:
    for k, answer in enumerate(answers):
        context = judge.context(k, earliest_at=judge.at)
        for itinerary in answer["itineraries"]:
            riding = [leg for leg in itinerary["legs"] if leg["mode"] not in STREET_MODES]
            for a, b in itertools.pairwise(riding):
                if RIDE in (a["mode"], b["mode"]):
                    continue
                (feed, from_id), (other, to_id) = (
                    context.feed_of(place["stopId"]) or (None, "") for place in (a["to"], b["from"])
                )
                if feed is None or feed is not other or check_itinerary(itinerary, context):
                    continue
                rule = {"from_stop_id": from_id, "to_stop_id": to_id, "transfer_type": kind}
                feed.transfers.append({**rule, "min_transfer_time": "86400"})
                try:
                    found = check_itinerary(itinerary, context)
                finally:
                    feed.transfers.pop()
                assert any(complaint in text for text in found), found
                return
    raise AssertionError("no change between vehicles of one feed")


def test_polyline_of_the_published_example_is_decoded() -> None:
    # The example of Google's description of the format, which has five digits.
    line = decoded("_p~iF~ps|U_ulLnnqC_mqNvxq`@", 5)
    assert [(p.lat, p.lon) for p in line] == [(38.5, -120.2), (40.7, -120.95), (43.252, -126.453)]
