"""World: one immutable value that a request takes once: snapshot and offers."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from carpool.compile import ride_windows
from carpool.offers import Offer
from core.remember import Remembered
from gtfs_data.store import read_manifest
from mobility.mapping.criteria import criteria_table
from mobility.snapshots import ground_hash
from payments.tariff import Tariff, read_tariff
from routing.network import Network, open_network
from routing.places import Places
from routing.query import Limits
from routing.raptor.criteria import CriteriaTable
from routing.raptor.flexible import FlexibleTrips, Rides
from routing.raptor.search import Body, flexible_trips, rides_of

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
    criteria: CriteriaTable
    ground_hash: str


def open_snapshot(folder: Path) -> Snapshot:
    """Open a snapshot folder; raises `SnapshotInvalid` when it cannot be."""
    about = read_manifest(folder)
    path = folder / "tariff.yaml"
    network, tariff = open_network(folder), read_tariff(path) if path.is_file() else None
    return Snapshot(
        folder=folder,
        about=about,
        network=network,
        places=Places(folder / "places"),
        tariff=tariff,
        limits=Limits(**about["limits"]),
        criteria=criteria_table(network.timetable, tariff),
        ground_hash=ground_hash(folder),
    )


class World:
    """What one search sees. A change makes a new world; the old one serves who has it."""

    def __init__(
        self,
        snapshot: Snapshot,
        offers: Sequence[Offer] = (),
        bodies: Sequence[Body] = (),
        *,
        revision: int = 0,
    ) -> None:
        assert len(offers) == len(bodies)
        self.snapshot = snapshot
        self.offers = tuple(offers)
        self.revision = revision
        points = len(snapshot.network.points.lat)
        self.flexible: FlexibleTrips = flexible_trips(list(bodies), points)
        self._rides = Remembered(self._rides_around, DATES_KEPT)

    @property
    def network(self) -> Network:
        """Timetable, streets and meeting points."""
        return self.snapshot.network

    def rides_on(self, date: dt.date) -> Rides:
        """Dated rides around a searched date; the last are kept."""
        return self._rides(date)

    @property
    def dates_ready(self) -> tuple[dt.date, ...]:
        """Dates whose rides are laid out already."""
        return self._rides.keys

    def _rides_around(self, date: dt.date) -> Rides:
        return rides_of(ride_windows(self.offers, self.network, date), len(self.offers))
