"""
Rides of which the start and the end are told apart → fare legs.

Pure: whichever half comes first, and however often each comes, they give the same leg.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace
from enum import StrEnum

from core.errors import InvalidInput
from payments.tariff import FareLeg

LONGEST = dt.timedelta(hours=48)
"""A ride that takes longer has no end: nobody knows any more by then whose start it was."""
FACTS = ("medium", "mode", "route", "operator")
"""What both halves may tell; what only one of them tells is true of the ride."""


class RideContradictory(InvalidInput):
    """The start or the end of a ride that cannot be true with what was told of it before."""

    code = "ride_contradictory"


class Half(StrEnum):
    """Which half of a ride."""

    START = "start"
    END = "end"


@dataclass(frozen=True, slots=True)
class RideHalf:
    """The start or the end of a ride, as an event told it."""

    id: str
    """Of the event: the same has the same."""
    ride: str
    """Of the ride: both halves have the same."""
    half: Half
    medium: bytes
    """Digest of the card's number."""
    at: dt.datetime
    mode: str
    """Of an end that does not tell it: empty."""
    route: str = ""
    operator: str = ""
    metres: int = 0
    zones: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RideHalves:
    """What is known of a ride."""

    start: RideHalf | None = None
    end: RideHalf | None = None

    def with_half(self, told: RideHalf) -> RideHalves:
        """
        Know a half as well; the same object if it was known before.

        Raises
        ------
        RideContradictory
            It cannot be true with what is known, which stays as it is.
        """
        known = self.start if told.half is Half.START else self.end
        if known is None:
            halves = replace(self, **{told.half: told})
            halves.leg()
            return halves
        if known.id != told.id and replace(known, id=told.id) != told:
            raise RideContradictory(f"another {told.half} of this ride was told before")
        return self

    def leg(self) -> FareLeg | None:
        """
        Leg of the ride; of one that is under way there is none.

        Raises
        ------
        RideContradictory
            The halves are not of one ride.
        """
        start, end = self.start, self.end
        if start is None or end is None:
            return None
        if end.at < start.at:
            raise RideContradictory("the ride ends before it starts")
        if end.at - start.at > LONGEST:
            raise RideContradictory("the ride ends more than 48 hours after it starts")
        both = {name: (getattr(start, name), getattr(end, name)) for name in FACTS}
        unlike = [name for name, (one, other) in both.items() if one and other and one != other]
        if unlike:
            raise RideContradictory(f"start and end of the ride differ in {', '.join(unlike)}")
        return FareLeg(
            start.mode, start.at, end.metres, int((end.at - start.at).total_seconds()), end.zones,
            start.operator or end.operator, start.route or end.route, f"ride:{start.ride}",
        )  # fmt: skip
