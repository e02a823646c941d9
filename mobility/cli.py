"""Composition root of the command line: `mobility --help`."""

from __future__ import annotations

import datetime as dt
import json
import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import orjson
import typer
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from core.errors import InvalidInput, MobilityError
from core.geo import Coordinate, parse_coordinate
from core.time import parse_instant
from gtfs_data.checks import Findings, Severity
from mobility.settings import Settings

app = typer.Typer(
    help="Door-to-door journeys with timetables and live carpool offers.",
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
)
offers_app = typer.Typer(help="Publish, list and end carpool offers.", no_args_is_help=True)
db_app = typer.Typer(help="The database of this installation.", no_args_is_help=True)
app.add_typer(offers_app, name="offers")
app.add_typer(db_app, name="db")

console = Console()
errors = Console(stderr=True)
Json = Annotated[bool, typer.Option("--json", help="Write JSON for scripts.")]
EXIT_OF_SEVERITY = {None: 0, Severity.INFO: 0, Severity.WARNING: 0, Severity.ERROR: 2}


def main() -> None:
    """Run a command; errors that a person can cause end in one line and exit code 1."""
    try:
        app()
    except MobilityError as error:
        errors.print(f"[bold red]{error.code}[/]: {error}", highlight=False, soft_wrap=True)
        sys.exit(1)


@contextmanager
def _progress(shown: bool) -> Iterator[Callable[[str], None]]:
    """Say which step of long work is running, and how long it has taken."""
    if not shown:
        yield lambda _: None
        return
    columns = SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn()
    with Progress(*columns, console=errors) as progress:
        task = progress.add_task("…", total=None)

        def step(name: str) -> None:
            nonlocal task
            progress.update(task, total=1, completed=1)
            task = progress.add_task(name, total=None)

        yield step
        progress.update(task, total=1, completed=1)


def _show_findings(findings: Findings) -> None:
    if not list(findings):
        console.print("No findings.")
        return
    table = Table("severity", "where", "rule", "what", title="Findings")
    for f in findings:
        where = f.file if f.row is None else f"{f.file}:{f.row}"
        table.add_row(str(f.severity), where, f.rule, f.message)
    console.print(table)
    for (file, rule), count in findings.unlisted().items():
        console.print(f"… and {count} more of {rule} in {file}")


def _findings_json(findings: Findings) -> list[dict[str, Any]]:
    return [
        {"severity": str(f.severity), "rule": f.rule, "file": f.file, "row": f.row,
         "message": f.message}
        for f in findings
    ]  # fmt: skip


@app.command()
def build(
    territory: Annotated[Path, typer.Argument(help="Territory file.")],
    out: Annotated[Path | None, typer.Option(help="Folder for snapshots.")] = None,
    as_json: Json = False,
) -> None:
    """Build a snapshot from feeds and streets. Example: mobility build TERRITORY.yaml"""
    from mobility.actions.build_territory import build_territory
    from mobility.territory import read_territory

    source = read_territory(territory)
    with _progress(not as_json) as step:
        result = build_territory(source, out or Settings().snapshots, on_step=step)
    if as_json:
        console.print_json(
            data={
                "snapshot": str(result.folder),
                "counts": result.counts,
                "findings": _findings_json(result.findings),
            }
        )
        return
    _show_findings(result.findings)
    for name, count in result.counts.items():
        console.print(f"{count:>10,}  {name.replace('_', ' ')}")
    console.print(f"Snapshot: {result.folder}", soft_wrap=True)


@app.command()
def check(
    feed: Annotated[Path, typer.Argument(help="GTFS archive.")], as_json: Json = False
) -> None:
    """Report what is wrong in a feed; exit code 2 with errors. Example: mobility check FEED.zip"""
    from gtfs_data.reader import read_feed
    from gtfs_data.timetable import build_timetable

    findings = Findings()
    timetable = build_timetable([read_feed(feed, "feed")], findings)
    counts = {
        "stops": timetable.stop_count,
        "routes": len(timetable.route_type),
        "trips": len(timetable.trip_service),
        "stop_times": len(timetable.event_arrival_s),
    }
    if as_json:
        console.print_json(data={"counts": counts, "findings": _findings_json(findings)})
    else:
        _show_findings(findings)
        console.print(", ".join(f"{n:,} {name.replace('_', ' ')}" for name, n in counts.items()))
    raise typer.Exit(EXIT_OF_SEVERITY[findings.worst()])


