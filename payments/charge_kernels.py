"""
The charges of many riders at once: those that `payments.grouping` finds, in whole numbers.

What the days from each on cost at least is worked out from the last to the first, by the products
of the month and the days that weeks have left. Then the days are gone through in order, and of each
the first choice taken that costs no more, in the order in which `Grouping` tries them: so both find
the same bill where several cost as little.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from core.jit import kernel
from payments.day_kernels import COVER, DAY, MODE, MONTH, PRICE, TOO_MUCH, price_day
from payments.kernels import (
    CALENDAR_MONTH,
    FARE_DAY,
    FIRST,
    LEFT,
    WEEK,
    out_of_reach,
    state_of,
)
from payments.line_kernels import NOBODY, charge_begun, charge_day, charge_pass, is_before

Int64 = npt.NDArray[np.int64]


@kernel
def list_charges(
    spans: Int64,
    legs: Int64,
    passes: Int64,
    ranks: Int64,
    joins: Int64,
    patterns: Int64,
    begun: Int64,
    begun_first: Int64,
    first_day: int,
    owner: Int64,
    charges: Int64,
) -> None:
    """
    Find the charges of the cheapest bill of each rider.

    Parameters
    ----------
    spans, legs, passes, joins, patterns, begun, begun_first
        As of `payments.kernels.rate_riders`; no leg is in two spans.
    first_day
        The first of its `first_days`.
    ranks
        Shape (p,): place of each pass among them all, in the order of the ids of products.
    owner
        Shape (legs,), written: first leg of the charge that a leg is in; -1 where it has no price.
    charges
        Shape (legs, 3), written in the row of the first leg of each: the pass, or after the passes
        the fare journey, or `ALONE`; cents; fare day from which on it holds.
    """
    by_day = by_month = joined = window_us = most = 0
    weeks, week_count = np.zeros(2, np.int64), 0
    stride = np.zeros(len(passes), np.int64)
    price_of = np.zeros(1 << len(passes), np.int64)
    for p in range(len(passes)):
        for s in range(1 << p):
            price_of[1 << p | s] = price_of[s] + passes[p, 1]
        if passes[p, 0] == FARE_DAY:
            by_day |= 1 << p
        elif passes[p, 0] == CALENDAR_MONTH:
            by_month |= 1 << p
        else:
            weeks[week_count], stride[p] = p, LEFT if week_count else 1
            week_count += 1
    by_week = 0
    for w in range(week_count):
        by_week |= 1 << weeks[w]
    for j in range(len(joins)):
        joined |= joins[j, 1]
        window_us = max(window_us, joins[j, 0] * 1_000_000)
    for r in range(len(spans)):
        most = max(most, spans[r, 1] - spans[r, 0])
    days = np.zeros((4, most + 1), np.int64)
    best, rows = np.zeros(most + 1, np.int64), np.zeros(most, np.int64)
    pieces = np.zeros((2, most + 1), np.int64)
    found, until = np.zeros(len(passes), np.int64), np.zeros(len(passes), np.int64)
    states = LEFT * LEFT if week_count == 2 else LEFT
    sets = _sets_of(by_month)
    # Least cost from each day on: with given products of its month, and before they are chosen.
    within = np.zeros((len(sets), most + 1, states), np.int64)
    onward = np.zeros((most + 1, states), np.int64)
    cost, may = np.zeros(4, np.int64), np.zeros(4, np.int64)
    for r in range(len(spans)):
        count = _list_days(spans[r, 0], spans[r, 1], legs, days, owner)
        onward[count] = 0
        end = count
        while end > 0:
            begin, useful = end, 0
            while begin > 0 and days[MONTH, begin - 1] == days[MONTH, end - 1]:
                begin -= 1
                useful |= days[COVER, begin] & by_month
            useful &= ~out_of_reach(days[FIRST, begin], days[FIRST, end], useful, passes, legs)
            onward[begin] = TOO_MUCH
            for nth in range(len(sets)):
                if sets[nth] & ~useful:
                    continue
                for d in range(end - 1, begin - 1, -1):
                    for s in range(1 << week_count):
                        covering = sets[nth]
                        for w in range(week_count):
                            covering |= (s >> w & 1) << weeks[w]
                        first, last = days[FIRST, d], days[FIRST, d + 1]
                        cost[s] = _day_cents(
                            first, last, covering, days[COVER, d] & by_day, legs, joins, patterns,
                            joined, window_us, price_of, best, rows, pieces,
                        )  # fmt: skip
                        may[s] = 0
                        for leg in range(first, last):
                            if not legs[COVER, leg] & covering:
                                may[s] |= legs[COVER, leg]
                    gap = days[DAY, d + 1] - days[DAY, d] if d + 1 < count else WEEK
                    after = within[nth, d + 1] if d + 1 < end else onward[end]
                    _go_back(gap, weeks[:week_count], passes, cost, may, after, within[nth, d])
                cents = price_of[sets[nth]]
                for state in range(states):
                    onward[begin, state] = min(
                        onward[begin, state], within[nth, begin, state] + cents
                    )
            end = begin
        left = np.zeros(2, np.int64)
        bought, end = 0, 0
        if count and begun_first[r + 1] > begun_first[r]:
            chosen, least, ahead = -1, onward[0, 0], days[DAY, 0] - first_day
            for nth in range(begun_first[r], begun_first[r + 1]):
                cents = begun[nth, 0] + onward[0, state_of(begun[nth], ahead, stride)]
                if cents < least:
                    chosen, least = nth, cents
            if chosen >= 0:
                charge_begun(
                    begun[chosen], first_day, days[FIRST, 0], days[FIRST, count], passes, legs,
                    owner, charges,
                )  # fmt: skip
                state = state_of(begun[chosen], ahead, stride)
                left[0], left[1] = state % LEFT, state // LEFT
        for d in range(count):
            choices = by_week
            if d == end:
                bought = useful = 0
                while end < count and days[MONTH, end] == days[MONTH, d]:
                    useful |= days[COVER, end] & by_month
                    end += 1
                beyond = out_of_reach(days[FIRST, d], days[FIRST, end], useful, passes, legs)
                choices |= useful & ~beyond
            gap = days[DAY, d + 1] - days[DAY, d] if d + 1 < count else WEEK
            n = _list_passes(d, end, count, choices, passes, ranks, days, legs, found, until)
            n = _with_reasons(d, n, by_month, days, legs, owner, found, until)
            chosen, least = 0, TOO_MUCH
            for subset in range(1 << n if n else 0):
                new = 0
                for nth in range(n):
                    new |= (subset >> nth & 1) << found[nth]
                covering, state = bought | new, 0
                for w in range(week_count):
                    days_left = WEEK if new >> weeks[w] & 1 else left[w]
                    covering |= (1 if days_left else 0) << weeks[w]
                    state += max(days_left - gap, 0) * (LEFT if w else 1)
                cents = price_of[new] + _day_cents(
                    days[FIRST, d], days[FIRST, d + 1], covering, days[COVER, d] & by_day, legs,
                    joins, patterns, joined, window_us, price_of, best, rows, pieces,
                )  # fmt: skip
                if d + 1 == end:
                    cents += onward[end, state]
                else:
                    of = 0
                    while sets[of] != (bought | new) & by_month:
                        of += 1
                    cents += within[of, d + 1, state]
                if cents < least or (cents == least and is_before(subset, chosen)):
                    chosen, least = subset, cents
            for nth in range(n):
                if chosen >> nth & 1:
                    p = found[nth]
                    charge_pass(
                        p, price_of[1 << p], days[FIRST, d], until[nth], days[DAY, d], legs,
                        owner, charges,
                    )  # fmt: skip
                    bought |= 1 << p & by_month
                    for w in range(week_count):
                        left[w] = WEEK if weeks[w] == p else left[w]
            covering = bought
            for w in range(week_count):
                covering |= (1 if left[w] else 0) << weeks[w]
                left[w] = max(left[w] - gap, 0)
            n = _list_passes(d, end, count, by_day, passes, ranks, days, legs, found, until)
            n = _with_reasons(d, n, by_month, days, legs, owner, found, until)
            charge_day(
                days[FIRST, d], days[FIRST, d + 1], days[DAY, d], covering, n, legs, joins,
                patterns, joined, window_us, price_of, best, rows, pieces, found, until, owner,
                charges,
            )  # fmt: skip


@kernel
def _sets_of(bits: int) -> Int64:
    """All sets of some bits, of which the empty one is the first."""
    count, rest = 1, bits
    while rest:
        count, rest = count * 2, rest & (rest - 1)
    sets = np.zeros(count, np.int64)
    for nth in range(1, count):
        sets[nth] = (sets[nth - 1] - bits) & bits
    return sets


@kernel
def _list_days(begin: int, end: int, legs: Int64, days: Int64, owner: Int64) -> int:
    """Write the days of a rider's legs that have a price, and where they end; how many they are."""
    count, day = 0, -1
    for leg in range(begin, end):
        owner[leg] = NOBODY
        if not legs[MODE, leg]:
            continue
        if legs[DAY, leg] != day:
            day = legs[DAY, leg]
            days[FIRST, count], days[DAY, count] = leg, day
            days[MONTH, count], days[COVER, count] = legs[MONTH, leg], 0
            count += 1
        days[COVER, count - 1] |= legs[COVER, leg]
    days[FIRST, count] = end
    return count


