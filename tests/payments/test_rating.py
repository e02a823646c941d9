"""Prices of itineraries: by hand, against a search over all partitions, and in properties."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest

from payments.rating import price_itinerary
from payments.tariff import (
    FareLeg,
    LegPrice,
    Period,
    Product,
    Tariff,
    When,
)
from payments.tariff_file import parse_tariff

pytestmark = pytest.mark.unit

URBAN = frozenset({"bus", "tram", "coach"})
TARIFF = parse_tariff(
    {
        "tariff": "valmont",
        "currency": "EUR",
        "timezone": "Europe/Paris",
        "fare_day_cutover": "04:00",
        "leg_prices": [
            {"id": "rail", "when": {"mode": "rail"}, "base_cents": 180,
             "per_km_millicents": 9000, "max_cents": 1200},
            {"id": "coach", "when": {"mode": "coach"}, "base_cents": 220},
            {"id": "urban", "when": {"mode": ["bus", "tram"]}, "base_cents": 150},
            {"id": "carpool", "when": {"mode": "carpool"}, "per_km_millicents": 8000,
             "min_cents": 50, "max_cents": 300},
        ],
        "fare_journeys": {"window_min": 60, "modes": ["bus", "tram", "coach"]},
        "products": [{"id": "day", "period": "fare_day", "modes": ["bus", "tram", "coach"],
                      "price_cents": 420}],
    }
)  # fmt: skip
UNCAPPED = replace(TARIFF, products=())


def day_product(name: str, modes: frozenset[str], cents: int) -> Product:
    return Product(name, modes, Period.FARE_DAY, cents)


def leg(text: str) -> FareLeg:
    """``bus 08:00`` or ``rail 08:00 12500m``, local times of 2026-11-24 (UTC+1); 26:00 is later."""
    mode, clock, *rest = text.split()
    hours, minutes = map(int, clock.split(":"))
    midnight = dt.datetime(2026, 11, 23, 23, tzinfo=dt.UTC)
    metres = int(rest[0].removesuffix("m")) if rest else 1000
    return FareLeg(mode, midnight + dt.timedelta(hours=hours, minutes=minutes), metres)


def bill(tariff: Tariff, *legs: str, rider_count: int = 1) -> list[str]:
    """One line a charge: kind, rule, legs, cents; the total last."""
    price = price_itinerary([tariff], [leg(text) for text in legs], rider_count=rider_count)
    lines = [
        f"{c.kind} {c.rule} {','.join(map(str, c.legs))}: {c.amount_cents}" for c in price.charges
    ]
    return [*lines, f"total {price.amount_cents} {price.currency}"]


def test_one_bus_is_one_leg() -> None:
    assert bill(TARIFF, "bus 08:00") == ["leg urban 0: 150", "total 150 EUR"]


def test_no_leg_costs_nothing() -> None:
    assert bill(TARIFF) == ["total 0 EUR"]


def test_legs_boarded_within_the_hour_cost_as_much_as_the_dearest() -> None:
    assert bill(TARIFF, "bus 08:00", "coach 08:30", "tram 09:00") == [
        "fare_journey coach 0,1,2: 220",
        "total 220 EUR",
    ]


def test_leg_boarded_a_minute_after_the_hour_is_a_new_one() -> None:
    assert bill(TARIFF, "bus 08:00", "tram 09:01") == [
        "leg urban 0: 150",
        "leg urban 1: 150",
        "total 300 EUR",
    ]


def test_window_begins_where_that_is_cheapest() -> None:
    # Joining the first two leaves the second coach alone: 220 + 220. Leaving the bus alone joins
    # the coaches: 150 + 220.
    assert bill(UNCAPPED, "bus 08:00", "coach 08:50", "coach 09:10") == [
        "leg urban 0: 150",
        "fare_journey coach 1,2: 220",
        "total 370 EUR",
    ]


def test_train_between_two_buses_neither_joins_nor_parts_them() -> None:
    # Rail: 180 + 12.5 km × 9 cents = 112.5, rounded up to 113.
    assert bill(TARIFF, "bus 08:00", "rail 08:20 12500m", "tram 08:50") == [
        "fare_journey urban 0,2: 150",
        "leg rail 1: 293",
        "total 443 EUR",
    ]


@pytest.mark.parametrize(
    ("metres", "cents"),
    [
        (0, 180),
        (55, 180),  # 0.495 cents
        (56, 181),  # 0.504 cents
        (500, 185),  # 4.5 cents: half goes up
        (1_500, 194),  # 13.5 cents: half goes up, not to the even 13 or 14 by chance
        (113_333, 1200),  # 1,019.997 + 180 is 1,200 after rounding: just at the most
        (200_000, 1200),
    ],
)
def test_kilometres_are_rounded_once_and_half_up(metres: int, cents: int) -> None:
    assert TARIFF.leg_prices[0].price(leg(f"rail 08:00 {metres}m"), 180) == cents


def test_ride_costs_at_least_its_least_price() -> None:
    # 1 km × 8 cents is below 50; 10 km are 80; 50 km would be 400, above 300.
    rule = TARIFF.leg_prices[3]
    prices = [rule.price(leg(f"carpool 08:00 {km}000m"), 0) for km in (1, 10, 50)]
    assert prices == [50, 80, 300]


def test_first_rule_that_matches_counts() -> None:
    rules = (replace(TARIFF.leg_prices[2], id="cheap", base_cents=1), *TARIFF.leg_prices)
    assert bill(replace(TARIFF, leg_prices=rules), "bus 08:00")[0] == "leg cheap 0: 1"


def test_leg_without_a_rule_makes_the_price_unknown_and_never_free() -> None:
    legs = [leg("bus 08:00"), leg("ferry 08:30"), leg("tram 09:00")]
    price = price_itinerary([TARIFF], legs)
    assert price.amount_cents is None
    assert price.charges == ()
    assert price.unknown_reason == "no_fare_for_ferry"


def test_day_never_costs_more_than_its_product() -> None:
    # Four journeys of 150 would be 600; the day product covers them all for 420.
    assert bill(TARIFF, "bus 08:00", "bus 10:00", "rail 11:00 0m", "bus 12:00", "bus 14:00") == [
        "product day 0,1,3,4: 420",
        "leg rail 2: 180",
        "total 600 EUR",
    ]


def test_fare_day_ends_at_four_in_the_morning() -> None:
    # 27:59 is 03:59 of the 25th: still the 24th's fare day. 28:00 is the next one.
    night = ["bus 08:00", "bus 10:00", "bus 27:59"]
    assert bill(TARIFF, *night)[-1] == "total 420 EUR"
    assert bill(TARIFF, *night[:2], "bus 28:00")[-1] == "total 450 EUR"


def test_midnight_does_not_end_the_fare_day() -> None:
    assert bill(TARIFF, "bus 20:00", "bus 22:00", "bus 24:30")[-1] == "total 420 EUR"


def test_two_products_over_the_same_legs_take_off_no_more_than_the_lower_one() -> None:
    # Three buses are 450. A bus day of 200 covers them; the day of 300 is dearer.
    products = (
        day_product("bus-day", frozenset({"bus"}), 200),
        day_product("day", frozenset({"bus", "tram"}), 300),
    )
    assert bill(replace(TARIFF, products=products), "bus 08:00", "bus 10:00", "bus 12:00")[-1] == (
        "total 200 EUR"
    )


def test_joining_never_costs_what_a_product_would_have_spared() -> None:
    # Bus day 200. Apart: three buses 450, covered for 200, and a tram 150: 350. Joining the last
    # bus to the tram takes it out of the product: 300 covered for 200, and 150: 350 as well. With a
    # tram at 100, apart is 300 and joined 350: the cheapest lawful way is apart.
    tram = LegPrice("tram", When(frozenset({"tram"})), 100)
    tariff = replace(
        TARIFF,
        leg_prices=(tram, *TARIFF.leg_prices),
        products=(day_product("bus-day", frozenset({"bus"}), 200),),
    )
    legs = ("bus 08:00", "bus 10:00", "bus 12:00", "tram 12:10")
    assert bill(tariff, *legs)[-1] == "total 300 EUR"


def test_leg_that_changes_what_is_joined_does_not_lower_a_covered_price() -> None:
    # Buses 150, a bus day 100, trams 100. Without the last tram the lawful least is 100 for the
    # two buses and 100 for the tram; with it, joined to the other tram, no less.
    tram = LegPrice("tram", When(frozenset({"tram"})), 100)
    tariff = replace(
        TARIFF,
        leg_prices=(tram, *TARIFF.leg_prices),
        products=(day_product("bus-day", frozenset({"bus"}), 100),),
    )
    legs = ("bus 06:00", "bus 08:00", "tram 08:50")
    assert bill(tariff, *legs, "tram 09:40")[-1] == "total 200 EUR"
    assert bill(tariff, *legs)[-1] == "total 200 EUR"


def test_bus_before_four_does_not_carry_the_next_days_bus_under_the_old_product() -> None:
    # 20:00, 21:30, 23:00 are worth the day's product: 420. The bus at 04:10 is the next day's: 150,
    # and a leg belongs to the day on which it is boarded. One more at 03:40 makes that no cheaper.
    evening = ("bus 20:00", "bus 21:30", "bus 23:00")
    assert bill(TARIFF, *evening, "bus 28:10")[-1] == "total 570 EUR"
    more = price_itinerary([TARIFF], [leg(text) for text in (*evening, "bus 27:40", "bus 28:10")])
    assert more.amount_cents is not None
    assert more.amount_cents >= 570


def test_group_pays_every_charge_once_a_rider() -> None:
    # Three times the product of 420.
    assert bill(TARIFF, "bus 08:00", "bus 10:00", "bus 12:00", rider_count=3) == [
        "product day 0,1,2: 1260",
        "total 1260 EUR",
    ]


def test_price_names_the_tariff_it_was_made_by() -> None:
    assert price_itinerary([TARIFF], []).tariff_hash == TARIFF.content_hash
