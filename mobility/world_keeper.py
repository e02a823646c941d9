"""Keeps a process's world up to date: follows offers and snapshots, and swaps worlds whole."""

from __future__ import annotations

import datetime as dt
import threading
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import structlog

from carpool.bookings import RideState
from carpool.chances import Chance
from carpool.compile import (
    OfferUnusable,
    compile_offer,
    pack_body,
    timed_offer,
    unpack_body,
    without_points,
)
from carpool.offers import Offer, OfferState
from carpool.ports import PublishedOffer, StoredOffer, StoredRide
from core.errors import MobilityError
from core.ids import OfferId
from mobility.actions.ride_desk import RideDesk, load_ride
from mobility.db.chances import list_chances
from mobility.db.changes import Position, latest_position
from mobility.db.elevators import list_outages
from mobility.db.engine import DatabaseError, Engine, WrongTerritory, read_quote_key
from mobility.db.offers import SqlOfferStore
from mobility.db.points import list_suspended
from mobility.db.rides import SqlRideStore
from mobility.live import BLOCK_MS, Wakeups
from mobility.metrics import (
    CHANGES_WAITING,
    FEED_LAST_DAY_AT,
    SNAPSHOT_BUILT_AT,
    WORLD_CHECKED_AT,
    WORLD_OFFERS,
    WORLD_REVISION,
    WORLD_SWAP_S,
    timed,
)
from mobility.published_tariffs import read_tariffs
from mobility.snapshots import current_snapshot, taking_turns
from mobility.world import LoadedRide, Snapshot, World, open_snapshot
from payments.versions import Tariffs
from routing.network import ON_FOOT
from routing.raptor.body_table import Body

log = structlog.get_logger()
RETRY_S = 0.5


@dataclass(frozen=True, slots=True)
class LoadedOffer:
    """An offer that is searched, with its body as it was compiled: no point suspended."""

    published: PublishedOffer
    whole: Body


Loaded = dict[OfferId, LoadedOffer]
Rides = dict[uuid.UUID, LoadedRide]


@dataclass(frozen=True, slots=True)
class Changes:
    """What has changed since the world was made."""

    position: Position
    quote_key: bytes
    offers: Sequence[StoredOffer]
    rides: Sequence[StoredRide]
    shut: frozenset[str]
    suspended: frozenset[str]
    tariffs: Tariffs | None


