"""Legs by themselves, many at once: prices and covers of `payments.alone` as a kernel."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from core.jit import kernel, kernel_part
from payments.leg_columns import LegArrays

Int64 = npt.NDArray[np.int64]
DAY_S = 86_400
HOLIDAY_BIT = 1 << 7
"""Bits of days: weekdays from Monday on, then a holiday, which is no weekday."""
DAY_KIND, DAY_MONTH, DAY_VALID = range(3)
MODE_BIT, LINE_NUMBER = range(2)
RULE, BASE, BANDS = range(3)
SLOTS = 64
"""More than categories have bits."""
PER_MIN, FREE_S, LEAST, MOST, TIER_FROM, TIER_TO, ROUND_TO = range(7)


class ClockTables(NamedTuple):
    """Epoch times on the clock and the calendar of a tariff."""

    changes: Int64
    """Shape (c, 2): epoch second from which clocks are so many seconds ahead of UTC."""
    cutover_s: int
    """When a fare day begins."""
    first_day: int
    """Ordinal of the first of the days."""
    days: Int64
    """Shape (d, 3): bit of its kind, number of its month, 1 where the tariff is valid."""
    bands: Int64
    """Shape (b, 3): bits of days, seconds of the day from which and until which it holds."""


class PriceTables(NamedTuple):
    """What a tariff says of kinds of legs; slot 0 is for everybody, the others for categories."""

    kinds: Int64
    """Shape (k, 2): bit of the mode, number of the line."""
    covers: Int64
    """Shape (k, slots): bits of the passes that cover a kind, by the slot that they are for."""
    choice_first: Int64
    """Shape (k * slots + 1,): first choice of each kind and slot."""
    choices: Int64
    """Shape (n, 3): a rule, its price of boarding, bits of bands of which one must hold or 0."""
    rules: Int64
    """
    Shape (r, 7): millicents a minute after free seconds, least and most cents or -1, first tier
    and end of the tiers, cents of which prices are multiples.
    """
    tiers: Int64
    """Shape (t, 3): metres from which and to which or -1, millicents a kilometre."""
    permille: Int64
    """Shape (slots,): share of prices that riders pay."""
    proof_first: Int64
    """Shape (profiles + 1,): first proof of each profile."""
    proofs: Int64
    """Shape (n, 3): slot, ordinals of the first and the last fare day on which it holds."""


@kernel
def price_legs(
    riders: Int64, legs: LegArrays, clock: ClockTables, prices: PriceTables, priced: Int64
) -> bool:
    """
    Price legs of some riders, each by itself.

    Returns whether fare days follow one another in the order of boarding, as they must for
    `rate_riders`: where clocks are put back over the hour in which a fare day begins they do not.

    Parameters
    ----------
    riders
        Rows of riders.
    priced
        Shape (9, legs of these riders), written, as `rate_riders` takes it: a leg without a price
        has no mode there, costs nothing and is covered by nothing. The last is the rule times
        `SLOTS`, and the slot.
    """
    is_ordered, n = True, 0
    for r in riders:
        change, last = 0, -1
        for leg in range(legs.first[r], legs.first[r + 1]):
            at_s = legs.board_us[leg] // 1_000_000
            while change + 1 < len(clock.changes) and clock.changes[change + 1, 0] <= at_s:
                change += 1
            local_s = at_s + clock.changes[change, 1]
            date = local_s // DAY_S - clock.first_day
            day = (local_s - clock.cutover_s) // DAY_S - clock.first_day
            is_ordered &= day >= last
            last = day
            ordinal = day + clock.first_day
            priced[1, n], priced[2, n] = ordinal, clock.days[day, DAY_MONTH]
            priced[4, n] = legs.board_us[leg]
            held = 1
            of = legs.profile[r]
            for own in range(prices.proof_first[of], prices.proof_first[of + 1]):
                if prices.proofs[own, 1] <= ordinal <= prices.proofs[own, 2]:
                    held |= 1 << prices.proofs[own, 0]
            bands = _bands_at(
                clock.days[date, DAY_KIND], clock.days[date - 1, DAY_KIND], local_s % DAY_S,
                clock.bands,
            )  # fmt: skip
            kind, slots = legs.kind[leg], len(prices.permille)
            best, by, cover, share = -1, -1, 0, prices.permille[0]
            for slot in range(slots):
                if not held >> slot & 1:
                    continue
                cover |= prices.covers[kind, slot]
                share = min(share, prices.permille[slot])
                choice = kind * slots + slot
                for own in range(prices.choice_first[choice], prices.choice_first[choice + 1]):
                    if prices.choices[own, BANDS] and not prices.choices[own, BANDS] & bands:
                        continue
                    cents = _price(
                        prices.choices[own, RULE], prices.choices[own, BASE], legs.metres[leg],
                        legs.seconds[leg], prices.permille[slot], prices.rules, prices.tiers,
                    )  # fmt: skip
                    if legs.promised[leg] >= 0:
                        cents = min(cents, legs.promised[leg])
                    if best < 0 or cents < best:
                        best, by = cents, prices.choices[own, RULE] * SLOTS + slot
                    break
            has_price = best >= 0 and clock.days[day, DAY_VALID]
            priced[0, n] = best if has_price else 0
            priced[3, n] = cover if has_price else 0
            priced[5, n] = prices.kinds[kind, MODE_BIT] if has_price else 0
            priced[6, n], priced[7, n] = prices.kinds[kind, LINE_NUMBER], share
            priced[8, n] = by
            n += 1
    return is_ordered


@kernel_part
def _bands_at(today: int, yesterday: int, clock_s: int, bands: Int64) -> int:
    """Bits of the time bands that hold, as `TimeBand.holds` says."""
    found = 0
    for b in range(len(bands)):
        from_s, to_s = bands[b, 1], bands[b, 2]
        if from_s < to_s:
            holds = bands[b, 0] & today and from_s <= clock_s < to_s
        else:
            holds = (bands[b, 0] & today and clock_s >= from_s) or (
                bands[b, 0] & yesterday and clock_s < to_s
            )
        if holds:
            found |= 1 << b
    return found


@kernel_part
def _price(
    rule: int, base: int, metres: int, seconds: int, permille: int, rules: Int64, tiers: Int64
) -> int:
    """Cents of a leg by a rule, as `LegPrice.price`; `MILLICENTS` is the unit of what is exact."""
    exact = base * 60_000_000
    for tier in range(rules[rule, TIER_FROM], rules[rule, TIER_TO]):
        end = metres if tiers[tier, 1] < 0 else min(metres, tiers[tier, 1])
        if end > tiers[tier, 0]:
            exact += tiers[tier, 2] * (end - tiers[tier, 0]) * 60
    if seconds > rules[rule, FREE_S]:
        exact += rules[rule, PER_MIN] * (seconds - rules[rule, FREE_S]) * 1_000
    exact = max(exact, rules[rule, LEAST] * 60_000_000)
    if rules[rule, MOST] >= 0:
        exact = min(exact, rules[rule, MOST] * 60_000_000)
    unit = rules[rule, ROUND_TO]
    cents: int = (2 * exact * permille + 60_000_000_000 * unit) // (120_000_000_000 * unit) * unit
    return cents
