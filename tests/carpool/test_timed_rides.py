"""Rides by a time at one end: every pick-up, every drop-off and every time, one by one."""

from __future__ import annotations

import random
from collections.abc import Iterator
from functools import lru_cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from carpool.compile import OfferUnusable, compile_offer
from carpool.nearby import NOT_HERE
from carpool.timed_rides import (
    BOARD_S,
    DROPOFF,
    NEAREST,
    NOTHING,
    PICKUP,
    RIDE_S,
    Asked,
    find_timed_rides,
)
from gtfs_data.store import frozen
from routing.network import Network
from routing.raptor.body_table import Body, flexible_trips
from routing.raptor.flexible import MEETING_POINT
from routing.raptor.search import rides_of
from routing.spi import RideWindows
from routing.street.drive import UNREACHABLE_S
from tests.support.grids import Grid, random_grid, random_offer

pytestmark = pytest.mark.unit

fixed_seed = settings(derandomize=True, deadline=None, database=None, max_examples=60)
HOUR_S = 3600


@lru_cache(maxsize=8)
def grid_of(number: int) -> Grid:
    return random_grid(number)


def nearest(body: Body, walk_s: list[int]) -> list[int]:
    """Candidates around a place; only the walks count, those of equal ones are as good."""
    here = [row for row, p in enumerate(body.point.tolist()) if walk_s[p] != NOT_HERE]
    return sorted(here, key=lambda row: walk_s[body.point[row]])[:NEAREST]


def one_by_one(
    network: Network, body: Body, window: tuple[int, int], asked: Asked, time_s: int
) -> tuple[int, int] | None:
    """When a rider leaves and is there by the best pair of one ride, seconds on foot included."""
    to_s, from_s = asked.walk_to_s.tolist(), asked.walk_from_s.tolist()
    found = []
    for a in nearest(body, to_s):
        for b in nearest(body, from_s):
            p, q = int(body.point[a]), int(body.point[b])
            ride_s = int(network.ground.drive_s[p, q])
            if body.segment[a] != body.segment[b]:
                ride_s = int(body.to_end_s[a]) + int(body.from_start_s[b]) - body.solo_s
            elif ride_s == UNREACHABLE_S:
                continue
            df_s = int(body.from_start_s[a])
            whole_s = df_s + ride_s + int(body.to_end_s[b])
            if p == q or body.segment[a] > body.segment[b] or ride_s <= 0:
                continue
            if whole_s > body.solo_s + body.budget_s:
                continue
            boards = range(window[0] + df_s, window[1] + df_s + 1)
            for board_s in boards:
                leave_s, there_s = board_s - to_s[p], board_s + ride_s + from_s[q]
                if asked.by_arrival:
                    fits = time_s - int(asked.wait_s) <= there_s <= time_s
                else:
                    fits = time_s <= leave_s <= time_s + int(asked.wait_s)
                if fits:
                    found.append((leave_s, there_s))
    if asked.by_arrival:
        return max(found, key=lambda of: (of[0], -of[1]), default=None)
    return min(found, key=lambda of: (of[1], -of[0]), default=None)


@fixed_seed
@given(seed=st.integers(0, 2**31))
def test_the_best_pair_of_each_ride_at_each_time_is_found(seed: int) -> None:
    dice = random.Random(seed)
    network = grid_of(seed % 8).network
    bodies, windows = [], []
    for _ in range(3):
        offer = random_offer(
            grid_of(seed % 8), dice.randrange(10**6), via_count=dice.randrange(2), budget_s=300
        )
        try:
            bodies.append(compile_offer(network, offer))
        except OfferUnusable:
            continue
        earliest_s = dice.randrange(HOUR_S)
        windows.append((earliest_s, earliest_s + dice.choice((0, 20, 60))))
    if not bodies:
        return
    count = len(network.points.lat)
    walks = [
        np.array([dice.choice((NOT_HERE, dice.randrange(300))) for _ in range(count)], np.int32)
        for _ in range(2)
    ]
    times = [dice.randrange(2 * HOUR_S) for _ in range(4)]
    asked = Asked(
        walks[0], walks[1], np.array(times, np.int32), np.bool_(seed % 2), np.int32(2),
        np.int32(1_200),
    )  # fmt: skip
    flexible = flexible_trips(bodies, network.coarse.point_cell)
    column = np.arange(len(bodies), dtype=np.int32)
    early, late = (np.array(column_, np.int32) for column_ in zip(*windows, strict=True))
    rides = rides_of(RideWindows(column, column, np.zeros_like(column), early, late))
    drive_s = network.ground.drive_s
    every = np.ones(len(bodies), bool)
    looked, found = find_timed_rides(flexible.bodies, rides, drive_s, asked, every)
    where = {int(row): k for k, row in enumerate(looked)}
    points = flexible.bodies.candidates[:, MEETING_POINT]
    for row, (body, window) in enumerate(zip(bodies, windows, strict=True)):
        for t, time_s in enumerate(times):
            expected = one_by_one(network, body, window, asked, time_s)
            if body.seat_count < 2:
                expected = None
            if row not in where or found[where[row], t, PICKUP] == NOTHING:
                assert expected is None
                continue
            hit = found[where[row], t]
            leave_s = int(hit[BOARD_S]) - int(walks[0][points[hit[PICKUP]]])
            there_s = int(hit[BOARD_S] + hit[RIDE_S]) + int(walks[1][points[hit[DROPOFF]]])
            assert (leave_s, there_s) == expected


def test_a_ride_without_enough_seats_or_of_others_is_not_looked_at() -> None:
    network = grid_of(0).network
    body = next(_bodies(network))
    flexible = flexible_trips([body], network.coarse.point_cell)
    one = np.zeros(1, np.int32)
    rides = rides_of(RideWindows(one, one, one, one, one))
    walk_s = frozen(np.zeros(len(network.points.lat), np.int32))
    for seats, among, looked in (
        (body.seat_count, True, 1), (body.seat_count + 1, True, 0), (1, False, 0),
    ):  # fmt: skip
        asked = Asked(walk_s, walk_s, one, np.bool_(0), np.int32(seats), np.int32(600))
        row, _ = find_timed_rides(
            flexible.bodies, rides, network.ground.drive_s, asked, np.array([among])
        )
        assert len(row) == looked


def _bodies(network: Network) -> Iterator[Body]:
    for number in range(100):
        try:
            yield compile_offer(network, random_offer(grid_of(0), number, budget_s=300))
        except OfferUnusable:
            continue
