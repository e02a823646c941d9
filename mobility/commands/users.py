"""Commands about users: add, list, say what they may do."""

from __future__ import annotations

import datetime as dt
from typing import Annotated

import typer
from rich.table import Table

from mobility.commands.terminal import Json, console, plain
from mobility.settings import Settings

app = typer.Typer(help="Users, and what they may do.", no_args_is_help=True)
Email = Annotated[str, typer.Argument(help="Address by which the user signs in.")]
Scopes = Annotated[
    str, typer.Option("--scopes", help="Comma list of rider, driver, operator, authority, app.")
]
Password = Annotated[
    str,
    typer.Option(
        help="Asked for when absent.", prompt=True, hide_input=True, confirmation_prompt=True
    ),
]


@app.command("add")
def users_add(
    email: Email,
    alias: Annotated[str, typer.Option(help="Name by which others know the person.")],
    password: Password,
    scopes: Scopes = "rider,driver",
) -> None:
    """Add a user, such as the first authority. Example: mobility users add a@b.fr --alias Ana"""
    from mobility.actions.grant_scopes import grant_scopes
    from mobility.actions.register_user import Registration, register_user
    from mobility.installation import opened_database
    from mobility.users.scopes import parse_scopes

    wanted = parse_scopes(scopes.split(","))
    with opened_database(Settings()) as engine:
        made = register_user(engine, Registration(email, password, alias), dt.datetime.now(dt.UTC))
        grant_scopes(engine, None, made.id, wanted)
    console.print(f"Added: {made.id}")


@app.command("scopes")
def users_scopes(email: Email, scopes: Scopes) -> None:
    """Say all that a user may do. Example: mobility users scopes a@b.fr --scopes rider,operator"""
    from mobility.actions.grant_scopes import grant_scopes
    from mobility.actions.register_user import normal_email
    from mobility.db.users import UserNotFound, find_user
    from mobility.installation import opened_database
    from mobility.users.scopes import parse_scopes

    with opened_database(Settings()) as engine:
        with engine.connect() as connection:
            found = find_user(connection, normal_email(email))
        if found is None:
            raise UserNotFound(f"nobody signs in with {email}")
        changed = grant_scopes(engine, None, found.id, parse_scopes(scopes.split(",")))
    console.print(f"May from now on: {', '.join(sorted(changed.scopes)) or 'nothing'}")


@app.command("list")
def users_list(as_json: Json = False) -> None:
    """List the users. Example: mobility users list --json"""
    from mobility.db.users import list_users
    from mobility.installation import opened_database

    with opened_database(Settings()) as engine, engine.connect() as connection:
        users = list_users(connection)
    if as_json:
        console.print_json(
            data=[
                {"id": str(u.id), "email": u.email, "alias": u.alias, "scopes": sorted(u.scopes)}
                for u in users
            ]
        )
        return
    table = Table("address", "name", "scopes")
    for user in users:
        table.add_row(plain(user.email or "–"), plain(user.alias), ", ".join(sorted(user.scopes)))
    console.print(table)
