"""Operators tell when rides start and when they end: legs are made of those that are over."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

from mobility.actions.take_usage import store_usage
from mobility.db.engine import Engine, again_after_deadlock
from mobility.db.ride_halves import add_halves, hold_rides
from mobility.world import World
from payments.ride_halves import RideContradictory, RideHalf
from payments.taps import Used


@dataclass(frozen=True, slots=True)
class Joined:
    """What became of halves of rides."""

    new: int
    known: int
    """Those that had come before."""
    refused: Mapping[int, RideContradictory]
    """By index: these change nothing."""


@again_after_deadlock
def join_rides(
    engine: Engine, world: World, halves: Mapping[int, RideHalf], now: dt.datetime
) -> Joined:
    """
    Store starts and ends of rides by index, and bill those rides of which both are known now.

    A ride that is under way is not billed. All but what is refused, or nothing.
    """
    if not halves:
        return Joined(0, 0, {})
    with engine.begin() as connection:
        rides = hold_rides(connection, {told.ride for told in halves.values()})
        new: list[RideHalf] = []
        refused: dict[int, RideContradictory] = {}
        for index, told in halves.items():
            before = rides[told.ride]
            try:
                after = before.with_half(told)
            except RideContradictory as error:
                refused[index] = error
                continue
            if after is not before:
                rides[told.ride] = after
                new.append(told)
        add_halves(connection, new, now)
        changed = {told.ride: told.medium for told in new}
        legs = [(medium, rides[ride].leg()) for ride, medium in changed.items()]
        over = [Used(medium, leg) for medium, leg in legs if leg is not None]
        if over:
            store_usage(connection, world, over, now)
    return Joined(len(new), len(halves) - len(new) - len(refused), refused)
