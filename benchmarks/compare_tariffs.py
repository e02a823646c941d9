"""
Two tariffs on a generated month of riders, as `mobility fares compare` does it once they are made.

    python benchmarks/compare_tariffs.py --home FOLDER [--riders 200000]

`FOLDER` is the home of a demo (`MOBILITY_HOME=FOLDER make demo`). Writes
benchmarks/results/compare_tariffs.json: legs, seconds to make them, and to compare them (the
demo's tariff against one with dearer buses and no day product; the least of five, one core). Totals
of the first hundred riders are compared with those of the explaining rater.
"""

from __future__ import annotations

import argparse
import datetime as dt
import sys
import time
from pathlib import Path

import yaml

sys.path.insert(0, str(Path(__file__).parent.parent))

from benchmarks.recorded import record
from mobility.actions.compare_tariffs import compare_tariffs, generate_riders
from mobility.demo.tariff import TARIFF_YAML
from mobility.installation import open_installation
from mobility.settings import Settings
from mobility.world import World, open_snapshot
from payments.many import rate_totals
from payments.month import month_after
from payments.rating import rate
from payments.tariff_file import parse_tariff

SEED, CHECKED = 7, 100


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--home", type=Path, required=True)
    parser.add_argument("--riders", type=int, default=200_000)
    options = parser.parse_args()
    here = open_installation(Settings(home=options.home))
    world = World(open_snapshot(here.snapshot_folder))
    here.close()
    before = parse_tariff(yaml.safe_load(TARIFF_YAML))
    after = parse_tariff(yaml.safe_load(TARIFF_YAML.replace("150", "170")) | {"products": []})
    categories = [category.id for category in before.categories]
    month = month_after(dt.datetime.now(dt.UTC).date().replace(day=1))
    begun = time.perf_counter()
    made = generate_riders(world, month, categories, options.riders, seed=SEED)
    made_s = time.perf_counter() - begun
    totals = rate_totals(before, made.legs)[:CHECKED].tolist()
    riders = [made.legs.rider(row) for row in range(CHECKED)]
    assert totals == [rate([before], own.legs, own.proofs).amount_cents for own in riders]
    took = []
    for _ in range(5):
        begun = time.perf_counter()
        changes = compare_tariffs(before, after, made)
        took.append(time.perf_counter() - begun)
    record(
        "compare_tariffs",
        {
            "riders": options.riders,
            "legs": changes[0].trips,
            "made, s": round(made_s, 1),
            "compared, s": round(min(took), 2),
            "every time, s": [round(seconds, 2) for seconds in took],
        },
    )


if __name__ == "__main__":
    main()
