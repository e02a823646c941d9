"""
The search for the cheapest bill: which legs products cover, and how the others are joined.

Day by day over bits of legs. A product that lasts longer than a day is decided on when it begins;
what is left of a day is cut into fare journeys by the cheapest cut. `tests/oracles/bill_oracle.py`
tries everything instead.
"""

from __future__ import annotations

import bisect
import datetime as dt
import itertools
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from core.money import round_half_up
from payments.alone import Single, Terms, are_joined, price_alone, terms_of
from payments.bill import Bill, Charge, Proof
from payments.tariff import (
    LIST_PRICE,
    FareJourney,
    FareLeg,
    Period,
    Product,
    Tariff,
)

SIX_DAYS = dt.timedelta(days=6)
PRODUCTS_AT_ONCE = 10
"""Products that may be worth their price from one day on: 1,024 choices; tariffs have few."""


class _Pass(NamedTuple):
    """A product from one of its first days on, for a rider of one category or of none."""

    cover: int
    """Bits of the rows of the legs that it makes free."""
    cents: int
    product: Product
    since: dt.date
    category: str | None
    tariff: Tariff


class _Reach(NamedTuple):
    """A product for a category: what it would cover before each day, and what that costs alone."""

    product: Product
    category: str | None
    price_cents: int
    cover: list[int]
    cents: list[int]


class _Piece(NamedTuple):
    """Legs that are paid together, or one."""

    rows: tuple[int, ...]
    by: FareJourney | None


class _Paid(NamedTuple):
    """A way to pay legs of a day."""

    cents: int
    bought: tuple[_Pass, ...]
    pieces: tuple[_Piece, ...]


class _Onward(NamedTuple):
    """A way to pay all legs from a day on."""

    cents: int
    bought: tuple[_Pass, ...]
    """Products for longer than a day that begin on it."""


