"""What a driver offers: a drive he makes anyway, free seats and a detour budget."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any, TypeVar

from carpool.audience import EVERYONE, Audience, Circle, Need
from core.errors import Conflict, InvalidInput
from core.geo import Coordinate
from core.ids import OfferId

T = TypeVar("T")

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
SEAT_LIMIT = 8
BUDGET_LIMIT_S = 3600
WINDOW_LIMIT_S = 4 * 3600
VIA_LIMIT = 5
STRUCK_LIMIT = 500
"""Points that one offer may strike out; a drive passes a few hundred."""
POWER_LIMIT = 99
DAY_S = 86_400


class InvalidOffer(InvalidInput):
    """An offer that contradicts itself."""

    code = "invalid_offer"


class OfferState(StrEnum):
    """Whether an offer is searched; what has ended stays so."""

    PUBLISHED = "published"
    PAUSED = "paused"
    ENDED = "ended"


class Acceptance(StrEnum):
    """What it takes to book a seat."""

    AUTOMATIC = "automatic"
    """Whatever stays within the budget is accepted."""
    ASK = "ask"
    """The driver answers each time."""


class Energy(StrEnum):
    """What a car runs on."""

    PETROL = "petrol"
    DIESEL = "diesel"
    GAS = "gas"
    HYBRID = "hybrid"
    ELECTRIC = "electric"


@dataclass(frozen=True, slots=True)
class Vehicle:
    """A driver's car, by which his riders know it: shown to them once they are confirmed."""

    make: str
    colour: str
    plate: str
    energy: Energy | None = None
    fiscal_power: int | None = None
    """French "chevaux fiscaux", on which scales of costs depend."""

    def __post_init__(self) -> None:
        texts = (("make", 60), ("colour", 30), ("plate", 15))
        for name, limit in texts:
            value = getattr(self, name)
            if not (isinstance(value, str) and len(value) <= limit and "\0" not in value):
                raise InvalidInput(f"{name}: {limit} characters at most")
        if self.fiscal_power is not None and not 1 <= self.fiscal_power <= POWER_LIMIT:
            raise InvalidInput(f"fiscal_power: 1 to {POWER_LIMIT}")


class OfferEnded(Conflict):
    """An offer that has ended is not changed any more."""

    code = "offer_ended"


class OfferChanged(Conflict):
    """Somebody has changed the offer since it was read."""

    code = "offer_changed"


@dataclass(frozen=True, slots=True)
class Outside:
    """What belongs to an offer of another operator: its seats are booked there."""

    operator: str
    """Host name of the operator."""
    url: str
    """Where a seat is booked."""
    price_cents: int | None
    """What the operator asks for a seat; None where it does not say."""
    currency: str


