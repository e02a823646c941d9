"""What riders and drivers think of each other: when one may say so, and when it is shown."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from carpool.bookings import Booking, BookingState, BookingStateConflict

BLIND = dt.timedelta(days=7)
"""So long after a ride one may rate it; until then nobody sees what only one side has said."""
PRIOR_STARS, PRIOR_COUNT = 4.5, 5
"""What everybody begins with, as so many ratings: one bad word does not bury a new driver."""
RATED = frozenset(
    {
        BookingState.COMPLETED, BookingState.NO_SHOW_RIDER, BookingState.NO_SHOW_DRIVER,
        BookingState.DISPUTED, BookingState.RESOLVED,
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Score:
    """What is shown of a person's ratings."""

    stars: float | None
    """Mean of the ratings and of what everybody begins with, 1 to 5; None before the first."""
    count: int


UNRATED = Score(None, 0)


def score(total: int, count: int) -> Score:
    """Bayesian mean of `count` ratings that make `total` stars."""
    stars = (total + PRIOR_STARS * PRIOR_COUNT) / (count + PRIOR_COUNT)
    return Score(round(stars, 2), count)


def check_ratable(booking: Booking, now: dt.datetime) -> None:
    """Raise `BookingStateConflict` unless whoever took part may rate the ride now."""
    if booking.state not in RATED:
        raise BookingStateConflict(f"the booking is {booking.state}: there is nothing to rate")
    if now > booking.dropoff_by + BLIND:
        raise BookingStateConflict(f"one may rate for {BLIND.days} days")
