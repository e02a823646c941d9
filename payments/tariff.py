"""
A tariff as data: prices per leg, fare journeys and caps, read from YAML.

Amounts are whole cents; prices per kilometre are thousandths of a cent. A tariff is identified
by the hash of its content, which every charge names.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import yaml

from core.errors import InvalidInput
from core.time import get_zone

T = TypeVar("T")
R = TypeVar("R")

MODES = ("bus", "tram", "coach", "rail", "subway", "ferry", "carpool", "bike", "other")


class InvalidTariff(InvalidInput):
    """A tariff that cannot be read, or contradicts itself."""

    code = "invalid_tariff"


@dataclass(frozen=True, slots=True)
class LegPrice:
    """Price of one leg: the first rule whose modes match applies."""

    id: str
    modes: frozenset[str]
    base_cents: int
    per_km_millicents: int
    min_cents: int
    max_cents: int | None


@dataclass(frozen=True, slots=True)
class FareJourneys:
    """Legs boarded within a window of the first count as one journey, priced by its dearest."""

    window_s: int
    modes: frozenset[str]


@dataclass(frozen=True, slots=True)
class Cap:
    """The most that a fare day costs for some modes."""

    id: str
    modes: frozenset[str]
    max_cents: int


@dataclass(frozen=True, slots=True)
class Tariff:
    """One version of a territory's fares."""

    id: str
    currency: str
    timezone: str
    cutover_s: int
    """Seconds after midnight at which a fare day begins."""
    leg_prices: tuple[LegPrice, ...]
    fare_journeys: FareJourneys | None
    caps: tuple[Cap, ...]
    content_hash: str
    """SHA-256 of the canonical JSON of the content."""


def read_tariff(path: Path) -> Tariff:
    """Read a tariff file; raises `InvalidTariff` naming what is wrong and where."""
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise InvalidTariff(f"cannot read tariff {path}: {error}") from error
    return parse_tariff(content)


def parse_tariff(content: Any) -> Tariff:  # noqa: ANN401 — whatever the YAML holds
    """Build a tariff from the content of its YAML file."""
    if not isinstance(content, Mapping):
        raise InvalidTariff("a tariff is a mapping: tariff, currency, leg_prices …")
    unknown = sorted(set(content) - KEYS)
    if unknown:
        raise InvalidTariff(f"tariff: {unknown[0]} is not known: one of {', '.join(sorted(KEYS))}")
    canonical = json.dumps(content, sort_keys=True, default=str, ensure_ascii=False)
    return Tariff(
        id=_read(content, "tariff", str),
        currency=_read(content, "currency", _currency),
        timezone=_read(content, "timezone", lambda name: get_zone(name).key),
        cutover_s=_read(content, "fare_day_cutover", _clock_s, "04:00"),
        leg_prices=_read(content, "leg_prices", lambda rules: _each(rules, _leg_price)),
        fare_journeys=_read(content, "fare_journeys", _fare_journeys, None),
        caps=_read(content, "caps", lambda caps: _each(caps, _cap), ()),
        content_hash=hashlib.sha256(canonical.encode()).hexdigest(),
    )


KEYS = frozenset(
    {
        "tariff", "currency", "timezone", "fare_day_cutover", "leg_prices", "fare_journeys",
        "caps",
    }
)  # fmt: skip
_NEEDED: Any = object()


def _read(
    content: Mapping[str, Any],
    key: str,
    read: Callable[[Any], T],
    default: object = _NEEDED,
) -> T:
    """Read one field; whatever is wrong in it is told under its name."""
    if key not in content and default is _NEEDED:
        raise InvalidTariff(f"tariff: {key} is missing")
    try:
        return read(content.get(key, default))
    except KeyError as error:
        raise InvalidTariff(f"tariff: {key}: {error.args[0]} is missing") from error
    except (TypeError, ValueError, AttributeError, InvalidInput) as error:
        raise InvalidTariff(f"tariff: {key}: {error}") from error


def _each(rules: Any, read: Callable[[Mapping[str, Any]], R]) -> tuple[R, ...]:  # noqa: ANN401
    """Read a list of rules whose ids differ."""
    if not isinstance(rules, (list, tuple)):
        raise TypeError("a list is expected")
    ids = [rule["id"] for rule in rules]
    twice = [rule_id for rule_id in ids if ids.count(rule_id) > 1]
    if twice:
        raise ValueError(f"{twice[0]} stands twice")
    return tuple(read(rule) for rule in rules)


def _only(values: Mapping[str, Any], *keys: str) -> None:
    if not isinstance(values, Mapping):
        raise TypeError(f"{values!r} is not a mapping")
    unknown = sorted(set(values) - set(keys))
    if unknown:
        raise ValueError(f"{unknown[0]} is not known: one of {', '.join(keys)}")


def _fare_journeys(values: Any) -> FareJourneys | None:  # noqa: ANN401
    if values is None:
        return None
    _only(values, "window_min", "modes")
    return FareJourneys(_cents(values, "window_min") * 60, _modes(values["modes"]))


def _leg_price(rule: Mapping[str, Any]) -> LegPrice:
    _only(rule, "id", "when", "base_cents", "per_km_millicents", "min_cents", "max_cents")
    if not isinstance(rule["when"], Mapping):
        raise TypeError(f"when: {rule['when']!r} is not a mapping")
    _only(rule["when"], "mode")
    price = LegPrice(
        id=str(rule["id"]),
        modes=_modes(rule["when"]["mode"]),
        base_cents=_cents(rule, "base_cents", 0),
        per_km_millicents=_cents(rule, "per_km_millicents", 0),
        min_cents=_cents(rule, "min_cents", 0),
        max_cents=_cents(rule, "max_cents") if "max_cents" in rule else None,
    )
    if price.max_cents is not None and price.max_cents < price.min_cents:
        raise ValueError(f"rule {price.id}: max_cents is below min_cents")
    return price


def _cap(cap: Mapping[str, Any]) -> Cap:
    _only(cap, "id", "period", "modes", "max_cents")
    if cap["period"] != "day":
        raise ValueError(f"cap {cap['id']}: period {cap['period']!r} is not known (day)")
    return Cap(str(cap["id"]), _modes(cap["modes"]), _cents(cap, "max_cents"))


def _cents(values: Mapping[str, Any], key: str, default: int | None = None) -> int:
    value = values[key] if default is None else values.get(key, default)
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise ValueError(f"{key} is {value!r}: write a whole number of at least 0")
    return value


def _modes(value: str | list[str]) -> frozenset[str]:
    if not isinstance(value, (str, list)):
        raise TypeError(f"mode {value!r} is neither a name nor a list of names")
    modes = frozenset([value] if isinstance(value, str) else value)
    unknown = sorted(modes - set(MODES))
    if unknown:
        raise ValueError(f"unknown mode {unknown[0]!r}: one of {', '.join(MODES)}")
    return modes


def _currency(value: str) -> str:
    if not (isinstance(value, str) and len(value) == 3 and value.isupper()):
        raise ValueError(f"currency {value!r} is not an ISO 4217 code")
    return value


def _clock_s(text: str) -> int:
    if not isinstance(text, str):
        raise TypeError(f'{text!r} is not a time: write it in quotes, "04:00"')
    try:
        moment = dt.time.fromisoformat(text)
    except ValueError as error:
        raise ValueError(f'{text!r} is not a time ("04:00")') from error
    return moment.hour * 3600 + moment.minute * 60 + moment.second
