"""
Many processes that book, confirm and cancel at random on a few rides; then what must hold.

    python -m tests.support.booking_storm HOME --rides 200 --processes 8 --attempts 100000
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import multiprocessing
import random
import time
import uuid
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from carpool.booked_rides import ride_way, visits_of
from carpool.bookings import BEFORE_CONFIRMED, SEATED, BookingEvent, RideState
from carpool.compile import compile_offer
from carpool.offers import parse_offer
from core.errors import MobilityError
from core.ids import OfferId
from mobility.actions.book_seats import confirm_seats
from mobility.actions.change_booking import Said, Side, change_booking, sweep
from mobility.actions.ride_desk import RideDesk
from mobility.db.rides import SqlRideStore
from mobility.db.schema import booking, engagement, ride
from mobility.installation import open_installation
from mobility.settings import Settings
from mobility.users.scopes import Principal
from mobility.world import open_snapshot
from tests.support.bookings import Booth, Driven, pairs_alone

DAYS_AHEAD = 400
RIDERS_PER_PROCESS = 40
PAIRS = 200


def open_booth(home: Path) -> Booth:
    here = open_installation(Settings(home=home))
    return Booth.of(here, open_snapshot(here.snapshot_folder))


def publish(booth: Booth, home: Path, count: int, dice: random.Random) -> list[Driven]:
    """Offers like the demo's, of other drivers, ten on each of some days ahead."""
    offers = json.loads((home / "demo" / "offers.json").read_text(encoding="utf-8"))
    today = dt.datetime.now(dt.UTC).date()
    found = []
    for number in range(count):
        like = parse_offer(dice.choice(offers), OfferId(str(uuid.uuid4())))
        date = today + dt.timedelta(days=DAYS_AHEAD + number // 10)
        start_s = dice.randrange(6 * 3600, 9 * 3600)
        changes = {"seat_count": dice.randint(1, 4), "detour_budget_s": 900}
        found.append(booth.offer(like, date=date, window_s=(start_s, start_s + 600), **changes))
    return found


def book_at_random(
    home: Path, offers: Sequence[tuple[str, dt.date]], attempts: int, seed: int
) -> tuple[Counter[str], list[float]]:
    """What came of so many attempts, and how long those took that held a seat or were refused."""
    booth, dice = open_booth(home), random.Random(seed)
    driven = [read_driven(booth, offer_id, date) for offer_id, date in offers]
    pairs = [dice.sample(p, min(len(p), PAIRS)) for p in (pairs_alone(d.way) for d in driven)]
    riders = [booth.person(f"storm{seed}") for _ in range(RIDERS_PER_PROCESS)]
    counts: Counter[str] = Counter()
    took_s = []
    mine: list[tuple[Principal, Any, bool]] = []
    for _ in range(attempts):
        row = dice.randrange(len(driven))
        p, q, _ = dice.choice(pairs[row])
        seats = dice.choice((1, 1, 1, 2))
        quote = booth.quote(
            driven[row], p, q, seats=seats, spare_s=dice.choice((60, 300, 300)),
            later_s=dice.randrange(600),
        )  # fmt: skip
        rider = dice.choice(riders)
        began_s = time.perf_counter()
        try:
            held = booth.hold(rider, quote)
        except MobilityError as error:
            counts[error.code] += 1
        else:
            counts["held"] += 1
            mine.append((rider, held[0], False))
        took_s.append(time.perf_counter() - began_s)
        if mine and dice.random() < 0.8:
            of, booking, is_confirmed = mine.pop(dice.randrange(len(mine)))
            came = _go_on(booth, of, booking, confirms=not is_confirmed and dice.random() < 0.6)
            counts["given back" if came == "cancelled" and is_confirmed else came] += 1
            if came == "confirmed":
                mine.append((of, booking, True))
    return counts, took_s


def _go_on(booth: Booth, rider: Principal, held: Any, *, confirms: bool) -> str:
    now = dt.datetime.now(dt.UTC)
    try:
        if confirms:
            confirm_seats(booth.desk, rider, held.id, now=now)
        else:
            event, said = BookingEvent.CANCEL_RIDER, Said(now)
            change_booking(booth.desk, rider, Side.RIDER, held.id, event, said, now=now)
    except MobilityError as error:
        return f"{error.code} later"
    return "confirmed" if confirms else "cancelled"


def read_driven(booth: Booth, offer_id: str, date: dt.date) -> Driven:
    """An offer that another process has published, as one date of it runs."""
    with booth.desk.engine.connect() as connection:
        found = SqlRideStore(connection).read_offer(OfferId(offer_id))
    assert found is not None
    network = booth.desk.snapshot.network
    way = ride_way(network, found[0], compile_offer(network, found[0]), date)
    return Driven(found[0], None, date, way)  # type: ignore[arg-type]


def storm(
    home: Path, driven: Sequence[Driven], *, processes: int, attempts: int, seed: int = 1
) -> tuple[Counter[str], list[float]]:
    """Attempts of several processes together."""
    offers = [(d.offer.id, d.date) for d in driven]
    each = attempts // processes
    with multiprocessing.get_context("spawn").Pool(processes) as pool:
        tasks = [(home, offers, each, seed + number) for number in range(processes)]
        results = pool.starmap(book_at_random, tasks)
    counts = sum((found for found, _ in results), Counter())
    return counts, sorted(seconds for _, times in results for seconds in times)


def broken_promises(desk: RideDesk, *offers: str) -> list[str]:
    """All that does not hold of the rides and bookings of an installation, or of some offers."""
    wrong: list[str] = []
    with desk.engine.connect() as connection:
        store = SqlRideStore(connection)
        query = sa.select(ride.c.id)
        if offers:
            query = query.where(ride.c.offer_id.in_([uuid.UUID(offer) for offer in offers]))
        for ride_id in connection.execute(query).scalars().all():
            wrong += _broken_on_ride(desk, store, connection, ride_id)
        wrong += _people_in_two_cars(connection)
    return wrong


def _broken_on_ride(
    desk: RideDesk, store: SqlRideStore, connection: sa.Connection, ride_id: uuid.UUID
) -> list[str]:
    stored, wrong = store.read_ride(ride_id), []
    taken, planned = {b.id for b in stored.bookings}, [v.booking for v in stored.plan]
    if sorted(planned) != sorted([*taken, *taken]):
        wrong.append(f"ride {ride_id}: plan and bookings are not of the same people")
        return wrong
    aboard = 0
    for visit in stored.plan:
        own = stored.booking(visit.booking)
        aboard += own.seats if visit.is_pickup else -own.seats
        if not 0 <= aboard <= stored.offer.seat_count:
            wrong.append(f"ride {ride_id}: {aboard} of {stored.offer.seat_count} seats taken")
        at = visit.at + dt.timedelta(seconds=own.quoted_late_s)
        on_time = own.pickup_from <= at <= own.pickup_to
        if not (on_time if visit.is_pickup else at <= own.dropoff_by):
            wrong.append(f"ride {ride_id}: the promise of {own.id} is broken")
    people = connection.execute(
        sa.select(engagement.c.person_id).where(engagement.c.ride_id == ride_id)
    ).scalars()
    expected = {b.rider_id for b in stored.bookings}
    if expected:
        expected.add(stored.driver_id)
    if set(people) != expected:
        wrong.append(f"ride {ride_id}: its people are not those who are on the way")
    if stored.bookings and stored.state in {RideState.SCHEDULED, RideState.EN_ROUTE}:
        body = desk.body_of(connection, stored.offer, stored.offer_version)
        network = desk.snapshot.network
        way = ride_way(network, stored.offer, body, stored.date)
        visits = visits_of(network, stored)
        if visits is None or way.schedule(visits) is None:
            wrong.append(f"ride {ride_id}: its plan cannot be driven")
    elif stored.bookings:
        wrong.append(f"ride {ride_id} is {stored.state} with seats taken")
    return wrong


def _people_in_two_cars(connection: sa.Connection) -> list[str]:
    rows = connection.execute(
        sa.select(booking.c.rider_id, booking.c.pickup_from, booking.c.dropoff_by)
        .where(booking.c.state.in_([str(state) for state in SEATED]))
        .order_by(booking.c.rider_id, booking.c.pickup_from)
    ).all()
    return [
        f"{a.rider_id} sits in two cars"
        for a, b in zip(rows, rows[1:], strict=False)
        if a.rider_id == b.rider_id and b.pickup_from < a.dropoff_by
    ]


def left_waiting(desk: RideDesk, now: dt.datetime) -> int:
    """Bookings that nobody confirmed and that should be over by now."""
    with desk.engine.connect() as connection:
        states = [str(state) for state in BEFORE_CONFIRMED]
        query = sa.select(sa.func.count()).where(booking.c.state.in_(states))
        return int(connection.execute(query.where(booking.c.until <= now)).scalar_one())


def main() -> None:
    """Storm a home, print what came of it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("home", type=Path)
    parser.add_argument("--rides", type=int, default=200)
    parser.add_argument("--processes", type=int, default=8)
    parser.add_argument("--attempts", type=int, default=100_000)
    given = parser.parse_args()
    booth, dice = open_booth(given.home), random.Random(7)
    driven = publish(booth, given.home, given.rides, dice)
    began_s = time.perf_counter()
    counts, took_s = storm(given.home, driven, processes=given.processes, attempts=given.attempts)
    later = dt.datetime.now(dt.UTC) + dt.timedelta(minutes=6)
    while sweep(booth.desk, now=later):
        pass
    print(
        json.dumps(
            {
                "attempts": len(took_s),
                "seconds": round(time.perf_counter() - began_s, 1),
                "counts": dict(counts.most_common()),
                "p50_ms": round(1000 * took_s[len(took_s) // 2], 1),
                "p95_ms": round(1000 * took_s[len(took_s) * 95 // 100], 1),
                "confirmed": int(counts["confirmed"]),
                "left_waiting": left_waiting(booth.desk, later),
                "broken": broken_promises(booth.desk),
            },
            indent=2,
        )
    )


if __name__ == "__main__":
    main()
