"""
The least bill of many riders at once: the totals of `payments.rating`, without their lines.

The months are gone through from the last to the first, and each without month products, then with
every set of them that costs less than what the month does so far. A day costs a different amount
for each set of weeks under way; with these amounts the days are gone through from the last to the
first, with the days that each week has left as a state.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from core.jit import kernel, kernel_part

Int64 = npt.NDArray[np.int64]
WEEK = 7
LEFT = WEEK + 1
"""States of a week, by the days that it has left."""
FARE_DAY, ROLLING_7D, CALENDAR_MONTH = range(3)
"""Codes of periods."""
COLUMNS = 9
PRICE, DAY, MONTH, COVER, BOARD_US, MODE, LINE, SHARE, RULE = range(COLUMNS)
"""Rows of a table of legs."""
FIRST, COVER_ALL = 0, 4
"""Rows of a table of days, beside `DAY`, `MONTH`, and `COVER`, the passes that cover some leg."""
ALONE = -1
"""What joins a leg that no fare journey takes."""
TOO_MUCH = 1 << 60
"""More than any bill."""


@kernel
def rate_riders(
    spans: Int64, legs: Int64, passes: Int64, joins: Int64, patterns: Int64, totals: Int64
) -> None:
    """
    Find the least total of each rider.

    Parameters
    ----------
    spans
        Shape (n, 2): first leg of each rider, and the end of his legs.
    legs
        Shape (9, legs), in order of rating: price by itself, numbers of fare day and month, bit p
        where pass p makes it free, epoch microsecond of boarding, bit of the mode, number of the
        line, the least permille of prices that the rider pays on the day, and the rule of the price
        by itself, as `price_legs` writes it.
    passes
        Shape (p, 4): period, price, most legs of a month or -1, pass whose legs these are; all
        weeks at most two.
    joins
        Shape (j, 6): window in seconds, bits of modes, most legs or 0, 1 if all are on other
        routes, length of the pattern or 0, price of the pattern.
    patterns
        Shape (j, longest): bits of the modes of a pattern's legs.
    totals
        Shape (n,), written.
    """
    price_of, weeks = np.zeros(1 << len(passes), np.int64), np.zeros(4, np.int64)
    by_day = by_month = joined = window_us = most = 0
    week_sets = 1
    for p in range(len(passes)):
        bit = 1 << p
        for s in range(bit):
            price_of[bit | s] = price_of[s] + passes[p, 1]
        if passes[p, 0] == FARE_DAY:
            by_day |= bit
        elif passes[p, 0] == CALENDAR_MONTH:
            by_month |= bit
        else:
            for s in range(week_sets):
                weeks[week_sets + s] = weeks[s] | bit
            week_sets *= 2
    for j in range(len(joins)):
        joined |= joins[j, 1]
        window_us = max(window_us, joins[j, 0] * 1_000_000)
    for r in range(len(totals)):
        most = max(most, spans[r, 1] - spans[r, 0])
    days, cost = np.zeros((5, most + 1), np.int64), np.zeros((week_sets, most), np.int64)
    best, rows = np.zeros(most + 1, np.int64), np.zeros(most, np.int64)
    pieces = np.zeros((2, most + 1), np.int64)
    from_day, by_week = np.zeros(most + 1, np.int64), np.zeros(most + 1, np.int64)
    states = np.zeros((4, LEFT ** max(week_sets // 2, 1)), np.int64)
    onward, least, now, spare = states[0], states[1], states[2], states[3]
    for r in range(len(totals)):
        count = _list_days(spans[r, 0], spans[r, 1], legs, days)
        onward[:] = 0
        end = count
        while end > 0:
            begin, useful = end, 0
            while begin > 0 and days[MONTH, begin - 1] == days[MONTH, end - 1]:
                begin -= 1
                useful |= days[COVER, begin] & by_month
            useful &= ~out_of_reach(days[FIRST, begin], days[FIRST, end], useful, passes, legs)
            needed = len(onward) if begin > 0 else 1  # no week is under way on the first day
            least[:] = TOO_MUCH
            dearest = cheapest = TOO_MUCH
            for state in range(len(onward)):
                cheapest = min(cheapest, onward[state])
            bought = 0
            while True:
                if price_of[bought] + cheapest < dearest:
                    for d in range(begin, end):
                        for s in range(week_sets):
                            if days[COVER_ALL, d] & (bought | weeks[s]):
                                cost[s, d] = 0
                                continue
                            cost[s, d] = price_day(
                                days[FIRST, d], days[FIRST, d + 1], bought | weeks[s],
                                days[COVER, d] & by_day, legs, joins, patterns, joined, window_us,
                                price_of, best, rows, pieces,
                            )  # fmt: skip
                    if week_sets < 4:
                        _go_by_weeks(
                            begin, end, count, weeks[1], price_of[weeks[1]], days, cost, onward,
                            from_day, by_week, now,
                        )  # fmt: skip
                    else:
                        _copy(onward, now)
                        for d in range(end - 1, begin - 1, -1):
                            gap = days[DAY, d + 1] - days[DAY, d] if d + 1 < count else WEEK
                            _copy(now, spare)
                            _go_back(gap, weeks, price_of, cost[:, d], spare, now)
                    dearest = 0
                    for state in range(needed):
                        least[state] = min(least[state], now[state] + price_of[bought])
                        dearest = max(dearest, least[state])
                bought = (bought - useful) & useful
                if bought == 0:
                    break
            _copy(least, onward)
            end = begin
        totals[r] = onward[0]


@kernel
def month_spans(
    riders: Int64, legs: Int64, months: Int64, with_before: bool, spans: Int64, counts: Int64
) -> None:
    """
    Find the legs of months of riders.

    Parameters
    ----------
    riders
        Shape (r, 2): first leg of each rider, and the end of his legs.
    months
        Shape (m,): their numbers.
    with_before
        Whether those of the month before may count, too.
    spans
        Shape (r * m, 2, 2), written: legs that count, and those of them of the month before.
    counts
        Shape (r * m, 2), written: legs of the month, and how many of them have no price.
    """
    n = 0
    for r in range(len(riders)):
        for month in months:
            before = begin = end = riders[r, 0]
            unpriced = 0
            for leg in range(riders[r, 0], riders[r, 1]):
                before += 1 if legs[MONTH, leg] < month - 1 else 0
                begin += 1 if legs[MONTH, leg] < month else 0
                end += 1 if legs[MONTH, leg] <= month else 0
                unpriced += 1 if legs[MONTH, leg] == month and legs[MODE, leg] == 0 else 0
            first = before if with_before else begin
            spans[n, 0, 0], spans[n, 0, 1] = first, end
            spans[n, 1, 0], spans[n, 1, 1] = first, begin
            counts[n, 0], counts[n, 1] = end - begin, unpriced
            n += 1


@kernel_part
def _copy(values: Int64, into: Int64) -> None:
    """Copy value by value."""
    for nth in range(len(values)):
        into[nth] = values[nth]


@kernel_part
def _list_days(begin: int, end: int, legs: Int64, days: Int64) -> int:
    """Write the days of a rider's legs, and where they end; returns how many they are."""
    count, day = 0, -1
    for leg in range(begin, end):
        if legs[DAY, leg] != day:
            day = legs[DAY, leg]
            days[FIRST, count], days[DAY, count] = leg, day
            days[MONTH, count] = legs[MONTH, leg]
            days[COVER, count], days[COVER_ALL, count] = 0, -1
            count += 1
        days[COVER, count - 1] |= legs[COVER, leg]
        days[COVER_ALL, count - 1] &= legs[COVER, leg]
    days[FIRST, count] = end
    return count


