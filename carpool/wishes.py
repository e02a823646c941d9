"""
Wishes: drives that riders look for, and which offers would do.

A wish is matched like a search that somebody leaves behind: walk to a meeting point, ride, walk on,
between the time at which the rider can leave and the one at which he has to be there. Its way back,
if it has one, is matched for itself.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np
import numpy.typing as npt

from carpool.audience import EVERYONE, Circle, Need, Person, Seeker
from carpool.offers import (
    DAY_S,
    SEAT_LIMIT,
    WEEKDAYS,
    Offer,
    circle_as_json,
    parse_clock,
    read_circle,
    write_clock,
)
from core.errors import InvalidInput
from core.geo import Coordinate
from routing.network import Network
from routing.raptor.body_table import Body
from routing.street.drive import UNREACHABLE_S

Int32 = npt.NDArray[np.int32]
WALK_LIMIT_S = 1_800
"""Farthest walk of a wish, at each end."""
SNAP_M = 250.0
"""How far from a street an end of a wish may be."""
DAYS_LIMIT = 366
LAST_YEAR = 2200


class InvalidWish(InvalidInput):
    """A wish that contradicts itself."""

    code = "invalid_wish"


class Direction(StrEnum):
    """Which of a wish's ways."""

    OUT = "out"
    BACK = "back"


@dataclass(frozen=True, slots=True)
class Times:
    """When a rider travels: seconds of the day on the clock of the territory."""

    leave_from_s: int
    arrive_by_s: int


@dataclass(frozen=True, slots=True)
class Wish:
    """A drive that a rider looks for, on the days of a week or on one day."""

    id: uuid.UUID
    rider_id: uuid.UUID
    start: Coordinate
    end: Coordinate
    out: Times
    back: Times | None
    weekdays: frozenset[str]
    valid_from: dt.date
    valid_to: dt.date
    seats: int
    walk_limit_s: int
    needs: frozenset[Need] = frozenset()
    """What the rider brings along."""
    circle: Circle = EVERYONE
    """Within which he wants to travel."""

    def __post_init__(self) -> None:
        checks = [
            (self.weekdays <= set(WEEKDAYS) and bool(self.weekdays), "weekdays: mon … sun"),
            (self.valid_from <= self.valid_to, "valid_from is after valid_to"),
            (
                (self.valid_to - self.valid_from).days <= DAYS_LIMIT,
                f"valid_to: {DAYS_LIMIT} days after valid_from at most",
            ),
            (self.valid_to.year < LAST_YEAR, f"valid_to: before {LAST_YEAR}"),
            (1 <= self.seats <= SEAT_LIMIT, f"seats: 1 to {SEAT_LIMIT}"),
            (0 <= self.walk_limit_s <= WALK_LIMIT_S, f"walk_limit_s: 0 to {WALK_LIMIT_S}"),
        ]
        checks += [
            (
                0 <= times.leave_from_s < times.arrive_by_s < 2 * DAY_S,
                "leave_from is not before arrive_by, or that is after two days",
            )
            for times in (self.out, self.back)
            if times is not None
        ]
        for holds, message in checks:
            if not holds:
                raise InvalidWish(message)

    def directions(self) -> Iterator[tuple[Direction, Times]]:
        """Ways of the wish with their times."""
        yield Direction.OUT, self.out
        if self.back is not None:
            yield Direction.BACK, self.back

    def seeker(self, rider: Person) -> Seeker:
        """Its rider as one who looks for offers."""
        return Seeker(rider, self.needs, self.circle)

    def is_on(self, date: dt.date) -> bool:
        """Whether its rider travels on a date."""
        in_time = self.valid_from <= date <= self.valid_to
        return in_time and WEEKDAYS[date.weekday()] in self.weekdays

    def first_date(self, offer: Offer, today: dt.date) -> dt.date | None:
        """First day, from today on, on which both travel."""
        day = max(self.valid_from, offer.valid_from, today)
        last = min(self.valid_to, offer.valid_to)
        while day <= last:
            if WEEKDAYS[day.weekday()] in self.weekdays and offer.runs_on(day):
                return day
            day += dt.timedelta(days=1)
        return None


