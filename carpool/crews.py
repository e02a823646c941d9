"""
Crews: who is proposed to whom, of all bundles that there are.

First a flow gives every rider one seat, which says which drivers each corridor needs. Then bundles
are chosen corridor by corridor, and again among those who are left, with their corridors anew.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from carpool.assignment import assign_seats, pack_bundles
from carpool.bundles import Bundle
from carpool.corridors import RIDERS_LIMIT, split_corridors

Int64 = npt.NDArray[np.int64]
Float64 = npt.NDArray[np.float64]
ROUNDS = 3
"""After the third, next to nobody is left who could be brought together."""
NEEDED = 1_000
"""A driver whom the flow gives a rider counts so much more in that rider's corridor."""
CORRIDOR_S = 45.0
"""Longest search for better bundles, for one corridor: with all around it, within a minute."""


@dataclass(frozen=True, slots=True)
class CorridorResult:
    """What came of one corridor."""

    round: int
    rider_count: int
    driver_count: int
    bundle_count: int
    chosen_count: int
    value_s: int
    lp_bound_s: float
    """No choice of its bundles is worth more."""
    gap: float
    """Share of the bound that may be missing."""
    seconds: float


def choose_crews(
    bundles: Sequence[Bundle],
    *,
    driver_of: Int64,
    seats_of: Int64,
    ends_m: Float64,
    time_limit_s: float = CORRIDOR_S,
    limit: int = RIDERS_LIMIT,
    on_corridor: Callable[[CorridorResult], None] = lambda _: None,
) -> tuple[list[Bundle], list[CorridorResult]]:
    """
    Choose bundles of which no two share a rider or an offer.

    Parameters
    ----------
    driver_of, seats_of
        Shape (offer_count,): row of the driver of each offer, and its seats.
    ends_m
        Shape (rider_count, 4): where each rider goes from and to, metres east and north.
    time_limit_s
        For each corridor.
    """
    table = _Table(bundles, driver_of, seats_of, ends_m)
    chosen: list[int] = []
    results = []
    for turn in range(1, ROUNDS + 1):
        rows = table.free_rows()
        if not len(rows):
            break
        for label, own in table.corridors(rows, limit):
            began = time.perf_counter()
            first, item, value = table.packed(own)
            packing = pack_bundles(first, item, value, time_limit_s=time_limit_s)
            table.take(own[packing.chosen])
            chosen += own[packing.chosen].tolist()
            results.append(
                CorridorResult(
                    round=turn,
                    rider_count=label[0],
                    driver_count=label[1],
                    bundle_count=len(own),
                    chosen_count=len(packing.chosen),
                    value_s=packing.value,
                    lp_bound_s=packing.lp_bound,
                    gap=packing.gap,
                    seconds=round(time.perf_counter() - began, 2),
                )
            )
            on_corridor(results[-1])
    return [bundles[row] for row in sorted(chosen)], results


class _Table:
    """Bundles as columns: items are riders, then offers."""

    def __init__(
        self, bundles: Sequence[Bundle], driver_of: Int64, seats_of: Int64, ends_m: Float64
    ) -> None:
        self._driver_of, self._ends_m, riders = driver_of, ends_m, len(ends_m)
        items = [
            [*b.riders, riders + b.out, *([] if b.back is None else [riders + b.back])]
            for b in bundles
        ]
        self._size = np.array([len(own) for own in items], np.int64)
        self._first = np.concatenate([[0], np.cumsum(self._size)])
        self._item = np.array([i for own in items for i in own], np.int64)
        self._value = np.array([b.value_s for b in bundles], np.int64)
        self._rider = np.array([b.riders[0] for b in bundles], np.int64)
        self._driver = driver_of[np.array([b.out for b in bundles], np.int64)]
        self._alone = np.array([len(b.riders) == 1 for b in bundles], bool)
        self._free = np.ones(riders + len(driver_of), bool)
        self._seats = np.zeros(int(driver_of.max(initial=-1)) + 1, np.int64)
        np.maximum.at(self._seats, driver_of, seats_of)

    def free_rows(self) -> Int64:
        """Bundles of which nothing is taken."""
        if not len(self._value):
            return np.zeros(0, np.int64)
        return np.flatnonzero(np.logical_and.reduceat(self._free[self._item], self._first[:-1]))

    def take(self, rows: Int64) -> None:
        """Keep from others what some bundles hold."""
        self._free[self._items(rows)] = False

    def corridors(self, rows: Int64, limit: int) -> list[tuple[tuple[int, int], Int64]]:
        """Bundles of each corridor, with its riders and drivers counted."""
        first, item, value = self._entries(rows)
        alone = rows[self._alone[rows]]
        seated = alone[
            assign_seats(self._rider[alone], self._driver[alone], self._value[alone], self._seats)
        ]
        weight = np.where(np.isin(rows, seated), value * NEEDED, value)
        of_entry = np.repeat(np.arange(len(rows)), np.diff(first))
        is_rider = item < len(self._ends_m)
        riders, rider = np.unique(item[is_rider], return_inverse=True)
        of_bundle = of_entry[is_rider]
        of_rider, of_driver = split_corridors(
            rider, self._driver[rows][of_bundle], weight[of_bundle], self._ends_m[riders],
            len(self._seats), limit=limit,
        )  # fmt: skip
        label = np.full(len(self._free), -1, np.int64)
        label[riders] = of_rider
        label[len(self._ends_m) :] = of_driver[self._driver_of]
        least, most = (f.reduceat(label[item], first[:-1]) for f in (np.minimum, np.maximum))
        inside = np.where(least == most, least, -1)
        return [
            (
                (int((of_rider == corridor).sum()), int((of_driver == corridor).sum())),
                rows[inside == corridor],
            )
            for corridor in np.unique(inside[inside >= 0])
        ]

    def packed(self, rows: Int64) -> tuple[Int64, Int64, Int64]:
        """Items of some bundles, numbered from 0, and what they are worth."""
        first, item, value = self._entries(rows)
        return first, np.unique(item, return_inverse=True)[1].astype(np.int64), value

    def _entries(self, rows: Int64) -> tuple[Int64, Int64, Int64]:
        first = np.concatenate([[0], np.cumsum(self._size[rows])])
        return first, self._items(rows), self._value[rows]

    def _items(self, rows: Int64) -> Int64:
        starts, sizes = self._first[rows], self._size[rows]
        within = np.arange(int(sizes.sum())) - np.repeat(np.cumsum(sizes) - sizes, sizes)
        return self._item[np.repeat(starts, sizes) + within]
