"""How riders can pay, as tables of kernels: rules, calendar, products and fare journeys."""

from __future__ import annotations

import datetime as dt
import functools
import itertools
from collections.abc import Collection, Iterable, Iterator, Sequence
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

from payments.alone import is_for
from payments.alone_kernels import HOLIDAY_BIT, ClockTables, PriceTables, price_legs
from payments.carried_weeks import Carried, CarriedWeek, Choices, in_order, put_together
from payments.charge_kernels import list_charges
from payments.day_kernels import COLUMNS
from payments.kernels import (
    CALENDAR_MONTH,
    FARE_DAY,
    LEFT,
    ROLLING_7D,
    WEEK,
    keep_choices,
    rate_riders,
)
from payments.leg_columns import EPOCH, Kind, LegArrays, LegColumns, Proofs, leg_of_kind
from payments.month import month_after
from payments.tariff import (
    HOLIDAY,
    LIST_PRICE,
    MILLICENTS,
    MODES,
    WEEKDAYS,
    FareLeg,
    Period,
    Product,
    Tariff,
)

Int64 = npt.NDArray[np.int64]
PASS_LIMIT = 10
"""Products, and categories for which they are reduced: a table has two to this power columns."""
CODE = {
    Period.FARE_DAY: FARE_DAY,
    Period.ROLLING_7D: ROLLING_7D,
    Period.CALENDAR_MONTH: CALENDAR_MONTH,
}
BIT = {mode: 1 << nth for nth, mode in enumerate(MODES)}
WEEK_LIMIT = 2
BAND_LIMIT = 60
EPOCH_DAY = EPOCH.toordinal()
MONTH_DAYS = 32
DAY_S = 86_400
DAY_US = DAY_S * 1_000_000
LARGEST = 1 << 52
"""What a leg may cost in `MILLICENTS`: more is left to whole numbers without end."""
Choice = tuple[int, int, int]


class Begun:
    """
    Weeks of some riders that began before a month, as `rate_riders` takes them.

    Of a week that is not the tariff's own nothing is known.
    """

    def __init__(self, ways: Ways, choices: Sequence[Choices], month: dt.date) -> None:
        self.choices, self.month = choices, month
        days = (month.toordinal() - EPOCH_DAY, month_after(month).toordinal() - EPOCH_DAY)
        self.first_days = np.array(days, np.int64)
        rows = [[self._row(ways, own) for own in each] for each in choices]
        self.first, self.table = _firsts(rows), _table(itertools.chain.from_iterable(rows), 5)

    def _row(self, ways: Ways, choice: Carried) -> tuple[int, ...]:
        row = [choice.cents, -1, 0, -1, 0]
        for nth, week in enumerate(choice.weeks):
            left = (week.last - self.month).days + 1
            row[1 + 2 * nth : 3 + 2 * nth] = ways.weeks.get(week.name, -1), left
        return tuple(row)


NO_BEGUN = np.zeros((0, 5), np.int64), np.zeros(2, np.int64)
"""No weeks that began before, and days that are not asked for."""


