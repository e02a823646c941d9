"""
Doors: places on a street, beside the meeting points, at which some drivers let a rider in or out.

A door hangs on the streets wherever it is, not at a node, so its drives are searched when they are
asked for: one search out of it and one into it, for all targets at once.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from core.geo import Coordinate
from gtfs_data.store import frozen
from routing.ground import MeetingPoints
from routing.street.access import (
    EdgeGrid,
    Snapped,
    StreetRoute,
    at_node,
    drawn_route,
    route_along_edge,
    seconds_along_edge,
    snap,
    ties,
)
from routing.street.drive import FAR_S, DriveTimes
from routing.street.graph import Streets
from routing.street.kernels import Arcs

Int32 = npt.NDArray[np.int32]
Pairs = tuple[tuple[int, int], ...]
DOOR_LIMIT_M = 100.0
"""A street on which a car may stop is so near to whoever is fetched at his door."""
SPOT_LIMIT_M = 1.0
"""A spot on the street is found again; another ground may have moved it a little."""
LONGEST_S = 2**29
"""Drives to nowhere take so long: with another added they still fit their type."""


class Door(NamedTuple):
    """A place where a car stops, and its drives from and to all meeting points."""

    at: Snapped
    leaving: Pairs
    """Nodes by which a car gets away, and the seconds to them; see `DriveTimes.from_place`."""
    reaching: Pairs
    from_s: Int32
    """Shape (point_count,): drives to meeting points."""
    to_s: Int32
    """Shape (point_count,): drives from them."""
    stand_in: int
    """The meeting point that is nearest, there and back: all that others learn of the place."""


def find_spot(streets: Streets, grid: EdgeGrid, place: Coordinate) -> Coordinate | None:
    """Where a car stops that comes to a place: on the nearest street on which it may."""
    near = snap(grid, streets.edge_may_stop, place, DOOR_LIMIT_M)
    if near is None:
        return None
    p, share = near.point, near.share
    lat, lon = (
        float(column[p] + share * (column[p + 1] - column[p]))
        for column in (streets.point_lat, streets.point_lon)
    )
    return Coordinate(lat, lon)


def make_door(
    streets: Streets, grid: EdgeGrid, points: MeetingPoints, drive: DriveTimes, spot: Coordinate
) -> Door | None:
    """Door at a spot where a car may stop; None where it may not, or no road leads anywhere."""
    at = snap(grid, streets.edge_may_stop, spot, SPOT_LIMIT_M)
    if at is None or not len(points.lat):
        return None
    leaving, reaching = (
        tuple(ties(streets, "car", at, leaving=away, off_street_mps=float("inf")).pairs())
        for away in (True, False)
    )
    return _hung(drive, points.car_node, at, leaving, reaching)


def veiled(points: MeetingPoints, drive: DriveTimes, door: Door) -> Door:
    """
    The door as others see it: by way of the meeting point that stands for it.

    A car that goes there by way of this point, and comes back by it, is nowhere sooner and drives
    no less than the true one. So whatever fits this drive fits the true one, and of the door no
    more can be worked out than that point, and how long the drive from it and back is.
    """
    point = door.stand_in
    node = int(points.car_node[point])
    place = Coordinate(float(points.lat[point]), float(points.lon[point]))
    leaving = ((node, int(door.from_s[point])),)
    reaching = ((node, int(door.to_s[point])),)
    hung = _hung(drive, points.car_node, at_node(place, node, 0.0), leaving, reaching)
    assert hung is not None
    return hung._replace(stand_in=point)


def _hung(
    drive: DriveTimes, car_node: Int32, at: Snapped, leaving: Pairs, reaching: Pairs
) -> Door | None:
    from_s = np.minimum(drive.from_place(leaving, car_node), LONGEST_S).astype(np.int32)
    to_s = np.minimum(drive.to_place(car_node, reaching), LONGEST_S).astype(np.int32)
    there_and_back_s = from_s + to_s
    stand_in = int(there_and_back_s.argmin())
    if there_and_back_s[stand_in] >= LONGEST_S:
        return None
    return Door(at, leaving, reaching, frozen(from_s), frozen(to_s), stand_in)


def between_s(streets: Streets, drive: DriveTimes, start: Door, end: Door) -> int:
    """Drive from door to door, at most `LONGEST_S`."""
    along_s = seconds_along_edge(streets, "car", start.at, end.at)
    drive_s = min(drive.between(start.leaving, end.reaching), LONGEST_S)
    return drive_s if along_s is None else min(drive_s, along_s)


def draw_drive(
    streets: Streets, arcs: Arcs, drive: DriveTimes, start: Door | Snapped, end: Door | Snapped
) -> StreetRoute | None:
    """Fastest drive between two places, doors or tied to nodes; None where no road leads."""
    leaving = start.leaving if isinstance(start, Door) else ((start.node, 0),)
    reaching = end.reaching if isinstance(end, Door) else ((end.node, 0),)
    a, b = (place.at if isinstance(place, Door) else place for place in (start, end))
    nodes = np.array([node for node, _ in reaching], np.int32)
    tail_s = np.array([seconds for _, seconds in reaching], np.int32)
    best: tuple[int, int, int] | None = None
    for node, head_s in leaving:
        ways_s = drive.from_place([(node, head_s)], nodes).astype(np.int64) + tail_s
        found = int(ways_s.min()), node, int(nodes[ways_s.argmin()])
        best = found if best is None else min(best, found)
    along = route_along_edge(streets, "car", a, b)
    if along is not None and (best is None or along.seconds <= best[0]):
        return along
    if best is None or best[0] >= FAR_S:
        return None
    ways = arcs.way[np.array(drive.path(best[1], best[2]), np.int32)]
    return drawn_route(streets, a, b, ways, best[2], best[0])


def detours(drive: DriveTimes, stretches: Int32, door: Door) -> tuple[Int32, Int32]:
    """
    What the way by a door is to drivers: from their starts to it, and from it to their ends.

    Parameters
    ----------
    stretches
        Shape (n, STRETCH_COLUMNS), see `routing.raptor.flexible`.

    Returns
    -------
    from_start_s, to_end_s
        Shape (n,): at most `LONGEST_S`.
    """
    leaving, reaching = (stretches[:, k : k + 4].reshape(-1, 2) for k in (LEAVING, REACHING))
    # Drivers leave the same places, and twice by the same node.
    nodes, each = np.unique(leaving[:, 0], return_inverse=True)
    to_s = drive.to_place(nodes, door.reaching).astype(np.int64)[each] + leaving[:, 1]
    nodes, each = np.unique(reaching[:, 0], return_inverse=True)
    from_s = drive.from_place(door.leaving, nodes).astype(np.int64)[each] + reaching[:, 1]
    before_s = to_s.reshape(-1, 2).min(axis=1, initial=FAR_S) + stretches[:, BEFORE_S]
    after_s = from_s.reshape(-1, 2).min(axis=1, initial=FAR_S) + stretches[:, AFTER_S]
    df, db = (np.minimum(way_s, LONGEST_S).astype(np.int32) for way_s in (before_s, after_s))
    return df, db


def least_ways_s(stretches: Int32, door: Door) -> Int32:
    """
    Shape (n,): what the whole drives by a door take at least.

    Near the begin and the end of a stretch there is a meeting point each, and drives between these
    and the door are known: by the triangle inequality they bound those that are not.
    """
    a, a_s, b, b_s = stretches[:, ANCHORS:].T
    from_s, to_s = np.maximum(door.to_s[a] - a_s, 0), np.maximum(door.from_s[b] - b_s, 0)
    least_s: Int32 = stretches[:, BEFORE_S] + from_s + to_s + stretches[:, AFTER_S]
    return least_s


STRETCH_COLUMNS = 16
# Columns of stretches, the parts of a drive between the driver's own stops, of offers that come to
# doors: body; which of its stretches; the drive to its begin and from its end on; twice a node by
# which the driver gets away from its begin, with the seconds to it; twice a node by which he gets
# to its end; and the meeting points near both, see `Stretch`.
OF_BODY, IN_STRETCH, BEFORE_S, AFTER_S, LEAVING = range(5)
REACHING, ANCHORS = LEAVING + 4, LEAVING + 8


class Stretch(NamedTuple):
    """A part of a drive between two of the driver's own stops."""

    segment: int
    """Which of them."""
    before_s: int
    after_s: int
    """The drive to its begin, and from its end on."""
    leaving: Pairs
    reaching: Pairs
    """How its begin is left and its end reached, see `Door`: two nodes at most."""
    begins_by: tuple[int, int]
    ends_by: tuple[int, int]
    """A meeting point and the drive from it to the begin; one and the drive to it from the end."""

    def row(self, body: int) -> tuple[int, ...]:
        """The columns of a body's stretch; a place that hangs on one node has it twice."""
        assert 1 <= len(self.leaving) <= 2
        assert 1 <= len(self.reaching) <= 2
        ends = (*self.leaving[0], *self.leaving[-1], *self.reaching[0], *self.reaching[-1])
        anchors = *self.begins_by, *self.ends_by
        return (body, self.segment, self.before_s, self.after_s, *ends, *anchors)

    @staticmethod
    def of_row(row: list[int]) -> Stretch:
        """Undo `row`."""
        pairs = tuple(zip(row[LEAVING::2], row[LEAVING + 1 :: 2], strict=True))
        segment, before_s, after_s = row[IN_STRETCH:LEAVING]
        return Stretch(segment, before_s, after_s, pairs[:2], pairs[2:4], *pairs[4:])


def nearest_point(drives_s: Int32) -> tuple[int, int]:
    """Meeting point with the shortest of these drives, and that drive: see `Stretch`."""
    if not len(drives_s):
        return 0, LONGEST_S
    point = int(drives_s.argmin())
    return point, min(int(drives_s[point]), LONGEST_S)
