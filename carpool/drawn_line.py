"""
A drawn line → the few places through which the fastest drive follows it.

The drive between two places of the line is looked at where the line is the farthest from it: when
that is too far, the drive goes through there as well, and both halves are looked at likewise (as
Douglas and Peucker simplify a line, 1973).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from carpool.compile import STREET_LIMIT_M, OfferUnusable, snap_to_street
from carpool.offers import VIA_LIMIT
from core.geo import METRES_PER_DEGREE, Coordinate
from routing.network import Network
from routing.raptor.flexible import LONGEST_DRIVE_S
from routing.street.graph import step_metres
from routing.street.straight import great_circle_m

Float64 = npt.NDArray[np.float64]
FOLLOWS_M = 200.0
"""How far a drive may be off the line that was drawn for it."""
STEP_M = 50.0
"""Between the places of a line that are looked at."""
PLACES_LIMIT = 10_000
TINY = 1e-9


class LineUnusable(OfferUnusable):
    """No drive follows the line that was drawn for it."""

    code = "line_unusable"


def vias_of_line(
    network: Network,
    line: Sequence[Coordinate],
    start: Coordinate,
    end: Coordinate,
    apart_m: tuple[float, float] = (0.0, 0.0),
) -> tuple[Coordinate, ...]:
    """
    Few places, in order, that keep a drive from `start` to `end` on a line.

    Parameters
    ----------
    line
        Corners of what the driver drew.
    apart_m
        So near to either end the line tells where he lives, and is not followed.

    Raises
    ------
    LineUnusable
        It is no line, runs where no car does, or is too winding for `VIA_LIMIT` places.
    OfferUnusable
        No street open to cars is near `start` or `end`.
    """
    inner = _filled(line)
    for place, limit_m in zip((start, end), apart_m, strict=True):
        inner = inner[great_circle_m(place.lat, place.lon, inner[:, 0], inner[:, 1]) >= limit_m]
    places = np.concatenate([[(start.lat, start.lon)], inner, [(end.lat, end.lon)]])
    scale = METRES_PER_DEGREE * np.array([1, np.cos(np.radians(places[:, 0].mean()))])
    vias: list[int] = []
    spans = [(0, len(places) - 1)]
    while spans:
        first, last = spans.pop()
        if last - first < 2:
            continue
        off_m = _off_the_drive(network, places[first : last + 1], scale)
        if off_m.max() <= FOLLOWS_M:
            continue
        if len(vias) == VIA_LIMIT:
            raise LineUnusable(
                f"line: no drive through {VIA_LIMIT} places stays within {FOLLOWS_M:.0f} m of it: "
                "draw it along streets, or leave it out"
            )
        worst = first + 1 + int(off_m.argmax())
        via = Coordinate(*places[worst].tolist())
        if network.find_snapped("car", via, STREET_LIMIT_M) is None:
            raise LineUnusable(f"line: no street open to cars near {via.lat:.5f}, {via.lon:.5f}")
        vias.append(worst)
        spans += [(worst, last), (first, worst)]
    return tuple(Coordinate(*places[i].tolist()) for i in sorted(vias))


def _filled(line: Sequence[Coordinate]) -> Float64:
    """Shape (n, 2): latitude and longitude all along a line, its corners among them."""
    if len(line) < 2:
        raise LineUnusable("line: two places at least")
    corners = np.array([(place.lat, place.lon) for place in line])
    metres = step_metres(corners[:, 0], corners[:, 1])
    pieces = np.maximum(np.ceil(metres / STEP_M), 1)
    if pieces.sum() > PLACES_LIMIT:
        raise LineUnusable(f"line: longer than {PLACES_LIMIT * STEP_M / 1000:.0f} km")
    at = np.r_[0, np.cumsum(pieces)]
    every = np.arange(at[-1] + 1)
    return np.stack([np.interp(every, at, column) for column in corners.T], axis=1)


def _off_the_drive(network: Network, places: Float64, scale: Float64) -> Float64:
    """Metres of each place, without the first and the last, from the fastest drive of those."""
    ends = [snap_to_street(network, Coordinate(*places[i].tolist())) for i in (0, -1)]
    route = network.find_route("car", ends[0], ends[1], LONGEST_DRIVE_S)
    if route is None:
        raise LineUnusable("line: no road joins its places")
    drive = np.stack([route.lat, route.lon], axis=1) * scale
    off_m: Float64 = np.array([_distance(place, drive) for place in places[1:-1] * scale])
    return off_m


def _distance(place: Float64, drive: Float64) -> float:
    """From a place to the nearest of a drive's pieces."""
    start, step = drive[:-1], np.diff(drive, axis=0)
    length = np.maximum((step**2).sum(axis=1), TINY)
    share = np.clip(((place - start) * step).sum(axis=1) / length, 0, 1)
    away: float = np.hypot(*(start + share[:, None] * step - place).T).min()
    return away
