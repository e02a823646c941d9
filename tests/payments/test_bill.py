"""Bills of months: against every lawful bill of a few legs, and in properties."""

from __future__ import annotations

import datetime as dt
import random
from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from core.errors import InvalidInput
from payments.bill import Bill, Proof
from payments.explaining import arithmetic
from payments.leg_columns import Rider, columns_of
from payments.many import rate_bills, rate_totals
from payments.rating import rate
from payments.tariff import (
    FareJourney,
    FareLeg,
    InvalidTariff,
    Period,
    Product,
    Tariff,
    Tier,
)
from payments.tariff_file import parse_tariff
from payments.tariff_splits import may_be_split
from tests.oracles.bill_oracle import cheapest_bill
from tests.support.random_fares import (
    ALL,
    FIRST,
    SPRING,
    WORKED,
    proofs,
    ridden,
    some,
    tariffs,
    total,
    trips,
)

pytestmark = pytest.mark.unit


@some
@given(tariffs(), trips(7), proofs())
def test_bill_is_the_cheapest_of_all_lawful_bills(
    tariff: Tariff, legs: list[FareLeg], proved: list[Proof]
) -> None:
    assert total(rate([tariff], legs, proved)) == cheapest_bill([tariff], legs, proved)


@some
@given(tariffs(), tariffs(), trips(5, SPRING), proofs(), st.integers(-1, 14))
def test_each_fare_day_is_priced_by_its_version(
    old: Tariff, new: Tariff, legs: list[FareLeg], proved: list[Proof], after: int
) -> None:
    last = FIRST + dt.timedelta(days=after)
    first = last + dt.timedelta(days=1)
    versions = [
        replace(old, valid_to=last, content_hash="old"),
        replace(new, valid_from=first, cutover_s=old.cutover_s, content_hash="new"),
    ]
    bill = rate(versions, legs, proved)
    assert total(bill) == cheapest_bill(versions, legs, proved)
    for charge in bill.charges:
        days = {old.clock(bill.legs[row])[1] for row in charge.legs}
        begun = days if charge.since is None else {charge.since}
        assert {"new" if day >= first else "old" for day in begun} == {charge.tariff_hash}


@some
@given(tariffs(), trips(10), proofs(), st.randoms(use_true_random=False))
def test_order_in_which_legs_became_known_changes_nothing(
    tariff: Tariff, legs: list[FareLeg], proved: list[Proof], dice: random.Random
) -> None:
    shuffled = dice.sample(legs, len(legs))
    assert rate([tariff], shuffled, proved) == rate([tariff], legs, proved)


@some
@given(tariffs(), trips(10), proofs())
def test_every_leg_is_in_one_charge_and_every_charge_names_its_rule(
    tariff: Tariff, legs: list[FareLeg], proved: list[Proof]
) -> None:
    bill = rate([tariff], legs, proved)
    assert Counter(row for c in bill.charges for row in c.legs) == Counter(range(len(legs)))
    names = {
        "leg": {rule.id for rule in tariff.leg_prices},
        "fare_journey": {r.id for r in tariff.leg_prices} | {j.id for j in tariff.fare_journeys},
        "product": {product.id for product in tariff.products},
    }
    for charge in bill.charges:
        assert charge.rule in names[charge.kind]
        assert charge.amount_cents >= 0
        assert charge.tariff_hash == tariff.content_hash
        assert (charge.since is not None) == (charge.kind == "product")


@some
@given(tariffs(), trips(10), proofs(), st.data())
def test_one_leg_more_never_lowers_the_bill(
    tariff: Tariff, legs: list[FareLeg], proved: list[Proof], data: st.DataObject
) -> None:
    assume(legs)
    fewer = list(legs)
    del fewer[data.draw(st.integers(0, len(legs) - 1))]
    assume(all(j.pattern is None for j in tariff.fare_journeys))
    assert total(rate([tariff], legs, proved)) >= total(rate([tariff], fewer, proved))


@some
@given(tariffs(), trips(10), proofs(), proofs())
def test_more_proofs_never_raise_the_bill(
    tariff: Tariff, legs: list[FareLeg], proved: list[Proof], later: list[Proof]
) -> None:
    assert total(rate([tariff], legs, [*proved, *later])) <= total(rate([tariff], legs, proved))


