"""Commands about built snapshots: which are kept, which one is served, going back."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from mobility.commands.terminal import Json, console
from mobility.settings import Settings

app = typer.Typer(help="Built snapshots: list, verify, switch, go back.", no_args_is_help=True)
Name = Annotated[str, typer.Argument(help="Name as in the list.")]
DAMAGED = 2


@app.command("list")
def list_(as_json: Json = False) -> None:
    """List the snapshots, newest first. Example: mobility snapshots list"""
    from mobility.snapshots import KeptSnapshot, list_snapshots

    def told(kept: KeptSnapshot) -> dict[str, Any]:
        about = kept.about or {}
        return {
            "name": kept.name,
            "current": kept.current,
            "previous": kept.previous,
            "readable": kept.about is not None,
            "built_at": about.get("built_at"),
            "feeds": [
                {key: feed[key] for key in ("id", "valid_from", "valid_to")}
                for feed in about.get("feeds", [])
            ],
            "counts": about.get("counts", {}),
            "bytes": sum(p.stat().st_size for p in kept.folder.rglob("*") if p.is_file()),
        }

    rows = [told(kept) for kept in list_snapshots(Settings().snapshots)]
    if as_json:
        console.print_json(data=rows)
        return
    if not rows:
        console.print("No snapshots: mobility build TERRITORY.yaml makes one.")
        return
    table = Table("", "name", "built", "valid until", "trips", "MB")
    for row in rows:
        mark = "current" if row["current"] else "previous" if row["previous"] else ""
        valid_to = min((feed["valid_to"] for feed in row["feeds"]), default="not readable")
        trips = f"{row['counts'].get('trips', 0):,}"
        table.add_row(
            mark, row["name"], row["built_at"] or "", valid_to, trips, f"{row['bytes'] / 1e6:.0f}"
        )
    console.print(table)


@app.command()
def use(name: Name) -> None:
    """
    Serve a snapshot; running processes switch within a second or two.

    Example: mobility snapshots use NAME
    """
    from mobility.snapshots import use_snapshot

    use_snapshot(Settings().snapshots, name)
    console.print(f"Current: {name}", highlight=False)


@app.command()
def rollback() -> None:
    """Go back to the snapshot that was served before. Example: mobility snapshots rollback"""
    from mobility.snapshots import roll_back

    console.print(f"Current: {roll_back(Settings().snapshots).name}", highlight=False)


@app.command()
def verify(
    name: Annotated[str | None, typer.Argument(help="Name; the current one if absent.")] = None,
    as_json: Json = False,
) -> None:
    """Read a whole snapshot again; exits 2 with damage. Example: mobility snapshots verify"""
    from gtfs_data.store import list_damage
    from mobility.snapshots import current_snapshot, find_snapshot

    snapshots: Path = Settings().snapshots
    folder = find_snapshot(snapshots, name).folder if name else current_snapshot(snapshots)
    damage = list_damage(folder)
    if as_json:
        console.print_json(data={"name": folder.name, "damage": damage})
    else:
        state = "damaged" if damage else "whole"
        console.print(f"{folder.name}: {state}", highlight=False)
        for line in damage:
            console.print(f"  {line}", markup=False, highlight=False)
    raise typer.Exit(DAMAGED if damage else 0)
