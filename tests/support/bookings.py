"""Offers, riders and quotes of an installation, to book with."""

from __future__ import annotations

import datetime as dt
import itertools
import threading
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import sqlalchemy as sa

from carpool.booked_rides import ride_way
from carpool.bookings import BookingEvent, BookingState
from carpool.compile import compile_offer, pack_body
from carpool.offers import Offer
from carpool.quotes import Quote, sign_quote
from carpool.ride_plans import RideWay, Visit
from core.errors import MobilityError
from core.ids import OfferId
from mobility.actions.book_seats import confirm_seats, hold_seats
from mobility.actions.change_booking import Said, Side, change_booking
from mobility.actions.ride_desk import RideDesk
from mobility.db.engine import read_quote_key
from mobility.db.offers import SqlOfferStore
from mobility.db.rides import SqlRideStore
from mobility.db.schema import booking, engagement, ride
from mobility.db.schema import person as people
from mobility.db.schema import user as users
from mobility.installation import Installation
from mobility.users.scopes import EVERYBODYS, Principal
from mobility.world import Snapshot

T = TypeVar("T")
_dates = itertools.count()
DRIVE_S = 120
"""Rides are at least so long."""


@dataclass(frozen=True)
class Driven:
    """An offer with its driver, and what one date of it may do."""

    offer: Offer
    driver: Principal
    date: dt.date
    way: RideWay


@dataclass(frozen=True)
class Booth:
    """Books on one installation, as the API does."""

    desk: RideDesk
    key: bytes

    @staticmethod
    def of(here: Installation, snapshot: Snapshot) -> Booth:
        with here.engine.connect() as connection:
            key = read_quote_key(connection)
        return Booth(RideDesk(here.engine, here.wakeups, snapshot), key)

    def person(self, name: str) -> Principal:
        """Somebody new who may travel and drive."""
        now = dt.datetime.now(dt.UTC)
        who = Principal(uuid.uuid4(), uuid.uuid4(), uuid.uuid4(), EVERYBODYS)
        alias = f"test:{name}-{who.person_id.hex[:8]}"
        with self.desk.engine.begin() as connection:
            connection.execute(
                people.insert().values(id=who.person_id, alias=alias, created_at=now)
            )
            connection.execute(
                users.insert().values(
                    id=who.user_id, person_id=who.person_id, scopes=sorted(EVERYBODYS),
                    created_at=now,
                )
            )  # fmt: skip
        return who

    def alias(self, who: Principal) -> str:
        with self.desk.engine.connect() as connection:
            query = sa.select(people.c.alias).where(people.c.id == who.person_id)
            return str(connection.execute(query).scalar_one())

    def offer(
        self,
        like: Offer,
        *,
        date: dt.date,
        driver: Principal | None = None,
        window_s: tuple[int, int] = (8 * 3600, 8 * 3600 + 600),
        **changes: Any,
    ) -> Driven:
        """Publish an offer like another one, for one date unless more are said."""
        driver = driver or self.person("driver")
        days = {"valid_to": date, "weekdays": frozenset(like.weekdays) | {_weekday(date)}}
        offer = replace(
            like, id=OfferId(str(uuid.uuid4())), driver=self.alias(driver),
            valid_from=date, depart_from_s=window_s[0], depart_to_s=window_s[1],
            **{**days, **changes},
        )  # fmt: skip
        network = self.desk.snapshot.network
        body = compile_offer(network, offer)
        with self.desk.engine.begin() as connection:
            SqlOfferStore(connection).add_offer(
                offer, self.desk.snapshot.ground_hash, pack_body(body)
            )
        return Driven(offer, driver, date, ride_way(network, offer, body, date))

    def quote(
        self,
        driven: Driven,
        pickup: int,
        dropoff: int,
        *,
        seats: int = 1,
        spare_s: int = 300,
        later_s: int = 0,
    ) -> str:
        """Quote for a ride alone from one candidate to another, as the search would find it."""
        way, points = driven.way, self.desk.snapshot.network.points
        body = way.body
        ride_s = way.between_s(pickup, dropoff)
        assert ride_s is not None
        at_s = way.earliest_s + int(body.from_start_s[pickup]) + later_s
        quote = Quote(
            offer=driven.offer.id, date=driven.date, pickup=points.id[body.point[pickup]],
            dropoff=points.id[body.point[dropoff]], pickup_s=at_s, dropoff_s=at_s + ride_s,
            latest_s=at_s + ride_s + spare_s, seats=seats, price_cents=120, currency="EUR",
        )  # fmt: skip
        return sign_quote(quote, self.key)

    def hold(
        self, rider: Principal, *quotes: str, key: str | None = None, now: dt.datetime | None = None
    ) -> list[Any]:
        return hold_seats(
            self.desk, rider, quotes, self.key, key=key, now=now or dt.datetime.now(dt.UTC)
        )

    def book(self, rider: Principal, *quotes: str) -> list[Any]:
        held = self.hold(rider, *quotes)
        return confirm_seats(self.desk, rider, held[0].id, now=dt.datetime.now(dt.UTC))

    def act(
        self,
        who: Principal,
        side: Side,
        booking_id: uuid.UUID,
        event: BookingEvent,
        *,
        at: dt.datetime | None = None,
        code: str | None = None,
    ) -> Any:
        """Let a rider or a driver act, now or at some other time."""
        when = at or now()
        said = Said(when, code)
        return change_booking(self.desk, who, side, booking_id, event, said, now=when)

    def state(self, booking_id: uuid.UUID) -> BookingState:
        """Where a booking stands."""
        with self.desk.engine.connect() as connection:
            return SqlRideStore(connection).find_booking(booking_id)[0].state

    def seats_taken(self, driven: Driven) -> list[tuple[str, int]]:
        """States and seats of all bookings that a ride ever had."""
        with self.desk.engine.connect() as connection:
            rows = connection.execute(
                sa.select(booking.c.state, booking.c.seats)
                .join(ride, ride.c.id == booking.c.ride_id)
                .where(ride.c.offer_id == uuid.UUID(driven.offer.id))
                .order_by(booking.c.created_at)
            )
            return [(row.state, row.seats) for row in rows]

    def engaged(self, driven: Driven) -> int:
        """How many people are on the way by an offer's rides."""
        with self.desk.engine.connect() as connection:
            return int(
                connection.execute(
                    sa.select(sa.func.count())
                    .select_from(engagement.join(ride, ride.c.id == engagement.c.ride_id))
                    .where(ride.c.offer_id == uuid.UUID(driven.offer.id))
                ).scalar_one()
            )


