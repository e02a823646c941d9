"""
Travel times from one place to many, for every minute of a window of departures.

By public transport and on foot, as the planner travels: the time from a departure to a goal is that
of the planner's best arrival, whether by walking all the way or with vehicles.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from core.errors import InvalidInput
from core.modes import TRANSIT_MODES, Mode
from core.time import day_start_epoch_s
from gtfs_data.days import date_of_day_number, day_number
from routing.ends import reach_on_foot, tie_end
from routing.goals import Goals
from routing.kernels import walk_from_stops
from routing.network import Network
from routing.query import DAY_S, Endpoint, Limits
from routing.raptor.body_table import no_flexible_trips
from routing.raptor.labels import FAR
from routing.raptor.search import Search, no_rides
from routing.raptor.unroll import Reach
from routing.street.access import Snapped, seconds_along_edge, ties
from routing.street.kernels import NO_EDGE, NO_GOAL, Walks, search_within
from routing.street.straight import straight_seconds
from routing.terrain import Conditions

STEP_S = 60
"""A rider leaves by the minute."""
TRAVEL_LIMIT_S = 6 * 3600
"""Longest travel time that is looked for; days are laid out for searches to two days ahead."""

Int32 = npt.NDArray[np.int32]


class NoServiceOnDate(InvalidInput):
    """No feed says anything about the date: a study of walks alone is hardly what was meant."""

    code = "no_service_on_date"


@dataclass(frozen=True, slots=True)
class TravelQuery:
    """How one travels, and when. Defaults are those of `PlanQuery`."""

    depart_at: dt.datetime
    """Aware instant of the first departure."""
    window_s: int = 0
    """Departures are each minute from `depart_at` on, before so many seconds have passed."""
    most_s: int = 2 * 3600
    """Longest travel time of interest."""
    max_vehicles: int = 8
    transit_modes: frozenset[Mode] = TRANSIT_MODES
    max_access_s: int = 900
    max_egress_s: int = 900
    max_direct_s: int = 1800
    max_matching_m: float = 250
    min_change_s: int = 0

    def __post_init__(self) -> None:
        if not 0 <= self.window_s <= DAY_S:
            raise InvalidInput(f"a window of {self.window_s} s: 0 to {DAY_S} is expected")
        if not 0 < self.most_s <= TRAVEL_LIMIT_S:
            raise InvalidInput(
                f"travel times up to {self.most_s} s: 1 to {TRAVEL_LIMIT_S} is expected"
            )

    @property
    def departure_count(self) -> int:
        """Minutes of the window; 1 without one."""
        return max(-(-self.window_s // STEP_S), 1)


@dataclass(frozen=True, slots=True)
class Departed:
    """What leaving one place leads to, before the last walk."""

    network: Network
    query: TravelQuery
    origin: Endpoint
    snapped: Snapped | None
    alight_s: Int32
    """Shape (stop_count, departure_count): seconds to getting out, or `FAR`."""
    walked_s: Int32
    """Shape (street_nodes,): seconds on foot all the way, or `FAR`; empty without streets."""

    @property
    def reached(self) -> Int32:
        """Rows of the stops at which one gets out."""
        return np.flatnonzero((self.alight_s < FAR).any(axis=1)).astype(np.int32)

    def times_to(self, goals: Goals, walks: Walks) -> Int32:
        """
        Least seconds to each goal at each departure.

        `walks` are those to the goals from stops; see `routing.goals.walks_to`.

        Returns
        -------
        Shape (goal_count, departure_count); `FAR` where it takes longer than `query.most_s`.
        """
        count = self.alight_s.shape[1]
        times_s = np.repeat(self._on_foot(goals)[:, None], count, axis=1)
        walk_from_stops(self.alight_s, walks, times_s)
        times_s[times_s > self.query.most_s] = FAR
        return times_s

    def _on_foot(self, goals: Goals) -> Int32:
        """Shape (goal_count,): seconds of the walk all the way, or `FAR` beyond its limit."""
        network = self.network
        if self.snapped is None:
            return np.full(len(goals), FAR, np.int32)
        if network.has_streets:
            far = np.append(self.walked_s, np.int32(FAR))  # at NO_NODE, the last
            walk_s = (far[goals.end_node] + goals.end_s).min(axis=1)
            for row in np.flatnonzero((goals.edge == self.snapped.edge) & (goals.edge != NO_EDGE)):
                walk_s[row] = min(walk_s[row], self._along_edge(goals.place(int(row))))
        else:
            place = self.snapped.coordinate
            walk_s = straight_seconds(
                place.lat, place.lon, goals.lat, goals.lon, network.speeds.foot_mps
            )
        return np.where(walk_s <= self.query.max_direct_s, walk_s, FAR).astype(np.int32)

    def _along_edge(self, goal: Snapped) -> int:
        assert self.snapped is not None
        seconds = seconds_along_edge(self.network.streets, "foot", self.snapped, goal)
        if seconds is None:
            return FAR
        mps = self.network.speeds.foot_mps
        return seconds + round(self.snapped.away_m / mps) + round(goal.away_m / mps)


def depart(network: Network, origin: Endpoint, query: TravelQuery, limits: Limits) -> Departed:
    """
    Leave a place at every minute of the window: one search for all of them.

    Raises
    ------
    PlaceUnknown
        A stop id that the timetable does not have.
    NoServiceOnDate
        The timetable begins later or has ended.
    """
    date = query.depart_at.astimezone(network.zone).date()
    _check_date(network, date)
    from_s = int(query.depart_at.timestamp()) - day_start_epoch_s(date, network.zone)
    snapped, stops = tie_end(network, origin, query.max_matching_m)
    walk_s = min(query.max_access_s, query.most_s)
    conditions = Conditions(
        transit_modes=query.transit_modes, change_s=max(limits.change_s, query.min_change_s)
    )
    search = Search(
        network=network,
        terrain=network.terrain(date, conditions),
        flexible=no_flexible_trips(),
        rides=no_rides(),
        access=reach_on_foot(network, snapped, stops, walk_s, carpool=False),
        egress=Reach(np.zeros(0, np.int32), np.zeros(0, np.int32)),
        arrive_by=False,
        max_vehicles=query.max_vehicles,
        seats=0,
        direct_s=None,
        carpool_change_s=limits.carpool_change_s,
        pickup_stop_s=limits.pickup_stop_s,
    )
    starts_s = from_s + STEP_S * np.arange(query.departure_count, dtype=np.int32)
    alight_s = search.alight_times(starts_s.astype(np.int32), query.most_s)
    return Departed(network, query, origin, snapped, alight_s, _walked(network, snapped, query))


def _check_date(network: Network, date: dt.date) -> None:
    t = network.timetable
    known = t.feed_last_day >= t.feed_first_day
    if not known.any():
        raise NoServiceOnDate("no vehicle of any feed runs on any day")
    first, last = t.feed_first_day[known].min(), t.feed_last_day[known].max()
    if not first <= day_number(date) <= last:
        span = " to ".join(str(date_of_day_number(int(day))) for day in (first, last))
        raise NoServiceOnDate(f"no timetable for {date}: the territory's feeds hold {span}")


def _walked(network: Network, snapped: Snapped | None, query: TravelQuery) -> Int32:
    walked_s = np.full(network.streets.node_count, FAR, np.int32)
    if snapped is not None and network.has_streets:
        tied = ties(
            network.streets, "foot", snapped, leaving=True,
            off_street_mps=network.speeds.foot_mps,
        )  # fmt: skip
        arena, limit_s = network.arena(), min(query.max_direct_s, query.most_s)
        count = search_within(
            network.arcs["foot"], tied.node, tied.seconds, limit_s, NO_GOAL, NO_GOAL, arena
        )
        settled = arena.settled[:count]
        walked_s[settled] = arena.seconds[settled]
    return walked_s


def percentiles_s(times_s: Int32, percentiles: Sequence[int]) -> Int32:
    """
    Times that are not exceeded at so many percent of the departures (nearest rank).

    A departure at which a goal is not reached counts as one of endless time, so no median says that
    a place is well served which is out of reach most of the hour.

    Parameters
    ----------
    times_s
        Shape (goal_count, departure_count).

    Returns
    -------
    Shape (len(percentiles), goal_count); `FAR` where the goal is not reached then.
    """
    if not all(0 < p <= 100 for p in percentiles):
        raise InvalidInput(f"percentiles {list(percentiles)}: whole numbers 1 to 100 are expected")
    ranks = [-(-p * times_s.shape[1] // 100) - 1 for p in percentiles]
    ordered = np.partition(times_s, sorted(set(ranks)), axis=1)
    return np.ascontiguousarray(ordered[:, ranks].T)
