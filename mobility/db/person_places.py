"""Places of people in PostgreSQL, and what stands for each; on one connection."""

from __future__ import annotations

import uuid
from collections.abc import Callable

import sqlalchemy as sa

from carpool.privacy import SAME_PLACE_M
from core.geo import Coordinate, distance_m
from mobility.db.schema import person, person_place


def find_or_move(
    connection: sa.Connection,
    person_id: uuid.UUID,
    place: Coordinate,
    move: Callable[[Coordinate], Coordinate],
) -> Coordinate:
    """What stands for a person's place: chosen once, the same ever after."""
    connection.execute(  # nobody else adds a place of this person until the commit
        sa.select(person.c.id).where(person.c.id == person_id).with_for_update(key_share=True)
    )
    rows = connection.execute(
        sa.select(person_place)
        .where(person_place.c.person_id == person_id)
        .order_by(person_place.c.id)
    ).all()
    near = [(distance_m(Coordinate(row.lat, row.lon), place), row) for row in rows]
    known = min(near, key=lambda found: found[0], default=None)
    if known is not None and known[0] <= SAME_PLACE_M:
        return Coordinate(known[1].moved_lat, known[1].moved_lon)
    moved = move(place)
    connection.execute(
        person_place.insert().values(
            id=uuid.uuid4(), person_id=person_id, lat=place.lat, lon=place.lon,
            moved_lat=moved.lat, moved_lon=moved.lon,
        )
    )  # fmt: skip
    return moved
