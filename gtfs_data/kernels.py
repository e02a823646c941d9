"""Kernels over timetable arrays: blank times, rolled days without overtaking, stops on shapes."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from core.jit import kernel

BLANK = -1
Int32 = npt.NDArray[np.int32]
Float64 = npt.NDArray[np.float64]


@kernel
def fill_blank_times(
    first_event: Int32, arrival_s: Int32, departure_s: Int32, distance: Float64
) -> None:
    """
    Interpolate blank times in place, by distance between the known times around them.

    Parameters
    ----------
    first_event
        Shape (trip_count + 1,): row of each trip's first event.
    arrival_s, departure_s
        Shape (event_count,): seconds of the service day, `BLANK` or known at both trip ends.
    distance
        Shape (event_count,): not decreasing along each trip; any unit.
    """
    for trip in range(len(first_event) - 1):
        known = first_event[trip]
        for event in range(first_event[trip] + 1, first_event[trip + 1]):
            if arrival_s[event] == BLANK:
                continue
            span_s = arrival_s[event] - departure_s[known]
            span = distance[event] - distance[known]
            for blank in range(known + 1, event):
                if span > 0:
                    share = (distance[blank] - distance[known]) / span
                else:
                    share = (blank - known) / (event - known)
                arrival_s[blank] = departure_s[known] + np.int32(np.rint(share * span_s))
                departure_s[blank] = arrival_s[blank]
            known = event


@kernel
def chain_without_overtaking(
    order: npt.NDArray[np.int64],
    first_event: Int32,
    stop_count: int,
    shift_s: Int32,
    arrival_s: Int32,
    departure_s: Int32,
    chain: Int32,
) -> int:
    """
    Put each trip, in the order given, on the first chain whose last trip it does not overtake.

    Parameters
    ----------
    order
        Shape (n,): rows of `first_event` and `shift_s`, by departure.
    first_event, shift_s
        Shape (n,): a dated trip's first event, and what to add to its times.
    chain
        Shape (n,), written: number of the trip's chain.

    Returns
    -------
    chain_count
        Chains made; within one, departures and arrivals ascend at every stop.
    """
    last = np.empty(len(order), np.int64)
    count = 0
    for i in range(len(order)):
        row = order[i]
        event, shift = first_event[row], shift_s[row]
        placed = -1
        for c in range(count):
            before, before_shift = first_event[last[c]], shift_s[last[c]]
            fits = True
            for k in range(stop_count):
                if (
                    departure_s[event + k] + shift < departure_s[before + k] + before_shift
                    or arrival_s[event + k] + shift < arrival_s[before + k] + before_shift
                ):
                    fits = False
                    break
            if fits:
                placed = c
                break
        if placed < 0:
            placed = count
            count += 1
        last[placed] = row
        chain[row] = placed
    return count


@kernel
def lay_out_events(
    first_trip: Int32,
    first_out: Int32,
    trip: Int32,
    shift_s: Int32,
    first_event: Int32,
    arrival_s: Int32,
    departure_s: Int32,
    out_arrival_s: Int32,
    out_departure_s: Int32,
) -> None:
    """
    Write the times of dated trips stop by stop, pattern by pattern.

    Parameters
    ----------
    first_trip, first_out
        Shape (pattern_count + 1,): row of each pattern's first dated trip, and of its first time.
    trip, shift_s
        Shape (first_trip[-1],): row in `first_event`, and what to add to the times there.
    """
    for pattern in range(len(first_trip) - 1):
        count = first_trip[pattern + 1] - first_trip[pattern]
        for nth in range(count):
            row, out = first_trip[pattern] + nth, first_out[pattern] + nth
            for event in range(first_event[trip[row]], first_event[trip[row] + 1]):
                out_arrival_s[out] = arrival_s[event] + shift_s[row]
                out_departure_s[out] = departure_s[event] + shift_s[row]
                out += count


@kernel
def turn_events(
    first_event: Int32,
    arrival_s: Int32,
    departure_s: Int32,
    out_arrival_s: Int32,
    out_departure_s: Int32,
) -> None:
    """Turn the times of each pattern round: the last comes first, arrivals become departures."""
    for pattern in range(len(first_event) - 1):
        ends = first_event[pattern] + first_event[pattern + 1] - 1
        for event in range(first_event[pattern], first_event[pattern + 1]):
            out_arrival_s[event] = -departure_s[ends - event]
            out_departure_s[event] = -arrival_s[ends - event]


@kernel
def stops_on_shape(
    stop_lat: Float64, stop_lon: Float64, point_lat: Float64, point_lon: Float64, out: Int32
) -> None:
    """
    Give each stop of a pattern a point of its shape: nearest in sum, never going backwards.

    Dynamic programme over (stop, point); `out` (stop_count,) receives point rows.
    """
    stops, points = len(stop_lat), len(point_lat)
    scale = np.cos(np.radians(stop_lat[0]))
    best = np.empty(points)
    came = np.empty((stops, points), np.int32)
    for s in range(stops):
        low, low_at = np.inf, 0
        for p in range(points):
            if s > 0:
                if best[p] < low:
                    low, low_at = best[p], p
            else:
                low, low_at = 0.0, p
            y = stop_lat[s] - point_lat[p]
            x = (stop_lon[s] - point_lon[p]) * scale
            came[s, p] = low_at
            best[p] = low + np.sqrt(x * x + y * y)
    at = 0
    for p in range(points):
        if best[p] < best[at]:
            at = p
    for s in range(stops - 1, -1, -1):
        out[s] = at
        at = came[s, at]
