"""Scopes: what somebody who is signed in may do."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from enum import StrEnum

from core.errors import InvalidInput, NotAllowed


class Scope(StrEnum):
    """What a user, and each of his sessions and tokens, may do."""

    RIDER = "rider"
    """Wishes, bookings and rides of one's own."""
    DRIVER = "driver"
    """Offers of one's own, and whoever books them."""
    OPERATOR = "operator"
    """What runs: services, elevators, notices; and agents, who book for people by telephone."""
    AUTHORITY = "authority"
    """Tariffs, other users, the audit log."""
    APP = "app"
    """A program that acts for itself, not for a person."""


EVERYBODYS = frozenset({Scope.RIDER, Scope.DRIVER})
"""What whoever registers may do; the rest is granted by the authority."""
PRIVILEGED = frozenset(Scope) - EVERYBODYS
"""Whatever is done with these, or about these, stands in the audit log."""


SIGN_IN, TOKEN = "sign_in", "token"
"""Kinds of sessions: of a person, and of a program to whom he gave a part of what he may do."""


class TokensMayNot(NotAllowed):
    """What a person does himself, not by a program."""

    code = "tokens_may_not"


class ScopeUnknown(InvalidInput):
    """A scope that there is not."""

    code = "scope_unknown"


@dataclass(frozen=True, slots=True)
class Principal:
    """Whoever makes a request."""

    user_id: uuid.UUID
    person_id: uuid.UUID
    session_id: uuid.UUID
    scopes: frozenset[Scope]
    """All that the user may do; of a token, those that it was given and the user still has."""
    kind: str = SIGN_IN

    def require(self, allowed: Collection[Scope]) -> None:
        """Raise `NotAllowed` without any of the scopes that are enough."""
        if not self.scopes & frozenset(allowed):
            names = " or ".join(sorted(allowed))
            raise NotAllowed(f"this takes the scope {names}; you have {_listed(self.scopes)}")

    def require_person(self) -> None:
        """Raise `TokensMayNot` for a program: a token gives no tokens and ends no sessions."""
        if self.kind != SIGN_IN:
            raise TokensMayNot("a token may not do this: sign in")


def parse_scopes(names: Iterable[str]) -> frozenset[Scope]:
    """Scopes by their names; raises `ScopeUnknown`."""
    try:
        return frozenset(map(Scope, names))
    except ValueError as error:
        raise ScopeUnknown(f"{error}: there are {', '.join(Scope)}") from error


def _listed(scopes: Iterable[Scope]) -> str:
    return ", ".join(sorted(scopes)) or "none"
