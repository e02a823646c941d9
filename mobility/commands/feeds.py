"""Commands about published data: build, check, demo-territory."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from core.errors import InvalidInput
from gtfs_data.checks import Findings, Severity
from mobility.commands.terminal import Json, console, plain, progress_bar
from mobility.settings import Settings

app = typer.Typer()
EXIT_OF_SEVERITY = {None: 0, Severity.INFO: 0, Severity.WARNING: 0, Severity.ERROR: 2}


class PageUnwritable(InvalidInput):
    """The report's page cannot be written where it was asked for."""

    code = "page_unwritable"


def _show_findings(findings: Findings) -> None:
    if not list(findings):
        console.print("No findings.")
        return
    table = Table("severity", "where", "rule", "what", title="Findings")
    for f in findings:
        where = f.file if f.row is None else f"{f.file}:{f.row}"
        table.add_row(str(f.severity), plain(where), f.rule, plain(f.message))
    console.print(table)
    for (file, rule), count in findings.unlisted().items():
        console.print(plain(f"… and {count} more of {rule} in {file}"))


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
    from mobility.commands.feed_report import finding_json
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
                "findings": [finding_json(f) for f in result.findings],
            }
        )
        return
    _show_findings(result.findings)
    for name, count in result.counts.items():
        console.print(f"{count:>10,}  {name.replace('_', ' ')}")
    console.print(f"Snapshot: {result.folder}", soft_wrap=True)


@app.command()
def check(
    feed: Annotated[Path, typer.Argument(help="GTFS archive.")],
    html: Annotated[Path | None, typer.Option(help="Write the report as a page as well.")] = None,
    as_json: Json = False,
) -> None:
    """
    Report what a feed holds, when it runs and what is wrong in it.

    Exit codes: 0 no errors (there may be warnings), 2 findings of severity error, 1 not readable
    as GTFS at all. Example: mobility check FEED.zip --html report.html
    """
    from mobility.actions.check_feed import check_feed
    from mobility.commands.feed_page import feed_page
    from mobility.commands.feed_report import report_json, show_report

    report = check_feed(feed, today=dt.datetime.now(dt.UTC).date())
    if html is not None:
        try:
            html.write_text(feed_page(report), encoding="utf-8")
        except OSError as error:
            raise PageUnwritable(f"cannot write {html}: {error.strerror}") from error
    if as_json:
        console.print_json(data=report_json(report))
    else:
        show_report(report)
        if html is not None:
            console.print(plain(f"Page: {html}"), soft_wrap=True)
    raise typer.Exit(EXIT_OF_SEVERITY[report.findings.worst()])


@app.command("demo-territory")
def demo_territory(
    out: Annotated[Path, typer.Argument(help="Folder to write.")],
    seed: Annotated[int, typer.Option(help="Another seed, another town.")] = 7,
    stops: Annotated[int, typer.Option(help="Urban stops, roughly.", min=20, max=5000)] = 260,
    region: Annotated[
        bool, typer.Option("--region", help="300 towns, 50,000 stops, no streets.")
    ] = False,
    country: Annotated[
        bool, typer.Option("--country", help="2,500 towns, 400,000 stops, no streets.")
    ] = False,
) -> None:
    """Generate a believable town with its villages. Example: mobility demo-territory demo/"""
    from mobility.demo.region import COUNTRY, REGION, build_region
    from mobility.demo.territory import build_demo_territory

    with progress_bar(shown=True) as step:
        if region or country:
            path = build_region(out, COUNTRY if country else REGION, seed=seed, on_step=step)
        else:
            path = build_demo_territory(out, seed=seed, stop_count=stops, on_step=step)
    console.print(f"Generated: {path}", soft_wrap=True)
