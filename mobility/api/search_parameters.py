"""Parameters that every search of the MOTIS API takes: places, modes, and what is not honoured."""

from __future__ import annotations

import itertools

from carpool.audience import EVERYONE, Audience, Need, Person, Seeker
from carpool.offers import read_circle
from core.errors import InvalidInput, NotSupported
from core.geo import Coordinate, parse_coordinate
from core.ids import StopId
from core.modes import RAIL_MODES, TRANSIT_MODES, Mode
from mobility.api.parameters import Parameters
from mobility.world import World
from routing.ends import PlaceUnknown
from routing.itinerary import LegPlace
from routing.network import MEETING_POINT
from routing.query import Endpoint, Via

WALK_LIMIT_S = 7_200
MATCHING_LIMIT_M = 2_000
CHANGE_LIMIT_MIN = 1_440
VEHICLE_LIMIT = 8

ONLY_DEFAULTS: dict[str, str | tuple[str, ...]] = {
    "additionalTransferTime": "0",
    "transferTimeFactor": "1",
    "pedestrianSpeed": (),
    "cyclingSpeed": (),
    **dict.fromkeys(
        (
            "vehicleHeight", "vehicleWidth", "vehicleLength", "vehicleWeight", "vehicleHazmat",
            "vehicleHazmatWater", "vehicleAxleCount", "vehicleAxleLoad", "vehicleTrailer",
            "vehicleTopSpeed", "vehicleLezAccess",
        ),
        (),
    ),
    "elevationCosts": "NONE",
    "useRoutedTransfers": ("false", "true"),
    "requireBikeTransport": "false",
    "requireCarTransport": "false",
    "noCompulsoryReservation": "false",
}  # fmt: skip
"""Accepted at these values only. Walks are always routed, whatever `useRoutedTransfers` says."""

VIA_LIMIT = 2
STAY_LIMIT_MIN = 1440
WALK_SPEEDS_MPS = 0.2, 5.0
BIKE_SPEEDS_MPS = 0.5, 20.0

GROUPS: dict[str, frozenset[Mode]] = {
    "TRANSIT": TRANSIT_MODES,
    "RAIL": RAIL_MODES | {Mode.SUBWAY},
    "METRO": frozenset({Mode.SUBURBAN}),
    "AREAL_LIFT": frozenset({Mode.AERIAL_LIFT}),
    "CABLE_CAR": frozenset({Mode.FUNICULAR}),
    "ODM": frozenset(),
    "FLEX": frozenset(),
    "RIDE_SHARING": frozenset(),
}
"""Groups of modes and old names; on-demand service is in no feed yet, so it adds nothing."""


def read_place(world: World, text: str, name: str) -> Endpoint:
    """A place that a search starts from or goes to: coordinate, or id of a stop or point."""
    place = parse_coordinate(text)
    if place is not None:
        return Endpoint(place, None, name)
    point = find_meeting_point(world, text)
    if point is not None:
        return Endpoint(point.coordinate, None, point.name)
    stop = world.network.stop_row.get(StopId(text))
    if stop is None:
        message = f"{text[:80]!r} is neither latitude,longitude nor a stop of this territory"
        raise PlaceUnknown(message)
    t = world.network.timetable
    where = Coordinate(float(t.stop_lat[stop]), float(t.stop_lon[stop]))
    return Endpoint(where, StopId(text), t.stop_name[stop])


def find_meeting_point(world: World, text: str) -> LegPlace | None:
    """A meeting point by the id that answers give it, or None."""
    points = world.network.points
    own_id = text.removeprefix(MEETING_POINT)
    row = None if own_id == text else world.network.point_row.get(own_id)
    if row is None:
        return None
    where = Coordinate(float(points.lat[row]), float(points.lon[row]))
    return LegPlace(points.name[row], where, point=row)


def read_modes(given: Parameters, parameter: str) -> tuple[frozenset[Mode], bool]:
    """
    Modes of vehicles, and whether carpool is wanted; `TRANSIT` when absent.

    An empty list means no vehicle at all.
    """
    names = given.texts(parameter)
    if names is None:
        names = ["TRANSIT"]
    modes: set[Mode] = set()
    for name in names:
        if name in GROUPS:
            modes |= GROUPS[name]
        elif name in TRANSIT_MODES:
            modes.add(Mode(name))
        else:
            raise NotSupported(f"{parameter}={name} is not supported")
    return frozenset(modes), bool({"TRANSIT", "RIDE_SHARING"} & set(names))


