"""
The search for the cheapest bill: which legs products cover, and how the others are joined.

Day by day over bits of legs. A product that lasts longer than a day is decided on when it begins;
what is left of a day is cut into fare journeys by the cheapest cut. `tests/oracles/bill_oracle.py`
tries everything instead.
"""

from __future__ import annotations

import bisect
import datetime as dt
import functools
import itertools
import operator
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from core.errors import InvalidInput
from payments.alone import Terms, price_alone, terms_of
from payments.bill import Bill, Charge, Proof
from payments.carried_weeks import (
    MOST,
    SIX_DAYS,
    CarriedWeek,
    Choices,
    Name,
    put_together,
    split_cents,
    worth_keeping,
)
from payments.cutting import CENTS, Piece, cheapest_cut, price_joined
from payments.tariff import (
    LIST_PRICE,
    FareJourney,
    FareLeg,
    Period,
    Product,
    Single,
    Tariff,
)

DAYS_LIMIT = 370
"""A year, of days on which a rider travels: the search goes one step deeper for each."""
PRODUCTS_AT_ONCE = 10
"""Products that may be worth their price from one day on: 1,024 choices; tariffs have few."""


class _Reach(NamedTuple):
    """A product for a rider of one category, or of none."""

    tariff: Tariff
    product: Product
    category: str | None
    price_cents: int
    cover: int
    """Bits of the rows of the legs that it makes free, were it good for ever."""
    cents: list[int]
    """What those before each day cost alone."""
    counts: list[int] | None
    """Legs before each day that count against its limit, if it has one."""

    def may_be_had(self, begin: int, end: int) -> bool:
        """Whether a rider has no more legs from one day until before another than it is for."""
        most = self.product.most_legs
        return self.counts is None or most is None or self.counts[end] - self.counts[begin] <= most


class _Pass(NamedTuple):
    """A product from one of its first days on."""

    cover: int
    """Bits of the rows of the legs that it makes free."""
    reasons: int
    """Those of which one must be left to pay when it begins: else it had better begin later."""
    cents: int
    since: dt.date
    reach: _Reach
    is_worth: bool
    """Whether it costs less than its legs by themselves."""


_Subset = tuple[int, int, tuple[_Pass, ...]]
"""Products, after their price and what they cover."""
NOTHING: tuple[_Subset] = ((0, 0, ()),)
_Begun = _Subset
"""Weeks that began before the first leg, after what they add to what was before."""
_Paid = tuple[int, tuple[_Pass, ...], list[Piece]]
"""A way to pay legs of a day: its price, the products bought, and the pieces that they leave."""


