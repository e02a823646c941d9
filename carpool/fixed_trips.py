"""
An offer frozen to a trip with stops and times, for planners that know nothing of detours.

The driver comes by each stop in turn and still stays within his budget, so that whatever part of
the trip somebody rides can be booked while nobody else has.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import numpy.typing as npt

from core.jit import kernel
from routing.raptor.body_table import Body
from routing.street.drive import UNREACHABLE_S

STOP_LIMIT = 20
LEAST_HOP_S = 120
"""Between two stops: nobody takes a car for less."""

Int64 = npt.NDArray[np.int64]


def fixed_trip(body: Body, drive_s: npt.NDArray[np.uint16]) -> list[tuple[int, int]]:
    """
    Meeting points of a driver's trip, as he passes them, and seconds from his start to each.

    Those come first that are on his way; farther ones join while all together fit the budget. An
    offer that passes fewer than two points has none.

    Parameters
    ----------
    drive_s
        Shape (P, P): drives between meeting points.
    """
    columns = np.array(
        [body.point, body.from_start_s, body.to_end_s, body.segment], np.int64
    )[:, : body.searched]  # fmt: skip
    detour_s = columns[1] + columns[2] - body.solo_s
    order = np.lexsort((columns[0], detour_s))
    rows = _choose(columns, order, drive_s, body.solo_s, body.solo_s + body.budget_s)
    if len(rows) < 2:
        return []
    hops_s = [_hop_s(columns, a, b, drive_s, body.solo_s) for a, b in pairwise(rows)]
    times_s = np.cumsum([columns[1, rows[0]], *hops_s])
    return list(zip(columns[0, rows].tolist(), times_s.tolist(), strict=True))


@kernel
def _choose(
    columns: Int64, order: Int64, drive_s: npt.NDArray[np.uint16], solo_s: int, limit_s: int
) -> Int64:
    rows, count = np.zeros(STOP_LIMIT, np.int64), 0
    tried = np.zeros(STOP_LIMIT, np.int64)
    from_s, to_s, segment = columns[1], columns[2], columns[3]
    for row in order:
        at = 0
        while at < count and (
            segment[rows[at]] < segment[row]
            or (segment[rows[at]] == segment[row] and from_s[rows[at]] <= from_s[row])
        ):
            at += 1
        tried[:at], tried[at], tried[at + 1 : count + 1] = rows[:at], row, rows[at:count]
        whole_s, least_s = from_s[tried[0]] + to_s[tried[count]], np.int64(LEAST_HOP_S)
        for i in range(count):
            hop_s = _hop_s(columns, tried[i], tried[i + 1], drive_s, solo_s)
            least_s = min(least_s, hop_s)
            whole_s += hop_s
        if least_s == LEAST_HOP_S and whole_s <= limit_s:
            count += 1
            rows[:count] = tried[:count]
            if count == STOP_LIMIT:
                break
    return rows[:count]


@kernel
def _hop_s(
    columns: Int64, a: int, b: int, drive_s: npt.NDArray[np.uint16], solo_s: int
) -> np.int64:
    """Drive from one candidate to another, or so long that it fits no budget."""
    if columns[3, a] != columns[3, b]:
        return np.int64(columns[2, a] + columns[1, b] - solo_s)
    hop_s = np.int64(drive_s[columns[0, a], columns[0, b]])
    return np.int64(hop_s if hop_s < UNREACHABLE_S else 2**40)
