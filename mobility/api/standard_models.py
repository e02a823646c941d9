"""What the Standard Covoiturage lets other operators send, checked as strictly as it is written."""

from __future__ import annotations

import uuid
from typing import Annotated, Any, Literal, Self, get_args

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic.alias_generators import to_camel

from carpool.partner_bookings import Status
from mobility.actions.search_rides import RESULTS

LATEST_S = 4_102_444_800
"""The year 2100: whatever is later was mistyped."""
PRINTABLE = r"^[^\x00]*$"
"""What the database can keep."""
Text = Annotated[str, Field(max_length=2_000, pattern=PRINTABLE)]
Id = Annotated[str, Field(min_length=1, max_length=255, pattern=PRINTABLE)]
Message = Annotated[str, Field(max_length=500, pattern=PRINTABLE)]
BookingId = Annotated[uuid.UUID, Field(strict=False)]
Latitude = Annotated[float, Field(ge=-90, le=90)]
Longitude = Annotated[float, Field(ge=-180, le=180)]
Moment = Annotated[float, Field(ge=0, le=LATEST_S)]
Whole = Annotated[int, Field(ge=0, le=2**31 - 1)]
StatusName = Literal[
    "WAITING_CONFIRMATION", "CONFIRMED", "CANCELLED", "COMPLETED_PENDING_VALIDATION", "VALIDATED"
]
assert set(Status) == set(get_args(StatusName))
Radius = Annotated[float, Field(ge=0, le=20_100)]
"""Kilometres: no place on Earth is farther away."""
Days = Annotated[str, Field(max_length=200)]


class Between(BaseModel):
    """What all searches are asked."""

    model_config = ConfigDict(alias_generator=to_camel)

    departure_lat: Latitude
    departure_lng: Longitude
    arrival_lat: Latitude
    arrival_lng: Longitude
    time_delta: Annotated[int, Field(ge=0, le=86_400)] = 900
    """Seconds by which the pick-up may differ from the time asked for."""
    departure_radius: Radius = 1.0
    """Kilometres around the departure."""
    arrival_radius: Radius = 1.0
    count: Annotated[int, Field(ge=0)] = RESULTS
    """Most results; never more than its default."""


class OnDate(Between):
    """A search for journeys."""

    departure_date: Annotated[int, Field(ge=0, le=LATEST_S)]
    """Epoch second of the pick-up."""


class OnWeekdays(Between):
    """A search for regular trips."""

    departure_time_of_day: Annotated[str, Field(max_length=30)]
    """Of the pick-up, on the clock of the territory: 07:30:00."""
    departure_weekdays: Days = "MON,TUE,WED,THU,FRI,SAT,SUN"
    """Days of the pick-up, one of which is enough."""
    min_departure_date: Annotated[int, Field(ge=0, le=LATEST_S)] = 0
    max_departure_date: Annotated[int, Field(ge=0, le=LATEST_S)] = LATEST_S


class Sent(BaseModel):
    """Whatever is sent: numbers are numbers, nothing is null, more may be said beside."""

    model_config = ConfigDict(strict=True, alias_generator=to_camel)

    @model_validator(mode="before")
    @classmethod
    def _without_null(cls, values: Any) -> Any:  # noqa: ANN401 — any JSON
        if isinstance(values, dict) and any(value is None for value in values.values()):
            raise ValueError("leave out what is null")
        return values

    def content(self) -> dict[str, Any]:
        """What was sent of what is known, as JSON."""
        return self.model_dump(mode="json", exclude_unset=True, by_alias=True)


class User(Sent):
    """Somebody, as his operator knows him."""

    id: Id
    operator: Id
    alias: Text
    first_name: Text | None = None
    last_name: Text | None = None
    grade: Annotated[int, Field(ge=1, le=5)] | None = None
    picture: Text | None = None
    gender: Literal["F", "M", "O"] | None = None
    verified_identity: bool | None = None


class Price(Sent):
    """What a passenger pays."""

    type: Literal["FREE", "PAYING", "UNKNOWN"] | None = None
    amount: Annotated[float, Field(ge=0, le=1e6)] | None = None
    currency: Text | None = None


class Car(Sent):
    """A car."""

    model: Text | None = None
    brand: Text | None = None


class Carpooling(Sent):
    """Where and when somebody is taken."""

    passenger_pickup_date: Moment
    passenger_pickup_lat: Latitude
    passenger_pickup_lng: Longitude
    passenger_drop_lat: Latitude
    passenger_drop_lng: Longitude
    passenger_pickup_address: Text | None = None
    passenger_drop_address: Text | None = None
    status: StatusName
    duration: Whole | None = None
    distance: Whole | None = None
    car: Car | None = None


class Booking(Carpooling):
    """A booking request between two operators."""

    id: BookingId
    driver: User
    passenger: User
    price: Price
    web_url: Text | None = None
    driver_journey_id: Id | None = None
    passenger_journey_id: Id | None = None


class ToldBooking(Carpooling):
    """A booking with another operator: of our passenger, or of our driver."""

    id: Id
    web_url: Text
    driver: User | None = None
    passenger: User | None = None
    price: Price | None = None

    @model_validator(mode="after")
    def _of_one(self) -> Self:
        of_passenger = self.driver is not None and self.price is not None
        if of_passenger == (self.passenger is not None):
            raise ValueError("either driver and price, or passenger")
        return self


class BookingEvent(Sent):
    """What became of a booking with another operator."""

    id: BookingId
    id_token: Annotated[str, Field(max_length=20_000, pattern=PRINTABLE)]
    data: ToldBooking


class SentMessage(Sent):
    """A message to the owner of a journey."""

    sender: Annotated[User, Field(alias="from")]
    to: User
    message: Message
    recipient_carpooler_type: Literal["DRIVER", "PASSENGER"]
    driver_journey_id: Id | None = None
    passenger_journey_id: Id | None = None
    booking_id: BookingId | None = None
