"""
Bills of riders who ride 60 times a month, one after the other on one core.

    python benchmarks/rate_months.py [--riders 400]

Writes benchmarks/results/rate_months.json. Buses and trains on workdays mostly, a bike now and
then, drawn with a fixed seed; the tariff has kilometres, fare journeys, and a day, any seven days
and a month as products, so that all of them are weighed.
"""

from __future__ import annotations

import argparse
import datetime as dt
import random
import sys
import time
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np

sys.path.insert(0, str(Path(__file__).parent.parent))

from benchmarks.recorded import record
from payments.rating import rate
from payments.tariff import FareLeg
from payments.tariff_file import parse_tariff

RIDES = 60
SEED = 2_027
ZONE = ZoneInfo("Europe/Paris")
TARIFF = parse_tariff(
    {
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
            {"id": "month", "period": "calendar_month", "modes": "all", "price_cents": 9_000},
        ],
    }
)  # fmt: skip


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
    for legs in months[:20]:
        rate([TARIFF], legs)
    took_ms = []
    for legs in months:
        begun = time.perf_counter()
        rate([TARIFF], legs)
        took_ms.append(1_000 * (time.perf_counter() - begun))
    p50, p95 = np.percentile(took_ms, (50, 95)).round(2).tolist()
    record("rate_months", {"riders": riders, "rides": RIDES, "p50_ms": p50, "p95_ms": p95})


if __name__ == "__main__":
    main()
