"""Commands for a city of one's own: init writes its file, doctor looks at the installation."""

from __future__ import annotations

import datetime as dt
import os
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn
from rich.table import Table

from core.errors import InvalidInput
from mobility.commands.terminal import Json, console, errors

app = typer.Typer()


class MissingOption(InvalidInput):
    """A command needs something that was not given, and nobody is there to ask."""

    code = "missing_option"


def _is_terminal() -> bool:
    return sys.stdin.isatty()


def _ask(flag: str, question: str, default: str | None, *, asks: bool) -> str:
    """Ask at a terminal; elsewhere take the default, or name the option that is missing."""
    if asks:
        answer: str = typer.prompt(question, default=default, err=True)
        return answer.strip()
    if default is None:
        raise MissingOption(f"{flag} is missing ({question[0].lower()}{question[1:]})")
    return default


def _fetch(source: str, target: Path) -> Path:
    """Fetch with a bar when it is an address."""
    from mobility.actions.start_territory import fetch_source

    columns = TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn()
    with Progress(*columns, console=errors, disable="://" not in source) as progress:
        task = progress.add_task(target.name, total=None)
        return fetch_source(
            source, target, lambda done, total: progress.update(task, completed=done, total=total)
        )


def _streets(folder: Path, osm: str | None, place: str | None) -> Path | None:
    if osm is not None:
        suffix = ".osm" if osm.split("?")[0].endswith(".osm") else ".osm.pbf"
        return _fetch(osm, folder / f"streets{suffix}")
    if place is None:
        return None
    from routing.street.graph import download_place

    folder.mkdir(parents=True, exist_ok=True)
    with errors.status(f"Streets of {place} from OpenStreetMap"):
        return download_place(place, folder / "streets.osm.pbf")


@app.command()
def init(
    folder: Annotated[Path, typer.Argument(help="Folder of the territory.")] = Path(),
    territory_id: Annotated[str | None, typer.Option("--id", help="a-z, 0-9 and -.")] = None,
    name: Annotated[str | None, typer.Option(help="Name that people read.")] = None,
    timezone: Annotated[str | None, typer.Option(help="As Europe/Paris.")] = None,
    gtfs: Annotated[
        list[str] | None, typer.Option(help="ID=PATH or ID=URL; give it once per feed.")
    ] = None,
    osm: Annotated[str | None, typer.Option(help="OSM extract: path or URL.")] = None,
    place: Annotated[
        str | None, typer.Option(help='Streets by the name of a place: "Foix, France".')
    ] = None,
    no_streets: Annotated[bool, typer.Option("--no-streets", help="Timetables only.")] = False,
    carpool_places: Annotated[Path | None, typer.Option(help="CSV of meeting points.")] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Take the defaults, ask nothing.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Overwrite a territory file.")] = False,
) -> None:
    """Begin a territory. Example: mobility init foix --gtfs bus=bus.zip --osm foix.osm.pbf"""
    from mobility.actions import start_territory as action

    asks = _is_terminal() and not yes
    action.check_absent(folder, force=force)
    if sum((osm is not None, place is not None, no_streets)) > 1:
        raise MissingOption("give one of --osm, --place and --no-streets, not several")
    feeds = [action.split_feed(given) for given in gtfs or []]
    if not feeds:
        given = _ask("--gtfs ID=PATH_OR_URL", "GTFS archive (path or URL)", None, asks=asks)
        feeds = [action.split_feed(given)]
    if osm is None and place is None and not no_streets:
        question = "OSM extract (path or URL; - for none)"
        given = _ask("--osm, --place or --no-streets", question, None, asks=asks)
        osm = None if given == "-" else given
    sources = action.Sources(
        feeds=tuple(
            (feed_id, action.check_feed(_fetch(source, folder / f"{feed_id}.zip")))
            for feed_id, source in feeds
        ),
        osm=_streets(folder, osm, place),
        carpool_places=carpool_places and action.fetch_source(str(carpool_places), folder),
    )
    base = folder.resolve().name or "city"
    name = name or _ask("--name", "Name", base.replace("-", " ").title(), asks=asks)
    territory_id = territory_id or _ask("--id", "Id", action.slug(base) or None, asks=asks)
    timezone = timezone or _ask(
        "--timezone", "Time zone", action.find_zone(sources.feeds), asks=asks
    )
    written = action.start_territory(
        folder, sources, territory_id=territory_id, name=name, timezone=timezone, force=force
    )
    shown = os.path.relpath(written) if written.resolve().is_relative_to(Path.cwd()) else written
    console.print(f"Written: {shown}", soft_wrap=True, highlight=False)
    console.print(f"Next:\n  mobility build {shown}\n  mobility serve", soft_wrap=True,
                  highlight=False)  # fmt: skip


@app.command()
def doctor(
    territory: Annotated[Path | None, typer.Argument(help="Territory file.")] = None,
    port: Annotated[int, typer.Option(help="Port that is to be served on.")] = 8080,
    as_json: Json = False,
) -> None:
    """Examine this installation; exits 2 with errors. Example: mobility doctor TERRITORY.yaml"""
    from mobility.actions.examine_installation import Case, Level, examine_installation
    from mobility.settings import Settings
    from mobility.territory import read_territory

    case = Case(
        settings=Settings(),
        environment=os.environ,
        now=dt.datetime.now(dt.UTC),
        territory=None if territory is None else read_territory(territory),
        port=port,
    )
    checks = examine_installation(case)
    if as_json:
        console.print_json(data=[asdict(check) for check in checks])
    else:
        table = Table("", "check", "what", "what to do")
        for check in checks:
            table.add_row(str(check.level), check.name, escape(check.message), escape(check.advice))
        console.print(table)
    raise typer.Exit(2 if any(check.level is Level.ERROR for check in checks) else 0)
