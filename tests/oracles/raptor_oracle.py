"""
The search by the book: every trip, every pair of stops, every ride, every walk, in every round.

Plain lists and loops, no pruning, no folding, no order of scanning. What a journey may be:

* it walks straight from the origin to its first boarding, and from its last alighting straight
  to the destination; it takes at least one vehicle;
* between two vehicles it stays where it got out or takes one walk, never two in a row; changing
  costs `change_s` of the node where it gets out, whether it walks or not;
* nobody is sent from one driver to the next: from a meeting point one walks on to a stop;
* a trip is boarded not before one is ready, where boarding is allowed, and left at a later
  position where alighting is allowed;
* a ride lets the rider in at one candidate and out at another one at another point: the whole
  way of the driver must stay within his own drive plus his budget, ``df + M + db <= T0 + B``;
  he is boarded at ``max(ready, earliest + df) <= latest + df`` and left ``stop_s + M`` later. M
  is the drive between the points, through the driver's own stops when they lie between.

Nothing here imports `routing.raptor`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

NEVER = 10**9


@dataclass(frozen=True)
class PlainTrip:
    """A dated trip: one entry for each position, seconds of the searched day."""

    stops: tuple[int, ...]
    may_board: tuple[bool, ...]
    may_alight: tuple[bool, ...]
    arrive_s: tuple[int, ...]
    depart_s: tuple[int, ...]


@dataclass(frozen=True)
class PlainCandidate:
    """A meeting point on a driver's way: after which of his stops, and how far off from both."""

    node: int
    segment: int
    from_segment_start_s: int
    to_segment_end_s: int


@dataclass(frozen=True)
class PlainRide:
    """A dated run of an offer; `segment_s` are the drives between the driver's own stops."""

    candidates: tuple[PlainCandidate, ...]
    segment_s: tuple[int, ...]
    budget_s: int
    earliest_s: int
    latest_s: int
    seat_count: int

    def from_start_s(self, candidate: PlainCandidate) -> int:
        """df."""
        return sum(self.segment_s[: candidate.segment]) + candidate.from_segment_start_s

    def to_end_s(self, candidate: PlainCandidate) -> int:
        """db."""
        return candidate.to_segment_end_s + sum(self.segment_s[candidate.segment + 1 :])

    def drive_s(
        self,
        pickup: PlainCandidate,
        dropoff: PlainCandidate,
        drive_s: Mapping[tuple[int, int], int],
    ) -> int | None:
        """M, or None where the driver does not pass the two in this order."""
        if pickup.node == dropoff.node or pickup.segment > dropoff.segment:
            return None
        if pickup.segment == dropoff.segment:
            return drive_s[pickup.node, dropoff.node]
        between = self.segment_s[pickup.segment + 1 : dropoff.segment]
        return pickup.to_segment_end_s + sum(between) + dropoff.from_segment_start_s


@dataclass(frozen=True)
class PlainWorld:
    """All that a search reads."""

    stop_count: int
    """Nodes from here up are meeting points."""
    node_count: int
    trips: tuple[PlainTrip, ...]
    walks: Mapping[tuple[int, int], int]
    """Seconds by (from, to)."""
    rides: tuple[PlainRide, ...]
    drive_s: Mapping[tuple[int, int], int]
    """Seconds by (from, to) between nodes of meeting points."""
    change_s: Sequence[int]
    stop_s: int


Reached = Mapping[int, int]
"""Node → seconds on foot from the origin (or to the destination)."""


def earliest_arrivals(
    world: PlainWorld, access: Reached, egress: Reached, start_s: int, *, most: int, seats: int
) -> list[int]:
    """
    Earliest arrival with at most 0, 1, … `most` vehicles (`NEVER` where there is none).

    `seats` is the size of the group; 0 leaves rides out.
    """
    ready = [NEVER] * world.node_count
    for node, walk_s in access.items():
        ready[node] = min(ready[node], start_s + walk_s)
    best = [NEVER]
    for _ in range(most):
        reached = [NEVER] * world.node_count
        for trip in world.trips:
            _take_trip(trip, ready, reached)
        for ride in world.rides:
            if 0 < seats <= ride.seat_count:
                _take_ride(world, ride, ready, reached)
        arrivals = [reached[node] + walk_s for node, walk_s in egress.items()]
        best.append(min([best[-1], *arrivals]))
        ready = [NEVER] * world.node_count
        for stop in range(world.stop_count):
            ready[stop] = reached[stop] + world.change_s[stop]
        for (a, b), walk_s in world.walks.items():
            ready[b] = min(ready[b], reached[a] + world.change_s[a] + walk_s)
    return [min(at_s, NEVER) for at_s in best]


