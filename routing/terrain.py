"""
What a search reads of a network, once a rider's conditions are applied to it.

Conditions change data, never kernels: lines and stops to avoid lose their boarding flags, walks
take more or fewer seconds, and via stops lay the network out in layers (`routing.layers`).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from core.jit import Held, hold
from core.modes import TRANSIT_MODES, Mode, mode_of_route_type
from gtfs_data.rolling import DayTimetable, rows_open
from gtfs_data.store import frozen
from gtfs_data.timetable import Timetable
from routing.street.kernels import Walks

WHOLE = 256
"""`Terrain.onward_256` of a search whose bounds hold as they are."""

Int32 = npt.NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class ViaStops:
    """Stops (rows of the timetable) of which a journey visits one."""

    stops: tuple[int, ...]
    stay_s: int
    """0: a vehicle that calls there is enough."""


@dataclass(frozen=True, slots=True)
class Conditions:
    """What a rider asks for that changes the network for his search."""

    transit_modes: frozenset[Mode] = TRANSIT_MODES
    avoid_routes: frozenset[int] = frozenset()
    avoid_stops: frozenset[int] = frozenset()
    """Nobody gets in or out there; vehicles may pass."""
    walk_factor: float = 1.0
    """Walks between vehicles take so many times the seconds of the territory's own speed."""
    change_s: int = 0
    """From one vehicle to the next at the same stop."""
    carpool_change_s: int = 0
    profile: str = "foot"
    """`foot` or `wheelchair`."""
    shut: frozenset[str] = frozenset()
    """Elevators out of service."""
    step_free_unknown: bool = False
    """By wheelchair also where nothing is known of stops and trips."""
    vias: tuple[ViaStops, ...] = ()


class Ground(NamedTuple):
    """What a search without rides reads of a terrain in one direction."""

    day: DayTimetable
    walks: Walks
    """By where they start."""
    walks_back: Walks
    """By where they end."""
    cell: Int32


@dataclass(frozen=True)
class Terrain:
    """Arrays of one search on one date, for both directions."""

    day: DayTimetable
    day_back: DayTimetable
    """The mirror, for searching backward."""
    walks: Walks
    walks_back: Walks
    point_walks: Walks
    point_walks_back: Walks
    change_s: Int32
    """Shape (node_count,)."""
    cell: Int32
    """Cell of each stop in the tables of `Bounds`."""
    onward_256: int
    """Share of the bounds' seconds that bounds this search, in 256ths."""

    @cached_property
    def ground(self) -> Held[Ground]:
        """For kernels that search forward."""
        return hold(Ground(self.day, self.walks, self.walks_back, self.cell))

    @cached_property
    def ground_back(self) -> Held[Ground]:
        """For kernels that search backward."""
        return hold(Ground(self.day_back, self.walks_back, self.walks, self.cell))

    @property
    def stop_count(self) -> int:
        """Search nodes below are stops, or stops in layers."""
        return len(self.cell)

    @property
    def node_count(self) -> int:
        """Stops and meeting points."""
        return len(self.change_s)


def allowed_day(
    t: Timetable, day: DayTimetable, conditions: Conditions, *, turned: bool
) -> DayTimetable:
    """Close the trips and stops that are not to be used; `turned` says that `day` is a mirror."""
    flag = day.flag
    if conditions.transit_modes != TRANSIT_MODES or conditions.avoid_routes:
        modes = [mode_of_route_type(kind) or Mode.OTHER for kind in t.route_type.tolist()]
        on = np.array([mode in conditions.transit_modes for mode in modes], bool)
        on[list(conditions.avoid_routes)] = False
        open_rows = rows_open(t, day, on[t.pattern_route[t.trip_pattern]], turned=turned)
        flag = np.where(open_rows, flag, 0).astype(np.uint8)
    if conditions.avoid_stops:
        avoided = np.isin(day.stop, list(conditions.avoid_stops))
        flag = np.where(avoided, 0, flag).astype(np.uint8)
    return day if flag is day.flag else day._replace(flag=frozen(flag))
