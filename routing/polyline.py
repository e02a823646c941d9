"""Encoded polylines (Google's algorithm) with a choice of decimals."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from core.jit import kernel

BYTES_PER_NUMBER = 7
"""Five bits a byte: enough for differences of 360 degrees at seven decimals."""


@kernel
def encode_points(
    lat: npt.NDArray[np.float64],
    lon: npt.NDArray[np.float64],
    factor: float,
    out: npt.NDArray[np.uint8],
) -> int:
    """Write zigzag differences, five bits a byte; returns the number of bytes."""
    count, last_lat, last_lon = 0, np.int64(0), np.int64(0)
    for i in range(len(lat)):
        at_lat, at_lon = np.int64(np.rint(lat[i] * factor)), np.int64(np.rint(lon[i] * factor))
        for value in (at_lat - last_lat, at_lon - last_lon):
            rest = ~(value << 1) if value < 0 else value << 1
            while rest >= 0x20:
                out[count] = (0x20 | (rest & 0x1F)) + 63
                rest >>= 5
                count += 1
            out[count] = rest + 63
            count += 1
        last_lat, last_lon = at_lat, at_lon
    return count


def encode_polyline(
    lat: npt.NDArray[np.float64], lon: npt.NDArray[np.float64], decimals: int
) -> str:
    """Encode points as text; `decimals` is 5, 6 or 7."""
    lat, lon = np.ascontiguousarray(lat), np.ascontiguousarray(lon)
    out = np.empty(2 * len(lat) * BYTES_PER_NUMBER, np.uint8)
    return out[: encode_points(lat, lon, 10.0**decimals, out)].tobytes().decode("ascii")