@dataclass(frozen=True, slots=True)
class Offer:
    """One published offer; recurring offers run on several dates."""

    id: OfferId
    driver: str
    """Alias shown to riders."""
    start: Coordinate
    end: Coordinate
    vias: tuple[Coordinate, ...]
    depart_from_s: int
    depart_to_s: int
    """
    Window in which the driver leaves, seconds of the day on the clock of the territory; of an offer
    that says when he must be there, known once it is compiled (`carpool.compile.timed_offer`).
    """
    weekdays: frozenset[str]
    valid_from: dt.date
    valid_to: dt.date
    seat_count: int
    detour_budget_s: int
    except_dates: frozenset[dt.date] = field(default_factory=frozenset)
    struck_points: frozenset[str] = field(default_factory=frozenset)
    """Ids of meeting points at which the driver does not stop."""
    acceptance: Acceptance = Acceptance.AUTOMATIC
    arrive_s: tuple[int, int] | None = None
    """Window in which the driver has to be at his end, where he said that instead."""
    circle: Circle = EVERYONE
    """To whom it is made."""
    takes: frozenset[Need] = field(default_factory=frozenset)
    """What the car has room for besides people."""
    door: bool = False
    """Whether he also stops where riders live, or want to go, within his budget."""
    vehicle: Vehicle | None = None
    outside: Outside | None = None
    """Of another operator; None: of a driver here."""

    def __post_init__(self) -> None:
        checks = (
            (self.weekdays <= set(WEEKDAYS) and bool(self.weekdays), "weekdays: mon … sun"),
            (self.valid_from <= self.valid_to, "valid_from is after valid_to"),
            (1 <= self.seat_count <= SEAT_LIMIT, f"seats: 1 to {SEAT_LIMIT}"),
            (
                0 <= self.detour_budget_s <= BUDGET_LIMIT_S,
                f"detour_budget_s: 0 to {BUDGET_LIMIT_S}",
            ),
            (
                0 <= self.depart_from_s <= self.depart_to_s < 2 * DAY_S,
                "depart_from is after depart_to",
            ),
            (
                self.depart_to_s - self.depart_from_s <= WINDOW_LIMIT_S,
                "the departure window is longer than four hours",
            ),
            *(
                ()
                if self.arrive_s is None
                else (
                    (
                        0 <= self.arrive_s[0] <= self.arrive_s[1] < 2 * DAY_S,
                        "arrive_from is after arrive_to",
                    ),
                    (
                        self.arrive_s[1] - self.arrive_s[0] <= WINDOW_LIMIT_S,
                        "the arrival window is longer than four hours",
                    ),
                )
            ),
            (len(self.vias) <= VIA_LIMIT, f"vias: {VIA_LIMIT} at most"),
            (len(self.struck_points) <= STRUCK_LIMIT, f"struck_points: {STRUCK_LIMIT} at most"),
        )
        for holds, message in checks:
            if not holds:
                raise InvalidOffer(f"offer {self.id}: {message}")

    def runs_on(self, date: dt.date) -> bool:
        """Whether the offer is driven on a date."""
        return (
            self.valid_from <= date <= self.valid_to
            and WEEKDAYS[date.weekday()] in self.weekdays
            and date not in self.except_dates
        )


def parse_offer(values: Mapping[str, Any], offer_id: OfferId) -> Offer:
    """Read an offer from its JSON form; raises `InvalidOffer` naming what is wrong."""

    def field_of(name: str, read: Callable[[Any], T], default: Any = _NEEDED) -> T:  # noqa: ANN401
        if name not in values and default is _NEEDED:
            raise InvalidOffer(f"offer {offer_id}: {name} is missing")
        try:
            return read(values.get(name, default))
        except KeyError as error:
            message = f"offer {offer_id}: {name}: {error.args[0]} is missing"
            raise InvalidOffer(message) from error
        except (TypeError, ValueError, AttributeError, OverflowError, InvalidInput) as error:
            raise InvalidOffer(f"offer {offer_id}: {name}: {error}") from error

    said = [name for name in WINDOWS if values.get(name) is not None]
    if said not in (WINDOWS[:2], WINDOWS[2:]):
        raise InvalidOffer(
            f"offer {offer_id}: either depart_from and depart_to, or arrive_from and arrive_to"
        )
    arrive_s = None
    if said == WINDOWS[2:]:
        arrive_s = field_of("arrive_from", parse_clock), field_of("arrive_to", parse_clock)
    return Offer(
        id=offer_id,
        driver=field_of("driver", str),
        start=field_of("start", _coordinate),
        end=field_of("end", _coordinate),
        vias=field_of("vias", lambda vias: tuple(_coordinate(via) for via in vias), ()),
        depart_from_s=0 if arrive_s else field_of("depart_from", parse_clock),
        depart_to_s=0 if arrive_s else field_of("depart_to", parse_clock),
        weekdays=field_of("weekdays", frozenset, WEEKDAYS),
        valid_from=field_of("valid_from", dt.date.fromisoformat),
        valid_to=field_of("valid_to", dt.date.fromisoformat),
        seat_count=field_of("seats", _whole),
        detour_budget_s=field_of("detour_budget_s", _whole),
        except_dates=field_of(
            "except_dates", lambda days: frozenset(dt.date.fromisoformat(d) for d in days), ()
        ),
        struck_points=field_of("struck_points", lambda ids: frozenset(map(_text, ids)), ()),
        acceptance=field_of("acceptance", Acceptance, Acceptance.AUTOMATIC),
        arrive_s=arrive_s,
        circle=field_of("audience", lambda name: read_circle(name, values.get("community")), None),
        takes=field_of("takes", lambda names: frozenset(map(Need, names)), ()),
        door=field_of("door", _yes_or_no, False),
        vehicle=field_of("vehicle", _vehicle, None),
        outside=field_of("outside", lambda of: of and Outside(**of), None),
    )


