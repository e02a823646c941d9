"""
Bills the plain way: every set of legs that is paid, every cut of it, every set of products.

For a handful of legs. Prices of single legs are worked out with fractions.
"""

from __future__ import annotations

import datetime as dt
import itertools
import math
from collections import defaultdict
from collections.abc import Iterator, Sequence
from fractions import Fraction
from zoneinfo import ZoneInfo

from payments.bill import Proof
from payments.tariff import FareJourney, FareLeg, LegPrice, Period, Product, Tariff


def cheapest_bill(
    tariffs: Sequence[Tariff], legs: Sequence[FareLeg], proofs: Sequence[Proof] = ()
) -> int | None:
    """Cents of the cheapest lawful bill; None where a leg has no price."""
    legs = sorted(legs, key=lambda leg: leg.board_at)
    zone = ZoneInfo(tariffs[0].timezone)
    days = [
        (leg.board_at.astimezone(zone).replace(tzinfo=None) - dt.timedelta(seconds=t.cutover_s))
        .date()
        for leg in legs
        for t in tariffs[:1]
    ]  # fmt: skip
    singles = [single(tariffs, proofs, leg, day, zone) for leg, day in zip(legs, days, strict=True)]
    if None in singles:
        return None
    cents = [each for each in singles if each is not None]
    covers = list(products(tariffs, proofs, legs, days))
    best = sum(cents)
    for paid in itertools.product((False, True), repeat=len(legs)):
        free = frozenset(row for row, own in enumerate(paid) if not own)
        covering = cheapest_cover(free, covers)
        if covering is None or covering >= best:
            continue
        by_day = defaultdict(list)
        for row, own in enumerate(paid):
            if own:
                by_day[days[row]].append(row)
        total = covering + sum(
            cheapest_cut(version(tariffs, day), proofs, day, rows, legs, cents)
            for day, rows in by_day.items()
        )
        best = min(best, total)
    return best


def version(tariffs: Sequence[Tariff], day: dt.date) -> Tariff:
    return next(t for t in tariffs if t.is_valid_on(day))


def proved(tariff: Tariff, proofs: Sequence[Proof], day: dt.date) -> list[tuple[str | None, int]]:
    own = {p.category for p in proofs if p.valid_from <= day <= p.valid_to}
    return [(None, 1000), *((c.id, c.permille) for c in tariff.categories if c.id in own)]


def half_up(exact: Fraction) -> int:
    return math.floor(exact + Fraction(1, 2))


def single(
    tariffs: Sequence[Tariff], proofs: Sequence[Proof], leg: FareLeg, day: dt.date, zone: ZoneInfo
) -> int | None:
    """Least price of a leg by itself."""
    tariff = next((t for t in tariffs if t.is_valid_on(day)), None)
    if tariff is None:
        return None
    found = []
    for category, permille in proved(tariff, proofs, day):
        for rule in tariff.leg_prices:
            exact = priced(tariff, rule, leg, category, zone)
            if exact is not None:
                unit = rule.round_to_cents
                found.append(unit * half_up(exact * permille / 1000 / unit))
                break
    if found and leg.promised_cents is not None:
        found.append(leg.promised_cents)
    return min(found, default=None)


def priced(
    tariff: Tariff, rule: LegPrice, leg: FareLeg, category: str | None, zone: ZoneInfo
) -> Fraction | None:
    when = rule.when
    local = leg.board_at.astimezone(zone)
    for wanted, own in (
        (when.modes, leg.mode), (when.operators, leg.operator), (when.routes, leg.route),
        (when.from_zones, leg.zones[0] if leg.zones else None),
        (when.to_zones, leg.zones[-1] if leg.zones else None), (when.categories, category),
    ):  # fmt: skip
        if wanted is not None and own not in wanted:
            return None
    if when.bands is not None and not any(
        in_band(tariff, local, band_id) for band_id in when.bands
    ):
        return None
    base: int | None = rule.base_cents
    if rule.by_zones is not None:
        base = rule.by_zones.get((leg.zones[0], leg.zones[-1])) if leg.zones else None
    elif rule.by_zone_count is not None:
        table = dict(enumerate(rule.by_zone_count, start=1))
        base = table.get(len(set(leg.zones)))
    if base is None:
        return None
    exact = Fraction(base)
    for tier in rule.tiers:
        until = leg.metres if tier.to_m is None else min(tier.to_m, leg.metres)
        if until > tier.from_m:
            exact += Fraction(tier.per_km_millicents * (until - tier.from_m), 1_000_000)
    exact += Fraction(rule.per_min_millicents * max(leg.seconds - rule.free_s, 0), 60_000)
    exact = max(exact, Fraction(rule.min_cents))
    return exact if rule.max_cents is None else min(exact, Fraction(rule.max_cents))


