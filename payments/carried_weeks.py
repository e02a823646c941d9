"""
Weeks that reach over the end of a month: which there may be, and what each choice adds.

The least price of all months so far does not say by itself what the next month costs: a week that
was not worth its price may become so by the days that it has left. So each month leaves its choices
to the next: weeks that are still good then, and what all months so far cost more with them. They
are as good as all legs of these months, for whoever pays the months that follow.
"""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from payments.tariff import LIST_PRICE, ONE_DAY, Period, Tariff

SIX_DAYS = dt.timedelta(days=6)
MOST = 2
"""Weeks of one choice: of more that are under way at once two are carried over a month's end."""
Name = tuple[str, str | None]
"""A product, and the category by which it is reduced."""


@dataclass(frozen=True, slots=True)
class CarriedWeek:
    """A week that began before a month, and is good on some of its days."""

    product: str
    category: str | None
    since: dt.date

    @property
    def name(self) -> Name:
        """What it is, whenever it began."""
        return self.product, self.category

    @property
    def last(self) -> dt.date:
        """The last fare day on which it is good."""
        return self.since + SIX_DAYS


@dataclass(frozen=True, slots=True)
class Carried:
    """Weeks that may be good when a month begins, and what they add to the months before."""

    cents: int
    weeks: tuple[CarriedWeek, ...]
    """In the order of `in_order`, of each product and category at most one."""


Choices = tuple[Carried, ...]
"""What the months before leave, beside no week for nothing; in the order of `in_order`."""


def in_order(choices: Iterable[Carried]) -> Choices:
    """Choices in the order in which they are tried: of those that cost alike the first is taken."""
    return tuple(sorted(choices, key=lambda own: (len(own.weeks), *map(_order, own.weeks))))


def put_together(weeks: Iterable[CarriedWeek]) -> tuple[CarriedWeek, ...]:
    """Weeks of one choice, in their order."""
    return tuple(sorted(weeks, key=_order))


def worth_keeping(
    added: Mapping[tuple[CarriedWeek, ...], int], prices: Mapping[Name, int]
) -> Choices:
    """
    Choices of which no other is as good for as little.

    Parameters
    ----------
    added
        What weeks add, of all that may have been bought; without any it is nothing.
    prices
        Of what is on sale when the month begins: a week that adds its price had better begin then.
    """
    costs = {(): 0, **added}

    def is_on_sale_for_as_little(weeks: tuple[CarriedWeek, ...], cents: int) -> bool:
        return any(
            costs[tuple(other for other in weeks if other is not own)] + prices[own.name] <= cents
            for own in weeks
            if own.name in prices
        )

    left = {
        weeks: cents for weeks, cents in added.items() if not is_on_sale_for_as_little(weeks, cents)
    }
    return in_order(
        Carried(cents, weeks)
        for weeks, cents in left.items()
        if not any(
            other != weeks and other_cents <= cents and _is_as_good(other, weeks)
            for other, other_cents in left.items()
        )
    )


def with_weeks_of_before(
    tariffs: Sequence[Tariff], categories: Collection[str], month: dt.date, choices: Choices
) -> Choices:
    """
    Choices with those weeks that a version sold last on the day before a month.

    While it holds they had better begin later; once another version begins they cannot.
    """
    eve = month - ONE_DAY
    of_eve = next((own for own in tariffs if own.is_valid_on(eve)), None)
    if of_eve is None or of_eve.is_valid_on(month):
        return choices
    own = [(category.id, category.permille) for category in of_eve.categories]
    slots = [(None, LIST_PRICE), *(slot for slot in own if slot[0] in categories)]
    sold = {
        CarriedWeek(product.id, slot, eve): product.price_for(slot, permille)
        for product in of_eve.products
        for slot, permille in slots
        if product.period is Period.ROLLING_7D
    }
    found = {own.weeks: own.cents for own in choices}
    for known in (Carried(0, ()), *choices):
        names = {week.name for week in known.weeks}
        more = [week for week in sold if week.name not in names]
        for count in range(1, MOST + 1 - len(known.weeks)):
            for chosen in itertools.combinations(more, count):
                weeks = put_together((*known.weeks, *chosen))
                cents = known.cents + sum(sold[week] for week in chosen)
                found[weeks] = min(found.get(weeks, cents), cents)
    return in_order(Carried(cents, weeks) for weeks, cents in found.items())


def split_cents(cents: int, prices: Sequence[int]) -> list[int]:
    """What each of some weeks is of what they add, by their prices; the last one the rest."""
    if not prices:
        return []
    whole = sum(prices)
    parts = [cents * price // whole if whole else 0 for price in prices[:-1]]
    return [*parts, cents - sum(parts)]


def _is_as_good(other: tuple[CarriedWeek, ...], weeks: tuple[CarriedWeek, ...]) -> bool:
    ends = {week.name: week.since for week in other}
    return all(ends.get(week.name, dt.date.min) >= week.since for week in weeks)


def _order(week: CarriedWeek) -> tuple[str, str, dt.date]:
    return week.product, week.category or "", week.since