class Grouping:
    """
    One rider's legs while the cheapest bill is sought.

    Legs are bits of whole numbers. `_least_cents` goes through the days on which the rider travels;
    what it must know of those before is which later legs are covered already.
    """

    def __init__(
        self, tariffs: Sequence[Tariff], legs: Sequence[FareLeg], proofs: Sequence[Proof]
    ) -> None:
        self._tariffs, self._legs, self._proofs = tariffs, tuple(legs), proofs
        self._singles: dict[int, Single] = {}
        self._unpriced: list[tuple[int, str]] = []
        self._days: list[dt.date] = []
        self._rows: list[list[int]] = []
        self._terms: list[Terms] = []
        self._place()
        self._bits = [sum(1 << row for row in rows) for rows in self._rows]
        self._later = [0] * (len(self._days) + 1)
        for i in range(len(self._days) - 1, -1, -1):
            self._later[i] = self._later[i + 1] | self._bits[i]
        self._reach: dict[tuple[int, Period], list[_Reach]] = {}
        passes = list(self._find_passes()) if self._may_buy() else [([], [])] * len(self._days)
        self._own_day = [own_day for own_day, _ in passes]
        self._longer = [longer for _, longer in passes]
        self._paid: dict[int, _Paid] = {0: _Paid(0, (), ())}
        self._best: dict[tuple[int, int], _Onward] = {}

    def _place(self) -> None:
        """Put each leg on its fare day with its price."""
        clock = self._tariffs[0].clock
        known: dict[dt.date, Terms | None] = {}
        rows_of: dict[dt.date, list[int]] = {}
        for row, leg in enumerate(self._legs):
            local, day = clock(leg)
            if day not in known:
                known[day] = self._terms_on(day)
            terms = known[day]
            single = "no_tariff_on_day" if terms is None else price_alone(terms, leg, local)
            if isinstance(single, str):
                self._unpriced.append((row, single))
            else:
                self._singles[row] = single
                rows_of.setdefault(day, []).append(row)
        for day in sorted(rows_of):
            terms = known[day]
            assert terms is not None
            self._days.append(day)
            self._rows.append(rows_of[day])
            self._terms.append(terms)

    def _may_buy(self) -> bool:
        """Whether the legs cost more than some product: those of one itinerary seldom do."""
        alone = sum(single.cents for single in self._singles.values())
        least = (tariff.least_product_cents for tariff in self._tariffs)
        return any(cents is not None and cents < alone for cents in least)

    def _terms_on(self, fare_day: dt.date) -> Terms | None:
        tariff = self._version(fare_day)
        return None if tariff is None else terms_of(tariff, self._proofs, fare_day)

    def bill(self) -> Bill:
        """Find the cheapest bill."""
        charges: list[Charge] = []
        cover = 0
        for i, bits in enumerate(self._bits):
            useful = self._useful(i, cover)
            bought = self._choice(i, cover & self._later[i], useful).bought if useful else ()
            today = self._day(i, bits & ~cover & ~_together(bought))
            for own in (*bought, *today.bought):
                legs = _rows_of(own.cover & ~cover)
                cover |= own.cover
                charges.append(_product_charge(own, legs))
            charges += [self._charge(self._terms[i], piece) for piece in today.pieces]
        charges.sort(key=lambda charge: charge.legs)
        return Bill(self._legs, tuple(charges), tuple(self._unpriced))

    def _version(self, fare_day: dt.date) -> Tariff | None:
        for tariff in self._tariffs:
            if tariff.is_valid_on(fare_day):
                return tariff
        return None

    def passes_of(self, product_id: str) -> Iterator[tuple[int, int]]:
        """Bits of the legs that a product covers, and its price, from each day on."""
        for i in range(len(self._days)):
            for period, since, end in self._begins(i):
                for own in self._passes_from(i, end, period, since, worth=False):
                    if own.product.id == product_id and own.cover:
                        yield own.cover, own.cents

    def _find_passes(self) -> Iterator[tuple[list[_Pass], list[_Pass]]]:
        """By day of travel: its own products, and longer ones from it on, that may be worth it."""
        for i in range(len(self._days)):
            own_day: list[_Pass] = []
            longer: list[_Pass] = []
            for period, since, end in self._begins(i):
                passes = self._passes_from(i, end, period, since)
                (own_day if period is Period.FARE_DAY else longer).extend(passes)
            yield _undominated(own_day), _undominated(longer)

    def _begins(self, i: int) -> Iterator[tuple[Period, dt.date, int]]:
        """Products to think of on a day of travel: since when, and the first day behind them."""
        day, before = self._days[i], self._days[i - 1] if i else dt.date.min
        yield Period.FARE_DAY, day, i + 1
        for since in self._week_starts(before, day):
            end = bisect.bisect_right(self._days, since + SIX_DAYS, i)
            yield Period.ROLLING_7D, since, end
        first = day.replace(day=1)
        if before < first:
            yield (
                Period.CALENDAR_MONTH,
                first,
                bisect.bisect_right(self._days, _end_of_month(day), i),
            )

    def _week_starts(self, before: dt.date, day: dt.date) -> list[dt.date]:
        """First days of weeks that cover a day of travel and none before: later ones cover more."""
        if len(self._tariffs) == 1:
            return [day]
        old = (t.valid_to for t in self._tariffs if t.valid_to is not None)  # at their own prices
        return [day, *(last for last in old if before < last < day <= last + SIX_DAYS)]

    def _passes_from(
        self, i: int, end: int, period: Period, since: dt.date, *, worth: bool = True
    ) -> list[_Pass]:
        """Products of some days; with `worth` those that cost less than what they cover."""
        tariff = self._version(since)
        if tariff is None:
            return []
        return [
            _Pass(
                reach.cover[end] & ~reach.cover[i], reach.price_cents, reach.product, since,
                reach.category, tariff,
            )
            for reach in self._reaches(tariff, period)
            if not worth or reach.cents[end] - reach.cents[i] > reach.price_cents
        ]  # fmt: skip

    def _reaches(self, tariff: Tariff, period: Period) -> list[_Reach]:
        """What each product of a period covers on all days, for each category of riders."""
        known = self._reach.get((id(tariff), period))
        if known is not None:
            return known
        shares: list[tuple[str | None, int]] = [(None, LIST_PRICE)]
        if self._proofs:
            shares += [(category.id, category.permille) for category in tariff.categories]
        found = []
        for product in tariff.products:
            if product.period is not period:
                continue
            for category, permille in shares:
                price_cents = round_half_up(product.price_cents * permille, LIST_PRICE)
                if category is not None and product.category_cents is not None:
                    price_cents = product.category_cents.get(category, price_cents)
                cover, cents = self._covered(product, category)
                found.append(_Reach(product, category, price_cents, cover, cents))
        self._reach[id(tariff), period] = found
        return found

    def _covered(self, product: Product, category: str | None) -> tuple[list[int], list[int]]:
        cover, cents = [0], [0]
        for rows, terms in zip(self._rows, self._terms, strict=True):
            bits = total = 0
            if category in terms.shares:
                for row in rows:
                    if product.covers(self._legs[row]):
                        bits |= 1 << row
                        total += self._singles[row].cents
            cover.append(cover[-1] | bits)
            cents.append(cents[-1] + total)
        return cover, cents

    def _least_cents(self, i: int, cover: int) -> int:
        """What all legs from a day on cost at least, some of them being covered."""
        cents = 0
        while True:
            cover &= self._later[i]
            if cover == self._later[i]:
                return cents
            useful = self._useful(i, cover)
            if useful:
                return cents + self._choice(i, cover, useful).cents
            cents += self._day(i, self._bits[i] & ~cover).cents
            i += 1

    def _useful(self, i: int, cover: int) -> list[_Pass]:
        """Longer products to think of on a day; of weeks those that cover one of its legs."""
        today = self._bits[i] & ~cover  # others had better begin later
        return [
            own
            for own in self._longer[i]
            if own.cover & (~cover if own.product.period is Period.CALENDAR_MONTH else today)
        ]

    def _choice(self, i: int, cover: int, useful: Sequence[_Pass]) -> _Onward:
        """Which longer products to buy on a day."""
        known = self._best.get((i, cover))
        if known is not None:
            return known
        bits, best = self._bits[i], None
        for chosen in _subsets(useful):
            cents = sum(own.cents for own in chosen)
            if best is not None and cents >= best.cents:
                continue
            after = cover | _together(chosen)
            cents += self._day(i, bits & ~after).cents
            if best is not None and cents >= best.cents:
                continue
            cents += self._least_cents(i + 1, after)
            if best is None or cents < best.cents:
                best = _Onward(cents, chosen)
        assert best is not None
        self._best[i, cover] = best
        return best

    def _day(self, i: int, uncovered: int) -> _Paid:
        """Cheapest way to pay legs of one day: by its products, one by one or joined."""
        known = self._paid.get(uncovered)
        if known is not None:
            return known
        best = None
        useful = [own for own in self._own_day[i] if own.cover & uncovered]
        for chosen in _subsets(useful):
            cents = sum(own.cents for own in chosen)
            if best is not None and cents >= best.cents:
                continue
            rest, pieces = self._cut(i, uncovered & ~_together(chosen))
            if best is None or cents + rest < best.cents:
                best = _Paid(cents + rest, chosen, pieces)
        assert best is not None
        self._paid[uncovered] = best
        return best

    def _cut(self, i: int, uncovered: int) -> tuple[int, tuple[_Piece, ...]]:
        """Cheapest cut of legs that follow one another into fare journeys and single legs."""
        tariff, singles = self._terms[i].tariff, self._singles
        journeys, joined = tariff.fare_journeys, tariff.joined_modes
        cents, pieces, rows = 0, [], []
        for row in self._rows[i]:
            if uncovered >> row & 1:
                if self._legs[row].mode in joined:
                    rows.append(row)
                else:
                    cents += singles[row].cents
                    pieces.append(_Piece((row,), None))
        # best[n]: least price of the first n legs, where its last piece begins, and by what joined.
        best: list[tuple[int, int, FareJourney | None]] = [(0, 0, None)]
        for end in range(1, len(rows) + 1):
            option: tuple[int, int, FareJourney | None] = (
                best[end - 1][0] + singles[rows[end - 1]].cents, end - 1, None,
            )  # fmt: skip
            for start in range(end - 2, -1, -1):
                span = self._legs[rows[end - 1]].board_at - self._legs[rows[start]].board_at
                near = [j for j in journeys if span.total_seconds() <= j.window_s]
                if not near:
                    break
                for journey in near:
                    if are_joined(journey, [self._legs[row] for row in rows[start:end]]):
                        price, _ = self._journey_cents(self._terms[i], journey, rows[start:end])
                        if (best[start][0] + price, start) < option[:2]:
                            option = best[start][0] + price, start, journey
            best.append(option)
        end = len(rows)
        while end > 0:
            _, start, by = best[end]
            pieces.append(_Piece(tuple(rows[start:end]), by))
            end = start
        return cents + best[-1][0], tuple(pieces)

    def _journey_cents(
        self, terms: Terms, journey: FareJourney, rows: Sequence[int]
    ) -> tuple[int, Single]:
        """Price of legs that are joined, and of the leg or category by which it is that."""
        if journey.price_cents is None:
            dearest = max((self._singles[row] for row in rows), key=lambda single: single.cents)
            return dearest.cents, dearest
        category = min(terms.shares, key=lambda category: terms.shares[category])
        cents = round_half_up(journey.price_cents * terms.shares[category], LIST_PRICE)
        return cents, Single(cents, journey.id, category)

    def _charge(self, terms: Terms, piece: _Piece) -> Charge:
        if piece.by is None:
            kind, own = "leg", self._singles[piece.rows[0]]
        else:
            kind, (_, own) = "fare_journey", self._journey_cents(terms, piece.by, piece.rows)
        tariff_hash = terms.tariff.content_hash
        return Charge(own.rule, kind, piece.rows, own.cents, tariff_hash, None, own.category)


