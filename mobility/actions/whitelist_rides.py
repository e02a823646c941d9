"""A MOTIS server asks who drives its riders to bus stops, from bus stops, or all the way."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from carpool.nearby import NOT_HERE, Pair, walks_around
from carpool.offers import SEAT_LIMIT
from carpool.quotes import sign_quote
from carpool.timed_rides import (
    BOARD_S,
    DROPOFF,
    NOTHING,
    PICKUP,
    RIDE_S,
    Asked,
    find_timed_rides,
)
from core.errors import InvalidInput
from core.geo import Coordinate
from core.time import day_start_epoch_s
from mobility.actions.search_rides import bookable, metres_of, quote_of
from mobility.world import World
from routing.raptor.flexible import IN_SEGMENT, MEETING_POINT

Int32 = npt.NDArray[np.int32]
WALK_S = 900
"""Longest walk between a place and a meeting point."""
WAIT_S = 1_200
"""How much sooner than asked for one is at a stop, or later leaves it: twenty minutes."""
RIDES_AT_A_TIME = 5
"""Rides that one time is answered with: those nearest to it."""
DATES_LIMIT = 4
"""Dates of all times of one request."""


@dataclass(frozen=True, slots=True)
class TimedStop:
    """A place other than the rider's own, and the epoch seconds that are asked of it."""

    place: Coordinate
    times_s: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class TimedRide:
    """By when a rider leaves on foot, when he is there on foot, and the quote in between."""

    leave_s: int
    arrive_s: int
    quote: str


Rides = list[list[TimedRide]]
"""One list for each time."""


