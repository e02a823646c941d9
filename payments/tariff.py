"""
A tariff as data: prices of legs, fare journeys and products.

Amounts are whole cents; prices per kilometre and minute are thousandths of a cent. Nothing here
reads a file: `payments.tariff_file` does.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import cached_property
from typing import NamedTuple
from zoneinfo import ZoneInfo

from core.errors import InvalidInput
from core.money import round_half_up

MODES = ("bus", "tram", "coach", "rail", "subway", "ferry", "carpool", "bike", "other")
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
GUESSES = ("chosen", "next_boarding", "habit")
"""How the end of a leg may be guessed that nobody tapped out of; else it is as long as its line."""
HOLIDAY = "holiday"
"""A date of the tariff's holidays, whatever weekday it is."""
MILLICENTS = 60_000_000
"""A cent, in the unit in which kilometres and minutes are added up exactly."""
LIST_PRICE = 1000
"""Permille of a rider without a category."""
ONE_DAY = dt.timedelta(days=1)


class InvalidTariff(InvalidInput):
    """A tariff that cannot be read, or contradicts itself."""

    code = "invalid_tariff"


@dataclass(frozen=True, slots=True)
class FareLeg:
    """What a price depends on: no place, no person."""

    mode: str
    board_at: dt.datetime
    metres: int
    seconds: int = 0
    zones: tuple[str, ...] = ()
    """Zones of the tariff in which the leg is, from the first to the last; none are known: ()."""
    operator: str = ""
    route: str = ""
    id: str = ""
    """Of what it comes from, such as a tap."""
    promised_cents: int | None = None
    """Price that was promised before; it costs no more by itself."""


@dataclass(frozen=True, slots=True)
class TimeBand:
    """Hours on some days; one that ends before it begins goes on past midnight."""

    id: str
    days: frozenset[str]
    from_s: int
    to_s: int

    def holds(self, day: str, day_before: str, clock_s: int) -> bool:
        """Whether a time of a day lies in the band."""
        if self.from_s < self.to_s:
            return day in self.days and self.from_s <= clock_s < self.to_s
        return (day in self.days and clock_s >= self.from_s) or (
            day_before in self.days and clock_s < self.to_s
        )


@dataclass(frozen=True, slots=True)
class When:
    """Legs that a price is for; None: whatever it is."""

    modes: frozenset[str]
    operators: frozenset[str] | None = None
    routes: frozenset[str] | None = None
    from_zones: frozenset[str] | None = None
    to_zones: frozenset[str] | None = None
    bands: frozenset[str] | None = None
    """Time bands of which one holds when the leg is boarded."""
    categories: frozenset[str] | None = None
    """Rider categories of which the rider has one."""


@dataclass(frozen=True, slots=True)
class Tier:
    """Price of the kilometres of a leg between two distances."""

    from_m: int
    to_m: int | None
    per_km_millicents: int


@dataclass(frozen=True, slots=True)
class LegPrice:
    """Price of one leg: the first rule that matches applies."""

    id: str
    when: When
    base_cents: int = 0
    tiers: tuple[Tier, ...] = ()
    per_min_millicents: int = 0
    free_s: int = 0
    """Seconds of the leg that cost nothing."""
    min_cents: int = 0
    max_cents: int | None = None
    by_zones: Mapping[tuple[str, str], int] | None = None
    """Base by the first and last zone; the rule matches no other pair."""
    by_zone_count: tuple[int, ...] | None = None
    """Base by the number of zones; the rule matches no leg through more."""
    round_to_cents: int = 1
    """Prices are the nearest multiples of it; from the middle on the upper one."""

    @property
    def is_flat(self) -> bool:
        """Whether all legs that it matches cost the same."""
        tables = self.by_zones is None and self.by_zone_count is None
        return tables and not self.tiers and not self.per_min_millicents

    def base_of(self, leg: FareLeg) -> int | None:
        """Price of boarding, or None where the leg's zones are not in the rule's tables."""
        if self.by_zones is not None:
            return self.by_zones.get((leg.zones[0], leg.zones[-1])) if leg.zones else None
        if self.by_zone_count is not None:
            count = len(set(leg.zones))
            return self.by_zone_count[count - 1] if 0 < count <= len(self.by_zone_count) else None
        return self.base_cents

    def least_cents(self, permille: int = LIST_PRICE) -> int:
        """What no leg is below that the rule is for, at a share of its price."""
        bases: tuple[int, ...] = (self.base_cents,)
        if self.by_zones is not None:
            bases = tuple(self.by_zones.values())
        elif self.by_zone_count is not None:
            bases = self.by_zone_count
        cents = max(min(bases, default=0), self.min_cents)
        if self.max_cents is not None:
            cents = min(cents, self.max_cents)
        return self._rounded(cents * MILLICENTS, permille)

    def price(self, leg: FareLeg, base_cents: int, permille: int = LIST_PRICE) -> int:
        """Cents of a leg of which the boarding costs `base_cents`, rounded once."""
        is_whole = permille == LIST_PRICE and self.round_to_cents == 1
        if is_whole and not self.tiers and not self.per_min_millicents:
            cents = max(base_cents, self.min_cents)
            return cents if self.max_cents is None else min(cents, self.max_cents)
        exact = base_cents * MILLICENTS
        for tier in self.tiers:
            end_m = leg.metres if tier.to_m is None else min(leg.metres, tier.to_m)
            if end_m > tier.from_m:
                exact += tier.per_km_millicents * (end_m - tier.from_m) * 60
        if leg.seconds > self.free_s:
            exact += self.per_min_millicents * (leg.seconds - self.free_s) * 1000
        exact = max(exact, self.min_cents * MILLICENTS)
        if self.max_cents is not None:
            exact = min(exact, self.max_cents * MILLICENTS)
        return self._rounded(exact, permille)

    def _rounded(self, exact: int, permille: int) -> int:
        """Cents of an exact price, at a share of it."""
        unit = self.round_to_cents
        return unit * round_half_up(exact * permille, LIST_PRICE * MILLICENTS * unit)


