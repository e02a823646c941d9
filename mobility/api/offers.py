"""Offers of whoever is signed in as a driver: /mobility/v1/offers."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, ConfigDict, Field

from carpool.audience import Audience, Need
from carpool.drawn_line import vias_of_line
from carpool.driving_costs import cost_of_drive, driven_way
from carpool.offers import (
    POWER_LIMIT,
    SEAT_LIMIT,
    VIA_LIMIT,
    Acceptance,
    Energy,
    InvalidOffer,
    OfferState,
    offer_as_json,
)
from core.geo import Coordinate
from core.ids import OfferId
from mobility.actions.publish_offer import (
    OwnOffer,
    change_own_offer,
    change_own_state,
    publish_own_offer,
)
from mobility.api.access import Driver, IdempotencyKey, installation_of, now_of
from mobility.api.answers import world_of
from mobility.db.offers import SqlOfferStore
from mobility.installation import Installation
from mobility.users.scopes import Principal

router = APIRouter(prefix="/mobility/v1/offers", tags=["offers"])
Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
EVERY_DAY: list[Weekday] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
NO_NUL = r"^[^\x00]*$"
PointId = Annotated[str, Field(max_length=200, pattern=NO_NUL)]
Clock = Annotated[str, Field(max_length=20)]
WRITES, WINDOW_S = 200, 3_600
"""Changes of one driver in an hour: each makes every process build its world anew."""
COSTS = 600
"""Drives of which one driver asks the cost in an hour."""
PAGE = 100
LINE_LIMIT = 2_000
"""Corners of a drawn line."""
ROWS = 400
"""Dates, points or stops in one list: far above what `carpool.offers` takes."""


class Place(BaseModel):
    """A place in degrees."""

    model_config = ConfigDict(extra="forbid")

    lat: float
    lon: float


class End(Place):
    """Where a drive starts or ends."""

    public: bool = False
    """A station or a works, to be used as it is. Any other end is taken for a home: a place up to
    1.5 km away, always the same, stands for it in all that others can see or work out."""


class VehicleContent(BaseModel):
    """A driver's car."""

    model_config = ConfigDict(extra="forbid")

    make: Annotated[str, Field(min_length=1, max_length=60, pattern=NO_NUL)]
    colour: Annotated[str, Field(max_length=30, pattern=NO_NUL)] = ""
    plate: Annotated[str, Field(max_length=15, pattern=NO_NUL)] = ""
    energy: Energy | None = None
    fiscal_power: Annotated[int, Field(ge=1, le=POWER_LIMIT)] | None = None


class OfferContent(BaseModel):
    """What a driver offers; times are on the clock of the territory."""

    model_config = ConfigDict(extra="forbid")

    start: End
    end: End
    vias: Annotated[list[Place], Field(max_length=ROWS)] = []
    """The driver's own stops, in order."""
    depart_from: Clock | None = None
    depart_to: Clock | None = None
    """He leaves between these two: "07:05", "07:20"."""
    arrive_from: Clock | None = None
    arrive_to: Clock | None = None
    """
    Instead of these: when he has to be at his end. He leaves early enough to be there by the last
    moment with his whole detour budget used up.
    """
    weekdays: Annotated[list[Weekday], Field(max_length=7)] = EVERY_DAY
    valid_from: dt.date
    valid_to: dt.date
    except_dates: Annotated[list[dt.date], Field(max_length=ROWS)] = []
    """Dates on which he does not drive."""
    seats: int
    detour_budget_s: int
    """Seconds that he accepts on top of his own drive."""
    struck_points: Annotated[list[PointId], Field(max_length=2 * ROWS)] = []
    """Ids of meeting points at which he does not stop."""
    acceptance: Acceptance = Acceptance.AUTOMATIC
    """Whether riders within the budget are accepted at once, or the driver is asked."""
    audience: Audience = Audience.EVERYONE
    """For whom the offer is; the driver himself belongs to them."""
    community: uuid.UUID | None = None
    """Which community, with the audience `community`."""
    takes: Annotated[list[Need], Field(max_length=len(Need))] = []
    """What the car has room for: of a bike, a child seat and a wheelchair one of each."""
    door: bool = False
    """
    Whether he also stops where riders live or want to go, wherever a car may and his budget lets
    him; he learns where that is once their booking is confirmed.
    """
    vehicle: VehicleContent | None = None
    """By which riders know the car; shown to them once their booking is confirmed."""


class GivenOffer(OfferContent):
    """An offer as it is entered."""

    line: Annotated[list[Place], Field(max_length=LINE_LIMIT)] = []
    """
    Instead of `vias`: the way that he drives, as corners of a line. As few stops are found as make
    the fastest drive follow it; none within 3 km of what stands for a home.
    """


class DriveContent(BaseModel):
    """A drive that may be offered."""

    model_config = ConfigDict(extra="forbid")

    start: Place
    end: Place
    vias: Annotated[list[Place], Field(max_length=VIA_LIMIT)] = []
    line: Annotated[list[Place], Field(max_length=LINE_LIMIT)] = []
    """Instead of `vias`: the way that he drives, as corners of a line."""
    seats: Annotated[int, Field(ge=1, le=SEAT_LIMIT)] = 3
    energy: Energy | None = None
    fiscal_power: Annotated[int, Field(ge=1, le=POWER_LIMIT)] | None = None


class DriveCosts(BaseModel):
    """What a drive costs its driver."""

    drive_s: int
    metres: int
    toll_metres: int
    """Of these, on toll roads."""
    currency: str
    energy_cents: int
    toll_cents: int
    share_cents: list[int]
    """What each pays, the driver among them, with one rider, with two …"""