class RideWhitelist:
    """
    Answers one request on one world.

    Parameters
    ----------
    seats
        How many travel together; 0 where no driver takes them.
    """

    def __init__(self, world: World, seats: int, *, now: dt.datetime) -> None:
        self._world, self._seats, self._now = world, seats, now
        self._metres: dict[tuple[int, int, int], int] = {}
        self._quotes: dict[tuple[int, dt.date, int, int, int], str] = {}

    def to_stops(self, start: Coordinate, stops: Sequence[TimedStop]) -> list[Rides]:
        """Rides by which one is at each stop by each time."""
        self._check_dates(stops)
        walk_s = self._walks(start, stops, towards=False)
        return [
            self._rides(
                stop, walk_s, self._walks(stop.place, (stop,), towards=True), by_arrival=True
            )
            for stop in stops
        ]

    def from_stops(self, stops: Sequence[TimedStop], end: Coordinate) -> list[Rides]:
        """Rides by which one leaves each stop at each time."""
        self._check_dates(stops)
        walk_s = self._walks(end, stops, towards=True)
        return [
            self._rides(
                stop, self._walks(stop.place, (stop,), towards=False), walk_s, by_arrival=False
            )
            for stop in stops
        ]

    def _walks(
        self, place: Coordinate, stops: Sequence[TimedStop], *, towards: bool
    ) -> Int32 | None:
        """Walks between a place and the meeting points; None where nothing is asked of it."""
        if not any(stop.times_s for stop in stops) or not 1 <= self._seats <= SEAT_LIMIT:
            return None
        walk_s = walks_around(self._world.network, place, WALK_S, towards=towards)
        return walk_s if (walk_s != NOT_HERE).any() else None

    def _check_dates(self, stops: Sequence[TimedStop]) -> None:
        if len({date for stop in stops for date in self._by_date(stop.times_s)}) > DATES_LIMIT:
            raise InvalidInput(f"times: of {DATES_LIMIT} dates at most")

    def _by_date(self, times_s: Sequence[int]) -> dict[dt.date, list[int]]:
        """Rows of times by their dates on the clock of the territory."""
        zone, rows = self._world.network.zone, defaultdict(list)
        for row, time_s in enumerate(times_s):
            rows[dt.datetime.fromtimestamp(time_s, zone).date()].append(row)
        return rows

    def _rides(
        self,
        stop: TimedStop,
        walk_to_s: Int32 | None,
        walk_from_s: Int32 | None,
        *,
        by_arrival: bool,
    ) -> Rides:
        answer: Rides = [[] for _ in stop.times_s]
        if walk_to_s is None or walk_from_s is None:
            return answer
        for date, rows in self._by_date(stop.times_s).items():
            base_s = day_start_epoch_s(date, self._world.network.zone)
            asked = Asked(
                walk_to_s,
                walk_from_s,
                np.array([stop.times_s[row] - base_s for row in rows], np.int32),
                np.bool_(by_arrival),
                np.int32(self._seats),
                np.int32(WAIT_S),
            )
            for row, rides in zip(rows, self._on_date(date, base_s, asked), strict=True):
                answer[row] = rides
        return answer

    def _on_date(self, date: dt.date, base_s: int, asked: Asked) -> Iterator[list[TimedRide]]:
        """Rides of each time asked for, the best first."""
        world = self._world
        rides, bodies = world.rides_on(date), world.flexible.bodies
        drive_s = world.network.ground.drive_s
        own = world.is_own[rides.offer]
        looked, found = find_timed_rides(bodies, rides, drive_s, asked, own)
        points = bodies.candidates[:, MEETING_POINT]
        for time in range(len(asked.time_s)):
            best: dict[tuple[str, int], tuple[tuple[int, int], int, npt.NDArray[np.int32]]] = {}
            for k in np.flatnonzero(found[:, time, PICKUP] != NOTHING).tolist():
                hit, ride = found[k, time], int(looked[k])
                board_s = int(hit[BOARD_S])
                if not bookable(base_s + board_s, self._now):
                    continue
                leave_s = board_s - int(asked.walk_to_s[points[hit[PICKUP]]])
                arrive_s = board_s + int(hit[RIDE_S]) + int(asked.walk_from_s[points[hit[DROPOFF]]])
                rank = (-leave_s, arrive_s) if asked.by_arrival else (arrive_s, -leave_s)
                # Parts of one booked ride are one car.
                key = world.offers[rides.offer[ride]].id, int(rides.day[ride])
                if key not in best or rank < best[key][0]:
                    best[key] = rank, ride, hit
            ordered = sorted(best.items(), key=lambda item: (item[1][0], item[0]))
            yield [
                self._timed(date, base_s, asked, ride, hit)
                for _, (_, ride, hit) in ordered[:RIDES_AT_A_TIME]
            ]

    def _timed(
        self, date: dt.date, base_s: int, asked: Asked, ride: int, hit: npt.NDArray[np.int32]
    ) -> TimedRide:
        rides, candidates = self._world.rides_on(date), self._world.flexible.bodies.candidates
        pickup, dropoff, board_s, drive_s = hit.tolist()
        day = date + dt.timedelta(days=int(rides.day[ride]))
        key = int(rides.offer[ride]), day, pickup, dropoff, base_s + board_s
        quote = self._quotes.get(key)
        if quote is None:
            quote = self._quotes[key] = self._quote(*key, drive_s)
        return TimedRide(
            key[-1] - int(asked.walk_to_s[candidates[pickup, MEETING_POINT]]),
            key[-1] + drive_s + int(asked.walk_from_s[candidates[dropoff, MEETING_POINT]]),
            quote,
        )

    def _quote(
        self, row: int, day: dt.date, pickup: int, dropoff: int, pickup_s: int, drive_s: int
    ) -> str:
        """Signed quote of a ride between two candidates of the table of all bodies."""
        world = self._world
        body, candidates = world.bodies[row], world.flexible.bodies.candidates
        rows = [
            int(((body.point == at[MEETING_POINT]) & (body.segment == at[IN_SEGMENT])).argmax())
            for at in (candidates[pickup], candidates[dropoff])
        ]
        pair = Pair(rows[0], rows[1], pickup_s, drive_s, 0)
        way = row, pickup, dropoff
        if way not in self._metres:
            self._metres[way] = metres_of(world, row, pair)
        quote = quote_of(world, row, day, pair, pickup_s, self._metres[way], self._seats)
        return sign_quote(quote, world.quote_key)
