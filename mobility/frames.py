"""Studies as tables: the one door to polars."""

from __future__ import annotations

import numpy as np
import polars as pl

from mobility.matrices import Matrix
from routing.network import Network
from routing.one_to_all import ReachedStops
from routing.query import Endpoint
from routing.raptor.labels import FAR


def matrix_frame(matrix: Matrix) -> pl.DataFrame:
    """
    One row for each pair: from, to, a column for each percentile, and the share reached.

    Columns are named ``median_s``, ``p05_s``, ``p95_s`` …, in seconds, null where the destination
    is not reached then; ``reached_share`` is the part of the departures at which it is.
    """
    from_, to = (
        np.array([_name(end) for end in ends], object)
        for ends in (matrix.origins, matrix.destinations)
    )
    columns = {"from": np.repeat(from_, len(to)), "to": np.tile(to, len(from_))}
    frame = pl.DataFrame(
        {name: pl.Series(cells, dtype=pl.String) for name, cells in columns.items()}
    )
    for p, seconds in zip(matrix.percentiles, matrix.seconds, strict=True):
        name = "median_s" if p == 50 else f"p{p:02d}_s"
        cells = pl.Series(name, seconds.ravel())
        frame = frame.with_columns(pl.when(cells < FAR).then(cells).alias(name))
    return frame.with_columns(pl.Series("reached_share", matrix.reached_share.ravel()))


def reach_frame(network: Network, found: ReachedStops) -> pl.DataFrame:
    """Stops within reach, the soonest first: stop_id, name, lat, lon, seconds, vehicle_count."""
    t, rows = network.timetable, found.stop.tolist()
    return pl.DataFrame(
        {
            "stop_id": [t.stop_id[row] for row in rows],
            "name": [t.stop_name[row] for row in rows],
            "lat": t.stop_lat[found.stop],
            "lon": t.stop_lon[found.stop],
            "seconds": found.seconds,
            "vehicle_count": found.vehicle_count,
        }
    ).sort("seconds", "stop_id")


def _name(end: Endpoint) -> str:
    """What a table calls a place: its name, else its stop id, else lat,lon."""
    return end.name or end.stop_id or f"{end.coordinate.lat},{end.coordinate.lon}"
