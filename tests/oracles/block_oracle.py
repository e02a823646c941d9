"""
Who may stay aboard, by the book: every trip against every other, every chain, every call.

A vehicle of a block goes on as the block's next trip when they run on the same service day, none
of the two overlaps a third trip of the block, nothing of the block runs between them, the second
begins where the first ends, and it stands there for half an hour at most. transfers.txt adds
pairs (type 4: any that are in time) and takes pairs away (type 5). Riders may stay aboard for
three trips. Nothing here imports `gtfs_data`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tests.oracles.raptor_oracle import PlainTrip

LONGEST_STAND_S = 1_800
MOST_TRIPS = 3

Pairs = frozenset[tuple[int, int]]


@dataclass(frozen=True)
class BlockTrip:
    """A trip with what says which vehicle runs it; no block is an empty text."""

    plain: PlainTrip
    block: str
    service: int

    @property
    def start_s(self) -> int:
        return self.plain.depart_s[0]

    @property
    def end_s(self) -> int:
        return self.plain.arrive_s[-1]


def overlaps(a: BlockTrip, b: BlockTrip) -> bool:
    """Whether one vehicle would have to be at two places."""
    return a.start_s < b.end_s and b.start_s < a.end_s


def links(trips: Sequence[BlockTrip], linked: Pairs, parted: Pairs) -> set[tuple[int, int]]:
    """Pairs of trips between which riders may stay aboard."""
    found = set()
    for i, a in enumerate(trips):
        for j, b in enumerate(trips):
            if i == j or a.service != b.service or (i, j) in parted:
                continue
            if (i, j) in linked and a.end_s <= b.start_s:
                found.add((i, j))
            if a.block and a.block == b.block and _follows(trips, i, j):
                found.add((i, j))
    return found


def _follows(trips: Sequence[BlockTrip], i: int, j: int) -> bool:
    a, b = trips[i], trips[j]
    others = [
        (k, c)
        for k, c in enumerate(trips)
        if k not in (i, j) and (c.block, c.service) == (a.block, a.service)
    ]
    if any(overlaps(c, end) for _, c in others for end in (a, b)) or overlaps(a, b):
        return False
    order = [(a.start_s, a.end_s, i), (b.start_s, b.end_s, j)]
    between = any(order[0] < (c.start_s, c.end_s, k) < order[1] for k, c in others)
    stands_s = b.start_s - a.end_s
    meet = a.plain.stops[-1] == b.plain.stops[0]
    return order[0] < order[1] and not between and meet and 0 <= stands_s <= LONGEST_STAND_S


def chains(pairs: set[tuple[int, int]]) -> Iterator[tuple[int, ...]]:
    """Two trips or more that one may sit through."""
    found: list[tuple[int, ...]] = [*sorted(pairs)]
    while found:
        chain = found.pop()
        yield chain
        if len(chain) < MOST_TRIPS:
            found += [(*chain, b) for a, b in sorted(pairs) if a == chain[-1] and b not in chain]


def joined(trips: Sequence[PlainTrip]) -> PlainTrip:
    """
    Trips as one: riders get in during the first, and out during the last.

    Not in where the first ends, nor out where the last begins: they would not be aboard of it.
    """
    counts = [len(trip.stops) for trip in trips]
    first, last = counts[0], counts[-1]
    before = sum(counts) - last
    return PlainTrip(
        sum((trip.stops for trip in trips), ()),
        trips[0].may_board[:-1] + (False,) * (before - first + last + 1),
        (False,) * (before + 1) + trips[-1].may_alight[1:],
        sum((trip.arrive_s for trip in trips), ()),
        sum((trip.depart_s for trip in trips), ()),
    )
