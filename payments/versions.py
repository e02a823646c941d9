"""Versions of one tariff, each for the fare days on which it holds."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

from payments.carried_weeks import SIX_DAYS
from payments.month import month_after
from payments.rating import check_versions
from payments.tariff import GUESSES, ONE_DAY, FareLeg, Tariff


@dataclass(frozen=True)
class Tariffs:
    """
    Versions in order of time, at least one, no two of which hold on one day.

    Raises
    ------
    InvalidTariff
        They contradict each other.
    """

    versions: tuple[Tariff, ...]

    def __post_init__(self) -> None:
        check_versions(self.versions)

    @classmethod
    def from_days(cls, published: Iterable[tuple[Tariff, dt.date | None]]) -> Tariffs:
        """
        Versions of which each holds from a day on until the next does.

        None: as it is written. None holds after its own last day.
        """
        ordered = sorted(published, key=lambda each: each[1] or dt.date.min)
        ends = [day - ONE_DAY for _, day in ordered[1:] if day is not None]
        return cls(
            tuple(
                tariff.held_on(since or tariff.valid_from, _earlier(end, tariff.valid_to))
                for (tariff, since), end in zip(ordered, [*ends, None], strict=True)
            )
        )

    def on(self, fare_day: dt.date) -> Tariff | None:
        """Version of a fare day."""
        return next((own for own in self.versions if own.is_valid_on(fare_day)), None)

    def of_payers(self, month: dt.date) -> Tariff:
        """Version whose payers share a month out: of its first day, or else the first one."""
        return self.on(month) or self.versions[0]

    def of_month(self, month: dt.date) -> Tariffs:
        """Versions on which the price of a month depends: also of weeks that begin before it."""
        first, last = month - SIX_DAYS, month_after(month) - ONE_DAY
        own = tuple(
            version
            for version in self.versions
            if (version.valid_from or dt.date.min) <= last
            and first <= (version.valid_to or dt.date.max)
        )
        return Tariffs(own or self.versions[:1])

    def holds_throughout(self, first: dt.date, last: dt.date) -> bool:
        """Whether there is a version on each of some fare days."""
        days = range((last - first).days + 1)
        return all(self.on(first + dt.timedelta(days=nth)) is not None for nth in days)

    @cached_property
    def by_hash(self) -> Mapping[str, Tariff]:
        """Versions by the hash that their charges name."""
        return {own.content_hash: own for own in self.versions}

    @cached_property
    def content_hash(self) -> str:
        """Of the only version its own; of several that of all, with their first days."""
        if len(self.versions) == 1:
            return self.versions[0].content_hash
        told = ",".join(f"{own.content_hash}@{own.valid_from}" for own in self.versions)
        return hashlib.sha256(told.encode()).hexdigest()

    @property
    def currency(self) -> str:
        """That of all versions."""
        return self.versions[0].currency

    @property
    def timezone(self) -> str:
        """That of all versions."""
        return self.versions[0].timezone

    @property
    def has_payers(self) -> bool:
        """Whether somebody else pays by some version."""
        return any(own.payers for own in self.versions)

    @cached_property
    def asks_where(self) -> bool:
        """Whether some price depends on zones, lines or operators."""
        return any(own.asks_where for own in self.versions)

    def clock(self, leg: FareLeg) -> tuple[dt.datetime, dt.date]:
        """As `Tariff.clock`: all versions have the same."""
        return self.versions[0].clock(leg)

    def guesses_at(self, at: dt.datetime) -> frozenset[str]:
        """How ends may be guessed of what is boarded at a time (`GUESSES`)."""
        tariff = self.on(self.fare_day(at))
        return frozenset(GUESSES) if tariff is None else tariff.guesses

    def fare_day(self, at: dt.datetime) -> dt.date:
        """Fare day of a time."""
        return self.versions[0].fare_day(at)

    def month_start(self, month: dt.date) -> dt.datetime:
        """When the first fare day of a month begins."""
        return self.versions[0].month_start(month)


def _earlier(a: dt.date | None, b: dt.date | None) -> dt.date | None:
    """The earlier of two days; None is after all others."""
    return min((day for day in (a, b) if day is not None), default=None)
