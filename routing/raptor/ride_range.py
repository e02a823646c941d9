"""The range search with flexible trips: only what is sooner than without is worth finding."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from core.jit import kernel
from gtfs_data.rolling import DayTimetable
from routing.raptor.flexible import RideSearch
from routing.raptor.kernels import record_journeys, run_rounds
from routing.raptor.labels import FAR, MAX_VEHICLES, NOWHERE, Labels, reset_labels
from routing.raptor.ride_bounds import RideBounds, aim_rides
from routing.raptor.ride_lists import find_running, start_lists
from routing.raptor.scan import Costs, find_leading
from routing.street.kernels import Walks

Int32 = npt.NDArray[np.int32]
WORTH_A_CHANGE_S = 300
"""What each change must save for a rider to leave a car, against a ride all the way."""
LATER_S = 7200
"""No ride is looked for that arrives so much later than public transport, to change less often."""


@kernel
def search_ride_range(
    day: DayTimetable,
    walks: Walks,
    walks_back: Walks,
    costs: Costs,
    bounds: RideBounds,
    plain: Labels,
    labels: Labels,
    access: Walks,
    egress_node: Int32,
    egress_s: Int32,
    starts_s: Int32,
    after_end: bool,
    goals_s: Int32,
    rows: int,
    stop_count: int,
    seats: int,
    forward: bool,
    journeys: Int32,
    legs: Int32,
    count: int,
    riding: RideSearch,
) -> int:
    """
    Journeys with rides that are best in departure, arrival and number of vehicles.

    Beside a ride all the way that leaves in a later step, changes must each save
    `WORTH_A_CHANGE_S`; one that leaves in the same step hides nothing (decision 0003).

    Parameters
    ----------
    walks, walks_back
        Walks by where they start, and by where they end, meeting points included.
    plain
        As `search_range` left them for the same ends.
    starts_s, after_end
        As of `search_range`.
    goals_s
        Shape (n, MAX_VEHICLES + 1): best times at the goal without rides for each of these starts;
        those much later than with all vehicles are brought nearer.
    seats
        Size of the group.
    journeys, legs, count
        Written behind those that `search_range` has found; `count` were found before.

    Returns
    -------
    journey_count
        Journeys written, and those before.
    """
    latest_s = int(np.int64(-FAR))
    for i in range(len(goals_s)):
        most_s = goals_s[i, rows - 1] + LATER_S
        for row in range(MAX_VEHICLES + 1):
            goals_s[i, row] = min(goals_s[i, row], most_s)
        latest_s = max(latest_s, int(np.int64(goals_s[i, 1])))
    find_running(riding, starts_s[-1], latest_s, seats, forward)
    if riding.scratch.running_count[0] == 0:
        return count
    start_lists(riding, access.to, egress_node, stop_count)
    reset_labels(labels, rows, egress_node, egress_s)
    aim_rides(
        bounds, walks, costs.change_s, costs.stop_s, costs.onward_256, plain, labels, egress_node,
        riding.doors, forward,
    )  # fmt: skip
    leading = find_leading(day, labels, egress_node, stop_count)
    alone_s = np.int32(FAR)
    for i in range(len(starts_s)):
        for row in range(rows):
            least_s = goals_s[i, row]
            if row > 1:
                least_s = min(least_s, alone_s - WORTH_A_CHANGE_S * (row - 1))
            if least_s < labels.goal_s[row]:
                labels.goal_s[row], labels.goal_node[row] = least_s, NOWHERE
        for row in range(MAX_VEHICLES + 1):
            labels.before_s[row] = labels.goal_s[row]
        run_rounds(
            day, walks, costs, labels, access, leading, int(starts_s[i]), rows, stop_count,
            forward, riding,
        )  # fmt: skip
        if i > 0 or not after_end:
            if labels.goal_node[1] >= stop_count:
                alone_s = labels.goal_s[1]
            count = record_journeys(
                day, walks_back, costs, labels, access, rows, stop_count, forward, journeys, legs,
                count, riding,
            )  # fmt: skip
    return count
