"""
Cars under way: where the driver's phone says he is, and what that means for who rides along.

A rider sees when the car comes, and where it is only from ten minutes before until he gets out;
near a private end of the driver's nobody does. Streams are Server-Sent Events for these two alone.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import math
import uuid
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Annotated

from fastapi import APIRouter, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, ConfigDict, Field

from carpool.bookings import BookingState, RideState
from carpool.tracking import Fix, Progress, Reason, Track, is_sure, late_in_force_s
from core.errors import Unavailable
from core.geo import Coordinate
from core.time import to_instant
from mobility.actions.book_seats import own_booking
from mobility.actions.follow_ride import find_driven, find_loaded, read_progress, report_positions
from mobility.api.access import Driver, Rider, installation_of, now_of
from mobility.api.answers import world_of
from mobility.api.bookings import desk_of
from mobility.db.rides import BookingNotFound, RideNotFound, SqlRideStore
from mobility.live import CarsAway, follow_car
from mobility.users.scopes import Principal
from mobility.world import LoadedRide

router = APIRouter(prefix="/mobility/v1", tags=["live"])
BATCH = 500
"""Positions of one request: more than an hour without network."""
WRITES, WINDOW_S = 1_200, 3_600
"""Requests of one driver in an hour: one every three seconds."""
SHOWN_BEFORE = dt.timedelta(minutes=10)
"""So long before his pick-up a rider begins to see the car."""
STREAMS = 4
"""Streams of one person, over all processes: two tabs, two devices."""
PROCESS_STREAMS = 500
"""Streams of one process: each holds a connection to Valkey."""
HEARTBEAT_S = 15.0
STREAM_LIMIT_S = 1_800.0
"""Then the page asks again, signed in as it is by then."""


class Position(BaseModel):
    """Where a phone was."""

    model_config = ConfigDict(extra="forbid")

    lat: Annotated[float, Field(ge=-90, le=90)]
    lon: Annotated[float, Field(ge=-180, le=180)]
    at: dt.datetime
    """Without an offset it is UTC."""
    accuracy_m: Annotated[float, Field(ge=0, le=100_000)] = 0.0
    heading: Annotated[float | None, Field(ge=0, le=360)] = None
    speed_mps: Annotated[float | None, Field(ge=0, le=1_000)] = None

    @property
    def fix(self) -> Fix:
        """The same for the tracking."""
        at = self.at if self.at.tzinfo else self.at.replace(tzinfo=dt.UTC)
        place = Coordinate(self.lat, self.lon)
        return Fix(at.timestamp(), place, self.accuracy_m, self.heading, self.speed_mps)


class Positions(BaseModel):
    """What a phone has collected, in any order; sent again it changes nothing."""

    model_config = ConfigDict(extra="forbid")

    positions: Annotated[list[Position], Field(min_length=1, max_length=BATCH)]


class Taken(BaseModel):
    """What became of a batch."""

    taken: int
    left_out: dict[Reason, int]
    """How many were not taken, by the reason."""


class Car(BaseModel):
    """Where the car was when it was seen last."""

    lat: float
    lon: float
    heading: float | None
    at: dt.datetime


class Times(BaseModel):
    """When the car is at a stop."""

    planned_at: dt.datetime
    expected_at: dt.datetime
    """Now and then anew: by the last position, or by what the driver has said."""
    reached_at: dt.datetime | None
    """When it was there."""


class LiveBooking(BaseModel):
    """A booked ride on its day, to its rider."""

    booking_id: uuid.UUID
    ride_state: RideState
    state: BookingState
    late_s: int
    pickup: Times
    dropoff: Times
    seen_at: dt.datetime | None
    """When the car was seen last; null where its driver's phone tells nothing."""
    car: Car | None
    """From ten minutes before the pick-up until the drop-off."""


class LiveStop(Times):
    """A stop of the drive."""

    booking_id: uuid.UUID
    is_pickup: bool


class LiveRide(BaseModel):
    """A ride on its day, to its driver."""

    ride_id: uuid.UUID
    state: RideState
    late_s: int
    seen_at: dt.datetime | None
    stops: list[LiveStop]


class NotLive(BookingNotFound):
    """Nothing is to be followed: the booking is not confirmed, or over."""

    code = "not_live"


class TooManyStreams(Unavailable):
    """A process holds so many connections and no more."""

    code = "too_many_streams"