class Single(NamedTuple):
    """A leg by itself: its price, by which rule and for which category of riders."""

    cents: int
    rule: str
    category: str | None


@dataclass(frozen=True, slots=True)
class FareJourney:
    """
    Legs that are paid together: they follow one another and are boarded within a window.

    A leg of a mode that no fare journey of the tariff takes neither joins nor parts others. A fare
    journey ends with its fare day.
    """

    id: str
    window_s: int
    """From the first boarding to the last."""
    modes: frozenset[str]
    most_legs: int | None = None
    pattern: tuple[frozenset[str], ...] | None = None
    """Modes of its legs in order, where it has a price of its own."""
    price_cents: int | None = None
    """None: as much as its dearest leg."""
    other_routes: bool = False
    """Whether all its legs are on different routes."""


class Period(StrEnum):
    """For how long a product is good."""

    FARE_DAY = "fare_day"
    ROLLING_7D = "rolling_7d"
    CALENDAR_MONTH = "calendar_month"


@dataclass(frozen=True, slots=True)
class Product:
    """What makes legs free for a price: chosen afterwards, where it is cheaper."""

    id: str
    modes: frozenset[str]
    period: Period
    price_cents: int
    zones: frozenset[str] | None = None
    """A leg is covered when all its zones are among these."""
    operators: frozenset[str] | None = None
    category_cents: Mapping[str, int] | None = None
    """Price for some rider categories; others pay their share of `price_cents`."""
    is_subscription: bool = False
    """Whether whoever must pay for subscriptions pays for this."""
    most_legs: int | None = None
    """It is for who has no more legs in its modes, zones and operators, in its period."""

    def covers(self, leg: FareLeg) -> bool:
        """Whether a leg boarded in its period is free, if it may be had."""
        return (
            leg.mode in self.modes
            and (self.operators is None or leg.operator in self.operators)
            and (self.zones is None or (bool(leg.zones) and self.zones.issuperset(leg.zones)))
        )

    def price_for(self, category: str | None, permille: int) -> int:
        """Cents for riders of a category, who pay a share of prices; None: for anybody."""
        cents = round_half_up(self.price_cents * permille, LIST_PRICE)
        return cents if category is None else (self.category_cents or {}).get(category, cents)


@dataclass(frozen=True, slots=True)
class Category:
    """Riders who pay a share of the prices."""

    id: str
    permille: int


@dataclass(frozen=True, slots=True)
class Payer:
    """Somebody else who pays a part of what riders owe, up to ceilings; they pay the rest."""

    id: str
    modes: frozenset[str]
    """It pays for charges of which all legs are of these."""
    only_subscriptions: bool = False
    share_permille: int = 0
    """Of the whole charge, as far as payers before it have left so much."""
    per_km_millicents: int | None = None
    """Instead of a share."""
    max_leg_cents: int | None = None
    max_month_cents: int | None = None
    """For one rider, as the next one."""
    max_year_cents: int | None = None
    budget_cents: int | None = None
    """For all riders together in a calendar year."""
    is_for_everybody: bool = False
    """Otherwise for those of whom it is known that it pays for them."""


class ShareKey(StrEnum):
    """By what revenue is shared."""

    KM = "km"
    RIDES = "rides"


Share = ShareKey | Mapping[str, int]
"""A key, or weights that operators have agreed on."""


@dataclass(frozen=True, slots=True)
class RevenueShares:
    """How what riders pay is shared among operators."""

    otherwise: Share = ShareKey.KM
    of_products: Mapping[str, Share] = field(default_factory=dict)
    """By product; others are shared like legs."""


