"""
A linter of tariffs: it looks for counter-examples and shows one.

Histories are drawn from what the tariff itself speaks of (its modes, zones, hours, distances), the
same ones every time. What is found holds; that nothing is found is no proof.
"""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from zoneinfo import ZoneInfo

from payments.bill import Proof
from payments.drawn_legs import DrawnLegs, inside
from payments.rating import rate
from payments.tariff import FareLeg, Period, Product, Tariff
from payments.tariff_ceilings import idle_ceilings
from payments.tariff_splits import find_split

TRIES = 1_500
PROVED_TRIES = 500
"""Histories of riders with a category, of whichever."""
LONGEST = {Period.FARE_DAY: 1, Period.ROLLING_7D: 7, Period.CALENDAR_MONTH: 28}
"""Days of travel on which a product is tried."""
RIDES_A_DAY = (1, 2, 4, 8)


@dataclass(frozen=True, slots=True)
class Finding:
    """What is wrong with a tariff."""

    code: str
    rule: str
    message: str
    legs: tuple[FareLeg, ...] = ()
    """A history that shows it."""


def lint(tariff: Tariff) -> list[Finding]:
    """
    Find what nobody can have meant.

    Rides that lower the bill, or cost less on two cards; rules that price no leg, products that
    nobody gets, ceilings that nothing reaches.
    """
    if not tariff.leg_prices:
        return [Finding("no_price", tariff.id, "it has no leg_prices: nothing has a price")]
    drawn = DrawnLegs(tariff)
    findings = [*_paradox(tariff, drawn), *_splits(tariff, drawn), *_unused(tariff, drawn)]
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
    findings += [Finding("ceiling_never_binds", *told) for told in idle_ceilings(tariff)]
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


def _paradox(tariff: Tariff, drawn: DrawnLegs) -> Iterator[Finding]:
    """A ride that lowers the bill: somebody would ride, or tap, only to pay less."""

    def cents(legs: Sequence[FareLeg]) -> int:
        return rate([tariff], legs, proofs).amount_cents

    def lowers(legs: Sequence[FareLeg]) -> FareLeg | None:
        whole = rate([tariff], legs, proofs)
        if whole.unpriced:
            return None
        for nth in range(len(legs)):
            if cents([*legs[:nth], *legs[nth + 1 :]]) > whole.amount_cents:
                return legs[nth]
        return None

    none, *own = drawn.proofs()
    of_tries = [none] * TRIES
    if own:
        of_tries += itertools.islice(itertools.cycle(own), PROVED_TRIES)
    for proofs in of_tries:
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
        dearer = cents([leg for leg in legs if leg is not ride])
        yield Finding(
            "ride_lowers_bill", ride.mode,
            f"a {ride.mode} boarded at {ride.board_at.astimezone(ZoneInfo(tariff.timezone)):%H:%M} "
            f"lowers the bill from {dearer} to {cents(legs)} cents{_said_of(proofs)}",
            tuple(legs),
        )  # fmt: skip
        return


def _splits(tariff: Tariff, drawn: DrawnLegs) -> Iterator[Finding]:
    """Rides that cost less on two cards: who has two accounts pays less than who has one."""
    split = find_split(tariff, drawn)
    if split is not None:
        legs = sorted(itertools.chain(*split.cards), key=lambda leg: leg.board_at)
        cards = "; ".join(
            f"{cents} for {', '.join(str(legs.index(leg) + 1) for leg in own)}"
            for own, cents in zip(split.cards, split.apart_cents, strict=True)
        )
        yield Finding(
            "split_lowers_bill", legs[0].mode,
            f"{len(legs)} rides cost {sum(split.apart_cents)} cents on two cards ({cards}) and "
            f"{split.together_cents} on one{_said_of(split.proofs)}",
            tuple(legs),
        )  # fmt: skip


def _said_of(proofs: Sequence[Proof]) -> str:
    return "".join(f", with a proof of {proof.category}" for proof in proofs)


def _unused(tariff: Tariff, drawn: DrawnLegs) -> Iterator[Finding]:
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


def _is_ever_chosen(tariff: Tariff, product: Product, drawn: DrawnLegs) -> bool:
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
                        leg := inside(product, drawn.leg(day, _hour(tariff, nth), mode))
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
