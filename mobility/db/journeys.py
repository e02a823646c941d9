"""Journeys of riders who book: their ends, and what riders have if a driver does not come."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import sqlalchemy as sa

from core.errors import NotFound
from core.geo import Coordinate
from mobility.db.engine import LATER
from mobility.db.schema import journey
from routing.itinerary import Family, Itinerary


class JourneyUnknown(NotFound):
    """Nobody knows where the rider of a booking travels."""

    code = "journey_unknown"


class JourneyEnds(NamedTuple):
    """From where to where a rider travels, his booked rides on the way."""

    start: Coordinate
    end: Coordinate


class Way(NamedTuple):
    """A way that was found, in short."""

    leave_at: dt.datetime
    arrive_at: dt.datetime
    family: Family

    @classmethod
    def of(cls, itinerary: Itinerary) -> Way:
        """An itinerary in short."""
        return cls(itinerary.start_at, itinerary.end_at, itinerary.family)


@dataclass(frozen=True, slots=True)
class Fallbacks:
    """What was worked out when a journey was booked."""

    plan_b: Mapping[uuid.UUID, Way | None]
    """By booking: the way that gets there first if its driver does not come."""
    way_home: Way | None
    """The last one of the day."""


@dataclass(frozen=True, slots=True)
class Journey:
    """One request's bookings as their rider sees them."""

    ends: JourneyEnds
    fallbacks: Fallbacks | None


def add_journey(connection: sa.Connection, together_id: uuid.UUID, ends: JourneyEnds) -> None:
    """Store where a rider travels, with his bookings."""
    values = {name: [place.lat, place.lon] for name, place in ends._asdict().items()}
    connection.execute(_ADD_JOURNEY, {"id": together_id, "ends": values}, execution_options=LATER)


_ADD_JOURNEY = journey.insert()


def read_journeys(
    connection: sa.Connection, together_ids: Collection[uuid.UUID]
) -> dict[uuid.UUID, Journey]:
    """Journeys by what their bookings have in common; those of former versions are not there."""
    query = sa.select(journey).where(journey.c.id.in_(list(together_ids)))
    return {
        row.id: Journey(
            JourneyEnds(**{name: Coordinate(*place) for name, place in row.ends.items()}),
            None if row.fallbacks is None else _read(row.fallbacks),
        )
        for row in connection.execute(query)
    }


def read_journey(connection: sa.Connection, together_id: uuid.UUID) -> Journey:
    """One journey; raises `JourneyUnknown`."""
    found = read_journeys(connection, [together_id])
    if not found:
        raise JourneyUnknown("this was booked with a former version: search again")
    return found[together_id]


def keep_fallbacks(connection: sa.Connection, together_id: uuid.UUID, fallbacks: Fallbacks) -> None:
    """Store what was worked out for a journey."""
    content = {
        "plan_b": {str(booking): _write(way) for booking, way in fallbacks.plan_b.items()},
        "way_home": _write(fallbacks.way_home),
    }
    connection.execute(
        journey.update().where(journey.c.id == together_id).values(fallbacks=content)
    )


def _write(way: Way | None) -> list[str] | None:
    if way is None:
        return None
    return [way.leave_at.isoformat(), way.arrive_at.isoformat(), way.family]


def _read(content: Mapping[str, Any]) -> Fallbacks:
    plan_b = {uuid.UUID(booking): _way(way) for booking, way in content["plan_b"].items()}
    return Fallbacks(plan_b, _way(content["way_home"]))


def _way(content: list[str] | None) -> Way | None:
    if content is None:
        return None
    leave_at, arrive_at, family = content
    parse = dt.datetime.fromisoformat
    return Way(parse(leave_at), parse(arrive_at), Family(family))