def _take_trip(trip: PlainTrip, ready: list[int], reached: list[int]) -> None:
    for i, board in enumerate(trip.stops):
        if not trip.may_board[i] or trip.depart_s[i] < ready[board]:
            continue
        for j in range(i + 1, len(trip.stops)):
            if trip.may_alight[j]:
                reached[trip.stops[j]] = min(reached[trip.stops[j]], trip.arrive_s[j])


def _take_ride(world: PlainWorld, ride: PlainRide, ready: list[int], reached: list[int]) -> None:
    most_s = sum(ride.segment_s) + ride.budget_s
    for pickup in ride.candidates:
        from_start_s = ride.from_start_s(pickup)
        board_s = max(ready[pickup.node], ride.earliest_s + from_start_s)
        if board_s > ride.latest_s + from_start_s:
            continue
        for dropoff in ride.candidates:
            drive_s = ride.drive_s(pickup, dropoff, world.drive_s)
            if drive_s is None or from_start_s + drive_s + ride.to_end_s(dropoff) > most_s:
                continue
            at_s = board_s + world.stop_s + drive_s
            reached[dropoff.node] = min(reached[dropoff.node], at_s)


def latest_departures(
    world: PlainWorld,
    access: Reached,
    egress: Reached,
    arrive_s: int,
    *,
    most: int,
    seats: int,
    earliest_s: int,
) -> list[int]:
    """
    Latest departure with at most 0, 1, … `most` vehicles that arrives by `arrive_s`.

    Leaving later never brings one there sooner, so the last good second is found by halving.
    `-NEVER` where leaving at `earliest_s` is too late already.
    """

    def in_time(start_s: int, vehicles: int) -> bool:
        found = earliest_arrivals(world, access, egress, start_s, most=vehicles, seats=seats)
        return found[vehicles] <= arrive_s

    best = []
    for vehicles in range(most + 1):
        if not in_time(earliest_s, vehicles):
            best.append(-NEVER)
            continue
        good, bad = earliest_s, arrive_s + 1
        while bad - good > 1:
            middle = (good + bad) // 2
            if in_time(middle, vehicles):
                good = middle
            else:
                bad = middle
        best.append(good)
    return best


Criteria = tuple[int, int, int]
"""Departure, arrival, vehicles."""


def best_of_range(
    world: PlainWorld,
    access: Reached,
    egress: Reached,
    from_s: int,
    until_s: int,
    *,
    most: int,
    step_s: int,
    direct_s: int,
) -> set[Criteria]:
    """
    Journeys without rides leaving in ``[from_s, until_s)`` that nothing dominates.

    Searched at every step, and at the end of the window, where everything that leaves later can
    still be caught; a journey no faster than the walk all the way (`direct_s`) is not worth it.
    """
    found: set[Criteria] = set()
    for start_s in [*range(from_s, until_s, step_s), until_s]:
        best = earliest_arrivals(world, access, egress, start_s, most=most, seats=0)
        found |= {
            (start_s, best[k], k)
            for k in range(1, most + 1)
            if best[k] < best[k - 1] and best[k] < start_s + direct_s
        }
    return {c for c in undominated(found) if c[0] < until_s}


def undominated(found: Iterable[Criteria]) -> set[Criteria]:
    """Those that no other one equals or betters in all three."""
    every = set(found)
    return {
        a
        for a in every
        if not any(b != a and b[0] >= a[0] and b[1] <= a[1] and b[2] <= a[2] for b in every)
    }
