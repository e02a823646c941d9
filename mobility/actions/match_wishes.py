"""Compares wishes and offers as either come: both sides are told within seconds."""

from __future__ import annotations

import datetime as dt
import uuid
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any

from carpool.audience import Person, may_ride
from carpool.offers import Offer, write_clock
from carpool.ports import PublishedOffer
from carpool.wishes import Direction, Fitting, Match
from core.ids import OfferId
from mobility.db.changes import latest_position, lock_changes
from mobility.db.circles import read_people
from mobility.db.engine import Connection, Engine
from mobility.db.notices import tell, was_told
from mobility.db.offers import OFFER_CHANGED
from mobility.db.wishes import WISH_CHANGED, add_match, end_turn, list_changes, take_turn
from mobility.wish_book import Looked, WishBook, of_ids
from mobility.world import World

CHANGES_AT_ONCE = 200
"""Changes of one turn: what follows comes in the next."""
TOLD_AT_ONCE = 10
"""Offers that one notice names."""
FEWEST_RIDERS = 3
"""Fewer riders than this are nobody's business: a stop that one wants is near his door."""

OFFER_WANTED = "offer_wanted"
WANTED_EVERY = dt.timedelta(days=1)
Found = tuple[Looked, Offer, str, dt.date, Match]


def match_wishes(engine: Engine, world: World, book: WishBook, *, now: dt.datetime) -> int:
    """
    Compare what has changed up to the world's revision; one process at a time.

    Returns how many offers were found for wishes that did not know of them.
    """
    with engine.begin() as connection:
        known = take_turn(connection)
        position = latest_position(connection)
        # A world of before a restore knows nothing of what is in the database now.
        if known is None or known >= world.revision or position.epoch != world.epoch:
            return 0
        changes = list_changes(connection, known, world.revision, CHANGES_AT_ONCE)
        offers = {OfferId(str(of)) for _, kind, of in changes if kind == OFFER_CHANGED}
        wishes = {of for _, kind, of in changes if kind == WISH_CHANGED}
        count = 0
        if offers or wishes:
            local = now.astimezone(world.network.zone)
            looked = book.open_wishes(connection, world.snapshot, local.date())
            people = read_people(connection, {wish.rider_id for wish, _ in looked})
            found = _fitting(world, looked, offers, wishes, local, people)
            count = _tell_both(connection, world, found, now)
        done = changes[-1][0] if len(changes) == CHANGES_AT_ONCE else world.revision
        until = min(done, position.revision)
        end_turn(connection, until)
    return count


def _fitting(
    world: World,
    looked: Sequence[Looked],
    offers: Collection[OfferId],
    wishes: Collection[uuid.UUID],
    local: dt.datetime,
    people: Mapping[uuid.UUID, Person],
) -> Iterator[Found]:
    """Changed offers with all wishes, and changed wishes with all other offers."""
    new = of_ids(looked, wishes)
    for offer_id, published in world.own_published.items():
        against = looked if offer_id in offers else new
        if against:
            yield from _fits(world, published, against, local, people)


def _fits(
    world: World,
    published: PublishedOffer,
    against: Iterable[Looked],
    local: dt.datetime,
    people: Mapping[uuid.UUID, Person],
) -> Iterator[Found]:
    offer, fitting = published.offer, Fitting(world.network, published.offer, published.body)
    clock_s = local.hour * 3600 + local.minute * 60
    has_left = dt.timedelta(days=offer.depart_to_s <= clock_s)
    for looked in against:
        wish, ends = looked
        if not may_ride(wish.seeker(people[wish.rider_id]), offer, published.driver_id):
            continue
        date = wish.first_date(offer, local.date() + has_left)
        if date is None:
            continue
        for direction, times in wish.directions():
            match = fitting.match(wish, ends, direction, times)
            if match is not None:
                yield looked, offer, direction, date, match


def _tell_both(
    connection: Connection, world: World, found: Iterable[Found], now: dt.datetime
) -> int:
    """Store what is new of it, and say so once for each wish and, once a day, to each driver."""
    lock_changes(connection)  # readers who go on from the last number miss none
    of_wish: dict[uuid.UUID, list[dict[str, Any]]] = defaultdict(list)
    riders: dict[uuid.UUID, uuid.UUID] = {}
    wanted: dict[uuid.UUID, OfferId] = {}
    count = 0
    for (wish, _), offer, direction, date, match in found:
        content = _written(world, match, date)
        driver_id = add_match(connection, wish, offer.id, direction, content, now)
        if driver_id is not None:
            told = {"offer_id": offer.id, "direction": direction, **content}
            of_wish[wish.id].append(told)
            riders[wish.id] = wish.rider_id
            wanted.setdefault(driver_id, offer.id)
            count += 1
    for wish_id, offers in of_wish.items():
        content = {"wish_id": str(wish_id), "count": len(offers), "offers": offers[:TOLD_AT_ONCE]}
        tell(connection, riders[wish_id], "wish_matched", content, now)
    # Neither how many nor who, and seldom: a driver who offers many drives must not find a rider.
    for driver_id, offer_id in wanted.items():
        if not was_told(connection, driver_id, OFFER_WANTED, since=now - WANTED_EVERY):
            tell(connection, driver_id, OFFER_WANTED, {"offer_id": offer_id}, now)
    return count


def _written(world: World, match: Match, date: dt.date) -> dict[str, Any]:
    points = world.network.points
    return {
        "date": date.isoformat(),
        "pickup_point": points.id[match.pickup],
        "dropoff_point": points.id[match.dropoff],
        "pickup_at": write_clock(match.pickup_s),
        "dropoff_at": write_clock(match.dropoff_s),
        "arrival_at": write_clock(match.arrival_s),
    }


def wanted_points(
    connection: Connection,
    world: World,
    book: WishBook,
    driver_id: uuid.UUID,
    offer_id: OfferId,
    *,
    now: dt.datetime,
) -> dict[str, int]:
    """Meeting points of an offer by how many riders who could travel with it can walk there."""
    published = world.published.get(offer_id)
    if published is None:
        return {}
    local = now.astimezone(world.network.zone)
    served = set(published.body.point.tolist())
    of_point: dict[int, set[uuid.UUID]] = defaultdict(set)
    looked = book.open_wishes(connection, world.snapshot, local.date())
    others = [found for found in looked if found[0].rider_id != driver_id]
    people = read_people(connection, {wish.rider_id for wish, _ in others})
    for (wish, ends), _, direction, _, _ in _fits(world, published, others, local, people):
        if direction is not Direction.OUT:
            continue
        for point in (*ends.from_start[0].tolist(), *ends.to_end[0].tolist()):
            if point in served:
                of_point[point].add(wish.rider_id)
    ids = world.network.points.id
    return {
        ids[point]: len(riders)
        for point, riders in sorted(of_point.items(), key=lambda found: -len(found[1]))
        if len(riders) >= FEWEST_RIDERS
    }
