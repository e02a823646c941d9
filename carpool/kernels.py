"""In which order a driver visits the riders of a bundle; the oracle is `RideWay.schedule`."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from core.jit import kernel

Int64 = npt.NDArray[np.int64]
NO_WAY = -1
"""Drive between two visits where none leads, and the answer where no order keeps all promises."""
MOST_VISITS = 16
"""Eight seats, each taken and left."""


@kernel
def best_stop_order(
    from_start_s: Int64,
    to_end_s: Int64,
    hop_s: Int64,
    earliest_s: Int64,
    latest_s: Int64,
    seats: Int64,
    limit_s: int,
    leaves_from_s: int,
    leaves_to_s: int,
    seat_count: int,
    at_s: Int64,
) -> int:
    """
    Find the shortest drive that visits all stops and keeps every promise, by trying all orders.

    Visits 2k and 2k + 1 are rider k's pick-up and drop-off. The driver leaves as late as the first
    visit allows and waits wherever he is early, as in `RideWay.schedule`. Orders that begin in a
    way that is already too long, too late or too full are not gone on with. Of equally short
    drives the one that ends first is taken, then the first in order of rows.

    Parameters
    ----------
    from_start_s, to_end_s, earliest_s, latest_s, seats
        Shape (visit_count,), visit_count at most `MOST_VISITS`; seats are taken from a visit on,
        less than 0 where they are left.
    hop_s
        Shape (visit_count, visit_count): drives between visits, `NO_WAY` where none leads.
    limit_s
        Longest drive; the driver leaves between `leaves_from_s` and `leaves_to_s`.
    at_s
        Shape (visit_count,): filled with when each visit is made.

    Returns
    -------
    drive_s
        Seconds of driving from start to end, or `NO_WAY`.
    """
    count = len(from_start_s)
    order = np.full(count + 1, -1, np.int64)
    now_s, drive_s = np.zeros(count + 1, np.int64), np.zeros(count + 1, np.int64)
    aboard, there_s = np.zeros(count + 1, np.int64), np.zeros(count, np.int64)
    used = np.zeros(count, np.bool_)
    best_drive_s, best_end_s = limit_s + 1, 0
    depth = 0
    while depth >= 0:
        if order[depth] >= 0:
            used[order[depth]] = False
        visit = order[depth] + 1
        while visit < count and (used[visit] or (visit % 2 == 1 and not used[visit - 1])):
            visit += 1
        if visit >= count:
            order[depth] = -1
            depth -= 1
            continue
        order[depth] = visit
        if depth == 0:
            hop = from_start_s[visit]
            begun_s = min(max(earliest_s[visit] - hop, leaves_from_s), leaves_to_s)
        else:
            hop = hop_s[order[depth - 1], visit]
            begun_s = now_s[depth]
        if hop == NO_WAY:
            continue
        at = max(begun_s + hop, earliest_s[visit])
        drive, seated = drive_s[depth] + hop, aboard[depth] + seats[visit]
        whole_s, end_s = drive + to_end_s[visit], at + to_end_s[visit]
        if (
            at > latest_s[visit] or seated > seat_count or whole_s > best_drive_s
            or whole_s > limit_s or end_s > leaves_to_s + limit_s
        ):  # fmt: skip
            continue
        used[visit] = True
        there_s[depth] = at
        if depth + 1 < count:
            depth += 1
            now_s[depth], drive_s[depth], aboard[depth] = at, drive, seated
            continue
        if whole_s < best_drive_s or end_s < best_end_s:
            best_drive_s, best_end_s = whole_s, end_s
            for k in range(count):
                at_s[order[k]] = there_s[k]
    return NO_WAY if best_drive_s > limit_s else best_drive_s
