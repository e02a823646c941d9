"""Commands for studies: isochrones and matrices of travel times."""

from __future__ import annotations

import datetime as dt
import sys
from pathlib import Path
from typing import Annotated, Any

import orjson
import typer

from core.errors import InvalidInput
from core.time import parse_instant
from mobility.commands.terminal import Json, console, counting_bar, errors, plain
from mobility.settings import Settings

app = typer.Typer()
Depart = Annotated[str | None, typer.Option(help="First departure, ISO 8601; now when absent.")]
SUFFIXES = (".csv", ".parquet")


@app.command(context_settings={"ignore_unknown_options": True})  # -30.03,-51.23 is a place
def isochrone(
    place: Annotated[str, typer.Argument(help="lat,lon, stop id or a name.")],
    depart: Depart = None,
    minutes: Annotated[str, typer.Option(help="Cutoffs, comma list.")] = "15,30,45",
    window: Annotated[int, typer.Option(help="Minutes of departures; 0: one.", min=0)] = 0,
    percentile: Annotated[
        int, typer.Option(help="Reached at so many percent of the departures.", min=1, max=100)
    ] = 50,
    out: Annotated[Path | None, typer.Option(help="GeoJSON file; the terminal if absent.")] = None,
    as_json: Json = False,
) -> None:
    """
    Outline what is within reach of a place, by public transport and on foot, as GeoJSON.

    Example: mobility isochrone "Gare" --depart 2026-11-24T08:00 --minutes 15,30 --window 60
    """
    from mobility.endpoints import find_endpoint
    from routing.isochrones import search_isochrone
    from routing.travel_times import TravelQuery

    snapshot = _snapshot()
    cutoffs = _whole_numbers(minutes, "--minutes")
    network = snapshot.network
    query = TravelQuery(_moment(depart, network), window * 60, 60 * max(cutoffs))
    found = search_isochrone(
        network,
        find_endpoint(snapshot, place),
        query,
        [60 * m for m in cutoffs],
        percentile=percentile,
        limits=snapshot.limits,
    )
    content = orjson.dumps(found.as_geojson(), option=orjson.OPT_APPEND_NEWLINE)
    if out is None:
        sys.stdout.buffer.write(content)
        return
    out.write_bytes(content)
    areas = {
        f"{c // 60} min": round(a, 2) for c, a in zip(found.cutoffs_s, found.areas_km2, strict=True)
    }
    if as_json:
        console.print_json(data={"out": str(out), "from": found.origin.name, "areas_km2": areas})
        return
    told = ", ".join(f"{name} {area} km²" for name, area in areas.items())
    console.print(plain(f"From {found.origin.name}: {told} → {out}"), soft_wrap=True)


@app.command()
def matrix(
    origins: Annotated[Path, typer.Argument(help="CSV file: id, and lat and lon or stop_id.")],
    destinations: Annotated[Path, typer.Argument(help="The same.")],
    depart: Depart = None,
    window: Annotated[int, typer.Option(help="Minutes of departures; 0: one.", min=0)] = 60,
    percentiles: Annotated[str, typer.Option(help="Comma list.")] = "5,50,95",
    most: Annotated[int, typer.Option(help="Longest travel time, minutes.", min=1)] = 120,
    workers: Annotated[int, typer.Option(help="Threads to spread the origins over.", min=1)] = 1,
    scheduler: Annotated[
        str | None, typer.Option(help="Dask scheduler instead, tcp://host:8786.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="File .csv or .parquet; CSV to the terminal if absent.")
    ] = None,
    as_json: Json = False,
) -> None:
    """
    Compute travel times from many places to many, by public transport and on foot.

    Example: mobility matrix homes.csv schools.csv --depart 2026-11-24T07:30 --out times.parquet
    """
    from mobility.frames import matrix_frame
    from mobility.matrices import compute_matrix
    from mobility.place_table import read_place_table
    from routing.travel_times import TravelQuery

    if out is not None and out.suffix not in SUFFIXES:
        raise InvalidInput(f"--out {out}: a file name that ends with .csv or .parquet is expected")
    wanted = _whole_numbers(percentiles, "--percentiles")
    snapshot = _snapshot()
    from_, to = (read_place_table(file, snapshot.network) for file in (origins, destinations))
    problems = [*from_.problems, *to.problems]
    for problem in problems if not as_json else ():
        errors.print(plain(problem), soft_wrap=True)
    with counting_bar("origins", len(from_.places), shown=not as_json) as on_done:
        found = compute_matrix(
            snapshot.folder,
            from_.places,
            to.places,
            TravelQuery(_moment(depart, snapshot.network), window * 60, most * 60),
            percentiles=wanted,
            workers=workers,
            scheduler=scheduler,
            on_done=on_done,
        )
    frame = matrix_frame(found)
    if out is None and not as_json:
        sys.stdout.write(frame.write_csv())
        return
    if out is not None:
        frame.write_parquet(out) if out.suffix == ".parquet" else frame.write_csv(out)
    if as_json:
        rows = {"rows": frame.to_dicts()} if out is None else {"out": str(out)}
        console.print_json(data={**rows, "pairs": len(frame), "problems": problems})
    else:
        console.print(plain(f"{len(frame):,} pairs → {out}"), soft_wrap=True)


def _snapshot() -> Any:  # noqa: ANN401 — mobility.world is slow to import
    """The snapshot that is served, opened without any server."""
    from mobility.snapshots import current_snapshot
    from mobility.world import open_snapshot

    settings = Settings()
    return open_snapshot(settings.snapshot or current_snapshot(settings.snapshots))


def _moment(depart: str | None, network: Any) -> dt.datetime:  # noqa: ANN401 — see _snapshot
    zone = network.zone
    return dt.datetime.now(zone) if depart is None else parse_instant(depart, zone)


def _whole_numbers(text: str, option: str) -> list[int]:
    try:
        return [int(part) for part in text.split(",")]
    except ValueError as error:
        raise InvalidInput(f"{option} {text}: whole numbers with commas are expected") from error