class WorldKeeper:
    """
    Holds the current world of a process.

    One thread follows the changes; requests only read `world`, a reference that is swapped.

    Parameters
    ----------
    snapshots
        Folder whose `current` snapshot is followed; None to stay with the one given.
    revive
        Called when PostgreSQL or Valkey does not answer.
    """

    def __init__(
        self,
        snapshot: Snapshot,
        engine: Engine,
        wakeups: Wakeups,
        *,
        snapshots: Path | None = None,
        revive: Callable[[], None] = lambda: None,
    ) -> None:
        self.world = World(snapshot)
        self.database_seen_at: dt.datetime | None = None
        """When the database last told whether something changed."""
        self.valkey_answers = True
        self._chances: dict[OfferId, Chance] = {}
        self._engine = engine
        self._wakeups = wakeups
        self._snapshots = snapshots
        self._revive = revive
        self._refused: Path | None = None
        self._epoch: uuid.UUID | None = None
        self._offers: Loaded = {}
        self._rides: Rides = {}
        self._suspended: frozenset[str] = frozenset()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._follow, name="world-keeper", daemon=True)

    def start(self) -> None:
        """Load the offers, then follow changes in the background."""
        self._measure()
        self.catch_up()
        self._thread.start()

    def stop(self) -> None:
        """Stop following; the last world stays."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(timeout=5)

    def catch_up(self) -> bool:
        """Take over what changed since the world's revision; True when something did."""
        return self._load(self.world.snapshot, self.world.revision, self._offers, self._rides)

    def renew_chances(self, now: dt.datetime) -> int:
        """Read anew whether drivers come, for this world and those after; returns of how many."""
        with self._engine.connect() as connection:
            found = list_chances(connection, now)
        for gone in self._chances.keys() - found.keys():
            del self._chances[gone]
        self._chances.update(found)
        return len(found)

    def switch(self) -> bool:
        """
        Serve the snapshot that is current now; True when it is another one.

        The old world answers until the new one has its offers and the dates that are in use.
        """
        if self._snapshots is None:
            return False
        folder, old = current_snapshot(self._snapshots), self.world
        if folder in (old.snapshot.folder, self._refused):
            return False
        with taking_turns(self._snapshots):
            try:
                snapshot = open_snapshot(folder)
                _check_territory(old.snapshot, snapshot)
            except (MobilityError, OSError, ValueError) as error:
                self._refused = folder
                log.warning("snapshot not taken over", snapshot=folder.name, reason=str(error))
                return False
            for date in old.network.dates_ready:
                snapshot.network.day(date)
            self._load(snapshot, 0, {}, {})
        log.info("snapshot taken over", snapshot=folder.name, before=old.snapshot.folder.name)
        return True

    def _load(self, snapshot: Snapshot, known: int, offers: Loaded, rides: Rides) -> bool:
        """Bring offers up to the latest revision and swap to a world of them and the snapshot."""
        with self._engine.connect() as connection:
            position = latest_position(connection)
            self._seen()
            # A backup was restored; by a provider's own means, the epoch may be the same.
            if position.epoch != self._epoch or position.revision < known:
                known, offers, rides = 0, {}, {}
            elif position.revision == known and snapshot is self.world.snapshot:
                return False
            today = dt.datetime.now(dt.UTC).date()
            changes = Changes(
                position,
                read_quote_key(connection),
                SqlOfferStore(connection).list_changed(known, snapshot.ground_hash),
                SqlRideStore(connection).list_changed(known, today),
                frozenset(outage.elevator_id for outage in list_outages(connection)),
                list_suspended(connection),
                read_tariffs(connection, snapshot.tariff),
            )
        with timed(WORLD_SWAP_S, "offers" if snapshot is self.world.snapshot else "snapshot"):
            self._swap(snapshot, changes, dict(offers), dict(rides))
        return True

    def _swap(self, snapshot: Snapshot, changes: Changes, offers: Loaded, rides: Rides) -> None:
        changed = changes.offers
        points = snapshot.network.point_row
        shut = np.zeros(len(points), bool)
        shut[[points[of] for of in changes.suspended if of in points]] = True
        if changes.suspended != self._suspended:
            for key, one in offers.items():
                body = without_points(one.whole, shut)
                offers[key] = replace(one, published=replace(one.published, body=body))
        for left, stored in zip(reversed(range(len(changed))), changed, strict=True):
            CHANGES_WAITING.set(left + 1)
            self._take(snapshot, stored, offers, shut)
        CHANGES_WAITING.set(0)
        for ride in changes.rides:
            self._take_ride(snapshot, ride, rides)
        shown = {key: _shown(loaded, offers, shut) for key, loaded in rides.items()}
        found = _searched(offers, shown)
        world = World(
            snapshot,
            [offer for offer, _ in found],
            [body for _, body in found],
            published={key: one.published for key, one in offers.items()},
            position=changes.position,
            quote_key=changes.quote_key,
            shut_elevators=changes.shut,
            table=self.world.table if snapshot is self.world.snapshot else None,
            rides=shown,
            tariffs=changes.tariffs,
        )
        world.chances = self._chances
        for profile in ON_FOOT:
            # Walks around them, before anybody asks.
            snapshot.network.walking(profile, changes.shut)
        for date in self.world.dates_ready:
            world.rides_on(date)
        self.world, self._offers, self._rides = world, offers, rides
        self._epoch, self._suspended = changes.position.epoch, changes.suspended
        self._measure()

    def _measure(self) -> None:
        WORLD_REVISION.set(self.world.revision)
        WORLD_OFFERS.set(self.world.offer_count)
        built_at = dt.datetime.fromisoformat(self.world.snapshot.about["built_at"])
        SNAPSHOT_BUILT_AT.set(built_at.timestamp())
        for feed in self.world.snapshot.about["feeds"]:
            noon = dt.datetime.fromisoformat(f"{feed['valid_to']}T12:00:00+00:00")
            FEED_LAST_DAY_AT.labels(feed["id"]).set(noon.timestamp())

    def _seen(self) -> None:
        self.database_seen_at = dt.datetime.now(dt.UTC)
        WORLD_CHECKED_AT.set(self.database_seen_at.timestamp())

    def _take(
        self,
        snapshot: Snapshot,
        stored: StoredOffer,
        offers: Loaded,
        shut: npt.NDArray[np.bool_],
    ) -> None:
        offer = stored.offer
        if stored.state is not OfferState.PUBLISHED:
            offers.pop(offer.id, None)
            return
        packed = None if stored.body is None else unpack_body(stored.body)
        try:
            body = compile_offer(snapshot.network, offer) if packed is None else packed
            timed = timed_offer(offer, body)
        except OfferUnusable as error:
            log.warning("offer unusable on this snapshot", offer=offer.id, reason=error.code)
            offers.pop(offer.id, None)
            return
        if packed is None:
            with self._engine.begin() as connection:
                SqlOfferStore(connection).save_body(
                    offer.id, stored.version, snapshot.ground_hash, pack_body(body)
                )
        published = PublishedOffer(timed, without_points(body, shut), stored.driver_id)
        offers[offer.id] = LoadedOffer(published, body)

    def _take_ride(self, snapshot: Snapshot, ride: StoredRide, rides: Rides) -> None:
        if not ride.bookings and ride.state is RideState.SCHEDULED:
            rides.pop(ride.id, None)  # as its offer says
            return
        desk = RideDesk(self._engine, self._wakeups, snapshot)
        loaded = LoadedRide(ride, [], [], None)
        try:
            with self._engine.begin() as connection:
                loaded = load_ride(desk, connection, ride)
        except OfferUnusable as error:
            log.warning("ride unusable on this snapshot", ride=ride.id, reason=error.code)
        rides[ride.id] = loaded

    def _follow(self) -> None:
        while not self._stop.is_set():
            try:
                self.valkey_answers = self._wakeups.wait()
                if not self.valkey_answers:
                    self._revive()
                    self._stop.wait(BLOCK_MS / 1000)
                self.switch()
                self.catch_up()
            except Exception as error:  # the thread must outlive any one failure
                if not isinstance(error, (DatabaseError, MobilityError)):
                    log.exception("world not brought up to date, trying again")
                else:
                    log.warning("servers not reached, trying again", reason=str(error))
                self._mend()

    def _mend(self) -> None:
        try:
            self._revive()
        except MobilityError as error:
            log.warning("servers not started again", reason=str(error))
        self._stop.wait(RETRY_S)


