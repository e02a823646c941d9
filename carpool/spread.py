"""Which of the meeting points that a driver can serve the search looks at: a spread choice."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from core.jit import kernel

DETOUR_WEIGHT = 0.65
"""A point at the end of the budget counts as if it were this much nearer to those chosen."""

Int32 = npt.NDArray[np.int32]


@kernel
def spread_choice(
    x_m: npt.NDArray[np.float64],
    y_m: npt.NDArray[np.float64],
    detour: npt.NDArray[np.float64],
    limit: int,
) -> npt.NDArray[np.bool_]:
    """
    Choose points, always the one farthest from those chosen before, counting detours.

    Parameters
    ----------
    x_m, y_m
        Places in a plane, in metres.
    detour
        Share of the driver's budget that going there takes, 0 to 1.
    limit
        How many to choose.

    Returns
    -------
    Shape (point_count,): whether a point is chosen. The first is one on the driver's own way.

    References
    ----------
    Clustering to minimize the maximum intercluster distance (Gonzalez, 1985): within twice the
    best possible distance.
    """
    chosen = np.zeros(len(x_m), np.bool_)
    if len(x_m) <= limit:
        chosen[:] = True
        return chosen
    away = np.full(len(x_m), np.inf)
    latest = int(np.argmin(detour))
    for _ in range(limit):
        chosen[latest] = True
        away[latest] = -1.0
        next_away, following = -1.0, latest
        for i in range(len(x_m)):
            if away[i] < 0:
                continue
            square = (x_m[i] - x_m[latest]) ** 2 + (y_m[i] - y_m[latest]) ** 2
            away[i] = min(away[i], square * (1 - DETOUR_WEIGHT * detour[i]) ** 2)
            if away[i] > next_away:
                next_away, following = away[i], i
        latest = following
    return chosen
