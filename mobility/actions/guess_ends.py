"""Legs that nobody tapped out of end where their riders said that they do, or usually do."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable, Sequence
from functools import partial
from zoneinfo import ZoneInfo

from mobility.db.chosen_itineraries import list_chosen
from mobility.db.engine import Connection
from mobility.db.guessed_ends import list_unended, move_ends
from mobility.db.usage import list_legs
from mobility.mapping.tap_legs import takes_leg
from payments.chosen import YIELDING, end_as_chosen
from payments.habits import REACH, usual_leg
from payments.taps import End, Stay, allow_guess
from payments.tariff import FareLeg
from routing.network import Network

Guesses = Callable[[dt.datetime], frozenset[str]]
"""Which guesses the tariff lets us make of what is boarded at a time."""


def end_stays(
    connection: Connection,
    network: Network,
    stays: Sequence[tuple[uuid.UUID, Stay]],
    guesses_at: Guesses,
) -> list[tuple[uuid.UUID, Stay]]:
    """Let stays of accounts that nobody tapped out of end as their riders have chosen before."""
    allowed = [(own, allow_guess(stay, guesses_at(stay.start.at))) for own, stay in stays]

    def may_be_chosen(stay: Stay) -> bool:
        return stay.how in YIELDING and End.CHOSEN in guesses_at(stay.start.at)

    of = {account_id for account_id, stay in allowed if may_be_chosen(stay)}
    chosen = list_chosen(connection, of) if of else {}
    if not chosen:
        return allowed
    takes = partial(takes_leg, network)
    return [
        (own, end_as_chosen(stay, chosen.get(own, ()), takes) if may_be_chosen(stay) else stay)
        for own, stay in allowed
    ]


def guess_ends(
    connection: Connection,
    changed: Sequence[tuple[uuid.UUID, FareLeg]],
    zone: ZoneInfo,
    guesses_at: Guesses,
) -> list[tuple[uuid.UUID, FareLeg]]:
    """
    Guess ends anew that legs which have changed may tell something of; returns those that moved.

    So the same legs have the same ends in whatever order they became known.
    """
    if not changed:
        return []
    times = [leg.board_at for _, leg in changed]
    of = {account_id for account_id, _ in changed}
    unended = list_unended(connection, of, min(times), max(times) + REACH)
    if not unended:
        return []
    times = [leg.board_at for _, leg, _ in unended]
    accounts = {account_id for account_id, *_ in unended}
    others = list_legs(connection, accounts, min(times) - REACH, max(times))
    moved = []
    for account_id, leg, line in unended:
        if End.HABIT not in guesses_at(leg.board_at):
            continue
        usual = usual_leg(line, others[account_id], zone)
        if usual != leg:
            moved.append((account_id, usual))
    move_ends(connection, moved)
    return moved
