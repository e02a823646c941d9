"""The ground of a territory: meeting points, and everything that is compiled from streets."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from gtfs_data.store import Texts
from routing.stations import Stations
from routing.street.graph import NO_ELEVATOR, Streets
from routing.street.kernels import NO_ACCESS, Arcs, Walks

Int32 = npt.NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class MeetingPoints:
    """Where drivers let riders in and out: a node for the car, a node for the person."""

    id: Texts
    name: Texts
    kind: Texts
    lat: npt.NDArray[np.float64]
    lon: npt.NDArray[np.float64]
    """Where the car stops."""
    car_node: Int32
    foot_node: Int32
    foot_link_s: Int32


@dataclass(frozen=True, slots=True)
class Ground:
    """Everything compiled from streets: arcs by profile, walks, drive matrix."""

    foot: Arcs
    bike: Arcs
    car: Arcs
    wheelchair: Arcs
    car_order: Int32
    stop_node: Int32
    """Foot node of each stop, or -1."""
    stop_away_m: npt.NDArray[np.float64]
    walks: Walks
    """Stop to stop."""
    walks_back: Walks
    point_walks: Walks
    """Between stops and meeting points, and stop to stop as in `walks`."""
    point_walks_back: Walks
    wheel_walks: Walks
    wheel_walks_back: Walks
    wheel_point_walks: Walks
    wheel_point_walks_back: Walks
    """The same for wheelchairs."""
    stations: Stations
    drive_s: npt.NDArray[np.uint16]
    """Shape (P, P): from row to column."""
    drive_back_s: npt.NDArray[np.uint16]


def usable_edges(streets: Streets, profile: str, count: int) -> npt.NDArray[np.uint8]:
    """Shape (edge_count,): 1 where a profile may go in some direction, for the first `count`."""
    forward, backward = (streets.seconds(profile, d) for d in ("forward", "backward"))
    usable: npt.NDArray[np.uint8] = ((forward != NO_ACCESS) | (backward != NO_ACCESS)).astype(
        np.uint8
    )
    usable[count:] = 0  # nobody stands on the street who is inside of a station
    usable[streets.edge_elevator != NO_ELEVATOR] = 0  # nor who is in an elevator
    return usable
