"""World: one immutable value that a request takes once: snapshot and offers."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from carpool.offers import Offer
from carpool.ports import PublishedOffer
from carpool.running import RunningDates
from core.ids import OfferId
from core.remember import Remembered
from gtfs_data.store import read_manifest
from mobility.db.changes import Position
from mobility.snapshots import ground_hash
from payments.tariff import Tariff, read_tariff
from routing.network import Network, open_network
from routing.places import Places
from routing.query import Limits
from routing.raptor.body_table import Body, BodyTable
from routing.raptor.flexible import Rides
from routing.raptor.search import rides_of
from routing.spi import RideWindows

DATES_KEPT = 16


@dataclass(frozen=True, slots=True)
class Snapshot:
    """An opened snapshot with everything that lies beside its arrays."""

    folder: Path
    about: Mapping[str, Any]
    network: Network
    places: Places
    tariff: Tariff | None
    limits: Limits
    ground_hash: str


def open_snapshot(folder: Path) -> Snapshot:
    """Open a snapshot folder; raises `SnapshotInvalid` when it cannot be."""
    about = read_manifest(folder)
    tariff = folder / "tariff.yaml"
    return Snapshot(
        folder=folder,
        about=about,
        network=open_network(folder),
        places=Places(folder / "places"),
        tariff=read_tariff(tariff) if tariff.is_file() else None,
        limits=Limits(**about["limits"]),
        ground_hash=ground_hash(folder),
    )


class World:
    """
    What one search sees. A change makes a new world; the old one serves who has it.

    Parameters
    ----------
    table
        Of a world before, on the same snapshot: what is in it already is not laid out again.
    """

    def __init__(
        self,
        snapshot: Snapshot,
        offers: Sequence[Offer] = (),
        bodies: Sequence[Body] = (),
        *,
        published: Mapping[OfferId, PublishedOffer] | None = None,
        position: Position | None = None,
        quote_key: bytes = b"",
        shut_elevators: frozenset[str] = frozenset(),
        table: BodyTable | None = None,
    ) -> None:
        assert len(offers) == len(bodies)
        self.snapshot = snapshot
        self.offers = tuple(offers)
        """Several of one id where seats of a date are taken: those of that date beside the rest."""
        self.bodies = tuple(bodies)
        if published is None:
            both = zip(offers, bodies, strict=True)
            published = {offer.id: PublishedOffer(offer, body) for offer, body in both}
        self.published = published
        self.epoch = None if position is None else position.epoch
        self.revision = 0 if position is None else position.revision
        """Up to where the database was read."""
        self.quote_key = quote_key
        """By which what this world shows is signed, to know it again when it is booked."""
        self.shut_elevators = shut_elevators
        self.table = table or BodyTable(snapshot.network.coarse.point_cell)
        self.flexible, self.body_rows = self.table.laid(bodies)
        """Bodies laid end to end, and in which row of them each offer's is."""
        self.is_own = np.array([offer.outside is None for offer in self.offers], bool)
        """Which offers are of drivers here: seats of the others are booked at their operators."""
        self._dates = RunningDates(self.offers)
        self._rides = Remembered(self._rides_around, DATES_KEPT)

    @property
    def network(self) -> Network:
        """Timetable, streets and meeting points."""
        return self.snapshot.network

    @property
    def offer_count(self) -> int:
        """How many offers are searched."""
        return len(self.published)

    def rides_on(self, date: dt.date) -> Rides:
        """Dated rides around a searched date; the last are kept."""
        return self._rides(date)

    @property
    def outside_ids(self) -> frozenset[OfferId]:
        """Ids of other operators' offers, for what must be booked here."""
        return frozenset(self.offers[row].id for row in np.flatnonzero(~self.is_own))

    @property
    def own_published(self) -> Mapping[OfferId, PublishedOffer]:
        """Published offers of drivers here."""
        return {key: of for key, of in self.published.items() if of.offer.outside is None}

    @property
    def dates_ready(self) -> tuple[dt.date, ...]:
        """Dates whose rides are laid out already."""
        return self._rides.keys

    def rides_without(self, date: dt.date, offers: Collection[OfferId]) -> Rides:
        """Dated rides around a searched date, those of some offers left out; not kept."""
        windows = self._dates.windows(self.network, date)
        left_out = np.flatnonzero([offer.id in offers for offer in self.offers])
        kept = ~np.isin(windows.offer, left_out)
        return self._laid(RideWindows(*(column[kept] for column in windows)))

    def _rides_around(self, date: dt.date) -> Rides:
        return self._laid(self._dates.windows(self.network, date))

    def _laid(self, windows: RideWindows) -> Rides:
        return rides_of(windows._replace(body=self.body_rows[windows.offer]))
