"""Riders and offers that fit week after week, and crews of them, against trying everything."""

from __future__ import annotations

import datetime as dt
import random
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from carpool.bundles import Bundle
from carpool.commuters import EQUITY_S, Weeks, find_pairs, leg_of
from carpool.compile import OfferUnusable, compile_offer
from carpool.crews import choose_crews
from carpool.offers import WEEKDAYS
from carpool.ports import PublishedOffer
from carpool.wishes import Fitting, Times, reach_of_wish
from tests.carpool.test_wishes import MONDAY, grid_of, random_wish
from tests.oracles.assignment_oracle import best_packing
from tests.support.grids import random_offer

pytestmark = pytest.mark.unit

fixed_seed = settings(derandomize=True, deadline=None, database=None, max_examples=60)
seeds = st.integers(0, 2**31)


def some_days(dice: random.Random) -> frozenset[str]:
    return frozenset(dice.sample(WEEKDAYS, dice.randint(1, 4)))


@fixed_seed
@given(seeds)
def test_pairs_are_those_of_all_riders_held_to_all_offers(seed: int) -> None:
    dice = random.Random(seed)
    grid = grid_of(dice.randrange(8))
    offers = []
    for _ in range(3):
        offer = random_offer(grid, dice.randrange(10**6), via_count=dice.randrange(2), budget_s=300)
        offer = replace(offer, weekdays=some_days(dice))
        try:
            offers.append(PublishedOffer(offer, compile_offer(grid.network, offer)))
        except OfferUnusable:
            continue
    looked = []
    for _ in range(6):
        wish = replace(random_wish(grid, dice), weekdays=some_days(dice))
        leave_s = 7 * 3600 - dice.randrange(0, 1200)
        wish = replace(wish, out=Times(leave_s, leave_s + dice.randrange(600, 5400)))
        looked.append((wish, reach_of_wish(grid.network, wish)))
    weeks = Weeks([wish for wish, _ in looked], [one.offer for one in offers], MONDAY)
    expected = set()
    for row, one in enumerate(offers):
        fitting = Fitting(grid.network, one.offer, one.body)
        for rider, (wish, ends) in enumerate(looked):
            for direction, times in wish.directions():
                match = fitting.match(wish, ends, direction, times, sparing=True)
                if match is not None and wish.weekdays & one.offer.weekdays:
                    expected.add((rider, row, direction, match.arrival_s))
                # It is the earliest that gives way to the detour, never whether anything fits.
                first = fitting.match(wish, ends, direction, times)
                assert (first is None) == (match is None)
                if first is not None and match is not None:
                    body = one.body
                    loss = [
                        m.arrival_s + int(body.from_start_s[m.pickup_row])
                        + (m.dropoff_s - m.pickup_s) + int(body.to_end_s[m.dropoff_row])
                        for m in (match, first)
                    ]  # fmt: skip
                    assert loss[0] <= loss[1]
                    assert first.arrival_s <= match.arrival_s
    found = [p for some in find_pairs(grid.network, looked, offers, weeks) for p in some]
    assert {(p.rider, p.offer, p.direction, p.match.arrival_s) for p in found} == expected
    assert len(found) == len(expected)


@fixed_seed
@given(seeds)
def test_weekdays_together_are_those_found_day_by_day(seed: int) -> None:
    dice = random.Random(seed)
    grid = grid_of(1)

    def span() -> dict[str, dt.date]:
        first = MONDAY + dt.timedelta(days=dice.randrange(-20, 20))
        return {
            "valid_from": first,
            "valid_to": first + dt.timedelta(days=dice.randrange(40)),
        }

    wish = replace(random_wish(grid, dice), weekdays=some_days(dice), **span())
    offers = [replace(random_offer(grid, k), weekdays=some_days(dice), **span()) for k in range(2)]
    weeks = Weeks([wish], offers, MONDAY)
    days = [MONDAY + dt.timedelta(days=k) for k in range(-30, 70)]
    for rows in ((0,), (0, 1)):
        given_all = [wish, *(offers[row] for row in rows)]
        common = [
            day
            for day in days
            if day >= MONDAY and all(one.valid_from <= day <= one.valid_to for one in given_all)
        ]
        shared = {
            WEEKDAYS[day.weekday()]
            for day in common
            if all(WEEKDAYS[day.weekday()] in one.weekdays for one in given_all)
        }
        expected = shared if len(common) >= 7 else set()
        assert set(weeks.together(0, *rows)) == expected
        if rows == (0,):
            assert weeks.riders_of(0).tolist() == [bool(expected)]


def test_a_rider_whom_nothing_else_brings_there_is_worth_more() -> None:
    dice = random.Random(4)
    grid = grid_of(2)
    pair = None
    while pair is None:
        offer = random_offer(grid, dice.randrange(10**6), budget_s=600)
        wish = replace(random_wish(grid, dice), out=Times(6 * 3600 + 3000, 9 * 3600), back=None)
        looked = [(wish, reach_of_wish(grid.network, wish))]
        published = [PublishedOffer(offer, compile_offer(grid.network, offer))]
        weeks = Weeks([wish], [offer], MONDAY)
        (pairs,) = find_pairs(grid.network, looked, published, weeks)
        pair = pairs[0] if pairs else None
    has_s = wish.out.arrive_by_s - wish.out.leave_from_s
    alone, served, late = (
        leg_of(grid.network, wish, pair, without_s) for without_s in (None, has_s, has_s - 600)
    )
    assert alone.worth_s - served.worth_s == EQUITY_S
    assert served.worth_s - late.worth_s == 600


@fixed_seed
@given(seeds)
def test_crews_are_the_best_choice_of_all_bundles_where_one_corridor_holds_them(seed: int) -> None:
    dice = random.Random(seed)
    riders, offers = dice.randint(1, 6), dice.randint(1, 4)
    bundles = []
    for _ in range(dice.randint(0, 9)):
        out = dice.randrange(offers)
        back = dice.choice([None, *(k for k in range(offers) if k != out)])
        those = tuple(sorted(dice.sample(range(riders), dice.randint(1, min(3, riders)))))
        bundles.append(Bundle(out, back, those, dice.randint(1, 60)))
    chosen, corridors = choose_crews(
        bundles,
        driver_of=np.zeros(offers, np.int64),  # one driver: everything is in one corridor
        seats_of=np.full(offers, 3, np.int64),
        ends_m=np.zeros((riders, 4)),
        time_limit_s=5,
    )
    sets = [
        frozenset({*b.riders, 100 + b.out} | ({100 + b.back} if b.back is not None else set()))
        for b in bundles
    ]
    best = best_packing(sets, [b.value_s for b in bundles])
    assert sum(b.value_s for b in chosen) == best == sum(c.value_s for c in corridors)


@fixed_seed
@given(seeds)
def test_no_rider_and_no_offer_is_in_two_crews_of_any_corridors(seed: int) -> None:
    dice = random.Random(seed)
    riders, offers = 30, 20
    bundles = [
        Bundle(dice.randrange(offers), None, tuple(sorted(dice.sample(range(riders), 2))), k + 1)
        for k in range(60)
    ]
    rng = np.random.default_rng(seed)
    chosen, _ = choose_crews(
        bundles, driver_of=np.arange(offers), seats_of=np.full(offers, 2, np.int64),
        ends_m=rng.uniform(0, 9_000, (riders, 4)), time_limit_s=5, limit=8,
    )  # fmt: skip
    held = [r for b in chosen for r in b.riders]
    assert len(held) == len(set(held))
    assert len({b.out for b in chosen}) == len(chosen)
    assert chosen
