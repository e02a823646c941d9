"""The table of docs/users.md, cell by cell: who may ask what."""

from __future__ import annotations

import datetime as dt
import re
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx

from mobility.actions.sign_in import issue
from mobility.db.engine import Engine
from mobility.users.scopes import SIGN_IN, Scope
from tests.support.users import NOW, Somebody, code_of

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "users.md"
REFUSED = {"not_signed_in", "not_allowed"}


def access_table() -> dict[tuple[str, str], list[bool]]:
    """The table of the page: operation → answered for nobody and for each scope."""
    table = {}
    for line in DOCUMENT.read_text(encoding="utf-8").splitlines():
        row = re.fullmatch(r"\| `([A-Z]+) (/\S+)` \|(.*)\|", line)
        if row:
            table[row[1], row[2]] = [cell.strip() == "x" for cell in row[3].split("|")]
    return table


def operations(api: httpx.Client) -> list[tuple[str, str]]:
    paths: dict[str, Any] = api.get("/openapi.json").json()["paths"]
    return [(method.upper(), path) for path, item in paths.items() for method in item]


def test_each_operation_is_answered_to_those_of_the_table_and_to_nobody_else(
    api: httpx.Client, engine: Engine, somebody: Callable[..., Somebody]
) -> None:
    table, wrong, cells = access_table(), [], 0
    listed = operations(api)
    assert set(table) <= set(listed)
    users = {scope: somebody(scope) for scope in Scope}

    def headers(scope: Scope | None) -> dict[str, str]:
        if scope is None:
            return {}
        user, own = users[scope], frozenset({scope})
        with engine.begin() as connection:
            session = issue(
                connection, user.id, SIGN_IN, "cell", own, now=NOW, lives=dt.timedelta(days=1)
            )
        return {"authorization": f"Bearer {session.secret}"}

    columns: list[Scope | None] = [None, *Scope]
    for operation in listed:
        method, path = operation
        concrete = re.sub(r"\{\w+\}", str(uuid.uuid4()), path)
        expected = table.get(operation, [True] * len(columns))
        for scope, allowed in zip(columns, expected, strict=True):
            answer = api.request(method, concrete, headers=headers(scope), json={})
            refused = answer.status_code in (401, 403) and code_of(answer) in REFUSED
            cells += 1
            if refused == allowed:
                wrong.append(f"{method} {path} for {scope}: {answer.status_code}")
    assert wrong == []
    assert cells == len(listed) * len(columns)
