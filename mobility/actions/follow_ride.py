"""A driver's phone tells where he is: what riders are promised is measured against that."""

from __future__ import annotations

import datetime as dt
import uuid
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from carpool.bookings import BookingStateConflict, RideState
from carpool.tracking import SEEN_HOLDS, Fix, Progress, Reason, Track, follow
from core.geo import Coordinate
from core.time import to_instant
from mobility.actions.ride_desk import LockedRide, RideDesk, announce, load_ride, lock, save
from mobility.actions.run_ride import delay_riders
from mobility.db.engine import again_after_deadlock, begin_in_trips
from mobility.db.rides import RideNotFound, SqlRideStore
from mobility.live import Cars
from mobility.users.scopes import Principal
from mobility.world import LoadedRide, World

CHANGE_S = 60
"""A delay that has changed by less is not worth a change of the ride."""
SEEN_AGAIN = dt.timedelta(minutes=2)
"""So often at least the database learns that the car is still seen, and what it has passed."""
assert SEEN_AGAIN < SEEN_HOLDS


class NotFollowed(BookingStateConflict):
    """The ride is not followed: too soon, over, or nobody rides along."""

    code = "not_followed"


def find_loaded(
    world: World, desk: RideDesk, ride_id: uuid.UUID, booking_id: uuid.UUID | None = None
) -> LoadedRide:
    """
    A ride as this process knows it; raises `RideNotFound`.

    Where that is none to follow, for its driver or a rider, it may be one since a moment: then as
    the database has it.
    """
    known = world.rides.get(ride_id)
    if known is not None and known.is_followed(booking_id):
        return known
    with desk.engine.begin() as connection:
        ride = SqlRideStore(connection).read_ride(ride_id)
        return load_ride(desk, connection, ride)


def find_driven(world: World, desk: RideDesk, driver: Principal, ride_id: uuid.UUID) -> LoadedRide:
    """A ride of whoever asks; raises `RideNotFound` for those of others."""
    loaded = find_loaded(world, desk, ride_id)
    if loaded.ride.driver_id != driver.person_id:
        raise RideNotFound(f"you have no ride {ride_id}")
    return loaded


def report_positions(
    world: World,
    desk: RideDesk,
    cars: Cars,
    driver: Principal,
    ride_id: uuid.UUID,
    fixes: Sequence[Fix],
    *,
    now: dt.datetime,
) -> Counter[Reason]:
    """
    Take over where a driver was, and tell riders where it breaks what they were promised.

    Positions are in Valkey alone. What they mean for the ride is stored with it when the car
    reaches a stop, or a delay changes by a minute. Returns how many were left out, and why.

    Raises
    ------
    RideNotFound
        It is not his.
    NotFollowed
        It is more than 15 minutes before the departure, the ride is over, or nobody rides along.
    CarsAway
        Valkey is away.
    """
    loaded = find_driven(world, desk, driver, ride_id)
    track = loaded.track
    if track is None or not track.is_open:
        raise NotFollowed("nobody rides along, or the ride is over")
    if now.timestamp() < track.opens_s:
        raise NotFollowed(f"wait until {to_instant(track.opens_s).isoformat()}")
    before = read_progress(cars.read([ride_id])[0])
    progress, left_out = follow(world.network, track, before, fixes, now.timestamp())
    if progress is None:
        return left_out
    if not cars.keep(ride_id, progress.fix.at_s, write_progress(progress)):
        return left_out  # another process has taken a newer one meanwhile
    if _changes(track, progress, now):
        _store(desk, ride_id, track, progress, now)
    return left_out


def _changes(track: Track, progress: Progress, now: dt.datetime) -> bool:
    """Whether the database should know of it."""
    ride = track.ride
    if ride.seen_at is None or now - ride.seen_at > SEEN_AGAIN:
        return True
    known = {stop.key for stop in track.stops if stop.reached_s is not None}
    change_s = abs(progress.late_s - (ride.seen_late_s or 0))
    return change_s >= CHANGE_S or not progress.reached_s.keys() <= known


@again_after_deadlock
def _store(
    desk: RideDesk, ride_id: uuid.UUID, track: Track, progress: Progress, now: dt.datetime
) -> None:
    with begin_in_trips(desk.engine) as connection:
        (ride,) = lock(desk, connection, [ride_id], now).values()
        under_way = ride.ride.state in {RideState.SCHEDULED, RideState.EN_ROUTE}
        if under_way and ride.ride.bookings:
            _put(ride, track, progress, now)
        changed = save([ride])
    announce(desk, changed=changed)


def _put(ride: LockedRide, track: Track, progress: Progress, now: dt.datetime) -> None:
    visits = {stop.visit: stop.key for stop in track.stops if stop.visit is not None}
    reached = {v: progress.reached_s[key] for v, key in visits.items() if key in progress.reached_s}
    plan = tuple(
        replace(visit, reached_at=to_instant(reached[visit.booking, visit.is_pickup]))
        if visit.reached_at is None and (visit.booking, visit.is_pickup) in reached
        else visit
        for visit in ride.ride.plan
    )
    vias = [stop.key for stop in track.stops if stop.visit is None]
    ride.put(
        plan=plan,
        vias_reached=tuple(progress.reached_s[key] for key in vias if key in progress.reached_s),
        seen_late_s=progress.late_s,
        seen_at=to_instant(int(progress.fix.at_s)),
    )
    delay_riders(ride, now, {v: progress.expected_s[key] for v, key in visits.items()})


def write_progress(progress: Progress) -> dict[str, Any]:
    """Progress as JSON, for Valkey."""
    fix = progress.fix
    return {
        "at_s": fix.at_s, "lat": fix.place.lat, "lon": fix.place.lon,
        "accuracy_m": fix.accuracy_m, "heading": fix.heading, "speed_mps": fix.speed_mps,
        "reached_s": dict(progress.reached_s), "expected_s": dict(progress.expected_s),
        "late_s": progress.late_s,
    }  # fmt: skip


def read_progress(car: Any) -> Progress | None:  # noqa: ANN401 — any JSON
    """Undo `write_progress`."""
    if car is None:
        return None
    place = Coordinate(car["lat"], car["lon"])
    fix = Fix(car["at_s"], place, car["accuracy_m"], car["heading"], car["speed_mps"])
    return Progress(fix, car["reached_s"], car["expected_s"], car["late_s"])
