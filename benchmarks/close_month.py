"""
A month of many riders is closed: rated, posted, issued.

    python benchmarks/close_month.py [--riders 10000]

Writes benchmarks/results/close_month.json. Each rider has 21 rides of the month, drawn with a fixed
seed, in an embedded PostgreSQL on the same machine; the tariff is that of `rate_months.py`. What
operators have earned by them is posted, too. Two processes close it.
"""

from __future__ import annotations

import argparse
import datetime as dt
import random
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from benchmarks.rate_months import TARIFF, month
from benchmarks.recorded import record
from mobility.actions.close_month import close_month
from mobility.db.ledger import recount
from mobility.db.usage import add_legs, put_months
from mobility.installation import stop_servers
from mobility.settings import Settings
from payments.leg_columns import Rider, columns_of
from payments.many import total_months
from payments.versions import Tariffs
from tests.support.books import empty_books, new_accounts

RIDES, SEED, AT_ONCE = 21, 3, 200
OPERATOR = {"bus": "buses", "rail": "trains"}
MARCH, NOW = dt.date(2027, 3, 1), dt.datetime(2027, 4, 3, tzinfo=dt.UTC)


def main() -> None:
    """Fill, close, check, record."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--riders", type=int, default=10_000)
    rider_count = parser.parse_args().riders
    home = Path(tempfile.mkdtemp(prefix="mobility-bench-"))
    home.chmod(0o711)
    dice = random.Random(SEED)
    try:
        with empty_books(home) as books:
            accounts = new_accounts(books, rider_count, NOW)
            for first in range(0, rider_count, AT_ONCE):
                own = accounts[first : first + AT_ONCE]
                with books.begin() as connection:
                    riders = []
                    for account in own:
                        legs = [
                            replace(leg, id=f"{account}:{nth}", operator=OPERATOR.get(leg.mode, ""))
                            for nth, leg in enumerate(dice.sample(month(dice), RIDES))
                        ]
                        add_legs(connection, [(account, leg) for leg in legs])
                        riders.append(Rider(legs))
                    # As they were rated when their last ride became known; closing rates them anew.
                    rated = total_months([TARIFF], columns_of(riders), MARCH)
                    totals = list(zip(own, rated, strict=True))
                    put_months(connection, totals, "EUR", TARIFF.content_hash)
            begun = time.perf_counter()
            done = close_month(books, Tariffs((TARIFF,)), MARCH, now=NOW, workers=2)
            seconds = time.perf_counter() - begun
            with books.connect() as connection:
                assert recount(connection) == {}
            assert done.months == rider_count
    finally:
        stop_servers(Settings(home=home))
    record(
        "close_month",
        {
            "riders": rider_count,
            "rides of a rider": RIDES,
            "seconds": round(seconds, 1),
            "riders a second": round(rider_count / seconds),
        },
    )


if __name__ == "__main__":
    main()
