"""Composition root of the command line: `mobility --help`."""

from __future__ import annotations

import sys

import typer
from pydantic import ValidationError
from rich.text import Text

from core.errors import MobilityError
from mobility.commands import (
    backups,
    books,
    elevators,
    feeds,
    journeys,
    offers,
    own_city,
    partners,
    serving,
    snapshots,
    studies,
    tariffs,
    users,
)
from mobility.commands.terminal import errors, plain
from mobility.logs import set_up_logs
from mobility.settings import Settings

app = typer.Typer(
    help="Door-to-door journeys with timetables and live carpool offers.",
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
)
for group in (own_city, feeds, journeys, studies, serving, backups):
    app.add_typer(group.app)
app.add_typer(offers.app, name="offers")
app.add_typer(elevators.app, name="elevators")
app.add_typer(snapshots.app, name="snapshots")
app.add_typer(partners.app, name="partners")
app.add_typer(users.app, name="users")
app.add_typer(tariffs.app, name="tariff")
app.add_typer(books.fares_app, name="fares")
app.add_typer(books.ledger_app, name="ledger")


def main() -> None:
    """Run a command; errors that a person can cause end in one line and exit code 1."""
    try:
        set_up_logs(Settings())
        app()
    except MobilityError as error:
        _end(error.code, str(error))
    except ValidationError as error:
        if error.title != Settings.__name__:
            raise
        wrong = (f"MOBILITY_{str(e['loc'][0]).upper()}: {e['msg']}" for e in error.errors())
        _end("invalid_settings", "; ".join(wrong))


def _end(code: str, message: str) -> None:
    title = Text(code, style="bold red")
    errors.print(Text.assemble(title, ": ", plain(message)), soft_wrap=True)
    sys.exit(1)


if __name__ == "__main__":
    main()
