"""Compiled offers laid end to end for the kernels; more are added behind those that are there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from gtfs_data.store import frozen
from routing.doors import STRETCH_COLUMNS, Stretch
from routing.raptor.flexible import (
    CANDIDATE_COLUMNS,
    CELL_COLUMNS,
    FlexibleBodies,
    FlexibleTrips,
    sort_by_cell,
)

Int32 = npt.NDArray[np.int32]
UInt16 = npt.NDArray[np.uint16]
FIRST_ROOM = 16
LARGEST = int(np.iinfo(np.uint16).max)
SPARE = 2
"""Of so many bodies in a table, one at least is in use; else the table is made anew."""


@dataclass(frozen=True, slots=True)
class Body:
    """
    One compiled offer: what `FlexibleBodies` holds end to end.

    Columns are without sign: widen them before taking one from another.
    """

    point: UInt16
    from_start_s: UInt16
    to_end_s: UInt16
    segment: UInt16
    solo_s: int
    budget_s: int
    seat_count: int
    via_nodes: tuple[int, ...] = ()
    """Car nodes at the driver's own stops between start and end."""
    searched_count: int | None = None
    """
    So many candidates are looked at by every search, the first: these and the rest are each as
    the driver passes them. None: all.
    """
    stretches: tuple[Stretch, ...] = ()
    """His drive in parts between his own stops, where he comes to riders' doors; else none."""

    @property
    def searched(self) -> int:
        """How many candidates are looked at by every search."""
        return len(self.point) if self.searched_count is None else self.searched_count


def flexible_trips(bodies: Sequence[Body], point_cell: Int32) -> FlexibleTrips:
    """Lay compiled offers end to end; `point_cell` tells the cell of each meeting point."""
    return BodyTable(point_cell).laid(bodies)[0]


def no_flexible_trips() -> FlexibleTrips:
    """Flexible trips of a world without offers."""
    return flexible_trips([], np.zeros(0, np.int32))


class BodyTable:
    """
    Bodies that worlds share, each laid out once.

    What is added is written behind what earlier worlds read, so that these stay as they are. One
    thread at a time may add.
    """

    def __init__(self, point_cell: Int32) -> None:
        assert len(point_cell) <= LARGEST + 1
        self._point_cell = frozen(point_cell)
        self._cell_count = int(point_cell.max(initial=-1)) + 1
        self._clear()

    def laid(self, bodies: Sequence[Body]) -> tuple[FlexibleTrips, Int32]:
        """Flexible trips that hold these bodies, and in which row each of them is."""
        if len(self._kept) > FIRST_ROOM + SPARE * len(bodies):
            self._clear()
        self._add([body for body in bodies if id(body) not in self._row_of])
        rows = np.array([self._row_of[id(body)] for body in bodies], np.int32)
        arrays = FlexibleBodies(
            **{name: column.view() for name, column in self._columns.items()},
            point_cell=self._point_cell,
        )
        trips = FlexibleTrips(
            arrays, self._largest, self._cell_count, self._via_nodes, self._stretches.view()
        )
        return trips, frozen(rows)

    def _clear(self) -> None:
        self._row_of: dict[int, int] = {}
        self._kept: list[Body] = []  # so that no other body gets the id of one of them
        self._via_nodes: list[tuple[int, ...]] = []
        self._stretches = _Column(np.int32, STRETCH_COLUMNS)
        self._largest = 0
        self._columns = {
            **{name: _Column(np.int32) for name in ("searched_end", "solo_s", "budget_s")},
            **{name: _Column(np.int32) for name in ("seat_count", "segment_count")},
            **{name: _Column(np.int32, start=(0,)) for name in ("first_candidate", "cell_first")},
            "candidates": _Column(np.uint16, CANDIDATE_COLUMNS),
            "cells": _Column(np.uint16, CELL_COLUMNS),
        }

    def _add(self, bodies: Sequence[Body]) -> None:
        sizes = np.array([len(body.point) for body in bodies], np.int32)
        first = np.r_[0, np.cumsum(sizes)].astype(np.int32)
        searched_end = first[:-1] + np.array([body.searched for body in bodies], np.int32)
        assert all(body.solo_s + body.budget_s <= LARGEST for body in bodies)
        candidates = np.zeros((first[-1], CANDIDATE_COLUMNS), np.uint16)
        for column, name in enumerate(("point", "from_start_s", "to_end_s", "segment")):
            parts = [getattr(body, name) for body in bodies]
            candidates[:, column] = np.concatenate([candidates[:0, 0], *parts])
        cell_first, cells = sort_by_cell(first, searched_end, candidates, self._point_cell)
        columns = self._columns
        before, cells_before = (len(columns[name]) for name in ("candidates", "cells"))
        for name in ("solo_s", "budget_s", "seat_count"):
            columns[name].extend([getattr(body, name) for body in bodies])
        columns["segment_count"].extend([len(body.via_nodes) + 1 for body in bodies])
        columns["searched_end"].extend(searched_end + before)
        columns["first_candidate"].extend(first[1:] + before)
        columns["cell_first"].extend(cell_first[1:] + cells_before)
        columns["candidates"].extend(candidates)
        columns["cells"].extend(cells)
        stretches: list[tuple[int, ...]] = []
        for body in bodies:
            row = self._row_of[id(body)] = len(self._kept)
            stretches += [stretch.row(row) for stretch in body.stretches]
            self._kept.append(body)
            self._via_nodes.append(body.via_nodes)
        self._stretches.extend(stretches)
        self._largest = max(self._largest, int(sizes.max(initial=0)))


class _Column:
    """An array that grows at its end; views of it stay what they are."""

    def __init__(
        self, kind: npt.DTypeLike, width: int | None = None, start: tuple[int, ...] = ()
    ) -> None:
        self._width = () if width is None else (width,)
        self._values = np.empty((FIRST_ROOM, *self._width), kind)
        self._count = 0
        self.extend(np.array(start, kind).reshape(-1, *self._width))

    def __len__(self) -> int:
        return self._count

    def view(self) -> npt.NDArray[Any]:
        return frozen(self._values[: self._count])

    def extend(self, more: npt.ArrayLike) -> None:
        more = np.asarray(more, self._values.dtype).reshape(-1, *self._width)
        count = self._count + len(more)
        if count > len(self._values):
            before = self._values
            room = max(count, len(before) + len(before) // 4)
            self._values = np.empty((room, *self._width), before.dtype)
            self._values[: self._count] = before[: self._count]
        self._values[self._count : count] = more
        self._count = count
