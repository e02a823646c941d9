"""A driver publishes, changes, pauses or ends an offer."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from random import SystemRandom
from typing import Any

from carpool.compile import (
    STREET_LIMIT_M,
    OfferUnusable,
    compile_offer,
    pack_body,
    timed_offer,
)
from carpool.drawn_line import vias_of_line
from carpool.offers import InvalidOffer, Offer, OfferState, parse_offer
from carpool.ports import StoredOffer
from carpool.privacy import FARTHEST_M, moved_place
from core.errors import Conflict
from core.geo import Coordinate
from core.ids import OfferId
from mobility.db.audit import record_act
from mobility.db.circles import lock_people, read_person
from mobility.db.engine import Engine
from mobility.db.idempotency import find_answer, find_kept, keep_answer
from mobility.db.offers import SqlOfferStore
from mobility.db.person_places import find_or_move
from mobility.db.users import get_user
from mobility.live import Wakeups
from mobility.users.scopes import Principal
from mobility.world import Snapshot
from routing.network import Network
from routing.raptor.body_table import Body

OPEN_LIMIT = 100
"""Offers of one driver that have not ended."""
KEPT_APART_M = 2 * FARTHEST_M
"""From what stands for a home: so far from the home itself is all that a drawn line adds."""
_dice = SystemRandom()


class TooManyOffers(Conflict):
    """A driver with more offers than anybody drives."""

    code = "too_many_offers"


@dataclass(frozen=True, slots=True)
class OwnOffer:
    """An offer as its driver sees it."""

    stored: StoredOffer
    drive_s: int | None = None
    """The drive without any rider; known where it was just compiled."""
    point_count: int | None = None
    """Meeting points that the driver can serve within his budget."""


def publish_and_announce(
    engine: Engine, wakeups: Wakeups, snapshot: Snapshot, offers: Sequence[Mapping[str, Any]]
) -> list[Offer]:
    """
    Publish offers, all or none, then wake the processes that serve them.

    Their ends are used as they are: whoever publishes them answers for what they tell. Raises
    `InvalidOffer` or `OfferUnusable` when one cannot be driven.
    """
    published = [parse_offer(values, OfferId(str(uuid.uuid4()))) for values in offers]
    bodies = [_compiled(snapshot.network, offer) for offer in published]
    revision = 0
    with engine.begin() as connection:
        store = SqlOfferStore(connection)
        for offer, body in zip(published, bodies, strict=True):
            revision = store.add_offer(offer, snapshot.ground_hash, pack_body(body))
    if published:
        wakeups.announce(revision)
    return published


def publish_own_offer(
    engine: Engine,
    wakeups: Wakeups,
    snapshot: Snapshot,
    driver: Principal,
    values: Mapping[str, Any],
    *,
    key: str | None,
    now: dt.datetime,
) -> OwnOffer:
    """
    Publish an offer of whoever asks; asked again with the same `key`, nothing more happens.

    Raises
    ------
    InvalidOffer, OfferUnusable
        It contradicts itself, or cannot be driven here.
    TooManyOffers, KeyReused
        The driver has `OPEN_LIMIT` already; the key came with another offer.
    NotInAudience
        It is for people to whom the driver does not belong.
    """
    with engine.connect() as connection:
        alias = get_user(connection, driver.user_id).alias
        known = key and find_kept(connection, driver.user_id, key, dict(values))
        if known:
            return OwnOffer(SqlOfferStore(connection).get_of(driver.person_id, OfferId(known)))
    given = parse_offer({**values, "driver": alias}, OfferId(str(uuid.uuid4())))
    offer = _as_driven(engine, snapshot, driver, given, values)
    body = _compiled(snapshot.network, offer)  # before the transaction: it takes its time
    with engine.begin() as connection:
        store = SqlOfferStore(connection)
        if key is not None:
            known = find_answer(connection, driver.user_id, key, dict(values), now)
            if known is not None:
                return OwnOffer(store.get_of(driver.person_id, OfferId(known)))
        if store.count_open(driver.person_id) >= OPEN_LIMIT:
            raise TooManyOffers(f"you have {OPEN_LIMIT} offers: end some first")
        read_person(connection, driver.person_id).require(offer.circle)
        entered = _entered(values)
        revision = store.add_offer(offer, snapshot.ground_hash, pack_body(body), entered)
        if key is not None:
            keep_answer(connection, driver.user_id, key, offer.id)
    wakeups.announce(revision)
    return _own(StoredOffer(offer, 1, OfferState.PUBLISHED, None, entered), body)


def change_own_offer(
    engine: Engine,
    wakeups: Wakeups,
    snapshot: Snapshot,
    driver: Principal,
    offer_id: OfferId,
    values: Mapping[str, Any],
    *,
    version: int,
) -> OwnOffer:
    """
    Put a new version in the place of the one that the driver has seen.

    Raises
    ------
    OfferNotFound, OfferEnded, OfferChanged
        It is not his, is over, or was changed meanwhile.
    InvalidOffer, OfferUnusable, NotInAudience
        The new version will not do; the old one stays.
    """
    with engine.connect() as connection:
        before = SqlOfferStore(connection).get_of(driver.person_id, offer_id)
    given = parse_offer({**values, "driver": before.offer.driver}, before.offer.id)
    offer = _as_driven(engine, snapshot, driver, given, values)
    body = _compiled(snapshot.network, offer)
    with engine.begin() as connection:
        store = SqlOfferStore(connection)
        lock_people(connection, [driver.person_id])
        read_person(connection, driver.person_id).require(offer.circle)
        packed, entered = pack_body(body), _entered(values)
        revision = store.replace_offer(offer, version, snapshot.ground_hash, packed, entered)
        after = store.get_of(driver.person_id, offer_id)
    wakeups.announce(revision)
    return _own(after, body)


def change_own_state(
    engine: Engine, wakeups: Wakeups, driver: Principal, offer_id: OfferId, state: OfferState
) -> OwnOffer:
    """
    Pause, resume or end an offer of whoever asks.

    Raises `OfferNotFound`, `OfferEnded`, or `NotInAudience` for a driver who belongs no more to
    those for whom he would resume it.
    """
    with engine.begin() as connection:
        store = SqlOfferStore(connection)
        lock_people(connection, [driver.person_id])
        offer = store.get_of(driver.person_id, offer_id).offer
        if state is OfferState.PUBLISHED:
            read_person(connection, driver.person_id).require(offer.circle)
        revision = store.change_state(offer_id, state)
        after = store.get_of(driver.person_id, offer_id)
    wakeups.announce(revision)
    return OwnOffer(after)


def change_and_announce(
    engine: Engine, wakeups: Wakeups, offer_id: OfferId, state: OfferState
) -> None:
    """Pause, resume or end anybody's offer, then wake the processes that serve it."""
    with engine.begin() as connection:
        revision = SqlOfferStore(connection).change_state(offer_id, state)
        record_act(connection, None, "offer_state_changed", offer_id, {"state": state})
    wakeups.announce(revision)


