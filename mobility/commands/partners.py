"""Commands about other carpool operators: enter, list, ask, remove."""

from __future__ import annotations

import datetime as dt
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from core.errors import InvalidInput
from mobility.commands.terminal import Json, console, plain
from mobility.settings import Settings

app = typer.Typer(
    help="Other carpool operators, whose offers are searched and who are told of bookings.",
    no_args_is_help=True,
)
Name = Annotated[str, typer.Argument(help="Host name of the operator: covoiturage.example.org.")]


@app.command("add")
def partners_add(
    operator: Name,
    url: Annotated[
        str | None, typer.Option(help="Its Standard Covoiturage, to be asked for offers.")
    ] = None,
    events: Annotated[
        str | None, typer.Option(help="Its booking_events, to be told of its bookings.")
    ] = None,
    program: Annotated[
        str | None, typer.Option(help="Address of the user by which its program books here.")
    ] = None,
    key_file: Annotated[
        Path | None, typer.Option(help="File with its key, sent as X-API-Key; - for input.")
    ] = None,
) -> None:
    """
    Enter an operator, or put what is known of it anew.

    Example: mobility partners add other.example.org --url https://other.example.org/api
    """
    from mobility.actions.manage_operators import enter_operator
    from mobility.actions.register_user import normal_email
    from mobility.db.operators import Operator
    from mobility.db.users import UserNotFound, find_user
    from mobility.installation import opened_database

    if events is not None and program is None:
        raise InvalidInput("--events needs --program: whose bookings they are")
    key = None if key_file is None else _read_key(key_file)
    with opened_database(Settings()) as engine:
        owner_id = None
        if program is not None:
            with engine.connect() as connection:
                found = find_user(connection, normal_email(program))
            if found is None:
                raise UserNotFound(f"nobody signs in with {program}")
            owner_id = found.id
        given = Operator(operator, url and url.rstrip("/"), events, owner_id)
        enter_operator(engine, given, key, now=dt.datetime.now(dt.UTC))
    console.print("Entered; a running worker asks it within a minute." if url else "Entered.")


def _read_key(file: Path) -> str:
    try:
        text = sys.stdin.read() if str(file) == "-" else file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidInput(f"cannot read a key from {file}") from error
    return text.strip()


@app.command("list")
def partners_list(as_json: Json = False) -> None:
    """List the operators, never their keys. Example: mobility partners list --json"""
    from mobility.db.operators import list_operators
    from mobility.installation import opened_database

    with opened_database(Settings()) as engine, engine.connect() as connection:
        found = list_operators(connection)
    if as_json:
        rows = [
            {
                "operator": one.told.operator,
                "url": one.told.url,
                "events_url": one.told.events_url,
                "program": one.told.owner_id and str(one.told.owner_id),
                "key": one.key is not None,
                "due_at": one.due_at.isoformat() if one.told.url else None,
                "failures": one.failures,
                "last": one.last,
            }
            for one in found
        ]
        console.print_json(data=rows)
        return
    table = Table("operator", "asked at", "told at", "key", "cars", "failures", "last")
    for one in found:
        last = one.last or {}
        said = last.get("reason") or ("all was answered" if last.get("complete") else "–")
        table.add_row(
            plain(one.told.operator), plain(one.told.url or "–"), plain(one.told.events_url or "–"),
            "set" if one.key else "none", str(last.get("cars", "–")), str(one.failures),
            plain(said),
        )  # fmt: skip
    console.print(table)


@app.command("fetch")
def partners_fetch(
    every: Annotated[
        bool, typer.Option("--all", help="Those too whose time has not come.")
    ] = False,
    as_json: Json = False,
) -> None:
    """
    Ask operators for their offers now; the worker does so every half hour.

    Example: mobility partners fetch --all --json
    """
    from mobility.actions.fetch_outside import fetch_due
    from mobility.db.operators import make_due
    from mobility.installation import open_installation
    from mobility.partner_client import PartnerClient
    from mobility.world import open_snapshot

    now = dt.datetime.now(dt.UTC)
    installation = open_installation(Settings())
    if every:
        with installation.engine.begin() as connection:
            make_due(connection, now)
    done = fetch_due(
        installation.engine, installation.wakeups, open_snapshot(installation.snapshot_folder),
        lambda operator: PartnerClient(operator.key), now=now,
    )  # fmt: skip
    installation.close()
    if as_json:
        console.print_json(data={name: fetched.as_json() for name, fetched in done.items()})
        return
    table = Table("operator", "queries", "failed", "cars", "new", "changed", "ended", "bad rows")
    for name, of in done.items():
        counts = (of.queries, of.failed, of.cars, of.added, of.changed, of.ended, of.bad)
        table.add_row(plain(name), *map(str, counts))
    console.print(table)


@app.command("remove")
def partners_remove(operator: Name) -> None:
    """End an operator's offers, ask it no more. Example: mobility partners remove a.example.org"""
    from mobility.actions.manage_operators import remove_operator
    from mobility.installation import open_installation

    installation = open_installation(Settings())
    count = remove_operator(
        installation.engine, installation.wakeups, operator, now=dt.datetime.now(dt.UTC)
    )
    installation.close()
    console.print(f"Removed, with {count} offer(s).")
