"""Command that plans a journey."""

from __future__ import annotations

import datetime as dt
import sys
from typing import Annotated, Any

import orjson
import typer

from core.errors import InvalidInput
from core.modes import Mode
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
    via: Annotated[
        list[str] | None, typer.Option(help="Stop to visit on the way: STOP or STOP=MINUTES.")
    ] = None,
    avoid_line: Annotated[
        list[str] | None, typer.Option(help="Id or short name of a line not to take.")
    ] = None,
    avoid_stop: Annotated[
        list[str] | None, typer.Option(help="Stop or station at which not to get in or out.")
    ] = None,
    walk_speed: Annotated[
        float | None, typer.Option(help="Own speed on foot, in m/s.", min=0.2, max=5)
    ] = None,
    bike: Annotated[bool, typer.Option(help="Also by bike to the first stop.")] = False,
    explain: Annotated[
        bool, typer.Option(help="Tell what was found and left out, and why.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Plan a journey. Example: mobility plan "Gare" 46.58,1.2 --depart 2026-11-24T08:00"""
    from starlette.datastructures import QueryParams

    from mobility.actions.plan_itineraries import plan_itineraries
    from mobility.api.parameters import Parameters
    from mobility.api.search_parameters import read_modes
    from mobility.endpoints import find_endpoint
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
        origin=find_endpoint(world.snapshot, origin),
        destination=find_endpoint(world.snapshot, destination),
        at=dt.datetime.now(zone) if time is None else parse_instant(time, zone),
        arrive_by=arrive is not None,
        backwards=arrive is not None,
        transit_modes=transit_modes,
        carpool=carpool and with_carpool,
        seats=seats,
        vias=tuple(_via(world, text) for text in via or ()),
        avoid_routes=frozenset(r for text in avoid_line or () for r in _lines(world, text)),
        avoid_stops=frozenset(_stop_id(world, text) for text in avoid_stop or ()),
        walk_mps=walk_speed,
        access_modes=(Mode.WALK, Mode.BIKE) if bike else (Mode.WALK,),
        explain=explain,
    )
    priced = plan_itineraries(world, query)
    if not as_json:
        print_answer(console, world, priced)
        return
    writer = MotisWriter(world, 6, "fr")
    answer = {
        "itineraries": [writer.itinerary(p) for p in priced.itineraries],
        "direct": [writer.itinerary(p) for p in priced.direct],
        "mobility": {
            "messages": messages(priced.answer.explanations, zone),
            **({"removed": writer.removed(priced.answer.removed)} if explain else {}),
        },
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


def _via(world: Any, text: str) -> Any:  # noqa: ANN401 — see current_world
    from routing.query import Via

    stop, _, minutes = text.partition("=")
    if minutes and not minutes.isdecimal():
        raise InvalidInput(f"--via {text}: STOP=MINUTES is expected")
    return Via(_stop_id(world, stop), int(minutes or 0) * 60)


def _stop_id(world: Any, text: str) -> Any:  # noqa: ANN401 — see current_world
    from mobility.endpoints import find_endpoint

    stop_id = find_endpoint(world.snapshot, text).stop_id
    if stop_id is None:
        raise InvalidInput(f"no stop is called {text!r}: try a stop id")
    return stop_id


def _lines(world: Any, text: str) -> list[str]:  # noqa: ANN401 — see current_world
    t = world.network.timetable
    if text in world.network.route_row:
        return [text]
    named = [t.route_id[i] for i, name in enumerate(t.route_short_name) if name == text]
    if not named:
        raise InvalidInput(f"no line is called {text!r} in this territory")
    return named
