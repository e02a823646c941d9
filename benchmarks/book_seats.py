"""
Booking one ride by eight writers at once: how long a seat takes to be held, refused, given back.

    python benchmarks/book_seats.py [--home HOME] [--seconds 20]

Every writer is a process that asks again as soon as it is answered; what the machine needs to
commit anything at all, with as many writers, is measured beside it.
"""

from __future__ import annotations

import argparse
import datetime as dt
import multiprocessing
import random
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import sqlalchemy as sa

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.recorded import record
from carpool.bookings import BookingEvent
from core.errors import MobilityError
from core.ids import OfferId
from mobility.actions.change_booking import Said, Side, change_booking
from mobility.actions.run_demo import prepare_demo
from mobility.settings import Settings
from tests.support.booking_storm import broken_promises, open_booth, publish, read_driven
from tests.support.bookings import pairs_alone

WRITERS = 8
Times = dict[str, list[float]]


def write(home: Path, offer_id: OfferId, date: dt.date, seconds: float, seed: int) -> Times:
    """Hold and give back for a while; times by what came of it."""
    booth, dice = open_booth(home), random.Random(seed)
    driven = read_driven(booth, offer_id, date)
    pairs, rider = pairs_alone(driven.way)[:200], booth.person("writer")
    times: Times = {"held": [], "refused": [], "given_back": []}
    until_s = time.perf_counter() + seconds
    while time.perf_counter() < until_s:
        p, q, _ = dice.choice(pairs)
        quote = booth.quote(driven, p, q, later_s=dice.randrange(600))
        began_s = time.perf_counter()
        try:
            (held,) = booth.hold(rider, quote)
        except MobilityError:
            times["refused"].append(time.perf_counter() - began_s)
            continue
        times["held"].append(time.perf_counter() - began_s)
        began_s, now = time.perf_counter(), dt.datetime.now(dt.UTC)
        event = BookingEvent.CANCEL_RIDER
        change_booking(booth.desk, rider, Side.RIDER, held.id, event, Said(now), now=now)
        times["given_back"].append(time.perf_counter() - began_s)
    return times


def commit(home: Path, _offer_id: OfferId, _date: dt.date, seconds: float, _seed: int) -> Times:
    """Commit one row for a while."""
    booth = open_booth(home)
    who, times = booth.person("writer"), []
    statement = sa.text("update person set alias = alias where id = :id")
    until_s = time.perf_counter() + seconds
    while time.perf_counter() < until_s:
        began_s = time.perf_counter()
        with booth.desk.engine.begin() as connection:
            connection.execute(statement, {"id": who.person_id})
        times.append(time.perf_counter() - began_s)
    return {"commit_of_one_row": times}


def together(task: Callable[..., Times], *of: object) -> dict[str, dict[str, float]]:
    """A task by all writers at once, its times put together."""
    with multiprocessing.get_context("spawn").Pool(WRITERS) as pool:
        results = pool.starmap(task, [(*of, seed) for seed in range(WRITERS)])
    found = {}
    for name in results[0]:
        ms = sorted(1000 * s for times in results for s in times[name])
        found[name] = {
            "count": len(ms),
            "p50_ms": round(ms[len(ms) // 2], 1),
            "p95_ms": round(ms[len(ms) * 95 // 100], 1),
        }
    return found


def main() -> None:
    """Measure and record."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--home", type=Path, help="the demo's data directory; else one is made")
    parser.add_argument("--seconds", type=float, default=20)
    given = parser.parse_args()
    home = given.home or Path(tempfile.mkdtemp(prefix="mobility-bench-"))
    prepare_demo(Settings(home=home), on_step=print)
    booth = open_booth(home)
    (driven,) = publish(booth, home, 1, random.Random(4))
    of = home, driven.offer.id, driven.date, given.seconds
    result: dict[str, object] = {"writers": WRITERS, **together(commit, *of)}
    result |= together(write, *of)
    result["broken"] = broken_promises(booth.desk, driven.offer.id)
    record("book_seats", result)


if __name__ == "__main__":
    main()
