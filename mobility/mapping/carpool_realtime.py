"""
Carpool rides of the day as GTFS-RT, beside the timetable of `carpool_gtfs`.

The one door to its bindings. Delays and cancellations of rides with seats left; positions of
cars under way, in cells so large that they tell where about a car is, and nobody at which door.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterator, Mapping
from typing import Any
from uuid import UUID

from google.protobuf.json_format import MessageToDict
from google.transit import gtfs_realtime_pb2 as rt
from google.transit.gtfs_realtime_pb2 import FeedMessage

from carpool.bookings import RideState
from carpool.fixed_trips import fixed_trip
from carpool.tracking import SEEN_HOLDS, Progress
from core.geo import METRES_PER_DEGREE, Coordinate
from core.time import DAY_S, day_start_epoch_s
from mobility.mapping.carpool_gtfs import trips_of
from mobility.world import LoadedRide, World

__all__ = ["FeedMessage", "as_json", "followed_rides", "trip_updates", "vehicle_positions"]
CELL_M = 500.0
STEP_S = 60
"""Times of positions are told in such steps, rounded down."""
CANCELLED = frozenset({RideState.CANCELLED, RideState.ABORTED})
ONE_DAY = dt.timedelta(seconds=DAY_S)


def followed_rides(world: World, now: dt.datetime) -> list[LoadedRide]:
    """Rides of yesterday, today and tomorrow: of these something may be told."""
    today = now.astimezone(world.network.zone).date()
    near = (today - ONE_DAY, today, today + ONE_DAY)
    return [loaded for loaded in world.rides.values() if loaded.ride.date in near]


def trip_updates(world: World, progress: Mapping[UUID, Progress], now: dt.datetime) -> FeedMessage:
    """Delays of rides by their stops, and trips that are not driven."""
    feed = _feed(now)
    for loaded in world.rides.values():
        if loaded.ride.state in CANCELLED:
            for trip_id, date in _trip_ids(world, loaded):
                entity = feed.entity.add(id=trip_id)
                _name(entity.trip_update.trip, trip_id, date)
                entity.trip_update.trip.schedule_relationship = rt.TripDescriptor.CANCELED
    for loaded in followed_rides(world, now):
        known = progress.get(loaded.ride.id)
        if loaded.track is not None and (loaded.ride.late_s or known is not None):
            _add_delays(feed, world, loaded, known)
    return feed


def vehicle_positions(
    world: World, progress: Mapping[UUID, Progress], now: dt.datetime
) -> FeedMessage:
    """Cars under way with seats left, where they are seen and not near a private end."""
    feed = _feed(now)
    for loaded in followed_rides(world, now):
        known, track = progress.get(loaded.ride.id), loaded.track
        if known is None or track is None or loaded.ride.state is not RideState.EN_ROUTE:
            continue
        old = now.timestamp() - known.fix.at_s > SEEN_HOLDS.total_seconds()
        if old or not track.is_open or track.hidden(known.fix.place):
            continue
        for trip_id, date in _trip_ids(world, loaded):
            entity = feed.entity.add(id=trip_id)
            vehicle, place = entity.vehicle, in_cell(known.fix.place)
            _name(vehicle.trip, trip_id, date)
            vehicle.vehicle.id = trip_id
            vehicle.position.latitude, vehicle.position.longitude = place.lat, place.lon
            vehicle.timestamp = int(known.fix.at_s) // STEP_S * STEP_S
    return feed


def in_cell(place: Coordinate) -> Coordinate:
    """Middle of the cell, about 500 m wide and high, in which a place is."""
    high = CELL_M / METRES_PER_DEGREE
    lat = (math.floor(place.lat / high) + 0.5) * high
    wide = high / max(math.cos(math.radians(lat)), 0.01)
    lon = (math.floor(place.lon / wide) + 0.5) * wide
    return Coordinate(lat=lat, lon=min(lon, 180.0))


def as_json(feed: FeedMessage) -> dict[str, Any]:
    """The same as protobuf's own JSON, under the names of the specification."""
    content: dict[str, Any] = MessageToDict(feed, preserving_proto_field_name=True)
    return content


def _feed(now: dt.datetime) -> FeedMessage:
    feed = FeedMessage()
    feed.header.gtfs_realtime_version = "2.0"
    feed.header.incrementality = rt.FeedHeader.FULL_DATASET
    feed.header.timestamp = int(now.timestamp())
    return feed


def _name(trip: rt.TripDescriptor, trip_id: str, date: dt.date) -> None:
    trip.trip_id, trip.start_date, trip.route_id = trip_id, f"{date:%Y%m%d}", "carpool"


def _trip_ids(world: World, loaded: LoadedRide) -> Iterator[tuple[str, dt.date]]:
    """Trips of a ride that are in the timetable."""
    if loaded.ride.offer.id in world.published:
        for trip_id, offer, body in trips_of(loaded):
            if fixed_trip(body, world.network.ground.drive_s):
                yield trip_id, offer.valid_from


def _add_delays(
    feed: FeedMessage, world: World, loaded: LoadedRide, known: Progress | None
) -> None:
    """Each stop of the timetable is as late as the next visit of the plan, if it is ahead."""
    track, ride = loaded.track, loaded.ride
    if track is None or ride.offer.id not in world.published:
        return
    day_s = day_start_epoch_s(ride.date, world.network.zone)
    reached = {} if known is None else known.reached_s
    expected = {} if known is None or ride.late_s > known.late_s + STEP_S else known.expected_s
    passed_s, delays = 0, []
    for stop in track.stops:
        if stop.visit is None:
            continue
        if stop.key in reached or stop.reached_s is not None:
            passed_s = stop.planned_s
        else:
            expected_s = expected.get(stop.key, stop.planned_s + ride.late_s)
            delays.append((stop.planned_s, max(expected_s - stop.planned_s, 0)))
    if not delays:
        return
    for trip_id, offer, body in trips_of(loaded):
        calls = [
            (nth, point, day_s + offer.depart_from_s + seconds)
            for nth, (point, seconds) in enumerate(fixed_trip(body, world.network.ground.drive_s))
        ]
        ahead = [call for call in calls if call[2] > passed_s]
        if not ahead:
            continue
        update = feed.entity.add(id=trip_id).trip_update
        _name(update.trip, trip_id, ride.date)
        update.vehicle.id = trip_id
        for nth, point, at_s in ahead:
            delay_s = next((late for planned_s, late in delays if planned_s >= at_s), delays[-1][1])
            call = update.stop_time_update.add(
                stop_sequence=nth, stop_id=world.network.points.id[point]
            )
            call.arrival.delay = call.departure.delay = delay_s
            call.arrival.time = call.departure.time = at_s + delay_s