class Grouping:
    """
    One rider's legs while the cheapest bill is sought.

    Legs are bits of whole numbers. `_least_cents` goes through the days on which the rider travels;
    what it must know of those before is which of the later legs are left to pay.

    Parameters
    ----------
    legs
        In order of rating.
    choices
        Weeks that may have begun before the first of them, and what each choice adds.

    Raises
    ------
    InvalidInput
        The rider travels on more than `DAYS_LIMIT` fare days.
    """

    def __init__(
        self,
        tariffs: Sequence[Tariff],
        legs: Sequence[FareLeg],
        proofs: Sequence[Proof],
        choices: Choices = (),
    ) -> None:
        self._tariffs, self._legs, self._proofs = tariffs, tuple(legs), proofs
        self._singles: dict[int, Single] = {}
        self._unpriced: list[tuple[int, str]] = []
        self._days: list[dt.date] = []
        self._rows: list[list[int]] = []
        self._terms: list[Terms] = []
        self._place()
        self._starts = list(itertools.accumulate(map(len, self._rows), initial=0))
        by_day = [(row, t) for rows, t in zip(self._rows, self._terms, strict=True) for row in rows]
        self._priced = [(self._legs[row], terms) for row, terms in by_day]
        self._bits_by_day = [1 << row for row, _ in by_day]
        self._cents_by_day = [self._singles[row].cents for row, _ in by_day]
        self._before = self._sums_before(self._bits_by_day)
        self._bits = [after ^ before for before, after in itertools.pairwise(self._before)]
        self._own_day: dict[int, list[_Pass]] = {}
        self._longer: dict[int, list[_Pass]] = {}
        for i, own in self._passes() if self._may_buy() else ():
            is_longer = own.reach.product.period is not Period.FARE_DAY
            (self._longer if is_longer else self._own_day).setdefault(i, []).append(own)
        for passes in (*self._own_day.values(), *self._longer.values()):
            passes[:] = _undominated(passes)
        self._paid: dict[int, _Paid] = {0: (0, (), [])}
        self._best: dict[tuple[int, int], tuple[int, tuple[_Pass, ...]]] = {}
        self._choices: list[_Begun] = [*NOTHING, *self._begun(choices)]

    def _place(self) -> None:
        """Put each leg on its fare day with its price."""
        clock = self._tariffs[0].clock
        days: dict[dt.date, tuple[Terms | None, list[int]]] = {}
        for row, leg in enumerate(self._legs):
            local, day = clock(leg)
            known = days.get(day)
            if known is None:
                known = days[day] = self._terms_on(day), []
            terms, rows = known
            single = "no_tariff_on_day" if terms is None else price_alone(terms, leg, local)
            if isinstance(single, str):
                self._unpriced.append((row, single))
            else:
                self._singles[row] = single
                rows.append(row)
        if len(days) > DAYS_LIMIT:
            raise InvalidInput(
                f"legs of more than {DAYS_LIMIT} fare days: rate them month by month"
            )
        for day in sorted(days):
            terms, rows = days[day]
            if terms is not None and rows:
                self._days.append(day)
                self._rows.append(rows)
                self._terms.append(terms)

    def _may_buy(self) -> bool:
        """Whether the legs cost more than some product: those of one itinerary seldom do."""
        alone = sum(self._cents_by_day)
        least = (tariff.least_product_cents for tariff in self._tariffs)
        return any(cents is not None and cents < alone for cents in least)

    def _terms_on(self, fare_day: dt.date) -> Terms | None:
        tariff = self._version(fare_day)
        return None if tariff is None else terms_of(tariff, self._proofs, fare_day)

    def bill(self) -> Bill:
        """Find the cheapest bill."""
        left = self._before[-1]
        _, cover, begun = min(self._choices, key=lambda own: self._cents_with(own, left))
        bought = [(own, own.cover) for own in begun]
        left &= ~cover
        charges: list[Charge] = []
        paid = 0
        for i, bits in enumerate(self._bits):
            _, longer = self._best.get((i, left), (0, ()))
            _, today, pieces = self._day(i, left & bits & ~_together(longer))
            for own in (*longer, *today):
                bought.append((own, own.cover & left))
                left &= ~own.cover
            for piece in pieces:
                charges.append(self._charge(self._terms[i], *piece))
                paid |= sum(1 << row for row in piece[0])
            left &= ~bits
        charges += [_product_charge(own, _rows_of(cover & ~paid)) for own, cover in bought]
        charges.sort(key=lambda charge: charge.legs)
        return Bill(self._legs, tuple(charges), tuple(self._unpriced))

    def choices_left(self, until: dt.date) -> Choices:
        """Weeks that are still good on a day after all legs, and what they add to the bill."""

        def least_cents(covered: int) -> int:
            left = self._before[-1] & ~covered
            return min(self._cents_with(own, left) for own in self._choices)

        late: dict[tuple[CarriedWeek, ...], tuple[int, int]] = {}
        for _, own in self._passes(worth=False):
            product, category = own.reach.product, own.reach.category
            is_week = product.period is Period.ROLLING_7D
            if is_week and own.since + SIX_DAYS >= until and own.cover:
                late[CarriedWeek(product.id, category, own.since),] = own.cents, own.cover
        for pair in itertools.combinations(list(late), MOST):
            weeks = put_together(week for own in pair for week in own)
            if len({week.name for week in weeks}) == MOST:
                (cents, cover), (other_cents, other_cover) = (late[own] for own in pair)
                late[weeks] = cents + other_cents, cover | other_cover
        before = least_cents(0) if late else 0
        added = {
            weeks: cents + least_cents(cover) - before for weeks, (cents, cover) in late.items()
        }
        prices = {name: reach.price_cents for name, reach in self._weeks_of(until).items()}
        return worth_keeping(added, prices)

    def _weeks_of(self, day: dt.date) -> dict[Name, _Reach]:
        """Weeks that may begin on a day."""
        tariff = self._version(day)
        reaches = () if tariff is None else self._reaches(tariff, Period.ROLLING_7D)
        return {(reach.product.id, reach.category): reach for reach in reaches}

    def _begun(self, choices: Choices) -> Iterator[_Begun]:
        """Choices that cover some leg; a week of which nothing is known any more covers none."""
        sold = {week.since for own in choices for week in own.weeks}
        reaches = {since: self._weeks_of(since) for since in sold}
        for choice in choices:
            cover, weeks = 0, []
            for week in choice.weeks:
                reach = reaches[week.since].get(week.name)
                if reach is not None:
                    behind = bisect.bisect_right(self._days, week.last)
                    own = reach.cover & self._before[behind] & ~cover
                    if own:
                        weeks.append(_Pass(own, own, reach.price_cents, week.since, reach, True))
                    cover |= own
            cents = split_cents(choice.cents, [own.cents for own in weeks])
            shared = zip(weeks, cents, strict=True)
            if weeks:
                yield choice.cents, cover, tuple(own._replace(cents=part) for own, part in shared)

    def _cents_with(self, begun: _Begun, left: int) -> int:
        """What legs cost at least with some weeks that began before."""
        cents, cover, _ = begun
        return cents + self._least_cents(0, left & ~cover)

    def _version(self, fare_day: dt.date) -> Tariff | None:
        for tariff in self._tariffs:
            if tariff.is_valid_on(fare_day):
                return tariff
        return None

    def passes_of(self, product_id: str) -> Iterator[tuple[int, int]]:
        """Bits of the legs that a product covers, and its price, from each day on."""
        for _, own in self._passes(worth=False):
            if own.reach.product.id == product_id and own.cover:
                yield own.cover, own.cents

    def _passes(self, *, worth: bool = True) -> Iterator[tuple[int, _Pass]]:
        """
        Products from days of travel on; with `worth` those that may make a bill cheaper.

        They cost less than their legs; or, where a leg may part others, than all of their days.
        """
        before = self._before
        may_part = any(tariff.may_part for tariff in self._tariffs)
        every = self._sums_before(self._cents_by_day)
        for period, begins in self._begins():
            begins_once = period is Period.CALENDAR_MONTH
            for tariff in self._tariffs:
                if not any(tariff.is_valid_on(since) for _, since, _ in begins):
                    continue
                for reach in self._reaches(tariff, period):
                    price_cents, cents = reach.price_cents, reach.cents
                    for i, since, end in begins:
                        is_worth = cents[end] - cents[i] > price_cents
                        may_be = is_worth or (may_part and every[end] - every[i] > price_cents)
                        if (
                            (may_be or not worth)
                            and tariff.is_valid_on(since)
                            and reach.may_be_had(i, end)
                        ):
                            cover = reach.cover & (before[end] ^ before[i])
                            # On a version's last day it cannot begin later at the same price.
                            is_last = begins_once or since == tariff.valid_to
                            reasons = cover if is_last else cover & self._bits[i]
                            yield i, _Pass(cover, reasons, price_cents, since, reach, is_worth)

    def _begins(self) -> Iterator[tuple[Period, list[tuple[int, dt.date, int]]]]:
        """Days on which products may begin: since when, and the first day of travel behind them."""
        days, behind = self._days, functools.partial(bisect.bisect_right, self._days)
        yield Period.FARE_DAY, [(i, day, i + 1) for i, day in enumerate(days)]
        yield Period.ROLLING_7D, [(i, day, behind(day + SIX_DAYS)) for i, day in enumerate(days)]
        for last in [t.valid_to for t in self._tariffs if t.valid_to is not None]:
            # A week at an old price covers a day of travel and none before: later ones cover more.
            i = behind(last)
            if i < len(days) and days[i] - last <= SIX_DAYS and last not in days:
                yield Period.ROLLING_7D, [(i, last, behind(last + SIX_DAYS))]
        before = zip(days, [dt.date.min, *days], strict=False)
        new = [i for i, (day, other) in enumerate(before) if (day - other).days >= day.day]
        months = [(i, days[i].replace(day=1), behind(_end_of_month(days[i]))) for i in new]
        yield Period.CALENDAR_MONTH, months

    def _reaches(self, tariff: Tariff, period: Period) -> Iterator[_Reach]:
        """What each product of a period covers on all days, for each category of riders."""
        shares: list[tuple[str | None, int]] = [(None, LIST_PRICE)]
        if self._proofs:
            shares += [(category.id, category.permille) for category in tariff.categories]
        for product in tariff.products:
            if product.period is not period:
                continue
            counts = None
            if product.most_legs is not None:
                counts = self._sums_before(product.covers(leg) for leg, _ in self._priced)
            for category, permille in shares:
                price_cents = product.price_for(category, permille)
                cover, cents = self._covered(product, category)
                yield _Reach(tariff, product, category, price_cents, cover, cents, counts)

    def _covered(self, product: Product, category: str | None) -> tuple[int, list[int]]:
        free = [category in t.shares and product.covers(leg) for leg, t in self._priced]
        cents = map(operator.mul, free, self._cents_by_day)
        return sum(itertools.compress(self._bits_by_day, free)), self._sums_before(cents)

    def _sums_before(self, values: Iterable[int]) -> list[int]:
        """Sums over the legs before each day of travel, and over all."""
        sums = list(itertools.accumulate(values, initial=0))
        return [sums[start] for start in self._starts]

    def _least_cents(self, i: int, left: int) -> int:
        """What legs of a day and of those after it cost at least."""
        cents = 0
        while left:
            for own in self._longer.get(i, ()):
                if own.reasons & left:
                    return cents + self._choice(i, left)
            today = self._bits[i] & left
            if today:
                cents += self._day(i, today)[0]
                left ^= today
            i += 1
        return cents

    def _choice(self, i: int, left: int) -> int:
        """What they cost at least, with the best of the longer products that may begin on it."""
        known = self._best.get((i, left))
        if known is not None:
            return known[0]
        bits = self._bits[i]
        best: tuple[int, tuple[_Pass, ...]] | None = None
        for price, cover, chosen in _subsets([p for p in self._longer[i] if p.reasons & left]):
            if best is not None and price >= best[0]:
                continue
            after = left & ~cover
            cents = price + self._day(i, after & bits)[0]
            if best is not None and cents >= best[0]:
                continue
            cents += self._least_cents(i + 1, after & ~bits)
            if best is None or cents < best[0]:
                best = cents, chosen
        assert best is not None
        self._best[i, left] = best
        return best[0]

    def _day(self, i: int, left: int) -> _Paid:
        """Cheapest way to pay legs of one day: by its products, one by one or joined."""
        best = self._paid.get(left)
        if best is not None:
            return best
        useful = [own for own in self._own_day.get(i, ()) if own.reasons & left]
        for price, cover, chosen in _subsets(useful):
            if best is not None and price >= best[0]:
                continue
            cents, pieces = cheapest_cut(
                self._legs, self._singles, self._terms[i], self._rows[i], left & ~cover
            )
            if best is None or price + cents < best[0]:
                best = price + cents, chosen, pieces
        assert best is not None
        self._paid[left] = best
        return best

    def _charge(self, terms: Terms, rows: tuple[int, ...], by: FareJourney | None) -> Charge:
        kind, own = "leg", self._singles[rows[0]]
        if by is not None:
            dearest = max([self._singles[row] for row in rows], key=CENTS)
            kind, own = "fare_journey", price_joined(terms, by, dearest)
        tariff_hash = terms.tariff.content_hash
        return Charge(own.rule, kind, rows, own.cents, tariff_hash, None, own.category)


