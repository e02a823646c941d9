"""Wishes against offers: every pick-up and every drop-off, one by one."""

from __future__ import annotations

import datetime as dt
import random
import uuid
from dataclasses import replace
from functools import lru_cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from carpool.compile import OfferUnusable, compile_offer
from carpool.offers import WEEKDAYS, Offer
from carpool.wishes import (
    Direction,
    Ends,
    Fitting,
    InvalidWish,
    Match,
    Times,
    Wish,
    parse_wish,
    reach_of_wish,
    wish_as_json,
)
from core.geo import METRES_PER_DEGREE, Coordinate
from routing.network import Network
from routing.raptor.body_table import Body
from routing.street.drive import UNREACHABLE_S
from tests.support.grids import Grid, random_grid, random_offer

pytestmark = pytest.mark.unit

fixed_seed = settings(derandomize=True, deadline=None, database=None, max_examples=80)
seeds = st.integers(0, 2**31)
MONDAY = dt.date(2026, 3, 9)


@lru_cache(maxsize=8)
def grid_of(number: int) -> Grid:
    return random_grid(number)


def random_wish(grid: Grid, dice: random.Random) -> Wish:
    def somewhere() -> Coordinate:
        return Coordinate(
            dice.uniform(0, grid.north_m) / METRES_PER_DEGREE,
            dice.uniform(0, grid.east_m) / METRES_PER_DEGREE,
        )

    def times() -> Times:
        leave_s = dice.randrange(6 * 3600, 9 * 3600)
        return Times(leave_s, leave_s + dice.randrange(300, 7200))

    return Wish(
        id=uuid.uuid4(), rider_id=uuid.uuid4(), start=somewhere(), end=somewhere(), out=times(),
        back=times() if dice.random() < 0.5 else None, weekdays=frozenset(WEEKDAYS),
        valid_from=MONDAY, valid_to=MONDAY + dt.timedelta(days=30), seats=dice.randint(1, 3),
        walk_limit_s=dice.choice((0, 300, 900)),
    )  # fmt: skip


def one_by_one(
    network: Network,
    offer: Offer,
    body: Body,
    wish: Wish,
    times: Times,
    leaving: tuple[np.ndarray, np.ndarray],
    arriving: tuple[np.ndarray, np.ndarray],
) -> tuple[int, int] | None:
    """Earliest arrival, and the least walk with it."""
    best = None
    for p, p_walk_s in zip(*(column.tolist() for column in leaving), strict=True):
        for q, q_walk_s in zip(*(column.tolist() for column in arriving), strict=True):
            for a in np.flatnonzero(body.point == p).tolist():
                for b in np.flatnonzero(body.point == q).tolist():
                    if p == q or body.segment[a] > body.segment[b]:
                        continue
                    if body.segment[a] == body.segment[b]:
                        ride_s = int(network.ground.drive_s[p, q])
                        if ride_s == UNREACHABLE_S:
                            continue
                    else:
                        ride_s = int(body.to_end_s[a] + body.from_start_s[b]) - body.solo_s
                    if ride_s <= 0:
                        continue
                    way_s = int(body.from_start_s[a]) + ride_s + int(body.to_end_s[b])
                    for leaves_s in (
                        offer.depart_from_s,
                        times.leave_from_s + p_walk_s - int(body.from_start_s[a]),
                    ):
                        board_s = leaves_s + int(body.from_start_s[a])
                        arrival_s = board_s + ride_s + q_walk_s
                        if (
                            way_s <= body.solo_s + body.budget_s
                            and offer.depart_from_s <= leaves_s <= offer.depart_to_s
                            and board_s >= times.leave_from_s + p_walk_s
                            and arrival_s <= times.arrive_by_s
                            and wish.seats <= offer.seat_count
                        ):
                            found = arrival_s, p_walk_s + q_walk_s
                            best = found if best is None else min(best, found)
    return best


def walks_of(ends: Ends, match: Match, direction: Direction) -> int:
    leaving, arriving = (
        (ends.from_start, ends.to_end)
        if direction is Direction.OUT
        else (ends.from_end, ends.to_start)
    )
    return int(leaving[1][leaving[0] == match.pickup][0]) + int(
        arriving[1][arriving[0] == match.dropoff][0]
    )


@fixed_seed
@given(seeds)
def test_a_wish_is_matched_as_if_every_pair_of_points_were_tried(seed: int) -> None:
    dice = random.Random(seed)
    grid = grid_of(dice.randrange(8))
    offer = random_offer(grid, dice.randrange(10**6), via_count=dice.randrange(2), budget_s=300)
    try:
        body = compile_offer(grid.network, offer)
    except OfferUnusable:
        return
    fitting = Fitting(grid.network, offer, body)
    for _ in range(4):
        wish = random_wish(grid, dice)
        wish = replace(
            wish, out=Times(offer.depart_from_s - dice.randrange(0, 900), wish.out.arrive_by_s)
        ) if wish.out.arrive_by_s > offer.depart_from_s else wish  # fmt: skip
        ends = reach_of_wish(grid.network, wish)
        for direction, times in wish.directions():
            ways = (
                (ends.from_start, ends.to_end)
                if direction is Direction.OUT
                else (ends.from_end, ends.to_start)
            )
            expected = one_by_one(grid.network, offer, body, wish, times, *ways)
            match = fitting.match(wish, ends, direction, times)
            if match is None:
                assert expected is None
                continue
            assert (match.arrival_s, walks_of(ends, match, direction)) == expected
            assert match.pickup_s < match.dropoff_s <= match.arrival_s


def test_a_wish_and_an_offer_meet_on_their_first_day_in_common() -> None:
    dice = random.Random(1)
    grid = grid_of(1)
    wish = replace(random_wish(grid, dice), weekdays=frozenset({"wed", "fri"}))
    offer = replace(
        random_offer(grid, 3), weekdays=frozenset({"fri", "sat"}),
        valid_from=MONDAY - dt.timedelta(days=40), valid_to=MONDAY + dt.timedelta(days=40),
        except_dates=frozenset({MONDAY + dt.timedelta(days=4)}),
    )  # fmt: skip
    assert wish.first_date(offer, MONDAY) == MONDAY + dt.timedelta(days=11)
    assert wish.first_date(offer, MONDAY + dt.timedelta(days=12)) == MONDAY + dt.timedelta(days=18)
    assert wish.first_date(replace(offer, weekdays=frozenset({"mon"})), MONDAY) is None


def test_a_wish_that_contradicts_itself_is_named() -> None:
    good = wish_as_json(random_wish(grid_of(1), random.Random(2)))
    again = parse_wish(good, uuid.uuid4(), uuid.uuid4())
    assert wish_as_json(again) == good
    for changes, words in (
        ({"valid_to": "2020-01-01"}, "valid_from is after"),
        ({"valid_to": "2040-01-01"}, "366 days"),
        ({"weekdays": []}, "weekdays"),
        ({"out": {"leave_from": "09:00", "arrive_by": "08:00"}}, "leave_from"),
        ({"back": {"leave_from": "nine", "arrive_by": "10:00"}}, "nine"),
        ({"start": {"lat": 91.0, "lon": 0.0}}, "lat"),
        ({"seats": 0}, "seats"),
    ):
        with pytest.raises(InvalidWish, match=words):
            parse_wish({**good, **changes}, uuid.uuid4(), uuid.uuid4())