class Ways:
    """How riders with some categories can pay by one version of a tariff."""

    def __init__(self, tariff: Tariff, categories: frozenset[str]) -> None:
        self.tariff = tariff
        self.slots = [None, *(c.id for c in tariff.categories if c.id in categories)]
        self.passes = [(product, slot) for product in tariff.products for slot in self.slots]
        self.weeks = {
            (product.id, slot): nth
            for nth, (product, slot) in enumerate(self.passes)
            if product.period is Period.ROLLING_7D
        }
        """Passes of a week, by product and category."""
        self._has_months = any(p.period is Period.CALENDAR_MONTH for p in tariff.products)
        self._fit = (
            len(self.passes) <= PASS_LIMIT
            and len(self.weeks) <= WEEK_LIMIT
            and len(tariff.time_bands) <= BAND_LIMIT
        )
        # Then a product may be worth more than its legs, which the kernel of charges does not know.
        self.may_list_charges = not (tariff.may_part and tariff.products)
        self._permille: dict[str | None, int] = {None: LIST_PRICE}
        self._permille |= {c.id: c.permille for c in tariff.categories}
        self._tables = self._pass_table(), *_join_tables(tariff)
        ids = [product.id for product, _ in self.passes]
        ranks = sorted(range(len(ids)), key=ids.__getitem__)
        self._ranks = np.array([ranks.index(nth) for nth in range(len(ids))], np.int64)
        self._rules = _rule_tables(tariff)
        self._said: dict[Kind, list[tuple[int, list[Choice]]]] = {}
        self._prices: tuple[object, PriceTables] | None = None

    def price(self, legs: LegColumns, riders: Int64) -> Int64 | None:
        """
        Price legs of some riders, as `rate_riders` takes them, one rider after the other.

        None where the kernels' tables cannot hold them.
        """
        if not self._fit or not self._are_small(legs.arrays) or self._begins_within(legs.arrays):
            return None
        counts = legs.arrays.first[riders + 1] - legs.arrays.first[riders]
        priced = np.empty((COLUMNS, int(counts.sum())), np.int64)
        clock, prices = self._clock(legs.arrays.board_us), self._prices_of(legs)
        return priced if price_legs(riders, legs.arrays, clock, prices, priced) else None

    def rate(self, spans: Int64, priced: Int64, begun: Begun | None = None) -> Int64:
        """Find the least total of each span of priced legs, shape (n, 2), of one rider each."""
        return self._rate(spans, priced, begun, np.zeros((len(spans), 0), np.int64))

    def rate_month(self, spans: Int64, priced: Int64, begun: Begun) -> tuple[Int64, list[Choices]]:
        """Find the same of legs of a month, and what each leaves to the next."""
        ends = np.zeros((len(spans), LEFT ** len(self.weeks)), np.int64)
        next_month = month_after(begun.month)
        is_on_sale = self.tariff.is_valid_on(next_month)
        totals = self._rate(spans, priced, begun, ends, is_on_sale=is_on_sale)
        if not self.weeks:
            return totals, [()] * len(spans)
        kept = np.zeros((len(spans) * (ends.shape[1] - 1), 5), np.int64)
        first = np.zeros(len(spans) + 1, np.int64)
        keep_choices(ends, self._tables[0], is_on_sale, kept, first)
        names, firsts = {p: name for name, p in self.weeks.items()}, first.tolist()
        eve = next_month - dt.timedelta(days=WEEK)
        found = [
            Carried(
                cents,
                put_together(
                    CarriedWeek(*names[p], eve + dt.timedelta(days=left))
                    for p, left in ((a, left_a), (b, left_b))
                    if p >= 0
                ),
            )
            for cents, a, left_a, b, left_b in kept[: firsts[-1]].tolist()
        ]
        return totals, [in_order(found[a:b]) for a, b in itertools.pairwise(firsts)]

    def _rate(
        self, spans: Int64, priced: Int64, begun: Begun | None, ends: Int64, *,
        is_on_sale: bool = True,
    ) -> Int64:  # fmt: skip
        totals = np.zeros(len(spans), np.int64)
        own = self._begun(spans, begun)
        rate_riders(spans, priced, *self._tables, *own, is_on_sale, totals, ends)
        return totals

    def _begun(self, spans: Int64, begun: Begun | None) -> tuple[Int64, Int64, Int64]:
        if begun is None:
            table, days = NO_BEGUN
            return table, np.zeros(len(spans) + 1, np.int64), days
        return begun.table, begun.first, begun.first_days

    def charge(
        self, spans: Int64, priced: Int64, begun: Begun | None = None
    ) -> tuple[Int64, Int64]:
        """Find the charges of each span of priced legs, as `list_charges` writes them."""
        owner = np.full(priced.shape[1], -1, np.int64)
        charges = np.zeros((priced.shape[1], 3), np.int64)
        passes, joins, patterns = self._tables
        table, first, days = self._begun(spans, begun)
        list_charges(
            spans, priced, passes, self._ranks, joins, patterns, table, first, int(days[0]),
            owner, charges,
        )  # fmt: skip
        return owner, charges

    def covering(self, mode: str, categories: Collection[str]) -> int:
        """Bits of passes that may cover a leg of a mode, of a rider with some categories."""
        return sum(
            1 << bit
            for bit, (product, slot) in enumerate(self.passes)
            if mode in product.modes and (slot is None or slot in categories)
        )

    def _are_small(self, legs: LegArrays) -> bool:
        metres, seconds = (int(column.max(initial=0)) for column in (legs.metres, legs.seconds))
        for rule in self.tariff.leg_prices:
            bases = itertools.chain((rule.by_zones or {}).values(), rule.by_zone_count or ())
            exact = max(rule.base_cents, rule.min_cents, *bases) * MILLICENTS
            exact += sum(tier.per_km_millicents for tier in rule.tiers) * metres * 60
            if exact + rule.per_min_millicents * seconds * 1000 > LARGEST:
                return False
        return True

    def _begins_within(self, legs: LegArrays) -> bool:
        """Whether some legs are of a month that began without the tariff, which sells none."""
        since = self.tariff.valid_from
        if since is None or since.day == 1 or not self._has_months:
            return False
        whole = month_after(since).toordinal() - EPOCH_DAY
        return bool(np.any(legs.board_us < (whole + 2) * DAY_US))

    def _clock(self, board_us: Int64) -> ClockTables:
        """The tariff's calendar around the first boarding and the last."""
        ends = (0, 0) if not len(board_us) else (int(board_us.min()), int(board_us.max()))
        first, last = (at_us // DAY_US for at_us in ends)
        return _clock_tables(self.tariff, first // MONTH_DAYS, last // MONTH_DAYS)

    def _prices_of(self, legs: LegColumns) -> PriceTables:
        """What the tariff says of some kinds of legs, kept for the next who has the same."""
        key = tuple(legs.kinds), tuple(legs.profiles)
        kept = self._prices
        if kept is None or kept[0] != key:
            kept = self._prices = key, self._price_tables(*key)
        return kept[1]

    def _price_tables(self, kinds: Sequence[Kind], profiles: Sequence[Proofs]) -> PriceTables:
        lines: dict[str, int] = {}
        facts = [(BIT[mode], lines.setdefault(route, len(lines))) for mode, _, route, _ in kinds]
        said = [own for kind in kinds for own in self._said_of(kind)]
        slot_of = {slot: nth for nth, slot in enumerate(self.slots)}
        proofs = [
            [
                (slot_of[p.category], p.valid_from.toordinal() - EPOCH_DAY,
                 p.valid_to.toordinal() - EPOCH_DAY)
                for p in profile if p.category in slot_of
            ]
            for profile in profiles
        ]  # fmt: skip
        return PriceTables(
            kinds=_table(facts, 2),
            covers=_table([(cover,) for cover, _ in said], 1).reshape(-1, len(self.slots)),
            choice_first=_firsts([own for _, own in said]),
            choices=_table([choice for _, own in said for choice in own], 3),
            rules=self._rules[0],
            tiers=self._rules[1],
            permille=np.array([self._permille[slot] for slot in self.slots], np.int64),
            proof_first=_firsts(proofs),
            proofs=_table([proof for own in proofs for proof in own], 3),
        )

    def _said_of(self, kind: Kind) -> list[tuple[int, list[Choice]]]:
        """By slot: bits of passes that cover a kind of legs, and rules that may price it."""
        if kind not in self._said:
            leg = leg_of_kind(kind)
            covering = [
                (slot, 1 << bit)
                for bit, (product, slot) in enumerate(self.passes)
                if product.covers(leg)
            ]
            self._said[kind] = [
                (sum(bit for of, bit in covering if of == slot), list(self._choices(leg, slot)))
                for slot in self.slots
            ]
        return self._said[kind]

    def _choices(self, leg: FareLeg, slot: str | None) -> Iterator[Choice]:
        bit_of = {band.id: 1 << nth for nth, band in enumerate(self.tariff.time_bands)}
        for nth, rule in enumerate(self.tariff.leg_prices):
            if leg.mode not in rule.when.modes or not is_for(rule.when, leg, slot):
                continue
            base_cents = rule.base_of(leg)
            if base_cents is None:
                continue
            if rule.when.bands is None:
                yield nth, base_cents, 0
                return
            bands = sum(bit_of.get(band, 0) for band in rule.when.bands)
            if bands:
                yield nth, base_cents, bands

    def _pass_table(self) -> Int64:
        """Shape (passes, 4): periods, prices and limits, as `rate_riders` takes them."""
        table = np.zeros((len(self.passes), 4), np.int64)
        for row, (product, slot) in enumerate(self.passes):
            cents = product.price_for(slot, self._permille[slot])
            most = -1 if product.most_legs is None else product.most_legs
            table[row] = CODE[product.period], cents, most, self._first_pass(product)
        return table

    def _first_pass(self, product: Product) -> int:
        """Row of a product as it is for everybody."""
        return self.passes.index((product, None))


def month_code(day: dt.date) -> int:
    """Number of a month: those that follow one another have numbers that do."""
    return day.year * 12 + day.month


def _rule_tables(tariff: Tariff) -> tuple[Int64, Int64]:
    """Rules, shape (r, 7), and their tiers, shape (t, 3), as `price_legs` takes them."""
    rules: list[tuple[int, ...]] = []
    tiers: list[tuple[int, ...]] = []
    for rule in tariff.leg_prices:
        begin = len(tiers)
        for tier in rule.tiers:
            to_m = -1 if tier.to_m is None else tier.to_m
            tiers.append((tier.from_m, to_m, tier.per_km_millicents))
        most = -1 if rule.max_cents is None else rule.max_cents
        rules.append(
            (
                rule.per_min_millicents,
                rule.free_s,
                rule.min_cents,
                most,
                begin,
                len(tiers),
                rule.round_to_cents,
            )
        )
    return _table(rules, 7), _table(tiers, 3)


def _join_tables(tariff: Tariff) -> tuple[Int64, Int64]:
    """Fare journeys, shape (j, 6), and their patterns, as `rate_riders` takes them."""
    journeys = tariff.fare_journeys
    longest = max((len(j.pattern) for j in journeys if j.pattern), default=0)
    joins = np.zeros((len(journeys), 6), np.int64)
    patterns = np.zeros((len(journeys), longest), np.int64)
    for row, journey in enumerate(journeys):
        pattern = journey.pattern or ()
        joins[row] = (
            journey.window_s, _bits(journey.modes), journey.most_legs or 0, journey.other_routes,
            len(pattern), journey.price_cents or 0,
        )  # fmt: skip
        patterns[row, : len(pattern)] = [_bits(modes) for modes in pattern]
    return joins, patterns


@functools.lru_cache(maxsize=64)
def _clock_tables(tariff: Tariff, first_span: int, last_span: int) -> ClockTables:
    """The calendar of spans of `MONTH_DAYS`: most riders ask for the same ones."""
    first, last = first_span * MONTH_DAYS, (last_span + 1) * MONTH_DAYS
    dates = np.arange(first - 3, last + 4)
    days = np.empty((len(dates), 3), np.int64)
    days[:, 0] = 1 << (dates + EPOCH_DAY - 1) % len(WEEKDAYS)  # day 1 was a Monday
    for date in tariff.holidays:
        row = date.toordinal() - EPOCH_DAY - int(dates[0])
        if 0 <= row < len(dates):
            days[row, 0] = HOLIDAY_BIT
    months = dates.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64)
    days[:, 1] = months + month_code(EPOCH.date())
    days[:, 2] = 1
    if tariff.valid_from is not None:
        days[dates < tariff.valid_from.toordinal() - EPOCH_DAY, 2] = 0
    if tariff.valid_to is not None:
        days[dates > tariff.valid_to.toordinal() - EPOCH_DAY, 2] = 0
    bit_of = {day: 1 << nth for nth, day in enumerate((*WEEKDAYS, HOLIDAY))}
    bands = [(sum(bit_of[d] for d in b.days), b.from_s, b.to_s) for b in tariff.time_bands]
    changes = _clock_changes(tariff.timezone, first - 1, last + 1)
    return ClockTables(changes, tariff.cutover_s, int(dates[0]), days, _table(bands, 3))


@functools.lru_cache(maxsize=64)
def _clock_changes(timezone: str, first: int, last: int) -> Int64:
    """Shape (c, 2): from which second clocks are how far ahead, from one day to another."""
    zone = ZoneInfo(timezone)

    def ahead_s(at_s: int) -> int:
        ahead = dt.datetime.fromtimestamp(at_s, zone).utcoffset()
        assert ahead is not None
        return int(ahead.total_seconds())

    changes = [(first * DAY_S, ahead_s(first * DAY_S))]
    for day in range(first, last + 1):
        before, after = day * DAY_S, (day + 1) * DAY_S
        if ahead_s(after) != changes[-1][1]:
            while after - before > 1:
                middle = (before + after) // 2
                if ahead_s(middle) == changes[-1][1]:
                    before = middle
                else:
                    after = middle
            changes.append((after, ahead_s(after)))
    return _table(changes, 2)


def _bits(modes: frozenset[str]) -> int:
    return sum(BIT[mode] for mode in modes)


def _table(rows: Iterable[tuple[int, ...]], width: int) -> Int64:
    return np.array(list(rows), np.int64).reshape(-1, width)


def _firsts(groups: Sequence[Sequence[object]]) -> Int64:
    """First of each group in all of them, one after the other, and the end of the last."""
    return np.cumsum([0, *map(len, groups)], dtype=np.int64)
