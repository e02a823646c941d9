"""Commands about tariffs: check one, try examples on it, rate legs, begin one from GTFS fares."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table

from core.errors import InvalidInput
from mobility.commands.terminal import Json, console, errors

if TYPE_CHECKING:  # commands load what they need
    from gtfs_data.checks import Findings
    from mobility.actions.publish_tariff import Desk
    from mobility.installation import Installation
    from mobility.mapping.starting_tariff import StartingTariff

app = typer.Typer(
    help="Tariffs: files that say what riders pay. Start with mobility tariff check FILE.",
    no_args_is_help=True,
)
TariffFile = Annotated[Path, typer.Argument(help="Tariff as YAML.")]


@app.command("check")
def tariff_check(tariff: TariffFile, as_json: Json = False) -> None:
    """
    Look for contradictions: rides that lower a bill, rules and products nobody gets.

    Example: mobility tariff check tariff.yaml
    """
    from mobility.actions.publish_tariff import finding_row
    from payments.tariff_file import read_tariff
    from payments.tariff_lint import lint

    read = read_tariff(tariff)
    findings = [finding_row(read, found) for found in lint(read)]
    if as_json:
        console.print_json(data={"tariff_hash": read.content_hash, "findings": findings})
    else:
        _print_findings(findings)
        if not findings:
            console.print(f"{tariff}: nothing found against {read.id} ({read.content_hash[:12]}).")
    if findings:
        raise typer.Exit(1)


@app.command("test")
def tariff_test(
    tariff: TariffFile,
    examples: Annotated[Path, typer.Argument(help="CSV of legs with example and expected_cents.")],
    as_json: Json = False,
) -> None:
    """
    Rate examples and compare with what they should cost.

    Legs of one `example` are one rider's; its `expected_cents` stands on any of its rows.

    Example: mobility tariff test tariff.yaml examples.csv
    """
    from mobility.mapping.leg_table import read_examples
    from payments.rating import rate
    from payments.tariff_file import read_tariff

    read = read_tariff(tariff)
    results = []
    for example in read_examples(examples, read.timezone):
        bill = rate([read], example.legs)
        got = None if bill.unpriced else bill.amount_cents
        results.append((example, got))
    wrong = [(example, got) for example, got in results if got != example.expected_cents]
    if as_json:
        rows = [
            {"example": e.name, "expected_cents": e.expected_cents, "amount_cents": got}
            for e, got in results
        ]
        console.print_json(data={"wrong": len(wrong), "examples": rows})
    else:
        for example, got in wrong:
            amount = "without a price" if got is None else f"{got} cents"
            errors.print(f"{example.name}: {amount}, expected {example.expected_cents}")
        console.print(f"{len(results) - len(wrong)} of {len(results)} examples as expected.")
    if wrong:
        raise typer.Exit(1)


@app.command("rate")
def tariff_rate(
    tariff: TariffFile,
    legs: Annotated[Path, typer.Argument(help="CSV of one rider's legs.")],
    as_json: Json = False,
    explained: Annotated[
        bool,
        typer.Option("--explain", help="Show the arithmetic, and what else it could have been."),
    ] = False,
) -> None:
    """
    Print the cheapest lawful bill for one rider's legs, line by line.

    Example: mobility tariff rate tariff.yaml march.csv --explain
    """
    from mobility.mapping.leg_table import leg_row, read_legs
    from mobility.mapping.sentences import charge_label
    from payments.explaining import alternatives, arithmetic
    from payments.rating import rate
    from payments.tariff_file import read_tariff

    read = read_tariff(tariff)
    bill = rate([read], read_legs(legs, read.timezone))
    others = alternatives([read], bill) if explained else []
    if as_json:
        rows = [
            {"rule": c.rule, "kind": c.kind, "legs": list(c.legs), "amount_cents": c.amount_cents,
             "since": None if c.since is None else c.since.isoformat(),
             **({"arithmetic": arithmetic([read], bill, c)} if explained else {})}
            for c in bill.charges
        ]  # fmt: skip
        unpriced = [{"leg": row, "reason": reason} for row, reason in bill.unpriced]
        console.print_json(
            data={
                "amount_cents": bill.amount_cents, "currency": read.currency, "charges": rows,
                "legs": [leg_row(leg, read.timezone) for leg in bill.legs], "unpriced": unpriced,
                "tariff_hash": read.content_hash,
                "alternatives": [asdict(other) for other in others],
            }
        )  # fmt: skip
        return
    table = Table("charge", "legs", "cents", *(["arithmetic"] if explained else []))
    for charge in bill.charges:
        since = "" if charge.since is None else f" from {charge.since}"
        named = ", ".join(str(row + 1) for row in charge.legs)
        why = [arithmetic([read], bill, charge)] if explained else []
        table.add_row(charge_label(charge, "en") + since, named, str(charge.amount_cents), *why)
    table.add_row("total", "", f"{bill.amount_cents} {read.currency}")
    console.print(table)
    for other in others:
        said = "without" if other.is_bought else "with"
        console.print(f"{said} “{other.product}” it would be {other.amount_cents}", highlight=False)
    for row, reason in bill.unpriced:
        errors.print(f"leg {row + 1} has no price: {reason}")


@app.command("import")
def tariff_import(
    source: Annotated[
        Path, typer.Argument(help="GTFS archive with fares, or a system_pricing_plans.json.")
    ],
    feed_id: Annotated[str, typer.Option("--feed", help="Id of the feed in the territory file.")],
    out: Annotated[Path, typer.Option("--out", help="Tariff file to write.")],
    timezone: Annotated[
        str, typer.Option(help="Clock of the prices of bikes; timetables tell their own.")
    ] = "Europe/Paris",
) -> None:
    """
    Begin a tariff from GTFS-Fares V2 or V1, or from GBFS; what it cannot say is listed.

    Example: mobility tariff import metro.zip --feed metro --out tariff.yaml
    """
    import yaml

    from gtfs_data.checks import Findings
    from payments.tariff_file import parse_tariff

    if out.exists():
        raise InvalidInput(f"{out} is there already: name another file with --out")
    findings = Findings()
    if source.suffix == ".json":
        made = _of_plans(feed_id, source, timezone)
    else:
        made = _of_feed(feed_id, source, findings)
    if not made.content["leg_prices"]:
        raise InvalidInput(f"{source} has no fares")
    parse_tariff(made.content)
    text = yaml.safe_dump(made.content, sort_keys=False, allow_unicode=True)
    out.write_text(text, encoding="utf-8")
    for finding in findings:
        errors.print(f"{finding.file} line {finding.row}: {finding.message}", highlight=False)
    for line in made.left_out:
        errors.print(f"left out: {line}", highlight=False)
    console.print(
        f"{out}: {len(made.content['leg_prices'])} rules. Check it: mobility tariff check"
    )


def _of_feed(feed_id: str, source: Path, findings: Findings) -> StartingTariff:
    """From GTFS-Fares V2 if the feed has them, else from V1."""
    from gtfs_data.kept import read_archive_tables
    from mobility.mapping.gtfs_fares import FARE_TABLES, starting_tariff
    from mobility.mapping.gtfs_fares_v2 import FARES_V2_TABLES, starting_tariff_v2

    tables = read_archive_tables(source, FARES_V2_TABLES, findings)
    if len(tables["fare_leg_rules"]):
        return starting_tariff_v2(feed_id, tables)
    return starting_tariff(feed_id, read_archive_tables(source, FARE_TABLES, findings))


def _of_plans(feed_id: str, source: Path, timezone: str) -> StartingTariff:
    import json

    from mobility.mapping.gbfs_pricing import pricing_tariff

    try:
        content = json.loads(source.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InvalidInput(f"cannot read {source}: {error}") from error
    return pricing_tariff(feed_id, content, timezone)


Hash = Annotated[str, typer.Argument(help="Hash of the version: its first digits do.")]


@app.command("draft")
def tariff_draft(tariff: TariffFile) -> None:
    """
    Store a version of the tariff, to be reviewed and published.

    Example: mobility tariff draft tariff-2027.yaml
    """
    from mobility.actions.publish_tariff import draft_tariff

    with _desk() as (desk, *_):
        stored = draft_tariff(desk, tariff.read_text(encoding="utf-8"))
    short = stored.hash[:12]
    console.print(f"{stored.name} is drafted as {short}. Next: mobility tariff review {short}")


@app.command("review")
def tariff_review(
    tariff_hash: Hash,
    is_accepted: Annotated[
        bool, typer.Option("--accept-findings", help="Take it with what is found against it.")
    ] = False,
) -> None:
    """
    Look for contradictions in a drafted version; without any it may be published.

    Example: mobility tariff review 3f2a9c
    """
    from mobility.actions.publish_tariff import review_tariff

    with _desk() as (desk, *_):
        findings = review_tariff(desk, tariff_hash, is_accepted=is_accepted)
    _print_findings(findings)
    if findings and not is_accepted:
        errors.print("not reviewed: mend it, or take it as it is with --accept-findings")
        raise typer.Exit(1)
    console.print(f"Reviewed. Next: mobility tariff publish {tariff_hash} --from 2027-01-01")


@app.command("publish")
def tariff_publish(
    tariff_hash: Hash,
    since: Annotated[
        dt.datetime,
        typer.Option("--from", formats=["%Y-%m-%d"], help="First fare day on which it holds."),
    ],
    is_accepted: Annotated[
        bool,
        typer.Option("--accept-findings", help="Also within a month, with products of a month."),
    ] = False,
) -> None:
    """
    Let a reviewed version hold from a fare day on; what was used before is priced as it was.

    Example: mobility tariff publish 3f2a9c --from 2027-01-01
    """
    from mobility.actions.publish_tariff import publish_tariff
    from mobility.published_tariffs import territory_tariff
    from mobility.world import open_snapshot

    with _desk() as (desk, installation, revisions):
        standing = territory_tariff(open_snapshot(installation.snapshot_folder))
        day = since.date()
        revisions.append(publish_tariff(desk, tariff_hash, day, standing, is_accepted=is_accepted))
    console.print(f"{tariff_hash} holds from {since:%Y-%m-%d} on.")


@app.command("rollback")
def tariff_rollback() -> None:
    """
    Go back to the version before: at once if the last does not hold yet, or from tomorrow on.

    Example: mobility tariff rollback
    """
    from mobility.actions.publish_tariff import roll_back_tariff

    with _desk() as (desk, _, revisions):
        publication, revision = roll_back_tariff(desk)
        revisions.append(revision)
    console.print(f"{publication.hash[:12]} holds{_since(publication.effective_from)}.")


@app.command("versions")
def tariff_versions(as_json: Json = False) -> None:
    """
    List versions of the tariff, the newest first, and when each holds.

    Example: mobility tariff versions
    """
    from mobility.actions.publish_tariff import show_tariffs

    with _desk() as (desk, *_):
        shown = show_tariffs(desk.connection, desk.now)
    if as_json:
        rows = [
            {"hash": own.stored.hash, "name": own.stored.name, "state": own.state,
             "days": [{"first": first and first.isoformat(), "last": last and last.isoformat()}
                      for first, last in own.days],
             "findings": list(own.stored.findings)}
            for own in shown
        ]  # fmt: skip
        console.print_json(data={"versions": rows})
        return
    table = Table("version", "name", "state", "holds")
    for own in shown:
        days = [_since(first) + ("" if last is None else f" to {last}") for first, last in own.days]
        table.add_row(
            own.stored.hash[:12], own.stored.name, own.state, "; ".join(day.strip() for day in days)
        )
    console.print(table)


@contextmanager
def _desk() -> Iterator[tuple[Desk, Installation, list[int]]]:
    """
    What a command changes versions on; committed at its end.

    Revisions that it adds to the list are then told to the processes that serve.
    """
    from core.time import utc_now
    from mobility.actions.publish_tariff import Desk
    from mobility.installation import open_installation
    from mobility.settings import Settings

    installation = open_installation(Settings())
    revisions: list[int] = []
    with installation.engine.begin() as connection:
        yield Desk(connection, utc_now()), installation, revisions
    for revision in revisions:
        installation.wakeups.announce(revision)
    installation.close()


def _since(day: dt.date | None) -> str:
    return " since ever" if day is None else f" from {day}"


def _print_findings(findings: Sequence[Mapping[str, Any]]) -> None:
    for found in findings:
        console.print(f"{found['code']}: {found['message']}", style="yellow", highlight=False)
        for leg in found["legs"]:
            told = "  ".join(f"{name}={value}" for name, value in leg.items() if value)
            console.print(f"  {told}", highlight=False)
