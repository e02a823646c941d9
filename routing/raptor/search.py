"""Checks a search's arguments, picks the arrays for its direction and calls the kernels."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from core.jit import Held, hold
from gtfs_data.rolling import DayTimetable
from gtfs_data.store import frozen
from routing.network import Network
from routing.raptor.door_ends import NO_DOORS, Doors
from routing.raptor.flexible import (
    FlexibleTrips,
    Rides,
    RideScratch,
    RideSearch,
    new_ride_scratch,
)
from routing.raptor.kernels import (
    JOURNEY_COLUMNS,
    JOURNEY_LIMIT,
    RangeScratch,
    departures_within,
    run_rounds,
    search_range,
)
from routing.raptor.labels import ALIGHT, FAR, MAX_VEHICLES, Labels, new_labels, reset_labels
from routing.raptor.many_departures import spread_departures
from routing.raptor.nearer_points import NearerPoints, end_walks
from routing.raptor.ride_bounds import RideBounds
from routing.raptor.ride_lists import find_running, start_lists
from routing.raptor.ride_range import search_ride_range
from routing.raptor.scan import Costs
from routing.raptor.unroll import RawJourney, RawRide, Reach, Surroundings, unrolled
from routing.raptor.unroll_legs import LEG_COLUMNS
from routing.spi import RideWindows
from routing.terrain import Terrain

_thread = threading.local()


class _Scratch(NamedTuple):
    """What one thread searches with: labels without and with rides, and what is found."""

    labels: Labels
    ride_labels: Labels
    rides: RideScratch
    cell_count: int
    starts_s: Int32
    journeys: Int32
    legs: Int32
    plain: Held[RangeScratch]
    """For the search without rides."""


Int32 = npt.NDArray[np.int32]
EVENT_LIMIT = 200_000
"""Departures considered in one window; a big city's day from one place has about 50,000."""

RIDE_STEP_S = 300
"""Over a range, rides are looked for every five minutes: drivers wait within their windows, so that
every minute would find the same rides again."""


@dataclass(frozen=True, slots=True)
class Window:
    """Interval of departures (searching backward: of arrivals) in seconds of the searched day."""

    from_s: int
    until_s: int
    """Equal to `from_s` for a single moment."""


def rides_of(windows: RideWindows) -> Rides:
    """Dated runs as the search reads them."""
    return Rides(
        earliest_s=frozen(windows.earliest_s),
        latest_s=frozen(windows.latest_s),
        offer=frozen(windows.offer),
        day=frozen(windows.day),
        body=frozen(windows.body),
        by_earliest=frozen(np.argsort(windows.earliest_s, kind="stable").astype(np.int32)),
        by_latest=frozen(np.argsort(-windows.latest_s, kind="stable").astype(np.int32)),
    )


def no_rides() -> Rides:
    """Rides of a world without offers."""
    none = np.zeros(0, np.int32)
    return rides_of(RideWindows(none, none, none, none, none))


def _ride_steps(span: Window) -> Int32:
    """Moments from which rides are looked for, the last first; of a window its end, too."""
    steps_s = np.arange(span.from_s, span.until_s + 1, RIDE_STEP_S, dtype=np.int32)[::-1]
    if steps_s[0] != span.until_s:
        steps_s = np.r_[span.until_s, steps_s].astype(np.int32)
    return steps_s


