"""Assignments and packings by trying everything; orders of stops by trying all of them."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import replace

from carpool.bundles import RiderLeg
from carpool.ride_plans import RideWay, Visit


def best_assignment(pairs: Sequence[tuple[int, int, int]], seats: Sequence[int]) -> int:
    """Largest gain of pairs (rider, driver, gain), each rider once and no driver over-full."""
    riders = sorted({rider for rider, _, _ in pairs})
    best = 0
    choices = [[None, *(p for p in pairs if p[0] == rider)] for rider in riders]
    for chosen in itertools.product(*choices):
        taken = [pair for pair in chosen if pair is not None]
        full = any(sum(d == driver for _, d, _ in taken) > n for driver, n in enumerate(seats))
        if not full:
            best = max(best, sum(gain for _, _, gain in taken))
    return best


def best_packing(bundles: Sequence[frozenset[int]], value: Sequence[int]) -> int:
    """Largest value of bundles that share nothing: each is in, or is not."""
    if not bundles:
        return 0
    first, rest = bundles[0], range(1, len(bundles))
    without = best_packing(bundles[1:], value[1:])
    free = [i for i in rest if not bundles[i] & first]
    within = best_packing([bundles[i] for i in free], [value[i] for i in free])
    return max(without, value[0] + within)


def best_drive(way: RideWay, legs: Sequence[RiderLeg]) -> int | None:
    """Seconds of driving of the shortest of all orders that keep every promise."""
    body = way.body
    visits = []
    for k, leg in enumerate(legs):
        row = leg.pickup
        into = Visit(
            str(k), int(body.point[row]), int(body.segment[row]), leg.seats, leg.ready_s, leg.due_s
        )
        row = leg.dropoff
        out = replace(
            into, point=int(body.point[row]), segment=int(body.segment[row]), seats=-leg.seats,
            earliest_s=0,
        )  # fmt: skip
        visits += [into, out]
    best = None
    for order in itertools.permutations(range(len(visits))):
        if any(order.index(k) > order.index(k + 1) for k in range(0, len(visits), 2)):
            continue
        schedule = way.schedule([visits[k] for k in order])
        if schedule is not None and (best is None or schedule.drive_s < best):
            best = schedule.drive_s
    return best
