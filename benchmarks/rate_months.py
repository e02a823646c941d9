"""
Bills of riders who ride 60 times a month, one after the other on one core.

    python benchmarks/rate_months.py [--riders 400]

Writes benchmarks/results/rate_months.json: a month with its lines, as it is rated and by the
reference, which say the same; trips a second by the kernel, once each has a price, and by the one
that prices them; what one journey of the next day adds for a rider with this month and the one
before (the first asked for, which rates what he has used, and each after it), also where an
employer pays half of his months. Buses and trains on workdays mostly, a bike now and then, drawn
with a fixed seed; the tariff has kilometres, fare journeys, and a day, any seven days and a month
as products, so that all of them are weighed.
"""

from __future__ import annotations

import argparse
import datetime as dt
import itertools
import random
import sys
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np

sys.path.insert(0, str(Path(__file__).parent.parent))

from benchmarks.recorded import record
from payments.bill import Bill
from payments.leg_columns import Rider, columns_of
from payments.many import rate_bills, rate_own_month, ways_of
from payments.own_price import OwnPrices
from payments.rating import rate
from payments.rights import NO_RIGHTS, PaidFor, Rights
from payments.tariff import FareLeg
from payments.tariff_file import parse_tariff
from payments.versions import Tariffs

RIDES = 60
FEBRUARY = dt.date(2027, 2, 1)
SEED = 2_027
ZONE = ZoneInfo("Europe/Paris")
CONTENT = {
    "tariff": "benchmark", "currency": "EUR", "timezone": ZONE.key,
    "leg_prices": [
        {"id": "bus", "when": {"mode": "bus"}, "base_cents": 160},
        {"id": "rail", "when": {"mode": "rail"}, "base_cents": 120, "per_km_millicents": 9_000},
        {"id": "bike", "when": {"mode": "bike"}, "per_min_millicents": 5_000, "free_min": 30},
    ],
    "fare_journeys": {"window_min": 90, "modes": ["bus", "rail"]},
    "products": [
        {"id": "day", "period": "fare_day", "modes": ["bus"], "price_cents": 450},
        {"id": "week", "period": "rolling_7d", "modes": ["bus", "rail"], "price_cents": 2_000},
        {"id": "month", "period": "calendar_month", "modes": "all", "price_cents": 9_000,
         "is_subscription": True},
    ],
}  # fmt: skip
TARIFF = parse_tariff(CONTENT)
EMPLOYER = {"id": "employer", "share_permille": 500, "only_subscriptions": True}
PAID = parse_tariff({**CONTENT, "payers": [EMPLOYER]})
EMPLOYED = Rights(paid_for=(PaidFor("employer", "acme", dt.date.min, dt.date.max),))


def month(dice: random.Random) -> list[FareLeg]:
    """Legs of one rider in March 2027."""
    days = [dt.date(2027, 3, day) for day in range(1, 32)]
    weights = [1 if day.weekday() >= 5 else 4 for day in days]
    legs = []
    for nth, day in enumerate(dice.choices(days, weights, k=RIDES)):
        hour = dice.choice((7, 7, 8, 8, 12, 17, 17, 18, 18, 20))
        at = dt.datetime.combine(day, dt.time(hour, dice.randrange(60)), ZONE)
        mode = dice.choice(("bus",) * 6 + ("rail", "rail", "bike"))
        metres, seconds = dice.randrange(1_000, 30_000), dice.randrange(300, 4_000)
        legs.append(FareLeg(mode, at.astimezone(dt.UTC), metres, seconds, id=str(nth)))
    return legs


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--riders", type=int, default=400)
    riders = parser.parse_args().riders
    dice = random.Random(SEED)
    months = [month(dice) for _ in range(riders)]
    bills = [explained(legs) for legs in months]
    assert bills == [rate([TARIFF], legs) for legs in months]
    explained_ms = [timed_ms(partial(explained, legs)) for legs in months]
    reference_ms = [timed_ms(partial(rate, [TARIFF], legs)) for legs in months]
    ways = ways_of(TARIFF, ())
    columns = columns_of([Rider(legs) for legs in months] * 20)
    every = np.arange(len(months) * 20)
    priced = ways.price(columns, every)
    assert priced is not None
    ends = columns.arrays.first
    spans = np.column_stack((ends[:-1], ends[1:]))
    assert ways.rate(spans, priced)[: len(months)].tolist() == [
        rate([TARIFF], legs).amount_cents for legs in months
    ]
    price_s, kernel_s = (
        min(timed_ms(act) for _ in range(5)) / 1_000
        for act in (partial(ways.price, columns, every), partial(ways.rate, spans, priced))
    )
    own_ms: dict[str, list[float]] = defaultdict(list)
    for legs, before in itertools.pairwise(months):
        earlier = [replace(leg, board_at=leg.board_at - dt.timedelta(days=31)) for leg in before]
        journeys = [tomorrow(legs, dice) for _ in range(4)]
        for whose, tariff, rights in (("", TARIFF, NO_RIGHTS), (", employer pays", PAID, EMPLOYED)):
            left = {FEBRUARY: rate_own_month([tariff], earlier, FEBRUARY).choices}
            prices = OwnPrices(Tariffs((tariff,)), [*earlier, *legs], rights, choices=left)
            first, *others = [timed_ms(partial(prices.price, own)) for own in journeys]
            own_ms[f"own price, first journey{whose}"].append(first)
            own_ms[f"own price, each after it{whose}"] += others
    record(
        "rate_months",
        {
            "riders": riders,
            "rides": RIDES,
            "a month with its lines": percentiles_ms(explained_ms),
            "the same by the reference": percentiles_ms(reference_ms),
            "kernel, trips a second": round(RIDES * len(every) / kernel_s),
            "priced from columns, trips a second": round(RIDES * len(every) / price_s),
            **{what: percentiles_ms(values) for what, values in own_ms.items()},
        },
    )


def explained(legs: list[FareLeg]) -> Bill:
    """A rider's bill, with the charges that make it up."""
    return rate_bills(TARIFF, columns_of([Rider(legs)]))[0]


def tomorrow(legs: list[FareLeg], dice: random.Random) -> list[FareLeg]:
    """Two legs, half an hour apart, on the day after the last one."""
    at = max(leg.board_at for leg in legs) + dt.timedelta(hours=dice.uniform(14, 24))
    first, second = dice.sample(legs, 2)
    return [
        replace(first, board_at=at), replace(second, board_at=at + dt.timedelta(minutes=30))
    ]  # fmt: skip


def timed_ms(act: Callable[[], object]) -> float:
    begun = time.perf_counter()
    act()
    return 1_000 * (time.perf_counter() - begun)


def percentiles_ms(values: list[float]) -> dict[str, float]:
    p50, p95 = np.percentile(values, (50, 95)).round(2).tolist()
    return {"p50_ms": p50, "p95_ms": p95}


if __name__ == "__main__":
    main()
