"""Other operators are told what became of bookings that they have made here."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from typing import Any

import structlog

from carpool.partner_bookings import Kind
from mobility.db.engine import Engine
from mobility.db.operators import DueEvent, claim_event, end_event, put_off_event
from mobility.partner_client import PartnerAway, PartnerClient, PartnerRefuses

log = structlog.get_logger()
LEASE = dt.timedelta(minutes=2)
"""So long a process has to tell one event, before another may."""
FIRST_RETRY, LAST_RETRY = dt.timedelta(seconds=30), dt.timedelta(hours=2)
TRIES = 24
"""Twice as long apart each time: more than a day."""
AT_ONCE = 50
"""Events of one turn."""
DELIVERED, REFUSED, GIVEN_UP = "delivered", "refused", "given_up"
SHARED = (
    "passengerPickupDate", "passengerPickupLat", "passengerPickupLng", "passengerDropLat",
    "passengerDropLng", "passengerPickupAddress", "passengerDropAddress", "distance", "duration",
)  # fmt: skip
"""Of a booking and of what is told of it alike."""
Open = Callable[[str | None], PartnerClient]


def tell_partners(engine: Engine, opened: Open, *, now: dt.datetime) -> int:
    """
    Tell what is due, each booking's events in order; returns how many were taken up.

    Nothing is told within a transaction. An event may be told twice, by the same id, if this
    process ends before it has noted the answer.
    """
    for count in range(AT_ONCE):
        with engine.begin() as connection:
            event = claim_event(connection, now, now + LEASE)
        if event is None:
            return count
        _tell(engine, opened, event, now)
    return AT_ONCE


def _tell(engine: Engine, opened: Open, event: DueEvent, now: dt.datetime) -> None:
    client = opened(event.key)
    outcome: str | None = DELIVERED
    reason = None
    try:
        client.post(event.address, event_content(event))
    except PartnerRefuses as error:
        outcome, reason = REFUSED, str(error)
    except PartnerAway as error:
        outcome, reason = GIVEN_UP if event.tries >= TRIES else None, str(error)
    finally:
        client.close()
    with engine.begin() as connection:
        if outcome is None:
            wait = min(FIRST_RETRY * 2 ** min(event.tries - 1, 20), LAST_RETRY)
            put_off_event(connection, event.id, now + wait)
        else:
            end_event(connection, event.id, outcome)
    if reason is not None:
        log.warning(
            "other operator not told", operator=event.operator, event_id=str(event.id),
            outcome=outcome or "later", tries=event.tries, reason=reason,
        )  # fmt: skip


def event_content(event: DueEvent) -> Mapping[str, Any]:
    """A `CarpoolBookingEvent`: of its rider's seat with our driver, or of our rider's answer."""
    booking = event.content
    side = "driver" if event.kind is Kind.SEAT else "passenger"
    data = {name: booking[name] for name in SHARED if name in booking}
    data |= {"id": event.outside_id, "status": event.status, side: booking[side]}
    data["webUrl"] = booking.get("webUrl", f"https://{booking[side]['operator']}/")
    if side == "driver":
        data["price"] = booking["price"]
    # People do not sign in there by what they sign in by here: the booking's id says whose it is.
    return {"id": str(event.id), "idToken": "", "data": data}