@kernel
def _day_cents(
    begin: int,
    end: int,
    covering: int,
    own: int,
    legs: Int64,
    joins: Int64,
    patterns: Int64,
    joined: int,
    window_us: int,
    price_of: Int64,
    best: Int64,
    rows: Int64,
    pieces: Int64,
) -> int:
    """Compiled once, and not at each place where it is called."""
    cents: int = price_day(
        begin,
        end,
        covering,
        own,
        legs,
        joins,
        patterns,
        joined,
        window_us,
        price_of,
        best,
        rows,
        pieces,
    )
    return cents


@kernel
def _go_back(
    gap: int, weeks: Int64, passes: Int64, cost: Int64, may: Int64, after: Int64, now: Int64
) -> None:
    """
    Least cost from a day on, by the days that weeks have left; the next is `gap` days on.

    A week begins only on a day on which it covers a leg that is not covered yet: else it had
    better begin later.
    """
    for state in range(len(now) - 1, -1, -1):
        under = then = 0
        for w in range(len(weeks)):
            left = state // LEFT if w else state % LEFT
            under |= (1 if left else 0) << w
            then += max(left - gap, 0) * (LEFT if w else 1)
        least = cost[under] + after[then]
        for w in range(len(weeks)):
            if not under >> w & 1 and may[under] >> weeks[w] & 1:
                new = WEEK * (LEFT if w else 1)
                least = min(least, passes[weeks[w], 1] + now[state + new])
        now[state] = least