def pairs_alone(way: RideWay) -> list[tuple[int, int, int]]:
    """
    Candidates of which a rider can be driven from one to another alone, and the extra drive.

    The least first; of those with as much the longest ride, so that a driver who turns back for
    somebody else who goes the same way does not get there in time.
    """
    body, found = way.body, []
    rows = range(body.searched)
    for p in rows:
        for q in rows:
            if body.point[p] == body.point[q] or body.segment[p] > body.segment[q]:
                continue
            hop_s = way.between_s(p, q)
            if hop_s is None:
                continue
            extra_s = int(body.from_start_s[p]) + hop_s + int(body.to_end_s[q]) - body.solo_s
            if extra_s <= body.budget_s and hop_s >= DRIVE_S:
                found.append((extra_s, -hop_s, p, q))
    return [(p, q, extra_s) for extra_s, _, p, q in sorted(found)]


def two_that_exclude_each_other(way: RideWay) -> tuple[tuple[int, int], tuple[int, int]]:
    """Two rides within the driver's budget, each alone, but not one after the other."""
    dear = [(p, q) for p, q, extra_s in pairs_alone(way) if extra_s > way.body.budget_s // 2]
    for first in dear[::7]:
        for second in reversed(dear[::5]):
            visits = []
            for name, (p, q) in (("first", first), ("second", second)):
                at_s = way.earliest_s + int(way.body.from_start_s[p])
                visits += [
                    Visit(name, int(way.body.point[p]), 0, 1, at_s, at_s + 300),
                    Visit(name, int(way.body.point[q]), 0, -1, -(2**62), at_s + 7_200),
                ]
            alone = way.insert((), *visits[:2])
            if (
                alone is not None
                and way.insert((), *visits[2:]) is not None
                and way.insert(alone[0], *visits[2:]) is None
            ):
                return first, second
    raise AssertionError("no two rides of this offer exclude each other")


def at_once(*acts: Callable[[], T]) -> list[T | str]:
    """What acts that begin together return, or the codes of the errors that they raise."""
    together = threading.Barrier(len(acts))
    results: list[Any] = [None] * len(acts)

    def run(row: int) -> None:
        together.wait()
        try:
            results[row] = acts[row]()
        except MobilityError as error:
            results[row] = error.code
        except Exception as error:  # noqa: BLE001 — a test looks at it
            results[row] = f"{type(error).__name__}: {error}"

    threads = [threading.Thread(target=run, args=(row,)) for row in range(len(acts))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def soon() -> dt.date:
    """A day ahead, of nobody else in this process."""
    return dt.datetime.now(dt.UTC).date() + dt.timedelta(days=2 + next(_dates) % 300)


def now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


def first_pair(driven: Driven) -> tuple[int, int]:
    """Pick-up and drop-off of the ride that costs its driver least."""
    p, q, _ = pairs_alone(driven.way)[0]
    return p, q


def outcome(act: Callable[[], T]) -> tuple[T | None, str | None]:
    """What an act returns, and the code of the error that it raises."""
    try:
        return act(), None
    except MobilityError as error:
        return None, error.code


def codes(results: Sequence[Any]) -> list[str]:
    """Codes of what was refused."""
    return sorted(result for result in results if isinstance(result, str))


def _weekday(date: dt.date) -> str:
    return ("mon", "tue", "wed", "thu", "fri", "sat", "sun")[date.weekday()]
