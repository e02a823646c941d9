"""Somebody follows one vehicle, or one driver, on one day."""

from __future__ import annotations

import datetime as dt
import re

import numpy as np

from core.time import day_start_epoch_s
from mobility.world import World
from routing.itinerary import Itinerary
from routing.raptor.flexible import FROM_START_S, MEETING_POINT
from routing.raptor.unroll import RawRide
from routing.trips import TripUnknown, find_trip, itinerary_of_leg

RIDE = "carpool:"
"""Begins the id of a driver's run, as a feed's id begins that of a trip."""


def show_trip(world: World, dated_id: str) -> Itinerary:
    """
    Itinerary of one leg: a trip from its first stop to its last, or a driver's run.

    A driver's run is shown between the two meeting points that are nearest to his own ends
    within his detour budget: his own start and end are not public.

    Raises
    ------
    TripUnknown
        No such trip or offer, or it does not run on that day.
    """
    date, own_id = _read(dated_id)
    if own_id.startswith(RIDE):
        return _ride(world, own_id.removeprefix(RIDE), date)
    return find_trip(world.network, own_id, date)


def _read(dated_id: str) -> tuple[dt.date, str]:
    found = re.fullmatch(r"((?:19|20)\d{2})(\d{2})(\d{2})_(.+)", dated_id, flags=re.DOTALL)
    if found is not None:
        try:
            return dt.date(int(found[1]), int(found[2]), int(found[3])), found[4]
        except ValueError:
            pass  # no such day: the same answer as for any other id that nobody gave
    raise TripUnknown(f"{dated_id[:80]!r} is no trip id that this server gave (date_trip)")


def _ride(world: World, offer_id: str, date: dt.date) -> Itinerary:
    rides, bodies = world.rides_on(date), world.flexible.bodies
    rows = [i for i, offer in enumerate(world.offers) if offer.id == offer_id]
    ride = np.flatnonzero(np.isin(rides.offer, rows) & (rides.day == 0))
    if len(ride) == 0:
        raise TripUnknown(f"no ride of offer {offer_id!r} on {date}")
    body = int(rides.body[ride[0]])
    pair = _outermost(world, body)
    if pair is None:
        raise TripUnknown(f"offer {offer_id!r} passes no two meeting points within its budget")
    pickup, dropoff, drive_s = pair
    start_s = int(rides.earliest_s[ride[0]]) + int(bodies.candidates[pickup, FROM_START_S])
    stops = world.network.stop_count
    leg = RawRide(
        board_node=stops + int(bodies.candidates[pickup, MEETING_POINT]),
        alight_node=stops + int(bodies.candidates[dropoff, MEETING_POINT]),
        start_s=start_s,
        end_s=start_s + world.snapshot.limits.pickup_stop_s + drive_s,
        ride=int(ride[0]),
        pickup=pickup,
        dropoff=dropoff,
    )
    base_s = day_start_epoch_s(date, world.network.zone)
    return itinerary_of_leg(world.network, leg, base_s, world.flexible, rides)


def _outermost(world: World, body: int) -> tuple[int, int, int] | None:
    """Pickup and dropoff nearest to a driver's own ends within his budget, and their drive."""
    bodies = world.flexible.bodies
    own = slice(int(bodies.first_candidate[body]), int(bodies.first_candidate[body + 1]))
    point, df, db, segment = bodies.candidates[own].astype(np.int64).T
    drive_s = world.network.ground.drive_s[np.ix_(point, point)].astype(np.int64)
    solo_s, budget_s = int(bodies.solo_s[body]), int(bodies.budget_s[body])
    ordered = segment[:, None] < segment[None, :]
    through_s = db[:, None] + df[None, :] - solo_s  # past the driver's own stops between
    drive_s = np.where(ordered, through_s, drive_s)
    lawful = (point[:, None] != point[None, :]) & (segment[:, None] <= segment[None, :])
    lawful &= df[:, None] + drive_s + db[None, :] <= solo_s + budget_s
    if not lawful.any():
        return None
    ends_s = np.where(lawful, df[:, None] + db[None, :], np.iinfo(np.int64).max)
    pickup, dropoff = divmod(int(np.argmin(ends_s)), len(point))
    return own.start + pickup, own.start + dropoff, int(drive_s[pickup, dropoff])
