"""Stops of the generated lines: named places with one platform per direction, along a path."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from mobility.demo.geometry import Polyline, along, point_at, project

KERB_M = 7.0  # from the middle of the street to the stop
SHARE_M = 95.0  # lines passing a stop this close call there instead of making a new one


@dataclass(slots=True)
class Platform:
    """Where one direction stops."""

    stop_id: str
    point: complex
    heading: complex


@dataclass(slots=True)
class StopPlace:
    """A stop as riders name it."""

    place_id: str
    name: str
    point: complex
    anchor: bool
    platforms: list[Platform] = field(default_factory=list)
    line_ids: set[str] = field(default_factory=set)
    modes: set[str] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class Call:
    """A line's call at a platform, `at_m` metres along its path."""

    place: StopPlace
    platform: Platform
    at_m: float


@dataclass(slots=True)
class StopBook:
    """All stop places of one feed; finds or makes those along a path."""

    namer: StopNamer
    places: list[StopPlace] = field(default_factory=list)

    def add_place(self, point: complex, *, name: str = "", anchor: bool = False) -> StopPlace:
        """Add a place; it takes its name from what stands near when none is given."""
        chosen = self.namer.reserve(name) if name else self.namer.name_at(point)
        place = StopPlace(f"S{len(self.places) + 1:03d}", chosen, point, anchor)
        self.places.append(place)
        return place

    def places_along(self, path: Polyline, *, spacing_m: float) -> list[tuple[StopPlace, float]]:
        """Choose places along a path about every `spacing_m`, shared ones first."""
        length_m = float(along(path)[-1])
        ends = [(self._end(complex(path[0])), 0.0), (self._end(complex(path[-1])), length_m)]
        near = []
        for place in self.places:
            gap_m, at_m = project(path, place.point)
            reach_m = SHARE_M * (1.6 if place.anchor else 1.0)
            if gap_m < reach_m and place not in (ends[0][0], ends[1][0]):
                near.append((not place.anchor, at_m, place))
        chosen = list(ends)
        for plain, at_m, place in sorted(near, key=lambda n: (n[0], n[1])):
            room_m = spacing_m * (0.6 if plain else 0.4)
            if all(abs(at_m - other) > room_m for _, other in chosen):
                chosen.append((place, at_m))
        chosen.sort(key=lambda c: c[1])
        out = chosen[:1]
        for place, at_m in chosen[1:]:
            gap_m = at_m - out[-1][1]
            count = round(gap_m / spacing_m) - 1
            start_m = out[-1][1]
            for i in range(count):
                between_m = start_m + gap_m * (i + 1) / (count + 1)
                out.append((self.add_place(point_at(path, between_m)[0]), between_m))
            out.append((place, at_m))
        return out

    def places_back(
        self, path: Polyline, outward: list[tuple[StopPlace, float]]
    ) -> list[tuple[StopPlace, float]]:
        """Order the same places along the way back, leaving out those it does not pass."""
        length_m = float(along(path)[-1])
        out = [(outward[-1][0], 0.0)]
        for place, _ in outward[1:-1]:
            gap_m, at_m = project(path, place.point)
            if gap_m < 140.0 and 60.0 < at_m < length_m - 60.0:
                out.append((place, at_m))
        out.sort(key=lambda c: c[1])
        spaced = out[:1]
        for place, at_m in out[1:]:
            if at_m - spaced[-1][1] > 90.0:
                spaced.append((place, at_m))
        return [*spaced, (outward[0][0], length_m)]

    def calls(
        self, path: Polyline, places: list[tuple[StopPlace, float]], *, line_id: str, mode: str
    ) -> list[Call]:
        """Give each place the platform on the right-hand side of the path."""
        out = []
        for place, at_m in places:
            spot, heading = point_at(path, at_m)
            kerb = spot - 1j * heading * KERB_M
            platform = next(
                (
                    p
                    for p in place.platforms
                    if abs(p.point - kerb) < 28.0 and (p.heading * heading.conjugate()).real > 0.3
                ),
                None,
            )
            if platform is None:
                number = len(place.platforms) + 1
                platform = Platform(f"{place.place_id}-{number}", kerb, heading)
                place.platforms.append(platform)
            place.line_ids.add(line_id)
            place.modes.add(mode)
            out.append(Call(place, platform, at_m))
        return out

    def _end(self, point: complex) -> StopPlace:
        near = [p for p in self.places if abs(p.point - point) < SHARE_M * 1.6]
        if near:
            return min(near, key=lambda p: (not p.anchor, abs(p.point - point)))
        return self.add_place(point)


@dataclass(slots=True)
class StopNamer:
    """
    Names stops after the nearest landmark or street, none twice.

    Parameters
    ----------
    landmarks, streets
        Names and where they are.
    spare
        Names for stops that have no landmark or street of their own.
    """

    landmarks: list[tuple[str, complex]]
    streets: list[tuple[str, complex]]
    spare: list[str]
    used: set[str] = field(default_factory=set)

    def reserve(self, name: str) -> str:
        """Take a name as it is."""
        self.used.add(name)
        return name

    def name_at(self, point: complex) -> str:
        """Name a stop at a point."""
        for pool, reach_m in ((self.landmarks, 170.0), (self.streets, 120.0)):
            spots = np.array([p for _, p in pool])
            gaps_m = np.abs(spots - point)
            for i in np.argsort(gaps_m, kind="stable")[:12]:
                if gaps_m[i] < reach_m and pool[i][0] not in self.used:
                    return self.reserve(pool[i][0])
        while self.spare:
            name = self.spare.pop()
            if name not in self.used:
                return self.reserve(name)
        return self.reserve(f"Arrêt {len(self.used) + 1}")
