"""How many trips run on which day, by feed: what a new timetable is compared by."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from gtfs_data.timetable import NONE, Timetable


def trips_per_day(timetable: Timetable) -> npt.NDArray[np.int64]:
    """
    Count the trips of each feed on each service day.

    Returns
    -------
    Shape (feed_count, day_count); column 0 is day number `service_first_day`.
    """
    t = timetable
    feed = t.route_feed[t.pattern_route[t.trip_pattern]]
    trips = np.zeros((len(t.feed_id), t.service_runs.shape[0]), np.int64)
    runs = t.trip_service != NONE
    np.add.at(trips, (feed[runs], t.trip_service[runs]), 1)
    return trips @ t.service_runs.astype(np.int64)
