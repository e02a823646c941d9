"""People say what they are and join communities; staff verify people and make communities."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable

from core.errors import InvalidInput
from mobility.db.audit import record_act
from mobility.db.changes import lock_changes
from mobility.db.circles import (
    Community,
    add_community,
    change_code,
    join_community,
    leave_community,
    remove_community,
    set_verified,
    set_woman,
)
from mobility.db.engine import Connection, Engine, again_after_deadlock
from mobility.db.notices import tell
from mobility.db.users import get_user
from mobility.live import Wakeups
from mobility.users.scopes import Principal

NAME_LENGTH = 80
IDENTITY_VERIFIED, IDENTITY_UNVERIFIED = "identity_verified", "identity_unverified"
"""Notices of what staff has noted."""


@again_after_deadlock
def say_woman(engine: Engine, wakeups: Wakeups, who: Principal, *, is_woman: bool) -> None:
    """Note that somebody says that she is a woman, or no more; nobody is shown it."""
    _changed(engine, wakeups, lambda c: set_woman(c, who.person_id, is_woman=is_woman))


@again_after_deadlock
def verify_person(
    engine: Engine,
    wakeups: Wakeups,
    staff: Principal,
    user_id: uuid.UUID,
    *,
    is_verified: bool,
    now: dt.datetime,
) -> None:
    """Note that staff has seen who somebody is, or takes it back; raises `UserNotFound`."""

    def verify(connection: Connection) -> int | None:
        person_id = get_user(connection, user_id).person_id
        record_act(
            connection, staff.user_id, "person_verified", str(user_id), {"verified": is_verified}
        )
        revision = set_verified(connection, person_id, now if is_verified else None)
        lock_changes(connection)  # readers who go on from the last number miss none
        kind = IDENTITY_VERIFIED if is_verified else IDENTITY_UNVERIFIED
        tell(connection, person_id, kind, {}, now)
        return revision

    _changed(engine, wakeups, verify)


def make_community(engine: Engine, staff: Principal, name: str, *, now: dt.datetime) -> Community:
    """Make a community; raises `CommunityTaken`."""
    name = " ".join(name.split())
    if not 2 <= len(name) <= NAME_LENGTH or not name.isprintable():
        raise InvalidInput(f"name: 2 to {NAME_LENGTH} characters")
    with engine.begin() as connection:
        made = add_community(connection, name, now)
        record_act(connection, staff.user_id, "community_made", str(made.id), {"name": name})
    return made


def renew_code(engine: Engine, staff: Principal, community_id: uuid.UUID) -> str:
    """Draw another invitation code; raises `CommunityUnknown`."""
    with engine.begin() as connection:
        code = change_code(connection, community_id)
        record_act(connection, staff.user_id, "community_code_changed", str(community_id), {})
    return code


@again_after_deadlock
def end_community(
    engine: Engine, wakeups: Wakeups, staff: Principal, community_id: uuid.UUID
) -> None:
    """End a community and pause what was offered to it; raises `CommunityUnknown`."""

    def end(connection: Connection) -> int | None:
        record_act(connection, staff.user_id, "community_ended", str(community_id), {})
        return remove_community(connection, community_id)

    _changed(engine, wakeups, end)


@again_after_deadlock
def join(
    engine: Engine, wakeups: Wakeups, who: Principal, code: str, *, now: dt.datetime
) -> Community:
    """Join the community of a code; raises `CommunityUnknown` or `TooMany`."""
    with engine.begin() as connection:
        joined, revision = join_community(connection, who.person_id, code.strip().upper(), now)
    if revision is not None:
        wakeups.announce(revision)
    return joined


@again_after_deadlock
def leave(engine: Engine, wakeups: Wakeups, who: Principal, community_id: uuid.UUID) -> None:
    """Leave a community; one's offers to it are paused. Raises `CommunityUnknown`."""
    _changed(engine, wakeups, lambda c: leave_community(c, who.person_id, community_id))


def _changed(engine: Engine, wakeups: Wakeups, act: Callable[[Connection], int | None]) -> None:
    """Do something in one transaction, and wake who serves what it has changed."""
    with engine.begin() as connection:
        revision = act(connection)
    if revision is not None:
        wakeups.announce(revision)
