"""The two ends of a search as doors: which drivers can come there, and what that is to them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from gtfs_data.store import frozen
from routing.doors import IN_STRETCH, LONGEST_S, OF_BODY, Door, detours, least_ways_s
from routing.raptor.flexible import FOUND_COLUMNS, VISIT_COLUMNS, DoorScan
from routing.raptor.labels import MAX_VEHICLES
from routing.street.access import Snapped
from routing.street.drive import DriveTimes

Int32 = npt.NDArray[np.int32]
UInt16 = npt.NDArray[np.uint16]


@dataclass(frozen=True, slots=True)
class DoorEnd:
    """One end of a search at which drivers stop."""

    door: Door
    foot: Snapped
    """The same place on the streets of whoever walks."""
    walk_s: int
    """Between the rider's own place and where the car stands."""
    body: Int32
    """Shape (n,), ascending: bodies that can come there, a row for each way to."""
    visits: Int32
    """Shape (n, VISIT_COLUMNS)."""

    def first(self, body_count: int) -> Int32:
        """Rows of each body."""
        rows = np.searchsorted(self.body, np.arange(body_count + 1))
        return frozen(rows.astype(np.int32))


def serving(
    drive: DriveTimes, stretches: Int32, most_s: Int32, door: Door
) -> tuple[Int32, Int32] | None:
    """
    Bodies that can come to a door within the longest drives that they accept, and how.

    Parameters
    ----------
    stretches
        Shape (n, STRETCH_COLUMNS), see `routing.doors`, in ascending order of their bodies.
    most_s
        Shape (n,).

    Returns
    -------
    body, visits
        As in `DoorEnd`; None where nobody can.
    """
    near = least_ways_s(stretches, door) <= most_s
    stretches, most_s = stretches[near], most_s[near]
    from_s, to_s = detours(drive, stretches, door)
    fits = from_s + to_s <= most_s
    if not fits.any():
        return None
    own = stretches[fits]
    visits = np.stack([own[:, IN_STRETCH], from_s[fits], to_s[fits]], axis=1)
    return frozen(own[:, OF_BODY].copy()), frozen(visits.astype(np.int32))


@dataclass(frozen=True, slots=True)
class Doors:
    """
    Doors at the ends of one search; one boards at the origin's, and gets out at the other.

    As nodes they follow all others, the origin's first; as meeting points likewise. As candidates
    of a ride they are told by -1 - row of the visit.
    """

    origin: DoorEnd | None = None
    destination: DoorEnd | None = None
    between_s: int = 0
    """Drive from the origin's to the destination's."""

    def __bool__(self) -> bool:
        """Whether there is any."""
        return self.origin is not None or self.destination is not None

    def scan(self, body_count: int, *, forward: bool) -> DoorScan:
        """What the kernels read of them."""
        if not self:
            return NO_SCAN
        near, far = self.origin, self.destination
        if not forward:
            near, far = far, near
        sides: list[tuple[Int32, Int32, Int32, int]] = []
        for end in (near, far):
            if end is None:
                sides.append((frozen(np.zeros(body_count + 1, np.int32)), _NO_VISITS, _NONE, 0))
                continue
            drive_s = end.door.from_s if end is self.origin else end.door.to_s
            sides.append((end.first(body_count), end.visits, drive_s, end.walk_s))
        return DoorScan(
            *sides[0], *sides[1], self.between_s, np.zeros(1, np.int32),
            np.zeros((MAX_VEHICLES + 1, FOUND_COLUMNS), np.int32),
        )  # fmt: skip

    def place(
        self, candidates: UInt16, candidate: int, *, pickup: bool
    ) -> tuple[int, int, int, int]:
        """Columns of the candidate at which a ride is boarded or left, as in `candidates`."""
        if candidate >= 0:
            point, from_s, to_s, segment = candidates[candidate].tolist()
            return point, from_s, to_s, segment
        end = self.origin if pickup else self.destination
        assert end is not None
        segment, from_s, to_s = end.visits[-1 - candidate].tolist()
        return len(end.door.from_s) + (0 if pickup else 1), from_s, to_s, segment

    def candidates(self, candidates: UInt16, body: int) -> tuple[UInt16, list[int]]:
        """What a body can do at the doors, in the columns of `candidates`, and its numbers."""
        rows, numbers = [], []
        for end, pickup in ((self.origin, True), (self.destination, False)):
            if end is not None:
                for visit in range(*np.searchsorted(end.body, (body, body + 1)).tolist()):
                    numbers.append(-1 - visit)
                    rows.append(self.place(candidates, -1 - visit, pickup=pickup))
        return np.array(rows, np.uint16).reshape(-1, candidates.shape[1]), numbers

    def drives(self) -> tuple[Int32, Int32]:
        """
        Drives that no matrix has: from the origin's door, and to the destination's.

        Shape (P + 2,), by points and the two doors; of length 0 where there is no door.
        """
        start, end = self.origin, self.destination
        ends = np.array([LONGEST_S, self.between_s], np.int32)
        from_s = _NONE if start is None else np.r_[start.door.from_s, ends].astype(np.int32)
        to_s = _NONE if end is None else np.r_[end.door.to_s, ends[::-1]].astype(np.int32)
        return frozen(from_s), frozen(to_s)


_NONE: Int32 = frozen(np.zeros(0, np.int32))
_NO_VISITS: Int32 = frozen(np.zeros((0, VISIT_COLUMNS), np.int32))
NO_DOORS = Doors()
NO_SCAN = DoorScan(
    _NONE, _NO_VISITS, _NONE, 0, _NONE, _NO_VISITS, _NONE, 0, 0, np.zeros(1, np.int32),
    np.zeros((MAX_VEHICLES + 1, FOUND_COLUMNS), np.int32),
)  # fmt: skip
"""Of a search without doors; nothing is written there."""
