"""Homes on Porto's streets against somebody who asks, triangulates and knows how ends are moved."""

from __future__ import annotations

import datetime as dt
import math
import random
from dataclasses import dataclass
from statistics import median
from typing import Any

import pytest

from carpool.compile import STREET_LIMIT_M, OfferUnusable, compile_offer
from carpool.offers import WEEKDAYS, Offer
from carpool.privacy import moved_place
from core.geo import Coordinate
from core.ids import OfferId
from mobility.world import World
from routing.network import Network
from routing.raptor.body_table import Body
from tests.support.attacker import Attacker, Float64, Plane

HIDDEN, SHOWN = 40, 20
"""Drivers whose ends are moved; drivers who say that theirs are public."""
LOOKS, CLOSER_LOOKS, ROUNDS = 160, 5, 2
"""Questions about everybody; about each driver of whom little is known, so many times."""
FIRST_S, APART_S = 5 * 3_600, 1_080
"""When the first driver leaves, and how long after each other they do."""
SEEN_SHARE = 0.75
"""Of the drivers, those who must be come across at all."""
LEAST_M, LEAST_DWELLINGS, WELL_HIDDEN = 500.0, 20, 0.95
"""Least error of half of the guesses; so many dwellings must be nearer, for this share of them."""
KNOWN_M = 150.0
"""Within this an end that is not moved must be found: else the attack proves nothing."""


@dataclass(frozen=True)
class Drive:
    """A driver's home, and the offer that stands for his drive from there."""

    home_m: Float64
    start_m: Float64
    moved: bool
    offer: Offer
    body: Body


@dataclass(frozen=True)
class Attack:
    """What was learnt of which drives, seen on which plane."""

    plane: Plane
    attacker: Attacker
    drives: dict[str, Drive]

    def seen(self, *, moved: bool) -> list[Drive]:
        """Drives of one kind that the attacker has come across."""
        own = (self.drives[offer_id] for offer_id in sorted(self.attacker.drivers))
        return [drive for drive in own if drive.moved is moved]

    def start_error_m(self, drive: Drive) -> float:
        """How far the attacker is from the start that stands in an offer."""
        return math.dist(self.attacker.start_of(drive.offer.id)[0], drive.start_m)


@pytest.fixture(scope="module")
def attack(porto: Any) -> Attack:
    """Drivers of both kinds on one day, looked for by the same questions."""
    plane, dice = Plane(porto.network), random.Random(23)
    drives: list[Drive] = []
    while len(drives) < HIDDEN + SHOWN:
        number = len(drives)
        moved = number % 3 != 0  # two of three
        drive = find_drive(porto.network, plane, dice, number, moved=moved)
        drives += [] if drive is None else [drive]
    world = World(porto.world.snapshot, [d.offer for d in drives], [d.body for d in drives])
    attacker = Attacker(world, plane, porto.date, seed=7)
    attacker.look_around(LOOKS)
    for _ in range(ROUNDS):
        for offer_id in sorted(attacker.drivers):
            attacker.look_closer(offer_id, CLOSER_LOOKS)
    return Attack(plane, attacker, {drive.offer.id: drive for drive in drives})


def find_drive(
    network: Network, plane: Plane, dice: random.Random, number: int, *, moved: bool
) -> Drive | None:
    """A drive between random dwellings; None where nobody drives from one to the other."""

    def by_a_street(place: Coordinate) -> bool:
        return network.find_snapped("car", place, STREET_LIMIT_M) is not None

    home, goal = plane.dwelling(dice), plane.dwelling(dice)
    ends = [moved_place(place, by_a_street, dice) if moved else place for place in (home, goal)]
    assert ends[0] is not None
    assert ends[1] is not None
    leaves_s = FIRST_S + number * APART_S + dice.randrange(APART_S // 60) * 60
    offer = Offer(
        id=OfferId(f"00000000-0000-0000-0000-{number:012d}"),
        driver=f"driver-{number}",
        start=ends[0],
        end=ends[1],
        vias=(),
        depart_from_s=leaves_s,
        depart_to_s=leaves_s,
        weekdays=frozenset(WEEKDAYS),
        valid_from=dt.date(2015, 1, 1),
        valid_to=dt.date(2030, 1, 1),
        seat_count=3,
        detour_budget_s=dice.choice((300, 600, 900)),
    )
    try:
        body = compile_offer(network, offer)
    except OfferUnusable:
        return None
    return Drive(plane.at(home), plane.at(offer.start), moved, offer, body)


def test_who_asks_enough_finds_the_starts_that_are_public(attack: Attack) -> None:
    drives = attack.seen(moved=False)
    errors_m = [attack.start_error_m(drive) for drive in drives]
    print(f"{attack.attacker.question_count} questions, {len(drives)} of {SHOWN} seen")
    print(f"public starts: half within {median(errors_m):.0f} m")
    assert len(drives) >= SEEN_SHARE * SHOWN
    assert median(errors_m) <= KNOWN_M


def test_who_finds_what_stands_for_homes_does_not_find_the_homes(attack: Attack) -> None:
    drives = attack.seen(moved=True)
    assert len(drives) >= SEEN_SHARE * HIDDEN
    # He does find what stands for them, up to the way from there to the next street.
    found_m = median(attack.start_error_m(drive) for drive in drives)
    errors_m: dict[str, list[float]] = {}
    nearer: dict[str, list[int]] = {}
    for drive in drives:
        for name, guess_m in attack.attacker.guesses(drive.offer.id):
            error_m = math.dist(guess_m, drive.home_m)
            errors_m.setdefault(name, []).append(error_m)
            nearer.setdefault(name, []).append(attack.plane.nearer_count(guess_m, error_m))
    hidden = {
        name: sum(count >= LEAST_DWELLINGS for count in counts) / len(counts)
        for name, counts in nearer.items()
    }
    print(f"{len(drives)} of {HIDDEN} seen, what stands for homes: half within {found_m:.0f} m")
    for name, errors in errors_m.items():
        print(f"{name}: half within {median(errors):.0f} m, {hidden[name]:.0%} among enough")
    best = min(errors_m, key=lambda name: median(errors_m[name]))
    assert found_m <= STREET_LIMIT_M
    assert median(errors_m[best]) >= LEAST_M
    assert hidden[best] >= WELL_HIDDEN