@app.command("demo-territory")
def demo_territory(
    out: Annotated[Path, typer.Argument(help="Folder to write.")],
    seed: Annotated[int, typer.Option(help="Another seed, another town.")] = 7,
    stops: Annotated[int, typer.Option(help="Urban stops, roughly.", min=20, max=5000)] = 260,
) -> None:
    """Generate a believable town with its villages. Example: mobility demo-territory demo/"""
    from mobility.demo.territory import build_demo_territory

    with _progress(shown=True) as step:
        path = build_demo_territory(out, seed=seed, stop_count=stops, on_step=step)
    console.print(f"Generated: {path}", soft_wrap=True)


@app.command()
def serve(
    port: Annotated[int, typer.Option(help="TCP port.")] = 8080,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    workers: Annotated[int, typer.Option(help="Processes.", min=1, max=64)] = 1,
    snapshot: Annotated[Path | None, typer.Option(help="Snapshot folder.")] = None,
) -> None:
    """Serve the API and the page. Example: mobility serve --port 8080"""
    import uvicorn

    from mobility.installation import open_installation

    if snapshot is not None:
        os.environ["MOBILITY_SNAPSHOT"] = str(snapshot)
    open_installation(Settings()).close()  # a clear error here beats one in each worker
    uvicorn.run(
        "mobility.app:create_app", factory=True, host=host, port=port, workers=workers,
        log_level="warning",
    )  # fmt: skip


@app.command()
def worker() -> None:
    """Keep offers compiled for the current snapshot. Example: mobility worker"""
    from mobility.installation import open_installation
    from mobility.jobs.compile_offers import follow_offers

    installation = open_installation(Settings())
    follow_offers(installation)
    installation.close()


@app.command()
def demo(
    port: Annotated[int, typer.Option(help="TCP port.")] = 8080,
    once: Annotated[bool, typer.Option("--once", help="Stop when the journey is printed.")] = False,
) -> None:
    """Generate, build, seed and serve the demo territory. Example: mobility demo --port 8080"""
    from mobility.actions.run_demo import example_journey, prepare_demo, start_server
    from mobility.installation import stop_servers
    from mobility.printing import print_motis_itinerary

    settings = Settings()
    with _progress(shown=True) as step:
        territory = prepare_demo(settings, on_step=step)
        step("API server (the first start compiles the search, about a minute)")
        server = start_server(settings, port)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))  # so that the server ends with us
    example, answer = example_journey(territory, server.base_url)
    console.print(f"\n[bold]{example['title_fr']}[/] ({example['depart']})")
    best = max(answer["itineraries"], key=lambda it: it["mobility"]["family"] == "carpool")
    print_motis_itinerary(
        console, best, start_name=example["from"]["name"], end_name=example["to"]["name"]
    )
    console.print(f"\nOpen [bold]{server.base_url}[/]   (API: {server.base_url}/docs)")
    console.print("Generated territory and offers; Ctrl-C stops the demo.", style="dim")
    try:
        if not once:
            server.process.wait()
    except KeyboardInterrupt:
        console.print("Stopping …")
    finally:
        server.process.terminate()
        server.process.wait(timeout=30)
        stop_servers(settings)


@app.command()
def stop() -> None:
    """Stop the embedded servers of this home. Example: mobility stop"""
    from mobility.installation import stop_servers

    stopped = stop_servers(Settings())
    console.print(f"Stopped: {', '.join(stopped)}" if stopped else "Nothing was running.")


