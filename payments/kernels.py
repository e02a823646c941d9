"""
The least bill of many riders at once: the totals of `payments.rating`, without their lines.

A day costs a different amount for each set of products that covers some of its legs. All these
amounts are worked out first; then the days are gone through from the last to the first, once for
each set of month products, with the days that each week has left as a state.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from core.jit import kernel

Int64 = npt.NDArray[np.int64]
WEEK = 7
FARE_DAY, ROLLING_7D, CALENDAR_MONTH = range(3)
"""Codes of periods."""
TOO_MUCH = 1 << 60
"""More than any bill."""
SEEN = 16
"""Sets of a day's legs of which the cost is remembered."""


@kernel
def rate_riders(
    first: Int64, legs: Int64, passes: Int64, joins: Int64, patterns: Int64, totals: Int64
) -> None:
    """
    Find the least total of each rider.

    Parameters
    ----------
    first
        Shape (n + 1,): first leg of each rider.
    legs
        Shape (legs, 8), in order of rating, those with a price alone: price by itself, ordinals of
        fare day and month, epoch microsecond of boarding, bit of the mode, number of the line, bit
        p where pass p makes it free, the least permille of prices that the rider pays on the day.
    passes
        Shape (p, 2): period and price; all weeks at most two.
    joins
        Shape (j, 6): window in seconds, bits of modes, most legs or 0, 1 if all are on other
        routes, length of the pattern or 0, price of the pattern.
    patterns
        Shape (j, longest): bits of the modes of a pattern's legs.
    totals
        Shape (n,), written.
    """
    weeks = np.zeros(2, np.int64)
    week_count = by_day = by_month = joined = most = 0
    for p in range(len(passes)):
        if passes[p, 0] == FARE_DAY:
            by_day |= 1 << p
        elif passes[p, 0] == CALENDAR_MONTH:
            by_month |= 1 << p
        else:
            weeks[week_count] = p
            week_count += 1
    for j in range(len(joins)):
        joined |= joins[j, 1]
    for r in range(len(first) - 1):
        most = max(most, first[r + 1] - first[r])
    set_count = 1 << len(passes)
    price_of = np.zeros(set_count, np.int64)
    for s in range(set_count):
        for p in range(len(passes)):
            if s >> p & 1:
                price_of[s] += passes[p, 1]
    cost = np.zeros((most + 1, set_count), np.int64)
    days = np.zeros((most + 2, 2), np.int64)  # first leg, and what covers some of its legs
    best, rows = np.zeros(most + 1, np.int64), np.zeros(most + 1, np.int64)
    from_day, by_week = np.zeros(most + 2, np.int64), np.zeros(most + 2, np.int64)
    seen = np.zeros((SEEN, 2), np.int64)
    states = np.zeros((4, WEEK ** max(week_count, 1)), np.int64)
    onward, least, now, spare = states[0], states[1], states[2], states[3]
    for r in range(len(first) - 1):
        count = 0
        for leg in range(first[r], first[r + 1]):
            if leg == first[r] or legs[leg, 1] != legs[leg - 1, 1]:
                days[count, 0], days[count, 1] = leg, 0
                count += 1
            days[count - 1, 1] |= legs[leg, 6]
        days[count, 0] = first[r + 1]
        for d in range(count):
            _price_day(
                days[d, 0], days[d + 1, 0], days[d, 1], by_day, legs, joins, patterns, joined,
                price_of, cost[d], best, rows, seen,
            )  # fmt: skip
        onward[:] = 0
        end = count
        while end > 0:
            begin = end - 1
            while begin > 0 and legs[days[begin - 1, 0], 2] == legs[days[begin, 0], 2]:
                begin -= 1
            useful = 0
            for d in range(begin, end):
                useful |= days[d, 1] & by_month
            least[:] = TOO_MUCH
            bought = useful
            while True:
                if week_count < 2:
                    _go_by_weeks(
                        begin, end, count, bought, by_day, weeks[0] if week_count else -1, passes,
                        legs, days, cost, onward, from_day, by_week, now,
                    )  # fmt: skip
                else:
                    now[:] = onward
                    for d in range(end - 1, begin - 1, -1):
                        gap = WEEK
                        if d + 1 < count:
                            gap = legs[days[d + 1, 0], 1] - legs[days[d, 0], 1]
                        _go_back(
                            days[d, 1], by_day, bought, gap, weeks, price_of, cost[d], now, spare
                        )
                        now[:] = spare
                for state in range(len(now)):
                    least[state] = min(least[state], now[state] + price_of[bought])
                if bought == 0:
                    break
                bought = (bought - 1) & useful
            onward[:] = least
            end = begin
        totals[r] = onward[0]


@kernel
def _price_day(
    begin: int,
    end: int,
    relevant: int,
    by_day: int,
    legs: Int64,
    joins: Int64,
    patterns: Int64,
    joined: int,
    price_of: Int64,
    cost: Int64,
    best: Int64,
    rows: Int64,
    seen: Int64,
) -> None:
    """Cost of a day for each set of passes that are had for longer, its own products chosen."""
    own, others = relevant & by_day, relevant & ~by_day
    seen_count, s = 0, relevant
    while True:
        left = 0
        if end - begin < 60:
            for leg in range(begin, end):
                if not legs[leg, 6] & s:
                    left |= 1 << (leg - begin)
        else:
            left = -1  # too many to remember sets of them by bits
        known = -1
        for nth in range(seen_count):
            if seen[nth, 0] == left and left >= 0:
                known = seen[nth, 1]
        if left == 0:
            known = 0
        if known < 0:
            known = _cut(begin, end, s, legs, joins, patterns, joined, best, rows)
            if seen_count < len(seen):
                seen[seen_count, 0], seen[seen_count, 1] = left, known
                seen_count += 1
        cost[s] = known
        if s == 0:
            break
        s = (s - 1) & relevant
    if own == 0:
        return
    s = others
    while True:
        least, b = cost[s], own
        while b:
            least = min(least, price_of[b] + cost[s | b])
            b = (b - 1) & own
        cost[s] = least
        if s == 0:
            break
        s = (s - 1) & others


