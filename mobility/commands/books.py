"""Commands about money: close a month, and check, close and export the ledger."""

from __future__ import annotations

import calendar
import datetime as dt
import os
import re
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
import yaml
from rich.table import Table

from core.errors import InvalidInput
from core.time import utc_now
from mobility.commands.terminal import Json, console, counting_bar
from mobility.settings import Settings

if TYPE_CHECKING:
    from payments.ledger_export import Chart
    from payments.legal_entities import Entities, LegalEntity

fares_app = typer.Typer(help="Bills of riders, month by month.", no_args_is_help=True)
ledger_app = typer.Typer(
    help="The double-entry ledger: recount it, close it, export it.", no_args_is_help=True
)
WORTH_A_WORKER = 1_000
"""Months of riders for which a process more is begun."""
Month = Annotated[str, typer.Argument(help="Calendar month, as 2027-03.")]


class Format(StrEnum):
    """How a ledger is written."""

    CSV = "csv"
    FEC = "fec"
    BEANCOUNT = "beancount"


@fares_app.command("close")
def fares_close(
    month: Month,
    provisional: Annotated[
        bool, typer.Option("--provisional", help="Post the month, but issue no statement yet.")
    ] = False,
    despite_gaps: Annotated[
        bool, typer.Option("--despite-gaps", help="Issue also while devices owe something.")
    ] = False,
    as_json: Json = False,
) -> None:
    """
    Rate a month that is over, post it to the ledger and issue its statements.

    It may be stopped and begun anew: each month of a rider is closed once.
    Example: mobility fares close 2027-03
    """
    from mobility.actions.close_month import close_month
    from mobility.db.statements import count_months
    from mobility.installation import open_installation
    from mobility.published_tariffs import read_tariffs
    from mobility.world import open_snapshot

    installation = open_installation(Settings())
    first = _month(month)
    with installation.engine.connect() as connection:
        tariffs = read_tariffs(connection, open_snapshot(installation.snapshot_folder).tariff)
        if tariffs is None:
            raise InvalidInput("the territory has no tariff: nothing can be billed")
        total = count_months(connection, first)
    with counting_bar(f"months of {month}", total, shown=not as_json) as on_progress:
        done = close_month(
            installation.engine, tariffs, first, now=utc_now(), is_final=not provisional,
            despite_gaps=despite_gaps,
            workers=max(1, min(os.cpu_count() or 1, total // WORTH_A_WORKER)),
            on_progress=on_progress,
        )  # fmt: skip
    installation.close()
    if as_json:
        console.print_json(data={"months": done.months, "amount_cents": done.amount_cents})
        return
    what = "posted, not issued yet" if provisional else "closed"
    amount = f"{done.amount_cents / 100:.2f} {tariffs.currency}"
    console.print(f"{done.months} months of riders {what}: {amount} in all.")


@fares_app.command("paid")
def fares_paid(
    number: Annotated[str, typer.Argument(help="Number of a statement, as 2027-000012.")],
    amount: Annotated[str, typer.Argument(help="What was paid, as 12.50.")],
    reference: Annotated[str, typer.Option(help="What the bank or the counter calls it.")],
    by: Annotated[str, typer.Option(help="How it came: transfer, counter, cheque …")] = "transfer",
    as_json: Json = False,
) -> None:
    """
    Post to the ledger what a rider has paid outside; told twice, it is there once.

    It pays for the rider's oldest months first.
    Example: mobility fares paid 2027-000012 12.50 --reference VIR-4711
    """
    from mobility.actions.receive_payment import receive_payment
    from mobility.installation import open_installation

    if not re.fullmatch(r"\d{1,7}([.,]\d\d?)?", amount):
        raise InvalidInput(f"{amount!r} is not an amount: 12.50")
    whole, _, part = amount.replace(",", ".").partition(".")
    installation = open_installation(Settings())
    done = receive_payment(
        installation.engine, number, int(whole) * 100 + int(part.ljust(2, "0")), rail=by,
        reference=reference, now=utc_now(),
    )  # fmt: skip
    installation.close()
    months = [f"{month:%Y-%m}" for month in done.settled]
    if as_json:
        console.print_json(
            data={"is_new": done.is_new, "owed_cents": done.owed_cents, "settled": months}
        )
        return
    console.print("Posted." if done.is_new else "It was posted before, and is not there twice.")
    owed = f"{done.owed_cents / 100:.2f} {done.currency}"
    console.print(f"The rider owes {owed}; paid are {', '.join(months) or 'no months yet'}.")


@fares_app.command("compare")
def fares_compare(
    before: Annotated[Path, typer.Argument(help="Tariff as it is.")],
    after: Annotated[Path, typer.Argument(help="Tariff as it might be.")],
    month: Annotated[str, typer.Option(help="Month whose timetables are used, as 2027-03.")],
    riders: Annotated[int, typer.Option(min=1, help="How many riders are made up.")] = 500,
    seed: Annotated[int, typer.Option(help="Another one makes up others.")] = 7,
    as_json: Json = False,
) -> None:
    """
    Compare what generated riders would pay under two tariffs: revenue, winners and losers.

    The riders do not exist: places around stops, and the ways that the planner finds.
    Example: mobility fares compare tariff.yaml other.yaml --month 2027-03
    """
    from dataclasses import asdict

    from mobility.actions.compare_tariffs import (
        ALL,
        SHARED_LIMIT,
        compare_tariffs,
        generate_riders,
        operator_shares,
    )
    from mobility.commands.journeys import current_world
    from payments.tariff_file import read_tariff

    tariffs = read_tariff(before), read_tariff(after)
    names = sorted({category.id for tariff in tariffs for category in tariff.categories})
    first = _month(month)
    with counting_bar("riders made up", riders, shown=not as_json) as on_progress:
        made = generate_riders(
            current_world(), first, names, riders, seed=seed, on_progress=on_progress
        )
    changes = compare_tariffs(*tariffs, made)
    earned = [operator_shares(tariff, made, first) for tariff in tariffs]
    if as_json:
        console.print_json(
            data={"generated": True, "seed": seed, "month": month,
                  "changes": [asdict(change) for change in changes],
                  "operators": dict(zip(("before", "after"), earned, strict=True)),
                  "operators_by_riders": min(riders, SHARED_LIMIT)}
        )  # fmt: skip
        return
    table = Table(
        "riders", "", "trips", "before", "after", "change", "pay less", "pay more", "most lost",
        title=f"Generated riders, {month}",
    )  # fmt: skip
    for c in changes:
        name = "without a category" if c.category is None else c.category
        change = (c.after_cents - c.before_cents) / max(c.before_cents, 1)
        table.add_row(
            "all" if c.category == ALL else name, str(c.riders), str(c.trips),
            f"{c.before_cents / 100:.2f}", f"{c.after_cents / 100:.2f}", f"{change:+.1%}",
            str(c.winners), str(c.losers), f"{c.most_lost_cents / 100:.2f}",
        )  # fmt: skip
    console.print(table)
    whose = "" if riders <= SHARED_LIMIT else f", of the first {SHARED_LIMIT:,} riders"
    shares = Table("operator", "before", "after", title=f"Revenue by operator{whose}")
    for name in dict.fromkeys((*earned[0], *earned[1])):
        shares.add_row(name, *(f"{own.get(name, 0) / 100:.2f}" for own in earned))
    console.print(shares)


@ledger_app.command("export")
def ledger_export(
    out: Annotated[
        Path, typer.Argument(help="File to write; for the FEC of an entity, a folder will do.")
    ],
    form: Annotated[Format, typer.Option("--format", help="csv, fec or beancount.")] = Format.CSV,
    period: Annotated[
        str | None, typer.Option(help="Only this month, as 2027-03, or this year, as 2027.")
    ] = None,
    chart: Annotated[
        Path | None,
        typer.Option(help="YAML: kind of account → [number, name], for the FEC; entities."),
    ] = None,
    entity: Annotated[
        str | None, typer.Option(help="Only the books of this legal entity of the chart.")
    ] = None,
) -> None:
    """
    Write the ledger: CSV, the French accounting file (18 fields), or text for bean-check.

    Example: mobility ledger export ledger.beancount --format beancount
    """
    from mobility.db.ledger import list_postings
    from mobility.installation import opened_database
    from payments.ledger_export import CHART, write_beancount, write_csv, write_fec

    numbers, entities = (CHART, None) if chart is None else _chart(chart)
    last_day = None if period is None else _last_day(period)
    own = None
    if entity is not None:
        if entities is None:
            raise InvalidInput("a chart with `entities` says which accounts are whose: --chart")
        own = entities.get(entity)
    if out.is_dir():
        out /= _fec_name(form, own, last_day)
    part = out.with_name(f"{out.name}.part")
    with (
        opened_database(Settings()) as engine,
        engine.connect() as connection,
        part.open("w", encoding="utf-8") as file,
    ):
        postings = list_postings(connection, period)
        if own is not None and entities is not None:
            postings = entities.seen_from(own.id, postings)
        if form is Format.CSV:
            file.writelines(write_csv(postings))
        elif form is Format.FEC:
            file.writelines(write_fec(postings, numbers))
        else:
            file.writelines(write_beancount(postings))
    part.replace(out)
    console.print(f"{out} written." if own is None else f"{out} written: books of {own.name}.")


@ledger_app.command("check")
def ledger_check(as_json: Json = False) -> None:
    """
    Recount all balances and the hashes of closed days; exit code 1 if something is wrong.

    Example: mobility ledger check
    """
    from mobility.db.ledger import broken_days, read_balances, recount
    from mobility.installation import opened_database

    with opened_database(Settings()) as engine, engine.connect() as connection:
        # One view of all of it, whatever is posted meanwhile.
        connection.execution_options(isolation_level="REPEATABLE READ")
        wrong, broken, kept = (
            recount(connection), broken_days(connection), read_balances(connection)
        )  # fmt: skip
    if as_json:
        console.print_json(
            data={
                "accounts": len(kept),
                "wrong": [
                    {"account": account, "currency": currency,
                     "kept_cents": own.net_cents, "counted_cents": counted.net_cents}
                    for (account, currency), (own, counted) in wrong.items()
                ],
                "broken_days": [day.isoformat() for day in broken],
            }
        )  # fmt: skip
    else:
        for (account, currency), (own, counted) in wrong.items():
            told = f"{account}: kept {own.net_cents}, counted {counted.net_cents} cents {currency}"
            console.print(told, style="red", highlight=False)
        for day in broken:
            console.print(f"{day}: its postings are not those that were closed", style="red")
        if not wrong and not broken:
            console.print(f"{len(kept)} accounts recounted: all balances hold.")
    if wrong or broken:
        raise typer.Exit(1)


@ledger_app.command("close")
def ledger_close(month: Month) -> None:
    """
    Let nothing more be posted for a month, and close all days before today.

    What becomes known later counts in the month in which it becomes known.
    Example: mobility ledger close 2027-03
    """
    from mobility.db.ledger import close_days, close_period
    from mobility.installation import opened_database

    now, of = utc_now(), _month(month)
    if f"{now:%Y-%m}" <= f"{of:%Y-%m}":
        raise InvalidInput(f"{month} is not over")
    with opened_database(Settings()) as engine, engine.begin() as connection:
        close_period(connection, f"{of:%Y-%m}", now)
        days = close_days(connection, now.date())
    last = f", the last one {days[-1].day} with hash {days[-1].hash.hex()[:16]}" if days else ""
    console.print(f"{month} closed; {len(days)} days closed{last}.")


def _month(text: str) -> dt.date:
    try:
        return dt.date.fromisoformat(f"{text}-01")
    except ValueError as error:
        raise InvalidInput(f"{text!r} is not a month: 2027-03") from error


def _last_day(period: str) -> dt.date:
    """Of a month, or of a year."""
    if re.fullmatch(r"20\d\d", period):
        return dt.date(int(period), 12, 31)
    first = _month(period)
    return first.replace(day=calendar.monthrange(first.year, first.month)[1])


def _fec_name(form: Format, own: LegalEntity | None, last_day: dt.date | None) -> str:
    from payments.ledger_export import fec_file_name

    if form is not Format.FEC or own is None or last_day is None or not own.siren:
        raise InvalidInput(
            "in a folder only a FEC has its name: --format fec, --entity with a siren, --period"
        )
    return fec_file_name(own.siren, last_day)


def _chart(path: Path) -> tuple[Chart, Entities | None]:
    """Numbers of kinds of accounts, and legal entities; numbers may be left to be ours."""
    from payments.ledger_export import CHART, check_chart
    from payments.legal_entities import parse_entities

    try:
        content = dict(yaml.safe_load(path.read_text(encoding="utf-8")))
        told = content.pop("entities", None)
        numbers = {str(kind): (str(number), str(name)) for kind, (number, name) in content.items()}
    except (OSError, UnicodeDecodeError, yaml.YAMLError, TypeError, ValueError) as error:
        raise InvalidInput(f"cannot read chart {path}: {error}") from error
    entities = None if told is None else parse_entities(told)
    return CHART if entities and not numbers else check_chart(numbers), entities
