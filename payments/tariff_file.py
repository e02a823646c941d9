"""
Reading a tariff from YAML: every mistake is told with its field.

A tariff is identified by the hash of its content, which every charge names.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import yaml

from core.errors import InvalidInput
from core.time import DAY_S, get_zone
from payments.rights import ANOTHER_RIDER
from payments.tariff import (
    GUESSES,
    HOLIDAY,
    LIST_PRICE,
    MODES,
    WEEKDAYS,
    Category,
    FareJourney,
    InvalidTariff,
    LegPrice,
    Payer,
    Period,
    Product,
    RevenueShares,
    Share,
    ShareKey,
    Tariff,
    Tier,
    TimeBand,
    When,
)

T = TypeVar("T")
R = TypeVar("R")
KEYS = frozenset(
    {
        "tariff", "currency", "timezone", "fare_day_cutover", "valid_from", "valid_to",
        "time_bands", "holidays", "categories", "leg_prices", "fare_journeys", "products",
        "payers", "revenue_shares", "missing_tap_out",
    }
)  # fmt: skip
DAYS = {
    "workday": frozenset(WEEKDAYS[:5]),
    "weekend": frozenset(WEEKDAYS[5:]),
    "every": frozenset((*WEEKDAYS, HOLIDAY)),
    **{day: frozenset({day}) for day in (*WEEKDAYS, HOLIDAY)},
}
NAME_LIMIT, LARGEST = 200, 1_000_000_000
ROUNDED_LIMIT = 100
YEARS = range(2000, 2101)
PAYER_ID_LENGTH = 20
PAYER_ID = re.compile(rf"[a-z0-9_-]{{1,{PAYER_ID_LENGTH}}}")
"""Names accounts of the ledger."""
_NEEDED: Any = object()


def read_tariff(path: Path) -> Tariff:
    """Read a tariff file; raises `InvalidTariff` naming what is wrong and where."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidTariff(f"cannot read tariff {path}: {error}") from error
    return read_tariff_text(text, str(path))


def read_tariff_text(text: str, name: str = "") -> Tariff:
    """Read a tariff as it was written; `name` says where."""
    try:
        if any(isinstance(token, yaml.AliasToken) for token in yaml.scan(text)):
            raise InvalidTariff(f"cannot read tariff {name}: aliases (*) are not taken")
        content = yaml.load(text, _Loader)  # noqa: S506 — a safe one
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise InvalidTariff(f"cannot read tariff {name}: {error}") from error
    return parse_tariff(content)


