"""
Who may ride with whom, and what a car takes: one rule for searches, matches and bookings.

An offer is for everyone or for a circle: women among themselves, verified people among themselves,
a community. Whoever offers to a circle belongs to it, so that a rider who wants to travel within it
learns of nobody more than what an offer says of itself.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

import numpy as np
import numpy.typing as npt

from core.errors import InvalidInput, NotAllowed

Bools = npt.NDArray[np.bool_]


class Audience(StrEnum):
    """To whom an offer is made, and with whom a rider travels."""

    EVERYONE = "everyone"
    WOMEN = "women"
    VERIFIED = "verified"
    COMMUNITY = "community"


class Need(StrEnum):
    """What a rider brings along, and what a car has room for."""

    SMALL_LUGGAGE = "small_luggage"
    LARGE_LUGGAGE = "large_luggage"
    BIKE = "bike"
    CHILD_SEAT = "child_seat"
    """Of a rider: a child who must sit in one; of a car: one that is there."""
    WHEELCHAIR = "wheelchair"


ONE_OF_EACH = frozenset({Need.BIKE, Need.CHILD_SEAT, Need.WHEELCHAIR})
"""A car that takes these takes one: whoever comes later finds it taken."""


class NotInAudience(NotAllowed):
    """An offer, or a search, for people to whom one does not belong."""

    code = "not_in_audience"


@dataclass(frozen=True, slots=True)
class Circle:
    """An audience; of a community, which."""

    audience: Audience = Audience.EVERYONE
    community: uuid.UUID | None = None

    def __post_init__(self) -> None:
        if (self.audience is Audience.COMMUNITY) != (self.community is not None):
            raise InvalidInput("community: the id of one with the audience community, else none")


EVERYONE = Circle()


@dataclass(frozen=True, slots=True)
class Person:
    """What decides with whom somebody rides; of whoever is not signed in, nothing."""

    is_woman: bool = False
    """As she says herself; shown to nobody."""
    is_verified: bool = False
    communities: frozenset[uuid.UUID] = field(default_factory=frozenset)
    apart: frozenset[uuid.UUID] = field(default_factory=frozenset)
    """People who do not ride with this one, whoever of the two has said so."""

    def belongs(self, circle: Circle) -> bool:
        """Whether one is among those to whom an offer is made."""
        match circle.audience:
            case Audience.EVERYONE:
                return True
            case Audience.WOMEN:
                return self.is_woman
            case Audience.VERIFIED:
                return self.is_verified
            case Audience.COMMUNITY:
                return circle.community in self.communities

    def require(self, circle: Circle) -> None:
        """Raise `NotInAudience` if one does not belong."""
        if not self.belongs(circle):
            raise NotInAudience(f"this is for {circle.audience}: you are not known to belong to it")


NOBODY = Person()


@dataclass(frozen=True, slots=True)
class Seeker:
    """Whoever looks for a ride, what he brings, and within which circle he wants to travel."""

    person: Person = NOBODY
    needs: frozenset[Need] = field(default_factory=frozenset)
    circle: Circle = EVERYONE

    def fits(self, circle: Circle) -> bool:
        """Whether an offer to a circle is for him, and one that he wants."""
        wanted = self.circle in (EVERYONE, circle)
        return wanted and self.person.belongs(circle)


ANYBODY = Seeker()


class Terms(Protocol):
    """What an offer says of its riders."""

    @property
    def circle(self) -> Circle:
        """To whom it is made."""

    @property
    def takes(self) -> frozenset[Need]:
        """What the car has room for."""


def may_ride(seeker: Seeker, offer: Terms, driver_id: uuid.UUID | None) -> bool:
    """Whether a rider is shown an offer, and may book it."""
    return (
        seeker.fits(offer.circle)
        and seeker.needs <= carried(offer.takes)
        and driver_id not in seeker.person.apart
    )


def carried(takes: Collection[Need]) -> frozenset[Need]:
    """All that a car takes that takes these: where a trunk fits, a bag does."""
    small = {Need.SMALL_LUGGAGE} if Need.LARGE_LUGGAGE in takes else set()
    return frozenset({*takes, *small})


class OfferTerms:
    """`may_ride` of many offers at once; row i belongs to offer i."""

    def __init__(self, offers: Sequence[Terms], drivers: Sequence[uuid.UUID | None]) -> None:
        rows = {circle: i for i, circle in enumerate({offer.circle: None for offer in offers})}
        self._circles = list(rows)
        self._circle = np.array([rows[offer.circle] for offer in offers], np.int32)
        self._takes = np.array([_bits(carried(offer.takes)) for offer in offers], np.uint8)
        self._of_driver: dict[uuid.UUID | None, list[int]] = {}
        for row, driver in enumerate(drivers):
            self._of_driver.setdefault(driver, []).append(row)

    def open_to(self, seeker: Seeker) -> Bools:
        """Shape (offer_count,): which offers are for a rider."""
        fits = np.array([seeker.fits(circle) for circle in self._circles], bool)
        needs = _bits(seeker.needs)
        may: Bools = fits[self._circle] & (self._takes & needs == needs)
        for person in seeker.person.apart:
            may[self._of_driver.get(person, [])] = False
        return may


_BIT = {need: 1 << i for i, need in enumerate(Need)}


def _bits(needs: Collection[Need]) -> int:
    return sum(_BIT[need] for need in needs)
