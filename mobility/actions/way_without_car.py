"""How long a rider is on his way without a car: what a seat saves him."""

from __future__ import annotations

import datetime as dt

from carpool.offers import WEEKDAYS
from carpool.wishes import Direction, Wish
from mobility.actions.plan_itineraries import plan_itineraries
from mobility.world import World
from routing.query import Endpoint, PlanQuery

LOOK_AHEAD_S = 3_600
"""Departures that are compared."""


def without_car_s(world: World, wish: Wish, direction: Direction, today: dt.date) -> int | None:
    """
    Shortest time by timetable and on foot on a wish's first day, or None if none is in time.

    Of a day that no timetable tells about, it is all the time that the rider has.
    """
    times = dict(wish.directions())[direction]
    date = max(wish.valid_from, today)
    while WEEKDAYS[date.weekday()] not in wish.weekdays:
        date += dt.timedelta(days=1)
    first, last = world.network.service_span
    if not first <= date <= last:
        return times.arrive_by_s - times.leave_from_s
    ends = (wish.start, wish.end) if direction is Direction.OUT else (wish.end, wish.start)
    midnight = dt.datetime.combine(date, dt.time(), world.network.zone)
    leave_at = midnight + dt.timedelta(seconds=times.leave_from_s)
    arrive_by = midnight + dt.timedelta(seconds=times.arrive_by_s)
    query = PlanQuery(
        Endpoint(ends[0]), Endpoint(ends[1]), leave_at, carpool=False, criteria=False,
        detailed=False, window_s=LOOK_AHEAD_S, wanted_count=1, seats=wish.seats,
    )  # fmt: skip
    answer = plan_itineraries(world, query)
    found = [priced.itinerary for priced in (*answer.itineraries, *answer.direct)]
    in_time = [one for one in found if one.end_at <= arrive_by]
    return min((int((one.end_at - one.start_at).total_seconds()) for one in in_time), default=None)
