"""Commands about elevators: list, put out of service, put back."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.table import Table

from mobility.commands.journeys import current_world
from mobility.commands.terminal import Json, console
from mobility.settings import Settings

app = typer.Typer(help="Elevators, and which are out of service.", no_args_is_help=True)
ElevatorId = Annotated[
    str,
    typer.Argument(help="Id of the elevator, as listed: feed:pathway, osm:node/1 or osm:way/1."),
]


@app.command("list")
def elevators_list(as_json: Json = False) -> None:
    """List the elevators that journeys may take. Example: mobility elevators list --json"""
    world = current_world()
    listed = [
        (e.id, e.station, e.id not in world.shut_elevators)
        for e in world.network.elevators.values()
    ]
    if as_json:
        rows = [{"id": i, "station": s, "in_service": runs} for i, s, runs in listed]
        console.print_json(data=rows)
        return
    table = Table("id", "station", "state")
    for elevator_id, station, runs in listed:
        table.add_row(elevator_id, station, "in service" if runs else "out of service")
    console.print(table)


@app.command("out")
def elevators_out(elevator_id: ElevatorId) -> None:
    """Put an elevator out of service. Example: mobility elevators out rail:P5"""
    _switch(elevator_id, in_service=False)
    console.print("Out of service: journeys lead around it within a second.")


@app.command("back")
def elevators_back(elevator_id: ElevatorId) -> None:
    """Put an elevator back into service. Example: mobility elevators back rail:P5"""
    _switch(elevator_id, in_service=True)
    console.print("In service.")


def _switch(elevator_id: str, *, in_service: bool) -> None:
    from mobility.actions.switch_elevator import switch_elevator
    from mobility.installation import open_installation
    from mobility.world import open_snapshot

    installation = open_installation(Settings())
    network = open_snapshot(installation.snapshot_folder).network
    switch_elevator(
        installation.engine, installation.wakeups, network, elevator_id, in_service=in_service
    )
    installation.close()