def in_band(tariff: Tariff, local: dt.datetime, band_id: str) -> bool:
    """Looked up by every second of the band's days would be slow: by the day it began on."""
    band = next(b for b in tariff.time_bands if b.id == band_id)
    for back in (0, 1):
        begins = local.date() - dt.timedelta(days=back)
        if tariff.day_kind(begins) not in band.days:
            continue
        clock_s = local.hour * 3600 + local.minute * 60 + local.second + back * 86_400
        end_s = band.to_s if band.to_s > band.from_s else band.to_s + 86_400
        if band.from_s <= clock_s < end_s:
            return True
    return False


def products(
    tariffs: Sequence[Tariff], proofs: Sequence[Proof], legs: Sequence[FareLeg],
    days: Sequence[dt.date],
) -> Iterator[tuple[frozenset[int], int]]:  # fmt: skip
    """What each product that could be bought covers, and its price."""
    if not days:
        return
    first = min(days).replace(day=1) - dt.timedelta(days=7)
    for ahead in range((max(days) - first).days + 1):
        since = first + dt.timedelta(days=ahead)
        tariff = next((t for t in tariffs if t.is_valid_on(since)), None)
        if tariff is None:
            continue
        for product in tariff.products:
            until = since
            if product.period is Period.ROLLING_7D:
                until = since + dt.timedelta(days=6)
            elif product.period is Period.CALENDAR_MONTH:
                if since.day != 1:
                    continue
                until = (since + dt.timedelta(days=31)).replace(day=1) - dt.timedelta(days=1)
            counted = [
                row
                for row, (leg, day) in enumerate(zip(legs, days, strict=True))
                if since <= day <= until and in_scope(product, leg)
            ]
            if product.most_legs is not None and len(counted) > product.most_legs:
                continue
            for category, permille in [
                (None, 1000),
                *((c.id, c.permille) for c in tariff.categories),
            ]:
                cents = half_up(Fraction(product.price_cents * permille, 1000))
                if category is not None and product.category_cents is not None:
                    cents = product.category_cents.get(category, cents)
                cover = frozenset(
                    row
                    for row, day in enumerate(days)
                    if row in counted
                    and category in dict(proved(version(tariffs, day), proofs, day))
                )
                if cover:
                    yield cover, cents


def in_scope(product: Product, leg: FareLeg) -> bool:
    return (
        leg.mode in product.modes
        and (product.operators is None or leg.operator in product.operators)
        and (
            product.zones is None
            or (bool(leg.zones) and all(zone in product.zones for zone in leg.zones))
        )
    )


def cheapest_cover(
    free: frozenset[int], covers: Sequence[tuple[frozenset[int], int]]
) -> int | None:
    """Least price of products that cover some legs, by whatever else they cover."""
    if not free:
        return 0
    leg, best = min(free), None
    for cover, cents in covers:
        if leg in cover:
            rest = cheapest_cover(free - cover, covers)
            if rest is not None and (best is None or rest + cents < best):
                best = rest + cents
    return best


def cheapest_cut(
    tariff: Tariff, proofs: Sequence[Proof], day: dt.date, rows: Sequence[int],
    legs: Sequence[FareLeg], cents: Sequence[int],
) -> int:  # fmt: skip
    """Least price of the legs of a day over all cuts into pieces that follow one another."""
    joined = frozenset().union(*(j.modes for j in tariff.fare_journeys))
    apart = sum(cents[row] for row in rows if legs[row].mode not in joined)
    rows = [row for row in rows if legs[row].mode in joined]
    permille = min(p for _, p in proved(tariff, proofs, day))
    best = None
    for cuts in itertools.product((False, True), repeat=max(len(rows) - 1, 0)):
        pieces: list[list[int]] = []
        for nth, row in enumerate(rows):
            if nth and not cuts[nth - 1]:
                pieces[-1].append(row)
            else:
                pieces.append([row])
        prices = [piece_cents(tariff, piece, legs, cents, permille) for piece in pieces]
        if None not in prices:
            total = sum(price for price in prices if price is not None)
            best = total if best is None else min(best, total)
    assert best is not None
    return apart + best


def piece_cents(
    tariff: Tariff, piece: Sequence[int], legs: Sequence[FareLeg], cents: Sequence[int],
    permille: int,
) -> int | None:  # fmt: skip
    if len(piece) == 1:
        return cents[piece[0]]
    own = [legs[row] for row in piece]
    found = []
    for journey in tariff.fare_journeys:
        if lawful(journey, own):
            if journey.price_cents is None:
                found.append(max(cents[row] for row in piece))
            else:
                found.append(half_up(Fraction(journey.price_cents * permille, 1000)))
    return min(found, default=None)


def lawful(journey: FareJourney, legs: Sequence[FareLeg]) -> bool:
    seconds = (legs[-1].board_at - legs[0].board_at).total_seconds()
    if seconds > journey.window_s or (journey.most_legs or 99) < len(legs):
        return False
    if journey.other_routes and len({leg.route for leg in legs}) != len(legs):
        return False
    if journey.pattern is None:
        return all(leg.mode in journey.modes for leg in legs)
    return [leg.mode in m for leg, m in zip(legs, journey.pattern, strict=False)] == [True] * len(
        journey.pattern
    ) and len(legs) == len(journey.pattern)
