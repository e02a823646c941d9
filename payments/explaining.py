"""Why a bill is what it is: the arithmetic of each charge, and what else it could have been."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from payments.alone import terms_of
from payments.bill import Bill, Charge, Proof
from payments.carried_weeks import Choices
from payments.grouping import Grouping
from payments.rating import rate
from payments.tariff import LIST_PRICE, FareLeg, LegPrice, Tariff


@dataclass(frozen=True, slots=True)
class Alternative:
    """The cheapest bill with one product more, or without one that the bill has."""

    product: str
    is_bought: bool
    """Whether the bill has it."""
    amount_cents: int


def alternatives(
    tariffs: Sequence[Tariff], bill: Bill, proofs: Sequence[Proof] = (), choices: Choices = ()
) -> list[Alternative]:
    """
    What the bill would be without each product that it has, and with one of each other.

    No amount is below the bill's, which is the least of all. Products that cover none of the
    rider's legs are left out.

    Parameters
    ----------
    choices
        Weeks that may have begun before the legs.
    """
    bought = {charge.rule for charge in bill.charges if charge.kind == "product"}
    grouping = Grouping(tariffs, bill.legs, proofs)
    found = []
    for product_id in dict.fromkeys(p.id for tariff in tariffs for p in tariff.products):
        if product_id in bought:
            others = [
                replace(t, products=tuple(p for p in t.products if p.id != product_id))
                for t in tariffs
            ]
            least = rate(others, bill.legs, proofs, choices).amount_cents
        else:
            amounts = []
            for cover, cents in grouping.passes_of(product_id):
                left = [leg for row, leg in enumerate(bill.legs) if not cover >> row & 1]
                amounts.append(cents + rate(tariffs, left, proofs, choices).amount_cents)
            if not amounts:
                continue
            least = min(amounts)
        found.append(Alternative(product_id, product_id in bought, least))
    return found


@dataclass(frozen=True, slots=True)
class RunnerUp:
    """The next best lawful way to pay for the legs of a charge, whatever else is on the bill."""

    products: tuple[str, ...]
    """That it takes, each once; none: without any."""
    amount_cents: int


def runner_up(
    tariffs: Sequence[Tariff], bill: Bill, charge: Charge, proofs: Sequence[Proof] = ()
) -> RunnerUp | None:
    """
    Find what the legs of a charge would cost otherwise at least; None where there is no other way.

    Without its product, if it is one; not joined, if they are; and a single leg by a product. No
    such way is cheaper than the charge, but where its legs would part others on the bill.
    """
    legs = [bill.legs[row] for row in charge.legs]
    if charge.kind == "leg":
        grouping = Grouping(tariffs, legs, proofs)
        found = [
            RunnerUp((product_id,), cents)
            for product_id in dict.fromkeys(p.id for tariff in tariffs for p in tariff.products)
            for cover, cents in grouping.passes_of(product_id)
            if cover
        ]
        return min(found, key=lambda other: other.amount_cents, default=None)
    others = [replace(tariff, fare_journeys=()) for tariff in tariffs]
    if charge.kind == "product":
        others = [
            replace(t, products=tuple(p for p in t.products if p.id != charge.rule))
            for t in tariffs
        ]
    other = rate(others, legs, proofs)
    products = dict.fromkeys(own.rule for own in other.charges if own.kind == "product")
    return RunnerUp(tuple(products), other.amount_cents)


def arithmetic(
    tariffs: Sequence[Tariff], bill: Bill, charge: Charge, proofs: Sequence[Proof] = ()
) -> str:
    """
    How the amount of a charge comes about, in cents and without words.

    Such as ``120 + 20 km × 9 = 300``; of legs that are joined ``max(160, 300) = 300``; of a product
    ``450 < 640``, which is what its legs cost without any.
    """
    legs = [bill.legs[row] for row in charge.legs]
    if charge.kind == "product":
        bare = [replace(tariff, products=()) for tariff in tariffs]
        without_cents = rate(bare, legs, proofs).amount_cents
        if without_cents <= charge.amount_cents:  # its legs do not part others any more
            return str(charge.amount_cents)
        return f"{charge.amount_cents} < {without_cents}"
    told = [_arithmetic(tariffs, leg, proofs) for leg in legs]
    if charge.kind == "leg":
        return told[0]
    tariff = _version(tariffs, legs[0])
    if any(journey.id == charge.rule and journey.pattern for journey in tariff.fare_journeys):
        return str(charge.amount_cents)
    return f"max({', '.join(text.split(' = ')[-1] for text in told)}) = {charge.amount_cents}"


def _version(tariffs: Sequence[Tariff], leg: FareLeg) -> Tariff:
    _, day = tariffs[0].clock(leg)
    return next(tariff for tariff in tariffs if tariff.is_valid_on(day))


def _arithmetic(tariffs: Sequence[Tariff], leg: FareLeg, proofs: Sequence[Proof]) -> str:
    bare = [replace(tariff, products=(), fare_journeys=()) for tariff in tariffs]
    (charge,) = rate(bare, [leg], proofs).charges
    tariff, (_, day) = _version(tariffs, leg), tariffs[0].clock(leg)
    rule = next(rule for rule in tariff.leg_prices if rule.id == charge.rule)
    permille = terms_of(tariff, proofs, day).shares[charge.category]
    return _worked(rule, leg, permille, charge.amount_cents, day)


def _worked(rule: LegPrice, leg: FareLeg, permille: int, amount_cents: int, day: dt.date) -> str:
    base_cents = rule.base_of(leg)
    assert base_cents is not None, day
    terms = [str(base_cents)] if base_cents else []
    for tier in rule.tiers:
        end_m = leg.metres if tier.to_m is None else min(leg.metres, tier.to_m)
        if end_m > tier.from_m:
            terms.append(f"{_plain(end_m - tier.from_m)} km × {_plain(tier.per_km_millicents)}")
    minutes_s = max(leg.seconds - rule.free_s, 0)
    if rule.per_min_millicents and minutes_s:
        minutes = f"{Decimal(minutes_s) / 60:.2f}".rstrip("0").rstrip(".")
        terms.append(f"{minutes} min × {_plain(rule.per_min_millicents)}")
    text = " + ".join(terms) or "0"
    whole = rule.price(leg, base_cents)
    if whole == rule.max_cents:
        text = f"min({text}, {rule.max_cents})"
    elif whole == rule.min_cents:
        text = f"max({text}, {rule.min_cents})"
    if permille != LIST_PRICE:
        text = (
            f"({text}) × {permille / 10:g} %" if len(terms) > 1 else f"{text} × {permille / 10:g} %"
        )
    if rule.round_to_cents > 1 and text != str(amount_cents):
        text = f"round({text}, {rule.round_to_cents})"
    return text if text == str(amount_cents) else f"{text} = {amount_cents}"


def _plain(thousandths: int) -> str:
    """A number of thousandths, without zeros at its end."""
    return f"{Decimal(thousandths) / 1000:.3f}".rstrip("0").rstrip(".")