_NEEDED: Any = object()
WINDOWS = ["depart_from", "depart_to", "arrive_from", "arrive_to"]


def read_circle(audience: str | None, community: str | None) -> Circle:
    """A circle from its JSON form; everyone where nothing is said."""
    of = None if community is None else uuid.UUID(community)
    return Circle(Audience(audience or Audience.EVERYONE), of)


def _vehicle(values: Mapping[str, Any] | None) -> Vehicle | None:
    if values is None:
        return None
    energy, power = values.get("energy"), values.get("fiscal_power")
    return Vehicle(
        make=values["make"],
        colour=values["colour"],
        plate=values["plate"],
        energy=None if energy is None else Energy(energy),
        fiscal_power=None if power is None else _whole(power),
    )


def _whole(value: Any) -> int:  # noqa: ANN401 — whatever the JSON holds
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(f"{value!r} is not a whole number")
    return value


def _yes_or_no(value: Any) -> bool:  # noqa: ANN401 — whatever the JSON holds
    if not isinstance(value, bool):
        raise TypeError(f"{value!r} is neither true nor false")
    return value


def _text(value: Any) -> str:  # noqa: ANN401 — whatever the JSON holds
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is no id")
    return value


def offer_as_json(offer: Offer) -> dict[str, Any]:
    """Undo `parse_offer`."""
    outside = {} if offer.outside is None else {"outside": asdict(offer.outside)}
    return {
        "driver": offer.driver,
        "start": {"lat": offer.start.lat, "lon": offer.start.lon},
        "end": {"lat": offer.end.lat, "lon": offer.end.lon},
        "vias": [{"lat": via.lat, "lon": via.lon} for via in offer.vias],
        **_window(offer),
        "weekdays": [day for day in WEEKDAYS if day in offer.weekdays],
        "valid_from": offer.valid_from.isoformat(),
        "valid_to": offer.valid_to.isoformat(),
        "seats": offer.seat_count,
        "detour_budget_s": offer.detour_budget_s,
        "except_dates": sorted(day.isoformat() for day in offer.except_dates),
        "struck_points": sorted(offer.struck_points),
        "acceptance": offer.acceptance,
        **circle_as_json(offer.circle),
        "takes": [need for need in Need if need in offer.takes],
        "door": offer.door,
        "vehicle": None if offer.vehicle is None else asdict(offer.vehicle),
        **outside,
    }


def circle_as_json(circle: Circle) -> dict[str, Any]:
    """Undo `read_circle`."""
    community = None if circle.community is None else str(circle.community)
    return {"audience": circle.audience, "community": community}


def _window(offer: Offer) -> dict[str, str]:
    """The window that the driver has said."""
    if offer.arrive_s is not None:
        names, window_s = WINDOWS[2:], offer.arrive_s
    else:
        names, window_s = WINDOWS[:2], (offer.depart_from_s, offer.depart_to_s)
    return {name: write_clock(at_s) for name, at_s in zip(names, window_s, strict=True)}


def _coordinate(value: Mapping[str, Any]) -> Coordinate:
    return Coordinate(lat=float(value["lat"]), lon=float(value["lon"]))


def parse_clock(text: str) -> int:
    """Seconds of the day of a time such as 07:20, 24:30 being half past midnight."""
    if not isinstance(text, str):
        raise TypeError(f"{text!r} is not a time (07:20)")
    parts = [int(part) for part in text.split(":")]
    if len(parts) not in (2, 3) or not all(0 <= part < 60 for part in parts[1:]):
        raise ValueError(f"{text!r} is not a time (07:20)")
    hours, minutes, *rest = parts
    return hours * 3600 + minutes * 60 + (rest[0] if rest else 0)


def write_clock(seconds: int) -> str:
    """Undo `parse_clock`."""
    return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"
