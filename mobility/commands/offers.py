"""Commands about carpool offers: add, list, end, match."""

from __future__ import annotations

import datetime as dt
import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from core.errors import InvalidInput
from core.geo import parse_coordinate
from mobility.commands.journeys import current_world
from mobility.commands.terminal import Json, console, progress_bar
from mobility.settings import Settings

app = typer.Typer(help="Publish, list and end carpool offers.", no_args_is_help=True)


@app.command("add")
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


@app.command("list")
def offers_list(as_json: Json = False) -> None:
    """List the offers that searches see now. Example: mobility offers list --json"""
    from carpool.offers import offer_as_json

    offers = current_world().offers
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


@app.command("end")
def offers_end(offer_id: Annotated[str, typer.Argument(help="Id of the offer.")]) -> None:
    """End an offer. Example: mobility offers end 7c9e6679-7425-40de-944b-e07fc1f90ae7"""
    from carpool.offers import OfferState
    from core.ids import OfferId
    from mobility.actions.publish_offer import change_and_announce
    from mobility.installation import open_installation

    installation = open_installation(Settings())
    change_and_announce(
        installation.engine, installation.wakeups, OfferId(offer_id), OfferState.ENDED
    )
    installation.close()
    console.print("Ended.")


@app.command("export")
def offers_export(
    out: Annotated[Path, typer.Argument(help="Zip file to write.")],
    site: Annotated[
        str, typer.Option(help="Address of the server where seats are booked.")
    ] = "http://127.0.0.1:8080",
) -> None:
    """
    Write the offers that are searched as a GTFS feed (route type 1551), for other planners.

    Example: mobility offers export carpool.zip --site https://mobility.example.org
    """
    from mobility.mapping.carpool_gtfs import carpool_gtfs

    world = current_world()
    out.write_bytes(carpool_gtfs(world, site.rstrip("/")))
    console.print(f"Wrote {world.offer_count} offer(s) to {out}.")


@app.command("match")
def offers_match(
    seconds: Annotated[
        int, typer.Option(help="Longest search for better bundles, for each corridor.", min=1)
    ] = 45,
    as_json: Json = False,
) -> None:
    """
    Propose regular riders and drivers to each other, all at once; the worker does so every night.

    Example: mobility offers match --seconds 20
    """
    from dataclasses import asdict

    from mobility.actions.match_commuters import match_commuters
    from mobility.installation import open_installation
    from mobility.wish_book import WishBook

    world = current_world()
    installation = open_installation(Settings())
    now = dt.datetime.now(dt.UTC)
    with progress_bar(shown=not as_json) as step:
        done = match_commuters(
            installation.engine, world, WishBook(), now=now, time_limit_s=seconds, on_step=step
        )
    installation.close()
    if as_json:
        console.print_json(data=asdict(done))
        return
    table = Table("round", "riders", "drivers", "bundles", "chosen", "open", "seconds")
    for corridor in done.corridors:
        counts = (
            corridor.round, corridor.rider_count, corridor.driver_count, corridor.bundle_count,
            corridor.chosen_count,
        )  # fmt: skip
        gap = f"{corridor.gap:.1%}"
        table.add_row(*map(str, counts), gap, f"{corridor.seconds:.1f}")
    console.print(table)
    console.print(
        f"{done.proposal_count} proposal(s) for {done.wish_count} wish(es) and "
        f"{done.offer_count} offer(s)."
    )
