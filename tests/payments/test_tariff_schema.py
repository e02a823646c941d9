"""The JSON Schema takes every tariff that the reader takes, and refuses what is plainly wrong."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from mobility.demo.tariff import TARIFF_YAML
from payments.tariff import InvalidTariff
from payments.tariff_file import parse_tariff
from payments.tariff_schema import TARIFF_SCHEMA

pytestmark = pytest.mark.unit
VALIDATOR = Draft202012Validator(TARIFF_SCHEMA)
EVERYTHING: dict[str, Any] = {
    "tariff": "everything", "currency": "EUR", "timezone": "Europe/Paris",
    "fare_day_cutover": "04:00", "valid_from": "2027-01-01", "valid_to": None,
    "time_bands": [{"id": "peak", "days": ["workday", "holiday"], "from": "07:00", "to": "24:00"}],
    "holidays": ["2027-05-01"],
    "categories": [{"id": "youth", "permille": 500}],
    "leg_prices": [
        {"id": "zones", "when": {"mode": "bus", "from_zone": "A", "category": ["youth"]},
         "by_zones": {"A": {"A": 100, "B": 150}}},
        {"id": "count", "when": {"mode": ["tram"], "time_band": "peak"}, "by_zone_count": [1, 2]},
        {"id": "tiers", "when": {"mode": "all", "operator": "x", "route": ["1"]},
         "tiers_km": [[0, 30, 9000], [30, None, 6000]], "per_min_millicents": 5, "free_min": 1,
         "min_cents": 1, "max_cents": 9},
        {"id": "km", "when": {"mode": "rail"}, "base_cents": 120, "per_km_millicents": 9,
         "round_to_cents": 5},
    ],
    "fare_journeys": [
        {"id": "hour", "window_min": 60, "modes": "all", "most_legs": 3, "other_routes": True},
        {"id": "pair", "window_min": 60, "pattern": ["bus", ["tram", "rail"]], "price_cents": 9},
    ],
    "products": [
        {"id": "month", "period": "calendar_month", "modes": ["bus"], "zones": ["A"],
         "operators": "x", "price_cents": 900, "category_cents": {"youth": 400},
         "is_subscription": True, "most_legs": 20},
    ],
    "payers": [
        {"id": "employer", "share_permille": 500, "only_subscriptions": True, "modes": "bus",
         "max_month_cents": 1, "max_year_cents": 2, "max_leg_cents": 3},
        {"id": "pool", "per_km_millicents": 5, "is_for_everybody": True, "budget_cents": 9},
    ],
    "revenue_shares": {"otherwise": "rides", "products": {"month": {"metro": 600, "bus": 400}}},
    "missing_tap_out": ["chosen", "habit"],
}  # fmt: skip
JUNK = st.sampled_from(
    [None, True, -1, 0, 7, 1_001, 2.5, "", "all", "bus", "EUR", "04:00", "25:00", [], ["bus"], {}]
)


def places(content: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Where something is, in lists and mappings."""
    each = content.items() if isinstance(content, dict) else enumerate(content)
    for key, value in each:
        yield (*at, key)
        if isinstance(value, (dict, list)):
            yield from places(value, (*at, key))


PLACES = list(places(EVERYTHING))


def is_read(content: Any) -> bool:
    try:
        parse_tariff(content)
    except InvalidTariff:
        return False
    return True


def is_valid(content: Any) -> bool:
    return bool(VALIDATOR.is_valid(json.loads(json.dumps(content, default=str))))


def changed(where: tuple[Any, ...], how: str, junk: Any) -> dict[str, Any]:
    content = copy.deepcopy(EVERYTHING)
    holder: Any = content
    for key in where[:-1]:
        holder = holder[key]
    if how == "drop":
        del holder[where[-1]]
    elif how == "add" and isinstance(holder, dict):
        holder["other"] = junk
    else:
        holder[where[-1]] = junk
    return content


def test_it_is_a_schema_and_takes_what_is_written() -> None:
    Draft202012Validator.check_schema(TARIFF_SCHEMA)
    for content in (EVERYTHING, yaml.safe_load(TARIFF_YAML)):
        assert is_read(content)
        VALIDATOR.validate(json.loads(json.dumps(content, default=str)))


@settings(deadline=None, derandomize=True, max_examples=1_500)
@given(st.sampled_from(PLACES), st.sampled_from(("drop", "add", "put")), JUNK)
def test_whatever_the_reader_takes_is_valid(where: tuple[Any, ...], how: str, junk: Any) -> None:
    content = changed(where, how, junk)
    if is_read(content):
        assert is_valid(content), (where, how, junk)


@pytest.mark.parametrize(
    ("where", "how", "junk"),
    [
        (("currency",), "put", "euro"),
        (("currency",), "drop", None),
        (("leg_prices", 3, "base_cents"), "put", -1),
        (("leg_prices", 3, "base_cents"), "put", 2.5),
        (("leg_prices", 0, "when", "mode"), "put", "boat"),
        (("leg_prices", 0, "when", "mode"), "add", 1),
        (("time_bands", 0, "from"), "put", "25:00"),
        (("time_bands", 0, "days"), "put", "someday"),
        (("categories", 0, "permille"), "put", 1_001),
        (("products", 0, "period"), "put", "year"),
        (("products", 0, "is_subscription"), "put", 1),
        (("payers", 0, "share_permille"), "drop", None),
        (("payers", 0, "id"), "put", "Employer"),
        (("missing_tap_out", 0), "put", "line_maximum"),
        (("leg_prices", 0, "round_to_cents"), "put", 0),
        (("revenue_shares", "otherwise"), "put", "bus"),
        (("revenue_shares", "products", "month", "bus"), "put", -1),
        (("other",), "put", 1),
    ],
)
def test_both_refuse_what_is_plainly_wrong(where: tuple[Any, ...], how: str, junk: Any) -> None:
    content = changed(where, how, junk)
    assert not is_read(content)
    assert not is_valid(content)