@dataclass(frozen=True)
class Tariff:
    """One version of a territory's fares."""

    id: str
    currency: str
    timezone: str
    cutover_s: int
    """Seconds after midnight at which a fare day begins."""
    leg_prices: tuple[LegPrice, ...]
    fare_journeys: tuple[FareJourney, ...]
    products: tuple[Product, ...]
    content_hash: str
    """SHA-256 of the canonical JSON of the content."""
    valid_from: dt.date | None = None
    """First fare day; None: since ever."""
    valid_to: dt.date | None = None
    time_bands: tuple[TimeBand, ...] = ()
    holidays: frozenset[dt.date] = frozenset()
    categories: tuple[Category, ...] = ()
    payers: tuple[Payer, ...] = ()
    """In the order in which they pay."""
    revenue_shares: RevenueShares = RevenueShares()
    guesses: frozenset[str] = frozenset(GUESSES)
    """Those of `GUESSES` that are made."""

    def __hash__(self) -> int:
        return hash(self.content_hash)

    @cached_property
    def _zone(self) -> ZoneInfo:
        return ZoneInfo(self.timezone)

    @cached_property
    def _cutover(self) -> dt.timedelta:
        return dt.timedelta(seconds=self.cutover_s)

    def clock(self, leg: FareLeg) -> tuple[dt.datetime, dt.date]:
        """When a leg is boarded on the clock of the territory, and on which fare day."""
        local = leg.board_at.astimezone(self._zone)
        return local, (local - self._cutover).date()

    def fare_day(self, at: dt.datetime) -> dt.date:
        """Fare day of a time."""
        return (at.astimezone(self._zone) - self._cutover).date()

    def month_start(self, month: dt.date) -> dt.datetime:
        """When the first fare day of a month begins."""
        return dt.datetime.combine(month, dt.time(), self._zone) + self._cutover

    @cached_property
    def rules_of_mode(self) -> Mapping[str, tuple[LegPrice, ...]]:
        """Rules that may price a leg of a mode, in order."""
        modes: frozenset[str] = frozenset().union(*(rule.when.modes for rule in self.leg_prices))
        return {m: tuple(rule for rule in self.leg_prices if m in rule.when.modes) for m in modes}

    @cached_property
    def flat_of_mode(self) -> Mapping[str, Single]:
        """Prices of modes of which every leg costs the same, whoever rides."""
        found = {}
        for mode, rules in self.rules_of_mode.items():
            first = rules[0]
            if first.is_flat and first.when == When(first.when.modes):
                found[mode] = Single(first.least_cents(), first.id, None)
        return found

    @cached_property
    def least_product_cents(self) -> int | None:
        """What the cheapest product costs the rider who pays least for it."""
        permille = min((c.permille for c in self.categories), default=LIST_PRICE)
        cents = [product.price_cents * permille // LIST_PRICE for product in self.products]
        for product in self.products:
            cents += (product.category_cents or {}).values()
        return min(cents, default=None)

    @cached_property
    def joined_modes(self) -> frozenset[str]:
        """Modes that fare journeys take."""
        return frozenset().union(*(journey.modes for journey in self.fare_journeys))

    @cached_property
    def longest_window_s(self) -> int:
        """From the first boarding to the last of any fare journey at most."""
        return max((journey.window_s for journey in self.fare_journeys), default=0)

    @cached_property
    def may_part(self) -> bool:
        """
        Whether a leg may part others that would cost less together.

        None does where one fare journey, as dear as its dearest leg, takes whatever any of them
        takes: it takes that leg, too.
        """
        journeys = self.fare_journeys
        takes_all = any(
            journey.modes == self.joined_modes
            and journey.window_s == self.longest_window_s
            and journey.most_legs is None
            and not journey.other_routes
            for journey in journeys
        )
        return any(journey.pattern for journey in journeys) or bool(journeys and not takes_all)

    @cached_property
    def asks_where(self) -> bool:
        """Whether some price depends on zones, lines or operators."""
        asked: list[object] = [product.zones or product.operators for product in self.products]
        for rule in self.leg_prices:
            when = rule.when
            asked += [when.operators, when.routes, when.from_zones, when.to_zones]
            asked += [rule.by_zones, rule.by_zone_count]
        return any(asked) or any(journey.other_routes for journey in self.fare_journeys)

    def day_kind(self, date: dt.date) -> str:
        """Weekday of a date, or `HOLIDAY`."""
        return HOLIDAY if date in self.holidays else WEEKDAYS[date.weekday()]

    def held_on(self, first: dt.date | None, last: dt.date | None) -> Tariff:
        """The same from one fare day to another, whatever was written."""
        return replace(self, valid_from=first, valid_to=last)

    def is_valid_on(self, fare_day: dt.date) -> bool:
        """Whether legs of a fare day are priced by this version."""
        return (self.valid_from is None or self.valid_from <= fare_day) and (
            self.valid_to is None or fare_day <= self.valid_to
        )