def _as_driven(
    engine: Engine,
    snapshot: Snapshot,
    driver: Principal,
    given: Offer,
    values: Mapping[str, Any],
) -> Offer:
    """
    An offer as it is searched: its homes moved, and stops instead of the line that was drawn.

    Raises
    ------
    InvalidOffer, OfferUnusable
        It has both a line and stops, or the line cannot be driven.
    """
    line = [Coordinate(place["lat"], place["lon"]) for place in values.get("line", ())]
    if line and given.vias:
        raise InvalidOffer("either a line, or vias")
    offer = _with_homes_moved(engine, snapshot, driver, given, values)
    if not line:
        return offer
    start_m, end_m = (
        0.0 if values[end].get("public") else KEPT_APART_M for end in ("start", "end")
    )
    vias = vias_of_line(snapshot.network, line, offer.start, offer.end, (start_m, end_m))
    return replace(offer, vias=vias)


def _with_homes_moved(
    engine: Engine,
    snapshot: Snapshot,
    driver: Principal,
    offer: Offer,
    values: Mapping[str, Any],
) -> Offer:
    """
    Put what stands for a driver's ends in their place, unless he says that an end is public.

    Raises
    ------
    OfferUnusable
        Nowhere around an end is a street open to cars.
    """

    def move(place: Coordinate) -> Coordinate:
        return move_to_a_street(snapshot.network, place)

    ends = {"start": offer.start, "end": offer.end}
    private = [name for name in ends if not values[name].get("public", False)]
    with engine.begin() as connection:
        for name in private:
            ends[name] = find_or_move(connection, driver.person_id, ends[name], move)
    return replace(offer, start=ends["start"], end=ends["end"])


def move_to_a_street(network: Network, place: Coordinate) -> Coordinate:
    """Draw what stands for a home; raises `OfferUnusable` far from streets open to cars."""

    def by_a_street(place: Coordinate) -> bool:
        return network.find_snapped("car", place, STREET_LIMIT_M) is not None

    moved = moved_place(place, by_a_street, _dice) if by_a_street(place) else None
    if moved is None:
        raise OfferUnusable(
            f"no street open to cars near {place.lat:.5f}, {place.lon:.5f}: is it in this "
            "territory?"
        )
    return moved


def _compiled(network: Network, offer: Offer) -> Body:
    """A body by which the driver can be where he has to be in time; raises `OfferUnusable`."""
    body = compile_offer(network, offer)
    timed_offer(offer, body)
    return body


def _entered(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: values[name] for name in ("start", "end")}


def _own(stored: StoredOffer, body: Body) -> OwnOffer:
    return OwnOffer(stored, body.solo_s, len({int(point) for point in body.point}))
