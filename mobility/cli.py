"""Composition root of the command line: `mobility --help`."""

from __future__ import annotations

import sys

import typer

from core.errors import MobilityError
from mobility.commands import backups, feeds, journeys, offers, own_city, serving, snapshots
from mobility.commands.terminal import errors

app = typer.Typer(
    help="Door-to-door journeys with timetables and live carpool offers.",
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
)
for group in (own_city, feeds, journeys, serving, backups):
    app.add_typer(group.app)
app.add_typer(offers.app, name="offers")
app.add_typer(snapshots.app, name="snapshots")


def main() -> None:
    """Run a command; errors that a person can cause end in one line and exit code 1."""
    try:
        app()
    except MobilityError as error:
        errors.print(f"[bold red]{error.code}[/]: {error}", highlight=False, soft_wrap=True)
        sys.exit(1)


if __name__ == "__main__":
    main()
