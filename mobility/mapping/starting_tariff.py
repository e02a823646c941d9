"""A tariff to begin with, made from what others publish of their prices."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import pandas as pd

from core.modes import Mode, mode_of_route_type
from mobility.mapping.fare_legs import FARE_MODE


@dataclass(frozen=True, slots=True)
class StartingTariff:
    """Content of a tariff file, and what was left out of it."""

    content: dict[str, Any]
    left_out: tuple[str, ...]


def whole_cents(amount: str | Decimal | float) -> int | None:
    """Cents of an amount of money; None where it has parts of a cent."""
    cents = Decimal(str(amount)) * 100
    return int(cents) if cents == int(cents) else None


def modes_of_routes(routes: pd.DataFrame) -> dict[str, str]:
    """Fare mode of each route."""
    return {
        str(route_id): FARE_MODE.get(mode_of_route_type(int(kind)) or Mode.OTHER, "other")
        for route_id, kind in routes[["route_id", "route_type"]].to_numpy()
    }


def when_on(feed_id: str, routes: Sequence[str], modes: Mapping[str, str]) -> dict[str, Any]:
    """Condition of a price for some routes of a feed; for none named, for all of its modes."""
    if not routes:
        return {"mode": sorted(set(modes.values()))}
    own = sorted({modes[route] for route in routes})
    named = [f"{feed_id}:{route}" for route in routes]
    return {
        "mode": own if len(own) > 1 else own[0],
        "route": named if len(named) > 1 else named[0],
    }
