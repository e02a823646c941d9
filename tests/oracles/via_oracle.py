"""
Journeys by way of stops, by the book: where one is, and how many vias one has visited.

Plain lists and loops over the same worlds as `raptor_oracle`, without rides. What a visit may be:

* a vehicle calls at a via at which nobody has to stay, while one sits in it (or this is not
  counted, where walking by way of the via is shorter than walking straight);
* one gets out at a via, or walks there, stays, and boards there or walks on to board. The time
  for a change of the place where one got out is added once; a stay longer than the via's own
  time for a change counts with what it is longer by;
* on foot from the origin, or to the destination, by way of a via: stays count in full.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tests.oracles.raptor_oracle import NEVER, PlainTrip, PlainWorld, Reached

Layers = list[list[int]]


@dataclass(frozen=True)
class PlainVia:
    """Stops of which one has to be visited, and how long one stays."""

    stops: frozenset[int]
    stay_s: int


def earliest_arrivals_by(
    world: PlainWorld,
    vias: Sequence[PlainVia],
    access: Reached,
    egress: Reached,
    start_s: int,
    *,
    most: int,
) -> list[int]:
    """Earliest arrival with at most 0, 1, … `most` vehicles, having visited all vias in order."""
    ready = [[NEVER] * world.stop_count for _ in range(len(vias) + 1)]
    walk_there(world, vias, access, start_s, 0, ready, full=True, change_s=0)
    best = [NEVER]
    for _ in range(most):
        reached = [[NEVER] * world.stop_count for _ in range(len(vias) + 1)]
        for trip in world.trips:
            for layer in range(len(vias) + 1):
                _take_trip(trip, layer, vias, ready[layer], reached)
        best.append(min(best[-1], _at_goal(world, vias, egress, reached)))
        ready = [[NEVER] * world.stop_count for _ in range(len(vias) + 1)]
        for layer, times_s in enumerate(reached):
            for stop, at_s in enumerate(times_s):
                if at_s < NEVER:
                    near = {stop: 0, **_walks_from(world, stop)}
                    change_s = world.change_s[stop]
                    walk_there(world, vias, near, at_s, layer, ready, full=False, change_s=change_s)
    return best


def walk_there(
    world: PlainWorld,
    vias: Sequence[PlainVia],
    near: Reached,
    at_s: int,
    layer: int,
    ready: Layers,
    *,
    full: bool,
    change_s: int,
) -> None:
    """Be ready at what is near, and at what is near to the next vias."""
    for stop, walk_s in near.items():
        if stop < world.stop_count:
            ready[layer][stop] = min(ready[layer][stop], at_s + walk_s + change_s)
    if layer == len(vias):
        return
    for stop, walk_s in near.items():
        if stop in vias[layer].stops:
            then_s = at_s + walk_s + _stay_s(world, vias[layer], stop, full=full)
            then = {stop: 0, **_walks_from(world, stop)}
            walk_there(world, vias, then, then_s, layer + 1, ready, full=full, change_s=change_s)


def _stay_s(world: PlainWorld, via: PlainVia, stop: int, *, full: bool) -> int:
    return via.stay_s if full else max(via.stay_s - world.change_s[stop], 0)


def _walks_from(world: PlainWorld, stop: int) -> dict[int, int]:
    return {
        b: walk_s for (a, b), walk_s in world.walks.items() if a == stop and b < world.stop_count
    }


def _take_trip(
    trip: PlainTrip, layer: int, vias: Sequence[PlainVia], ready: list[int], reached: Layers
) -> None:
    for i, board in enumerate(trip.stops):
        if not trip.may_board[i] or trip.depart_s[i] < ready[board]:
            continue
        aboard = layer
        for j in range(i, len(trip.stops)):
            while (
                aboard < len(vias)
                and vias[aboard].stay_s == 0
                and (trip.stops[j] in vias[aboard].stops)
            ):
                aboard += 1
            if j > i and trip.may_alight[j]:
                stop, at_s = trip.stops[j], trip.arrive_s[j]
                for counted in (layer, aboard):
                    reached[counted][stop] = min(reached[counted][stop], at_s)


def _at_goal(world: PlainWorld, vias: Sequence[PlainVia], egress: Reached, reached: Layers) -> int:
    """Walk to the destination, by way of the vias that are left."""
    best = NEVER
    for layer, times_s in enumerate(reached):
        for stop, at_s in enumerate(times_s):
            if at_s < NEVER:
                best = min(best, at_s + _to_goal(world, vias, egress, layer, stop))
    return best


def _to_goal(
    world: PlainWorld, vias: Sequence[PlainVia], egress: Reached, layer: int, stop: int
) -> int:
    if layer == len(vias):
        return egress.get(stop, NEVER)
    via = vias[layer]
    return min(
        (
            walk_s + via.stay_s + _to_goal(world, vias, egress, layer + 1, there)
            for there, walk_s in {stop: 0, **_walks_from(world, stop)}.items()
            if there in via.stops
        ),
        default=NEVER,
    )