@some
@given(tariffs(), trips(10), proofs())
def test_no_product_that_could_have_been_bought_would_have_been_cheaper(
    tariff: Tariff, legs: list[FareLeg], proved: list[Proof]
) -> None:
    bill = total(rate([tariff], legs, proved))
    assert bill <= total(rate([replace(tariff, products=())], legs, proved))
    assert bill <= total(rate([replace(tariff, products=(), fare_journeys=())], legs, proved))
    for product in tariff.products:
        alone = replace(tariff, products=(product,))
        assert bill <= total(rate([alone], legs, proved))


@some
@given(tariffs(), trips(10), st.integers(2, 7))
def test_prices_that_are_all_multiplied_multiply_the_bill(
    tariff: Tariff, legs: list[FareLeg], times: int
) -> None:
    """Where nothing is rounded: without kilometres, minutes and categories."""

    def scaled(by: int) -> Tariff:
        def of(cents: int | None) -> int | None:
            return None if cents is None else cents * by

        return replace(
            tariff,
            leg_prices=tuple(
                replace(
                    rule, tiers=(), per_min_millicents=0, base_cents=rule.base_cents * by,
                    min_cents=rule.min_cents * by, max_cents=of(rule.max_cents),
                    by_zones=rule.by_zones and {k: v * by for k, v in rule.by_zones.items()},
                    by_zone_count=rule.by_zone_count and tuple(v * by for v in rule.by_zone_count),
                    round_to_cents=rule.round_to_cents * by,
                )
                for rule in tariff.leg_prices
            ),
            fare_journeys=tuple(
                replace(j, price_cents=of(j.price_cents)) for j in tariff.fare_journeys
            ),
            products=tuple(
                replace(p, price_cents=p.price_cents * by, category_cents=None)
                for p in tariff.products
            ),
        )  # fmt: skip

    def promised(by: int) -> list[FareLeg]:
        return [
            leg if leg.promised_cents is None
            else replace(leg, promised_cents=leg.promised_cents * by)
            for leg in legs
        ]  # fmt: skip

    more = total(rate([scaled(times)], promised(times)))
    assert more == times * total(rate([scaled(1)], promised(1)))


@some
@given(tariffs(), trips(10), proofs(), st.data())
def test_a_dearer_rule_lowers_nobodys_bill(
    tariff: Tariff, legs: list[FareLeg], proved: list[Proof], data: st.DataObject
) -> None:
    def dearer(cents: int) -> int:
        return cents + data.draw(st.integers(0, 90))

    raised = replace(
        tariff,
        leg_prices=tuple(
            replace(rule, base_cents=dearer(rule.base_cents)) for rule in tariff.leg_prices
        ),
        products=tuple(replace(p, price_cents=dearer(p.price_cents)) for p in tariff.products),
    )
    assert total(rate([raised], legs, proved)) >= total(rate([tariff], legs, proved))


PRICES = (
    "base_cents", "min_cents", "max_cents", "per_min_millicents", "price_cents", "tiers",
    "by_zones", "by_zone_count", "category_cents",
)  # fmt: skip
"""Fields of rules, fare journeys and products that say what is paid."""


@st.composite
def dearer_by_one(draw: st.DrawFn, tariff: Tariff) -> Tariff:
    """The same with one price of one rule, fare journey or product raised, and no other."""
    places = [
        (kind, row, name)
        for kind in ("leg_prices", "fare_journeys", "products")
        for row, own in enumerate(getattr(tariff, kind))
        for name in PRICES
        if getattr(own, name, None) not in (None, ())
    ]
    kind, row, name = draw(st.sampled_from(places))
    rules = list(getattr(tariff, kind))
    value, more = getattr(rules[row], name), draw(st.sampled_from((1, 5, 40, 90, 5_000)))
    raised: object
    if isinstance(value, dict):
        key = draw(st.sampled_from(sorted(value)))
        raised = {**value, key: value[key] + more}
    elif isinstance(value, tuple):
        nth = draw(st.integers(0, len(value) - 1))
        own = value[nth]
        own = (
            replace(own, per_km_millicents=own.per_km_millicents + more)
            if isinstance(own, Tier)
            else own + more
        )
        raised = (*value[:nth], own, *value[nth + 1 :])
    else:
        raised = value + more
    rules[row] = replace(rules[row], **{name: raised})
    return replace(tariff, **{kind: tuple(rules)})


