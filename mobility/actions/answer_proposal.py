"""A rider or a driver says yes or no to a proposal; the other one is told what he may know."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping
from typing import Any

from mobility.db.engine import Engine
from mobility.db.notices import tell
from mobility.db.proposals import Proposal, ProposalState, change_state
from mobility.users.scopes import Principal, Scope

RIDER_INTERESTED, PROPOSAL_DECLINED = "rider_interested", "proposal_declined"
TOLD_TO_DRIVERS = ("pickup_point", "dropoff_point", "pickup_at", "dropoff_at")
"""Not when the rider is at his door: with the time at the stop it tells how far that is."""


def sides_of(who: Principal) -> dict[str, uuid.UUID | None]:
    """As what somebody sees proposals: by the scopes he has."""
    return {
        "rider_id": who.person_id if Scope.RIDER in who.scopes else None,
        "driver_id": who.person_id if Scope.DRIVER in who.scopes else None,
    }


def be_interested(
    engine: Engine, rider: Principal, proposal_id: uuid.UUID, *, now: dt.datetime
) -> Proposal:
    """
    Let the driver see where and when; asked again, nothing more happens.

    Raises
    ------
    ProposalNotFound, ProposalOver
        The rider has no such proposal; it cannot be answered any more.
    """
    with engine.begin() as connection:
        before, found = change_state(
            connection, proposal_id, ProposalState.INTERESTED,
            rider_id=rider.person_id, driver_id=None, now=now,
        )  # fmt: skip
        if before is ProposalState.OPEN:
            content = {
                "proposal_id": str(found.id),
                "offer_id": str(found.offer_id),
                **told_to_driver(found.content),
            }
            tell(connection, found.driver_id, RIDER_INTERESTED, content, now)
    return found


def decline(
    engine: Engine, who: Principal, proposal_id: uuid.UUID, *, now: dt.datetime
) -> Proposal:
    """
    Say no: the two are not proposed to each other again. The other one hears it if he knew.

    Raises
    ------
    ProposalNotFound, ProposalOver
        One has no such proposal; it cannot be answered any more.
    """
    with engine.begin() as connection:
        before, found = change_state(
            connection, proposal_id, ProposalState.DECLINED, **sides_of(who), now=now
        )
        if before is ProposalState.INTERESTED:
            other = found.driver_id if who.person_id == found.rider_id else found.rider_id
            tell(connection, other, PROPOSAL_DECLINED, {"proposal_id": str(found.id)}, now)
    return found


def told_to_driver(content: Mapping[str, Any]) -> dict[str, Any]:
    """What a driver may know of a proposal."""

    def way(told: Mapping[str, Any] | None) -> dict[str, Any] | None:
        return None if told is None else {name: told[name] for name in TOLD_TO_DRIVERS}

    return {
        "weekdays": content["weekdays"],
        "out": way(content["out"]),
        "back": way(content["back"]),
    }
