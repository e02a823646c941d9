"""Readers and programs tell what riders used: each event once, in whatever order it comes."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Sequence

from mobility.actions.guess_ends import Guesses, end_stays, guess_ends
from mobility.actions.rate_riders import renew_months
from mobility.db.engine import Connection, Engine, again_after_deadlock
from mobility.db.media import hold_media
from mobility.db.usage import add_legs, add_taps, drop_legs, list_taps, put_legs
from mobility.mapping.tap_legs import leg_of_stay
from mobility.world import World
from payments.month import month_of
from payments.taps import GUESSED, OPEN_LIMIT, End, Stay, Tap, Used, pair_taps
from payments.tariff import GUESSES, FareLeg

NEAR = 2 * OPEN_LIMIT
"""Taps so near to a new one decide what stays there are."""


@again_after_deadlock
def take_usage(engine: Engine, world: World, used: Sequence[Used], now: dt.datetime) -> set[str]:
    """
    Store events, make legs of them and rate the months of their riders: all of it or nothing.

    A tap that comes late is put where it belongs, and the legs near it are made anew. Returns the
    ids of events that had not come before; the others change nothing.
    """
    with engine.begin() as connection:
        return store_usage(connection, world, used, now)


def store_usage(
    connection: Connection, world: World, used: Sequence[Used], now: dt.datetime
) -> set[str]:
    """Do the same in a transaction of somebody else's."""
    accounts = hold_media(connection, {each.medium for each in used}, now)
    taps = [(each.medium, each.what) for each in used if isinstance(each.what, Tap)]
    rides = [(accounts[each.medium], each.what) for each in used if isinstance(each.what, FareLeg)]
    new_taps = add_taps(connection, taps, now)
    new_rides = add_legs(connection, rides)
    changed = [(account_id, leg) for account_id, leg in rides if leg.id in new_rides]
    fresh: dict[bytes, list[Tap]] = {}
    for medium, tap in taps:
        if tap.id in new_taps:
            fresh.setdefault(medium, []).append(tap)
    changed += _legs_of_taps(connection, world, accounts, fresh)
    changed += guess_ends(connection, changed, world.network.zone, _guesses(world))
    rate_changed(connection, world, changed)
    return new_taps | new_rides


def rate_changed(
    connection: Connection,
    world: World,
    changed: Sequence[tuple[uuid.UUID, FareLeg]],
) -> None:
    """Rate the months of accounts in which legs have changed; without a tariff nothing is rated."""
    tariffs = world.tariffs
    if tariffs is None or not changed:
        return
    months: dict[uuid.UUID, set[dt.date]] = {}
    for account_id, leg in changed:
        months.setdefault(account_id, set()).add(month_of(tariffs.versions[0], leg))
    together: dict[frozenset[dt.date], list[uuid.UUID]] = {}
    for account_id, own in months.items():
        together.setdefault(frozenset(own), []).append(account_id)
    for of, account_ids in together.items():
        renew_months(connection, tariffs, account_ids, of)


def _guesses(world: World) -> Guesses:
    if world.tariffs is None:
        return lambda _: frozenset(GUESSES)
    return world.tariffs.guesses_at


def _legs_of_taps(
    connection: Connection,
    world: World,
    accounts: dict[bytes, uuid.UUID],
    fresh: dict[bytes, list[Tap]],
) -> list[tuple[uuid.UUID, FareLeg]]:
    """Make the legs that new taps change; returns them, each with the account that it is of."""
    if not fresh:
        return []
    times = [tap.at for taps in fresh.values() for tap in taps]
    near = list_taps(connection, fresh.keys(), min(times) - NEAR, max(times) + NEAR)
    changed: list[tuple[uuid.UUID, Stay]] = []
    gone: set[str] = set()
    for medium, new in fresh.items():
        taps, ids = near.get(medium, []), {tap.id for tap in new}
        before = set(pair_taps(tap for tap in taps if tap.id not in ids)[0])
        after = pair_taps(taps)[0]
        changed += [(accounts[medium], stay) for stay in after if stay not in before]
        gone |= {f"tap:{s.start.id}" for s in before} - {f"tap:{s.start.id}" for s in after}
    made: list[tuple[uuid.UUID, FareLeg]] = []
    ended_by: dict[str, End] = {}
    for account_id, stay in end_stays(connection, world.network, changed, _guesses(world)):
        leg = leg_of_stay(world.network, stay)
        made.append((account_id, leg))
        if stay.how in GUESSED:
            ended_by[leg.id] = stay.how
    owners = put_legs(connection, made, ended_by)
    drop_legs(connection, gone)
    return [(owners[leg.id], leg) for _, leg in made]
