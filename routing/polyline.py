"""Encoded polylines (Google's algorithm) with a choice of decimals."""

from __future__ import annotations

import itertools

import numpy as np
import numpy.typing as npt

from core.jit import kernel

BYTES_PER_NUMBER = 7
"""Five bits a byte: enough for differences of 360 degrees at seven decimals."""
ENCODED_FROM, ENCODED_TO = 63, 126
BITS_LIMIT = 5 * BYTES_PER_NUMBER


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


def decode_polyline(text: str, decimals: int, *, limit: int) -> list[tuple[float, float]]:
    """
    Latitudes and longitudes of encoded points, the first `limit` of them.

    Raises
    ------
    ValueError
        It is not an encoded polyline.
    """
    numbers: list[int] = []
    value = shift = 0
    for byte in text.encode("ascii"):
        if not ENCODED_FROM <= byte <= ENCODED_TO or shift > BITS_LIMIT:
            raise ValueError("not an encoded polyline")
        value |= (byte - ENCODED_FROM & 0x1F) << shift
        shift += 5
        if byte - ENCODED_FROM < 0x20:
            numbers.append(~(value >> 1) if value & 1 else value >> 1)
            value = shift = 0
            if len(numbers) == 2 * limit:
                break
    if shift or len(numbers) % 2:
        raise ValueError("an encoded polyline that breaks off")
    lat, lon = itertools.accumulate(numbers[::2]), itertools.accumulate(numbers[1::2])
    return [(a / 10**decimals, b / 10**decimals) for a, b in zip(lat, lon, strict=True)]
