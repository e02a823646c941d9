"""Charges as they are written: products, weeks that began before, and pieces of a day pay legs."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from core.jit import kernel
from payments.day_kernels import ALONE, COVER, DAY, MODE, PRICE, TOO_MUCH, cut
from payments.kernels import WEEK

Int64 = npt.NDArray[np.int64]
BY, CENTS, SINCE = range(3)
"""Columns of a table of charges."""
NOBODY = -1
"""Owner of a leg that is still to be paid."""


@kernel
def is_before(one: int, other: int) -> bool:
    """Whether a set of places is tried before another: the smaller, or that of earlier ones."""
    size, rest = 0, one
    while rest:
        size, rest = size + 1, rest & (rest - 1)
    rest = other
    while rest:
        size, rest = size - 1, rest & (rest - 1)
    differs = one ^ other
    return size < 0 or (size == 0 and one & differs & -differs != 0)


@kernel
def charge_pass(
    p: int, cents: int, begin: int, end: int, day: int, legs: Int64, owner: Int64, charges: Int64
) -> None:
    """Let a pass pay what it covers and nothing else pays."""
    of = NOBODY
    for leg in range(begin, end):
        if owner[leg] == NOBODY and legs[COVER, leg] >> p & 1:
            of = leg if of == NOBODY else of
            owner[leg] = of
    if of != NOBODY:
        charges[of, BY], charges[of, CENTS], charges[of, SINCE] = p, cents, day


@kernel
def charge_begun(
    begun: Int64, first_day: int, begin: int, end: int, passes: Int64, legs: Int64,
    owner: Int64, charges: Int64,
) -> None:  # fmt: skip
    """Let weeks that began before pay what they cover, and share what they add by their prices."""
    until, takes = np.full(2, begin), np.zeros(2, np.bool_)
    for w in range(2):
        p = begun[1 + 2 * w]
        while p >= 0 and until[w] < end and legs[DAY, until[w]] < first_day + begun[2 + 2 * w]:
            until[w] += 1
        for leg in range(begin, until[w]):
            is_taken = w == 1 and leg < until[0] and legs[COVER, leg] >> begun[1] & 1
            takes[w] |= bool(legs[COVER, leg] >> p & 1 and not is_taken)
    of_first = begun[0] if takes[0] else 0
    if takes[0] and takes[1]:
        whole = passes[begun[1], 1] + passes[begun[3], 1]
        of_first = begun[0] * passes[begun[1], 1] // whole if whole else 0
    for w in range(2):
        if takes[w]:
            p, since = begun[1 + 2 * w], first_day + begun[2 + 2 * w] - WEEK
            cents = begun[0] - of_first if w else of_first
            charge_pass(p, cents, begin, until[w], since, legs, owner, charges)


@kernel
def charge_day(
    begin: int,
    end: int,
    day: int,
    covering: int,
    n: int,
    legs: Int64,
    joins: Int64,
    patterns: Int64,
    joined: int,
    window_us: int,
    price_of: Int64,
    best: Int64,
    rows: Int64,
    pieces: Int64,
    found: Int64,
    until: Int64,
    owner: Int64,
    charges: Int64,
) -> None:
    """Charge what is left of a day: by `n` products of the day that may be of use, and pieces."""
    pass_count = 0
    while 1 << pass_count < len(price_of):
        pass_count += 1
    chosen, least = 0, TOO_MUCH
    for tried in range((1 << n) + 1):
        subset = tried if tried < 1 << n else chosen  # once more, to leave its cut behind
        new = 0
        for nth in range(n):
            new |= (subset >> nth & 1) << found[nth]
        cents = price_of[new] + cut(
            begin,
            end,
            covering | new,
            legs,
            joins,
            patterns,
            joined,
            window_us,
            best,
            rows,
            pieces,
        )
        if cents < least or (cents == least and is_before(subset, chosen)):
            chosen, least = subset, cents
    for nth in range(n):
        if chosen >> nth & 1:
            p = found[nth]
            charge_pass(p, price_of[1 << p], begin, until[nth], day, legs, owner, charges)
    count = 0
    for leg in range(begin, end):
        if owner[leg] == NOBODY and legs[MODE, leg] & joined:
            count += 1
        elif owner[leg] == NOBODY and legs[MODE, leg]:
            owner[leg] = leg
            charges[leg, BY], charges[leg, CENTS] = ALONE, legs[PRICE, leg]
            charges[leg, SINCE] = day
    while count > 0:
        start, by = pieces[0, count], pieces[1, count]
        of = rows[start]
        for nth in range(start, count):
            owner[rows[nth]] = of
        charges[of, BY] = by if by == ALONE else pass_count + by
        charges[of, CENTS], charges[of, SINCE] = best[count] - best[start], day
        count = start
