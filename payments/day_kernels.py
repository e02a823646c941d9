"""What a day costs: its own products, and the cheapest cut of the rest into fare journeys."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from core.jit import kernel_part

Int64 = npt.NDArray[np.int64]
COLUMNS = 9
PRICE, DAY, MONTH, COVER, BOARD_US, MODE, LINE, SHARE, RULE = range(COLUMNS)
"""Rows of a table of legs."""
ALONE = -1
"""What joins a leg that no fare journey takes."""
TOO_MUCH = 1 << 60
"""More than any bill."""


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
            if patterns.shape[1]:
                rest = _cut_with_free(
                    begin, end, covering | chosen, legs, joins, patterns, joined, best, rows
                )
            else:
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
    Cheapest cut of a day's legs that no pass covers, as `payments.cutting`.

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
def _cut_with_free(
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
    """Cheapest cut where patterns may take legs that a pass covers, as `payments.cutting`."""
    cents = n = 0
    best[0] = 0
    for last in range(begin, end):
        is_free = bool(legs[COVER, last] & covering)
        if not legs[MODE, last] & joined:
            cents += 0 if is_free else legs[PRICE, last]
            continue
        rows[n] = last
        n += 1
        least = best[n - 1] + (0 if is_free else legs[PRICE, last])
        for j in range(len(joins)):
            count, dearest, start, states = 0, 0, n, 1
            while start > 0 and states:
                start -= 1
                leg = rows[start]
                if legs[BOARD_US, last] - legs[BOARD_US, leg] > joins[j, 0] * 1_000_000:
                    break
                is_other_free = bool(legs[COVER, leg] & covering)
                if joins[j, 4]:
                    # By how many of its last legs are found: each that a pass covers, or not.
                    after = 0
                    for found in range(joins[j, 4]):
                        mode = patterns[j, joins[j, 4] - 1 - found]
                        if states >> found & 1 and legs[MODE, leg] & mode:
                            after |= 1 << (found + 1)
                    if after >> joins[j, 4] & 1:
                        price = (2 * joins[j, 5] * legs[SHARE, last] + 1_000) // 2_000
                        least = min(least, best[start] + price)
                    # The last leg is the pattern's last; others may be left out if they are free.
                    states = after | (states if is_other_free and start < n - 1 else 0)
                    states &= (1 << joins[j, 4]) - 1
                    continue
                if is_free:
                    break
                if is_other_free:
                    continue
                count, dearest = count + 1, max(dearest, legs[PRICE, leg])
                if legs[MODE, leg] & ~joins[j, 1] or (joins[j, 2] and count > joins[j, 2]):
                    break
                if joins[j, 3] and _again(start, n, covering, legs, rows):
                    break
                least = min(least, best[start] + dearest)
        best[n] = least
    total: int = cents + best[n]
    return total


@kernel_part
def _again(start: int, end: int, covering: int, legs: Int64, rows: Int64) -> bool:
    """Whether a leg is on the route of one after it that no pass covers."""
    for nth in range(start + 1, end):
        if not legs[COVER, rows[nth]] & covering and (
            legs[LINE, rows[nth]] == legs[LINE, rows[start]]
        ):
            return True
    return False


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
