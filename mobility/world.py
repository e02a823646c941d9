"""World: one immutable value that a request takes once: snapshot and offers."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from carpool.audience import ANYBODY, OfferTerms, Seeker
from carpool.booked_rides import Parts
from carpool.chances import Chance
from carpool.driving_costs import DrivingCosts
from carpool.offers import Offer
from carpool.ports import PublishedOffer, StoredRide
from carpool.running import RunningDates
from carpool.tracking import Track, is_sure
from core.ids import OfferId
from core.remember import Remembered
from gtfs_data.store import read_manifest
from mobility.db.changes import Position
from mobility.snapshots import ground_hash
from mobility.territory import DrivingCostValues
from payments.tariff import Tariff
from payments.tariff_file import read_tariff
from payments.versions import Tariffs
from routing.network import Network, open_network
from routing.places import Places
from routing.query import Limits
from routing.raptor.body_table import Body, BodyTable
from routing.raptor.flexible import Rides
from routing.raptor.search import rides_of
from routing.spi import RideWindows

DATES_KEPT = 16


@dataclass(frozen=True, slots=True)
class LoadedRide:
    """A dated ride that is not as its offer says, and what can still be booked on it."""

    ride: StoredRide
    planned: Parts
    """What is left of it by its plan, for timetables."""
    parts: Parts
    """The same as late as it is and ahead of its car, for the search."""
    track: Track | None
    """To follow its car; None where nobody is booked."""

    def is_followed(self, booking_id: uuid.UUID | None = None) -> bool:
        """Whether its car may be followed at all, or for one of the bookings."""
        if self.track is None or not self.track.is_open:
            return False
        sure = (b.id for b in self.ride.bookings if is_sure(b.state))
        return booking_id is None or booking_id in sure


@dataclass(frozen=True, slots=True)
class Snapshot:
    """An opened snapshot with everything that lies beside its arrays."""

    folder: Path
    about: Mapping[str, Any]
    network: Network
    places: Places
    tariff: Tariff | None
    limits: Limits
    driving_costs: DrivingCosts
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
        driving_costs=DrivingCostValues.model_validate(about.get("driving_costs", {})).costs(),
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

    def __init__(  # noqa: PLR0913 — what a search sees
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
        rides: Mapping[uuid.UUID, LoadedRide] | None = None,
        tariffs: Tariffs | None = None,
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
        self.rides: Mapping[uuid.UUID, LoadedRide] = rides or {}
        """Dated rides that somebody has booked, or whose drivers do not drive."""
        self.epoch = None if position is None else position.epoch
        self.revision = 0 if position is None else position.revision
        """Up to where the database was read."""
        if tariffs is None and snapshot.tariff is not None:
            tariffs = Tariffs((snapshot.tariff,))
        self.tariffs = tariffs
        """Versions of the tariff that hold; None: nothing has a price."""
        self.quote_key = quote_key
        """By which what this world shows is signed, to know it again when it is booked."""
        self.shut_elevators = shut_elevators
        self.chances: Mapping[OfferId, Chance] = {}
        """Whether drivers come who are not new; whoever makes worlds may give it."""
        self.table = table or BodyTable(snapshot.network.coarse.point_cell)
        self.flexible, self.body_rows = self.table.laid(bodies)
        """Bodies laid end to end, and in which row of them each offer's is."""
        drivers = {key: each.driver_id for key, each in published.items()}
        self._terms = OfferTerms(self.offers, [drivers.get(offer.id) for offer in self.offers])
        self.public = self._terms.open_to(ANYBODY)
        """Shape (len(offers),): which are for everyone; the others nobody finds unasked."""
        self.is_own = np.array([offer.outside is None for offer in self.offers], bool)
        """Which offers are of drivers here: seats of the others are booked at their operators."""
        self._dates = RunningDates(self.offers)
        self._rides = Remembered(self._rides_around, DATES_KEPT)
        self._others_rides = Remembered(self._rides_among, DATES_KEPT)

    @property
    def network(self) -> Network:
        """Timetable, streets and meeting points."""
        return self.snapshot.network

    @property
    def offer_count(self) -> int:
        """How many offers are searched."""
        return len(self.published)

    def rides_on(self, date: dt.date) -> Rides:
        """Dated rides around a searched date, of offers to everyone; the last are kept."""
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

    def rides_for(self, date: dt.date, seeker: Seeker, without: Collection[OfferId] = ()) -> Rides:
        """
        Dated rides around a searched date of the offers that are for somebody, but for some.

        The search sees these alone: what is best of them is found as if there were no others.
        """
        if seeker == ANYBODY and not without:
            return self.rides_on(date)
        open_to = self._terms.open_to(seeker)
        if without:
            open_to &= np.array([offer.id not in without for offer in self.offers], bool)
        if np.array_equal(open_to, self.public):
            return self.rides_on(date)
        return self._others_rides((date, np.packbits(open_to).tobytes()))

    def _rides_around(self, date: dt.date) -> Rides:
        return self._kept(date, self.public)

    def _rides_among(self, of: tuple[dt.date, bytes]) -> Rides:
        date, packed = of
        bits = np.unpackbits(np.frombuffer(packed, np.uint8), count=len(self.offers))
        return self._kept(date, bits.astype(bool))

    def _kept(self, date: dt.date, offers: npt.NDArray[np.bool_]) -> Rides:
        windows = self._dates.windows(self.network, date)
        kept = offers[windows.offer]
        return self._laid(RideWindows(*(column[kept] for column in windows)))

    def _laid(self, windows: RideWindows) -> Rides:
        return rides_of(windows._replace(body=self.body_rows[windows.offer]))