def parse_wish(values: Mapping[str, Any], wish_id: uuid.UUID, rider_id: uuid.UUID) -> Wish:
    """Read a wish from its JSON form; raises `InvalidWish` naming what is wrong."""
    try:
        back = values.get("back")
        return Wish(
            id=wish_id,
            rider_id=rider_id,
            start=Coordinate(values["start"]["lat"], values["start"]["lon"]),
            end=Coordinate(values["end"]["lat"], values["end"]["lon"]),
            out=_times(values["out"]),
            back=None if back is None else _times(back),
            weekdays=frozenset(values["weekdays"]),
            valid_from=dt.date.fromisoformat(values["valid_from"]),
            valid_to=dt.date.fromisoformat(values["valid_to"]),
            seats=values["seats"],
            walk_limit_s=values["walk_limit_s"],
            needs=frozenset(map(Need, values.get("needs", ()))),
            circle=read_circle(values.get("audience"), values.get("community")),
        )
    except InvalidWish:
        raise
    except KeyError as error:
        raise InvalidWish(f"{error.args[0]} is missing") from error
    except (TypeError, ValueError, InvalidInput) as error:
        raise InvalidWish(str(error)) from error


def _times(values: Mapping[str, str]) -> Times:
    return Times(parse_clock(values["leave_from"]), parse_clock(values["arrive_by"]))


def wish_as_json(wish: Wish) -> dict[str, Any]:
    """Undo `parse_wish`."""

    def times(of: Times | None) -> dict[str, str] | None:
        if of is None:
            return None
        return {
            "leave_from": write_clock(of.leave_from_s),
            "arrive_by": write_clock(of.arrive_by_s),
        }

    return {
        "start": {"lat": wish.start.lat, "lon": wish.start.lon},
        "end": {"lat": wish.end.lat, "lon": wish.end.lon},
        "out": times(wish.out),
        "back": times(wish.back),
        "weekdays": [day for day in WEEKDAYS if day in wish.weekdays],
        "valid_from": wish.valid_from.isoformat(),
        "valid_to": wish.valid_to.isoformat(),
        "seats": wish.seats,
        "walk_limit_s": wish.walk_limit_s,
        "needs": sorted(wish.needs),
        **circle_as_json(wish.circle),
    }


@dataclass(frozen=True, slots=True)
class Ends:
    """Meeting points within a wish's walks: rows of the network's points, and seconds."""

    from_start: tuple[Int32, Int32]
    to_end: tuple[Int32, Int32]
    from_end: tuple[Int32, Int32]
    to_start: tuple[Int32, Int32]


def reach_of_wish(network: Network, wish: Wish) -> Ends:
    """Find the meeting points of a wish; of an end far from any street there are none."""

    def near(place: Coordinate, *, towards: bool) -> tuple[Int32, Int32]:
        at = network.find_snapped("foot", place, SNAP_M)
        if at is None:
            return np.zeros(0, np.int32), np.zeros(0, np.int32)
        node, seconds = network.walks_from(at, wish.walk_limit_s, towards=towards)
        point = node >= network.stop_count
        return node[point] - network.stop_count, seconds[point]

    return Ends(
        from_start=near(wish.start, towards=False),
        to_end=near(wish.end, towards=True),
        from_end=near(wish.end, towards=False),
        to_start=near(wish.start, towards=True),
    )


@dataclass(frozen=True, slots=True)
class Match:
    """How an offer would take a wish's rider; seconds of the day."""

    pickup: int
    """Row of the meeting point."""
    dropoff: int
    pickup_s: int
    dropoff_s: int
    arrival_s: int
    """At the rider's own end, on foot from the meeting point."""
    pickup_row: int
    """Row of the body's candidates."""
    dropoff_row: int
    to_pickup_s: int
    """Walk from the rider's own end."""


