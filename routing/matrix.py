"""Travel times from many places to many, over a window of departures: rows of a matrix."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from routing.goals import Goals, goals_at, walks_from_stops, walks_to
from routing.network import Network
from routing.query import Endpoint, Limits
from routing.raptor.labels import FAR
from routing.street.kernels import Walks
from routing.travel_times import TravelQuery, depart, percentiles_s

CHUNK_GOALS = 16_384
"""Destinations whose times at all departures are held at once: 4 MB for an hour."""

Int32 = npt.NDArray[np.int32]
Float64 = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Destinations:
    """Destinations of a matrix with the walks to them: what all its rows share."""

    parts: tuple[tuple[Goals, Walks], ...]


@dataclass(frozen=True, slots=True)
class MatrixRows:
    """Travel times from some origins to all destinations."""

    seconds: Int32
    """Shape (percentile_count, origin_count, destination_count); `FAR`: not reached then."""
    reached_share: Float64
    """Shape (origin_count, destination_count): departures at which the destination is reached."""


def prepare_destinations(
    network: Network, ends: Sequence[Endpoint], query: TravelQuery
) -> Destinations:
    """
    Tie destinations to the streets and find the walks to them from all stops.

    Raises
    ------
    PlaceUnknown
        A stop id that the timetable does not have.
    """
    goals = goals_at(network, ends, query.max_matching_m)
    stops = np.flatnonzero(network.ground.stop_node >= 0).astype(np.int32)
    at_node = walks_from_stops(network, stops, query.max_egress_s)
    parts = [
        goals.rows(first, min(first + CHUNK_GOALS, len(goals)))
        for first in range(0, len(goals), CHUNK_GOALS)
    ]
    return Destinations(
        tuple((part, walks_to(network, part, at_node, query.max_egress_s)) for part in parts)
    )


def matrix_rows(
    network: Network,
    origins: Sequence[Endpoint],
    destinations: Destinations,
    query: TravelQuery,
    *,
    percentiles: Sequence[int],
    limits: Limits,
) -> MatrixRows:
    """
    Find the rows of a matrix: each origin is searched on its own, so any split gives the same.

    Raises
    ------
    PlaceUnknown
        A stop id that the timetable does not have.
    InvalidInput
        A percentile out of bounds.
    """
    count = sum(len(goals) for goals, _ in destinations.parts)
    seconds = np.full((len(percentiles), len(origins), count), FAR, np.int32)
    share = np.zeros((len(origins), count))
    for row, origin in enumerate(origins):
        departed = depart(network, origin, query, limits)
        first = 0
        for goals, walks in destinations.parts:
            part = slice(first, first + len(goals))
            times_s = departed.times_to(goals, walks)
            seconds[:, row, part] = percentiles_s(times_s, percentiles)
            share[row, part] = (times_s < FAR).mean(axis=1)
            first = part.stop
    return MatrixRows(seconds, share)
