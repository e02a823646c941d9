"""Plans of booked rides: against every order and every departure, and what the search is told."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import lru_cache

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from carpool.booked_rides import parts_of_booked_ride
from carpool.compile import OfferUnusable, compile_offer
from carpool.ride_plans import NEVER_S, RideWay, Schedule, Visit
from routing.street.drive import UNREACHABLE_S
from tests.support.grids import Grid, random_grid, random_offer

pytestmark = pytest.mark.unit

fixed_seed = settings(derandomize=True, deadline=None, database=None, max_examples=60)
seeds = st.integers(0, 2**31)
WINDOW_S = 40
EARLIEST_S = 1_000_000


@lru_cache(maxsize=8)
def grid_of(number: int) -> Grid:
    return random_grid(number)


def random_way(dice: random.Random) -> tuple[Grid, RideWay]:
    grid = grid_of(dice.randrange(8))
    while True:
        offer = random_offer(grid, dice.randrange(10**6), via_count=dice.randrange(3), budget_s=180)
        with suppress(OfferUnusable):
            body = compile_offer(grid.network, offer)
            break
    latest_s = EARLIEST_S + dice.choice((0, WINDOW_S))
    seats = dice.randint(1, 3)
    return grid, RideWay(body, grid.network.ground.drive_s, EARLIEST_S, latest_s, seats)


def random_booking(dice: random.Random, way: RideWay, name: str) -> tuple[Visit, Visit] | None:
    """What a rider could have been shown: a pick-up and a drop-off, each with its time."""
    points = sorted({int(point) for point in way.body.point})
    if len(points) < 2:
        return None
    pickup, dropoff = dice.sample(points, 2)
    seats = dice.randint(1, 2)
    at_s = EARLIEST_S + dice.randint(0, way.body.solo_s + WINDOW_S)
    late_s = at_s + dice.choice((120, 300, 900))
    into = Visit(name, pickup, 0, seats, at_s, at_s + dice.choice((0, 60, 300)))
    return into, Visit(name, dropoff, 0, -seats, -NEVER_S, late_s)


# The slow twin: every order that keeps riders' own, every segment, every departure, step by step.


def drive_of(way: RideWay, visits: Sequence[Visit]) -> list[int] | None:
    """Drives from the start over all visits to the end."""
    body = way.body
    rows = []
    for visit in visits:
        found = [
            row
            for row in range(len(body.point))
            if (body.point[row], body.segment[row]) == (visit.point, visit.segment)
        ]
        if not found:
            return None
        rows.append(found[0])
    if not rows:
        return [body.solo_s]
    drives = [int(body.from_start_s[rows[0]])]
    for a, b in itertools.pairwise(rows):
        if body.segment[a] > body.segment[b]:
            return None
        if body.segment[a] == body.segment[b]:
            hop_s = int(way.drive_s[body.point[a], body.point[b]])
            if hop_s == UNREACHABLE_S:
                return None
        else:
            hop_s = int(body.to_end_s[a]) - body.solo_s + int(body.from_start_s[b])
        drives.append(hop_s)
    return [*drives, int(body.to_end_s[rows[-1]])]


def can_be_driven(way: RideWay, visits: Sequence[Visit]) -> int | None:
    """Drive of the visits in this order if any departure keeps every promise."""
    drives = drive_of(way, visits)
    limit_s = way.body.solo_s + way.body.budget_s
    if drives is None or sum(drives) > limit_s:
        return None
    for leaves_s in range(way.earliest_s, way.latest_s + 1):
        now_s, aboard, fits = leaves_s, 0, True
        for visit, hop_s in zip(visits, drives, strict=False):
            now_s = max(now_s + hop_s, visit.earliest_s)
            aboard += visit.seats
            fits &= now_s <= visit.latest_s and 0 <= aboard <= way.seat_count
        if fits and now_s + drives[-1] <= way.latest_s + limit_s:
            return sum(drives)
    return None


def orders_with(visits: Sequence[Visit], new: tuple[Visit, Visit]) -> Iterator[list[Visit]]:
    count = len(visits) + 2
    for at in itertools.combinations(range(count), 2):
        old = iter(visits)
        yield [new[at.index(i)] if i in at else next(old) for i in range(count)]


def least_drive(way: RideWay, visits: Sequence[Visit], new: tuple[Visit, Visit]) -> int | None:
    last = len(way.body.via_nodes) + 1
    choices = [
        (replace(new[0], segment=a), replace(new[1], segment=b))
        for a in range(last)
        for b in range(last)
    ]
    found = [
        can_be_driven(way, order) for choice in choices for order in orders_with(visits, choice)
    ]
    return min((drive_s for drive_s in found if drive_s is not None), default=None)


def booked(dice: random.Random, way: RideWay, tries: int) -> tuple[Sequence[Visit], Schedule]:
    """A plan with whatever of some bookings fits."""
    visits: Sequence[Visit] = ()
    schedule = way.schedule(())
    assert schedule is not None
    for name in range(tries):
        new = random_booking(dice, way, str(name))
        found = None if new is None else way.insert(visits, *new)
        if found is not None:
            visits, schedule = found
    return visits, schedule


@fixed_seed
@given(seeds)
def test_a_booking_is_put_where_the_shortest_of_all_drives_is(seed: int) -> None:
    dice = random.Random(seed)
    _, way = random_way(dice)
    visits, _ = booked(dice, way, 4)
    assume(len(visits) <= 6)
    for _ in range(6):
        new = random_booking(dice, way, "new")
        assume(new is not None)
        assert new is not None
        found = way.insert(visits, *new)
        assert (None if found is None else found[1].drive_s) == least_drive(way, visits, new)


@fixed_seed
@given(seeds)
def test_a_plan_keeps_what_everybody_was_promised(seed: int) -> None:
    dice = random.Random(seed)
    _, way = random_way(dice)
    visits, schedule = booked(dice, way, 8)
    aboard = 0
    for visit, at_s in zip(visits, schedule.at_s, strict=True):
        aboard += visit.seats
        assert 0 <= aboard <= way.seat_count
        assert visit.earliest_s <= at_s <= visit.latest_s
    assert schedule.drive_s <= way.limit_s
    assert way.earliest_s <= schedule.leaves_s <= way.latest_s
    assert list(schedule.at_s) == sorted(schedule.at_s)


@fixed_seed
@given(seeds)
def test_whatever_a_rider_cancels_the_others_keep_theirs(seed: int) -> None:
    dice = random.Random(seed)
    _, way = random_way(dice)
    visits, _ = booked(dice, way, 8)
    names = sorted({visit.booking for visit in visits})
    for gone in names:
        left = [visit for visit in visits if visit.booking != gone]
        assert way.schedule(left) is not None


@fixed_seed
@given(seeds)
def test_whatever_the_search_finds_on_a_booked_ride_can_be_booked(seed: int) -> None:
    dice = random.Random(seed)
    grid, way = random_way(dice)
    visits, schedule = booked(dice, way, 3)
    assume(visits)
    car_node = grid.network.points.car_node
    for part in parts_of_booked_ride(way, visits, schedule, car_node):
        body = part.body
        assert body.budget_s >= 0
        assert 1 <= body.seat_count <= way.seat_count
        rows = range(len(body.point))
        for p, q in itertools.product(rows, rows):
            if body.point[p] == body.point[q] or body.segment[p] > body.segment[q]:
                continue
            if body.segment[p] == body.segment[q]:
                ride_s = int(way.drive_s[body.point[p], body.point[q]])
            else:
                ride_s = int(body.to_end_s[p]) + int(body.from_start_s[q]) - body.solo_s
            whole_s = int(body.from_start_s[p]) + ride_s + int(body.to_end_s[q])
            if whole_s > body.solo_s + body.budget_s:
                continue
            at_s = part.leaves_s + int(body.from_start_s[p])
            seats = body.seat_count
            into = Visit("new", int(body.point[p]), 0, seats, at_s, at_s)
            out = Visit("new", int(body.point[q]), 0, -seats, -NEVER_S, at_s + ride_s)
            assert way.insert(visits, into, out) is not None


def test_most_of_what_can_be_booked_on_a_booked_ride_is_found() -> None:
    dice = random.Random(20261127)
    bookable = found = 0
    for _ in range(60):
        grid, way = random_way(dice)
        way = replace(way, seat_count=3)
        visits, schedule = booked(dice, way, 2)
        if not visits:
            continue
        parts = parts_of_booked_ride(way, visits, schedule, grid.network.points.car_node)
        there = [{int(p) for p in part.body.point} for part in parts]
        points = sorted({int(point) for point in way.body.point})
        for p, q in itertools.permutations(points, 2):
            into = Visit("new", p, 0, 1, EARLIEST_S, NEVER_S)
            out = Visit("new", q, 0, -1, -NEVER_S, NEVER_S)
            if way.insert(visits, into, out) is not None:
                bookable += 1
                found += any({p, q} <= here for here in there)
    assert bookable > 500
    assert found / bookable > 0.5, f"{found} of {bookable}"
