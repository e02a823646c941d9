"""
Corridors: riders who go from about the same place to about the same place, and their drivers.

Bundles are chosen corridor by corridor: that is what a solver can do well. Whoever shares no rider,
not even by way of others, is in another corridor anyway; what is larger is split by where riders
go from and to.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

Int64 = npt.NDArray[np.int64]
Float64 = npt.NDArray[np.float64]
RIDERS_LIMIT = 300
"""Riders of one corridor."""


def split_corridors(
    rider: Int64, driver: Int64, gain: Int64, ends_m: Float64, driver_count: int,
    *, limit: int = RIDERS_LIMIT,
) -> tuple[Int64, Int64]:  # fmt: skip
    """
    Put riders and drivers into corridors.

    Parameters
    ----------
    rider, driver, gain
        Shape (pair_count,): rows of who could ride with whom, and what it is worth.
    ends_m
        Shape (rider_count, 4): where each rider goes from and to, in metres east and north.

    Returns
    -------
    of_rider, of_driver
        Corridor of each, numbered from 0; a driver is where his riders are worth most, -1 if
        nobody could ride with him.
    """
    rider_count = len(ends_m)
    size = rider_count + driver_count
    links = coo_array((np.ones(len(rider)), (rider, rider_count + driver)), (size, size))
    _, component = connected_components(links, directed=False)
    of_rider = np.full(rider_count, -1, np.int64)
    parts = [
        part
        for label in np.unique(component[:rider_count])
        for part in _halves(np.flatnonzero(component[:rider_count] == label), ends_m, limit)
    ]
    for number, part in enumerate(parts):
        of_rider[part] = number
    worth = np.zeros((driver_count, max(len(parts), 1)))
    np.add.at(worth, (driver, of_rider[rider]), np.maximum(gain, 0) + 1)
    of_driver = np.where(worth.any(axis=1), worth.argmax(axis=1), -1)
    return of_rider, of_driver.astype(np.int64)


def _halves(rows: Int64, ends_m: Float64, limit: int) -> Iterator[Int64]:
    """Split where the riders' ends are spread most, until each part is small enough."""
    if len(rows) <= limit:
        yield rows
        return
    own = ends_m[rows]
    widest = int(np.argmax(own.std(axis=0)))
    order = rows[np.argsort(own[:, widest], kind="stable")]
    half = len(order) // 2
    yield from _halves(order[:half], ends_m, limit)
    yield from _halves(order[half:], ends_m, limit)
