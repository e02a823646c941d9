"""What riders used is forgotten in time: taps' riders in two days, those of legs in four months."""

from __future__ import annotations

import datetime as dt

from mobility.db.audit import record_act
from mobility.db.chosen_itineraries import forget_chosen
from mobility.db.engine import Engine
from mobility.db.held_usage import forget_held
from mobility.db.ride_halves import forget_halves
from mobility.db.usage import forget_places, forget_riders
from payments.chosen import LATE

PLACES_KEPT = dt.timedelta(hours=48)
"""From when it was received: who was where, also in batches that nobody has decided on."""
RIDERS_KEPT = dt.timedelta(days=120)
"""From when a leg was boarded: whose it was (`forget_rides`: who rode). Amounts of months stay."""


def forget_usage(engine: Engine, now: dt.datetime) -> int:
    """
    Forget what is due; returns how many it was.

    Taps, starts and ends of rides, batches, chosen itineraries and legs.
    """
    with engine.begin() as connection:
        taps = forget_places(connection, now - PLACES_KEPT)
        halves = forget_halves(connection, now - PLACES_KEPT)
        # As long as the place of a tap of its last leg, the latest that could be of it.
        chosen = forget_chosen(connection, now - PLACES_KEPT - LATE)
        dropped = forget_held(connection, now - PLACES_KEPT)
        for batch in dropped:  # nobody is billed for it: that it came stays known
            detail = {"events": len(batch.events), "ahead_s": batch.clock_ahead_s}
            record_act(connection, None, "usage_undecided", batch.source, detail)
        legs = forget_riders(connection, now - RIDERS_KEPT)
        return len(dropped) + taps + halves + chosen + legs
