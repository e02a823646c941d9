"""Rides under way: what their drivers' phones tell, and what is seen of it."""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import dataclass, replace
from typing import Any

import httpx

from carpool.bookings import Booking
from carpool.ports import StoredRide
from carpool.tracking import Fix, Reason
from core.geo import Coordinate
from core.time import to_instant
from mobility.actions.follow_ride import report_positions
from mobility.db.changes import lock_changes
from mobility.db.engine import Connection
from mobility.db.notices import list_notices
from mobility.db.rides import SqlRideStore
from mobility.db.schema import booking
from mobility.db.schema import offer as offers
from mobility.installation import Installation
from mobility.users.scopes import Principal
from mobility.world import World
from tests.support.bookings import Booth, Driven
from tests.support.users import Somebody

MINUTE = dt.timedelta(minutes=1)


@dataclass(frozen=True)
class Ridden:
    """A ride with one rider who is sure to be taken along."""

    booth: Booth
    here: Installation
    driven: Driven
    rider: Principal
    booking: Booking
    pair: tuple[int, int]

    @property
    def ride_id(self) -> uuid.UUID:
        return self.booking.ride_id

    @property
    def leaves_at(self) -> dt.datetime:
        at_s = int(self.booking.pickup_from.timestamp())
        return to_instant(at_s - int(self.driven.way.body.from_start_s[self.pair[0]]))

    def place(self, row: int) -> Coordinate:
        points, point = self.booth.desk.snapshot.network.points, self.driven.way.body.point[row]
        return Coordinate(float(points.lat[point]), float(points.lon[point]))

    def report(self, at: dt.datetime, place: Coordinate, **more: Any) -> dict[Reason, int]:
        world = World(self.booth.desk.snapshot)
        fix = Fix(at.timestamp(), place, **more)
        return report_positions(
            world, self.booth.desk, self.here.cars, self.driven.driver, self.ride_id, [fix], now=at
        )

    def told(self, who: Principal, kind: str) -> list[dict[str, Any]]:
        with self.booth.desk.engine.connect() as connection:
            notices = list_notices(connection, who.person_id, after=0, count=100)
        return [dict(notice.content) for notice in notices if notice.kind == kind]

    def late_s(self) -> int:
        with self.booth.desk.engine.connect() as connection:
            return SqlRideStore(connection).read_ride(self.ride_id).late_s


def position(place: Coordinate, at: dt.datetime, **more: Any) -> dict[str, Any]:
    return {"lat": place.lat, "lon": place.lon, "at": at.isoformat(), **more}


def post(api: httpx.Client, who: Somebody, ride: Ridden, *batch: dict[str, Any]) -> httpx.Response:
    path = f"/mobility/v1/rides/{ride.ride_id}/positions"
    return api.post(path, headers=who.headers, json={"positions": list(batch)})


def live(api: httpx.Client, who: Somebody, ride: Ridden) -> httpx.Response:
    return api.get(f"/mobility/v1/bookings/{ride.booking.id}/live", headers=who.headers)


def shift(booth: Booth, ride: Ridden, pickup_from: dt.datetime) -> None:
    """Bring a whole ride forward, as if it had been booked so."""
    earlier = ride.booking.pickup_from - pickup_from
    with booth.desk.engine.begin() as connection:
        store = SqlRideStore(connection)
        stored = store.lock_ride(ride.ride_id)
        plan = tuple(replace(visit, at=visit.at - earlier) for visit in stored.plan)
        connection.execute(
            booking.update()
            .where(booking.c.id == ride.booking.id)
            .values(
                {
                    name: getattr(booking.c, name) - earlier
                    for name in ("pickup_from", "pickup_to", "dropoff_by")
                }
            )
        )
        saved(store, connection, replace(stored, plan=plan))


def saved(store: SqlRideStore, connection: Connection, ride: StoredRide) -> None:
    store.save_ride(replace(ride, version=ride.version + 1))
    lock_changes(connection)
    store.note_change(ride.id)


def make_private(booth: Booth, ride: Ridden) -> None:
    """Let the place from which the drive is computed stand for a home, and others learn of it."""
    with booth.desk.engine.begin() as connection:
        entered = {end: {"lat": 0.0, "lon": 0.0} for end in ("start", "end")}
        connection.execute(
            offers.update()
            .where(offers.c.id == uuid.UUID(ride.driven.offer.id))
            .values(entered=entered)
        )
        store = SqlRideStore(connection)
        stored = store.lock_ride(ride.ride_id)
        saved(store, connection, stored)
