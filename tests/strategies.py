"""
Random small worlds for Hypothesis: as plain values for an oracle, and as the arrays of a search.

Times lie close together on purpose: ties, missed connections by a hair and equal arrivals are
where searches go wrong.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, cast
from zoneinfo import ZoneInfo

import numpy as np
from hypothesis import strategies as st

from core.modes import TRANSIT_MODES
from gtfs_data.calendar import day_number
from gtfs_data.patterns import CAN_ALIGHT, CAN_BOARD
from gtfs_data.rolling import DayTimetable, roll_days
from routing.network import Network, mirrored
from routing.raptor.search import Body, Search, flexible_trips, rides_of
from routing.raptor.unroll import Reach
from routing.spi import RideWindow
from routing.street.kernels import Walks
from tests.oracles.raptor_oracle import PlainCandidate, PlainRide, PlainTrip, PlainWorld

DATE = dt.date(2026, 3, 10)
DAY_S = 86_400
OPENING_S = 8 * 3600
"""Everything happens in the hour or two after eight, far from the day's ends."""
CARPOOL_CHANGE_S = 300
TRANSFER_AT_STOP = 2


@dataclass(frozen=True)
class RandomTrip:
    """A trip of a pattern; a late one belongs to yesterday's service and passes midnight."""

    plain: PlainTrip
    pattern: int
    late: bool


@dataclass(frozen=True)
class RandomWorld:
    """One world in two forms; see `plain` and `search`."""

    stop_count: int
    point_count: int
    patterns: tuple[tuple[tuple[int, ...], tuple[int, ...]], ...]
    """Stops and flags of each pattern."""
    trips: tuple[RandomTrip, ...]
    walks: dict[tuple[int, int], int]
    """From stop to stop."""
    point_walks: dict[tuple[int, int], int]
    """Between stops and meeting points."""
    bodies: tuple[PlainRide, ...]
    """Compiled offers; their windows stand in `windows`."""
    windows: tuple[tuple[int, int, int], ...]
    """Body, earliest, latest."""
    drive_s: dict[tuple[int, int], int]
    access: dict[int, int]
    egress: dict[int, int]
    change_s: int
    stop_change_s: dict[int, int]
    """Stops at which transfers.txt asks for more time."""
    pickup_stop_s: int
    direct_s: int | None
    most: int
    seats: int
    at_s: int

    @property
    def rides(self) -> tuple[PlainRide, ...]:
        """Dated runs, in the order in which the search numbers them."""
        return tuple(
            PlainRide(
                self.bodies[b].candidates, self.bodies[b].segment_s, self.bodies[b].budget_s,
                first_s, last_s, self.bodies[b].seat_count,
            )
            for b, first_s, last_s in sorted(self.windows, key=lambda w: (w[0], w[1]))
        )  # fmt: skip

    @property
    def change_at_s(self) -> list[int]:
        """Time for a change by node."""
        stops = [
            max(self.change_s, self.stop_change_s.get(i, 0)) for i in range(self.stop_count)
        ]
        return stops + [CARPOOL_CHANGE_S] * self.point_count

    def plain(self) -> PlainWorld:
        """For the oracle."""
        return PlainWorld(
            node_count=self.stop_count + self.point_count,
            trips=tuple(trip.plain for trip in self.trips),
            walks={**self.walks, **self.point_walks},
            rides=self.rides,
            drive_s=self.drive_s,
            change_s=self.change_at_s,
            stop_s=self.pickup_stop_s,
        )

    def search(self, *, arrive_by: bool = False, seats: int | None = None) -> Search:
        """For the kernels, through the wrapper that the planner uses."""
        bodies = [_body(body, self.stop_count) for body in self.bodies]
        windows = [RideWindow(b, b, 0, first, last) for b, first, last in self.windows]
        return Search(
            network=self._network(),
            date=DATE,
            flexible=flexible_trips(bodies, self.point_count),
            rides=rides_of(windows, len(bodies)),
            access=_reach(self.access),
            egress=_reach(self.egress),
            arrive_by=arrive_by,
            max_vehicles=self.most,
            seats=self.seats if seats is None else seats,
            direct_s=self.direct_s,
            change_s=self.change_s,
            carpool_change_s=CARPOOL_CHANGE_S,
            pickup_stop_s=self.pickup_stop_s,
            transit_modes=TRANSIT_MODES,
        )

    def _network(self) -> Network:
        """Stand in for a network with what a search reads of it."""
        node_count = self.stop_count + self.point_count
        both = {**self.walks, **self.point_walks}
        drive = np.zeros((self.point_count, self.point_count), np.uint16)
        for (a, b), seconds in self.drive_s.items():
            drive[a - self.stop_count, b - self.stop_count] = seconds
        table = self._timetable()
        day = roll_days(cast("Any", table), DATE, ZoneInfo("UTC"))
        days: tuple[DayTimetable, DayTimetable] = day, mirrored(day)
        ground = SimpleNamespace(
            walks=_csr(self.walks, node_count),
            walks_back=_csr(_turned(self.walks), node_count),
            point_walks=_csr(both, node_count),
            point_walks_back=_csr(_turned(both), node_count),
            drive_s=drive,
            drive_back_s=np.ascontiguousarray(drive.T),
        )
        network = SimpleNamespace(
            ground=ground,
            timetable=table,
            stop_count=self.stop_count,
            node_count=node_count,
            day=lambda _: days,
        )
        return cast("Network", network)

    def _timetable(self) -> SimpleNamespace:
        """Columns of a `Timetable` that rolling a day out and a search read."""
        sizes = [len(stops) for stops, _ in self.patterns]
        lengths = [len(trip.plain.stops) for trip in self.trips]
        slower = list(self.stop_change_s)

        def events(name: str) -> np.ndarray[Any, Any]:
            times = [
                at_s + DAY_S * trip.late for trip in self.trips for at_s in getattr(trip.plain, name)
            ]
            return np.array(times, np.int32)

        return SimpleNamespace(
            stop_count=self.stop_count,
            feed_zone=["UTC"],
            route_feed=np.zeros(1, np.int32),
            service_first_day=np.array([day_number(DATE) - 1], np.int32),
            service_runs=np.array([[0, 1, 0], [1, 0, 0]], np.uint8),
            trip_service=np.array([int(trip.late) for trip in self.trips], np.int32),
            trip_pattern=np.array([trip.pattern for trip in self.trips], np.int32),
            trip_first_event=np.r_[0, np.cumsum(lengths)].astype(np.int32),
            event_arrival_s=events("arrive_s"),
            event_departure_s=events("depart_s"),
            pattern_route=np.zeros(len(self.patterns), np.int32),
            pattern_first_stop=np.r_[0, np.cumsum(sizes)].astype(np.int32),
            pattern_stop=np.array([s for stops, _ in self.patterns for s in stops], np.int32),
            pattern_flag=np.array([f for _, flags in self.patterns for f in flags], np.uint8),
            transfer_from=np.array(slower, np.int32),
            transfer_to=np.array(slower, np.int32),
            transfer_type=np.full(len(slower), TRANSFER_AT_STOP, np.int32),
            transfer_min_s=np.array(list(self.stop_change_s.values()), np.int32),
        )