@kernel
def _list_passes(
    d: int,
    month_end: int,
    count: int,
    choices: int,
    passes: Int64,
    ranks: Int64,
    days: Int64,
    legs: Int64,
    found: Int64,
    until: Int64,
) -> int:
    """
    Write those of some passes that may be worth their price from a day on; returns how many.

    In the order in which they are tried, each with the end of its legs, and none of which another
    covers as much for as little.
    """
    n, first = 0, days[FIRST, d]
    counts = np.zeros(len(passes), np.int64)
    for p in range(len(passes)):
        if not choices >> p & 1:
            continue
        to = d + 1
        if passes[p, 0] == CALENDAR_MONTH:
            to = month_end
        elif passes[p, 0] != FARE_DAY:
            while to < count and days[DAY, to] < days[DAY, d] + WEEK:
                to += 1
        end, cents = days[FIRST, to], 0
        counts[p] = 0
        for leg in range(first, end):
            if legs[COVER, leg] >> p & 1:
                cents += legs[PRICE, leg]
                counts[p] += 1
        if cents <= passes[p, 1]:
            continue
        place = n
        while place > 0:
            q = found[place - 1]
            if passes[q, 1] < passes[p, 1]:
                break
            if passes[q, 1] == passes[p, 1]:
                if counts[q] > counts[p]:
                    break
                if counts[q] == counts[p] and ranks[q] < ranks[p]:
                    break
            found[place], until[place] = q, until[place - 1]
            place -= 1
        found[place], until[place] = p, end
        n += 1
    kept = 0
    for nth in range(n):
        p, is_dominated = found[nth], False
        for other in range(kept):
            misses = False
            for leg in range(first, until[nth]):
                is_free = leg < until[other] and legs[COVER, leg] >> found[other] & 1
                misses |= bool(legs[COVER, leg] >> p & 1 and not is_free)
            is_dominated |= not misses
        if not is_dominated:
            found[kept], until[kept] = p, until[nth]
            kept += 1
    return kept


@kernel
def _with_reasons(
    d: int,
    n: int,
    by_month: int,
    days: Int64,
    legs: Int64,
    owner: Int64,
    found: Int64,
    until: Int64,
) -> int:
    """Keep the passes that cover a leg that is still to be paid: of the day, or of the month."""
    kept = 0
    for nth in range(n):
        p, has_reason = found[nth], False
        end = until[nth] if by_month >> p & 1 else days[FIRST, d + 1]
        for leg in range(days[FIRST, d], end):
            has_reason |= bool(owner[leg] == NOBODY and legs[COVER, leg] >> p & 1)
        if has_reason:
            found[kept], until[kept] = p, until[nth]
            kept += 1
    return kept