def _product_charge(own: _Pass, legs: tuple[int, ...]) -> Charge:
    return Charge(
        own.product.id, "product", legs, own.cents, own.tariff.content_hash, own.since, own.category
    )


def _subsets(passes: Sequence[_Pass]) -> Iterator[tuple[_Pass, ...]]:
    """All of them, the smallest first: of two bills alike the one with fewer products is taken."""
    if len(passes) <= 1:
        yield ()
        if passes:
            yield (passes[0],)
        return
    most = passes[:PRODUCTS_AT_ONCE]
    for count in range(len(most) + 1):
        yield from itertools.combinations(most, count)


def _together(passes: Iterable[_Pass]) -> int:
    cover = 0
    for own in passes:
        cover |= own.cover
    return cover


def _undominated(passes: Iterable[_Pass]) -> list[_Pass]:
    """Without those of which another covers as much for as little."""
    found = list(passes)
    kept: list[_Pass] = []
    if len(found) <= 1:
        return found
    for own in sorted(found, key=lambda p: (p.cents, -p.cover.bit_count(), p.product.id)):
        if not any(own.cover & ~other.cover == 0 for other in kept):
            kept.append(own)
    return kept


def _rows_of(bits: int) -> tuple[int, ...]:
    return tuple(row for row in range(bits.bit_length()) if bits >> row & 1)


def _end_of_month(day: dt.date) -> dt.date:
    return (day.replace(day=1) + dt.timedelta(days=32)).replace(day=1) - dt.timedelta(days=1)
