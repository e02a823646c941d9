"""Walks between search nodes: laid out in rows, turned round, and at another pace."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from gtfs_data.store import frozen
from routing.street.kernels import Walks

Int32 = npt.NDArray[np.int32]


class Links(NamedTuple):
    """Walks one by one, in no order."""

    start: Int32
    to: Int32
    seconds: Int32

    @classmethod
    def of(cls, walks: Walks) -> Links:
        """Walks of rows."""
        start = np.repeat(np.arange(len(walks.first) - 1, dtype=np.int32), np.diff(walks.first))
        return cls(start, walks.to, walks.seconds)

    def turned(self) -> Links:
        """The same from end to start."""
        return Links(self.to, self.start, self.seconds)

    def where(self, kept: npt.NDArray[np.bool_]) -> Links:
        """Some of them."""
        return Links(self.start[kept], self.to[kept], self.seconds[kept])


def in_rows(links: Links, node_count: int) -> Walks:
    """By the node where they start, the shortest first: a search stops where it is too late."""
    order = np.lexsort((links.to, links.seconds, links.start))
    first = np.r_[0, np.cumsum(np.bincount(links.start, minlength=node_count))]
    return Walks(
        frozen(first.astype(np.int32)),
        frozen(links.to[order].astype(np.int32)),
        frozen(links.seconds[order].astype(np.int32)),
    )


def turned(walks: Walks) -> Walks:
    """Walks by the node where they end."""
    return in_rows(Links.of(walks).turned(), len(walks.first) - 1)


def at_pace(walks: Walks, factor: float, least: Links) -> Walks:
    """
    Walks of somebody who takes `factor` times the seconds.

    Parameters
    ----------
    least
        What transfers.txt asks for: a faster walker waits. Somebody slower is given as much more
        as for a walk of that time, which is never too little.
    """
    start, to, seconds = Links.of(walks)
    seconds = np.ceil(seconds * factor).astype(np.int32)
    count = len(walks.first) - 1
    key, asked = (
        start.astype(np.int64) * count + to,
        least.start.astype(np.int64) * count + least.to,
    )
    order = np.argsort(key)
    at = np.searchsorted(key[order], asked)
    known = at < len(key)
    known[known] = key[order][at[known]] == asked[known]
    np.maximum.at(seconds, order[at[known]], least.seconds[known])
    return in_rows(Links(start, to, seconds), count)


def joined(first: Links, then: Links, node_count: int) -> Links:
    """Ways that go on where others end: the shortest of each pair of ends."""
    rows = in_rows(then, node_count)
    count = np.diff(rows.first)[first.to]
    which = np.repeat(np.arange(len(first.to)), count)
    nth = np.arange(len(which)) - np.repeat(np.cumsum(count) - count, count)
    go_on = rows.first[first.to[which]] + nth
    start, to = first.start[which], rows.to[go_on]
    seconds = first.seconds[which] + rows.seconds[go_on]
    order = np.lexsort((seconds, to, start))
    start, to, seconds = start[order], to[order], seconds[order]
    best = np.r_[True, (np.diff(start) != 0) | (np.diff(to) != 0)][: len(start)]
    return Links(start[best], to[best], seconds[best])