def _reach(reached: dict[int, int]) -> Reach:
    return Reach(np.array(list(reached), np.int32), np.array(list(reached.values()), np.int32))


def _turned(walks: dict[tuple[int, int], int]) -> dict[tuple[int, int], int]:
    return {(b, a): seconds for (a, b), seconds in walks.items()}


def _csr(walks: dict[tuple[int, int], int], node_count: int) -> Walks:
    rows = sorted((a, seconds, b) for (a, b), seconds in walks.items())
    counts = np.bincount(np.array([a for a, _, _ in rows], np.int64), minlength=node_count)
    return Walks(
        np.r_[0, np.cumsum(counts)].astype(np.int32),
        np.array([b for _, _, b in rows], np.int32),
        np.array([s for _, s, _ in rows], np.int32),
    )


def _body(ride: PlainRide, stop_count: int) -> Body:
    def column(values: list[int]) -> np.ndarray[Any, Any]:
        return np.array(values, np.int32)

    return Body(
        point=column([c.node - stop_count for c in ride.candidates]),
        from_start_s=column([ride.from_start_s(c) for c in ride.candidates]),
        to_end_s=column([ride.to_end_s(c) for c in ride.candidates]),
        segment=column([c.segment for c in ride.candidates]),
        solo_s=sum(ride.segment_s),
        budget_s=ride.budget_s,
        seat_count=ride.seat_count,
    )