def _check_territory(old: Snapshot, new: Snapshot) -> None:
    if old.about["id"] != new.about["id"]:
        raise WrongTerritory(f"it is of {new.about['id']}, this process serves {old.about['id']}")


def _shown(loaded: LoadedRide, offers: Loaded, shut: npt.NDArray[np.bool_]) -> LoadedRide:
    """A ride without suspended points, for whom its offer is made by now."""
    offer = offers.get(loaded.ride.offer.id)
    if offer is None:
        return loaded
    circle = offer.published.offer.circle
    planned, parts = (
        [(replace(part, circle=circle), without_points(body, shut)) for part, body in of]
        for of in (loaded.planned, loaded.parts)
    )
    return replace(loaded, planned=planned, parts=parts)


def _searched(offers: Loaded, rides: Rides) -> list[tuple[Offer, Body]]:
    """Offers as they are published, and beside them the dates on which somebody has booked."""
    booked: dict[OfferId, list[LoadedRide]] = {}
    for loaded in sorted(rides.values(), key=lambda loaded: loaded.ride.date):
        booked.setdefault(loaded.ride.offer.id, []).append(loaded)
    found = []
    for key in sorted(offers):
        offer, body = offers[key].published.offer, offers[key].published.body
        own = booked.get(key, [])
        if own:
            dates = offer.except_dates | {loaded.ride.date for loaded in own}
            offer = replace(offer, except_dates=dates)
        found.append((offer, body))
        found += [part for loaded in own for part in loaded.parts]
    return found
