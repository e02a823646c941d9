"""
Postings a second into the ledger of an embedded PostgreSQL, in batches.

    python benchmarks/post_ledger.py [--postings 200000] [--batch 5000]

Writes benchmarks/results/post_ledger.json. Groups of two postings (usage accrued, a payer's part)
for 20,000 riders, drawn with a fixed seed; one writer, one commit a batch, balances kept in the
same transaction. Commit latency of one row is measured beside it, then all balances are recounted.
"""

from __future__ import annotations

import argparse
import datetime as dt
import random
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import sqlalchemy as sa

sys.path.insert(0, str(Path(__file__).parent.parent))

from benchmarks.recorded import record
from mobility.db.ledger import add_postings, recount
from mobility.installation import stop_servers
from mobility.settings import Settings
from payments.ledger import Entry, Posting, post
from tests.support.books import empty_books, owned

RIDERS, SEED = 20_000, 5
TODAY = dt.date(2027, 4, 1)


def groups(count: int) -> list[tuple[Posting, ...]]:
    """Events of two postings each."""
    dice = random.Random(SEED)
    made = []
    for nth in range(count // 2):
        rider = f"r{dice.randrange(RIDERS)}"
        cents = dice.randrange(100, 6_000)
        entries = [
            Entry("usage_accrued", cents, {"rider": rider, "operator": "network"}),
            Entry("payer_charged", cents // 2, {"rider": rider, "payer": f"p{nth % 40}"}),
        ]
        made.append(post(f"month:{nth}", "2027-03", "EUR", entries))
    return made


def main() -> None:
    """Post, time, recount, record."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--postings", type=int, default=200_000)
    parser.add_argument("--batch", type=int, default=5_000, help="postings of one transaction")
    options = parser.parse_args()
    home = Path(tempfile.mkdtemp(prefix="mobility-bench-"))
    home.chmod(0o711)
    made = groups(options.postings)
    try:
        with empty_books(home) as books:
            commits = []
            with owned(home, books) as owner, owner.connect() as connection:
                connection.execute(sa.text("create table one (n int)"))
                connection.commit()
                for n in range(200):
                    start = time.perf_counter()
                    connection.execute(sa.text("insert into one values (:n)"), {"n": n})
                    connection.commit()
                    commits.append(time.perf_counter() - start)
            step = options.batch // 2
            start = time.perf_counter()
            for first in range(0, len(made), step):
                with books.begin() as connection:
                    add_postings(connection, made[first : first + step], TODAY)
            seconds = time.perf_counter() - start
            with books.connect() as connection:
                start = time.perf_counter()
                assert recount(connection) == {}
                recounted_s = time.perf_counter() - start
    finally:
        stop_servers(Settings(home=home))
    record(
        "post_ledger",
        {
            "postings": 2 * len(made),
            "batch": options.batch,
            "postings_per_s": round(2 * len(made) / seconds),
            "recount_s": round(recounted_s, 2),
            "commit of one row, ms": {
                name: round(1_000 * float(np.percentile(commits, share)), 1)
                for name, share in (("p50", 50), ("p95", 95))
            },
        },
    )


if __name__ == "__main__":
    main()
