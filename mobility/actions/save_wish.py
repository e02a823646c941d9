"""A rider saves a wish, and says whether other carpool operators may be shown it."""

from __future__ import annotations

import datetime as dt

from carpool.audience import EVERYONE
from carpool.wishes import InvalidWish, Wish
from core.geo import Coordinate
from mobility.actions.publish_offer import move_to_a_street
from mobility.db.circles import lock_people, read_person
from mobility.db.engine import Engine
from mobility.db.person_places import find_or_move
from mobility.db.wishes import add_wish
from mobility.live import Wakeups
from mobility.world import Snapshot


def save_wish(
    engine: Engine,
    wakeups: Wakeups,
    snapshot: Snapshot,
    wish: Wish,
    *,
    shared: bool,
    now: dt.datetime,
) -> None:
    """
    Store a wish; one that is shared with the places that stand for its ends.

    Raises
    ------
    TooManyWishes, OfferUnusable
        Its rider has `OPEN_LIMIT` already; an end to be shared is far from any street.
    NotInAudience, InvalidWish
        It is within a circle to which he does not belong, or of which other operators know nothing.
    """
    if shared and wish.circle != EVERYONE:
        raise InvalidWish("shared: other operators' drivers belong to everyone alone")

    def move(place: Coordinate) -> Coordinate:
        return move_to_a_street(snapshot.network, place)

    with engine.begin() as connection:
        ends = None
        if shared:
            start = find_or_move(connection, wish.rider_id, wish.start, move)
            ends = start, find_or_move(connection, wish.rider_id, wish.end, move)
        lock_people(connection, [wish.rider_id])
        read_person(connection, wish.rider_id).require(wish.circle)
        revision = add_wish(connection, wish, now, ends)
    wakeups.announce(revision)
