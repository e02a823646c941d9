"""Commands about published data: build, check, demo-territory."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from gtfs_data.checks import Findings, Severity
from mobility.commands.terminal import Json, console, progress_bar
from mobility.settings import Settings

app = typer.Typer()
EXIT_OF_SEVERITY = {None: 0, Severity.INFO: 0, Severity.WARNING: 0, Severity.ERROR: 2}


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
    allow_drop: Annotated[
        bool, typer.Option("--allow-drop", help="Publish even if much service is gone.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Build a snapshot from feeds and streets. Example: mobility build TERRITORY.yaml"""
    from mobility.actions.build_territory import build_territory
    from mobility.territory import read_territory

    source = read_territory(territory)
    with progress_bar(not as_json) as step:
        result = build_territory(
            source, out or Settings().snapshots, allow_drop=allow_drop, on_step=step
        )
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

    with progress_bar(shown=True) as step:
        path = build_demo_territory(out, seed=seed, stop_count=stops, on_step=step)
    console.print(f"Generated: {path}", soft_wrap=True)