@kernel
def _cut(
    begin: int,
    end: int,
    covering: int,
    legs: Int64,
    joins: Int64,
    patterns: Int64,
    joined: int,
    best: Int64,
    rows: Int64,
) -> int:
    """Cheapest cut of a day's legs that no pass covers, as `Grouping._cut`."""
    cents = n = 0
    for leg in range(begin, end):
        if legs[leg, 6] & covering:
            continue
        if legs[leg, 4] & joined:
            rows[n] = leg
            n += 1
        else:
            cents += legs[leg, 0]
    best[0] = 0
    for i in range(1, n + 1):
        last = rows[i - 1]
        best[i] = best[i - 1] + legs[last, 0]
        dearest, modes = legs[last, 0], legs[last, 4]
        for start in range(i - 2, -1, -1):
            leg = rows[start]
            span = legs[last, 3] - legs[leg, 3]
            dearest, modes = max(dearest, legs[leg, 0]), modes | legs[leg, 4]
            is_near = False
            for j in range(len(joins)):
                if span > joins[j, 0] * 1_000_000:
                    continue
                is_near = True
                if joins[j, 2] and i - start > joins[j, 2]:
                    continue
                if joins[j, 3] and _twice(start, i, legs, rows):
                    continue
                price = dearest
                if joins[j, 4]:
                    if joins[j, 4] != i - start or not _follows(start, i, j, legs, patterns, rows):
                        continue
                    price = (2 * joins[j, 5] * legs[last, 7] + 1_000) // 2_000
                elif modes & ~joins[j, 1]:
                    continue
                best[i] = min(best[i], best[start] + price)
            if not is_near:
                break
    return int(cents + best[n])


@kernel
def _twice(start: int, end: int, legs: Int64, rows: Int64) -> bool:
    """Whether two legs are on one route."""
    for a in range(start, end):
        for b in range(a + 1, end):
            if legs[rows[a], 5] == legs[rows[b], 5]:
                return True
    return False


@kernel
def _follows(start: int, end: int, j: int, legs: Int64, patterns: Int64, rows: Int64) -> bool:
    """Whether legs have the modes of a pattern, in its order."""
    matched = 0
    for nth in range(end - start):
        matched += 1 if legs[rows[start + nth], 4] & patterns[j, nth] else 0
    return matched == end - start


@kernel
def _go_by_weeks(
    begin: int,
    end: int,
    count: int,
    bought: int,
    by_day: int,
    week: int,
    passes: Int64,
    legs: Int64,
    days: Int64,
    cost: Int64,
    onward: Int64,
    from_day: Int64,
    by_week: Int64,
    now: Int64,
) -> None:
    """
    Least cost of a month's days and all after, by the days that a week has left, if there is one.

    `from_day` gets the least cost from each day on without a week under way, `by_week` what the
    days before each cost under one.
    """
    bit = 0 if week < 0 else 1 << week
    by_week[begin] = 0
    for d in range(begin, end):
        by_week[d + 1] = by_week[d] + cost[d, (bought | bit) & days[d, 1] & ~by_day]
    after = end
    from_day[end] = onward[0]
    for d in range(end - 1, begin - 1, -1):
        least = cost[d, bought & days[d, 1] & ~by_day] + from_day[d + 1]
        if days[d, 1] & bit:
            last = legs[days[d, 0], 1] + WEEK
            while after > d + 1 and legs[days[after - 1, 0], 1] >= last:
                after -= 1
            left = 0
            if after == end and end < count:
                left = max(last - legs[days[end, 0], 1], 0)
            rest = from_day[after] if left == 0 else onward[left]
            least = min(least, passes[week, 1] + by_week[after] - by_week[d] + rest)
        from_day[d] = least
    now[0] = from_day[begin]
    for left in range(1, WEEK):
        last, d = legs[days[begin, 0], 1] + left, begin
        while d < end and legs[days[d, 0], 1] < last:
            d += 1
        over = 0
        if d == end and end < count:
            over = max(last - legs[days[end, 0], 1], 0)
        now[left] = by_week[d] + (from_day[d] if over == 0 else onward[over])


@kernel
def _go_back(
    relevant: int,
    by_day: int,
    bought: int,
    gap: int,
    weeks: Int64,
    price_of: Int64,
    cost: Int64,
    onward: Int64,
    now: Int64,
) -> None:
    """Least cost from a day on, by the days that two weeks have left; the next is `gap` days on."""
    others = relevant & ~by_day
    for state in range(len(now)):
        left_0 = state % WEEK
        left_1 = state // WEEK
        least = TOO_MUCH
        for choice in range(4):
            # A week is not bought while one is under way: it had better begin later.
            if (choice & 1 and left_0) or (choice & 2 and left_1):
                continue
            had_0 = WEEK if choice & 1 else left_0
            had_1 = WEEK if choice & 2 else left_1
            covering, price = bought, 0
            if had_0:
                covering |= 1 << weeks[0]
            if had_1:
                covering |= 1 << weeks[1]
            if choice & 1:
                price += price_of[1 << weeks[0]]
            if choice & 2:
                price += price_of[1 << weeks[1]]
            after = max(had_0 - gap, 0) + WEEK * max(had_1 - gap, 0)
            least = min(least, price + cost[covering & others] + onward[after])
        now[state] = least
