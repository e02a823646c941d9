"""Offers and bookings driven through valid and invalid events; what must hold after each."""

from __future__ import annotations

import datetime as dt
import itertools
import uuid
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import ClassVar

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from carpool.bookings import NEXT, BookingEvent, BookingState
from carpool.compile import compile_offer, pack_body
from carpool.offers import Acceptance, Offer, OfferState
from mobility.actions.book_seats import confirm_seats
from mobility.actions.change_booking import EVENTS, Said, Side, change_booking, sweep
from mobility.actions.run_ride import be_late, cancel_ride, end_ride, start_ride
from mobility.db.offers import SqlOfferStore
from mobility.db.rides import SqlRideStore
from mobility.users.scopes import Principal
from tests.support.booking_storm import broken_promises
from tests.support.bookings import Booth, Driven, outcome, pairs_alone

RIDER_COUNT = 3
_dates = itertools.count()


@dataclass
class Known:
    """An offer, and what the test knows of it."""

    driven: Driven
    pairs: list[tuple[int, int, int]]
    version: int = 1
    open: bool = True
    bookings: list[uuid.UUID] = field(default_factory=list)


LIKELY = (
    (BookingEvent.ACCEPT, Side.DRIVER),
    (BookingEvent.BOARD, Side.DRIVER),
    (BookingEvent.COMPLETE, Side.DRIVER),
    (BookingEvent.CANCEL_RIDER, Side.RIDER),
)
Made = tuple[Known, Principal, uuid.UUID]
rows = st.integers(0, 10**6)


