"""
Elevators of OpenStreetMap: floors where ways meet at one, and the ride between them.

An elevator is a node at which ways of several floors meet, or a way that others touch. Each floor
gets a node of its own, and all of them are joined to one hub: a ride is in by one spoke and out by
another. What a car, a bike or a walk does on one floor is as if there were no elevator.

Source: OSM wiki, "Tag:highway=elevator", "Key:level", "Key:layer".
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from core.geo import Coordinate, distance_m
from routing.street.kernels import NO_ACCESS
from routing.street.osm import RawElevator, RawStreets
from routing.street.rules import WayUse, may_ride
from routing.street.step_free import StepFree, step_free_of_way

ELEVATOR_S = 90
"""Waiting and riding, where nothing gives a time; OpenTripPlanner waits as long."""

Float64 = npt.NDArray[np.float64]
Key = tuple[str, ...]
"""Tells one floor from another at an elevator."""
Floor = list[int]
"""Entries of `RawStreets.way_node` that lie on it."""


@dataclass(frozen=True, slots=True)
class Shaft:
    """An elevator between two floors or more."""

    id: str
    name: str
    """Its name or number; often none."""
    step_free: StepFree
    doors: tuple[int, ...]
    """Raw nodes, one for each floor."""


def part_floors(raw: RawStreets, uses: Sequence[WayUse]) -> tuple[RawStreets, list[Shaft]]:
    """
    Give every floor at an elevator a node of its own.

    An elevator that is private parts the floors that the map tells apart, and nobody rides it.
    One that joins fewer than two floors is none.
    """
    if not raw.elevators:
        return raw, []
    at = _entries_at(raw, uses, [row for e in raw.elevators for row in e.rows])
    outlines = {row for e in raw.elevators if e.is_way for row in e.rows}
    way_node, place = raw.way_node.copy(), list(range(len(raw.lat)))
    shafts = []
    for elevator in raw.elevators:
        if elevator.is_way:
            doors = [row for row in elevator.rows if row in at]
        elif not elevator.rows or elevator.rows[0] in outlines:
            continue  # on no way, or the door of an elevator that is a way
        else:
            row = elevator.rows[0]
            floors = _floors(raw, uses, at.get(row, []), guess=may_ride(elevator.tags))
            doors = [row, *range(len(place), len(place) + len(floors) - 1)]
            for door, floor in zip(doors[1:], floors[1:], strict=False):
                way_node[floor] = door
                place.append(row)
        if len(doors) > 1 and may_ride(elevator.tags):
            shafts.append(_shaft(elevator, doors))
    parted = replace(raw, lat=raw.lat[place], lon=raw.lon[place], way_node=way_node)
    return parted, shafts


def _shaft(elevator: RawElevator, doors: Iterable[int]) -> Shaft:
    tags = elevator.tags
    name = tags.get("name") or tags.get("ref") or ""
    return Shaft(elevator.id, name, step_free_of_way(tags), tuple(doors))


def _entries_at(
    raw: RawStreets, uses: Sequence[WayUse], rows: Sequence[int]
) -> dict[int, list[int]]:
    """Entries of ways that somebody may use, by node."""
    used = np.repeat([use.used for use in uses], np.diff(raw.way_first))
    found: dict[int, list[int]] = {}
    for entry in np.flatnonzero(used & np.isin(raw.way_node, rows)).tolist():
        found.setdefault(int(raw.way_node[entry]), []).append(entry)
    return found


def _floors(
    raw: RawStreets, uses: Sequence[WayUse], entries: Iterable[int], *, guess: bool
) -> list[Floor]:
    """
    Sort what meets at an elevator by floor.

    Ways of one `level` and one `layer` are on one floor; where neither tells any apart, each
    footway is a floor (with `guess`), and what wheels use is another. Cars do not ride, and stairs
    stand on a floor that something else has told.
    """
    told: dict[Key, Floor] = {}
    stairs: list[tuple[Key, int]] = []
    ways: dict[Key, Floor] = {}
    driven: Key | None = None
    for entry in entries:
        way = int(np.searchsorted(raw.way_first, entry, side="right")) - 1
        tags, use = raw.way_tags[way], uses[way]
        key: Key = (tags.get("level", "0"), tags.get("layer", "0"))
        if tags.get("highway") == "steps":
            stairs.append((key, entry))
            continue
        drives = max(use.car_forward_mps, use.car_backward_mps) > 0
        if drives:
            key = driven = driven or key
        told.setdefault(key, []).append(entry)
        wheels = drives or max(use.bike_forward_mps, use.bike_backward_mps) > 0
        ways.setdefault(("",) if wheels else (f"{raw.way_id[way]:020}",), []).append(entry)
    floors = ways if len(told) == 1 and guess else told
    if not floors:
        return []
    first = min(floors)
    for key, entry in stairs:
        floors[key if key in floors else first].append(entry)
    return [floors[key] for key in sorted(floors)]


def spokes(
    shafts: Sequence[Shaft], node: Mapping[int, int], lat: Float64, lon: Float64, foot_mps: float
) -> tuple[dict[str, list[Any]], list[float], list[float]]:
    """
    Edges from every floor of each elevator to its hub.

    Two of them take `ELEVATOR_S`, or as long as a walk would: some elevators are funiculars.

    Parameters
    ----------
    node
        Nodes of the streets by raw node.
    lat, lon
        Of the streets' nodes; hubs come after them.

    Returns
    -------
    columns, hub_lat, hub_lon
        Columns of `Streets`; `edge_elevator` counts shafts.
    """
    columns: dict[str, list[Any]] = {
        name: []
        for name in (
            "edge_from", "edge_to", "edge_m", "edge_step_free", "edge_elevator", "foot_forward_s",
            "foot_backward_s", "wheelchair_forward_s", "wheelchair_backward_s",
        )
    }  # fmt: skip
    hub_lat, hub_lon = [], []
    for row, shaft in enumerate(shafts):
        doors = [node[door] for door in shaft.doors]
        middle = [float(v[doors].min() + v[doors].max()) / 2 for v in (lat, lon)]
        hub = Coordinate(middle[0], middle[1])
        hub_lat.append(hub.lat)
        hub_lon.append(hub.lon)
        for door in doors:
            metres = distance_m(Coordinate(float(lat[door]), float(lon[door])), hub)
            seconds = max(ELEVATOR_S // 2, round(metres / foot_mps))
            wheels_s = NO_ACCESS if shaft.step_free is StepFree.NO else seconds
            values = (
                door, len(lat) + row, metres, shaft.step_free, row, seconds, seconds, wheels_s,
                wheels_s,
            )  # fmt: skip
            for column, value in zip(columns.values(), values, strict=True):
                column.append(value)
    return columns, hub_lat, hub_lon