@router.post("/rides/{ride_id}/positions")
def report(request: Request, driver: Driver, ride_id: uuid.UUID, given: Positions) -> Taken:
    """Tell where one is, as a driver: from 15 minutes before the departure to the last drop-off."""
    here = installation_of(request)
    here.limits.count(f"positions:{driver.user_id}", most=WRITES, per_s=WINDOW_S)
    fixes = [position.fix for position in given.positions]
    left_out = report_positions(
        world_of(request), desk_of(request), here.cars, driver, ride_id, fixes, now=now_of(request)
    )
    return Taken(taken=len(fixes) - left_out.total(), left_out=dict(left_out))


@router.get("/rides/{ride_id}/live")
def read_ride(request: Request, driver: Driver, ride_id: uuid.UUID) -> LiveRide:
    """Read when one will be at the stops of one's ride."""
    loaded = find_driven(world_of(request), desk_of(request), driver, ride_id)
    return _live_ride(loaded, _progress(request, ride_id), now_of(request))


@router.get("/bookings/{booking_id}/live")
def read_booking(request: Request, rider: Rider, booking_id: uuid.UUID) -> LiveBooking:
    """Read when the car comes and when one arrives; and, shortly before, where it is."""
    ride_id = _ride_of(request, rider, booking_id)
    loaded = find_loaded(world_of(request), desk_of(request), ride_id, booking_id)
    return _live_booking(loaded, booking_id, _progress(request, ride_id), now_of(request))


@router.get(
    "/rides/{ride_id}/live/stream",
    response_class=Response,
    responses={200: {"content": {"text/event-stream": {}}}},
)
async def stream_ride(request: Request, driver: Driver, ride_id: uuid.UUID) -> Response:
    """Follow one's ride: an event `live` whenever something changes, `end` when it is over."""
    world, desk = world_of(request), desk_of(request)
    await run_in_threadpool(find_driven, world, desk, driver, ride_id)

    def look(progress: Progress | None) -> BaseModel:
        loaded = find_driven(world_of(request), desk_of(request), driver, ride_id)
        return _live_ride(loaded, progress, now_of(request))

    return await _stream(request, driver, ride_id, look)


@router.get(
    "/bookings/{booking_id}/live/stream",
    response_class=Response,
    responses={200: {"content": {"text/event-stream": {}}}},
)
async def stream_booking(request: Request, rider: Rider, booking_id: uuid.UUID) -> Response:
    """Follow the car that one has booked: events as above."""
    ride_id = await run_in_threadpool(_ride_of, request, rider, booking_id)

    def look(progress: Progress | None) -> BaseModel:
        loaded = find_loaded(world_of(request), desk_of(request), ride_id, booking_id)
        return _live_booking(loaded, booking_id, progress, now_of(request))

    await run_in_threadpool(look, None)
    return await _stream(request, rider, ride_id, look)


def _ride_of(request: Request, rider: Principal, booking_id: uuid.UUID) -> uuid.UUID:
    with installation_of(request).engine.connect() as connection:
        return own_booking(SqlRideStore(connection), rider, booking_id).ride_id


def _progress(request: Request, ride_id: uuid.UUID) -> Progress | None:
    try:
        return read_progress(installation_of(request).cars.read([ride_id])[0])
    except CarsAway:  # the plan and the delay are known without it
        return None


def _live_ride(loaded: LoadedRide, progress: Progress | None, now: dt.datetime) -> LiveRide:
    ride, track = loaded.ride, _open_track(loaded)
    times = _times(track, progress, now)
    return LiveRide(
        ride_id=ride.id,
        state=ride.state,
        late_s=ride.late_s,
        seen_at=_seen_at(progress),
        stops=[
            LiveStop(booking_id=of, is_pickup=is_pickup, **times[of, is_pickup].model_dump())
            for of, is_pickup in times
        ],
    )


def _live_booking(
    loaded: LoadedRide, booking_id: uuid.UUID, progress: Progress | None, now: dt.datetime
) -> LiveBooking:
    ride, track = loaded.ride, _open_track(loaded)
    booking = next((b for b in ride.bookings if b.id == booking_id), None)
    if booking is None or not is_sure(booking.state):
        raise NotLive("the booking is not confirmed, or the ride is over")
    times = _times(track, progress, now)
    pickup, dropoff = times[booking_id, True], times[booking_id, False]
    shown_from = max(pickup.expected_at, booking.pickup_from) - SHOWN_BEFORE
    aboard = booking.state is BookingState.BOARDED
    shown = (aboard or now >= shown_from) and dropoff.reached_at is None
    return LiveBooking(
        booking_id=booking_id,
        ride_state=ride.state,
        state=booking.state,
        late_s=ride.late_s,
        pickup=pickup,
        dropoff=dropoff,
        seen_at=_seen_at(progress),
        car=_car(track, progress) if shown else None,
    )