@dataclass(frozen=True, slots=True)
class Search:
    """One search as the kernels need it; `run` may be called with several windows."""

    network: Network
    terrain: Terrain
    flexible: FlexibleTrips
    rides: Rides
    access: Reach
    egress: Reach
    arrive_by: bool
    max_vehicles: int
    seats: int
    """0 leaves flexible trips out."""
    direct_s: int | None
    carpool_change_s: int
    pickup_stop_s: int
    changes_anywhere: bool = True
    """Whether one may change at other stops than the search has found."""
    doors: Doors = NO_DOORS
    """Where drivers fetch the rider himself, and let him out at the goal itself."""

    @property
    def is_open(self) -> bool:
        """Whether one gets anywhere from the start, and to the goal from anywhere."""
        start = len(self.access.node) > 0 or self.doors.origin is not None
        return start and (len(self.egress.node) > 0 or self.doors.destination is not None)

    def run(self, window: Window) -> list[RawJourney]:
        """Best journeys by departure, arrival and number of vehicles, in forward order."""
        terrain, forward = self.terrain, not self.arrive_by
        ground, bounds = self.network.ground, self.network.bounds
        walks = terrain.point_walks, terrain.point_walks_back
        tables = bounds.to_s, bounds.to_vehicles
        start, goal, span = self.access, self.egress, window
        if not forward:
            walks = walks[1], walks[0]
            tables = bounds.from_s, bounds.from_vehicles
            start, goal = goal, start
            span = Window(-window.until_s, -window.from_s)
        day = terrain.day if forward else terrain.day_back
        scratch = self._scratch(day)
        starts_s, after_end = self._starts(day, start, span, scratch), span.from_s < span.until_s
        rows = min(self.max_vehicles, MAX_VEHICLES) + 1
        costs, stops, access = self._costs(), terrain.stop_count, start.walks
        goals_s = np.empty((len(starts_s), MAX_VEHICLES + 1), np.int32)
        count = search_range(
            terrain.ground if forward else terrain.ground_back, scratch.plain, costs, *tables,
            access, goal.node, goal.seconds, starts_s, after_end,
            FAR if self.direct_s is None else self.direct_s, rows, stops, forward, goals_s,
        )  # fmt: skip
        if self.seats > 0 and len(self.rides.body) > 0:
            steps_s = _ride_steps(span)
            by_then = np.searchsorted(-starts_s, -steps_s, side="right") - 1
            riding = self._riding(scratch.rides)
            count = search_ride_range(
                day, *walks, costs, self._ride_bounds(forward), scratch.labels,
                scratch.ride_labels, access, goal.node, goal.seconds, steps_s, after_end,
                goals_s[by_then], rows, stops, self.seats, forward, scratch.journeys,
                scratch.legs, count, riding,
            )  # fmt: skip
        around = Surroundings(self.flexible.bodies, self.rides, self.carpool_change_s, self.doors)
        found = scratch.journeys[:count].tolist()
        journeys = [
            unrolled(around, access_s, scratch.legs[i, :leg_count].tolist(), forward=forward)
            for i, (leg_count, access_s) in enumerate(found)
        ]
        if not any(isinstance(leg, RawRide) for journey in journeys for leg in journey.legs):
            return journeys
        points = NearerPoints(
            self.flexible.bodies, self.rides, ground.drive_s, terrain.point_walks,
            terrain.point_walks_back, terrain.change_s,
            *end_walks(self.access, self.egress, self.doors, terrain.stop_count, ground.drive_s),
            self.pickup_stop_s, terrain.stop_count, self.arrive_by,
            self.network.timetable if self.changes_anywhere else None,
            self.doors,
        )  # fmt: skip
        return [self._still_inside(window, points.better(j), j) for j in journeys]

    def _still_inside(self, window: Window, better: RawJourney, found: RawJourney) -> RawJourney:
        """The better of two forms of a journey, unless another window is to answer with it."""
        outside = (
            better.end_s <= window.from_s if self.arrive_by else better.start_s >= window.until_s
        )
        return found if outside and window.from_s < window.until_s else better

    def reach_stops(self, at_s: int, most_s: int) -> Int32:
        """
        Least seconds to every stop (searching backward: from it) with at most so many vehicles.

        `access` (backward: `egress`) is the one place; the other side is not read.

        Returns
        -------
        Shape (vehicles + 1, stop_count); `FAR` where that takes longer than `most_s`.
        """
        terrain, forward = self.terrain, not self.arrive_by
        seats = self.seats if len(self.rides.body) else 0
        day = terrain.day if forward else terrain.day_back
        plain, with_points = (
            (terrain.walks, terrain.point_walks)
            if forward
            else (terrain.walks_back, terrain.point_walks_back)
        )
        walks = with_points if seats > 0 else plain
        start = self.access if forward else self.egress
        start_s = at_s if forward else -at_s
        rows = min(self.max_vehicles, MAX_VEHICLES) + 1
        scratch = self._scratch(day)
        labels = scratch.labels
        reset_labels(labels, rows, start.node[:0], start.seconds[:0])
        # A ride is left when no change fits in any more, but one may still walk from it.
        labels.goal_s[:rows] = start_s + most_s + 1 + self.carpool_change_s
        riding = None
        if seats > 0:
            riding = self._riding(scratch.rides)
            every_point = np.arange(terrain.stop_count, terrain.node_count, dtype=np.int32)
            find_running(riding, start_s, FAR, seats, forward)
            start_lists(riding, start.node, frozen(every_point), terrain.stop_count)
        run_rounds(
            day, walks, self._costs(), labels, start.walks, 0, start_s, rows,
            terrain.stop_count, forward, riding,
        )  # fmt: skip
        reached = np.full((rows, terrain.node_count), FAR, np.int32)
        np.minimum.at(reached[0], start.node, start.seconds)
        walk_from = np.repeat(np.arange(len(walks.first) - 1), np.diff(walks.first))
        for row in range(1, rows):
            alight_s = labels.time_s[ALIGHT + row]
            there = alight_s < FAR
            reached[row] = np.minimum(np.where(there, alight_s - start_s, FAR), reached[row - 1])
            walked = there[walk_from]
            walk_s = walks.seconds[walked] + alight_s[walk_from[walked]] - start_s
            np.minimum.at(reached[row], walks.to[walked], walk_s)
        return np.where(reached <= most_s, reached, FAR)[:, : terrain.stop_count]

    def alight_times(self, starts_s: Int32, most_s: int) -> Int32:
        """
        Least seconds from each departure to getting out at every stop, without rides.

        `starts_s` ascends, in seconds of the searched day; `access` is the one place.

        Returns
        -------
        Shape (stop_count, departure_count); `FAR` where that takes longer than `most_s`.
        """
        assert not self.arrive_by
        assert self.seats == 0
        terrain = self.terrain
        rows = min(self.max_vehicles, MAX_VEHICLES) + 1
        out_s = np.full((terrain.stop_count, len(starts_s)), FAR, np.int32)
        if rows > 1:
            scratch = self._scratch(terrain.day)
            reset_labels(scratch.labels, rows, self.access.node[:0], self.access.seconds[:0])
            spread_departures(
                terrain.day, terrain.walks, self._costs(), scratch.labels,
                self.access.walks, starts_s, most_s, rows, terrain.stop_count, out_s,
            )  # fmt: skip
        return out_s

    def _starts(self, day: DayTimetable, start: Reach, span: Window, scratch: _Scratch) -> Int32:
        """Times at which to leave, the last first; of a window its end, which is outside."""
        if span.until_s == span.from_s:
            return np.array([span.from_s], np.int32)
        out = scratch.starts_s
        count = departures_within(
            day, start.node, start.seconds, span.from_s, span.until_s, self.terrain.stop_count, out
        )
        starts_s: Int32 = np.r_[span.until_s, np.unique(out[:count])[::-1]].astype(np.int32)
        return starts_s

    def _costs(self) -> Costs:
        return Costs(self.terrain.change_s, self.pickup_stop_s, self.terrain.onward_256)

    def _riding(self, scratch: RideScratch) -> RideSearch:
        ground, coarse, forward = self.network.ground, self.network.coarse, not self.arrive_by
        return RideSearch(
            self.flexible.bodies,
            self.rides,
            ground.drive_s if forward else ground.drive_back_s,
            coarse.point_cell,
            coarse.drive_from_s if forward else coarse.drive_to_s,
            scratch,
            self.doors.scan(len(self.flexible.bodies.solo_s), forward=forward),
        )

    def _ride_bounds(self, forward: bool) -> RideBounds:
        network, coarse = self.network, self.network.coarse
        ground, stops = network.ground, network.stop_count
        return RideBounds(
            ground.drive_back_s if forward else ground.drive_s,
            coarse.point_cell,
            coarse.drive_to_s if forward else coarse.drive_from_s,
            coarse.stop_cell,
            coarse.ride_to_s if forward else coarse.ride_from_s,
            coarse.stop_to_s if forward else coarse.stop_from_s,
            coarse.point_to_s if forward else coarse.point_from_s,
            np.empty(network.node_count - stops, np.int32),
            np.empty(stops, np.int32),
        )

    def _scratch(self, day: DayTimetable) -> _Scratch:
        """Scratch of the calling thread, kept between searches of one network size."""
        patterns = len(day.first_stop) - 1
        stops, nodes = self.terrain.stop_count, self.terrain.node_count
        bound_cells = len(self.network.coarse.drive_to_s) if len(self.rides.body) else 0
        kept: _Scratch | None = getattr(_thread, "scratch", None)
        if (
            kept is None
            or len(kept.labels.egress) != nodes
            or kept.labels.scanned.shape[1] != nodes - stops
            or len(kept.labels.queued_from) < patterns
            or len(kept.rides.near_cell) < self.flexible.cell_count
            or len(kept.rides.drive_s) < self.flexible.largest_body
            or len(kept.rides.soonest_s) < bound_cells
            or len(kept.rides.running) < len(self.rides.body)
            or len(kept.rides.listed_first) < len(self.flexible.bodies.solo_s)
            or kept.rides.listed.shape[1] < len(self.flexible.bodies.candidates)
            or kept.cell_count != len(self.network.bounds.to_s)
        ):
            labels = new_labels(stops, nodes - stops, patterns)
            cell_count = len(self.network.bounds.to_s)
            best_s = np.empty((2, cell_count), np.int32)
            journeys = np.empty((JOURNEY_LIMIT, JOURNEY_COLUMNS), np.int32)
            legs = np.empty((JOURNEY_LIMIT, MAX_VEHICLES, LEG_COLUMNS), np.int32)
            kept = _thread.scratch = _Scratch(
                labels,
                new_labels(stops, nodes - stops, patterns),
                new_ride_scratch(
                    self.flexible, len(self.rides.body), stops, nodes - stops, bound_cells
                ),
                cell_count,
                np.empty(EVENT_LIMIT, np.int32),
                journeys,
                legs,
                hold(RangeScratch(best_s, labels, journeys, legs)),
            )
        return kept
