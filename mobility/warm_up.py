"""Compile and load every kernel before the first rider asks."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import numpy as np

from carpool.nearby import NOT_HERE
from carpool.timed_rides import Asked, find_timed_rides
from core.geo import Coordinate
from core.time import day_start_epoch_s, to_instant
from gtfs_data.days import date_of_day_number
from mobility.actions.plan_itineraries import plan_itineraries
from mobility.world import World
from payments.leg_columns import Rider, columns_of
from payments.many import rate_months, total_months
from payments.tariff import Tariff
from routing.changes import warm_up_changes
from routing.query import Endpoint, PlanQuery

MORNING_S = 8 * 3600


def warm_up(world: World) -> None:
    """Plan one trip in each direction between two stops, and look for rides to a stop."""
    t = world.network.timetable
    called = t.pattern_stop
    if len(called) < 2:
        return
    a, b = int(called[0]), int(called[-1])
    ends = [
        Endpoint(Coordinate(float(t.stop_lat[s]), float(t.stop_lon[s])), None, "") for s in (a, b)
    ]
    day = date_of_day_number(int(t.feed_last_day[t.stop_feed[a]]))
    today = dt.datetime.now(world.network.zone).date()
    date = min(max(today, date_of_day_number(int(t.feed_first_day[t.stop_feed[a]]))), day)
    zone = world.network.zone
    query = PlanQuery(
        origin=ends[0],
        destination=ends[1],
        at=to_instant(day_start_epoch_s(date, zone) + MORNING_S, zone),
        wanted_count=0,
    )
    plan_itineraries(world, query)
    plan_itineraries(world, replace(query, arrive_by=True, backwards=True))
    rides, nowhere = (
        world.rides_on(date),
        np.full(len(world.network.points.lat), NOT_HERE, np.int32),
    )
    find_timed_rides(
        world.flexible.bodies, rides, world.network.ground.drive_s,
        Asked(nowhere, nowhere, np.zeros(1, np.int32), np.bool_(1), np.int32(1), np.int32(0)),
        np.zeros(len(rides.body), bool),
    )  # fmt: skip
    warm_up_changes(world.network.timetable, world.network.ground.walks)


def warm_up_fares(tariff: Tariff) -> None:
    """Rate nobody: whoever asks for what everybody pays need not wait for it."""
    month = dt.date(2027, 1, 1)
    nobody = columns_of([Rider(())])
    total_months([tariff], nobody, month)
    rate_months([tariff], nobody, month)
