"""
States of a booking, and what leads from one to the next.

Whatever is final stays so; corrections are new entries elsewhere. Two who act at once act one
after the other on a locked ride: the second finds the state that the first has made.
"""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import dataclass
from enum import StrEnum

from carpool.audience import Need
from core.errors import Conflict
from core.geo import Coordinate

HOLD = dt.timedelta(minutes=5)
"""How long a seat is held until its rider confirms."""
ANSWER = dt.timedelta(hours=2)
"""How long a driver may take to answer …"""
ANSWER_BEFORE = dt.timedelta(minutes=30)
"""… and how long before the pick-up he must have."""
LOCKED_BEFORE = dt.timedelta(minutes=20)
"""So long before the first pick-up, whoever books late has to be accepted by the driver himself."""
LATE_ANSWER_BEFORE = dt.timedelta(minutes=5)
"""How long before the pick-up he must have done so, and nobody books any more."""
PICKUP_WINDOW = dt.timedelta(minutes=5)
"""A rider is promised that the car comes within this from the pick-up time on."""
DROPOFF_SLACK = dt.timedelta(minutes=5)
"""How much later than planned a rider may arrive, where he need not catch anything sooner."""
RIDER_LATE = dt.timedelta(minutes=5)
"""After the pick-up window, until the driver may say that the rider did not come."""
DRIVER_LATE = dt.timedelta(minutes=15)
"""After the pick-up window, until the rider may say that the driver did not come."""
OVERDUE = dt.timedelta(minutes=60)
"""After the last planned time, until a ride of which nothing is heard is over."""
COMPLAINT = dt.timedelta(days=7)
"""How long one may complain about a ride."""


class BookingState(StrEnum):
    """Where a booking stands (design of the booking states)."""

    HELD = "held"
    PENDING_DRIVER = "pending_driver"
    CONFIRMED = "confirmed"
    CHANGE_PROPOSED = "change_proposed"
    BOARDED = "boarded"
    COMPLETED = "completed"
    EXPIRED = "expired"
    DECLINED = "declined"
    CANCELLED_RIDER = "cancelled_rider"
    CANCELLED_DRIVER = "cancelled_driver"
    NO_SHOW_RIDER = "no_show_rider"
    NO_SHOW_DRIVER = "no_show_driver"
    DISPUTED = "disputed"
    RESOLVED = "resolved"


class BookingEvent(StrEnum):
    """What happens to a booking."""

    CONFIRM = "confirm"
    """The rider takes the seat that is held, on an offer that accepts by itself."""
    REQUEST = "request"
    """The same where the driver is asked."""
    EXPIRE = "expire"
    ACCEPT = "accept"
    DECLINE = "decline"
    CANCEL_RIDER = "cancel_rider"
    CANCEL_DRIVER = "cancel_driver"
    PROPOSE_CHANGE = "propose_change"
    ACCEPT_CHANGE = "accept_change"
    REFUSE_CHANGE = "refuse_change"
    BOARD = "board"
    COMPLETE = "complete"
    NO_SHOW_RIDER = "no_show_rider"
    NO_SHOW_DRIVER = "no_show_driver"
    COMPLAIN = "complain"
    RESOLVE = "resolve"


class RideState(StrEnum):
    """Where a dated ride stands. Locked is not a state: it follows from the time."""

    SCHEDULED = "scheduled"
    EN_ROUTE = "en_route"
    COMPLETED = "completed"
    CANCELLED = "cancelled"
    ABORTED = "aborted"
    NOT_RUN = "not_run"


class BookingStateConflict(Conflict):
    """The booking is in a state in which this cannot happen."""

    code = "booking_state"


