"""
Riders fetched at their doors, in the plan of a ride: places numbered on behind the meeting points.

To everybody but such a rider and his driver, the ride goes by the meeting point that stands for
the door, there and back (`routing.doors.veiled`): what is searched and published of it is computed
from that, so that no answer, however often somebody asks, tells more.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import numpy as np

from carpool.bookings import Booking
from carpool.ride_plans import RideWay
from core.geo import Coordinate
from routing.doors import Door, between_s, detours, draw_drive, veiled
from routing.network import Network
from routing.street.access import Snapped


def spots_of(bookings: Iterable[Booking]) -> tuple[Coordinate, ...]:
    """Doors at which riders get in or out, in the order in which a plan numbers them."""
    spots = {spot for b in bookings for spot in (b.pickup_door, b.dropoff_door) if spot is not None}
    return tuple(sorted(spots, key=lambda spot: (spot.lat, spot.lon)))


def with_doors(
    network: Network, way: RideWay, spots: tuple[Coordinate, ...], *, veil: bool = False
) -> RideWay | None:
    """
    The same ride where it may also stop at doors, as the driver knows it or as all others see it.

    None where this ground has lost one of the streets.
    """
    if not spots:
        return way
    found = [network.door_at(spot) for spot in spots]
    doors = [
        veiled(network.points, network.drive, door) if veil else door
        for door in found
        if door is not None
    ]
    if len(doors) < len(spots):
        return None
    body, points = way.body, len(way.drive_s)
    stretches = np.array([stretch.row(0) for stretch in body.stretches], np.int32)
    parts = [np.array([body.point, body.from_start_s, body.to_end_s, body.segment], np.int32)]
    for nth, door in enumerate(doors):
        if len(stretches):
            from_s, to_s = detours(network.drive, stretches, door)
            near = np.flatnonzero(from_s + to_s <= way.limit_s)
            segments = np.array([body.stretches[row].segment for row in near], np.int32)
            own = np.full(len(near), points + nth), from_s[near], to_s[near], segments
            parts.append(np.array(own, np.int32))
    point, from_s, to_s, segment = np.concatenate(parts, axis=1).astype(np.uint16)
    extended = replace(
        body, point=point, from_start_s=from_s, to_end_s=to_s, segment=segment,
        searched_count=body.searched,
    )  # fmt: skip
    return RideWay(
        extended, way.drive_s, way.earliest_s, way.latest_s, way.seat_count, tuple(doors),
        _between_all(network, doors),
    )  # fmt: skip


def _between_all(network: Network, doors: list[Door]) -> dict[tuple[int, int], int]:
    streets, drive = network.streets, network.drive
    return {
        (i, j): between_s(streets, drive, a, b)
        for i, a in enumerate(doors)
        for j, b in enumerate(doors)
        if i != j
    }


def driven_metres(network: Network, booking: Booking) -> int:
    """Fastest drive of a rider, doors as they are; 0 where this ground has lost one of its ends."""
    ends: list[Door | Snapped] = []
    for spot, name in (
        (booking.pickup_door, booking.pickup_point),
        (booking.dropoff_door, booking.dropoff_point),
    ):
        row = network.point_row.get(name)
        known = None if row is None else network.place_at_point(row, car=True)
        end = known if spot is None else network.door_at(spot)
        if end is None:
            return 0
        ends.append(end)
    route = draw_drive(network.streets, network.arcs["car"], network.drive, *ends)
    return 0 if route is None else round(route.metres)
