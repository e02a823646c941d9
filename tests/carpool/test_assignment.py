"""Seats and bundles for all at once, against every choice there is."""

from __future__ import annotations

import random
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from carpool.assignment import assign_seats, pack_bundles
from carpool.corridors import split_corridors
from tests.oracles.assignment_oracle import best_assignment, best_packing

pytestmark = pytest.mark.unit

fixed_seed = settings(derandomize=True, deadline=None, database=None, max_examples=150)
seeds = st.integers(0, 2**31)


@fixed_seed
@given(seeds)
def test_seats_are_given_as_if_every_choice_were_tried(seed: int) -> None:
    dice = random.Random(seed)
    riders, drivers = dice.randint(1, 6), dice.randint(1, 4)
    pairs = [
        (rider, driver, dice.randint(-5, 20))
        for rider in range(riders)
        for driver in range(drivers)
        if dice.random() < 0.6
    ]
    seats = [dice.randint(0, 3) for _ in range(drivers)]
    table = np.array(pairs, np.int64).reshape(-1, 3)
    chosen = assign_seats(table[:, 0], table[:, 1], table[:, 2], np.array(seats, np.int64))
    taken = [pairs[row] for row in chosen.tolist()]
    assert sum(gain for _, _, gain in taken) == best_assignment(pairs, seats)
    assert all(gain >= 0 for _, _, gain in taken)
    assert all(count == 1 for count in Counter(rider for rider, _, _ in taken).values())
    used = Counter(driver for _, driver, _ in taken)
    assert all(used[driver] <= seats[driver] for driver in used)


def bundles_of(dice: random.Random, items: int, count: int) -> list[frozenset[int]]:
    return [
        frozenset(dice.sample(range(items), dice.randint(1, min(4, items)))) for _ in range(count)
    ]


def packed(bundles: list[frozenset[int]], value: list[int], time_limit_s: float = 10):  # noqa: ANN201
    first = np.cumsum([0, *map(len, bundles)]).astype(np.int64)
    item = np.array([i for bundle in bundles for i in sorted(bundle)], np.int64)
    return pack_bundles(first, item, np.array(value, np.int64), time_limit_s=time_limit_s)


@fixed_seed
@given(seeds)
def test_bundles_are_chosen_as_if_every_choice_were_tried(seed: int) -> None:
    dice = random.Random(seed)
    count = dice.randint(0, 12)
    bundles = bundles_of(dice, dice.randint(2, 10), count)
    value = [dice.randint(1, 50) for _ in range(count)]
    found = packed(bundles, value)
    best = best_packing(bundles, value)
    assert found.value == best == sum(value[row] for row in found.chosen.tolist())
    assert best <= found.bound <= found.lp_bound + 1e-6
    held = [i for row in found.chosen.tolist() for i in bundles[row]]
    assert len(held) == len(set(held))


def test_bounds_hold_where_the_linear_relaxation_cannot_be_reached() -> None:
    # Of three bundles each two share an item: one can be had, half of each in the relaxation.
    found = packed([frozenset({0, 1}), frozenset({1, 2}), frozenset({0, 2})], [10, 10, 10])
    assert (found.value, found.bound, round(found.lp_bound, 6)) == (10, 10, 15)
    assert round(found.gap, 6) == round(1 / 3, 6)


def test_one_choice_is_made_of_the_same_bundles_each_time() -> None:
    dice = random.Random(5)
    bundles, value = bundles_of(dice, 30, 200), [dice.randint(1, 9) for _ in range(200)]
    assert packed(bundles, value).value == packed(bundles, value).value


@fixed_seed
@given(seeds)
def test_corridors_hold_everybody_once_and_are_small(seed: int) -> None:
    rng = np.random.default_rng(seed)
    riders, drivers, pairs = int(rng.integers(1, 60)), int(rng.integers(1, 30)), 80
    rider, driver = rng.integers(0, riders, pairs), rng.integers(0, drivers, pairs)
    ends_m = rng.uniform(0, 10_000, (riders, 4))
    gain = rng.integers(-5, 100, pairs)
    of_rider, of_driver = split_corridors(rider, driver, gain, ends_m, drivers, limit=10)
    assert np.bincount(of_rider).max() <= 10
    assert (of_rider >= 0).all()
    for row in range(drivers):
        own = of_rider[rider[driver == row]]
        assert of_driver[row] == -1 if not len(own) else of_driver[row] in own
    # Whoever is linked with nobody of another component is not in its corridor.
    whole, _ = split_corridors(rider, driver, gain, ends_m, drivers, limit=10**6)
    assert all(len(set(whole[of_rider == c])) == 1 for c in np.unique(of_rider))