def _product_charge(own: _Pass, legs: tuple[int, ...]) -> Charge:
    tariff, product, category, *_ = own.reach
    return Charge(product.id, "product", legs, own.cents, tariff.content_hash, own.since, category)


def _subsets(passes: Sequence[_Pass]) -> Iterable[_Subset]:
    """All of them, the smallest first: of two bills alike the one with fewer products is taken."""
    if not passes:
        return NOTHING
    if len(passes) == 1:
        return *NOTHING, (passes[0].cents, passes[0].cover, (passes[0],))
    most = passes
    if len(passes) > PRODUCTS_AT_ONCE:
        most = sorted(passes, key=lambda own: not own.is_worth)[:PRODUCTS_AT_ONCE]
    return (
        (sum([own.cents for own in chosen]), _together(chosen), chosen)
        for count in range(len(most) + 1)
        for chosen in itertools.combinations(most, count)
    )


def _together(passes: Iterable[_Pass]) -> int:
    cover = 0
    for own in passes:
        cover |= own.cover
    return cover


def _undominated(passes: list[_Pass]) -> list[_Pass]:
    """Without those of which another covers as much for as little."""
    if len(passes) <= 1:
        return passes
    kept: list[_Pass] = []
    for own in sorted(passes, key=lambda p: (p.cents, -p.cover.bit_count(), p.reach.product.id)):
        if not any(own.cover & ~other.cover == 0 for other in kept):
            kept.append(own)
    return kept


def _rows_of(bits: int) -> tuple[int, ...]:
    return tuple([row for row in range(bits.bit_length()) if bits >> row & 1])


def _end_of_month(day: dt.date) -> dt.date:
    return (day.replace(day=1) + dt.timedelta(days=32)).replace(day=1) - dt.timedelta(days=1)