class Bookings(RuleBasedStateMachine):
    """A few riders and drivers who do whatever comes to their minds."""

    booth: ClassVar[Booth]
    like: ClassVar[Offer]
    came: ClassVar[Counter[str]] = Counter()
    """How often something was held, and how often promises were looked at."""

    def __init__(self) -> None:
        super().__init__()
        self.now = dt.datetime.now(dt.UTC)
        # Dates of their own: the machine runs many times on one database.
        self.date = self.now.date() + dt.timedelta(days=1_000 + next(_dates))
        self.known: list[Known] = []
        self.made: list[Made] = []
        self.came_here = 0
        """How often something was held in this run: only then does its day come."""
        self.seen: dict[uuid.UUID, BookingState] = {}

    @initialize(acceptance=st.sampled_from(Acceptance), pairs=st.tuples(*[st.integers(0, 20)] * 3))
    def people_come(self, acceptance: Acceptance, pairs: tuple[int, ...]) -> None:
        """Every run begins with a ride on which some sit already."""
        self.riders = [self.booth.person("machine") for _ in range(RIDER_COUNT)]
        ride = self.publish(seats=3, acceptance=acceptance, hour=8)
        for rider, pair in enumerate(pairs):
            self.ask(ride, rider, pair, 0, 1)
        for booking in self.made:
            self.confirm_one(booking)

    @rule(
        seats=st.integers(1, 3),
        acceptance=st.sampled_from(Acceptance),
        hour=st.integers(6, 9),
    )
    def also_publish(self, seats: int, acceptance: Acceptance, hour: int) -> None:
        self.publish(seats, acceptance, hour)

    def publish(self, seats: int, acceptance: Acceptance, hour: int) -> Known:
        driven = self.booth.offer(
            self.like, date=self.date, window_s=(hour * 3600, hour * 3600 + 900),
            seat_count=seats, acceptance=acceptance, detour_budget_s=900,
        )  # fmt: skip
        known = Known(driven, pairs_alone(driven.way)[:100])
        self.known.append(known)
        return known

    @rule(
        row=rows,
        rider=st.integers(0, RIDER_COUNT - 1),
        pair=st.integers(0, 10**6),
        later_s=st.integers(0, 900),
        seats=st.integers(1, 2),
    )
    def hold(self, row: int, rider: int, pair: int, later_s: int, seats: int) -> None:
        self.ask(self.known[row % len(self.known)], rider, pair, later_s, seats)

    def ask(self, ride: Known, rider: int, pair: int, later_s: int, seats: int) -> None:
        p, q, _ = ride.pairs[pair % len(ride.pairs)]
        quote = self.booth.quote(ride.driven, p, q, seats=seats, later_s=later_s)
        held, code = outcome(lambda: self.booth.hold(self.riders[rider], quote, now=self.now))
        if held is None:
            assert code in {"ride_not_free", "already_on_the_way", "too_late"}
            return
        assert ride.open, "nobody books what is paused"
        self.came["held"] += 1
        self.came_here += 1
        ride.bookings.append(held[0].id)
        self.made.append((ride, self.riders[rider], held[0].id))

    @precondition(lambda self: self.made)
    @rule(row=rows)
    def confirm(self, row: int) -> None:
        self.confirm_one(self.made[row % len(self.made)])

    def confirm_one(self, booking: Made) -> None:
        _, rider, booking_id = booking
        state, until = self._state(booking_id)
        may = state is BookingState.HELD and (until is None or until > self.now)
        self.came["confirm"] += may
        self._expect(may, lambda: confirm_seats(self.booth.desk, rider, booking_id, now=self.now))

    @precondition(lambda self: self.made)
    @rule(row=rows, event=st.sampled_from(BookingEvent), side=st.sampled_from(Side))
    def something_happens(self, row: int, event: BookingEvent, side: Side) -> None:
        self.happen(self.made[row % len(self.made)], event, side)

    def happen(self, booking: Made, event: BookingEvent, side: Side) -> None:
        ride, rider, booking_id = booking
        who = rider if side is Side.RIDER else ride.driven.driver
        state, until = self._state(booking_id)
        may = event in EVENTS[side] and (state, event) in NEXT
        may &= until is None or until > self.now
        with self.booth.desk.engine.connect() as connection:
            code = SqlRideStore(connection).find_booking(booking_id)[0].code
        act = lambda: change_booking(  # noqa: E731
            self.booth.desk, who, side, booking_id, event, Said(self.now, code), now=self.now
        )
        if not may:
            self._expect(False, act)
            return
        after, refusal = outcome(act)
        if after is None:
            assert refusal in {"too_soon", "booking_state"}
        else:
            assert after.state is NEXT[state, event]
            self.came[event] += 1

    @precondition(lambda self: self.made)
    @rule(row=rows, does=st.sampled_from(LIKELY))
    def go_on(self, row: int, does: tuple[BookingEvent, Side]) -> None:
        self.happen(self.made[row % len(self.made)], *does)

    @rule(row=rows, what=st.sampled_from(("start", "end", "cancel", "late")))
    def drive(self, row: int, what: str) -> None:
        ride = self.known[row % len(self.known)]
        with self.booth.desk.engine.connect() as connection:
            store = SqlRideStore(connection)
            found = store.find_ride(ride.driven.offer.id, self.date)
        if found is None:
            return
        ride_id, desk, driver = found.id, self.booth.desk, ride.driven.driver
        acts: dict[str, Callable[[], object]] = {
            "start": lambda: start_ride(desk, driver, ride_id, now=self.now),
            "end": lambda: end_ride(desk, driver, ride_id, now=self.now),
            "cancel": lambda: cancel_ride(desk, driver, ride_id, now=self.now),
            "late": lambda: be_late(desk, driver, ride_id, 600, now=self.now),
        }
        _, code = outcome(acts[what])
        assert code in {None, "booking_state", "too_soon"}

    @rule(row=rows, seats=st.integers(1, 3), later_s=st.sampled_from((0, 1_800)))
    def edit(self, row: int, seats: int, later_s: int) -> None:
        ride = self.known[row % len(self.known)]
        old = ride.driven.offer
        offer = replace(
            old, seat_count=seats, depart_from_s=old.depart_from_s + later_s,
            depart_to_s=old.depart_to_s + later_s,
        )  # fmt: skip
        desk = self.booth.desk
        body = pack_body(compile_offer(desk.snapshot.network, offer))
        with desk.engine.begin() as connection:
            SqlOfferStore(connection).replace_offer(
                offer, ride.version, desk.snapshot.ground_hash, body
            )
        ride.version += 1

    @precondition(lambda self: self.came_here >= 2)
    @rule(row=rows)
    def pause_or_resume(self, row: int) -> None:
        ride = self.known[row % len(self.known)]
        ride.open = not ride.open
        state = OfferState.PUBLISHED if ride.open else OfferState.PAUSED
        with self.booth.desk.engine.begin() as connection:
            SqlOfferStore(connection).change_state(ride.driven.offer.id, state)

    @rule(minutes=st.sampled_from((1, 6, 130)), sweeps=st.booleans())
    def time_passes(self, minutes: int, sweeps: bool) -> None:
        self.now += dt.timedelta(minutes=minutes)
        if sweeps:
            sweep(self.booth.desk, now=self.now)

    @precondition(lambda self: self.came_here >= 2)
    @rule(hour=st.integers(5, 12))
    def the_day_comes(self, hour: int) -> None:
        day = dt.datetime.combine(self.date, dt.time(hour), tzinfo=dt.UTC)
        self.now = max(self.now, day)

    @invariant()
    def every_promise_is_kept(self) -> None:
        offers = [known.driven.offer.id for known in self.known]
        if offers:
            self.came["checked"] += 1
            assert broken_promises(self.booth.desk, *offers) == []

    @invariant()
    def what_is_final_stays(self) -> None:
        final = {state for state in BookingState if not any(s is state for s, _ in NEXT)}
        for known in self.known:
            for booking_id in known.bookings:
                state, _ = self._state(booking_id)
                before = self.seen.get(booking_id)
                assert before not in final or state is before
                self.seen[booking_id] = state

    def _state(self, booking_id: uuid.UUID) -> tuple[BookingState, dt.datetime | None]:
        with self.booth.desk.engine.connect() as connection:
            found, _ = SqlRideStore(connection).find_booking(booking_id)
        return found.state, found.until

    def _expect(self, may: bool, act: Callable[[], object]) -> None:
        _, code = outcome(act)
        assert may == (code is None), code


def test_whatever_people_do_every_promise_is_kept(booth: Booth, like: Offer) -> None:
    Bookings.booth, Bookings.like = booth, like
    Bookings.came.clear()
    run_state_machine_as_test(
        Bookings,
        settings=settings(
            max_examples=25, stateful_step_count=30, deadline=None, derandomize=True,
            database=None, suppress_health_check=list(HealthCheck),
        ),
    )  # fmt: skip
    # Or else it finds nothing: what it does is the same each time.
    assert Bookings.came["held"] >= 40
    assert Bookings.came["confirm"] >= 25
    assert Bookings.came[BookingEvent.CANCEL_RIDER] >= 5
    assert Bookings.came[BookingEvent.BOARD] >= 1
    assert Bookings.came["checked"] >= 300
