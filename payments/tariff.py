"""
A tariff as data: prices per leg, fare journeys and caps, read from YAML.

Amounts are whole cents; prices per kilometre are thousandths of a cent. A tariff is identified
by the hash of its content, which every charge names.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from core.errors import InvalidInput

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
    try:
        canonical = json.dumps(content, sort_keys=True, default=str, ensure_ascii=False)
        journeys = content.get("fare_journeys")
        return Tariff(
            id=str(content["tariff"]),
            currency=_currency(content["currency"]),
            timezone=str(content["timezone"]),
            cutover_s=_clock_s(str(content.get("fare_day_cutover", "04:00"))),
            leg_prices=tuple(_leg_price(rule) for rule in content["leg_prices"]),
            fare_journeys=None
            if journeys is None
            else FareJourneys(
                window_s=_cents(journeys, "window_min") * 60, modes=_modes(journeys["modes"])
            ),
            caps=tuple(_cap(cap) for cap in content.get("caps", ())),
            content_hash=hashlib.sha256(canonical.encode()).hexdigest(),
        )
    except KeyError as error:
        raise InvalidTariff(f"tariff: {error.args[0]} is missing") from error
    except (TypeError, ValueError, AttributeError) as error:
        raise InvalidTariff(f"tariff: {error}") from error


def _leg_price(rule: Mapping[str, Any]) -> LegPrice:
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
    if cap["period"] != "day":
        raise ValueError(f"cap {cap['id']}: period {cap['period']!r} is not known (day)")
    return Cap(str(cap["id"]), _modes(cap["modes"]), _cents(cap, "max_cents"))


def _cents(values: Mapping[str, Any], key: str, default: int | None = None) -> int:
    value = values[key] if default is None else values.get(key, default)
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise ValueError(f"{key} is {value!r}: write a whole number of at least 0")
    return value


def _modes(value: str | list[str]) -> frozenset[str]:
    modes = frozenset([value] if isinstance(value, str) else value)
    unknown = sorted(modes - set(MODES))
    if unknown:
        raise ValueError(f"unknown mode {unknown[0]!r}: one of {', '.join(MODES)}")
    return modes


def _currency(value: str) -> str:
    if len(value) != 3 or not value.isupper():
        raise ValueError(f"currency {value!r} is not an ISO 4217 code")
    return value


def _clock_s(text: str) -> int:
    moment = dt.time.fromisoformat(text)
    return moment.hour * 3600 + moment.minute * 60 + moment.second