@kernel_part
def out_of_reach(begin: int, end: int, useful: int, passes: Int64, legs: Int64) -> int:
    """Passes that are for who has fewer legs in a month."""
    beyond = 0
    for p in range(len(passes)):
        if useful >> p & 1 and passes[p, 2] >= 0:
            count = 0
            for leg in range(begin, end):
                count += legs[COVER, leg] >> passes[p, 3] & 1
            if count > passes[p, 2]:
                beyond |= 1 << p
    return beyond


@kernel_part
def price_day(
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
    """Cost of a day under passes that are had for longer, its own products chosen."""
    least, chosen = TOO_MUCH, 0
    while True:
        if price_of[chosen] < least:
            rest = cut(
                begin, end, covering | chosen, legs, joins, patterns, joined, window_us, best,
                rows, pieces,
            )  # fmt: skip
            least = min(least, price_of[chosen] + rest)
        chosen = (chosen - own) & own
        if chosen == 0:
            return least


@kernel_part
def cut(
    begin: int,
    end: int,
    covering: int,
    legs: Int64,
    joins: Int64,
    patterns: Int64,
    joined: int,
    window_us: int,
    best: Int64,
    rows: Int64,
    pieces: Int64,
) -> int:
    """
    Cheapest cut of a day's legs that no pass covers, as `Grouping._cut`.

    `rows` gets the legs that may be joined; of each number of the first of them `best` gets what
    they cost, and `pieces` where the last piece begins and what joins it.
    """
    cents = n = least = 0
    for last in range(begin, end):
        if legs[COVER, last] & covering:
            continue
        dearest, modes = legs[PRICE, last], legs[MODE, last]
        if not modes & joined:
            cents += dearest
            continue
        rows[n] = last
        start, n = n, n + 1
        pieces[0, n], pieces[1, n] = start, ALONE
        least += dearest
        while start > 0:
            start -= 1
            leg = rows[start]
            span_us = legs[BOARD_US, last] - legs[BOARD_US, leg]
            if span_us > window_us:
                break
            dearest, modes = max(dearest, legs[PRICE, leg]), modes | legs[MODE, leg]
            for j in range(len(joins)):
                if span_us > joins[j, 0] * 1_000_000:
                    continue
                if joins[j, 2] and n - start > joins[j, 2]:
                    continue
                if joins[j, 3] and _twice(start, n, legs, rows):
                    continue
                price = dearest
                if joins[j, 4]:
                    if joins[j, 4] != n - start or not _follows(start, n, j, legs, patterns, rows):
                        continue
                    price = (2 * joins[j, 5] * legs[SHARE, last] + 1_000) // 2_000
                elif modes & ~joins[j, 1]:
                    continue
                price += best[start]
                if price < least or (price == least and start < pieces[0, n]):
                    least, pieces[0, n], pieces[1, n] = price, start, j
        best[n] = least
    return cents + least


@kernel_part
def _twice(start: int, end: int, legs: Int64, rows: Int64) -> bool:
    """Whether two legs are on one route."""
    for a in range(start, end):
        for b in range(a + 1, end):
            if legs[LINE, rows[a]] == legs[LINE, rows[b]]:
                return True
    return False


@kernel_part
def _follows(start: int, end: int, j: int, legs: Int64, patterns: Int64, rows: Int64) -> bool:
    """Whether legs have the modes of a pattern, in its order."""
    matched = 0
    for nth in range(end - start):
        matched += 1 if legs[MODE, rows[start + nth]] & patterns[j, nth] else 0
    return matched == end - start


@kernel_part
def _go_by_weeks(
    begin: int,
    end: int,
    count: int,
    week: int,
    price: int,
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
    under = len(cost) - 1
    by_week[begin] = 0
    for d in range(begin, end):
        by_week[d + 1] = by_week[d] + cost[under, d]
    after = end
    from_day[end] = onward[0]
    for d in range(end - 1, begin - 1, -1):
        least = cost[0, d] + from_day[d + 1]
        if days[COVER, d] & week:
            last = days[DAY, d] + WEEK
            while after > d + 1 and days[DAY, after - 1] >= last:
                after -= 1
            left = 0
            if after == end and end < count:
                left = max(last - days[DAY, end], 0)
            rest = from_day[after] if left == 0 else onward[left]
            least = min(least, price + by_week[after] - by_week[d] + rest)
        from_day[d] = least
    now[0] = from_day[begin]
    for left in range(1, len(now) if begin > 0 else 1):
        last, d = days[DAY, begin] + left, begin
        while d < end and days[DAY, d] < last:
            d += 1
        over = 0
        if d == end and end < count:
            over = max(last - days[DAY, end], 0)
        now[left] = by_week[d] + (from_day[d] if over == 0 else onward[over])


@kernel_part
def _go_back(
    gap: int, weeks: Int64, price_of: Int64, cost: Int64, onward: Int64, now: Int64
) -> None:
    """Least cost from a day on, by the days that two weeks have left; the next is `gap` days on."""
    for left_1 in range(WEEK, -1, -1):
        for left_0 in range(WEEK, -1, -1):
            under = (1 if left_0 else 0) | (2 if left_1 else 0)
            after = max(left_0 - gap, 0) + LEFT * max(left_1 - gap, 0)
            least = cost[under] + onward[after]
            # A week is not bought while one is under way: it had better begin later.
            if left_0 == 0:
                least = min(least, price_of[weeks[1]] + now[WEEK + LEFT * left_1])
            if left_1 == 0:
                least = min(least, price_of[weeks[2]] + now[left_0 + LEFT * WEEK])
            now[left_0 + LEFT * left_1] = least
