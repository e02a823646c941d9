"""
A flat map in metres for the generated territory.

A point is a complex number, x metres east and y metres north of the town hall (before the
territory is turned as a whole), so that vectors add, turn and scale without ceremony.
"""

from __future__ import annotations

import cmath
import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Polyline = npt.NDArray[np.complex128]

METRES_PER_DEGREE = 111_194.93


@dataclass(frozen=True, slots=True)
class Projection:
    """
    Turns plane points into latitude and longitude.

    The whole territory is turned by `turn_rad`, so that no two seeds lie alike on the map.
    """

    origin_lat: float
    origin_lon: float
    turn_rad: float

    def lat_lon(self, point: complex) -> tuple[float, float]:
        """Latitude and longitude of a plane point, rounded to OSM's seven decimals."""
        turned = point * cmath.exp(1j * self.turn_rad)
        lat = self.origin_lat + turned.imag / METRES_PER_DEGREE
        scale = METRES_PER_DEGREE * math.cos(math.radians(self.origin_lat))
        return round(lat, 7), round(self.origin_lon + turned.real / scale, 7)


def unit(vector: complex) -> complex:
    """The vector with length one; east for a vector without length."""
    length = abs(vector)
    return vector / length if length else 1 + 0j


def deflection_rad(before: complex, after: complex) -> float:
    """How far one turns when leaving in direction `after`, having come in direction `before`."""
    return abs(cmath.phase(after * before.conjugate()))


def along(line: Polyline) -> npt.NDArray[np.float64]:
    """Metres from the line's start to each of its points."""
    return np.concatenate([[0.0], np.cumsum(np.abs(np.diff(line)))])


def point_at(line: Polyline, at_m: float) -> tuple[complex, complex]:
    """The point `at_m` metres along the line, and the direction of travel there."""
    distance_m = along(line)
    i = int(np.clip(np.searchsorted(distance_m, at_m, side="right") - 1, 0, len(line) - 2))
    while i > 0 and distance_m[i + 1] <= distance_m[i]:
        i -= 1
    heading = unit(complex(line[i + 1] - line[i]))
    return complex(line[i]) + heading * (at_m - float(distance_m[i])), heading


def project(line: Polyline, point: complex) -> tuple[float, float]:
    """Metres from the line to the point, and metres along the line to the nearest place on it."""
    start, step = line[:-1], np.diff(line)
    squared = np.maximum(np.abs(step) ** 2, 1e-9)
    share = np.clip(((point - start) * np.conj(step)).real / squared, 0.0, 1.0)
    gap_m = np.abs(point - (start + share * step))
    i = int(np.argmin(gap_m))
    return float(gap_m[i]), float(along(line)[i] + share[i] * abs(step[i]))


def distance_to_line(points: Polyline, line: Polyline) -> npt.NDArray[np.float64]:
    """Metres from each point to the line; shape (point_count,)."""
    start, step = line[:-1][None, :], np.diff(line)[None, :]
    squared = np.maximum(np.abs(step) ** 2, 1e-9)
    nearest = np.full(len(points), np.inf)
    block = max(1, 2_000_000 // max(1, step.shape[1]))  # bounds the memory of one product
    for first in range(0, len(points), block):
        some = points[first : first + block, None]
        share = np.clip(((some - start) * np.conj(step)).real / squared, 0.0, 1.0)
        nearest[first : first + block] = np.abs(some - (start + share * step)).min(axis=1)
    return nearest


def crosses(a: complex, b: complex, line: Polyline) -> bool:
    """Whether the segment from a to b cuts the line."""
    start, end = line[:-1], line[1:]
    one = _side(a, b, start) * _side(a, b, end) < 0
    two = _side_of(start, end, a) * _side_of(start, end, b) < 0
    return bool(np.any(one & two))


def _side(a: complex, b: complex, points: Polyline) -> npt.NDArray[np.float64]:
    out: npt.NDArray[np.float64] = (np.conj(b - a) * (points - a)).imag
    return out


def _side_of(start: Polyline, end: Polyline, point: complex) -> npt.NDArray[np.float64]:
    out: npt.NDArray[np.float64] = (np.conj(end - start) * (point - start)).imag
    return out


def resample(line: Polyline, step_m: float) -> Polyline:
    """The line with points about every `step_m` metres, both ends kept."""
    distance_m = along(line)
    count = max(2, round(float(distance_m[-1]) / step_m) + 1)
    at_m = np.linspace(0.0, float(distance_m[-1]), count)
    return np.interp(at_m, distance_m, line.real) + 1j * np.interp(at_m, distance_m, line.imag)


def smooth(line: Polyline, *, passes: int = 2) -> Polyline:
    """The line with its corners cut (Chaikin), both ends kept."""
    for _ in range(passes):
        before, after = line[:-1], line[1:]
        cut = np.stack([0.75 * before + 0.25 * after, 0.25 * before + 0.75 * after], axis=1)
        line = np.concatenate([line[:1], cut.ravel(), line[-1:]])
    return line


def curve(
    a: complex, b: complex, *, bend: float, step_m: float, rng: np.random.Generator
) -> Polyline:
    """
    A country road from a to b: bends that fade towards both ends.

    Parameters
    ----------
    bend
        Typical sideways excursion as a share of the length.
    """
    length_m = abs(b - a)
    count = max(2, round(length_m / step_m) + 1)
    t = np.linspace(0.0, 1.0, count)
    sideways = np.zeros(count)
    for wave in (1, 2, 3, 5):
        sideways += rng.normal(0.0, 1.0) / wave**1.2 * np.sin(math.pi * wave * t)
    offset = bend * length_m * sideways * np.sin(math.pi * t) ** 0.5
    return a + (b - a) * t + 1j * unit(b - a) * offset
