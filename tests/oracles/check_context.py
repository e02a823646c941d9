"""What an answer is checked against, and the ends of its legs in the checkers' own terms."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from core.geo import Coordinate, distance_m
from tests.oracles.carpool_oracle import OfferDrives
from tests.oracles.feed_tables import FeedTables
from tests.oracles.pathway_walks import PathwayWalks
from tests.oracles.street_oracle import STOP_LIMIT_M, Hung, StreetOracle

if TYPE_CHECKING:
    from carpool.offers import Offer

Json = Mapping[str, Any]
STREET_MODES = frozenset({"WALK", "BIKE", "CAR"})
RIDE = "RIDE_SHARING"
STAYS = "interlineWithPreviousLeg"
WALK_TOLERANCE_S = 2


@dataclass
class CheckContext:
    """What one answer is checked against."""

    streets: StreetOracle
    feeds: Mapping[str, FeedTables]
    drives: OfferDrives
    origin: Coordinate
    destination: Coordinate
    zone: ZoneInfo
    earliest_at: dt.datetime | None = None
    latest_at: dt.datetime | None = None
    seats: int = 1
    origin_id: str = "origin"
    destination_id: str = "destination"
    """Where a stop was asked for, its id: it may lie inside of a station."""
    stop_hung: dict[str, list[Hung]] = field(default_factory=dict)
    """Kept between answers, as snapping by brute force takes milliseconds."""

    @cached_property
    def origin_hung(self) -> list[Hung]:
        return self.streets.person(self.origin)

    @cached_property
    def destination_hung(self) -> list[Hung]:
        return self.streets.person(self.destination)

    @cached_property
    def offer_of(self) -> dict[str, Offer]:
        return {str(offer.id): offer for offer in self.drives.offers}

    def feed_of(self, scoped_id: str) -> tuple[FeedTables, str] | None:
        """Feed and its own id of a scoped id."""
        feed_id, _, own = scoped_id.partition(":")
        return (self.feeds[feed_id], own) if feed_id in self.feeds else None

    @cached_property
    def inside(self) -> PathwayWalks | None:
        """Ways through stations, where some feed has pathways."""
        feeds = [feed for feed in self.feeds.values() if feed.pathways]
        return PathwayWalks(feeds, self.streets) if feeds else None

    def walks_s(self, start: End, end: End, limit_s: int) -> set[int]:
        """Seconds that a walk may take; more than one where a place hangs on several streets."""
        if self.inside is not None:
            return self.inside.walks_s((start.id, start.hung), (end.id, end.hung), limit_s)
        return self.streets.walk_choices_s(start.hung, end.hung, limit_s)

    def at_stop(self, stop_id: str) -> list[Hung]:
        """A stop on the footways."""
        if stop_id not in self.stop_hung:
            feed, own = self.feed_of(stop_id) or (None, "")
            place = feed.coordinate(own) if feed is not None and own in feed.stops else None
            self.stop_hung[stop_id] = (
                [] if place is None else self.streets.person(place, STOP_LIMIT_M)
            )
        return self.stop_hung[stop_id]


@dataclass(frozen=True, slots=True)
class End:
    """An end of a leg in the checker's own terms."""

    kind: str
    """`query`, `stop` or `point`."""
    id: str
    hung: list[Hung]
    coordinate: Coordinate | None


def instant_s(text: str) -> int:
    """Epoch second of an ISO 8601 instant with an offset."""
    moment = dt.datetime.fromisoformat(text)
    assert moment.tzinfo is not None, f"{text} has no offset"
    return int(moment.timestamp())


def coordinate_of(place: Json) -> Coordinate:
    return Coordinate(float(place["lat"]), float(place["lon"]))


def apart_m(a: Json, b: Json) -> float:
    return distance_m(coordinate_of(a), coordinate_of(b))


def end_of(legs: list[Json], i: int, side: str, context: CheckContext) -> End:
    """What a leg's end must be, told by the leg or, for walks, by its neighbours."""
    leg = legs[i]
    if leg["mode"] in STREET_MODES:
        neighbour = i - 1 if side == "from" else i + 1
        if neighbour < 0:
            return End("query", context.origin_id, context.origin_hung, context.origin)
        if neighbour == len(legs):
            hung = context.destination_hung
            return End("query", context.destination_id, hung, context.destination)
        if legs[neighbour]["mode"] in STREET_MODES:
            return End("place", "between walks", [], None)
        return end_of(legs, neighbour, "to" if side == "from" else "from", context)
    if leg["mode"] == RIDE:
        point = leg["mobility"]["pickup_point_id" if side == "from" else "dropoff_point_id"]
        row = context.streets.point_row.get(point)
        if row is None:
            return End("point", point, [], None)
        p = context.streets.points
        place = Coordinate(float(p.lat[row]), float(p.lon[row]))
        return End("point", point, [context.streets.at_point(row, car=False)], place)
    stop_id = leg[side].get("stopId", "")
    feed, own = context.feed_of(stop_id) or (None, "")
    if feed is None or own not in feed.stops:
        return End("stop", stop_id, [], None)
    return End("stop", stop_id, context.at_stop(stop_id), feed.coordinate(own))
