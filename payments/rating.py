"""
The bill: the cheapest lawful grouping of a rider's legs, each charge naming its rule.

Pure functions in whole cents; one rounding per priced leg. Legs are paid one by one, joined into
fare journeys, or covered by products (of a fare day, of any seven fare days, of a calendar month).
Of all ways to do so the cheapest is taken, whatever the order in which legs became known. It is a
minimum over lawful groupings, and what is lawful stays so when a leg is left out; so one leg more
never lowers the bill, and no product that a rider could have bought would have been cheaper.
"""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Iterable, Sequence

from payments.bill import Bill, Charge, Price, Proof
from payments.carried_weeks import Choices
from payments.grouping import Grouping
from payments.tariff import FareLeg, InvalidTariff, Tariff


def rate(
    tariffs: Sequence[Tariff],
    legs: Iterable[FareLeg],
    proofs: Sequence[Proof] = (),
    choices: Choices = (),
) -> Bill:
    """
    Find the cheapest lawful bill for one rider's legs, in whatever order they are given.

    Parameters
    ----------
    tariffs
        Versions of one tariff. A leg is priced by the version of its fare day, a product by that of
        its first day.
    proofs
        Categories that the rider has had. More proofs never raise the bill.
    choices
        Weeks that may have begun before the legs.

    Raises
    ------
    InvalidTariff
        The versions contradict each other.
    InvalidInput
        The rider travels on more than `payments.grouping.DAYS_LIMIT` fare days.
    """
    check_versions(tariffs)
    return Grouping(tariffs, sorted(legs, key=in_order), proofs, choices).bill()


def price_itinerary(
    tariffs: Sequence[Tariff], legs: Sequence[FareLeg], *, rider_count: int = 1
) -> Price:
    """
    Price the legs of one itinerary, in order of boarding, for a group without categories.

    A leg that no rule matches makes the whole price unknown: it is never taken as free. The price
    names the version of the first leg; its charges name theirs.
    """
    bill = Grouping(tariffs, legs, ()).bill()
    tariff = tariffs[0]
    if len(tariffs) > 1 and legs:
        day = tariff.clock(legs[0])[1]
        tariff = next((own for own in tariffs if own.is_valid_on(day)), tariff)
    if bill.unpriced:
        return Price(None, tariff.currency, (), tariff.content_hash, bill.unpriced[0][1])
    charges = tuple(
        Charge(c.rule, c.kind, c.legs, c.amount_cents * rider_count, c.tariff_hash, c.since)
        for c in bill.charges
    )
    total = sum(charge.amount_cents for charge in charges)
    return Price(total, tariff.currency, charges, tariff.content_hash)


def in_order(leg: FareLeg) -> tuple[object, ...]:
    """Order of rating: by boarding; then by all else, so that no other order gives another bill."""
    return (
        leg.board_at, leg.id, leg.mode, leg.metres, leg.seconds, leg.zones, leg.operator, leg.route,
        -1 if leg.promised_cents is None else leg.promised_cents,
    )  # fmt: skip


def check_versions(tariffs: Sequence[Tariff]) -> None:
    """Raise `InvalidTariff` where versions of a tariff contradict each other."""
    if len({(t.currency, t.timezone, t.cutover_s) for t in tariffs}) != 1:
        raise InvalidTariff("versions of a tariff have one currency, time zone and fare day")
    spans = sorted((t.valid_from or dt.date.min, t.valid_to or dt.date.max) for t in tariffs)
    if any(before[1] >= after[0] for before, after in itertools.pairwise(spans)):
        raise InvalidTariff("two versions of the tariff are valid on one day")
