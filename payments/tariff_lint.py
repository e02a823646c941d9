"""
A linter of tariffs: it looks for counter-examples and shows one.

Histories are drawn from what the tariff itself speaks of (its modes, zones, hours, distances), the
same ones every time. What is found holds; that nothing is found is no proof.
"""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from zoneinfo import ZoneInfo

from payments.bill import Proof
from payments.rating import rate
from payments.tariff import FareLeg, Period, Product, Tariff, TimeBand

TRIES = 1_500
LEGS = 7
SEED = 2_027
LONGEST = {Period.FARE_DAY: 1, Period.ROLLING_7D: 7, Period.CALENDAR_MONTH: 28}
"""Days of travel on which a product is tried."""
RIDES_A_DAY = (1, 2, 4, 8)
KILOMETRES = (0, 1, 3, 8, 20, 60)


@dataclass(frozen=True, slots=True)
class Finding:
    """What is wrong with a tariff."""

    code: str
    rule: str
    message: str
    legs: tuple[FareLeg, ...] = ()
    """A history that shows it."""


def lint(tariff: Tariff) -> list[Finding]:
    """Find rides that lower the bill, rules that price no leg, products that nobody gets."""
    if not tariff.leg_prices:
        return [Finding("no_price", tariff.id, "it has no leg_prices: nothing has a price")]
    drawn = _Drawn(tariff, random.Random(SEED))  # noqa: S311 — no secret
    findings = [*_paradox(tariff, drawn), *_unused(tariff, drawn)]
    findings += [
        Finding(
            "product_never_chosen",
            product.id,
            f"nobody is better off with {product.id}: it is dearer than what it covers, or than "
            "another product",
        )
        for product in tariff.products
        if not _is_ever_chosen(tariff, product, drawn)
    ]
    if tariff.valid_from is not None:
        findings += starts_within_month(tariff, tariff.valid_from)
    return findings


def starts_within_month(tariff: Tariff, starts: dt.date) -> list[Finding]:
    """Products of a month that a version lacks in its first one if it starts on a day."""
    if starts.day == 1:
        return []
    return [
        Finding(
            "starts_within_month", product.id,
            f"{product.id} of the month in which this version starts ({starts}) is that of the "
            "version before, and missing where there is none: start on the first of a month",
        )
        for product in tariff.products
        if product.period is Period.CALENDAR_MONTH
    ]  # fmt: skip


class _Drawn:
    """Draws legs of which a tariff speaks."""

    def __init__(self, tariff: Tariff, dice: random.Random) -> None:
        self._tariff, self._dice = tariff, dice
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
        self._clock = ZoneInfo(tariff.timezone)

    def leg(self, day: int, clock_s: int, mode: str | None = None) -> FareLeg:
        """A leg on some day after the first."""
        dice = self._dice
        zones: tuple[str, ...] = ()
        if self._zones:
            zones = tuple(dice.sample(self._zones, dice.randint(1, min(3, len(self._zones)))))
        begins = dt.datetime.combine(self.first, dt.time(), self._clock)
        return FareLeg(
            mode or dice.choice(self._modes),
            (begins + dt.timedelta(days=day, seconds=clock_s)).astimezone(dt.UTC),
            dice.choice(KILOMETRES) * 1_000 + dice.choice((0, 137)),
            dice.choice((300, 1_200, 3_600)),
            zones,
            dice.choice(self._operators),
            dice.choice(self._routes),
        )

    def clock_s(self) -> int:
        """A time of the fare day, such as within some time band."""
        bands = self._tariff.time_bands
        if bands and self._dice.random() < 0.5:
            band: TimeBand = self._dice.choice(bands)
            return band.from_s + self._dice.choice((0, 1_200))
        return self._tariff.cutover_s + self._dice.randrange(20 * 3_600)

    def history(self) -> list[FareLeg]:
        """Legs of a few days, many of them near one another."""
        legs: list[FareLeg] = []
        for _ in range(self._dice.randint(2, LEGS)):
            if legs and self._dice.random() < 0.6:
                wait = dt.timedelta(minutes=self._dice.choice((3, 20, 40, 60)))
                legs.append(replace(self.leg(0, 0), board_at=legs[-1].board_at + wait))
            else:
                legs.append(self.leg(self._dice.choice((0, 0, 1, 3, 8)), self.clock_s()))
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


