"""
The platform as a library, for notebooks and studies.

    from mobility.library import open_territory
    territory = open_territory(".mobility/snapshots/current")
    territory.plan("Trindade", "Aeroporto", depart="2025-10-14T08:00")

Places are names, stop ids, ``"lat,lon"`` or ``(lat, lon)``. Moments are ISO 8601 texts or
datetimes, in the territory's zone unless they say otherwise. See docs/library.md.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, overload

import orjson
from rich.console import Console

from carpool.compile import compile_offer
from carpool.offers import parse_offer
from core.errors import InvalidInput
from core.geo import Coordinate
from core.ids import OfferId
from core.time import parse_instant
from mobility.actions.plan_itineraries import plan_itineraries
from mobility.endpoints import find_endpoint
from mobility.frames import matrix_frame, reach_frame
from mobility.mapping.priced import PricedAnswer, PricedItinerary
from mobility.matrices import compute_matrix
from mobility.printing import print_answer
from mobility.world import World, open_snapshot
from routing.isochrones import Isochrone, search_isochrone
from routing.one_to_all import ReachQuery, search_one_to_all
from routing.query import Endpoint, PlanQuery
from routing.travel_times import TravelQuery

if TYPE_CHECKING:
    import polars as pl

__all__ = ["Isochrone", "Journeys", "Moment", "Place", "Territory", "open_territory"]

Place = str | tuple[float, float] | Coordinate | Endpoint
"""A name, a stop id, ``"lat,lon"``, ``(lat, lon)``."""
Moment = str | dt.datetime
TEXT_COLUMNS = 200


def open_territory(snapshot: str | Path, *, offers: str | Path | None = None) -> Territory:
    """
    Open a snapshot that `mobility build` wrote; no server and no database is needed.

    Parameters
    ----------
    snapshot
        Folder of a snapshot, such as ``.mobility/snapshots/current``.
    offers
        JSON file with a list of carpool offers, as for `mobility offers add`; none when absent.

    Raises
    ------
    SnapshotInvalid
        No snapshot there, or one of another version.
    InvalidOffer, OfferUnusable
        An offer that cannot be understood or driven.
    """
    opened = open_snapshot(Path(snapshot))
    if offers is None:
        return Territory(World(opened))
    values = orjson.loads(Path(offers).read_bytes())
    parsed = [parse_offer(value, OfferId(f"offer-{i}")) for i, value in enumerate(values)]
    bodies = [compile_offer(opened.network, offer) for offer in parsed]
    return Territory(World(opened, parsed, bodies))


class Journeys(Sequence[PricedItinerary]):
    """Itineraries of one answer, by departure; notebooks show them leg by leg."""

    def __init__(self, world: World, answer: PricedAnswer) -> None:
        self._world = world
        self.answer = answer
        """All that was found: also the ways on foot and why there is little."""

    @overload
    def __getitem__(self, index: int) -> PricedItinerary: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[PricedItinerary]: ...
    def __getitem__(self, index: int | slice) -> PricedItinerary | Sequence[PricedItinerary]:
        return self.answer.itineraries[index]

    def __len__(self) -> int:
        return len(self.answer.itineraries)

    def __iter__(self) -> Iterator[PricedItinerary]:
        return iter(self.answer.itineraries)

    def __repr__(self) -> str:
        console = Console(file=StringIO(), width=TEXT_COLUMNS, color_system=None, record=True)
        print_answer(console, self._world, self.answer)
        return console.export_text().rstrip("\n")

    def _repr_html_(self) -> str:
        console = Console(file=StringIO(), width=TEXT_COLUMNS, record=True)
        print_answer(console, self._world, self.answer)
        return console.export_html(inline_styles=True, code_format="<pre>{code}</pre>")


class Territory:
    """One opened territory; immutable, and safe to use from several threads."""

    def __init__(self, world: World) -> None:
        self.world = world

    def __repr__(self) -> str:
        network, name = self.world.network, self.world.snapshot.about["name"]
        counts = (
            (network.stop_count, "stops"),
            (len(network.timetable.trip_id), "trips"),
            (network.streets.node_count, "junctions"),
            (self.world.offer_count, "offers"),
        )
        return f"<Territory {name}: {', '.join(f'{count:,} {what}' for count, what in counts)}>"

    def place(self, place: Place, name: str | None = None) -> Endpoint:
        """
        Find a place, under a name of one's own if wanted.

        Raises
        ------
        InvalidInput
            Nothing is called so, or it is not on Earth.
        """
        if isinstance(place, str):
            found = find_endpoint(self.world.snapshot, place)
        elif isinstance(place, Endpoint):
            found = place
        else:
            where = place if isinstance(place, Coordinate) else Coordinate(*place)
            found = Endpoint(where, None, f"{where.lat},{where.lon}")
        return found if name is None else replace(found, name=name)

    def plan(
        self,
        origin: Place,
        destination: Place,
        *,
        depart: Moment | None = None,
        arrive: Moment | None = None,
        window_min: int = 15,
        carpool: bool = True,
        seats: int = 1,
    ) -> Journeys:
        """
        Plan from door to door: departures from `depart` on, or arrivals up to `arrive`.

        Parameters
        ----------
        window_min
            Length of the interval searched, in minutes; it is widened until five itineraries are
            found. 0 asks for that moment alone.
        seats
            Size of the group.

        Raises
        ------
        InvalidInput
            A place or a moment that cannot be understood, or both moments.
        """
        if depart is not None and arrive is not None:
            raise InvalidInput("depart and arrive exclude each other")
        backwards = arrive is not None
        query = PlanQuery(
            origin=self.place(origin),
            destination=self.place(destination),
            at=self._moment(depart if arrive is None else arrive),
            arrive_by=backwards,
            backwards=backwards,
            window_s=window_min * 60,
            carpool=carpool,
            seats=seats,
        )
        return Journeys(self.world, plan_itineraries(self.world, query))

    def one_to_all(
        self, place: Place, *, depart: Moment | None = None, minutes: int = 60, carpool: bool = True
    ) -> pl.DataFrame:
        """
        Find every stop within reach of a place in `minutes`.

        Returns
        -------
        stop_id, name, lat, lon, seconds (waiting included), vehicle_count; the soonest first.
        """
        world = self.world
        query = ReachQuery(
            self.place(place), self._moment(depart), most_s=minutes * 60, carpool=carpool
        )
        found = search_one_to_all(
            world.network,
            query,
            flexible=world.flexible,
            rides_on=world.rides_on,
            limits=world.snapshot.limits,
        )
        return reach_frame(world.network, found)

    def isochrone(
        self,
        place: Place,
        *,
        depart: Moment | None = None,
        minutes: Sequence[int] = (15, 30, 45, 60),
        window_min: int = 0,
        percentile: int = 50,
    ) -> Isochrone:
        """
        Outline what is within reach by public transport and on foot.

        Parameters
        ----------
        minutes
            Cutoffs; each area holds those of the lesser ones.
        window_min
            Departures are every minute from `depart` on for so long; 0 is that moment alone.
        percentile
            Within reach is what takes no longer at so many percent of the departures.

        Returns
        -------
        An isochrone, of which geopandas makes a frame by ``GeoDataFrame.from_features(it)``.
        """
        if not minutes:
            raise InvalidInput("minutes are missing: say which areas, such as (15, 30)")
        return search_isochrone(
            self.world.network,
            self.place(place),
            TravelQuery(self._moment(depart), window_min * 60, max(minutes) * 60),
            [60 * m for m in minutes],
            percentile=percentile,
            limits=self.world.snapshot.limits,
        )

    def matrix(
        self,
        origins: Sequence[Place] | Mapping[str, Place],
        destinations: Sequence[Place] | Mapping[str, Place],
        *,
        depart: Moment | None = None,
        window_min: int = 60,
        percentiles: Sequence[int] = (5, 50, 95),
        most_min: int = 120,
        workers: int = 1,
        scheduler: str | None = None,
    ) -> pl.DataFrame:
        """
        Compute travel times from all origins to all destinations, by public transport and on foot.

        Parameters
        ----------
        origins, destinations
            Places, or names of one's own with their places.
        window_min
            Departures are every minute from `depart` on for so long.
        workers
            Threads of this process; more than about six are held up by each other.
        scheduler
            Address of a dask scheduler instead, whose workers see the snapshot's folder.

        Returns
        -------
        from, to, median_s, p05_s, p95_s (as asked; seconds, null when not reached within
        `most_min`), reached_share.

        Raises
        ------
        InvalidInput
            A place, a moment or a percentile that cannot be understood.
        SchedulerAway
            The scheduler does not answer.
        """
        matrix = compute_matrix(
            self.world.snapshot.folder,
            self._places(origins),
            self._places(destinations),
            TravelQuery(self._moment(depart), window_min * 60, most_min * 60),
            percentiles=percentiles,
            workers=workers,
            scheduler=scheduler,
        )
        return matrix_frame(matrix)

    def _places(self, places: Sequence[Place] | Mapping[str, Place]) -> list[Endpoint]:
        if isinstance(places, Mapping):
            return [self.place(place, name) for name, place in places.items()]
        return [self.place(p, p if isinstance(p, str) else None) for p in places]

    def _moment(self, moment: Moment | None) -> dt.datetime:
        zone = self.world.network.zone
        if moment is None:
            return dt.datetime.now(zone)
        return parse_instant(moment if isinstance(moment, str) else moment.isoformat(), zone)
