"""Riders and drivers rate each other: /mobility/v1/…/rate and /mobility/v1/ratings."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Annotated

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from carpool.ratings import UNRATED
from mobility.actions.change_booking import Side
from mobility.actions.rate_ride import rate_ride
from mobility.api.access import Driver, Rider, SignedIn, installation_of, now_of
from mobility.db.ratings import list_ratings, scores_of
from mobility.users.scopes import Principal

router = APIRouter(prefix="/mobility/v1", tags=["ratings"])
WRITES, WINDOW_S = 100, 3_600
"""Ratings of one person in an hour."""


class RatingGiven(BaseModel):
    """What one thinks of the other."""

    model_config = ConfigDict(extra="forbid")

    stars: Annotated[int, Field(ge=1, le=5, strict=True)]
    comment: Annotated[str, Field(max_length=500)] = ""


class RatingFacts(BaseModel):
    """What one was given."""

    booking_id: uuid.UUID
    by: Side
    stars: int
    comment: str
    at: dt.datetime


class OwnRatings(BaseModel):
    """What others think of whoever asks."""

    stars: float | None
    """Mean, with what everybody begins with; null before the first rating."""
    count: int
    ratings: list[RatingFacts]
    """The newest first; those that only one side has given, seven days after the ride."""


@router.post("/bookings/{booking_id}/rate", status_code=204)
def rate_driver(
    request: Request, rider: Rider, booking_id: uuid.UUID, given: RatingGiven
) -> Response:
    """Rate the driver of a ride that is over, for seven days."""
    return _rate(request, rider, Side.RIDER, booking_id, given)


@router.post("/rides/{ride_id}/passengers/{booking_id}/rate", status_code=204)
def rate_rider(
    request: Request, driver: Driver, ride_id: uuid.UUID, booking_id: uuid.UUID, given: RatingGiven
) -> Response:
    """Rate a rider of a ride that is over, for seven days."""
    return _rate(request, driver, Side.DRIVER, booking_id, given, ride_id)


@router.get("/ratings")
def own_ratings(request: Request, person: SignedIn) -> OwnRatings:
    """Show what one was given by others, as far as it is shown by now."""
    now = now_of(request)
    with installation_of(request).engine.connect() as connection:
        score = scores_of(connection, [person.person_id], now).get(person.person_id, UNRATED)
        found = list_ratings(connection, person.person_id, now)
    return OwnRatings(
        stars=score.stars,
        count=score.count,
        ratings=[
            RatingFacts(**{name: getattr(each, name) for name in RatingFacts.model_fields})
            for each in found
        ],
    )


def _rate(
    request: Request,
    who: Principal,
    side: Side,
    booking_id: uuid.UUID,
    given: RatingGiven,
    ride_id: uuid.UUID | None = None,
) -> Response:
    here = installation_of(request)
    here.limits.count(f"ratings:{who.user_id}", most=WRITES, per_s=WINDOW_S)
    rate_ride(
        here.engine, who, side, booking_id, given.stars, given.comment, now=now_of(request),
        ride_id=ride_id,
    )  # fmt: skip
    return Response(status_code=204)
