"""
Random small worlds for Hypothesis: as plain values for an oracle, and as the arrays of a search.

Times lie close together on purpose: ties, missed connections by a hair and equal arrivals are
where searches go wrong. Hypothesis draws sizes and a seed, and the world is made from these: ten
times as many worlds a second as with a draw for each number, and still small when one fails.
"""

from __future__ import annotations

import random
from dataclasses import replace
from typing import Any

from hypothesis import strategies as st

from gtfs_data.enums import CAN_ALIGHT, CAN_BOARD
from tests.oracles.block_oracle import Pairs
from tests.oracles.raptor_oracle import PlainCandidate, PlainRide, PlainTrip
from tests.support.random_world import OPENING_S, RandomTrip, RandomWorld


class _Dice:
    """Draws of one world."""

    def __init__(self, seed: int, unit_s: int) -> None:
        self._random = random.Random(seed)
        self.unit_s = unit_s

    def count(self, low: int, high: int) -> int:
        """Low and high included."""
        return self._random.randint(low, high)

    def seconds(self, low: int, high: int) -> int:
        """A multiple of the unit."""
        return self.unit_s * self._random.randint(low, high)

    def one_of(self, *choices: Any) -> Any:
        return self._random.choice(choices)

    def some_of(self, choices: range, least: int, most: int) -> list[int]:
        """Different ones, in any order."""
        return self._random.sample(choices, min(self.count(least, most), len(choices)))

    def walks(self, most: int, starts: range, ends: range) -> dict[tuple[int, int], int]:
        pairs = [(self.one_of(*starts), self.one_of(*ends)) for _ in range(self.count(0, most))]
        return {(a, b): self.seconds(0, 6) for a, b in pairs if a != b}


@st.composite
def random_worlds(
    draw: st.DrawFn, *, rides: bool, unit_s: int = 60, doors: bool = False
) -> RandomWorld:
    """
    Draw a world of up to six stops, with a few meeting points and rides if asked for.

    With `doors`, the last two points are the rider's own: see `RandomWorld.doors`.
    All times are multiples of `unit_s`.
    """
    stop_count = draw(st.integers(2, 6))
    door_count = 2 if doors else 0
    point_count = draw(st.integers(2, 4)) + door_count if rides else 0
    pattern_count = draw(st.integers(0 if rides else 1, 5))
    body_count = draw(st.integers(1, 4)) if rides else 0
    dice = _Dice(draw(st.integers(0, 2**31)), unit_s)
    nodes = range(stop_count + point_count)
    stops, points = nodes[:stop_count], nodes[stop_count:]
    known = nodes[: len(nodes) - door_count]
    ends = [{node: dice.seconds(0, 2)} for node in nodes[len(known) :]] or [{}, {}]
    own = range(len(nodes), len(nodes) + 5)
    drive_s = _draw_drives(dice, range(stop_count, own.stop)) if rides else {}
    patterns: list[tuple[tuple[int, ...], tuple[int, ...]]] = []
    for _ in range(pattern_count):
        patterns.append(_draw_pattern(dice, stops, patterns))
    trips: list[RandomTrip] = []
    for number, pattern in enumerate(patterns):
        for _ in range(dice.count(1, 4)):
            trips.append(_draw_trip(dice, number, *pattern, trips))
    return RandomWorld(
        stop_count=stop_count,
        point_count=point_count,
        patterns=tuple(patterns),
        trips=tuple(trips),
        linked=_draw_pairs(dice, len(trips)),
        parted=_draw_pairs(dice, len(trips)),
        walks=dice.walks(6, stops, stops),
        point_walks=(
            dice.walks(9, stops, known[stop_count:]) | dice.walks(9, known[stop_count:], stops)
            if rides
            else {}
        ),
        bodies=tuple(
            _draw_body(dice, dice.one_of(points, points, known[stop_count:]), own, drive_s)
            for _ in range(body_count)
        ),
        windows=tuple(
            (body, first_s, first_s + dice.one_of(0, dice.seconds(1, 30)))
            for body in range(body_count)
            for first_s in [OPENING_S + dice.seconds(-5, 40) for _ in range(dice.count(1, 2))]
        ),
        drive_s={(a, b): drive_s[a, b] for a in points for b in points},
        access={node: dice.seconds(0, 5) for node in dice.some_of(known, 1 - doors, 4)} | ends[0],
        egress={node: dice.seconds(0, 9) for node in dice.some_of(known, 1 - doors, 4)} | ends[1],
        change_s=dice.seconds(0, 2),
        stop_change_s={stop: dice.seconds(0, 4) for stop in dice.some_of(stops, 0, 1)},
        pickup_stop_s=dice.seconds(0, 1),
        direct_s=dice.one_of(None, None, dice.seconds(10, 60)),
        most=dice.count(1, 4),
        seats=dice.one_of(1, 1, 2),
        leave_s=OPENING_S + dice.seconds(-5, 15),
        arrive_s=OPENING_S + dice.seconds(30, 80),
        doors=doors,
    )


