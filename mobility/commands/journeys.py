"""Command that plans a journey."""

from __future__ import annotations

import datetime as dt
import sys
from typing import Annotated, Any

import orjson
import typer

from core.errors import InvalidInput
from core.geo import Coordinate, parse_coordinate
from core.time import parse_instant
from mobility.commands.terminal import Json, console
from mobility.settings import Settings

app = typer.Typer()


@app.command(context_settings={"ignore_unknown_options": True})  # -30.03,-51.23 is a place
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
    wheelchair: Annotated[
        bool, typer.Option("--wheelchair", help="Step-free ways; stops and trips said to be.")
    ] = False,
    unknown: Annotated[
        bool, typer.Option("--unknown", help="With --wheelchair: also where nothing is known.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Plan a journey. Example: mobility plan "Gare" 46.58,1.2 --depart 2026-11-24T08:00"""
    from starlette.datastructures import QueryParams

    from mobility.actions.plan_itineraries import plan_itineraries
    from mobility.api.parameters import Parameters
    from mobility.api.search_parameters import read_modes
    from mobility.mapping.motis import MotisWriter
    from mobility.mapping.sentences import messages
    from mobility.printing import print_answer
    from routing.query import PlanQuery

    if depart is not None and arrive is not None:
        raise InvalidInput("--depart and --arrive exclude each other")
    world = current_world()
    zone = world.network.zone
    time = depart or arrive
    asked = {} if modes is None else {"transitModes": modes}
    transit_modes, with_carpool = read_modes(Parameters(QueryParams(asked)), "transitModes")
    query = PlanQuery(
        origin=_endpoint(world, origin),
        destination=_endpoint(world, destination),
        at=dt.datetime.now(zone) if time is None else parse_instant(time, zone),
        arrive_by=arrive is not None,
        backwards=arrive is not None,
        transit_modes=transit_modes,
        carpool=carpool and with_carpool,
        seats=seats,
        wheelchair=wheelchair,
        wheelchair_unknown=unknown,
    )
    priced = plan_itineraries(world, query)
    if not as_json:
        print_answer(console, world, priced, accessible=wheelchair)
        return
    writer = MotisWriter(world, 6, "fr")
    answer = {
        "itineraries": [writer.itinerary(p) for p in priced.itineraries],
        "direct": [writer.itinerary(p) for p in priced.direct],
        "mobility": {"messages": messages(priced.answer.explanations, zone)},
    }
    sys.stdout.buffer.write(orjson.dumps(answer, option=orjson.OPT_INDENT_2) + b"\n")


def current_world() -> Any:  # noqa: ANN401 — mobility.world is slow to import
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


def _endpoint(world: Any, text: str) -> Any:  # noqa: ANN401 — see current_world
    from core.ids import StopId
    from routing.places import MatchKind
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
    match = matches[0]
    stop = StopId(match.id) if match.kind is MatchKind.STOP else None
    return Endpoint(match.coordinate, stop, match.name)
