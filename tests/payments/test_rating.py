"""Prices of itineraries: by hand, against a search over all partitions, and in properties."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from payments.rating import FareLeg, Price, price_itinerary, price_leg
from payments.tariff import MODES, Cap, FareJourneys, LegPrice, Tariff, parse_tariff

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
        "caps": [{"id": "day", "period": "day", "modes": ["bus", "tram", "coach"],
                  "max_cents": 420}],
    }
)  # fmt: skip
UNCAPPED = replace(TARIFF, caps=())


def leg(text: str) -> FareLeg:
    """``bus 08:00`` or ``rail 08:00 12500m``, local times of 2026-11-24 (UTC+1); 26:00 is later."""
    mode, clock, *rest = text.split()
    hours, minutes = map(int, clock.split(":"))
    midnight = dt.datetime(2026, 11, 23, 23, tzinfo=dt.UTC)
    metres = int(rest[0].removesuffix("m")) if rest else 1000
    return FareLeg(mode, midnight + dt.timedelta(hours=hours, minutes=minutes), metres)


def bill(tariff: Tariff, *legs: str, rider_count: int = 1) -> list[str]:
    """One line a charge: kind, rule, legs, cents; the total last."""
    price = price_itinerary(tariff, [leg(text) for text in legs], rider_count=rider_count)
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
    assert price_leg(TARIFF.leg_prices[0], leg(f"rail 08:00 {metres}m")) == cents


def test_ride_costs_at_least_its_least_price() -> None:
    # 1 km × 8 cents is below 50; 10 km are 80; 50 km would be 400, above 300.
    rule = TARIFF.leg_prices[3]
    prices = [price_leg(rule, leg(f"carpool 08:00 {km}000m")) for km in (1, 10, 50)]
    assert prices == [50, 80, 300]


def test_first_rule_that_matches_counts() -> None:
    rules = (replace(TARIFF.leg_prices[2], id="cheap", base_cents=1), *TARIFF.leg_prices)
    assert bill(replace(TARIFF, leg_prices=rules), "bus 08:00")[0] == "leg cheap 0: 1"


def test_leg_without_a_rule_makes_the_price_unknown_and_never_free() -> None:
    legs = [leg("bus 08:00"), leg("ferry 08:30"), leg("tram 09:00")]
    price = price_itinerary(TARIFF, legs)
    assert price.amount_cents is None
    assert price.charges == ()
    assert price.unknown_reason == "no_fare_for_ferry"


def test_day_never_costs_more_than_its_cap() -> None:
    # Four journeys of 150 would be 600; the cap covers them all for 420.
    assert bill(TARIFF, "bus 08:00", "bus 10:00", "rail 11:00 0m", "bus 12:00", "bus 14:00") == [
        "cap day 0,1,3,4: 420",
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


def test_two_caps_over_the_same_legs_take_off_no_more_than_the_lower_one() -> None:
    # Three buses are 450. A bus cap of 200 takes 250 off; 200 are left, under the cap of 300.
    caps = (
        Cap("bus-day", frozenset({"bus"}), 200),
        Cap("day", frozenset({"bus", "tram"}), 300),
    )
    assert bill(replace(TARIFF, caps=caps), "bus 08:00", "bus 10:00", "bus 12:00")[-1] == (
        "total 200 EUR"
    )


def test_joining_never_costs_what_a_cap_would_have_spared() -> None:
    # Bus cap 200. Apart: three buses 450, capped to 200, and a tram 150: 350. Joining the last bus
    # to the tram takes it out of the cap: 300 capped to 200, and 150: 350 as well. With a tram at
    # 100, apart is 300 and joined 350: the cheapest lawful way is apart.
    tram = LegPrice("tram", frozenset({"tram"}), 100, 0, 0, None)
    tariff = replace(
        TARIFF,
        leg_prices=(tram, *TARIFF.leg_prices),
        caps=(Cap("bus-day", frozenset({"bus"}), 200),),
    )
    legs = ("bus 08:00", "bus 10:00", "bus 12:00", "tram 12:10")
    assert bill(tariff, *legs)[-1] == "total 300 EUR"


def test_leg_that_changes_what_is_joined_does_not_lower_a_capped_price() -> None:
    # Buses 150 under a cap of 100, trams 100. Without the last tram the lawful least is 100 for the
    # two buses and 100 for the tram; with it, joined to the other tram, no less.
    tram = LegPrice("tram", frozenset({"tram"}), 100, 0, 0, None)
    tariff = replace(
        TARIFF,
        leg_prices=(tram, *TARIFF.leg_prices),
        caps=(Cap("bus-day", frozenset({"bus"}), 100),),
    )
    legs = ("bus 06:00", "bus 08:00", "tram 08:50")
    assert bill(tariff, *legs, "tram 09:40")[-1] == "total 200 EUR"
    assert bill(tariff, *legs)[-1] == "total 200 EUR"


def test_bus_before_four_does_not_carry_the_next_days_bus_under_the_old_cap() -> None:
    # 20:00, 21:30, 23:00 fill the day's cap: 420. The bus at 04:10 is the next day's: 150, and a
    # leg belongs to the day on which it is boarded. One more at 03:40 cannot make that cheaper.
    evening = ("bus 20:00", "bus 21:30", "bus 23:00")
    assert bill(TARIFF, *evening, "bus 28:10")[-1] == "total 570 EUR"
    more = price_itinerary(TARIFF, [leg(text) for text in (*evening, "bus 27:40", "bus 28:10")])
    assert more.amount_cents is not None
    assert more.amount_cents >= 570


def test_group_pays_every_charge_once_a_rider() -> None:
    # Three times the cap of 420.
    assert bill(TARIFF, "bus 08:00", "bus 10:00", "bus 12:00", rider_count=3) == [
        "cap day 0,1,2: 1260",
        "total 1260 EUR",
    ]


def test_price_names_the_tariff_it_was_made_by() -> None:
    assert price_itinerary(TARIFF, []).tariff_hash == TARIFF.content_hash


# --- properties -----------------------------------------------------------------------------------

RULES = st.builds(
    LegPrice,
    id=st.sampled_from(("r1", "r2", "r3")),
    modes=st.frozensets(st.sampled_from(("bus", "tram", "rail", "carpool")), min_size=1),
    base_cents=st.integers(0, 5).map(lambda n: n * 50),
    per_km_millicents=st.sampled_from((0, 0, 8000, 12_345)),
    min_cents=st.sampled_from((0, 40)),
    max_cents=st.sampled_from((None, 200)),
)
MODE_SETS = st.frozensets(st.sampled_from(("bus", "tram", "rail")), min_size=1)
LAST = LegPrice("rest", frozenset({"bus", "tram", "rail", "carpool"}), 130, 0, 0, None)


def tariffs(caps: st.SearchStrategy[tuple[Cap, ...]]) -> st.SearchStrategy[Tariff]:
    return st.builds(
        lambda rules, window, modes, caps: replace(
            TARIFF,
            leg_prices=(*rules, LAST),
            fare_journeys=FareJourneys(window * 60, modes) if window else None,
            caps=caps,
        ),
        st.lists(RULES, max_size=3),
        st.sampled_from((0, 30, 60, 60, 90)),
        MODE_SETS,
        caps,
    )


ONE_CAP = st.builds(Cap, st.just("cap"), MODE_SETS, st.integers(0, 9).map(lambda n: n * 60))
ANY_CAPS = st.lists(ONE_CAP, max_size=2).map(
    lambda caps: tuple(replace(c, id=f"cap{i}") for i, c in enumerate(caps))
)


@st.composite
def itineraries(draw: st.DrawFn, longest: int = 6) -> list[FareLeg]:
    # From the afternoon on, so that some pass 04:00 (three o'clock UTC).
    at = dt.datetime(2026, 11, 24, draw(st.sampled_from((12, 23))), tzinfo=dt.UTC)
    legs = []
    for _ in range(draw(st.integers(0, longest))):
        at += dt.timedelta(minutes=draw(st.sampled_from((1, 5, 20, 29, 30, 31, 60, 61, 180))))
        mode = draw(st.sampled_from(("bus", "tram", "rail", "carpool")))
        legs.append(FareLeg(mode, at, draw(st.sampled_from((0, 700, 12_345, 62_500)))))
    return legs


def partitions(rows: Sequence[int]) -> Iterator[list[list[int]]]:
    """Every way to put the rows in groups."""
    if not rows:
        yield []
        return
    head, *rest = rows
    for groups in partitions(rest):
        yield [[head], *groups]
        for i, group in enumerate(groups):
            yield [*groups[:i], [head, *group], *groups[i + 1 :]]


def cheapest_partition(tariff: Tariff, legs: Sequence[FareLeg]) -> int:
    """Plain search: every partition of the legs whose groups the tariff allows."""
    journeys = tariff.fare_journeys
    cents = []
    for each in legs:
        rule = next(r for r in tariff.leg_prices if each.mode in r.modes)
        millicents = rule.per_km_millicents * each.metres
        price = max(rule.base_cents + (millicents + 500_000) // 1_000_000, rule.min_cents)
        cents.append(price if rule.max_cents is None else min(price, rule.max_cents))

    def lawful(group: list[int]) -> bool:
        if len(group) == 1:
            return True
        times = [legs[i].board_at for i in group]
        return (
            journeys is not None
            and all(legs[i].mode in journeys.modes for i in group)
            and (max(times) - min(times)).total_seconds() <= journeys.window_s
        )

    return min(
        sum(max(cents[i] for i in group) for group in groups)
        for groups in partitions(range(len(legs)))
        if all(lawful(group) for group in groups)
    )


@given(tariffs(st.just(())), itineraries())
@settings(deadline=None, derandomize=True, max_examples=66)
def test_price_is_that_of_the_cheapest_of_all_partitions(
    tariff: Tariff, legs: list[FareLeg]
) -> None:
    assert price_itinerary(tariff, legs).amount_cents == cheapest_partition(tariff, legs)


def known(price: Price) -> int:
    assert price.amount_cents is not None
    return price.amount_cents


@given(tariffs(st.just(())), itineraries(), st.data())
@settings(deadline=None, derandomize=True, max_examples=100)
def test_one_leg_more_never_lowers_the_price_without_caps(
    tariff: Tariff, legs: list[FareLeg], data: st.DataObject
) -> None:
    fewer = list(legs)
    if legs:
        del fewer[data.draw(st.integers(0, len(legs) - 1))]
    assert known(price_itinerary(tariff, legs)) >= known(price_itinerary(tariff, fewer))


@given(tariffs(ONE_CAP.map(lambda cap: (cap,))), itineraries(), st.data())
@settings(deadline=None, derandomize=True, max_examples=200)
def test_one_leg_more_never_lowers_the_price_with_a_cap(
    tariff: Tariff, legs: list[FareLeg], data: st.DataObject
) -> None:
    fewer = list(legs)
    if legs:
        del fewer[data.draw(st.integers(0, len(legs) - 1))]
    assert known(price_itinerary(tariff, legs)) >= known(price_itinerary(tariff, fewer))


@given(tariffs(ANY_CAPS), itineraries())
@settings(deadline=None, derandomize=True, max_examples=100)
def test_cap_never_raises_a_bill_and_no_bill_is_below_zero(
    tariff: Tariff, legs: list[FareLeg]
) -> None:
    capped = known(price_itinerary(tariff, legs))
    assert 0 <= capped <= known(price_itinerary(replace(tariff, caps=()), legs))


@given(tariffs(ANY_CAPS), itineraries(), st.integers(1, 9))
@settings(deadline=None, derandomize=True, max_examples=66)
def test_charges_add_up_and_name_every_leg_once(
    tariff: Tariff, legs: list[FareLeg], rider_count: int
) -> None:
    price = price_itinerary(tariff, legs, rider_count=rider_count)
    assert known(price) == sum(charge.amount_cents for charge in price.charges)
    rules = {rule.id for rule in tariff.leg_prices}
    assert Counter(i for charge in price.charges for i in charge.legs) == Counter(range(len(legs)))
    owed = [charge for charge in price.charges if charge.kind != "cap"]
    assert all(charge.rule in rules and charge.amount_cents >= 0 for charge in owed)
    assert all((charge.kind == "leg") == (len(charge.legs) == 1) for charge in owed)
    for cap in (charge for charge in price.charges if charge.kind == "cap"):
        assert list(cap.legs) == sorted(set(cap.legs))
        assert cap.rule in {c.id for c in tariff.caps}


@given(tariffs(ANY_CAPS), itineraries(), st.integers(1, 9))
@settings(deadline=None, derandomize=True)
def test_group_pays_a_multiple_of_one(
    tariff: Tariff, legs: list[FareLeg], rider_count: int
) -> None:
    one = known(price_itinerary(tariff, legs))
    assert known(price_itinerary(tariff, legs, rider_count=rider_count)) == rider_count * one


@given(itineraries(longest=3), st.sampled_from(sorted(set(MODES) - {"bus", "tram", "rail"})))
@settings(deadline=None, derandomize=True)
def test_unknown_mode_makes_any_itinerary_unknown(legs: list[FareLeg], mode: str) -> None:
    rules = tuple(r for r in TARIFF.leg_prices if mode not in r.modes)
    added = [*legs, FareLeg(mode, dt.datetime(2026, 11, 26, tzinfo=dt.UTC), 0)]
    assert price_itinerary(replace(TARIFF, leg_prices=rules), added).amount_cents is None
