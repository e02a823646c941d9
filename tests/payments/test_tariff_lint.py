"""The linter: contradictions that stand in a tariff are found, with a history that shows them."""

from __future__ import annotations

from typing import Any

import pytest

from mobility.demo.tariff import TARIFF_YAML
from payments.rating import rate
from payments.tariff_ceilings import idle_ceilings
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


def test_ride_that_lowers_the_bill_of_riders_of_a_category_only_is_shown() -> None:
    # Bus and train are 3.00, together as apart. With the proof a bus is 2.00, as without (the half
    # of 4.00), but both together are the half of 3.00.
    rules = [
        {"id": "young", "when": {"mode": "bus", "category": "youth"}, "base_cents": 400},
        {"id": "bus", "when": {"mode": "bus"}, "base_cents": 200},
        {"id": "rail", "when": {"mode": "rail"}, "base_cents": 100},
    ]
    pair = {"id": "pair", "window_min": 60, "pattern": ["bus", "rail"], "price_cents": 300}
    changes = {"leg_prices": rules, "fare_journeys": [pair], "products": []}
    (message,) = (
        finding.message
        for finding in found(**changes, categories=[{"id": "youth", "permille": 500}]).values()
        if finding.code == "ride_lowers_bill"
    )
    assert message.endswith("lowers the bill from 200 to 150 cents, with a proof of youth")
    whole = found(**changes, categories=[{"id": "youth", "permille": 1_000}])
    assert not any(name.startswith("ride_lowers_bill") for name in whole)


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
    # So it is where no more than two are joined; with four a journey of four is dear on one card
    # only, and a fifth ride makes two of it.
    assert len(split(fare_journeys={**base, "most_legs": 2}).legs) == 3
    assert len(split(fare_journeys={**base, "most_legs": 4}).legs) == 5
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


CEILED = [
    ({"base_cents": 130, "max_cents": 9_999}, 130),
    ({"base_cents": 130, "max_cents": 130}, 130),
    ({"base_cents": 140, "min_cents": 130, "max_cents": 150}, 140),
    ({"by_zone_count": [100, 170], "max_cents": 180}, 170),
    ({"by_zones": {"A": {"A": 100, "B": 170}, "B": {"B": 999}}, "max_cents": 180}, 170),
    ({"tiers_km": [[0, 10, 9_999], [10, None, 0]], "base_cents": 50, "max_cents": 150}, 150),
]


@pytest.mark.parametrize(("price", "most"), CEILED)
def test_ceiling_that_no_leg_reaches_is_named(price: dict[str, Any], most: int) -> None:
    rule = {"id": "bus", "when": {"mode": "bus", "from_zone": "A"}, **price}
    tariff = parse_tariff(content(leg_prices=[rule]))
    assert list(idle_ceilings(tariff)) == [
        ("bus", f"max_cents of bus is {price['max_cents']}, and no leg costs more than {most}")
    ]
    lower = parse_tariff(content(leg_prices=[{**rule, "max_cents": most - 1}]))
    assert list(idle_ceilings(lower)) == []


def test_ceilings_that_nothing_reaches_are_findings() -> None:
    assert list(found(leg_prices=[{**BUS[0], "max_cents": 9_999}])) == ["ceiling_never_binds bus"]
    least = parse_tariff(content(leg_prices=[{**BUS[0], "min_cents": 150, "max_cents": 150}]))
    assert [told for _, told in idle_ceilings(least)] == [
        "max_cents of bus is 150, and no leg costs more than 150"
    ]


def test_ceiling_of_a_price_that_grows_may_be_reached() -> None:
    by_km = {"id": "rail", "when": {"mode": "rail"}, "per_km_millicents": 1, "max_cents": 9_999}
    by_min = {"id": "bike", "when": {"mode": "bike"}, "per_min_millicents": 1, "max_cents": 9_999}
    assert list(idle_ceilings(parse_tariff(content(leg_prices=[by_km, by_min])))) == []


MONTH = {"id": "month", "period": "calendar_month", "modes": ["bus"], "price_cents": 4_000}


@pytest.mark.parametrize(
    ("ceilings", "idle"),
    [
        ({"max_leg_cents": 65}, "max_leg_cents of who is 65, and its part of a leg is never more"),
        ({"max_leg_cents": 64}, ""),
        ({"max_month_cents": 4_000}, "max_month_cents of who is 4000, and no month costs more"),
        ({"max_month_cents": 3_999}, ""),
        ({"max_month_cents": 600, "max_year_cents": 600}, "and its year ends at 600"),
        ({"max_month_cents": 601, "budget_cents": 600}, "and all riders together have 600 in"),
        ({"max_month_cents": 50, "max_year_cents": 600}, "its months are never more than 600"),
        ({"max_month_cents": 51, "max_year_cents": 600}, ""),
        ({"max_year_cents": 48_000}, "twelve of its months are never more than 48000"),
        ({"max_year_cents": 600, "budget_cents": 600}, "and all riders together have 600 in"),
        ({"max_year_cents": 600, "budget_cents": 601}, ""),
    ],
)
def test_ceiling_of_a_payer_that_nothing_reaches_is_named(
    ceilings: dict[str, int], idle: str
) -> None:
    payer = {"id": "who", "modes": ["bus"], "share_permille": 500, **ceilings}
    tariff = parse_tariff(content(leg_prices=BUS, products=[MONTH], payers=[payer]))
    messages = [message for _, message in idle_ceilings(tariff)]
    assert len(messages) == (1 if idle else 0)
    assert all(idle in message for message in messages)


def test_nothing_is_said_of_ceilings_where_weeks_reach_over_months() -> None:
    week = {"id": "week", "period": "rolling_7d", "modes": ["bus"], "price_cents": 900}
    payer = {"id": "who", "modes": ["bus"], "share_permille": 500, "max_leg_cents": 999,
             "max_month_cents": 9_999}  # fmt: skip
    tariff = parse_tariff(content(leg_prices=BUS, products=[MONTH, week], payers=[payer]))
    assert list(idle_ceilings(tariff)) == []
