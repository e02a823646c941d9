"""Many processes book at once; the last act of some is to be killed."""

from __future__ import annotations

import datetime as dt
import multiprocessing
import os
import random
import signal
from pathlib import Path

import pytest

from carpool.bookings import HOLD
from mobility.actions.change_booking import sweep
from mobility.db.rides import SqlRideStore
from tests.support.booking_storm import (
    broken_promises,
    left_waiting,
    open_booth,
    publish,
    storm,
)
from tests.support.bookings import Booth, pairs_alone


def weather(
    booth: Booth, home: Path, *, rides: int, attempts: int, processes: int
) -> dict[str, int]:
    """A storm on new rides, then what holds once all that nobody confirmed is over."""
    driven = publish(booth, home, rides, random.Random(attempts))
    counts, _ = storm(home, driven, processes=processes, attempts=attempts)
    later = dt.datetime.now(dt.UTC) + HOLD + dt.timedelta(seconds=1)
    while sweep(booth.desk, now=later):
        pass
    print(f"\n{attempts} attempts: {dict(counts.most_common())}")
    assert broken_promises(booth.desk, *(d.offer.id for d in driven)) == []
    assert left_waiting(booth.desk, later) == 0
    known = {
        "held", "ride_not_free", "already_on_the_way", "confirmed", "cancelled", "given back",
        "booking_state later",
    }  # fmt: skip
    assert set(counts) <= known, "nothing but what a rider understands"
    with booth.desk.engine.connect() as connection:
        store = SqlRideStore(connection)
        rows = [store.find_ride(d.offer.id, d.date) for d in driven]
    confirmed = sum(len(ride.bookings) for ride in rows if ride is not None)
    assert confirmed == counts["confirmed"] - counts["given back"]
    return dict(counts)


def test_a_thousand_attempts_of_four_processes_break_no_promise(
    booth: Booth, demo_home: Path
) -> None:
    counts = weather(booth, demo_home, rides=12, attempts=1_000, processes=4)
    assert counts["held"] > 50


@pytest.mark.slow
def test_a_hundred_thousand_attempts_of_eight_processes_break_no_promise(
    booth: Booth, demo_home: Path
) -> None:
    counts = weather(booth, demo_home, rides=200, attempts=100_000, processes=8)
    assert counts["held"] > 500


def _hold_and_die(home: Path, quote: str) -> None:
    booth = open_booth(home)
    booth.hold(booth.person("doomed"), quote)
    os.kill(os.getpid(), signal.SIGKILL)


def test_who_is_killed_between_hold_and_confirm_leaves_nothing_behind(
    booth: Booth, demo_home: Path
) -> None:
    (driven,) = publish(booth, demo_home, 1, random.Random(5))
    p, q, _ = pairs_alone(driven.way)[0]
    quote = booth.quote(driven, p, q)
    doomed = multiprocessing.get_context("spawn").Process(
        target=_hold_and_die, args=(demo_home, quote)
    )
    doomed.start()
    doomed.join(60)
    assert doomed.exitcode == -signal.SIGKILL
    assert booth.seats_taken(driven) == [("held", 1)]
    sweep(booth.desk, now=dt.datetime.now(dt.UTC) + HOLD + dt.timedelta(seconds=1))
    assert booth.seats_taken(driven) == [("expired", 1)]
    assert booth.engaged(driven) == 0
    assert broken_promises(booth.desk, driven.offer.id) == []
