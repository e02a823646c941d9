"""A driver publishes or ends an offer."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from carpool.compile import compile_offer, pack_body
from carpool.offers import Offer, parse_offer
from carpool.ports import OfferStore
from core.ids import OfferId
from mobility.db.engine import Engine
from mobility.db.offers import SqlOfferStore
from mobility.live import Wakeups
from mobility.world import Snapshot


def publish_offer(
    store: OfferStore, snapshot: Snapshot, values: Mapping[str, Any]
) -> tuple[Offer, int]:
    """
    Check, compile and store an offer in the running transaction.

    Returns the offer and the revision to announce once the transaction is committed. Raises
    `InvalidOffer` or `OfferUnusable` when it cannot be driven; nothing is stored then.
    """
    offer = parse_offer(values, OfferId(str(uuid.uuid4())))
    body = compile_offer(snapshot.network, offer)
    return offer, store.add_offer(offer, snapshot.ground_hash, pack_body(body))


def publish_and_announce(
    engine: Engine, wakeups: Wakeups, snapshot: Snapshot, offers: Sequence[Mapping[str, Any]]
) -> list[Offer]:
    """Publish offers in one transaction, then wake the processes that serve them."""
    published, revision = [], 0
    with engine.begin() as connection:
        store = SqlOfferStore(connection)
        for values in offers:
            offer, revision = publish_offer(store, snapshot, values)
            published.append(offer)
    if published:
        wakeups.announce(revision)
    return published


def end_and_announce(engine: Engine, wakeups: Wakeups, offer_id: str) -> None:
    """End an offer, then wake the processes that serve it."""
    with engine.begin() as connection:
        revision = SqlOfferStore(connection).end_offer(OfferId(offer_id))
    wakeups.announce(revision)
