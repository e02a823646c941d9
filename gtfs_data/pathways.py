"""
The inside of stations: pathways.txt and levels.txt as columns of the timetable.

Entrances, generic nodes and boarding areas are rows of the stops like platforms; pathways lead
from row to row. A row that leads nowhere, or is of no known kind, is left out with a finding.

Source: GTFS Schedule reference, "pathways.txt" and "levels.txt".
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from core.ids import scoped
from gtfs_data.checks import Findings
from gtfs_data.enums import STATION, PathwayMode
from gtfs_data.reader import BLANK, NO_INTEGER, Feed

Array = npt.NDArray[Any]


def read_pathways(
    feed: Feed, stop_rows: Mapping[str, int], findings: Findings
) -> tuple[list[str], dict[str, Array]]:
    """Scoped ids of the pathways that can be used, and their columns; stops as rows."""
    table = feed.table("pathways")
    types = feed.table("stops")["location_type"].to_numpy(np.int32)
    table = table[~table.duplicated("pathway_id")]  # `gtfs_data.references` tells them
    keep = np.ones(len(table), bool)
    ends = {
        name: np.array([stop_rows.get(stop, BLANK) for stop in table[name]], np.int32)
        for name in ("from_stop_id", "to_stop_id")
    }
    modes = table["pathway_mode"].to_numpy(np.int32)
    for i, row in enumerate(table["row"].tolist()):
        for name, rows in ends.items():
            stop = table[name].iloc[i]
            if rows[i] == BLANK:
                findings.error("unknown_stop", "pathways.txt", row, f"no stop {stop!r}")
                keep[i] = False
            elif types[rows[i]] == STATION:
                message = f"{stop!r} is a station: pathways lead between places inside of one"
                findings.error("pathway_at_station", "pathways.txt", row, message)
                keep[i] = False
        if modes[i] not in PathwayMode.__members__.values():
            message = f"pathway_mode {modes[i]} is none of 1 to 7: left out"
            findings.error("unknown_pathway_mode", "pathways.txt", row, message)
            keep[i] = False
    kept = table[keep]
    stairs = kept["stair_count"].to_numpy(np.int32)
    columns = {
        "pathway_from": ends["from_stop_id"][keep],
        "pathway_to": ends["to_stop_id"][keep],
        "pathway_mode": modes[keep],
        "pathway_both_ways": (kept["is_bidirectional"].to_numpy() == 1).astype(np.uint8),
        "pathway_m": kept["length"].to_numpy(np.float64),
        "pathway_s": kept["traversal_time"].to_numpy(np.int32),
        "pathway_stairs": np.where(stairs == NO_INTEGER, 0, np.abs(stairs)).astype(np.int32),
        "pathway_slope": kept["max_slope"].to_numpy(np.float64),
        "pathway_width_m": kept["min_width"].to_numpy(np.float64),
    }
    return [scoped(feed.id, name) for name in kept["pathway_id"]], columns


def read_levels(feed: Feed, findings: Findings) -> Array:
    """Level of each stop: 0 at the street, below it negative; NaN where it is not said."""
    levels: pd.DataFrame = feed.table("levels")
    index = dict(zip(levels["level_id"], levels["level_index"], strict=True))
    stops = feed.table("stops")
    for row, level in zip(stops["row"], stops["level_id"], strict=True):
        if level and level not in index:
            findings.error("unknown_level", "stops.txt", int(row), f"no level {level!r}")
    return np.array([index.get(level, np.nan) for level in stops["level_id"]], np.float64)