def read_wheelchair(given: Parameters) -> tuple[bool, bool]:
    """Whether a way for wheelchairs is wanted, and whether also where it is not known to be one."""
    profile = (given.text("pedestrianProfile") or "FOOT").upper()
    if profile not in ("FOOT", "WHEELCHAIR"):
        raise NotSupported(f"pedestrianProfile={profile[:80]} is not supported")
    return profile == "WHEELCHAIR", given.yes("wheelchairUnknown", default=False)


def read_seeker(given: Parameters, person: Person) -> Seeker:
    """
    What a rider brings along, and among whom he wants to travel.

    `carpoolNeeds` names what the car has to take, `carpoolAudience` one of the audiences, or a
    community by its id. Raises `NotInAudience` for those to whom the rider does not belong.
    """
    names, circle = given.texts("carpoolNeeds") or [], EVERYONE
    for name in names:
        if name not in set(Need):
            raise InvalidInput(f"carpoolNeeds={name[:80]}: there are {', '.join(Need)}")
    audience = given.text("carpoolAudience")
    if audience is not None:
        try:
            own = audience in {*Audience} - {Audience.COMMUNITY}
            circle = read_circle(*((audience, None) if own else (Audience.COMMUNITY, audience)))
        except ValueError as error:
            message = f"carpoolAudience={audience[:80]}: everyone, women, verified, or a community"
            raise InvalidInput(message) from error
        person.require(circle)
    return Seeker(person, frozenset(map(Need, names)), circle)


def read_stop_modes(given: Parameters, parameter: str) -> frozenset[Mode]:
    """Modes by which stops or their departures are filtered; all when absent or empty."""
    return read_modes(given, parameter)[0] if given.texts(parameter) else TRANSIT_MODES


def only_on_foot(given: Parameters, parameter: str, *, carpool: bool) -> None:
    """Refuse to begin or end otherwise than on foot; carpool is searched everywhere anyway."""
    for name in given.texts(parameter) or []:
        if name != "WALK" and not (name == "RIDE_SHARING" and carpool):
            raise NotSupported(f"{parameter}={name} is not supported yet")


def street_modes(given: Parameters, parameter: str, *, carpool: bool) -> tuple[Mode, ...]:
    """How a journey begins or ends: on foot, by bike; carpool is searched everywhere anyway."""
    modes = {"WALK": Mode.WALK, "BIKE": Mode.BIKE}
    names = given.texts(parameter) or ["WALK"]
    for name in names:
        if name not in modes and not (name == "RIDE_SHARING" and carpool):
            raise NotSupported(f"{parameter}={name} is not supported yet")
    return tuple(dict.fromkeys(modes[n] for n in names if n in modes)) or (Mode.WALK,)


def speed_mps(given: Parameters, parameter: str, span_mps: tuple[float, float]) -> float | None:
    """A rider's own speed, or None for the territory's."""
    if given.text(parameter) is None:
        return None
    return given.number(parameter, 0, least=span_mps[0], most=span_mps[1])


def read_vias(given: Parameters, world: World) -> tuple[Via, ...]:
    """Stops on the way and the minutes to stay there; raises `PlaceUnknown` for unknown ones."""
    stops = given.texts("via") or []
    stays = given.texts("viaMinimumStay") or []
    if len(stops) > VIA_LIMIT:
        raise InvalidInput(f"via names {len(stops)} stops: {VIA_LIMIT} at most")
    if not all(stay.isdecimal() and int(stay) <= STAY_LIMIT_MIN for stay in stays):
        raise InvalidInput(
            f"viaMinimumStay is {','.join(stays)[:40]!r}: minutes from 0 to {STAY_LIMIT_MIN}"
        )
    for stop in stops:
        if stop not in world.network.stop_row:
            raise PlaceUnknown(f"via={stop[:80]!r} is no stop of this territory")
    return tuple(
        Via(StopId(stop), int(stay) * 60)
        for stop, stay in itertools.zip_longest(stops, stays[: len(stops)], fillvalue="0")
    )


def most_vehicles(given: Parameters, version: int) -> int:
    """Vehicles that `maxTransfers` allows; before v3 it counted them, and not the changes."""
    transfers = given.whole("maxTransfers", 99)
    return min(transfers if version < 3 else transfers + 1, VEHICLE_LIMIT)


def walk_s(given: Parameters, parameter: str) -> int:
    """Longest walk before or after vehicles; the server's own limit caps it, as MOTIS's does."""
    return min(given.whole(parameter, 900), WALK_LIMIT_S)


def matching_m(given: Parameters) -> float:
    """How far from a street a place may be; capped in the same way."""
    return min(given.number("maxMatchingDistance", 250), MATCHING_LIMIT_M)


def change_s(given: Parameters) -> int:
    """Least time for a change."""
    return given.whole("minTransferTime", 0, most=CHANGE_LIMIT_MIN) * 60