S, E = BookingState, BookingEvent
NEXT: dict[tuple[BookingState, BookingEvent], BookingState] = {
    (S.HELD, E.CONFIRM): S.CONFIRMED,
    (S.HELD, E.REQUEST): S.PENDING_DRIVER,
    (S.HELD, E.EXPIRE): S.EXPIRED,
    (S.HELD, E.CANCEL_RIDER): S.CANCELLED_RIDER,
    (S.HELD, E.CANCEL_DRIVER): S.CANCELLED_DRIVER,
    (S.PENDING_DRIVER, E.ACCEPT): S.CONFIRMED,
    (S.PENDING_DRIVER, E.DECLINE): S.DECLINED,
    (S.PENDING_DRIVER, E.EXPIRE): S.EXPIRED,
    (S.PENDING_DRIVER, E.CANCEL_RIDER): S.CANCELLED_RIDER,
    (S.PENDING_DRIVER, E.CANCEL_DRIVER): S.CANCELLED_DRIVER,
    (S.CONFIRMED, E.CANCEL_RIDER): S.CANCELLED_RIDER,
    (S.CONFIRMED, E.CANCEL_DRIVER): S.CANCELLED_DRIVER,
    (S.CONFIRMED, E.PROPOSE_CHANGE): S.CHANGE_PROPOSED,
    (S.CONFIRMED, E.BOARD): S.BOARDED,
    (S.CONFIRMED, E.NO_SHOW_RIDER): S.NO_SHOW_RIDER,
    (S.CONFIRMED, E.NO_SHOW_DRIVER): S.NO_SHOW_DRIVER,
    (S.CHANGE_PROPOSED, E.PROPOSE_CHANGE): S.CHANGE_PROPOSED,  # later still
    (S.CHANGE_PROPOSED, E.ACCEPT_CHANGE): S.CONFIRMED,
    (S.CHANGE_PROPOSED, E.REFUSE_CHANGE): S.CANCELLED_DRIVER,
    (S.CHANGE_PROPOSED, E.EXPIRE): S.CANCELLED_DRIVER,
    (S.CHANGE_PROPOSED, E.CANCEL_RIDER): S.CANCELLED_RIDER,
    (S.CHANGE_PROPOSED, E.CANCEL_DRIVER): S.CANCELLED_DRIVER,
    (S.CHANGE_PROPOSED, E.BOARD): S.BOARDED,  # getting in is an answer
    (S.CHANGE_PROPOSED, E.NO_SHOW_RIDER): S.NO_SHOW_RIDER,
    (S.CHANGE_PROPOSED, E.NO_SHOW_DRIVER): S.NO_SHOW_DRIVER,
    (S.BOARDED, E.COMPLETE): S.COMPLETED,
    (S.BOARDED, E.CANCEL_DRIVER): S.CANCELLED_DRIVER,  # the car breaks down
    (S.COMPLETED, E.COMPLAIN): S.DISPUTED,
    (S.NO_SHOW_RIDER, E.COMPLAIN): S.DISPUTED,
    (S.NO_SHOW_DRIVER, E.COMPLAIN): S.DISPUTED,
    (S.CANCELLED_DRIVER, E.COMPLAIN): S.DISPUTED,  # as of a ride that did not run
    (S.DISPUTED, E.RESOLVE): S.RESOLVED,
}
SEATED = frozenset({S.HELD, S.PENDING_DRIVER, S.CONFIRMED, S.CHANGE_PROPOSED, S.BOARDED})
"""Those that take seats on the ride, and its rider's time."""
WAITING = frozenset({S.HELD, S.PENDING_DRIVER, S.CHANGE_PROPOSED})
"""Those that end by themselves when nobody answers in time."""
BEFORE_CONFIRMED = frozenset({S.HELD, S.PENDING_DRIVER})


def next_state(state: BookingState, event: BookingEvent) -> BookingState:
    """State that an event leads to; raises `BookingStateConflict` where it cannot happen."""
    found = NEXT.get((state, event))
    if found is None:
        raise BookingStateConflict(f"the booking is {state}: {event} is not possible any more")
    return found


def answer_until(
    pickup_at: dt.datetime, first_pickup_at: dt.datetime, now: dt.datetime
) -> dt.datetime:
    """Until when a driver may accept whoever asks now."""
    if locked(first_pickup_at, now) or now > pickup_at - ANSWER_BEFORE:
        return pickup_at - LATE_ANSWER_BEFORE
    return min(now + ANSWER, pickup_at - ANSWER_BEFORE)


def locked(first_pickup_at: dt.datetime, now: dt.datetime) -> bool:
    """Whether it is too late to book without the driver's own word."""
    return now > first_pickup_at - LOCKED_BEFORE


@dataclass(frozen=True, slots=True)
class Booking:
    """Seats of one rider on one dated ride, and what he was promised."""

    id: uuid.UUID
    ride_id: uuid.UUID
    rider_id: uuid.UUID
    together_id: uuid.UUID
    """The same for the rides of one journey: they are held together."""
    state: BookingState
    seats: int
    pickup_point: str
    dropoff_point: str
    """Meeting points; where the driver comes to the door, those that stand for it."""
    pickup_from: dt.datetime
    pickup_to: dt.datetime
    """The car comes between these."""
    dropoff_by: dt.datetime
    """The rider must be there by then."""
    price_cents: int | None
    currency: str
    code: str
    """What the rider tells the driver when getting in."""
    until: dt.datetime | None
    """When it ends by itself, unless somebody answers."""
    created_at: dt.datetime
    needs: frozenset[Need] = frozenset()
    """What the rider brings along."""
    quoted_late_s: int = 0
    """By how much the ride was late when it was booked: its times have that in them."""
    told_late_s: int = 0
    """The delay of which its rider was told last."""
    pickup_door: Coordinate | None = None
    dropoff_door: Coordinate | None = None
    """
    Where the driver comes to the door: for the rider to see, and for the driver while it is sure
    that he takes the rider along.
    """
    late_s: int = 0
    """By how much its ride is late."""

    @property
    def takes_seats(self) -> bool:
        """Whether the ride has its visits."""
        return self.state in SEATED