@some
@given(st.data(), tariffs(), trips(10), proofs())
def test_one_price_more_lowers_nobodys_bill(
    data: st.DataObject, tariff: Tariff, legs: list[FareLeg], proved: list[Proof]
) -> None:
    raised = data.draw(dearer_by_one(tariff))
    assert total(rate([raised], legs, proved)) >= total(rate([tariff], legs, proved))


def never_split(tariff: Tariff) -> Tariff:
    """One of which the linter knows that two accounts are never cheaper than one."""
    plain = [journey for journey in tariff.fare_journeys if journey.pattern is None]
    if plain:
        modes = frozenset().union(*(journey.modes for journey in plain))
        plain.append(FareJourney("every", max(journey.window_s for journey in plain), modes))
    products = tuple(replace(product, most_legs=None) for product in tariff.products)
    return replace(tariff, fare_journeys=tuple(plain), products=products)


@some
@given(tariffs().map(never_split), trips(6), trips(6), proofs())
def test_one_bill_for_two_media_is_never_dearer_than_two(
    tariff: Tariff, card: list[FareLeg], phone: list[FareLeg], proved: list[Proof]
) -> None:
    assert not may_be_split(tariff)
    apart = total(rate([tariff], card, proved)) + total(rate([tariff], phone, proved))
    assert total(rate([tariff], [*card, *phone], proved)) <= apart


def lines(bill: Bill) -> list[str]:
    return [
        f"{c.kind} {c.rule} {','.join(map(str, c.legs))}: {c.amount_cents}" for c in bill.charges
    ]


def test_a_product_may_be_worth_more_than_its_legs_where_they_part_others() -> None:
    tariff = parse_tariff(
        {
            "tariff": "parted", "currency": "EUR", "timezone": "Europe/Paris",
            "leg_prices": [
                {"id": "bus", "when": {"mode": "bus"}, "base_cents": 100},
                {"id": "rail", "when": {"mode": "rail"}, "base_cents": 300},
            ],
            "fare_journeys": {"window_min": 90, "modes": ["bus", "rail"], "most_legs": 2},
            "products": [
                {"id": "day", "period": "fare_day", "modes": ["bus"], "price_cents": 150}
            ],
        }
    )  # fmt: skip
    legs = ridden("03-24 rail 08:00", "03-24 bus 08:10", "03-24 rail 08:20")
    # With the bus between them the trains are 6.00, one of them together with it; without it 3.00.
    bill = rate([tariff], legs)
    assert lines(bill) == ["fare_journey rail 0,2: 300", "product day 1: 150"]
    columns = columns_of([Rider(legs)])
    assert rate_totals(tariff, columns).tolist() == [450]
    assert lines(rate_bills(tariff, columns)[0]) == lines(bill)
    assert arithmetic([tariff], bill, bill.charges[1]) == "150"


def test_products_that_cost_more_than_their_legs_leave_room_for_one_that_costs_less() -> None:
    names = [f"line{nth:02}" for nth in range(12)]
    days = [Product(n, ALL, Period.FARE_DAY, 170, operators=frozenset({n})) for n in names]
    tariff = replace(
        WORKED,
        products=(*days, Product("all", ALL, Period.FARE_DAY, 900)),
        fare_journeys=(FareJourney("pair", 60, ALL, 2),),
    )
    # Twelve buses of 1.60, each of another operator, whose day is 1.70; that of all is 9.00.
    legs = ridden(*(f"03-24 bus {hour:02}:00" for hour in range(8, 20)))
    legs = [replace(leg, operator=name) for leg, name in zip(legs, names, strict=True)]
    assert lines(rate([tariff], legs)) == ["product all 0,1,2,3,4,5,6,7,8,9,10,11: 900"]


