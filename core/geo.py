"""Places on the Earth and the straight-line distance between them."""

from __future__ import annotations

import math
from dataclasses import dataclass

from core.errors import InvalidInput

EARTH_RADIUS_M = 6_371_008.8
METRES_PER_DEGREE = math.pi * EARTH_RADIUS_M / 180


@dataclass(frozen=True, slots=True)
class Coordinate:
    """A point in degrees (WGS 84). Only GeoJSON writers turn it round."""

    lat: float
    lon: float

    def __post_init__(self) -> None:
        if not (-90 <= self.lat <= 90 and -180 <= self.lon <= 180):
            raise InvalidInput(f"not a place on Earth: latitude {self.lat}, longitude {self.lon}")


def distance_m(a: Coordinate, b: Coordinate) -> float:
    """Great-circle distance in metres (haversine)."""
    phi1, phi2 = math.radians(a.lat), math.radians(b.lat)
    half_phi = math.sin((phi2 - phi1) / 2)
    half_lambda = math.sin(math.radians(b.lon - a.lon) / 2)
    h = half_phi**2 + math.cos(phi1) * math.cos(phi2) * half_lambda**2
    return 2 * EARTH_RADIUS_M * math.asin(math.sqrt(h))


def parse_coordinate(text: str) -> Coordinate | None:
    """Read ``lat,lon`` (a third part, the level, is allowed and dropped); None if it is not one."""
    parts = [part.strip() for part in text.split(",")]
    if len(parts) not in (2, 3):
        return None
    try:
        lat, lon = float(parts[0]), float(parts[1])
    except ValueError:
        return None
    if not (math.isfinite(lat) and math.isfinite(lon)):
        raise InvalidInput(f"not a place on Earth: {text!r}")
    return Coordinate(lat=lat, lon=lon)
