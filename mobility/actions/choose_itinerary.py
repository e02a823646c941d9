"""A rider says that he takes an itinerary: there his stays end that he does not tap out of."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Sequence

from core.errors import InvalidInput
from core.ids import StopId
from core.time import Clock
from mobility.db.chosen_itineraries import add_chosen, drop_chosen
from mobility.db.engine import Engine
from mobility.db.usage import find_account, hold_accounts, open_account
from mobility.mapping.fare_legs import fare_mode
from payments.chosen import ChosenItinerary, ChosenLeg
from routing.network import Network

PAST = dt.timedelta(hours=6)
"""Whoever is on the way may still say how he goes on."""
AHEAD = dt.timedelta(days=30)


def choose_itinerary(
    engine: Engine, person_id: uuid.UUID, legs: Sequence[ChosenLeg], clock: Clock
) -> ChosenItinerary:
    """
    Note that somebody takes an itinerary; raises `TooManyChosen`.

    It is noted once his account is held: a tap of his that is being stored was before.
    """
    with engine.begin() as connection:
        account_id = open_account(connection, person_id, clock())
        return add_chosen(connection, account_id, tuple(legs), clock())


def drop_itinerary(
    engine: Engine, person_id: uuid.UUID, chosen_id: uuid.UUID, clock: Clock
) -> None:
    """Note that somebody no longer takes an itinerary; raises `ChosenItineraryNotFound`."""
    with engine.begin() as connection:
        account_id = find_account(connection, person_id)
        hold_accounts(connection, [] if account_id is None else [account_id])
        drop_chosen(connection, account_id, chosen_id, clock())


def read_leg(
    network: Network, board_stop: str, alight_stop: str, route: str, board_at: dt.datetime
) -> ChosenLeg:
    """
    Read a leg that somebody chooses, with the mode of its route.

    Raises
    ------
    InvalidInput
        The timetable has no such stop or route.
    """
    for name, stop in {"board_stop": board_stop, "alight_stop": alight_stop}.items():
        if StopId(stop) not in network.stop_row:
            raise InvalidInput(f"{name} {stop!r} is not a stop of the timetable")
    row = network.route_row.get(route)
    if row is None:
        raise InvalidInput(f"route {route!r} is not a line of the timetable")
    mode = fare_mode(network.timetable, row)
    return ChosenLeg(board_stop, alight_stop, route, mode, board_at.astimezone(dt.UTC))
