"""The linter: contradictions that stand in a tariff are found, with a history that shows them."""

from __future__ import annotations

from typing import Any

import pytest

from mobility.demo.tariff import TARIFF_YAML
from payments.rating import rate
from payments.tariff_file import parse_tariff
from payments.tariff_lint import Finding, lint

pytestmark = pytest.mark.unit


def content(**changes: Any) -> dict[str, Any]:
    return {
        "tariff": "linted", "currency": "EUR", "timezone": "Europe/Paris",
        "leg_prices": [
            {"id": "bus", "when": {"mode": "bus"}, "base_cents": 160},
            {"id": "rail", "when": {"mode": "rail"}, "base_cents": 120, "per_km_millicents": 9_000},
        ],
        "fare_journeys": {"window_min": 90, "modes": ["bus", "rail"]},
        "products": [
            {"id": "day", "period": "fare_day", "modes": ["bus"], "price_cents": 450},
            {"id": "week", "period": "rolling_7d", "modes": ["bus"], "price_cents": 1_500},
        ],
        **changes,
    }  # fmt: skip


def found(**changes: Any) -> dict[str, Finding]:
    return {f"{f.code} {f.rule}": f for f in lint(parse_tariff(content(**changes)))}


def test_tariff_without_contradictions_is_let_through() -> None:
    assert found() == {}


def test_the_generated_territorys_tariff_is_let_through() -> None:
    import yaml

    assert lint(parse_tariff(yaml.safe_load(TARIFF_YAML))) == []


def test_two_legs_dearer_than_three_are_shown_by_a_history() -> None:
    changed = content(
        fare_journeys=[{"id": "three", "window_min": 90, "pattern": ["bus", "bus", "rail"],
                        "price_cents": 100}],
    )  # fmt: skip
    tariff = parse_tariff(changed)
    (finding,) = (f for f in lint(tariff) if f.code == "ride_lowers_bill")
    whole = rate([tariff], finding.legs).amount_cents
    fewer = [rate([tariff], [o for o in finding.legs if o is not leg]) for leg in finding.legs]
    assert any(bill.amount_cents > whole for bill in fewer)
    assert len(finding.legs) == 3
    assert f"to {whole} cents" in finding.message


BUS = [{"id": "bus", "when": {"mode": "bus"}, "base_cents": 130}]


def split(**changes: Any) -> Finding:
    """Of rides on two cards, which the tariff makes cheaper than on one."""
    tariff = parse_tariff(content(**changes))
    (finding,) = (f for f in lint(tariff) if f.code == "split_lowers_bill")
    assert f"{rate([tariff], finding.legs).amount_cents} on one" in finding.message
    return finding


def test_two_cards_that_each_stay_within_a_usage_band_are_shown() -> None:
    few = [{"id": "few", "period": "calendar_month", "modes": ["bus"], "most_legs": 2,
            "price_cents": 90}]  # fmt: skip
    # With three rides on one card nobody is a rider of two.
    assert split(leg_prices=BUS, fare_journeys=[], products=few).message == (
        "3 rides cost 180 cents on two cards (90 for 1, 2; 90 for 3) and 390 on one"
    )
    many = [{**few[0], "most_legs": 25, "price_cents": 2_400},
            {**few[0], "id": "month", "most_legs": 60, "price_cents": 4_000}]  # fmt: skip
    assert len(split(leg_prices=BUS, fare_journeys=[], products=many).legs) == 26


def test_rides_on_one_card_that_part_those_of_another_are_shown() -> None:
    base = {"window_min": 90, "modes": ["bus", "rail"]}
    # A cheap ride on a second card is between two dear ones, which only on one card follow one
    # another.
    other = split(fare_journeys={**base, "other_routes": True})
    assert len(other.legs) == 3
    # Two dear and two cheap by turns: on one card each pair has a dear one.
    assert len(split(fare_journeys={**base, "most_legs": 2}).legs) == 4
    bus = {"id": "bus", "window_min": 120, "modes": ["bus"]}
    assert len(split(fare_journeys=[{**base, "id": "all"}, bus]).legs) == 3


def test_shorter_fare_journeys_beside_one_that_takes_all_split_nothing() -> None:
    every = {"id": "every", "window_min": 90, "modes": ["bus", "rail"]}
    pair = {"id": "pair", "window_min": 60, "modes": ["bus"], "most_legs": 2, "other_routes": True}
    assert found(fare_journeys=[pair, every]) == {}


def test_product_that_is_dearer_than_all_it_covers_is_named() -> None:
    dear = [{"id": "dear", "period": "fare_day", "modes": ["bus"], "price_cents": 9_999}]
    assert list(found(products=dear)) == ["product_never_chosen dear"]


def test_product_of_which_another_covers_more_for_less_is_named() -> None:
    products = [
        {"id": "bus", "period": "fare_day", "modes": ["bus"], "price_cents": 500},
        {"id": "all", "period": "fare_day", "modes": ["bus", "rail"], "price_cents": 400},
    ]
    assert list(found(products=products)) == ["product_never_chosen bus"]


def test_rule_behind_one_that_takes_all_its_legs_is_named() -> None:
    rules = [
        {"id": "any", "when": {"mode": ["bus", "rail"]}, "base_cents": 150},
        {"id": "late", "when": {"mode": "rail"}, "base_cents": 100},
    ]
    assert list(found(leg_prices=rules)) == ["rule_never_applies late"]


def test_month_in_the_middle_of_which_a_version_starts_is_named() -> None:
    month = [{"id": "month", "period": "calendar_month", "modes": ["bus"], "price_cents": 4_000}]
    assert found(products=month, valid_from="2027-01-01") == {}
    names = list(found(products=month, valid_from="2027-01-15"))
    assert names == ["starts_within_month month"]