class Fitting:
    """One offer to which many wishes are held."""

    def __init__(self, network: Network, offer: Offer, body: Body) -> None:
        self.offer, self._body, self._drive_s = offer, body, network.ground.drive_s
        order = np.argsort(body.point, kind="stable")
        self._order, self._point = order, body.point[order]

    def match(
        self,
        wish: Wish,
        ends: Ends,
        direction: Direction,
        times: Times,
        *,
        sparing: bool = False,
    ) -> Match | None:
        """
        The ride by which a wish's rider arrives first, the shortest walk among equals.

        `sparing` counts each second of the driver's detour like one of the rider's.

        Returns None where the offer does not fit: in time, seats, walks or detour. Days are another
        matter (`Wish.first_date`).
        """
        offer, body = self.offer, self._body
        if offer.seat_count < wish.seats or not len(body.point):
            return None
        leaving, arriving = (
            (ends.from_start, ends.to_end)
            if direction is Direction.OUT
            else (ends.from_end, ends.to_start)
        )
        pickups, to_pickup_s = self._candidates(*leaving)
        dropoffs, onward_s = self._candidates(*arriving)
        if not len(pickups) or not len(dropoffs):
            return None
        from_start_s = body.from_start_s[pickups].astype(np.int64)
        ready_s = times.leave_from_s + to_pickup_s
        board_s = np.maximum(ready_s, offer.depart_from_s + from_start_s)
        in_time = board_s <= offer.depart_to_s + from_start_s
        ride_s = rides_between(body, self._drive_s, pickups, dropoffs)
        whole_s = from_start_s[:, None] + ride_s + body.to_end_s[dropoffs][None, :]
        arrival_s = board_s[:, None] + ride_s + onward_s[None, :]
        fits = in_time[:, None] & (whole_s <= body.solo_s + body.budget_s)
        fits &= (arrival_s <= times.arrive_by_s) & (ride_s > 0)
        fits &= body.point[pickups][:, None] != body.point[dropoffs][None, :]
        if not fits.any():
            return None
        walks_s = to_pickup_s[:, None] + onward_s[None, :]
        loss_s = arrival_s + whole_s if sparing else arrival_s
        rank = np.where(fits, loss_s * 100_000 + walks_s, np.iinfo(np.int64).max)
        i, j = np.unravel_index(int(rank.argmin()), rank.shape)
        return Match(
            pickup=int(body.point[pickups[i]]),
            dropoff=int(body.point[dropoffs[j]]),
            pickup_s=int(board_s[i]),
            dropoff_s=int(board_s[i] + ride_s[i, j]),
            arrival_s=int(arrival_s[i, j]),
            pickup_row=int(pickups[i]),
            dropoff_row=int(dropoffs[j]),
            to_pickup_s=int(to_pickup_s[i]),
        )

    def _candidates(
        self, point: Int32, seconds: Int32
    ) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """Candidates of the offer among points, with the walk of each."""
        first = np.searchsorted(self._point, point, "left")
        count = np.searchsorted(self._point, point, "right") - first
        rows = np.repeat(first, count) + _within(count)
        return self._order[rows], np.repeat(seconds, count).astype(np.int64)


def rides_between(
    body: Body,
    drive_s: npt.NDArray[np.uint16],
    pickups: npt.NDArray[np.int64],
    dropoffs: npt.NDArray[np.int64],
) -> npt.NDArray[np.int64]:
    """
    Drives between candidates of a body; more than any budget where none leads there.

    Parameters
    ----------
    drive_s
        Shape (P, P): drives between meeting points.
    pickups, dropoffs
        Rows of the body's candidates.
    """
    a, b = body.point[pickups], body.point[dropoffs]
    direct_s = drive_s[np.ix_(a, b)].astype(np.int64)
    far = direct_s == UNREACHABLE_S
    through_s = body.to_end_s[pickups][:, None].astype(np.int64)
    through_s = through_s + body.from_start_s[dropoffs][None, :] - body.solo_s
    segment = body.segment.astype(np.int64)
    hop = segment[dropoffs][None, :] - segment[pickups][:, None]
    ride_s = np.where(hop == 0, np.where(far, 2**40, direct_s), through_s)
    return np.where(hop < 0, 2**40, ride_s)


def _within(count: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """0 … count − 1 for each count, end to end."""
    total = int(count.sum())
    starts = np.repeat(np.cumsum(count) - count, count)
    return np.arange(total) - starts
