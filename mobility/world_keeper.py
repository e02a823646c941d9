"""Keeps a process's world up to date: follows the change feed and swaps worlds whole."""

from __future__ import annotations

import threading
import time

import structlog

from carpool.compile import OfferUnusable, compile_offer, pack_body, unpack_body
from carpool.offers import Offer
from carpool.ports import StoredOffer
from core.ids import OfferId
from mobility.db.engine import DatabaseError, Engine
from mobility.db.offers import SqlOfferStore
from mobility.live import BLOCK_MS, Wakeups
from mobility.world import Snapshot, World
from routing.raptor.search import Body

log = structlog.get_logger()


class WorldKeeper:
    """
    Holds the current world of a process.

    One thread follows the changes; requests only read `world`, a reference that is swapped.
    """

    def __init__(self, snapshot: Snapshot, engine: Engine, wakeups: Wakeups) -> None:
        self.world = World(snapshot)
        self._engine = engine
        self._wakeups = wakeups
        self._offers: dict[OfferId, tuple[Offer, Body]] = {}
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._follow, name="world-keeper", daemon=True)

    def start(self) -> None:
        """Load the offers, then follow changes in the background."""
        self.catch_up()
        self._thread.start()

    def stop(self) -> None:
        """Stop following; the last world stays."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(timeout=5)

    def catch_up(self) -> bool:
        """Take over what changed since the world's revision; True when something did."""
        snapshot, known = self.world.snapshot, self.world.revision
        with self._engine.begin() as connection:
            store = SqlOfferStore(connection)
            revision = store.latest_revision()
            if revision == known:
                return False
            for stored in store.list_changed(known, snapshot.ground_hash):
                self._take(store, snapshot, stored)
        ordered = [self._offers[key] for key in sorted(self._offers)]
        self.world = World(
            snapshot,
            [offer for offer, _ in ordered],
            [body for _, body in ordered],
            revision=revision,
        )
        return True

    def _take(self, store: SqlOfferStore, snapshot: Snapshot, stored: StoredOffer) -> None:
        offer = stored.offer
        if not stored.active:
            self._offers.pop(offer.id, None)
            return
        if stored.body is not None:
            self._offers[offer.id] = (offer, unpack_body(stored.body))
            return
        try:
            body = compile_offer(snapshot.network, offer)
        except OfferUnusable as error:
            log.warning("offer unusable on this snapshot", offer=offer.id, reason=str(error))
            self._offers.pop(offer.id, None)
            return
        store.save_body(offer.id, stored.version, snapshot.ground_hash, pack_body(body))
        self._offers[offer.id] = (offer, body)

    def _follow(self) -> None:
        while not self._stop.is_set():
            try:
                if not self._wakeups.wait():
                    time.sleep(BLOCK_MS / 1000)
                self.catch_up()
            except DatabaseError as error:
                log.warning("change feed not readable, trying again", reason=str(error))
                self._stop.wait(1)