@st.composite
def random_worlds(draw: st.DrawFn, *, rides: bool, unit_s: int = 60) -> RandomWorld:
    """
    Draw a world of up to six stops, with a few meeting points and rides if asked for.

    All times are multiples of `unit_s`.
    """

    def some_s(low: int, high: int) -> int:
        return unit_s * draw(st.integers(low, high))

    def some_walks(
        count: int, starts: st.SearchStrategy[int], ends: st.SearchStrategy[int]
    ) -> dict[tuple[int, int], int]:
        pairs = draw(st.lists(st.tuples(starts, ends), max_size=count, unique=True))
        return {(a, b): some_s(0, 6) for a, b in pairs if a != b}

    stop_count = draw(st.integers(2, 6))
    point_count = draw(st.integers(2, 4)) if rides else 0
    stops = st.integers(0, stop_count - 1)
    nodes = st.integers(0, stop_count + point_count - 1)
    patterns, trips = [], []
    for pattern in range(draw(st.integers(0 if rides else 1, 4))):
        called = tuple(draw(st.lists(stops, min_size=2, max_size=5)))
        flags = tuple(draw(st.sampled_from((3, 3, 3, 1, 2, 0))) for _ in called)
        patterns.append((called, flags))
        for _ in range(draw(st.integers(1, 3))):
            at_s, arrive, depart = OPENING_S + some_s(0, 30), [], []
            for _ in called:
                arrive.append(at_s)
                depart.append(at_s + some_s(0, 1))
                at_s = depart[-1] + some_s(0, 8)
            plain = PlainTrip(
                called,
                tuple(bool(f & CAN_BOARD) for f in flags),
                tuple(bool(f & CAN_ALIGHT) for f in flags),
                tuple(arrive),
                tuple(depart),
            )
            trips.append(RandomTrip(plain, pattern, draw(st.booleans())))
    point_walks: dict[tuple[int, int], int] = {}
    bodies: list[PlainRide] = []
    windows: list[tuple[int, int, int]] = []
    drive_s: dict[tuple[int, int], int] = {}
    if rides:
        points = st.integers(stop_count, stop_count + point_count - 1)
        point_walks = some_walks(4, stops, points) | some_walks(4, points, stops)
        of_points = range(stop_count, stop_count + point_count)
        drive_s = {(a, b): some_s(0, 10) for a in of_points for b in of_points}
        for body in range(draw(st.integers(1, 3))):
            bodies.append(_draw_body(draw, of_points, unit_s))
            for _ in range(draw(st.integers(0, 2))):
                first_s = OPENING_S + some_s(0, 30)
                windows.append((body, first_s, first_s + some_s(0, 15)))
    return RandomWorld(
        stop_count=stop_count,
        point_count=point_count,
        patterns=tuple(patterns),
        trips=tuple(trips),
        walks=some_walks(6, stops, stops),
        point_walks=point_walks,
        bodies=tuple(bodies),
        windows=tuple(windows),
        drive_s=drive_s,
        access={node: some_s(0, 5) for node in draw(st.sets(nodes, min_size=1, max_size=3))},
        egress={node: some_s(0, 5) for node in draw(st.sets(nodes, min_size=1, max_size=3))},
        change_s=some_s(0, 2),
        stop_change_s={stop: some_s(0, 4) for stop in draw(st.sets(stops, max_size=1))},
        pickup_stop_s=some_s(0, 1),
        direct_s=draw(st.none() | st.integers(1, 60).map(lambda n: n * unit_s)),
        most=draw(st.integers(1, 4)),
        seats=draw(st.integers(1, 2)),
        at_s=OPENING_S + some_s(0, 60),
    )


def _draw_body(draw: st.DrawFn, of_points: range, unit_s: int) -> PlainRide:
    segment_s = draw(st.lists(st.integers(1, 12), min_size=1, max_size=3))
    candidates = []
    for segment, own in enumerate(segment_s):
        for node in sorted(draw(st.sets(st.sampled_from(of_points), max_size=len(of_points)))):
            start = draw(st.integers(0, own + 4))
            end = draw(st.integers(max(own - start, 0), own + 4))
            candidates.append(PlainCandidate(node, segment, start * unit_s, end * unit_s))
    return PlainRide(
        candidates=tuple(candidates),
        segment_s=tuple(own * unit_s for own in segment_s),
        budget_s=draw(st.integers(0, 8)) * unit_s,
        earliest_s=0,
        latest_s=0,
        seat_count=draw(st.integers(1, 2)),
    )
