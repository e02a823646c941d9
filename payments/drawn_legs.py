"""Legs of which a tariff speaks, drawn the same every time: its modes, zones, hours, distances."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Sequence
from dataclasses import replace
from zoneinfo import ZoneInfo

from payments.bill import Proof
from payments.tariff import FareLeg, Product, Tariff, TimeBand

LEGS = 7
SEED = 2_027
KILOMETRES = (0, 1, 3, 8, 20, 60)
MONTH_DAYS = 28
"""Days of travel in a month, whichever it is."""


class DrawnLegs:
    """Draws legs of which a tariff speaks."""

    def __init__(self, tariff: Tariff) -> None:
        self._tariff, self.dice = tariff, random.Random(SEED)  # noqa: S311 — no secret
        rules, products = tariff.leg_prices, tariff.products
        self._modes = sorted(frozenset().union(*(rule.when.modes for rule in rules)))
        zones: set[str] = set()
        for rule in rules:
            zones |= (rule.when.from_zones or set()) | (rule.when.to_zones or set())
            for pair in rule.by_zones or ():
                zones |= set(pair)
        zones = zones.union(*(product.zones or set() for product in products))
        if any(rule.by_zone_count for rule in rules) and not zones:
            zones = {f"zone {n}" for n in range(1, 9)}
        self._zones = sorted(zones)
        self._operators = ["", *sorted(_named(rules, "operators") | _named(products, "operators"))]
        self._routes = ["1", "2", *sorted(_named(rules, "routes"))]
        day = dt.date(2027, 3, 1) if tariff.valid_from is None else tariff.valid_from
        self.first = (day + dt.timedelta(days=31)).replace(day=1) if day.day > 1 else day
        self._begins = dt.datetime.combine(self.first, dt.time(), ZoneInfo(tariff.timezone))

    def leg(self, day: int, clock_s: int, mode: str | None = None) -> FareLeg:
        """A leg on some day after the first."""
        dice = self.dice
        zones: tuple[str, ...] = ()
        if self._zones:
            zones = tuple(dice.sample(self._zones, dice.randint(1, min(3, len(self._zones)))))
        return FareLeg(
            mode or dice.choice(self._modes),
            (self._begins + dt.timedelta(days=day, seconds=clock_s)).astimezone(dt.UTC),
            dice.choice(KILOMETRES) * 1_000 + dice.choice((0, 137)),
            dice.choice((300, 1_200, 3_600)),
            zones,
            dice.choice(self._operators),
            dice.choice(self._routes),
        )

    def clock_s(self) -> int:
        """A time of the fare day, such as within some time band."""
        bands = self._tariff.time_bands
        if bands and self.dice.random() < 0.5:
            band: TimeBand = self.dice.choice(bands)
            return band.from_s + self.dice.choice((0, 1_200))
        return self._tariff.cutover_s + self.dice.randrange(20 * 3_600)

    def alike(self, product: Product, count: int) -> list[FareLeg]:
        """Legs of one kind that a product covers, in order, of one month and hours apart."""
        modes = sorted(product.modes.intersection(self._modes))
        if not modes:
            return []
        leg = inside(product, self.leg(0, 0, self.dice.choice(modes)))
        begins = self._begins + dt.timedelta(seconds=self._tariff.cutover_s + 3_600)
        days = -(-count // MONTH_DAYS)
        hours = 20 // days
        return [
            replace(
                leg,
                board_at=(
                    begins + dt.timedelta(days=nth // days, hours=nth % days * hours)
                ).astimezone(dt.UTC),
            )
            for nth in range(count)
        ]

    def history(self) -> list[FareLeg]:
        """Legs of a few days, many of them near one another."""
        legs: list[FareLeg] = []
        for _ in range(self.dice.randint(2, LEGS)):
            if legs and self.dice.random() < 0.6:
                wait = dt.timedelta(minutes=self.dice.choice((3, 20, 40, 60)))
                legs.append(replace(self.leg(0, 0), board_at=legs[-1].board_at + wait))
            else:
                legs.append(self.leg(self.dice.choice((0, 0, 1, 3, 8)), self.clock_s()))
        return legs

    def proofs(self) -> list[list[Proof]]:
        """None, and each category of the tariff for all the time."""
        ends = self.first - dt.timedelta(days=9), self.first + dt.timedelta(days=99)
        return [[], *([Proof(category.id, *ends)] for category in self._tariff.categories)]


def _named(rules: Sequence[object], name: str) -> set[str]:
    found: set[str] = set()
    for rule in rules:
        found |= getattr(getattr(rule, "when", rule), name) or set()
    return found


def inside(product: Product, leg: FareLeg) -> FareLeg:
    """A leg moved to where a product is good."""
    if product.zones is not None and not product.covers(leg):
        leg = replace(leg, zones=tuple(sorted(product.zones)))
    if product.operators is not None:
        leg = replace(leg, operator=min(product.operators))
    return leg
