"""Encoded polylines (Google's algorithm) with a choice of decimals."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from core.jit import kernel

BYTES_PER_NUMBER = 7
"""Five bits a byte: enough for differences of 360 degrees at seven decimals."""


@kernel
def _encode(values: npt.NDArray[np.int64], out: npt.NDArray[np.uint8]) -> int:
    """Write zigzag differences, five bits a byte; returns the number of bytes."""
    count = 0
    for value in values:
        rest = ~(value << 1) if value < 0 else value << 1
        while rest >= 0x20:
            out[count] = (0x20 | (rest & 0x1F)) + 63
            rest >>= 5
            count += 1
        out[count] = rest + 63
        count += 1
    return count


def encode_polyline(
    lat: npt.NDArray[np.float64], lon: npt.NDArray[np.float64], decimals: int
) -> str:
    """Encode points as text; `decimals` is 5, 6 or 7."""
    fixed = np.rint(np.column_stack([lat, lon]) * 10.0**decimals).astype(np.int64)
    steps = np.diff(fixed, axis=0, prepend=np.zeros((1, 2), np.int64)).ravel()
    out = np.empty(len(steps) * BYTES_PER_NUMBER, np.uint8)
    return out[: _encode(steps, out)].tobytes().decode("ascii")
