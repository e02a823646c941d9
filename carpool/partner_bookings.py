"""Statuses of bookings between two carpool operators, as the Standard Covoiturage has them."""

from __future__ import annotations

from enum import StrEnum

from carpool.bookings import BookingState, BookingStateConflict
from core.errors import Conflict


class Status(StrEnum):
    """Where a booking between two operators stands."""

    WAITING_CONFIRMATION = "WAITING_CONFIRMATION"
    CONFIRMED = "CONFIRMED"
    CANCELLED = "CANCELLED"
    COMPLETED_PENDING_VALIDATION = "COMPLETED_PENDING_VALIDATION"
    VALIDATED = "VALIDATED"


class Kind(StrEnum):
    """How a booking between two operators came about."""

    SEAT = "seat"
    """Their rider has a seat in a car of ours: states and seats are those of our own booking."""
    ASKED = "asked"
    """A driver of theirs would take our rider, who answers."""
    TOLD = "told"
    """Our rider has booked there, and they tell."""


class StatusAlreadySet(Conflict):
    """The booking has the status that is asked for."""

    code = "status_already_set"


SAID_BY_OPERATOR = frozenset({Status.COMPLETED_PENDING_VALIDATION, Status.VALIDATED})
"""What an operator says of a ride that is over; our own evidence of it is another matter."""
STATUS_OF = {
    BookingState.HELD: Status.WAITING_CONFIRMATION,
    BookingState.PENDING_DRIVER: Status.WAITING_CONFIRMATION,
    BookingState.CONFIRMED: Status.CONFIRMED,
    BookingState.CHANGE_PROPOSED: Status.CONFIRMED,
    BookingState.BOARDED: Status.CONFIRMED,
    BookingState.COMPLETED: Status.COMPLETED_PENDING_VALIDATION,
}
"""Every other state is a cancelled booking to others."""
STEPS = {
    Status.WAITING_CONFIRMATION: frozenset(Status) - {Status.WAITING_CONFIRMATION},
    Status.CONFIRMED: SAID_BY_OPERATOR | {Status.CANCELLED},
    Status.COMPLETED_PENDING_VALIDATION: frozenset({Status.VALIDATED}),
    Status.CANCELLED: frozenset[Status](),
    Status.VALIDATED: frozenset[Status](),
}


def status_of(state: BookingState, said: Status | None) -> Status:
    """Status of our own booking, with what the other operator has said of the ride."""
    return said or STATUS_OF.get(state, Status.CANCELLED)


def check_step(before: Status, after: Status) -> None:
    """
    Raise unless a booking may go from one status to another.

    Raises
    ------
    StatusAlreadySet, BookingStateConflict
        It has this status already; it is over, or cannot go back.
    """
    if before is after:
        raise StatusAlreadySet(f"the booking is {before} already")
    if after not in STEPS[before]:
        raise BookingStateConflict(f"the booking is {before}: it cannot become {after} any more")
