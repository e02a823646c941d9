"""Users of the demo: they exist in its own data directory and nowhere else."""

from __future__ import annotations

import datetime as dt
import json
import secrets
from collections.abc import Mapping
from pathlib import Path

from mobility.actions.grant_scopes import grant_scopes
from mobility.actions.register_user import Registration, register_user
from mobility.actions.sign_in import LONGEST_TOKEN_DAYS, issue
from mobility.db.engine import Engine
from mobility.db.users import find_user, set_password
from mobility.users.passwords import hash_password
from mobility.users.scopes import EVERYBODYS, TOKEN, Scope

USERS: Mapping[str, tuple[str, frozenset[Scope]]] = {
    "rider": ("demo:Rosa", frozenset({Scope.RIDER})),
    "driver": ("demo:Denis", EVERYBODYS),
    "operator": ("demo:Odile", EVERYBODYS | {Scope.OPERATOR}),
    "authority": ("demo:Ahmed", EVERYBODYS | {Scope.AUTHORITY}),
    "app": ("demo:Appli", frozenset({Scope.APP})),
}
"""What each is there for: its name, and what it may do."""
PASSWORD_BYTES = 12


def seed_users(engine: Engine, file: Path) -> None:
    """
    Add one user for each scope, with a password and a token of its own, both made by chance.

    `file` keeps them for the next start of the demo, for its owner alone; users of a demo that
    lost it get new ones.
    """
    now, made = dt.datetime.now(dt.UTC), []
    for part, (alias, scopes) in USERS.items():
        email, password = f"{part}@demo.invalid", secrets.token_urlsafe(PASSWORD_BYTES)
        with engine.connect() as connection:
            user = find_user(connection, email)
        if user is None:
            user = register_user(engine, Registration(email, password, alias), now)
        else:
            with engine.begin() as connection:
                set_password(connection, user.id, hash_password(password))
        grant_scopes(engine, None, user.id, scopes)
        with engine.begin() as connection:
            lives = dt.timedelta(days=LONGEST_TOKEN_DAYS)
            token = issue(connection, user.id, TOKEN, "demo", scopes, now=now, lives=lives)
        made.append({"email": email, "password": password, "token": token.secret})
    file.touch(mode=0o600)
    file.write_text(json.dumps(made, indent=1), encoding="utf-8")


def read_users(file: Path) -> list[dict[str, str]]:
    """Addresses, passwords and tokens of the demo's users."""
    users: list[dict[str, str]] = json.loads(file.read_text(encoding="utf-8"))
    return users