def _draw_pattern(
    dice: _Dice, stops: range, others: list[tuple[tuple[int, ...], tuple[int, ...]]]
) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Stops, perhaps in a loop, perhaps from another one's end on, and flags."""
    called = [dice.one_of(*stops)]
    if others and dice.one_of(True, False):
        called = [dice.one_of(*others)[0][-1]]
    for _ in range(dice.count(1, 4)):
        called.append(dice.one_of(*(stop for stop in stops if stop != called[-1])))
    return tuple(called), tuple(dice.one_of(3, 3, 3, 3, 1, 2, 0) for _ in called)


def _draw_trip(
    dice: _Dice,
    pattern: int,
    called: tuple[int, ...],
    flags: tuple[int, ...],
    others: list[RandomTrip],
) -> RandomTrip:
    """A trip of its own, or that of a vehicle which ends another one there."""
    arrive, depart = [], []
    at_s = OPENING_S + dice.seconds(0, 40)
    late, block = dice.one_of(False, False, True), dice.one_of("", "X", "Y", "Z")
    before = [trip for trip in others if trip.block and trip.plain.stops[-1] == called[0]]
    if before and dice.one_of(True, True, False):
        goes_on = dice.one_of(*before)
        late, block = goes_on.late, goes_on.block
        at_s = goes_on.plain.arrive_s[-1] + dice.one_of(0, dice.seconds(0, 5), dice.seconds(0, 40))
    for _ in called:
        arrive.append(at_s)
        depart.append(at_s + dice.seconds(0, 1))
        at_s = depart[-1] + dice.seconds(0, 8)
    plain = PlainTrip(
        called,
        tuple(bool(flag & CAN_BOARD) for flag in flags),
        tuple(bool(flag & CAN_ALIGHT) for flag in flags),
        tuple(arrive),
        tuple(depart),
    )
    return RandomTrip(plain, pattern, late, block)


def _draw_pairs(dice: _Dice, trip_count: int) -> Pairs:
    """Trips named in transfers.txt, most of them far from each other."""
    if trip_count == 0:
        return frozenset()
    trips = range(trip_count)
    count = dice.one_of(0, 0, 1, 2)
    return frozenset((dice.one_of(*trips), dice.one_of(*trips)) for _ in range(count))


def _draw_drives(dice: _Dice, nodes: range) -> dict[tuple[int, int], int]:
    """Fastest drives between all nodes on random one-way roads: no drive is worth a detour."""
    drive_s = {(a, b): 0 if a == b else dice.seconds(1, 20) for a in nodes for b in nodes}
    for through in nodes:
        for a in nodes:
            for b in nodes:
                detour_s = drive_s[a, through] + drive_s[through, b]
                drive_s[a, b] = min(drive_s[a, b], detour_s)
    return drive_s


def _draw_body(
    dice: _Dice, points: range, own: range, drive_s: dict[tuple[int, int], int]
) -> PlainRide:
    """An offer between some of the drivers' own places, with every point that it can serve."""
    stops = dice.some_of(own, 2, dice.one_of(2, 2, 3, 4))
    pairs = list(zip(stops, stops[1:], strict=False))
    offer = PlainRide(
        candidates=(),
        segment_s=tuple(drive_s[a, b] for a, b in pairs),
        budget_s=dice.one_of(0, dice.seconds(1, 15), dice.seconds(5, 15)),
        earliest_s=0,
        latest_s=0,
        seat_count=dice.one_of(1, 2, 2),
    )
    candidates = [
        PlainCandidate(node, segment, drive_s[a, node], drive_s[node, b])
        for segment, (a, b) in enumerate(pairs)
        for node in points
    ]
    most_s = sum(offer.segment_s) + offer.budget_s
    return replace(
        offer,
        candidates=tuple(
            c for c in candidates if offer.from_start_s(c) + offer.to_end_s(c) <= most_s
        ),
    )