@app.command()
def plan(
    origin: Annotated[str, typer.Argument(metavar="FROM", help="lat,lon, stop id or a name.")],
    destination: Annotated[str, typer.Argument(metavar="TO", help="lat,lon, stop id or a name.")],
    depart: Annotated[str | None, typer.Option(help="Earliest departure, ISO 8601.")] = None,
    arrive: Annotated[str | None, typer.Option(help="Latest arrival, ISO 8601.")] = None,
    modes: Annotated[
        str | None, typer.Option(help="Comma list, as in the API: TRAM,BUS,RIDE_SHARING.")
    ] = None,
    carpool: Annotated[bool, typer.Option(help="Search carpool offers as well.")] = True,
    seats: Annotated[int, typer.Option(help="Size of the group.", min=1, max=50)] = 1,
    as_json: Json = False,
) -> None:
    """Plan a journey. Example: mobility plan "Gare" 46.58,1.2 --depart 2026-11-24T08:00"""
    from starlette.datastructures import QueryParams

    from mobility.actions.plan_itineraries import plan_itineraries
    from mobility.api.parameters import Parameters
    from mobility.api.plan import read_modes
    from mobility.mapping.motis import MotisWriter
    from mobility.mapping.sentences import messages
    from mobility.printing import print_answer
    from routing.query import PlanQuery

    if depart is not None and arrive is not None:
        raise InvalidInput("--depart and --arrive exclude each other")
    world = _world()
    zone = world.network.zone
    time = depart or arrive
    asked = {} if modes is None else {"transitModes": modes}
    transit_modes, with_carpool = read_modes(Parameters(QueryParams(asked)))
    query = PlanQuery(
        origin=_endpoint(world, origin),
        destination=_endpoint(world, destination),
        at=dt.datetime.now(zone) if time is None else parse_instant(time, zone),
        arrive_by=arrive is not None,
        backwards=arrive is not None,
        transit_modes=transit_modes,
        carpool=carpool and with_carpool,
        seats=seats,
    )
    priced = plan_itineraries(world, query)
    if not as_json:
        print_answer(console, world, priced)
        return
    writer = MotisWriter(world, 6, "fr")
    answer = {
        "itineraries": [writer.itinerary(p) for p in priced.itineraries],
        "direct": [writer.itinerary(p) for p in priced.direct],
        "mobility": {"messages": messages(priced.answer.explanations, zone)},
    }
    sys.stdout.buffer.write(orjson.dumps(answer, option=orjson.OPT_INDENT_2) + b"\n")


def _world() -> Any:  # noqa: ANN401 — mobility.world is slow to import
    """The world as a serving process sees it now."""
    from mobility.installation import open_installation
    from mobility.world import open_snapshot
    from mobility.world_keeper import WorldKeeper

    installation = open_installation(Settings())
    keeper = WorldKeeper(
        open_snapshot(installation.snapshot_folder), installation.engine, installation.wakeups
    )
    keeper.catch_up()
    installation.close()
    return keeper.world


def _endpoint(world: Any, text: str) -> Any:  # noqa: ANN401 — see _world
    from core.ids import StopId
    from routing.query import Endpoint

    place = parse_coordinate(text)
    if place is not None:
        return Endpoint(place, None, text)
    row = world.network.stop_row.get(text)
    if row is not None:
        t = world.network.timetable
        where = Coordinate(float(t.stop_lat[row]), float(t.stop_lon[row]))
        return Endpoint(where, StopId(text), t.stop_name[row])
    matches = world.snapshot.places.search(text, count=1)
    if not matches:
        raise InvalidInput(f"nothing is called {text!r} here: try another name, or lat,lon")
    return Endpoint(matches[0].coordinate, None, matches[0].name)


@db_app.command("upgrade")
def db_upgrade() -> None:
    """Bring the database schema up to date. Example: mobility db upgrade"""
    from mobility.installation import open_installation

    open_installation(Settings()).close()
    console.print("The database is up to date.")


