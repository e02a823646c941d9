"""Random tariffs, rides and proofs; a worked tariff, and rides written as text."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

from hypothesis import settings
from hypothesis import strategies as st

from payments.bill import Bill, Proof
from payments.tariff import (
    Category,
    FareJourney,
    FareLeg,
    LegPrice,
    Period,
    Product,
    Tariff,
    Tier,
    TimeBand,
    When,
)
from payments.tariff_file import parse_tariff

some = settings(deadline=None, derandomize=True, max_examples=120)

PARIS = ZoneInfo("Europe/Paris")
NAMES = ("bus", "tram", "rail", "carpool", "bike")
ALL = frozenset(NAMES)
FIRST = dt.date(2027, 3, 24)
"""A Wednesday: the week after it has the day on which the clock is put forward, and a new month."""
AUTUMN, LEAP = dt.date(2027, 10, 28), dt.date(2028, 2, 26)
"""So has the Sunday after the first, on which it is put back; 29 February is after the second."""
SPRING = (FIRST,)
ANY_TIME = (FIRST, FIRST, FIRST, AUTUMN, LEAP)
ZONES = ("A", "B", "C")
OPERATORS = ("", "metro", "region")

modes = st.frozensets(st.sampled_from(NAMES), min_size=1)
few_cents = st.integers(0, 8).map(lambda n: n * 35)
some_zones = st.none() | st.frozensets(st.sampled_from(ZONES), min_size=1)
some_operators = st.sampled_from((None, None, None, frozenset({"metro"}), frozenset(OPERATORS[1:])))


@st.composite
def leg_prices(draw: st.DrawFn, number: int) -> LegPrice:
    where = draw(st.sampled_from(("", "", "from", "to", "both")))
    when = When(
        draw(modes),
        operators=draw(some_operators),
        routes=draw(st.sampled_from((None, None, None, frozenset({"1"})))),
        from_zones=draw(some_zones) if where in {"from", "both"} else None,
        to_zones=draw(some_zones) if where in {"to", "both"} else None,
        bands=draw(st.sampled_from((None, None, frozenset({"peak"}), frozenset({"night"})))),
        categories=draw(st.sampled_from((None, None, None, frozenset({"youth"})))),
    )
    table = draw(st.sampled_from(("", "", "", "pairs", "count")))
    by_zones = by_zone_count = None
    if table == "pairs":
        by_zones = {(a, b): draw(few_cents) for a in ZONES for b in ZONES if a <= b}
    elif table == "count":
        by_zone_count = tuple(sorted(draw(st.lists(few_cents, min_size=1, max_size=3))))
    return LegPrice(
        f"rule{number}",
        when,
        base_cents=draw(few_cents),
        tiers=draw(
            st.sampled_from(
                ((), (Tier(0, None, 8_345),), (Tier(0, 3_000, 12_000), Tier(3_000, None, 4_000)))
            )
        ),
        per_min_millicents=draw(st.sampled_from((0, 0, 5_500))),
        free_s=draw(st.sampled_from((0, 600))),
        min_cents=draw(st.sampled_from((0, 40))),
        max_cents=draw(st.sampled_from((None, 220))),
        by_zones=by_zones,
        by_zone_count=by_zone_count,
        round_to_cents=draw(st.sampled_from((1, 1, 1, 5))),
    )


@st.composite
def journeys(draw: st.DrawFn, number: int) -> FareJourney:
    window_s = draw(st.sampled_from((30, 60, 90))) * 60
    if draw(st.booleans()):
        return FareJourney(
            f"journey{number}", window_s, draw(modes), draw(st.sampled_from((None, 2, 3))),
            other_routes=draw(st.booleans()),
        )  # fmt: skip
    pattern = draw(modes), draw(modes)
    return FareJourney(
        f"journey{number}", window_s, pattern[0] | pattern[1], None, pattern, draw(few_cents)
    )


@st.composite
def products(draw: st.DrawFn, number: int) -> Product:
    period, month = draw(st.sampled_from(Period)), Period.CALENDAR_MONTH
    return Product(
        f"product{number}",
        draw(modes),
        period,
        draw(st.integers(0, 6)) * 90,
        zones=draw(st.none() | some_zones),
        operators=draw(some_operators),
        category_cents=draw(st.sampled_from((None, None, {"youth": 60}))),
        most_legs=draw(st.sampled_from((None, None, 2))) if period is month else None,
    )


@st.composite
def tariffs(draw: st.DrawFn, *, monotone: bool = False) -> Tariff:
    """With `monotone` only what the linter lets through: no price of a pair below its legs."""
    count = draw(st.integers(0, 3))
    rules = [draw(leg_prices(n)) for n in range(count)]
    joined = [draw(journeys(n)) for n in range(draw(st.integers(0, 2)))]
    if monotone:
        joined = [j for j in joined if j.pattern is None]
    return Tariff(
        id="random",
        currency="EUR",
        timezone="Europe/Paris",
        cutover_s=draw(st.sampled_from((0, 4 * 3_600))),
        leg_prices=(*rules, LegPrice("rest", When(ALL), 130)),
        fare_journeys=tuple(joined),
        products=tuple(draw(products(n)) for n in range(draw(st.integers(0, 3)))),
        content_hash=f"hash{draw(st.integers(0, 9))}",
        time_bands=(
            TimeBand("peak", frozenset({"mon", "wed", "thu"}), 7 * 3_600, 9 * 3_600 + 1_800),
            TimeBand("night", frozenset({"wed", "sat", "holiday"}), 22 * 3_600, 6 * 3_600),
        ),
        holidays=frozenset({dt.date(2027, 3, 29), dt.date(2027, 11, 1)}),
        categories=(Category("youth", 500), Category("poor", 333)),
    )


@st.composite
def trips(draw: st.DrawFn, most: int = 6, firsts: tuple[dt.date, ...] = ANY_TIME) -> list[FareLeg]:
    """Legs of a few days, some around the end of a fare day, a month, of winter and summer time."""
    legs = []
    first = draw(st.sampled_from(firsts))
    for nth in range(draw(st.integers(0, most))):
        day = first + dt.timedelta(days=draw(st.sampled_from((0, 0, 1, 3, 4, 6, 7, 8, 13))))
        minute = draw(st.sampled_from((0, 179, 200, 239, 241, 400, 450, 470, 500, 1_320, 1_439)))
        at = dt.datetime.combine(day, dt.time(), PARIS) + dt.timedelta(minutes=minute)
        start = draw(st.integers(0, 2))
        zones = ZONES[start : draw(st.integers(start, 2)) + 1] if draw(st.booleans()) else ()
        legs.append(
            FareLeg(
                draw(st.sampled_from(NAMES)),
                # The second time that the clock shows it, if it does.
                at.replace(fold=draw(st.sampled_from((0, 1)))).astimezone(dt.UTC),
                draw(st.sampled_from((0, 700, 3_001, 12_345))),
                draw(st.sampled_from((0, 599, 901))),
                zones,
                draw(st.sampled_from(OPERATORS)),
                draw(st.sampled_from("12")),
                f"leg{nth}",
                draw(st.sampled_from((None, None, None, None, 0, 75))),
            )
        )
    return legs


@st.composite
def proofs(draw: st.DrawFn) -> list[Proof]:
    found = []
    for _ in range(draw(st.integers(0, 2))):
        since = draw(st.sampled_from(ANY_TIME)) + dt.timedelta(days=draw(st.integers(-3, 9)))
        until = since + dt.timedelta(days=draw(st.integers(0, 12)))
        found.append(Proof(draw(st.sampled_from(("youth", "poor", "unknown"))), since, until))
    return found


def total(bill: Bill) -> int:
    assert bill.unpriced == ()
    return bill.amount_cents


WORKED = parse_tariff(
    {
        "tariff": "worked", "currency": "EUR", "timezone": "Europe/Paris",
        "leg_prices": [
            {"id": "bus", "when": {"mode": "bus"}, "base_cents": 160},
            {"id": "rail", "when": {"mode": "rail"}, "base_cents": 120, "per_km_millicents": 9_000},
            {"id": "bike", "when": {"mode": "bike"}, "per_min_millicents": 5_000, "free_min": 30},
        ],
        "fare_journeys": {"window_min": 90, "modes": ["bus", "rail"]},
        "categories": [{"id": "youth", "permille": 500}],
        "products": [
            {"id": "day", "period": "fare_day", "modes": ["bus"], "price_cents": 450},
            {"id": "week", "period": "rolling_7d", "modes": ["bus", "rail"], "price_cents": 1500},
            {"id": "month", "period": "calendar_month", "modes": "all", "price_cents": 4000,
             "category_cents": {"youth": 1800}},
        ],
    }
)  # fmt: skip


def ridden(*texts: str) -> list[FareLeg]:
    """``03-24 bus 08:00`` or ``03-24 rail 08:00 20000m``, in 2027 on the clock of Paris."""
    legs = []
    for text in texts:
        date, mode, clock, *rest = text.split()
        at = dt.datetime.fromisoformat(f"2027-{date}T{clock}").replace(tzinfo=PARIS)
        metres = int(rest[0].removesuffix("m")) if rest else 0
        legs.append(FareLeg(mode, at.astimezone(dt.UTC), metres, 2_700))
    return legs