class OfferChange(GivenOffer):
    """A new version of an offer."""

    version: Annotated[int, Field(ge=1, lt=2**31 - 1)]
    """The version that the driver has seen; another one by now is an error."""


class OfferFacts(OfferContent):
    """An offer, to its driver."""

    id: uuid.UUID
    version: int
    state: OfferState
    driver: str
    """The name that riders see."""
    drive_s: int | None = None
    """The drive without any rider; said when an offer is published or changed."""
    point_count: int | None = None
    """Meeting points within the budget, said likewise: more budget, more riders."""


class Offers(BaseModel):
    """A page of offers, the newest first."""

    offers: list[OfferFacts]
    next: uuid.UUID | None
    """`after` of the page behind it."""


@router.post("", status_code=201)
def publish(
    request: Request, driver: Driver, given: GivenOffer, key: IdempotencyKey = None
) -> OfferFacts:
    """Publish an offer: every server finds it within a second."""
    here = _counted(request, driver)
    own = publish_own_offer(
        here.engine, here.wakeups, world_of(request).snapshot, driver, _values(given), key=key,
        now=now_of(request),
    )  # fmt: skip
    return _facts(own)


@router.post("/costs")
def costs(request: Request, driver: Driver, given: DriveContent) -> DriveCosts:
    """Say what a drive costs its driver, before he offers seats on it."""
    here, snapshot = installation_of(request), world_of(request).snapshot
    here.limits.count(f"costs:{driver.user_id}", most=COSTS, per_s=WINDOW_S)
    if given.line and given.vias:
        raise InvalidOffer("either a line, or vias")
    start, end, *vias = _coordinates([given.start, given.end, *given.vias])
    if given.line:
        vias = [*vias_of_line(snapshot.network, _coordinates(given.line), start, end)]
    way = driven_way(snapshot.network, [start, *vias, end])
    of = snapshot.driving_costs
    cost = cost_of_drive(of, way, given.energy, given.fiscal_power)
    return DriveCosts(
        drive_s=way.drive_s, metres=way.metres, toll_metres=way.toll_metres, currency=of.currency,
        energy_cents=cost.energy_cents, toll_cents=cost.toll_cents,
        share_cents=[cost.share_cents(riders) for riders in range(1, given.seats + 1)],
    )  # fmt: skip


@router.get("")
def list_own(
    request: Request,
    driver: Driver,
    after: uuid.UUID | None = None,
    count: Annotated[int, Query(ge=1, le=PAGE)] = PAGE,
) -> Offers:
    """List one's own offers, the newest first, ended ones too."""
    behind = None if after is None else OfferId(str(after))
    with installation_of(request).engine.connect() as connection:
        stored = SqlOfferStore(connection).list_of(driver.person_id, after=behind, count=count)
    offers = [_facts(OwnOffer(s)) for s in stored]
    return Offers(offers=offers, next=offers[-1].id if len(offers) == count else None)


@router.get("/{offer_id}")
def read_own(request: Request, driver: Driver, offer_id: uuid.UUID) -> OfferFacts:
    """Read one of one's own offers."""
    with installation_of(request).engine.connect() as connection:
        own = SqlOfferStore(connection).get_of(driver.person_id, OfferId(str(offer_id)))
    return _facts(OwnOffer(own))


@router.put("/{offer_id}")
def change(request: Request, driver: Driver, offer_id: uuid.UUID, given: OfferChange) -> OfferFacts:
    """Change an offer; whoever changed it from the same version first wins."""
    here, values = _counted(request, driver), _values(given)
    version = values.pop("version")
    own = change_own_offer(
        here.engine, here.wakeups, world_of(request).snapshot, driver, OfferId(str(offer_id)),
        values, version=version,
    )  # fmt: skip
    return _facts(own)


@router.post("/{offer_id}/pause")
def pause(request: Request, driver: Driver, offer_id: uuid.UUID) -> OfferFacts:
    """Let nobody find an offer until it is resumed."""
    return _state(request, driver, offer_id, OfferState.PAUSED)


@router.post("/{offer_id}/resume")
def resume(request: Request, driver: Driver, offer_id: uuid.UUID) -> OfferFacts:
    """Let riders find a paused offer again."""
    return _state(request, driver, offer_id, OfferState.PUBLISHED)


@router.delete("/{offer_id}")
def end(request: Request, driver: Driver, offer_id: uuid.UUID) -> OfferFacts:
    """End an offer for good."""
    return _state(request, driver, offer_id, OfferState.ENDED)


def _state(
    request: Request, driver: Principal, offer_id: uuid.UUID, state: OfferState
) -> OfferFacts:
    here = _counted(request, driver)
    own = change_own_state(here.engine, here.wakeups, driver, OfferId(str(offer_id)), state)
    return _facts(own)


def _counted(request: Request, driver: Principal) -> Installation:
    here = installation_of(request)
    here.limits.count(f"offers:{driver.user_id}", most=WRITES, per_s=WINDOW_S)
    return here


def _coordinates(places: list[Place]) -> list[Coordinate]:
    return [Coordinate(place.lat, place.lon) for place in places]


def _values(given: OfferContent) -> dict[str, Any]:
    return given.model_dump(mode="json")


def _facts(own: OwnOffer) -> OfferFacts:
    stored = own.stored
    content = {**offer_as_json(stored.offer), **(stored.entered or {})}
    return OfferFacts(
        **content, id=uuid.UUID(stored.offer.id), version=stored.version,
        state=stored.state, drive_s=own.drive_s, point_count=own.point_count,
    )  # fmt: skip
