"""
Who may use a way, in which direction, and how fast: OSM tags to four profiles.

Sources: OSM wiki, "Key:access", "Key:oneway", "Key:maxspeed", "Key:toll", "OSM tags for routing".
Turn restrictions and barriers on nodes are not read; docs/planner.md says so.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from routing.street.step_free import StepFree, step_free_of_way

KMH = 1 / 3.6

DEFAULT_CAR_KMH: dict[str, float] = {
    "motorway": 110,
    "motorway_link": 60,
    "trunk": 80,
    "trunk_link": 50,
    "primary": 60,
    "primary_link": 40,
    "secondary": 50,
    "secondary_link": 35,
    "tertiary": 42,
    "tertiary_link": 30,
    "unclassified": 38,
    "residential": 28,
    "living_street": 12,
    "service": 14,
    "road": 30,
}
"""Speeds in practice, not limits, where a way carries no maxspeed; territory data may differ."""

_CAR = frozenset(DEFAULT_CAR_KMH)
_NO_FOOT = frozenset({"motorway", "motorway_link", "trunk", "trunk_link"})
_NO_BIKE = _NO_FOOT | {"steps"}
_FOOT_ONLY = frozenset({"footway", "path", "steps", "pedestrian", "bridleway", "corridor"})
_OTHER = frozenset({"cycleway", "track", "platform"})
_NOT_A_WAY = frozenset(
    {"construction", "proposed", "abandoned", "razed", "raceway", "no", "elevator"}
)
"""Elevators are ridden, not walked along: `routing.street.elevators`."""
_DENIED = frozenset({"no", "private", "agricultural", "forestry", "delivery", "military"})
_GRANTED = frozenset({"yes", "designated", "permissive", "destination", "official", "public"})
_NO_STOPPING = frozenset({"motorway", "motorway_link", "trunk", "trunk_link", "primary_link"})
STOPPING_LIMIT_KMH = 70


@dataclass(frozen=True, slots=True)
class Speeds:
    """Speeds of a territory; every field can be set in its YAML file."""

    foot_mps: float = 1.3
    bike_mps: float = 4.2
    stairs_mps: float = 0.5
    wheelchair_mps: float = 0.8
    """Where this is more than on foot, it counts as on foot. MOTIS takes the same."""
    car_kmh: Mapping[str, float] = field(default_factory=lambda: DEFAULT_CAR_KMH)
    maxspeed_factor: float = 0.85
    """Driven speed over signed limit."""


@dataclass(frozen=True, slots=True)
class WayUse:
    """Speeds on a way in metres per second, 0 where it may not be used."""

    foot_mps: float
    bike_forward_mps: float
    bike_backward_mps: float
    car_forward_mps: float
    car_backward_mps: float
    car_may_stop: bool
    car_toll: bool = False
    wheelchair_mps: float = 0
    step_free: StepFree = StepFree.UNKNOWN

    @property
    def used(self) -> bool:
        """Whether any profile may use the way."""
        return max(self.foot_mps, self.bike_forward_mps, self.car_forward_mps) > 0 or (
            max(self.bike_backward_mps, self.car_backward_mps) > 0
        )


def speeds_of_territory(values: Mapping[str, Any]) -> Speeds:
    """Speeds with the defaults replaced that a territory file states."""
    car = {**DEFAULT_CAR_KMH, **values.get("car_kmh", {})}
    rest = {key: float(value) for key, value in values.items() if key != "car_kmh"}
    return Speeds(car_kmh=car, **rest)


def use_of_way(tags: Mapping[str, str], speeds: Speeds) -> WayUse:
    """Read a way's tags; pure."""
    kind = tags.get("highway", "")
    if tags.get("route") == "ferry" or kind in _NOT_A_WAY or tags.get("area") == "yes":
        return WayUse(0, 0, 0, 0, 0, car_may_stop=False)
    access = tags.get("access", "")
    foot = _allowed(tags, ("foot",), access, by_default=_walkable(kind))
    bike = _allowed(
        tags, ("bicycle", "vehicle"), access, by_default=_cyclable(kind, tags.get("bicycle", ""))
    )
    car = _allowed(tags, ("motorcar", "motor_vehicle", "vehicle"), access, by_default=kind in _CAR)
    forward, backward = _directions(tags)
    bike_free = tags.get("oneway:bicycle") == "no" or "opposite" in tags.get("cycleway", "")
    step_free = step_free_of_way(tags)
    foot_mps = speeds.stairs_mps if kind == "steps" else speeds.foot_mps
    car_mps = _car_mps(kind, tags, speeds)
    limit = _maxspeed_kmh(tags.get("maxspeed", ""))
    return WayUse(
        foot_mps=foot_mps if foot else 0,
        bike_forward_mps=speeds.bike_mps if bike and (forward or bike_free) else 0,
        bike_backward_mps=speeds.bike_mps if bike and (backward or bike_free) else 0,
        car_forward_mps=car_mps if car and forward else 0,
        car_backward_mps=car_mps if car and backward else 0,
        car_may_stop=(
            car
            and kind not in _NO_STOPPING
            and tags.get("tunnel", "no") == "no"
            and tags.get("bridge", "no") == "no"
            and tags.get("junction") not in ("roundabout", "circular")
            and (limit or 0) <= STOPPING_LIMIT_KMH
        ),
        car_toll=car and tags.get("toll:motorcar", tags.get("toll", "no")) == "yes",
        wheelchair_mps=(
            min(foot_mps, speeds.wheelchair_mps) if foot and step_free is not StepFree.NO else 0
        ),
        step_free=step_free,
    )


def may_ride(tags: Mapping[str, str]) -> bool:
    """Whether an elevator is for everybody, by its tags."""
    return _allowed(tags, ("foot",), tags.get("access", ""), by_default=True)


def _walkable(kind: str) -> bool:
    return (kind in _CAR or kind in _FOOT_ONLY or kind in _OTHER) and kind not in _NO_FOOT


def _cyclable(kind: str, bicycle: str) -> bool:
    if kind in ("cycleway", "track") or (kind in _CAR and kind not in _NO_BIKE):
        return True
    return kind == "path" and bicycle != "no"


def _allowed(
    tags: Mapping[str, str], keys: tuple[str, ...], access: str, *, by_default: bool
) -> bool:
    """Most specific key that is present decides; `access` only takes away."""
    for key in keys:
        value = tags.get(key)
        if value in _DENIED:
            return False
        if value in _GRANTED:
            return tags.get("highway", "") != ""
    return by_default and access not in _DENIED


def _directions(tags: Mapping[str, str]) -> tuple[bool, bool]:
    oneway = tags.get("oneway", "")
    if oneway in ("-1", "reverse"):
        return False, True
    circular = tags.get("junction") in ("roundabout", "circular")
    implied = circular or tags.get("highway") in ("motorway", "motorway_link")
    if oneway in ("yes", "true", "1") or (implied and oneway not in ("no", "false", "0")):
        return True, False
    return True, True


def _maxspeed_kmh(text: str) -> float | None:
    number, _, unit = text.strip().partition(" ")
    try:
        value = float(number)
    except ValueError:
        return None
    if not 5 <= value <= 200:
        return None
    return value * 1.609344 if unit == "mph" else value


def _car_mps(kind: str, tags: Mapping[str, str], speeds: Speeds) -> float:
    by_class = speeds.car_kmh.get(kind, 20)
    limit = _maxspeed_kmh(tags.get("maxspeed", ""))
    if limit is None:
        return by_class * KMH
    if kind in ("living_street", "service"):
        return min(by_class, limit) * KMH
    return limit * speeds.maxspeed_factor * KMH
