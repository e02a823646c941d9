"""An operator puts an elevator out of service, or back into it."""

from __future__ import annotations

from core.errors import NotFound
from mobility.db.audit import record_act
from mobility.db.elevators import bring_back, take_out
from mobility.db.engine import Engine
from mobility.live import Wakeups
from routing.network import Network


class ElevatorUnknown(NotFound):
    """No station and no street of the territory has this elevator."""

    code = "elevator_unknown"


def switch_elevator(
    engine: Engine, wakeups: Wakeups, network: Network, elevator_id: str, *, in_service: bool
) -> None:
    """Store it, then wake the processes that plan with it; one that is no more may be put back."""
    if elevator_id not in network.elevators and not in_service:
        raise ElevatorUnknown(f"no elevator {elevator_id!r}: mobility elevators list shows all")
    with engine.begin() as connection:
        revision = (bring_back if in_service else take_out)(connection, elevator_id)
        record_act(connection, None, "elevator_switched", elevator_id, {"in_service": in_service})
    wakeups.announce(revision)