def _open_track(loaded: LoadedRide) -> Track:
    if loaded.track is None or not loaded.track.is_open:
        raise NotLive("nobody rides along, or the ride is over")
    return loaded.track


def _seen_at(progress: Progress | None) -> dt.datetime | None:
    return None if progress is None else to_instant(math.floor(progress.fix.at_s))


def _car(track: Track, progress: Progress | None) -> Car | None:
    if progress is None or track.hidden(progress.fix.place):
        return None
    fix = progress.fix
    return Car(
        lat=fix.place.lat, lon=fix.place.lon, heading=fix.heading,
        at=to_instant(math.floor(fix.at_s)),
    )  # fmt: skip


def _times(
    track: Track, progress: Progress | None, now: dt.datetime
) -> dict[tuple[uuid.UUID, bool], Times]:
    """When the car is at each visit, by whichever says more of what was said and measured."""
    late_s = late_in_force_s(track.ride, now)
    measured = {} if progress is None else progress.expected_s
    reached = {} if progress is None else progress.reached_s
    said_more = progress is None or late_s > max(progress.late_s, track.ride.seen_late_s or 0)
    found = {}
    for stop in track.stops:
        if stop.visit is None:
            continue
        reached_s = reached.get(stop.key, stop.reached_s)
        expected_s = measured.get(stop.key, stop.planned_s + late_s)
        if said_more:
            expected_s = max(expected_s, stop.planned_s + late_s)
        if reached_s is not None:
            expected_s = reached_s
        found[stop.visit] = Times(
            planned_at=to_instant(stop.planned_s),
            expected_at=to_instant(expected_s),
            reached_at=None if reached_s is None else to_instant(reached_s),
        )
    return found


async def _stream(
    request: Request,
    who: Principal,
    ride_id: uuid.UUID,
    look: Callable[[Progress | None], BaseModel],
) -> Response:
    """Answer with a stream once it is sure that there can be one."""
    events = _events(request, who, ride_id, look)
    first = await anext(events)  # what refuses the stream is raised here

    async def whole() -> AsyncIterator[bytes]:
        try:
            yield first
            async for event in events:
                yield event
        finally:
            await events.aclose()

    headers = {"cache-control": "no-store", "x-accel-buffering": "no"}
    return StreamingResponse(whole(), media_type="text/event-stream", headers=headers)


_open_streams = 0


@asynccontextmanager
async def _counted() -> AsyncIterator[None]:
    global _open_streams  # noqa: PLW0603 — one number, changed by the event loop alone
    if _open_streams >= PROCESS_STREAMS:
        raise TooManyStreams("this server follows as many cars as it can: ask again in a moment")
    _open_streams += 1
    try:
        yield
    finally:
        _open_streams -= 1


async def _events(
    request: Request,
    who: Principal,
    ride_id: uuid.UUID,
    look: Callable[[Progress | None], BaseModel],
) -> AsyncGenerator[bytes, None]:
    """Look again when the car has told something, the ride has changed, or some time is over."""
    url = installation_of(request).redis_url
    async with _counted(), follow_car(url, ride_id, who.person_id, STREAMS) as car:
        progress = await run_in_threadpool(_progress, request, ride_id)
        clock = asyncio.get_running_loop().time
        until_s, looked_s, counted_s = clock() + STREAM_LIMIT_S, 0.0, clock()
        shown, told, known = b"", None, None
        while clock() < until_s:
            ride = world_of(request).rides.get(ride_id)
            due = clock() - looked_s >= HEARTBEAT_S
            if due or told is not None or ride is not known:
                known, looked_s = ride, clock()
                try:
                    content = await run_in_threadpool(look, progress)
                except (BookingNotFound, RideNotFound):
                    yield b"event: end\ndata: {}\n\n"
                    return
                event = b"event: live\ndata: " + content.model_dump_json().encode() + b"\n\n"
                yield event if event != shown else b": still there\n\n"
                shown = event
            if clock() - counted_s >= HEARTBEAT_S:
                counted_s = clock()
                await car.go_on()
            try:
                told = await car.next()
            except CarsAway:  # half an answer is out: the page asks again
                return
            if told is not None:
                progress = read_progress(told)