class _Loader(yaml.SafeLoader):
    """Refuses keys that stand twice: of two prices nobody knows which is meant."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:  # noqa: FBT001, FBT002 — as its base
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        twice = [key for nth, key in enumerate(keys) if key in keys[:nth]]
        if twice:
            raise yaml.YAMLError(f"{twice[0]} stands twice, {node.start_mark}")
        found: dict[Any, Any] = super().construct_mapping(node, deep=deep)
        return found


def parse_tariff(content: Any) -> Tariff:  # noqa: ANN401 — whatever the YAML holds
    """Build a tariff from the content of its YAML file."""
    if not isinstance(content, Mapping):
        raise InvalidTariff("a tariff is a mapping: tariff, currency, leg_prices …")
    unknown = sorted(map(str, set(content) - KEYS))
    if unknown:
        raise InvalidTariff(f"tariff: {unknown[0]} is not known: one of {', '.join(sorted(KEYS))}")
    digest = _hash_of(content)
    bands = _read(content, "time_bands", lambda bands: _each(bands, _time_band), ())
    categories = _read(content, "categories", lambda each: _each(each, _category), ())
    known = {"time_band": {b.id for b in bands}, "category": {c.id for c in categories}}
    return Tariff(
        id=_read(content, "tariff", _name),
        currency=_read(content, "currency", _currency),
        timezone=_read(content, "timezone", lambda name: get_zone(name).key),
        cutover_s=_read(content, "fare_day_cutover", _clock_s, "04:00"),
        leg_prices=_read(
            content, "leg_prices", lambda rules: _each(rules, lambda r: _leg_price(r, known))
        ),
        fare_journeys=_read(content, "fare_journeys", _fare_journeys, ()),
        products=_read(
            content, "products", lambda each: _each(each, lambda p: _product(p, known)), ()
        ),
        content_hash=digest,
        valid_from=_read(content, "valid_from", _date, None),
        valid_to=_read(content, "valid_to", _date, None),
        time_bands=bands,
        holidays=_read(content, "holidays", lambda days: frozenset(map(_day, _list(days))), ()),
        categories=categories,
        payers=_read(content, "payers", lambda each: _each(each, _payer), ()),
        revenue_shares=_read(content, "revenue_shares", _revenue_shares, {}),
        guesses=_read(content, "missing_tap_out", _guesses, list(GUESSES)),
    )


def _guesses(value: Any) -> frozenset[str]:  # noqa: ANN401
    given = _list(value)
    unknown = [own for own in given if own not in GUESSES]
    if unknown:
        raise InvalidTariff(f"{unknown[0]!r} is not one of {', '.join(GUESSES)}")
    return frozenset(given)


def _hash_of(content: Mapping[str, Any]) -> str:
    """Hash of the canonical JSON; zones and lines that are numbers stand among names as text."""
    try:
        try:
            canonical = json.dumps(content, sort_keys=True, default=str, ensure_ascii=False)
        except TypeError:
            named = _with_names(content)
            canonical = json.dumps(named, sort_keys=True, default=str, ensure_ascii=False)
        return hashlib.sha256(canonical.encode()).hexdigest()
    except (ValueError, RecursionError) as error:
        raise InvalidTariff(f"tariff: it cannot be written as JSON: {error}") from error


def _with_names(value: Any) -> Any:  # noqa: ANN401
    if isinstance(value, Mapping):
        return {str(key): _with_names(own) for key, own in value.items()}
    return [_with_names(own) for own in value] if isinstance(value, list) else value


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


def _list(values: Any) -> list[Any] | tuple[Any, ...]:  # noqa: ANN401
    if not isinstance(values, (list, tuple)):
        raise TypeError("a list is expected")
    return values


def _each(rules: Any, read: Callable[[Mapping[str, Any]], R]) -> tuple[R, ...]:  # noqa: ANN401
    """Read a list of rules whose ids differ."""
    ids = [rule["id"] for rule in _list(rules)]
    twice = [rule_id for rule_id in ids if ids.count(rule_id) > 1]
    if twice:
        raise ValueError(f"{twice[0]} stands twice")
    return tuple(read(rule) for rule in rules)


def _mapping(values: Any) -> Mapping[Any, Any]:  # noqa: ANN401
    if not isinstance(values, Mapping):
        raise TypeError(f"{values!r} is not a mapping")
    return values


def _only(values: Mapping[str, Any], *keys: str) -> None:
    unknown = sorted(map(str, set(_mapping(values)) - set(keys)))
    if unknown:
        raise ValueError(f"{unknown[0]} is not known: one of {', '.join(keys)}")


def _time_band(values: Mapping[str, Any]) -> TimeBand:
    _only(values, "id", "days", "from", "to")
    days: frozenset[str] = frozenset().union(
        *(_named(day, DAYS, "day") for day in _names(values["days"]))
    )
    end = values["to"]
    end_s = DAY_S if end == "24:00" else _clock_s(end)
    band = TimeBand(_name(values["id"]), days, _clock_s(values["from"]), end_s)
    if band.from_s == band.to_s:
        raise ValueError(f"{band.id}: it ends when it begins")
    return band


def _category(values: Mapping[str, Any]) -> Category:
    _only(values, "id", "permille")
    category = Category(_name(values["id"]), _whole(values, "permille"))
    if category.permille > LIST_PRICE:
        raise ValueError(f"{category.id}: permille is above {LIST_PRICE}: nobody pays more")
    return category


def _leg_price(rule: Mapping[str, Any], known: Mapping[str, set[str]]) -> LegPrice:
    _only(
        rule, "id", "when", "base_cents", "per_km_millicents", "tiers_km", "per_min_millicents",
        "free_min", "min_cents", "max_cents", "by_zones", "by_zone_count", "round_to_cents",
    )  # fmt: skip
    bases = [key for key in ("base_cents", "by_zones", "by_zone_count") if key in rule]
    if len(bases) > 1:
        raise ValueError(f"rule {rule['id']}: either {bases[0]} or {bases[1]}")
    if "per_km_millicents" in rule and "tiers_km" in rule:
        raise ValueError(f"rule {rule['id']}: either per_km_millicents or tiers_km")
    price = LegPrice(
        id=_name(rule["id"]),
        when=_when(rule["when"], known),
        base_cents=_whole(rule, "base_cents", 0),
        tiers=_tiers(rule),
        per_min_millicents=_whole(rule, "per_min_millicents", 0),
        free_s=_whole(rule, "free_min", 0) * 60,
        min_cents=_whole(rule, "min_cents", 0),
        max_cents=_whole(rule, "max_cents") if "max_cents" in rule else None,
        by_zones=_by_zones(rule["by_zones"]) if "by_zones" in rule else None,
        by_zone_count=_by_zone_count(rule["by_zone_count"]) if "by_zone_count" in rule else None,
        round_to_cents=_whole(rule, "round_to_cents", 1),
    )
    if not 1 <= price.round_to_cents <= ROUNDED_LIMIT:
        raise ValueError(f"rule {price.id}: round_to_cents is from 1 to {ROUNDED_LIMIT}")
    if price.max_cents is not None and price.max_cents < price.min_cents:
        raise ValueError(f"rule {price.id}: max_cents is below min_cents")
    return price


def _when(values: Mapping[str, Any], known: Mapping[str, set[str]]) -> When:
    if not isinstance(values, Mapping):
        raise TypeError(f"when: {values!r} is not a mapping")
    _only(
        values, "mode", "operator", "route", "from_zone", "to_zone", "time_band", "category"
    )  # fmt: skip
    some = {key: frozenset(_names(values[key])) for key in values if key != "mode"}
    for key, ids in known.items():
        missing = sorted(some.get(key, frozenset()) - ids)
        if missing:
            raise ValueError(f"when: {key} {missing[0]!r} is not in the tariff")
    return When(
        _modes(values["mode"]), some.get("operator"), some.get("route"), some.get("from_zone"),
        some.get("to_zone"), some.get("time_band"), some.get("category"),
    )  # fmt: skip


def _tiers(rule: Mapping[str, Any]) -> tuple[Tier, ...]:
    if "tiers_km" not in rule:
        per_km = _whole(rule, "per_km_millicents", 0)
        return (Tier(0, None, per_km),) if per_km else ()
    tiers, end_m = [], 0
    for row in _list(rule["tiers_km"]):
        from_km, to_km, per_km = row
        values = {"from": from_km, "to": to_km, "price": per_km}
        from_m = _whole(values, "from") * 1000
        to_m = None if to_km is None else _whole(values, "to") * 1000
        if from_m != end_m or (to_m is not None and to_m <= from_m):
            raise ValueError(
                f"rule {rule['id']}: tiers_km: {row}: each goes on from the one before"
            )
        tiers.append(Tier(from_m, to_m, _whole(values, "price")))
        if to_m is None:
            break
        end_m = to_m
    if not tiers or tiers[-1].to_m is not None or len(tiers) != len(rule["tiers_km"]):
        raise ValueError(f"rule {rule['id']}: tiers_km: the last, and no other, ends with null")
    return tuple(tiers)


def _by_zones(table: Mapping[str, Mapping[str, Any]]) -> dict[tuple[str, str], int]:
    return {
        (str(start), str(end)): _whole(row, end)
        for start, row in table.items()
        for end in _mapping(row)
    }


def _by_zone_count(values: Any) -> tuple[int, ...]:  # noqa: ANN401
    cents = tuple(_whole({"by_zone_count": value}, "by_zone_count") for value in _list(values))
    if not cents or list(cents) != sorted(cents):
        raise ValueError("by_zone_count: prices of one zone, of two …, none below the one before")
    return cents


def _fare_journeys(values: Any) -> tuple[FareJourney, ...]:  # noqa: ANN401
    if values is None:
        return ()
    if isinstance(values, Mapping):  # the only one needs no name
        values = [{"id": "fare_journey", **values}]
    return _each(values, _fare_journey)


def _fare_journey(values: Mapping[str, Any]) -> FareJourney:
    _only(
        values, "id", "window_min", "modes", "most_legs", "pattern", "price_cents", "other_routes"
    )
    pattern = None
    if "pattern" in values:
        pattern = tuple(_modes(mode) for mode in _list(values["pattern"]))
        if len(pattern) < 2 or "price_cents" not in values or "modes" in values:
            raise ValueError("pattern: modes of two legs or more, with price_cents, without modes")
    elif "price_cents" in values:
        raise ValueError("price_cents: only with a pattern")
    other_routes = values.get("other_routes", False)
    if not isinstance(other_routes, bool):
        raise TypeError("other_routes: true or false")
    return FareJourney(
        id=_name(values["id"]),
        window_s=_whole(values, "window_min") * 60,
        modes=_modes(values["modes"]) if pattern is None else frozenset().union(*pattern),
        most_legs=_whole(values, "most_legs") if "most_legs" in values else None,
        pattern=pattern,
        price_cents=None if pattern is None else _whole(values, "price_cents"),
        other_routes=other_routes,
    )


def _product(values: Mapping[str, Any], known: Mapping[str, set[str]]) -> Product:
    _only(
        values, "id", "period", "modes", "zones", "operators", "price_cents", "category_cents",
        "is_subscription", "most_legs",
    )  # fmt: skip
    periods = {str(period): period for period in Period}
    category_cents = None
    if "category_cents" in values:
        table = _mapping(values["category_cents"])
        missing = sorted(set(table) - known["category"])
        if missing:
            raise ValueError(f"category_cents: {missing[0]!r} is not in the tariff")
        category_cents = {str(category): _whole(table, category) for category in table}
    period = _named(values["period"], periods, f"product {values['id']}: period")
    most_legs = _whole(values, "most_legs") if "most_legs" in values else None
    if most_legs is not None and period is not Period.CALENDAR_MONTH:
        raise ValueError(f"product {values['id']}: most_legs is for a calendar_month")
    return Product(
        id=_name(values["id"]),
        modes=_modes(values["modes"]),
        period=period,
        price_cents=_whole(values, "price_cents"),
        zones=frozenset(_names(values["zones"])) if "zones" in values else None,
        operators=frozenset(_names(values["operators"])) if "operators" in values else None,
        category_cents=category_cents,
        is_subscription=_flag(values, "is_subscription"),
        most_legs=most_legs,
    )


def _payer(values: Mapping[str, Any]) -> Payer:
    limits = "max_leg_cents", "max_month_cents", "max_year_cents", "budget_cents"
    _only(
        values, "id", "modes", "only_subscriptions", "share_permille", "per_km_millicents",
        "is_for_everybody", *limits,
    )  # fmt: skip
    name = values["id"]
    if not isinstance(name, str) or not PAYER_ID.fullmatch(name):
        raise ValueError(f"id {name!r}: up to {PAYER_ID_LENGTH} of a-z, 0-9, '_' and '-'")
    if name == ANOTHER_RIDER:
        raise ValueError(f"id {name!r} is taken: riders may pay for one another")
    if ("share_permille" in values) == ("per_km_millicents" in values):
        raise ValueError(f"{name}: either share_permille or per_km_millicents")
    share_permille = _whole(values, "share_permille", 0)
    if share_permille > LIST_PRICE:
        raise ValueError(f"{name}: share_permille is above {LIST_PRICE}: more than all")
    return Payer(
        name,
        _modes(values.get("modes", "all")),
        _flag(values, "only_subscriptions"),
        share_permille,
        _whole(values, "per_km_millicents") if "per_km_millicents" in values else None,
        **{key: _whole(values, key) for key in limits if key in values},
        is_for_everybody=_flag(values, "is_for_everybody"),
    )


def _revenue_shares(values: Mapping[str, Any]) -> RevenueShares:
    _only(values, "otherwise", "products")
    products = _mapping(values.get("products", {}))
    return RevenueShares(
        _share(values.get("otherwise", ShareKey.KM)),
        {_name(product): _share(share) for product, share in products.items()},
    )


def _share(value: Any) -> Share:  # noqa: ANN401
    if isinstance(value, Mapping):
        weights = {_name(operator): _whole(value, operator) for operator in value}
        if not weights:
            raise ValueError("a share has at least one operator")
        return weights
    return _named(value, {str(key): key for key in ShareKey}, "share")


def _flag(values: Mapping[str, Any], key: str) -> bool:
    flag = values.get(key, False)
    if not isinstance(flag, bool):
        raise TypeError(f"{key}: true or false")
    return flag


def _named(value: Any, table: Mapping[str, T], what: str) -> T:  # noqa: ANN401
    if value not in table:
        raise ValueError(f"{what} {value!r} is not known: one of {', '.join(table)}")
    return table[value]


def _whole(values: Mapping[str, Any], key: str, default: int | None = None) -> int:
    value = values[key] if default is None else values.get(key, default)
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= LARGEST:
        raise ValueError(f"{key} is {value!r}: write a whole number from 0 to {LARGEST}")
    return value


def _names(value: Any, what: str = "") -> list[str]:  # noqa: ANN401
    names = [_name(each, what) for each in (value if isinstance(value, list) else [value])]
    if not names:
        raise ValueError(f"{what}a list of names is empty")
    return names


def _name(value: Any, what: str = "") -> str:  # noqa: ANN401
    """A name as YAML gives it: a line called 12 is a number there."""
    if isinstance(value, bool) or not isinstance(value, (str, int)):
        raise TypeError(f"{what}{value!r} is not a name")
    name = str(value)
    if not name.isprintable() or not 0 < len(name) <= NAME_LIMIT:
        raise ValueError(f"{what}{name[:NAME_LIMIT]!r} is not a name of up to {NAME_LIMIT} letters")
    return name


def _modes(value: str | list[str]) -> frozenset[str]:
    if value == "all":
        return frozenset(MODES)
    modes = frozenset(_names(value, "mode "))
    unknown = sorted(modes - set(MODES))
    if unknown:
        raise ValueError(f"unknown mode {unknown[0]!r}: one of {', '.join(MODES)}, or all")
    return modes


def _currency(value: str) -> str:
    if not (isinstance(value, str) and len(value) == 3 and value.isupper()):
        raise ValueError(f"currency {value!r} is not an ISO 4217 code")
    return value


def _date(value: Any) -> dt.date | None:  # noqa: ANN401
    return None if value is None else _day(value)


def _day(value: Any) -> dt.date:  # noqa: ANN401
    if isinstance(value, str):
        value = dt.date.fromisoformat(value)
    if not isinstance(value, dt.date) or isinstance(value, dt.datetime):
        raise TypeError(f"{value!r} is not a date (2027-01-01)")
    if value.year not in YEARS:
        raise ValueError(f"{value} is not of the years {YEARS.start} to {YEARS.stop - 1}")
    return value


def _clock_s(text: str) -> int:
    if not isinstance(text, str):
        raise TypeError(f'{text!r} is not a time: write it in quotes, "04:00"')
    try:
        moment = dt.time.fromisoformat(text)
    except ValueError as error:
        raise ValueError(f'{text!r} is not a time ("04:00")') from error
    return moment.hour * 3600 + moment.minute * 60 + moment.second
