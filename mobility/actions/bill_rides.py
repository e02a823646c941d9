"""Carpool rides that are over become legs on the bills of their riders."""

from __future__ import annotations

import datetime as dt
import uuid

from mobility.actions.take_usage import rate_changed
from mobility.db.engine import Engine, again_after_deadlock
from mobility.db.usage import (
    Completed,
    add_legs,
    mark_billed,
    open_account,
    riders_of_partners,
    take_completed,
)
from mobility.world import World
from payments.tariff import FareLeg
from routing.street.access import route_of_arcs

AT_ONCE = 100


@again_after_deadlock
def bill_rides(engine: Engine, world: World, *, now: dt.datetime) -> int:
    """Make legs of rides that carpool has told of as completed; returns how many bookings."""
    with engine.begin() as connection:
        completed = take_completed(connection, AT_ONCE)
        if not completed:
            return 0
        # Riders of other operators pay there.
        riders = {_rider(each) for each in completed}
        riders -= riders_of_partners(connection, riders)
        accounts = {rider: open_account(connection, rider, now) for rider in sorted(riders)}
        legs = [
            (accounts[_rider(each)], leg)
            for each in completed
            if _rider(each) in accounts
            for leg in _legs(world, each)
        ]
        new = add_legs(connection, legs)
        rate_changed(connection, world, [own for own in legs if own[1].id in new])
        mark_billed(connection, [each.event_id for each in completed], now)
    return len(completed)


def _rider(ride: Completed) -> uuid.UUID:
    return uuid.UUID(str(ride.content["rider_id"]))


def _legs(world: World, ride: Completed) -> list[FareLeg]:
    """One leg for each seat, none dearer than was promised."""
    content = ride.content
    seats = int(str(content["seats"]))
    promised = content["price_cents"]
    each, rest = (None, 0) if promised is None else divmod(int(str(promised)), seats)
    at = dt.datetime.fromisoformat(str(content["pickup_at"]))
    metres = int(str(content.get("metres", -1)))  # where a driver came to the door
    if metres < 0:
        metres = _metres(world, str(content["pickup_point"]), str(content["dropoff_point"]))
    return [
        FareLeg(
            "carpool", at, metres, id=f"booking:{ride.booking_id}:{seat}",
            promised_cents=None if each is None else each + (seat < rest),
        )
        for seat in range(seats)
    ]  # fmt: skip


def _metres(world: World, pickup: str, dropoff: str) -> int:
    """Fastest way from point to point; 0 where one of them is no longer there."""
    network = world.network
    rows = [network.point_row.get(point) for point in (pickup, dropoff)]
    if rows[0] is None or rows[1] is None:
        return 0
    nodes = [int(network.points.car_node[row]) for row in rows if row is not None]
    route = route_of_arcs(network.streets, network.arcs["car"], network.drive.path(*nodes))
    return 0 if route is None else round(route.metres)
