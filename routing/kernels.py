"""Kernels of travel times: many places on the streets, and walking on to them from stops."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from core.jit import kernel
from routing.street.kernels import NO_EDGE, Walks, nearest_edge

NO_NODE = -1

Int32 = npt.NDArray[np.int32]
Float64 = npt.NDArray[np.float64]


@kernel
def snap_points(
    x: Float64,
    y: Float64,
    limit_m: float,
    cell_m: float,
    columns: int,
    rows: int,
    cell_first: Int32,
    cell_segment: Int32,
    segment_point: Int32,
    segment_edge: Int32,
    point_x: Float64,
    point_y: Float64,
    usable: npt.NDArray[np.uint8],
    out_edge: Int32,
    out: Float64,
) -> None:
    """
    Nearest usable edge to each of many places; see `nearest_edge`.

    Parameters
    ----------
    x, y
        Shape (n,), metres on the plane of the cells.
    out_edge
        Shape (n,), written: edge, or `NO_EDGE`.
    out
        Shape (n, 3), written where there is an edge: metres away, point row, share along it.
    """
    for i in range(len(x)):
        out_edge[i] = nearest_edge(
            x[i], y[i], limit_m, cell_m, columns, rows, cell_first, cell_segment, segment_point,
            segment_edge, point_x, point_y, usable, out[i],
        )  # fmt: skip
        if out_edge[i] == NO_EDGE:
            out[i, :] = 0.0


@kernel
def walks_by_end(
    end_node: Int32,
    end_s: Int32,
    at_node: Walks,
    limit_s: int,
    out_first: Int32,
    out_stop: Int32,
    out_s: Int32,
) -> int:
    """
    Stops from which one walks to each place, through either end of its street.

    Parameters
    ----------
    end_node, end_s
        Shape (n, 2): nodes by which a place is reached, or `NO_NODE`, and the seconds from there.
    at_node
        Stops from which one walks to each street node.
    out_first, out_stop, out_s
        Written: CSR by place; a stop may stand there for each end. `out_stop` may be too short:
        call again with more.

    Returns
    -------
    count
        Walks found, also when they did not all fit.
    """
    count = 0
    out_first[0] = 0
    for i in range(len(end_node)):
        for e in range(2):
            node = end_node[i, e]
            if node == NO_NODE:
                continue
            for k in range(at_node.first[node], at_node.first[node + 1]):
                walk_s = at_node.seconds[k] + end_s[i, e]
                if walk_s <= limit_s:
                    if count < len(out_stop):
                        out_stop[count], out_s[count] = at_node.to[k], walk_s
                    count += 1
        out_first[i + 1] = count
    return count


@kernel
def walk_from_stops(alight_s: Int32, walks: Walks, times_s: Int32) -> None:
    """
    Shorten the times to places by walking there from where one gets out.

    Parameters
    ----------
    alight_s
        Shape (stop_count, departure_count): seconds from each departure.
    walks
        Stops from which one walks to each place.
    times_s
        Shape (place_count, departure_count), shortened in place.
    """
    for place in range(len(walks.first) - 1):
        times = times_s[place]
        for k in range(walks.first[place], walks.first[place + 1]):
            alight, walk_s = alight_s[walks.to[k]], walks.seconds[k]
            for i in range(len(times)):
                times[i] = min(times[i], alight[i] + walk_s)
