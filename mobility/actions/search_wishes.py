"""Another operator looks for riders: wishes whose riders agreed to be shown, at places nearby."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from carpool.compile import STREET_LIMIT_M
from carpool.offers import WEEKDAYS
from carpool.wishes import Direction, Times
from core.geo import Coordinate, distance_m
from core.time import DAY_S, day_start_epoch_s
from mobility.actions.search_rides import DATES_AHEAD, DAYS_AHEAD, SHIFTS_S, Around
from mobility.db.wishes import SharedWish
from mobility.mapping.found import FoundWish, FoundWishTrip
from mobility.world import World

DRIVE_LIMIT_S = 4 * 3_600
"""Nobody carpools for longer within a territory."""


@dataclass(frozen=True, slots=True)
class _Way:
    """One way of a wish, and how long a driver takes for it."""

    shared: SharedWish
    direction: Direction
    times: Times
    start: Coordinate
    end: Coordinate
    drive_s: int
    metres: int

    def pickup_s(self, wanted_s: int) -> int:
        """Pick-up nearest to a time that is neither too soon nor too late; seconds of the day."""
        latest_s = max(self.times.arrive_by_s - self.drive_s, self.times.leave_from_s)
        return min(max(wanted_s, self.times.leave_from_s), latest_s)

    def on(self, date: dt.date, pickup_s: int) -> FoundWish:
        """The way on a date."""
        return FoundWish(
            self.shared, self.direction, self.start, self.end, self.drive_s, self.metres, date,
            pickup_s,
        )  # fmt: skip


def search_wishes(
    world: World, wishes: Sequence[SharedWish], around: Around, at: dt.datetime, *, now: dt.datetime
) -> list[FoundWish]:
    """Wishes around a moment, those nearest in time first."""
    zone, wanted_s = world.network.zone, int(at.timestamp())
    found = []
    for way in _ways(world, wishes, around):
        for offset in (-1, 0, 1):
            date = at.astimezone(zone).date() + dt.timedelta(days=offset)
            base_s = day_start_epoch_s(date, zone)
            pickup_s = base_s + way.pickup_s(wanted_s - base_s)
            apart_s = abs(pickup_s - wanted_s)
            in_time = apart_s <= around.delta_s and pickup_s > now.timestamp()
            if in_time and way.shared.wish.is_on(date):
                found.append((apart_s, way.on(date, pickup_s)))
    found.sort(key=lambda of: (of[0], of[1].shared.wish.id, of[1].direction, of[1].date))
    return [wish for _, wish in found[: around.count]]


def search_wish_trips(
    world: World,
    wishes: Sequence[SharedWish],
    around: Around,
    clock_s: int,
    weekdays: frozenset[str],
    dates: tuple[dt.date, dt.date],
    *,
    now: dt.datetime,
) -> list[FoundWishTrip]:
    """Recurring wishes around a time of day, those nearest to it first."""
    found = []
    for way in _ways(world, wishes, around):
        if way.shared.wish.valid_from == way.shared.wish.valid_to:
            continue
        pickups = [(way.pickup_s(clock_s + s), clock_s + s) for s in SHIFTS_S]
        apart_s, pickup_s = min((abs(pickup_s - s), pickup_s) for pickup_s, s in pickups)
        trip = _trip(world, way, pickup_s, weekdays, dates, now)
        if apart_s <= around.delta_s and trip is not None:
            found.append((apart_s, str(way.shared.wish.id), way.direction, trip))
    found.sort(key=lambda of: of[:3])
    return [trip for *_, trip in found[: around.count]]


def _trip(
    world: World,
    way: _Way,
    pickup_s: int,
    weekdays: frozenset[str],
    dates: tuple[dt.date, dt.date],
    now: dt.datetime,
) -> FoundWishTrip | None:
    zone, wish = world.network.zone, way.shared.wish
    days_on, clock_s = divmod(pickup_s, DAY_S)
    shift = dt.timedelta(days=days_on)
    runs = [WEEKDAYS[(i + days_on) % 7] for i, day in enumerate(WEEKDAYS) if day in wish.weekdays]
    wanted = tuple(day for day in WEEKDAYS if day in runs and day in weekdays)
    first = max(dates[0], now.astimezone(zone).date(), wish.valid_from + shift)
    found: list[FoundWish] = []
    for i in range(min((dates[1] - first).days + 1, DAYS_AHEAD)):
        day = first + dt.timedelta(days=i)
        at_s = day_start_epoch_s(day - shift, zone) + pickup_s
        later = at_s > now.timestamp() and len(found) < DATES_AHEAD
        if later and wish.is_on(day - shift) and WEEKDAYS[day.weekday()] in wanted:
            found.append(way.on(day - shift, at_s))
    return FoundWishTrip(tuple(found), wanted, clock_s) if found else None


def _ways(world: World, wishes: Sequence[SharedWish], around: Around) -> Iterator[_Way]:
    """Ways of wishes that lead from around one place to around the other."""
    network = world.network
    for shared in wishes:
        for direction, times in shared.wish.directions():
            start, end = shared.start, shared.end
            if direction is Direction.BACK:
                start, end = end, start
            if (
                distance_m(around.start, start) > around.start_radius_m
                or distance_m(around.end, end) > around.end_radius_m
            ):
                continue
            ends = [network.find_snapped("car", place, STREET_LIMIT_M) for place in (start, end)]
            if ends[0] is None or ends[1] is None:
                continue
            route = network.find_route("car", ends[0], ends[1], DRIVE_LIMIT_S)
            if route is not None:
                metres, drive_s = round(route.metres), route.seconds
                yield _Way(shared, direction, times, start, end, drive_s, metres)