@offers_app.command("add")
def offers_add(
    file: Annotated[
        Path | None, typer.Argument(help="JSON file: one offer or a list; - for input.")
    ] = None,
    driver: Annotated[
        str | None, typer.Option("--as", help="Driver's alias, e.g. demo:anna.")
    ] = None,
    start: Annotated[str | None, typer.Option("--from", help="lat,lon")] = None,
    end: Annotated[str | None, typer.Option("--to", help="lat,lon")] = None,
    depart: Annotated[str, typer.Option(help="Departure window.")] = "07:30-07:45",
    weekdays: Annotated[str, typer.Option(help="Comma list.")] = "mon,tue,wed,thu,fri",
    seats: Annotated[int, typer.Option(min=1, max=8)] = 3,
    budget: Annotated[int, typer.Option(help="Detour accepted, minutes.", min=0, max=60)] = 10,
    as_json: Json = False,
) -> None:
    """
    Publish offers; running servers find them within a second.

    Example: mobility offers add --as demo:anna --from 46.60,1.25 --to 46.58,1.2
    """
    from mobility.actions.publish_offer import publish_and_announce
    from mobility.installation import open_installation
    from mobility.world import open_snapshot

    given = _read_offers(file) if file else [
        _offer_from_flags(start, end, depart, weekdays, seats, budget)
    ]  # fmt: skip
    if driver is not None:
        given = [{**offer, "driver": driver} for offer in given]
    installation = open_installation(Settings())
    snapshot = open_snapshot(installation.snapshot_folder)
    published = publish_and_announce(installation.engine, installation.wakeups, snapshot, given)
    installation.close()
    if as_json:
        console.print_json(data=[{"id": offer.id, "driver": offer.driver} for offer in published])
    else:
        console.print(f"Published {len(published)} offer(s).")
        if len(published) == 1:
            console.print(published[0].id)


def _read_offers(file: Path) -> list[dict[str, Any]]:
    try:
        text = sys.stdin.read() if str(file) == "-" else file.read_text(encoding="utf-8")
        content = json.loads(text)
    except (OSError, ValueError) as error:
        raise InvalidInput(f"cannot read offers from {file}: {error}") from error
    return content if isinstance(content, list) else [content]


def _offer_from_flags(
    start: str | None, end: str | None, depart: str, weekdays: str, seats: int, budget: int
) -> dict[str, Any]:
    places = [parse_coordinate(text) if text else None for text in (start, end)]
    if places[0] is None or places[1] is None:
        raise InvalidInput("say where the drive goes: --from LAT,LON --to LAT,LON (or give a file)")
    window = depart.split("-")
    today = dt.date.today()  # noqa: DTZ011 — the validity of an offer is a local date
    return {
        "driver": "demo:driver",
        "start": {"lat": places[0].lat, "lon": places[0].lon},
        "end": {"lat": places[1].lat, "lon": places[1].lon},
        "depart_from": window[0],
        "depart_to": window[-1],
        "weekdays": weekdays.split(","),
        "valid_from": today.isoformat(),
        "valid_to": (today + dt.timedelta(days=365)).isoformat(),
        "seats": seats,
        "detour_budget_s": budget * 60,
    }


@offers_app.command("list")
def offers_list(as_json: Json = False) -> None:
    """List the offers that searches see now. Example: mobility offers list --json"""
    from carpool.offers import offer_as_json

    offers = _world().offers
    if as_json:
        console.print_json(data=[{"id": o.id, **offer_as_json(o)} for o in offers])
        return
    table = Table("id", "driver", "leaves", "days", "seats", "detour")
    for offer in offers:
        content = offer_as_json(offer)
        leaves = f"{content['depart_from'][:5]}–{content['depart_to'][:5]}"
        days = " ".join(content["weekdays"])
        detour = f"{offer.detour_budget_s // 60} min"
        table.add_row(offer.id, offer.driver, leaves, days, str(offer.seat_count), detour)
    console.print(table)


@offers_app.command("end")
def offers_end(offer_id: Annotated[str, typer.Argument(help="Id of the offer.")]) -> None:
    """End an offer. Example: mobility offers end 7c9e6679-7425-40de-944b-e07fc1f90ae7"""
    from mobility.actions.publish_offer import end_and_announce
    from mobility.installation import open_installation

    installation = open_installation(Settings())
    end_and_announce(installation.engine, installation.wakeups, offer_id)
    installation.close()
    console.print("Ended.")


if __name__ == "__main__":
    main()