def test_a_week_begins_on_the_last_day_of_a_version_for_later_days() -> None:
    def version(cents: int, **days: dt.date) -> Tariff:
        made = parse_tariff(
            {
                "tariff": "weeks", "currency": "EUR", "timezone": "Europe/Paris",
                "leg_prices": [{"id": "bus", "when": {"mode": "bus"}, "base_cents": 300}],
                "products": [
                    {"id": "week", "period": "rolling_7d", "modes": ["bus"], "price_cents": cents}
                ],
            }
        )  # fmt: skip
        return replace(made, content_hash=str(cents), **days)

    last = dt.date(2027, 3, 31)
    versions = [version(900, valid_to=last), version(1_200, valid_from=dt.date(2027, 4, 1))]
    daily = [
        FareLeg("bus", dt.datetime(2027, 3, 25, 8, tzinfo=dt.UTC) + dt.timedelta(days=nth), 0)
        for nth in range(13)
    ]
    # Old weeks from 25 March and from the last day on which they can be had.
    assert rate(versions, daily).amount_cents == 1_800


def test_a_week_is_chosen_afterwards_from_the_day_that_makes_it_worth_most() -> None:
    # Five days of two buses: 3.20 each, 16.00; the week from Wednesday is 15.00. The Tuesday before
    # is paid by itself, and so is the bike: 15 minutes beyond the free 30 at 5 cents.
    legs = ridden(
        "03-23 bus 08:00",
        *(f"03-{day} bus {hour}:00" for day in (24, 25, 26, 29, 30) for hour in ("08", "18")),
        "03-25 bike 12:00",
    )
    assert lines(rate([WORKED], legs)) == [
        "leg bus 0: 160",
        "product week 1,2,3,5,6,7,8,9,10,11: 1500",
        "leg bike 4: 75",
    ]


def test_a_reduced_product_covers_the_days_on_which_the_proof_holds() -> None:
    legs = ridden(*(f"03-{day:02d} rail 08:00 30000m" for day in range(1, 21)))
    assert rate([WORKED], legs).amount_cents == 4000
    half = [Proof("youth", dt.date(2027, 3, 1), dt.date(2027, 3, 15))]
    # A train is 3.90, or 1.95: until the 15th the month at 18.00 covers fifteen of these, or two
    # weeks at 7.50 fourteen; the week of 15.00 behind them takes the fifteenth as well.
    assert lines(rate([WORKED], legs, half)) == [
        "product week 0,1,2,3,4,5,6: 750",
        "product week 7,8,9,10,11,12,13: 750",
        "product week 14,15,16,17,18,19: 1500",
    ]
    whole = [Proof("youth", dt.date(2027, 3, 1), dt.date(2027, 3, 31))]
    assert lines(rate([WORKED], legs, whole)) == [
        f"product month {','.join(map(str, range(20)))}: 1800"
    ]


def test_leg_without_a_price_is_told_and_not_free() -> None:
    bill = rate([WORKED], ridden("03-24 bus 08:00", "03-24 ferry 09:00"))
    assert (bill.amount_cents, bill.unpriced) == (160, ((1, "no_fare_for_ferry"),))
    late = replace(WORKED, valid_from=dt.date(2027, 4, 1))
    assert rate([late], ridden("03-24 bus 08:00")).unpriced == ((0, "no_tariff_on_day"),)


def test_a_year_of_daily_rides_is_rated_and_more_is_refused() -> None:
    first = dt.datetime(2027, 1, 1, 8, tzinfo=dt.UTC)
    legs = [FareLeg("bus", first + dt.timedelta(days=day), 0) for day in range(371)]
    # Twelve months at 40.00, and single buses on five days of January 2028.
    assert rate([WORKED], legs[:370]).amount_cents == 12 * 4_000 + 5 * 160
    with pytest.raises(InvalidInput, match="month by month"):
        rate([WORKED], legs)


def test_versions_that_contradict_each_other_are_refused() -> None:
    with pytest.raises(InvalidTariff, match="valid on one day"):
        rate([WORKED, WORKED], [])
    with pytest.raises(InvalidTariff, match="one currency"):
        rate([replace(WORKED, valid_to=FIRST), replace(WORKED, currency="CHF")], [])
