"""
What a leg is to a wheelchair: yes, no or unknown, and which data says so.

A leg is as good as its worst part: one *no* makes it *no*, one *unknown* makes it *unknown*.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

import numpy as np
import numpy.typing as npt

from gtfs_data.timetable import NONE
from routing.itinerary import Access
from routing.stations import Stations
from routing.street.graph import KINDS, Streets
from routing.street.step_free import StepFree

STOPS = "stops.txt wheelchair_boarding"
TRIPS = "trips.txt wheelchair_accessible"
PATHWAYS = "pathways.txt"
STREETS = "OSM"
STRAIGHT = "straight line"
OFFERS = "carpool offer"
UNSAID = Access(StepFree.UNKNOWN, (OFFERS,))
"""The search was not told which cars take wheelchairs."""
TAKEN = Access(StepFree.YES, (OFFERS,))
"""It was given rides of such cars alone, as their drivers say."""

ELEVATOR_KIND = KINDS.index("elevator")

Part = tuple[StepFree, str]


@cache
def access_of_vehicle(trip: int, *boarding: int) -> Access:
    """What trips.txt says of a trip (wheelchair_accessible), and stops.txt of two stops."""
    return _worst([(_said(trip), TRIPS), *((_said(stop), STOPS) for stop in boarding)])


def access_of_walk(
    streets: Streets,
    stations: Stations,
    used: npt.NDArray[np.int32],
    elevator_at: Mapping[int, str],
    *,
    straight: bool,
) -> Access:
    """
    What OSM and pathways.txt say of a walk along edges, with a straight line in it or not.

    `elevator_at` are ids of elevators by edge.
    """
    first = int(stations.first_edge[0])
    inner = used[used >= first]
    rows = stations.edge_pathway[inner - first]
    doors = inner[rows == NONE]
    told = used if len(doors) == 0 else used[~np.isin(used, doors)]
    said = dict.fromkeys(
        zip((told >= first).tolist(), streets.edge_step_free[told].tolist(), strict=True)
    )
    parts = [(StepFree(code), PATHWAYS if inside else STREETS) for inside, code in said]
    if straight:
        parts.append((StepFree.UNKNOWN, STRAIGHT))
    found = _worst(parts)
    pathways = tuple(rows[rows != NONE].tolist())
    rides = used[streets.edge_kind[used] == ELEVATOR_KIND].tolist()
    elevators = tuple(dict.fromkeys(elevator_at[edge] for edge in rides if edge in elevator_at))
    return Access(found.step_free, found.sources, pathways, elevators)


def _said(code: int) -> StepFree:
    return StepFree(code) if code in (StepFree.YES, StepFree.NO) else StepFree.UNKNOWN


def _worst(parts: list[Part]) -> Access:
    """The worst part decides, and names its sources; all of them where everything is yes."""
    for level in (StepFree.NO, StepFree.UNKNOWN, StepFree.YES):
        sources = [source for code, source in parts if code is level]
        if sources:
            return Access(level, tuple(dict.fromkeys(sources)))
    return Access(StepFree.UNKNOWN, ())
