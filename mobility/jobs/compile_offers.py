"""Keep every offer compiled for the current snapshot, so that API processes only read."""

from __future__ import annotations

import datetime as dt
import signal
import threading

import structlog

from mobility.installation import Installation
from mobility.jobs.fetch_outside import OutsideWatch
from mobility.jobs.match_commuters import NightlyMatch
from mobility.jobs.tell_partners import PartnerCourier
from mobility.jobs.warn_of_expiry import ExpiryWatch
from mobility.world import open_snapshot
from mobility.world_keeper import WorldKeeper

log = structlog.get_logger()
LOOK_S = 5.0
"""How often the log tells of a new revision at most."""


def follow_offers(installation: Installation) -> None:
    """
    Follow the change feed until the process is told to stop (SIGTERM, SIGINT).

    An offer published by a process that did not compile it, or compiled for another snapshot,
    is compiled and stored here. Feeds that are about to expire are said in the log, and every night
    regular commuters are matched. Other operators are asked for offers, and told of their bookings.
    """
    stopped = threading.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda *_: stopped.set())
    snapshot = open_snapshot(installation.snapshot_folder)
    keeper = WorldKeeper(
        snapshot,
        installation.engine,
        installation.wakeups,
        snapshots=installation.snapshots,
        revive=installation.revive,
    )
    keeper.start()
    known, expiry, nightly, outside = -1, ExpiryWatch(), NightlyMatch(), OutsideWatch()
    courier = PartnerCourier(installation.engine)
    courier.start()
    while not stopped.wait(LOOK_S if known >= 0 else 0):
        now = dt.datetime.now(dt.UTC)
        expiry.look(keeper.world.snapshot, now)
        nightly.look(installation.engine, now.astimezone(keeper.world.network.zone))
        outside.look(installation.engine, now)
        if keeper.world.revision != known:
            known = keeper.world.revision
            log.info("offers are compiled", revision=known, offers=keeper.world.offer_count)
    courier.stop()
    outside.stop()
    nightly.stop()
    keeper.stop()
