"""
The least bill of many riders at once: the totals of `payments.rating`, without their lines.

The months are gone through in order, and each without month products, then with every set of them
that costs less than what the month does so far. A day costs a different amount for each set of
weeks under way; with these amounts the days are gone through in order, with the days that each week
has left as a state. So it is also known what weeks that are still good at the end have added.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from core.jit import kernel, kernel_part
from payments.day_kernels import COVER, DAY, MODE, MONTH, TOO_MUCH, price_day

Int64 = npt.NDArray[np.int64]
WEEK = 7
LEFT = WEEK + 1
"""States of a week, by the days that it has left."""
FARE_DAY, ROLLING_7D, CALENDAR_MONTH = range(3)
"""Codes of periods."""
FIRST, COVER_ALL = 0, 4
"""Rows of a table of days, beside `DAY`, `MONTH`, and `COVER`, the passes that cover some leg."""


@kernel
def rate_riders(
    spans: Int64,
    legs: Int64,
    passes: Int64,
    joins: Int64,
    patterns: Int64,
    begun: Int64,
    begun_first: Int64,
    first_days: Int64,
    is_on_sale: bool,
    totals: Int64,
    ends: Int64,
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
    begun
        Shape (b, 5): choices of weeks that began before: what they add, and of two weeks the pass,
        or -1, and the days that it has left on the first one of `first_days`.
    begun_first
        Shape (n + 1,): first of the choices of each rider.
    first_days
        Shape (2,): fare day before which no leg is, and one after all legs.
    is_on_sale
        Whether weeks may begin on the last of these days; else one may overlap the one before.
    totals
        Shape (n,), written.
    ends
        Shape (n, states), written: what is added by weeks that have so many days left on the last
        of `first_days` (the second week times `LEFT`); no states where that is not wanted.
    """
    price_of, weeks = np.zeros(1 << len(passes), np.int64), np.zeros(4, np.int64)
    by_day = by_month = joined = window_us = most = 0
    week_sets = 1
    stride = np.zeros(len(passes), np.int64)
    for p in range(len(passes)):
        bit = 1 << p
        for s in range(bit):
            price_of[bit | s] = price_of[s] + passes[p, 1]
        if passes[p, 0] == FARE_DAY:
            by_day |= bit
        elif passes[p, 0] == CALENDAR_MONTH:
            by_month |= bit
        else:
            stride[p] = LEFT if week_sets > 1 else 1
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
    states = np.zeros((4, (1, LEFT, LEFT * LEFT)[week_sets // 2]), np.int64)
    so_far, least, now, then = states[0], states[1], states[2], states[3]
    for r in range(len(totals)):
        count = _list_days(spans[r, 0], spans[r, 1], legs, days)
        days[DAY, count] = first_days[1] if ends.shape[1] else days[DAY, count - 1] + WEEK
        so_far[:] = TOO_MUCH
        so_far[0] = 0
        for nth in range(begun_first[r], begun_first[r + 1] if count else begun_first[r]):
            state = state_of(begun[nth], days[DAY, 0] - first_days[0], stride)
            so_far[state] = min(so_far[state], begun[nth, 0])
        begin = 0
        while begin < count:
            end, useful = begin, 0
            while end < count and days[MONTH, end] == days[MONTH, begin]:
                useful |= days[COVER, end] & by_month
                end += 1
            useful &= ~out_of_reach(days[FIRST, begin], days[FIRST, end], useful, passes, legs)
            is_needed = end < count or ends.shape[1] > 0  # else the least of all states is
            cheapest = dearest = TOO_MUCH
            for state in range(len(so_far)):
                cheapest = min(cheapest, so_far[state])
            least[:] = TOO_MUCH
            bought = 0
            while True:
                if price_of[bought] + cheapest < dearest:
                    _copy(so_far, now)
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
                        gap = days[DAY, d + 1] - days[DAY, d]
                        _begin_weeks(weeks, days[COVER, d], is_on_sale, price_of, now)
                        if week_sets < 4:
                            _go_on(gap, d, cost, now)
                        else:
                            _go_on_by_two(gap, d, cost, now, then)
                            _copy(then, now)
                    dearest = 0 if is_needed else TOO_MUCH
                    for state in range(len(now)):
                        if now[state] < TOO_MUCH:
                            least[state] = min(least[state], now[state] + price_of[bought])
                            if is_needed:
                                dearest = max(dearest, least[state])
                            else:
                                dearest = min(dearest, least[state])
                bought = (bought - useful) & useful
                if bought == 0:
                    break
            _copy(least, so_far)
            begin = end
        totals[r] = TOO_MUCH
        for state in range(len(so_far)):
            totals[r] = min(totals[r], so_far[state])
        for state in range(ends.shape[1]):
            is_known = so_far[state] < TOO_MUCH
            ends[r, state] = so_far[state] - totals[r] if is_known else TOO_MUCH


@kernel
def keep_choices(
    ends: Int64, passes: Int64, is_on_sale: bool, kept: Int64, kept_first: Int64
) -> None:
    """
    Write the choices of which no other is as good for as little.

    Parameters
    ----------
    ends, passes
        As of `rate_riders`; `ends` is changed.
    is_on_sale
        Whether weeks may begin when the month does: one that adds its price had better do so.
    kept
        Shape (most, 5), written: as `begun` of `rate_riders`.
    kept_first
        Shape (n + 1,), written: first choice of each rider.
    """
    weeks = np.full(2, -1, np.int64)
    for p in range(len(passes)):
        if passes[p, 0] == ROLLING_7D:
            weeks[0 if weeks[0] < 0 else 1] = p
    n = 0
    is_needless = np.zeros(ends.shape[1], np.bool_)
    for r in range(len(ends)):
        kept_first[r] = n
        own = ends[r]
        # Whoever has more days left has fewer, too.
        for state in range(len(own) - 1, -1, -1):
            if state % LEFT < WEEK:
                own[state] = min(own[state], own[state + 1])
            if state + LEFT < len(own):
                own[state] = min(own[state], own[state + LEFT])
        for state in range(len(own)):
            left_0, left_1 = state % LEFT, state // LEFT
            is_needless[state] = own[state] == TOO_MUCH
            if is_on_sale and left_0:
                is_needless[state] |= own[LEFT * left_1] + passes[weeks[0], 1] <= own[state]
            if is_on_sale and left_1:
                is_needless[state] |= own[left_0] + passes[weeks[1], 1] <= own[state]
        for state in range(1, len(own)):
            left_0, left_1 = state % LEFT, state // LEFT
            is_kept = not is_needless[state]
            for other in range(len(own) if is_kept else 0):
                is_as_good = other % LEFT >= left_0 and other // LEFT >= left_1
                if is_as_good and other != state and not is_needless[other]:
                    is_kept &= own[other] > own[state]
            if not is_kept:
                continue
            kept[n, 0], kept[n, 1], kept[n, 3] = own[state], -1, -1
            nth = 1
            if left_0:
                kept[n, 1], kept[n, 2] = weeks[0], left_0
                nth = 3
            if left_1:
                kept[n, nth], kept[n, nth + 1] = weeks[1], left_1
            n += 1
    kept_first[len(ends)] = n


@kernel_part
def state_of(begun: Int64, gap: int, stride: Int64) -> int:
    """Days that the weeks of a choice have left some days later, as one number."""
    state = 0
    for nth in (1, 3):
        if begun[nth] >= 0:
            state += max(begun[nth + 1] - gap, 0) * stride[begun[nth]]
    return state


@kernel
def month_spans(riders: Int64, legs: Int64, month: int, spans: Int64, counts: Int64) -> None:
    """
    Find the legs of a month of riders.

    Parameters
    ----------
    riders
        Shape (r, 2): first leg of each rider, and the end of his legs.
    month
        Its number.
    spans
        Shape (r, 2), written: legs of the month.
    counts
        Shape (r, 2), written: how many they are, and how many of them have no price.
    """
    for r in range(len(riders)):
        begin = end = riders[r, 0]
        unpriced = 0
        for leg in range(riders[r, 0], riders[r, 1]):
            begin += 1 if legs[MONTH, leg] < month else 0
            end += 1 if legs[MONTH, leg] <= month else 0
            unpriced += 1 if legs[MONTH, leg] == month and legs[MODE, leg] == 0 else 0
        spans[r, 0], spans[r, 1] = begin, end
        counts[r, 0], counts[r, 1] = end - begin, unpriced


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
def _begin_weeks(weeks: Int64, covers: int, is_on_sale: bool, price_of: Int64, now: Int64) -> None:
    """
    Begin weeks on a day, by the days that they have left.

    Only where they cover a leg of the day, and, if they may begin any time, not while they are
    under way: else they had better begin later.
    """
    lefts = 1 if is_on_sale else WEEK
    for other in range(0, len(now) if covers & weeks[1] else 0, LEFT):
        for left in range(lefts):
            whole = now[other + left] + price_of[weeks[1]]
            now[other + WEEK] = min(now[other + WEEK], whole)
    for other in range(LEFT if covers & weeks[2] else 0):
        for left in range(lefts):
            whole = now[other + LEFT * left] + price_of[weeks[2]]
            now[other + LEFT * WEEK] = min(now[other + LEFT * WEEK], whole)


@kernel_part
def _go_on(gap: int, d: int, cost: Int64, now: Int64) -> None:
    """Pay for a day, and on to the next, `gap` days later, by the days that a week has left."""
    now[0] += cost[0, d]
    if len(now) == 1:
        return
    for left in range(1, min(gap, WEEK) + 1):
        now[0] = min(now[0], now[left] + cost[1, d])
    for left in range(gap + 1, LEFT):
        now[left - gap] = now[left] + cost[1, d]
    for left in range(max(LEFT - gap, 1), LEFT):
        now[left] = TOO_MUCH


@kernel_part
def _go_on_by_two(gap: int, d: int, cost: Int64, now: Int64, then: Int64) -> None:
    """The same by the days that two weeks have left."""
    then[:] = TOO_MUCH
    for state in range(len(now)):
        if now[state] < TOO_MUCH:
            left_0, left_1 = state % LEFT, state // LEFT
            under = (1 if left_0 else 0) | (2 if left_1 else 0)
            after = max(left_0 - gap, 0) + LEFT * max(left_1 - gap, 0)
            then[after] = min(then[after], now[state] + cost[under, d])
