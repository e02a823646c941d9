"""One place, many departures: by when each of them lets one get out at every stop."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from core.jit import kernel
from gtfs_data.rolling import DayTimetable
from routing.raptor.kernels import run_rounds
from routing.raptor.labels import ALIGHT, FAR, Labels
from routing.raptor.scan import Costs
from routing.street.kernels import Walks

Int32 = npt.NDArray[np.int32]


@kernel
def spread_departures(
    day: DayTimetable,
    walks: Walks,
    costs: Costs,
    labels: Labels,
    access: Walks,
    starts_s: Int32,
    most_s: int,
    rows: int,
    stop_count: int,
    out_s: Int32,
) -> None:
    """
    Spread departures of public transport, the last first, keeping what later ones found.

    Parameters
    ----------
    labels
        Reset, with no walk to any goal.
    starts_s
        Shape (departure_count,), ascending.
    rows
        One more than the most vehicles allowed.
    out_s
        Shape (stop_count, departure_count), written: seconds from the departure to getting out, or
        `FAR` when that takes longer than `most_s`.

    References
    ----------
    Round-Based Public Transit Routing (ALENEX 2012), section 4 (rRAPTOR).
    """
    # Typed numbers: literals would compile the callee once more.
    none, forward = int(np.int64(0)), bool(rows > 0)
    for i in range(len(starts_s) - 1, -1, -1):
        start_s = int(starts_s[i])
        labels.goal_s[:rows] = start_s + most_s + 1
        run_rounds(
            day, walks, costs, labels, access, none, start_s, rows, stop_count, forward, None
        )  # fmt: skip
        for stop in range(stop_count):
            gap_s = labels.time_s[ALIGHT + rows - 1, stop] - start_s
            out_s[stop, i] = gap_s if gap_s <= most_s else FAR
