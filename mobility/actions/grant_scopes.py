"""The authority, or whoever has the command line, says what a user may do."""

from __future__ import annotations

import uuid
from collections.abc import Set as AbstractSet

from core.errors import Conflict
from mobility.db.audit import record_act
from mobility.db.engine import Engine
from mobility.db.users import User, get_user, list_users, lock_scopes, set_scopes
from mobility.users.scopes import Scope


class LastAuthority(Conflict):
    """Nobody would be left to grant anything."""

    code = "last_authority"


def grant_scopes(
    engine: Engine, actor_id: uuid.UUID | None, user_id: uuid.UUID, scopes: AbstractSet[Scope]
) -> User:
    """
    Replace a user's scopes, in the audit log too; sessions of the user follow at once.

    Raises
    ------
    UserNotFound
        No user has this id.
    LastAuthority
        The only authority would not be one any more.
    """
    with engine.begin() as connection:
        lock_scopes(connection)
        before = get_user(connection, user_id).scopes
        if Scope.AUTHORITY in before - scopes and len(list_users(connection, Scope.AUTHORITY)) == 1:
            raise LastAuthority("this is the only authority: make somebody else one first")
        set_scopes(connection, user_id, scopes)
        if before != scopes:
            detail = {"before": sorted(before), "after": sorted(scopes)}
            record_act(connection, actor_id, "scopes_granted", str(user_id), detail)
        return get_user(connection, user_id)
