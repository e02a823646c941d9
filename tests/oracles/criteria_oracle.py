"""
Best journeys by five criteria, by the book: every trip, every stop, every walk, nothing pruned.

Over the worlds of `raptor_oracle`, without rides, from one departure. Criteria: arrival, vehicles,
 cents, hundreds of grams and pairs of minutes,
begun ones of each leg and walk; a product that is paid once covers what
is boarded later by it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypeVar

from tests.oracles.raptor_oracle import PlainTrip, PlainWorld, Reached


@dataclass(frozen=True)
class PlainPrices:
    """By pattern: product (-1 for none) and grams from its first stop on; by product: cents."""

    product: Sequence[int]
    grams: Sequence[Sequence[int]]
    cents: Sequence[int]
    once: Sequence[bool]


class Way(NamedTuple):
    """A way to a stop, ready to board or just got out."""

    at_s: int
    vehicles: int
    cents: int
    grams: int
    walk_min: int
    paid: frozenset[int]


Journey = tuple[int, int, int, int, int]
J = TypeVar("J", bound=tuple[int, ...])


def best_journeys(
    world: PlainWorld,
    pattern_of_trip: Sequence[int],
    prices: PlainPrices,
    access: Reached,
    egress: Reached,
    start_s: int,
    *,
    most: int,
) -> set[Journey]:
    """(arrival, vehicles, cents, grams, time on foot) that no other journey is as good as."""
    ready: list[tuple[int, Way]] = [
        (stop, Way(start_s + walk_s, 0, 0, 0, _minutes(walk_s), frozenset()))
        for stop, walk_s in access.items()
        if stop < world.stop_count
    ]
    found: set[Journey] = set()
    for _ in range(most):
        out: set[tuple[int, Way]] = set()
        for trip, pattern in zip(world.trips, pattern_of_trip, strict=True):
            for stop, way in ready:
                out |= _ride(trip, prices, pattern, stop, way)
        for stop, way in out:
            if stop in egress:
                end_s, walk_min = way.at_s + egress[stop], way.walk_min + _minutes(egress[stop])
                found.add((end_s, way.vehicles, way.cents, way.grams, walk_min))
        ready = []
        for stop, way in out:
            ready_s = way.at_s + world.change_s[stop]
            ready.append((stop, way._replace(at_s=ready_s)))
            for (a, b), walk_s in world.walks.items():
                if a == stop and b < world.stop_count:
                    walk_min = way.walk_min + _minutes(walk_s)
                    ready.append((b, way._replace(at_s=ready_s + walk_s, walk_min=walk_min)))
    return best_of(found)


def best_of(journeys: set[J]) -> set[J]:
    """Those that no other one is at least as good as in everything."""
    return {
        one
        for one in journeys
        if not any(
            other != one and all(a <= b for a, b in zip(other, one, strict=True))
            for other in journeys
        )
    }


def _ride(
    trip: PlainTrip, prices: PlainPrices, pattern: int, stop: int, way: Way
) -> set[tuple[int, Way]]:
    found = set()
    for i, board in enumerate(trip.stops):
        if board != stop or not trip.may_board[i] or trip.depart_s[i] < way.at_s:
            continue
        cents, paid, product = way.cents, way.paid, prices.product[pattern]
        if product >= 0 and product not in paid:
            cents += prices.cents[product]
            if prices.once[product]:
                paid |= {product}
        for j in range(i + 1, len(trip.stops)):
            if trip.may_alight[j]:
                grams = way.grams + _begun(prices.grams[pattern][j] - prices.grams[pattern][i], 100)
                found.add(
                    (
                        trip.stops[j],
                        Way(trip.arrive_s[j], way.vehicles + 1, cents, grams, way.walk_min, paid),
                    )
                )
    return found


def _minutes(seconds: int) -> int:
    return _begun(seconds, 120)


def _begun(amount: int, step: int) -> int:
    return -(-amount // step)
