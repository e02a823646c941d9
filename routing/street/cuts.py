"""Edges cut where stops and meeting points stand, so that each of them is a node."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from routing.street.graph import DIRECTIONS, PROFILES, Streets, step_metres
from routing.street.kernels import NO_ACCESS

Int32 = npt.NDArray[np.int32]
Float64 = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Cut:
    """Where an edge is split: after which of its points, and how far on to the next."""

    edge: int
    point: int
    """Row of `Streets.point_lat`, on the edge and not its last."""
    share: float


def split_edges(streets: Streets, cuts: list[Cut]) -> tuple[Streets, Int32]:
    """
    Split edges so that every cut is a node.

    Returns
    -------
    streets, node
        The new streets, and for each cut the node that stands there. An edge's whole seconds
        are shared out over its pieces, so that they add up to what they were.
    """
    along = np.r_[0, np.cumsum(step_metres(streets.point_lat, streets.point_lon))]
    on_edge: dict[int, list[int]] = {}
    for i, cut in enumerate(cuts):
        on_edge.setdefault(cut.edge, []).append(i)
    node_of_cut = np.full(len(cuts), -1, np.int32)
    new_lat, new_lon = list(streets.node_lat), list(streets.node_lon)
    pieces: dict[int, list[tuple[float, int]]] = {}  # edge → (share, node) of its inner cuts
    for edge, members in on_edge.items():
        start = along[streets.edge_first_point[edge]]
        metres = max(streets.edge_m[edge], 1e-9)
        where = []
        for i in members:
            p = cuts[i].point
            at = along[p] + cuts[i].share * (along[p + 1] - along[p]) - start
            where.append((min(max(at / metres, 0.0), 1.0), i))
        inner: list[tuple[float, int]] = []
        for share, i in sorted(where):
            if share * metres < 0.5:
                node_of_cut[i] = streets.edge_from[edge]
            elif (1 - share) * metres < 0.5:
                node_of_cut[i] = streets.edge_to[edge]
            elif inner and (share - inner[-1][0]) * metres < 0.5:
                node_of_cut[i] = inner[-1][1]
            else:
                p, t = cuts[i].point, cuts[i].share
                new_lat.append(_between(streets.point_lat, p, t))
                new_lon.append(_between(streets.point_lon, p, t))
                node_of_cut[i] = len(new_lat) - 1
                inner.append((share, len(new_lat) - 1))
        if inner:
            pieces[edge] = inner
    return _with_pieces(streets, pieces, np.array(new_lat), np.array(new_lon)), node_of_cut


def _between(values: Float64, point: int, share: float) -> float:
    return float(values[point] + share * (values[point + 1] - values[point]))


def _with_pieces(
    streets: Streets, pieces: dict[int, list[tuple[float, int]]], lat: Float64, lon: Float64
) -> Streets:
    whole = np.array([e not in pieces for e in range(len(streets.edge_from))])
    columns = [f"{p}_{d}_s" for p in PROFILES for d in DIRECTIONS]
    plain = (
        "edge_kind", "edge_name", "edge_may_stop", "edge_toll", "edge_step_free", "edge_elevator"
    )  # fmt: skip
    new: dict[str, list[Any]] = {
        n: [] for n in ("edge_from", "edge_to", "edge_m", *plain, *columns)
    }
    shapes: list[tuple[Float64, Float64]] = []
    for edge, inner in pieces.items():
        a, b = streets.edge_first_point[edge], streets.edge_first_point[edge + 1]
        p_lat, p_lon = streets.point_lat[a:b], streets.point_lon[a:b]
        shares = np.r_[0, np.cumsum(step_metres(p_lat, p_lon))] / max(streets.edge_m[edge], 1e-9)
        stations = [(0.0, int(streets.edge_from[edge])), *inner, (1.0, int(streets.edge_to[edge]))]
        for (s0, n0), (s1, n1) in zip(stations, stations[1:], strict=False):
            inside = (shares > s0) & (shares < s1)
            shapes.append(
                (np.r_[lat[n0], p_lat[inside], lat[n1]], np.r_[lon[n0], p_lon[inside], lon[n1]])
            )
            new["edge_from"].append(n0)
            new["edge_to"].append(n1)
            new["edge_m"].append(streets.edge_m[edge] * (s1 - s0))
            for name in plain:
                new[name].append(getattr(streets, name)[edge])
            for name in columns:
                seconds = int(getattr(streets, name)[edge])
                part = round(seconds * s1) - round(seconds * s0)
                new[name].append(NO_ACCESS if seconds == NO_ACCESS else part)
    length = np.diff(streets.edge_first_point)
    kept_points = np.repeat(whole, length)
    counts = np.r_[length[whole], [len(s[0]) for s in shapes]].astype(np.int64)
    changes: dict[str, Any] = {
        name: np.r_[getattr(streets, name)[whole], values].astype(getattr(streets, name).dtype)
        for name, values in new.items()
    }
    return replace(
        streets,
        node_lat=lat,
        node_lon=lon,
        edge_first_point=np.r_[0, np.cumsum(counts)].astype(np.int32),
        point_lat=np.concatenate([streets.point_lat[kept_points], *(s[0] for s in shapes)]),
        point_lon=np.concatenate([streets.point_lon[kept_points], *(s[1] for s in shapes)]),
        **changes,
    )
