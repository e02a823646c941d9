"""
Where to change: of all places at which two vehicles allow it, the best one.

The search takes any place where the change can be made. Riders rather walk less, and rather have
more time to spare; among equals they get out at the first.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from core.jit import kernel
from gtfs_data.enums import CAN_ALIGHT, CAN_BOARD
from gtfs_data.store import frozen
from gtfs_data.throughs import calls_of_ride
from gtfs_data.timetable import Timetable
from routing.network import Network
from routing.raptor.unroll import RawJourney, RawVehicle
from routing.street.kernels import Walks
from routing.terrain import Terrain

NOWHERE = -1
Int32 = npt.NDArray[np.int32]


def with_best_changes(network: Network, terrain: Terrain, journey: RawJourney) -> RawJourney:
    """Same vehicles, changed between where it suits best."""
    if len(journey.legs) == 1:
        return journey
    legs, walks_s = list(journey.legs), list(journey.walk_s)
    for i, (leg, then) in enumerate(zip(journey.legs, journey.legs[1:], strict=False)):
        first = legs[i]
        if isinstance(leg, RawVehicle) and isinstance(then, RawVehicle):
            assert isinstance(first, RawVehicle)
            legs[i], legs[i + 1], walks_s[i] = _best_change(
                network, terrain, first, then, walks_s[i]
            )
    return journey._replace(legs=tuple(legs), walk_s=tuple(walks_s))


def _best_change(
    network: Network, terrain: Terrain, leg: RawVehicle, then: RawVehicle, walk_s: int
) -> tuple[RawVehicle, RawVehicle, int]:
    first, second = (calls_of_ride(network.timetable, one.trip) for one in (leg, then))
    arrive_s = first.arrival_s + np.int32(leg.end_s - first.arrival_s[leg.alight_position])
    depart_s = second.departure_s + np.int32(then.start_s - second.departure_s[then.board_position])
    alight, board, walk = find_change(
        Calls(first.stop, first.flag, arrive_s),
        leg.board_position,
        Calls(second.stop, second.flag, depart_s),
        then.alight_position,
        terrain.walks,
        terrain.change_s,
    )
    if alight == NOWHERE or (alight, board) == (leg.alight_position, then.board_position):
        return leg, then, walk_s
    return (
        leg._replace(
            alight_position=alight,
            alight_node=int(first.stop[alight]),
            end_s=int(arrive_s[alight]),
        ),
        then._replace(
            board_position=board,
            board_node=int(second.stop[board]),
            start_s=int(depart_s[board]),
        ),
        0 if walk == NOWHERE else int(terrain.walks.seconds[walk]),
    )


def warm_up_changes(t: Timetable, walks: Walks) -> None:
    """Compile, or load what is compiled: before the first rider asks."""
    calls = Calls(t.pattern_stop[:0], t.pattern_flag[:0], t.event_arrival_s[:0] + np.int32(0))
    find_change(calls, 0, calls, 0, walks, frozen(np.zeros(0, np.int32)))


class Calls(NamedTuple):
    """Calls of one trip: its stops, who may get in and out, and arrivals or departures."""

    stop: Int32
    flag: npt.NDArray[np.uint8]
    at_s: Int32


@kernel
def find_change(
    calls: Calls, boarded: int, then: Calls, left: int, walks: Walks, change_s: Int32
) -> tuple[int, int, int]:
    """
    Best place to change between two trips.

    Parameters
    ----------
    calls, boarded
        Arrivals of the first trip, and at which position one boards it.
    then, left
        Departures of the second, and at which position one leaves it.

    Returns
    -------
    alight, board, walk
        Positions, and the row of the walk between them (-1: the same stop); all -1 when the
        change cannot be made anywhere.
    """
    stop, flag, arrive_s = calls
    then_stop, then_flag, depart_s = then
    best, least_s, most_spare_s = (NOWHERE, NOWHERE, NOWHERE), 2**30, -1
    for alight in range(boarded + 1, len(stop)):
        if not flag[alight] & CAN_ALIGHT:
            continue
        node = stop[alight]
        ready_s = arrive_s[alight] + change_s[node]
        for walk in range(walks.first[node] - 1, walks.first[node + 1]):
            other, walk_s = node, 0
            if walk >= walks.first[node]:
                other, walk_s = walks.to[walk], walks.seconds[walk]
            if walk_s > least_s:
                break  # walks are sorted by duration
            for board in range(left):
                if then_stop[board] != other or not then_flag[board] & CAN_BOARD:
                    continue
                spare_s = depart_s[board] - ready_s - walk_s
                if spare_s >= 0 and (walk_s < least_s or spare_s > most_spare_s):
                    row = walk if walk >= walks.first[node] else NOWHERE
                    best = (alight, board, row)
                    least_s, most_spare_s = walk_s, spare_s
    return best
