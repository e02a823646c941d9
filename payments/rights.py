"""What a rider has proved: categories, passes bought elsewhere, and who pays for him."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass, replace

from payments.bill import Proof
from payments.tariff import FareLeg
from payments.versions import Tariffs

ANOTHER_RIDER = "rider"
"""Payer that is in no tariff: a rider who pays what is left to another, and is the party."""


@dataclass(frozen=True, slots=True)
class HeldPass:
    """A product that a rider has bought elsewhere; what it covers is paid already."""

    product: str
    valid_from: dt.date
    valid_to: dt.date


@dataclass(frozen=True, slots=True)
class PaidFor:
    """That a payer pays for a rider on some days, and which one of its kind it is."""

    payer: str
    party: str
    """Such as the employer's name in the books."""
    valid_from: dt.date
    valid_to: dt.date


@dataclass(frozen=True, slots=True)
class Rights:
    """All that is known of one rider."""

    proofs: tuple[Proof, ...] = ()
    passes: tuple[HeldPass, ...] = ()
    paid_for: tuple[PaidFor, ...] = ()

    def paid_legs(self, tariffs: Tariffs, legs: Iterable[FareLeg]) -> list[FareLeg]:
        """Legs, of which those that a pass covers are promised for nothing."""
        return [
            leg if self.pass_of(tariffs, leg) is None else replace(leg, promised_cents=0)
            for leg in legs
        ]

    def pass_of(self, tariffs: Tariffs, leg: FareLeg) -> str | None:
        """Pass that covers a leg."""
        if not self.passes:
            return None
        _, day = tariffs.clock(leg)
        tariff = tariffs.on(day)
        products = () if tariff is None else tariff.products
        covering = {product.id for product in products if product.covers(leg)}
        for own in self.passes:
            if own.product in covering and own.valid_from <= day <= own.valid_to:
                return own.product
        return None


NO_RIGHTS = Rights()
