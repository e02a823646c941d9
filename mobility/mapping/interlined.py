"""
One leg for each vehicle: legs in which riders stay aboard are joined to the one before.

The joined leg tells line, headsign and trip of the part in which riders get in, and all stops. A
stop at which one trip ends and the next begins stands once.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np

from routing.itinerary import Itinerary, Shape, TransitLeg

Json = dict[str, Any]


def rows_shown(itinerary: Itinerary, *, joined: bool) -> list[int]:
    """For each leg the row of the written leg that it is, or is part of."""
    if not joined:
        return list(range(len(itinerary.legs)))
    begins = [not (isinstance(g, TransitLeg) and g.stays_aboard) for g in itinerary.legs]
    return [count - 1 for count in itertools.accumulate(begins)]


def joined_shape(shapes: Sequence[Shape | None]) -> Shape | None:
    """Shape of legs one after the other, or None when one has none."""
    known = [shape for shape in shapes if shape is not None]
    if len(known) < len(shapes):
        return None
    return Shape(
        np.concatenate([shape.lat for shape in known]),
        np.concatenate([shape.lon for shape in known]),
        sum(shape.metres for shape in known),
    )


def joined_leg(parts: Sequence[Json], *, duration_s: int, geometry: Json) -> Json:
    """Join the written legs of one vehicle; `geometry` is that of all of them."""
    first, last = parts[0], parts[-1]
    stops = list(first["intermediateStops"])
    for before, part in itertools.pairwise(parts):
        stops += [*_seam(before["to"], part["from"]), *part["intermediateStops"]]
    written = {
        **first,
        **{name: last[name] for name in ("to", "endTime", "scheduledEndTime")},
        "duration": duration_s,
        "intermediateStops": stops,
        "legGeometry": geometry,
    }
    if all("distance" in part for part in parts):
        written["distance"] = round(sum(part["distance"] for part in parts), 1)
    return written


def _seam(end: Json, start: Json) -> list[Json]:
    """Where one trip ends and the vehicle's next begins: a stop, or two."""
    if end["stopId"] != start["stopId"]:
        return [end, start]
    leaves = ("departure", "scheduledDeparture", "pickupType")
    return [{**end, **{name: start[name] for name in leaves}}]
