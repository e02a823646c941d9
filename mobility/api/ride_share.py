"""Rides for the riders of a MOTIS server: POST /api/whitelistRideShare."""

from __future__ import annotations

import threading
from typing import Annotated, Any, Self

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic.alias_generators import to_camel

from core.geo import Coordinate
from mobility.actions.whitelist_rides import Rides, RideWhitelist, TimedStop
from mobility.api.access import now_of
from mobility.api.answers import json_answer, world_of

router = APIRouter(prefix="/api", tags=["MOTIS"])
STOPS_LIMIT = 1_000
"""Stops on either side: a MOTIS server names those within an hour's drive."""
TIMES_LIMIT = 20_000
"""Times of all stops together."""
LATEST_MS = 4_102_444_800_000
"""The year 2100: whatever is later was mistyped."""
MINUTE_S = 60
SEARCHES_AT_ONCE = 1
"""Of one process: those of its own riders come first."""
_turns = threading.Semaphore(SEARCHES_AT_ONCE)
Json = dict[str, Any]
UnixMs = Annotated[int, Field(ge=0, le=LATEST_MS)]


class Sent(BaseModel):
    """What a MOTIS server sends."""

    model_config = ConfigDict(alias_generator=to_camel)


class Place(Sent):
    """A place."""

    lat: Annotated[float, Field(ge=-90, le=90)]
    lng: Annotated[float, Field(ge=-180, le=180)]

    @property
    def coordinate(self) -> Coordinate:
        """The same, as it is named here."""
        return Coordinate(self.lat, self.lng)


class BusStop(Place):
    """A stop, with the times at which one must be there, or leaves it."""

    times: list[UnixMs]


class Capacities(Sent):
    """Who and what travels."""

    passengers: Annotated[int, Field(ge=1, le=255)] = 1
    wheelchairs: Annotated[int, Field(ge=0, le=255)] = 0
    """No offer says that it takes one: then there are no rides."""
    bikes: Annotated[int, Field(ge=0, le=255)] = 0
    """As for wheelchairs."""
    luggage: Annotated[int, Field(ge=0, le=255)] = 0
    """Not looked at."""


class WhitelistRequest(Sent):
    """A request of a MOTIS server."""

    start: Place
    target: Place
    start_bus_stops: Annotated[list[BusStop], Field(max_length=STOPS_LIMIT)]
    """Stops at which the rider must be by a time, coming from the start."""
    target_bus_stops: Annotated[list[BusStop], Field(max_length=STOPS_LIMIT)]
    """Stops from which he leaves at a time, going to the target."""
    direct_times: list[UnixMs]
    """When he leaves the start, or must be at the target."""
    start_fixed: bool
    """Whether direct times are of the start."""
    capacities: Capacities

    @model_validator(mode="after")
    def _bounded(self) -> Self:
        stops = (*self.start_bus_stops, *self.target_bus_stops)
        if sum(len(stop.times) for stop in stops) + len(self.direct_times) > TIMES_LIMIT:
            raise ValueError(f"{TIMES_LIMIT} times at most")
        return self


class RideEvent(Sent):
    """A ride that can be booked; Unix milliseconds, whole minutes."""

    pickup_time: int
    """When the rider leaves on foot for the meeting point."""
    dropoff_time: int
    """When he is there, on foot from the other one."""
    trip_id: str
    """A quote: `POST /mobility/v1/bookings` books it."""


class WhitelistAnswer(Sent):
    """One list of rides for each time of each stop, in the order of the request."""

    start: list[list[list[RideEvent]]]
    target: list[list[list[RideEvent]]]
    direct: list[list[RideEvent]]


@router.post("/whitelistRideShare", response_model=WhitelistAnswer)
def whitelist_ride_share(request: Request, asked: WhitelistRequest) -> Response:
    """Say which drivers take a rider to bus stops, from bus stops, and all the way."""
    given = asked.capacities
    seats = 0 if given.wheelchairs or given.bikes else given.passengers
    start, target = asked.start.coordinate, asked.target.coordinate
    whitelist = RideWhitelist(world_of(request), seats, now=now_of(request))
    direct_s = _seconds(asked.direct_times)
    with _turns:
        to_stops = whitelist.to_stops(start, _timed(asked.start_bus_stops))
        from_stops = whitelist.from_stops(_timed(asked.target_bus_stops), target)
        (direct,) = (
            whitelist.from_stops([TimedStop(start, direct_s)], target)
            if asked.start_fixed
            else whitelist.to_stops(start, [TimedStop(target, direct_s)])
        )
    return json_answer(
        {
            "start": [_events(rides) for rides in to_stops],
            "target": [_events(rides) for rides in from_stops],
            "direct": _events(direct),
        }
    )


def _timed(stops: list[BusStop]) -> list[TimedStop]:
    return [TimedStop(stop.coordinate, _seconds(stop.times)) for stop in stops]


def _seconds(times_ms: list[int]) -> tuple[int, ...]:
    return tuple(time_ms // 1000 for time_ms in times_ms)


def _events(rides: Rides) -> list[list[Json]]:
    """Times in whole minutes, outwards: a MOTIS server cuts seconds off."""
    return [
        [
            {
                "pickupTime": ride.leave_s // MINUTE_S * MINUTE_S * 1000,
                "dropoffTime": -(-ride.arrive_s // MINUTE_S) * MINUTE_S * 1000,
                "tripId": ride.quote,
            }
            for ride in of_time
        ]
        for of_time in rides
    ]
