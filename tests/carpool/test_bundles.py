"""Bundles: orders of stops against all permutations, and which sets are listed."""

from __future__ import annotations

import itertools
import random
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from carpool.bundles import Bundle, Driven, RiderLeg, list_bundles, order_stops
from carpool.compile import OfferUnusable, compile_offer
from carpool.ride_plans import RideWay
from tests.carpool.test_wishes import grid_of
from tests.oracles.assignment_oracle import best_drive
from tests.support.grids import random_offer

pytestmark = pytest.mark.unit

fixed_seed = settings(derandomize=True, deadline=None, database=None, max_examples=120)
seeds = st.integers(0, 2**31)


def random_way(dice: random.Random) -> RideWay | None:
    grid = grid_of(dice.randrange(8))
    budget_s = dice.choice((60, 200, 600))
    offer = random_offer(
        grid, dice.randrange(10**6), via_count=dice.randrange(2), budget_s=budget_s
    )
    try:
        body = compile_offer(grid.network, offer)
    except OfferUnusable:
        return None
    drive_s = grid.network.ground.drive_s
    return RideWay(body, drive_s, offer.depart_from_s, offer.depart_to_s, dice.randint(1, 4))


def random_leg(way: RideWay, dice: random.Random) -> RiderLeg | None:
    body = way.body
    if len(body.point) < 2:
        return None
    a, b = sorted(dice.sample(range(len(body.point)), 2), key=lambda r: int(body.from_start_s[r]))
    ready_s = way.earliest_s + dice.randrange(-300, 900)
    due_s = ready_s + dice.randrange(60, 2400)
    return RiderLeg(a, b, ready_s, due_s, dice.choice((1, 1, 2)), dice.randrange(200, 3000))


@fixed_seed
@given(seeds)
def test_stops_are_ordered_as_if_all_orders_were_driven(seed: int) -> None:
    dice = random.Random(seed)
    way = random_way(dice)
    legs = [] if way is None else [random_leg(way, dice) for _ in range(dice.randint(1, 3))]
    if way is None or any(leg is None for leg in legs):
        return
    found, expected = order_stops(way, legs), best_drive(way, legs)
    assert (None if found is None else found.detour_s + way.body.solo_s) == expected
    if found is not None:
        for (in_s, out_s), leg in zip(found.at_s, legs, strict=True):
            assert leg.ready_s <= in_s <= out_s <= leg.due_s


def listed(offers: list[Driven], wants_back: list[bool], returns: dict[int, list[int]]):  # noqa: ANN201
    return list(
        list_bundles(
            offers, offers, returns, wants_back=wants_back, same_day=lambda *_: True
        )
    )  # fmt: skip


@fixed_seed
@given(seeds)
def test_all_sets_that_go_and_are_worth_something_are_listed_once(seed: int) -> None:
    dice = random.Random(seed)
    ways = [way for way in (random_way(dice), random_way(dice)) if way is not None]
    riders = 5
    offers = []
    for way in ways:
        made = {r: random_leg(way, dice) for r in range(riders) if dice.random() < 0.8}
        legs = {r: leg for r, leg in made.items() if leg is not None}
        offers.append(Driven(way, legs, dice.randrange(3)))
    wants_back = [dice.random() < 0.5 for _ in range(riders)]
    returns = {0: [1]} if len(offers) == 2 else {}
    found = {(b.out, b.back, b.riders): b.value_s for b in listed(offers, wants_back, returns)}
    expected = {}
    for out, driven in enumerate(offers):
        for size in range(1, 5):
            for those in itertools.combinations(sorted(driven.legs), size):
                coming = tuple(r for r in those if wants_back[r])
                back = returns.get(out, [None])[0] if coming else None
                if coming and (back is None or not set(coming) <= set(offers[back].legs)):
                    continue
                value = -60 * driven.asked
                sides = [(driven, those)] + ([(offers[back], coming)] if back is not None else [])
                for side, aboard in sides:
                    stops = order_stops(side.way, [side.legs[r] for r in aboard])
                    if stops is None:
                        break
                    value += side.value_s(aboard, stops)
                else:
                    if value > 0:
                        expected[out, back, those] = value
    # Waiting for one rider may be what lets the driver set out late enough for another.
    missing = expected.keys() - found.keys()
    assert found.items() <= expected.items()
    assert all(any_part_fails(offers, *key, wants_back) for key in missing)


def any_part_fails(
    offers: list[Driven], out: int, back: int | None, those: tuple[int, ...], wants: list[bool]
) -> bool:
    """Whether some smaller set of these does not go."""
    for size in range(1, len(those)):
        for part in itertools.combinations(those, size):
            coming = tuple(r for r in part if wants[r])
            if offers[out].stops(part) is None:
                return True
            if back is not None and coming and offers[back].stops(coming) is None:
                return True
    return False


def test_whoever_was_asked_least_is_worth_more_among_drivers_alike() -> None:
    dice = random.Random(3)
    way = next(way for way in iter(lambda: random_way(dice), 0) if way and len(way.body.point) > 3)
    way = replace(way, latest_s=way.earliest_s + 900)
    row = int(np.argmax(way.body.from_start_s))
    leg = RiderLeg(0, row, way.earliest_s - 60, way.earliest_s + 7200, 1, 9000)
    offers = [Driven(way, {0: leg}, asked) for asked in (0, 4)]
    fresh, asked = sorted(listed(offers, [False], {}), key=lambda b: -b.value_s)
    assert isinstance(fresh, Bundle)
    assert (fresh.out, asked.out) == (0, 1)