def _paradox(tariff: Tariff, drawn: _Drawn) -> Iterator[Finding]:
    """A ride that lowers the bill: somebody would ride, or tap, only to pay less."""

    def lowers(legs: Sequence[FareLeg]) -> FareLeg | None:
        whole = rate([tariff], legs)
        if whole.unpriced:
            return None
        for nth in range(len(legs)):
            fewer = [*legs[:nth], *legs[nth + 1 :]]
            if rate([tariff], fewer).amount_cents > whole.amount_cents:
                return legs[nth]
        return None

    for _ in range(TRIES):
        legs = sorted(drawn.history(), key=lambda leg: leg.board_at)
        ride = lowers(legs)
        if ride is None:
            continue
        for leg in list(legs):  # the shortest history that shows it
            fewer = [other for other in legs if other is not leg]
            if lowers(fewer) is not None:
                legs = fewer
        ride = lowers(legs)
        assert ride is not None
        dearer = rate([tariff], [leg for leg in legs if leg is not ride]).amount_cents
        yield Finding(
            "ride_lowers_bill", ride.mode,
            f"a {ride.mode} boarded at {ride.board_at.astimezone(ZoneInfo(tariff.timezone)):%H:%M} "
            f"lowers the bill from {dearer} to {rate([tariff], legs).amount_cents} cents",
            tuple(legs),
        )  # fmt: skip
        return


def _unused(tariff: Tariff, drawn: _Drawn) -> Iterator[Finding]:
    """Rules by which no leg is priced: an earlier one takes all of theirs."""
    left = {rule.id for rule in tariff.leg_prices}
    bare = replace(tariff, products=(), fare_journeys=())
    for _ in range(TRIES):
        for proofs in drawn.proofs():
            leg = drawn.leg(0, drawn.clock_s())
            left -= {charge.rule for charge in rate([bare], [leg], proofs).charges}
        if not left:
            return
    for rule in tariff.leg_prices:
        if rule.id in left:
            yield Finding(
                "rule_never_applies", rule.id,
                f"no leg was found that {rule.id} prices: an earlier rule takes them all, or a "
                "category is never cheaper by it",
            )  # fmt: skip


def _is_ever_chosen(tariff: Tariff, product: Product, drawn: _Drawn) -> bool:
    """Whether some rider, seldom or always on the way, is better off with a product."""
    for days in range(1, LONGEST[product.period] + 1):
        for rides in RIDES_A_DAY:
            for proofs in drawn.proofs():
                legs = [
                    leg
                    for day in range(days)
                    for nth in range(rides)
                    for mode in sorted(product.modes & set(_modes_of(tariff)))[:3]
                    if product.covers(
                        leg := _inside(product, drawn.leg(day, _hour(tariff, nth), mode))
                    )
                ]
                bill = rate([tariff], legs, proofs)
                if any(c.kind == "product" and c.rule == product.id for c in bill.charges):
                    return True
    return False


def _modes_of(tariff: Tariff) -> frozenset[str]:
    return frozenset().union(*(rule.when.modes for rule in tariff.leg_prices))


def _hour(tariff: Tariff, nth: int) -> int:
    """Rides two hours apart, so that they are no fare journey."""
    return tariff.cutover_s + 3_600 + nth * 2 * 3_600


def _inside(product: Product, leg: FareLeg) -> FareLeg:
    """A leg moved to where a product is good."""
    if product.zones is not None and not product.covers(leg):
        leg = replace(leg, zones=tuple(sorted(product.zones)))
    if product.operators is not None:
        leg = replace(leg, operator=min(product.operators))
    return leg
