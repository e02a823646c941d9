"""Drives that riders look for: /mobility/v1/wishes; and what drivers are told of them."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Annotated

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field

from carpool.audience import Audience, Need
from carpool.offers import SEAT_LIMIT
from carpool.wishes import WALK_LIMIT_S, parse_wish, wish_as_json
from core.ids import OfferId
from mobility.actions.match_wishes import wanted_points
from mobility.actions.save_wish import save_wish
from mobility.api.access import Driver, Rider, installation_of, now_of
from mobility.api.answers import world_of
from mobility.api.offers import EVERY_DAY, Place, Weekday
from mobility.db.circles import read_person
from mobility.db.offers import SqlOfferStore
from mobility.db.wishes import (
    StoredWish,
    end_wish,
    get_wish,
    list_matches,
    list_wishes,
)
from mobility.installation import Installation
from mobility.wish_book import WishBook

router = APIRouter(prefix="/mobility/v1", tags=["wishes"])
WRITES, WINDOW_S = 200, 3_600
"""Wishes that one person saves, ends or counts in an hour."""
LISTED = 200
USUAL_WALK_S = 900


class TripTimes(BaseModel):
    """When a rider travels, on the clock of the territory: "07:00", "08:15"."""

    model_config = ConfigDict(extra="forbid")

    leave_from: str
    arrive_by: str


class WishContent(BaseModel):
    """A drive that a rider looks for."""

    model_config = ConfigDict(extra="forbid")

    start: Place
    end: Place
    out: TripTimes
    back: TripTimes | None = None
    """The way back on the same days, if it is wanted."""
    weekdays: Annotated[list[Weekday], Field(max_length=7)] = EVERY_DAY
    valid_from: dt.date
    valid_to: dt.date
    """The same day as `valid_from` for a single trip."""
    seats: Annotated[int, Field(ge=1, le=SEAT_LIMIT)] = 1
    walk_limit_s: Annotated[int, Field(ge=0, le=WALK_LIMIT_S)] = USUAL_WALK_S
    """Longest walk at either end."""
    needs: Annotated[list[Need], Field(max_length=len(Need))] = []
    """What the rider brings along."""
    audience: Audience = Audience.EVERYONE
    """Only offers that are for these alone, if not everyone's; the rider belongs to them."""
    community: uuid.UUID | None = None
    shared: bool = False
    """Whether other carpool operators are shown the wish: its times, and for each end a place up to
    1.5 km away, always the same; neither the ends nor the rider's name."""


class WishFacts(WishContent):
    """A wish, to its rider."""

    id: uuid.UUID
    open: bool
    """Whether it is looked after."""


class MatchFacts(BaseModel):
    """An offer that would do; search that day to book it."""

    offer_id: uuid.UUID
    direction: str
    """out or back."""
    date: dt.date
    """First day on which both travel."""
    pickup_point: str
    dropoff_point: str
    pickup_at: str
    dropoff_at: str
    arrival_at: str
    """At the rider's own end."""


class WantedPoint(BaseModel):
    """A meeting point that riders want."""

    point: str
    riders: int


@router.post("/wishes", status_code=201)
def save(request: Request, rider: Rider, given: WishContent) -> WishFacts:
    """Look for a drive: offers that would do are told within seconds, also those still to come."""
    here = _counted(request, rider.user_id)
    wish = parse_wish(given.model_dump(mode="json"), uuid.uuid4(), rider.person_id)
    save_wish(
        here.engine, here.wakeups, world_of(request).snapshot, wish, shared=given.shared,
        now=now_of(request),
    )  # fmt: skip
    return _facts(StoredWish(wish, open=True, shared=given.shared))


@router.get("/wishes")
def list_own(request: Request, rider: Rider) -> list[WishFacts]:
    """List one's own wishes, the newest first, ended ones too."""
    with installation_of(request).engine.connect() as connection:
        return [_facts(found) for found in list_wishes(connection, rider.person_id, LISTED)]


@router.get("/wishes/{wish_id}/matches")
def matches(request: Request, rider: Rider, wish_id: uuid.UUID) -> list[MatchFacts]:
    """List offers that would do for a wish."""
    with installation_of(request).engine.connect() as connection:
        wish = get_wish(connection, rider.person_id, wish_id).wish
        person = read_person(connection, rider.person_id)
        found = list_matches(connection, wish_id, wish.seeker(person))
    return [MatchFacts(offer_id=m.offer_id, direction=m.direction, **m.content) for m in found]


@router.delete("/wishes/{wish_id}")
def end(request: Request, rider: Rider, wish_id: uuid.UUID) -> WishFacts:
    """Look after a wish no more."""
    here = _counted(request, rider.user_id)
    with here.engine.begin() as connection:
        revision = end_wish(connection, rider.person_id, wish_id)
        ended = get_wish(connection, rider.person_id, wish_id)
    here.wakeups.announce(revision)
    return _facts(ended)


@router.get("/offers/{offer_id}/wanted", tags=["offers"])
def wanted(request: Request, driver: Driver, offer_id: uuid.UUID) -> list[WantedPoint]:
    """Meeting points of an offer that at least three riders want, those of most first."""
    book: WishBook = request.app.state.wish_book
    _counted(request, driver.user_id)
    with installation_of(request).engine.connect() as connection:
        SqlOfferStore(connection).get_of(driver.person_id, OfferId(str(offer_id)))
        found = wanted_points(
            connection, world_of(request), book, driver.person_id, OfferId(str(offer_id)),
            now=now_of(request),
        )  # fmt: skip
    return [WantedPoint(point=point, riders=riders) for point, riders in found.items()]


def _counted(request: Request, user_id: uuid.UUID) -> Installation:
    here = installation_of(request)
    here.limits.count(f"wishes:{user_id}", most=WRITES, per_s=WINDOW_S)
    return here


def _facts(stored: StoredWish) -> WishFacts:
    return WishFacts(
        **wish_as_json(stored.wish), id=stored.wish.id, open=stored.open, shared=stored.shared
    )
