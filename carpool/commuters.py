"""
Regular commuters: which riders could travel with which offers week after week.

A rider and an offer that share no week are left to `carpool/wishes.py` alone.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from carpool.bundles import RiderLeg
from carpool.offers import WEEKDAYS, Offer
from carpool.ports import PublishedOffer
from carpool.wishes import Direction, Ends, Fitting, Match, Times, Wish
from core.geo import METRES_PER_DEGREE, Coordinate, distance_m
from routing.network import Network

Int32 = npt.NDArray[np.int32]
Int64 = npt.NDArray[np.int64]
Float64 = npt.NDArray[np.float64]
Looked = tuple[Wish, Ends]
WEEK_DAYS = 7
AVOIDED_S_PER_KM = 60
"""What a kilometre that a rider does not drive counts, in seconds of a rider."""
CLOSE_LIMIT = 60
"""Riders that are held closely to one offer, each way; who is left out has his turn tomorrow."""
ALONG_S_PER_KM = 120
"""About what a kilometre together is worth, to tell who is looked at closely."""
NEVER_S = 2**40
EQUITY_S = 1_800
"""What it counts, in seconds, that a rider gets there in time in no other way."""


class Weeks:
    """On which weekdays riders and offers travel together, from a day on."""

    def __init__(self, wishes: Sequence[Wish], offers: Sequence[Offer], today: dt.date) -> None:
        self._today = today.toordinal()
        self.wish, self.offer = _calendar(wishes), _calendar(offers)

    def together(self, rider: int, *offers: int) -> tuple[str, ...]:
        """Weekdays on which a rider and some offers all travel; none if for less than a week."""
        columns = [self.wish[:, rider], *(self.offer[:, row] for row in offers)]
        mask = int(np.bitwise_and.reduce([column[0] for column in columns]))
        begins = max(self._today, *(int(column[1]) for column in columns))
        ends = min(int(column[2]) for column in columns)
        if ends - begins + 1 < WEEK_DAYS:
            return ()
        return tuple(day for k, day in enumerate(WEEKDAYS) if mask >> k & 1)

    def riders_of(self, offer: int) -> npt.NDArray[np.bool_]:
        """Riders who share a weekday with an offer, for a week at least."""
        mask, first, last = self.offer[:, offer].tolist()
        begins = np.maximum(self.wish[1], max(first, self._today))
        lasts = np.minimum(self.wish[2], last) - begins + 1 >= WEEK_DAYS
        shares: npt.NDArray[np.bool_] = lasts & (self.wish[0] & mask > 0)
        return shares


def _calendar(given: Sequence[Wish] | Sequence[Offer]) -> Int64:
    """Weekdays as bits, first and last day: three rows, a column for each."""
    rows = [
        (
            sum(1 << WEEKDAYS.index(day) for day in one.weekdays),
            one.valid_from.toordinal(),
            one.valid_to.toordinal(),
        )
        for one in given
    ]
    return np.array(rows, np.int64).reshape(-1, 3).T


@dataclass(frozen=True, slots=True)
class Pair:
    """A rider who could travel with an offer, one way."""

    rider: int
    offer: int
    direction: Direction
    match: Match


def find_pairs(
    network: Network, looked: Sequence[Looked], offers: Sequence[PublishedOffer], weeks: Weeks
) -> Iterator[list[Pair]]:
    """
    Hold every rider to every offer, and give what fits, offer by offer.

    Of riders who can walk to a meeting point of the offer at both ends, at about its time,
    `CLOSE_LIMIT` are looked at closely: those who go farthest for the least walk and detour. The
    detour counts like the rider's own time.
    """
    near = {direction: _Near(looked, direction) for direction in Direction}
    for row, published in enumerate(offers):
        fitting = Fitting(network, published.offer, published.body)
        together, pairs = weeks.riders_of(row), []
        reached = _Reached(len(network.points.id), published)
        for direction, of in near.items():
            for rider in of.closest(reached, together).tolist():
                wish, ends = looked[rider]
                times = dict(wish.directions())[direction]
                match = fitting.match(wish, ends, direction, times, sparing=True)
                if match is not None:
                    pairs.append(Pair(rider, row, direction, match))
        yield pairs


class _Reached:
    """What an offer is at each meeting point: least detour, last and first time to be there."""

    def __init__(self, point_count: int, published: PublishedOffer) -> None:
        offer, body = published.offer, published.body
        from_start_s = body.from_start_s.astype(np.int64)
        self.detour_s = np.full(point_count, NEVER_S)
        detour_s = from_start_s + body.to_end_s - body.solo_s
        np.minimum.at(self.detour_s, body.point, detour_s)
        self.last_s = np.full(point_count, -NEVER_S)
        np.maximum.at(self.last_s, body.point, from_start_s + offer.depart_to_s)
        self.first_s = np.full(point_count, NEVER_S)
        np.minimum.at(self.first_s, body.point, from_start_s + offer.depart_from_s)


class _Near:
    """Meeting points of all riders one way, end to end, and when they travel."""

    def __init__(self, looked: Sequence[Looked], direction: Direction) -> None:
        out = direction is Direction.OUT
        self._count = len(looked)
        pairs = [
            (ends.from_start, ends.to_end) if out else (ends.from_end, ends.to_start)
            for _, ends in looked
        ]
        never = Times(NEVER_S, -NEVER_S)
        times = [dict(wish.directions()).get(direction, never) for wish, _ in looked]
        leave_from_s = np.array([t.leave_from_s for t in times], np.int64)
        arrive_by_s = np.array([t.arrive_by_s for t in times], np.int64)
        self._point, owner, self._walk_s = _end_to_end([pair[0] for pair in pairs])
        self._owner, self._ready_s = owner, leave_from_s[owner] + self._walk_s
        self._to_point, owner, self._onward_s = _end_to_end([pair[1] for pair in pairs])
        self._to_owner, self._due_s = owner, arrive_by_s[owner] - self._onward_s
        along_m = [distance_m(wish.start, wish.end) for wish, _ in looked]
        self._along_s = (np.array(along_m) / 1000 * ALONG_S_PER_KM).astype(np.int64)

    def closest(self, reached: _Reached, together: npt.NDArray[np.bool_]) -> Int64:
        """Riders who could be taken, the likeliest first, `CLOSE_LIMIT` of them at most."""
        loss_s = -self._along_s
        for point, owner, walk_s, in_time in (
            (
                self._point, self._owner, self._walk_s,
                self._ready_s <= reached.last_s[self._point],
            ),
            (
                self._to_point, self._to_owner, self._onward_s,
                self._due_s >= reached.first_s[self._to_point],
            ),
        ):  # fmt: skip
            least_s = np.full(self._count, NEVER_S)
            some = np.flatnonzero(in_time & (reached.detour_s[point] < NEVER_S))
            np.minimum.at(least_s, owner[some], walk_s[some] + reached.detour_s[point[some]])
            loss_s = loss_s + least_s
        could = np.flatnonzero(together & (loss_s < NEVER_S // 2))
        return could[np.argsort(loss_s[could], kind="stable")][:CLOSE_LIMIT]


def _end_to_end(sides: Sequence[tuple[Int32, Int32]]) -> tuple[Int32, Int64, Int64]:
    owner = np.repeat(np.arange(len(sides)), [len(point) for point, _ in sides])
    nothing = np.zeros(0, np.int32)
    point, walk_s = (np.concatenate([nothing, *(side[k] for side in sides)]) for k in (0, 1))
    return point, owner, walk_s.astype(np.int64)


def leg_of(network: Network, wish: Wish, pair: Pair, without_s: int | None) -> RiderLeg:
    """
    How a rider would ride, and what it is worth before the time aboard and the detour.

    Parameters
    ----------
    without_s
        How long he is on his way without a car; None if he does not get there in time: then the
        whole time that he has is counted, and `EQUITY_S` more.
    """
    times = dict(wish.directions())[pair.direction]
    match = pair.match
    onward_s = match.arrival_s - match.dropoff_s
    if without_s is None:
        without_s = times.arrive_by_s - times.leave_from_s + EQUITY_S
    points = network.points
    lat, lon = points.lat, points.lon
    along_m = distance_m(
        Coordinate(float(lat[match.pickup]), float(lon[match.pickup])),
        Coordinate(float(lat[match.dropoff]), float(lon[match.dropoff])),
    )
    avoided_s = round(along_m / 1000 * AVOIDED_S_PER_KM) * wish.seats
    return RiderLeg(
        pickup=match.pickup_row,
        dropoff=match.dropoff_row,
        ready_s=times.leave_from_s + match.to_pickup_s,
        due_s=times.arrive_by_s - onward_s,
        seats=wish.seats,
        worth_s=without_s - match.to_pickup_s - onward_s + avoided_s,
    )


def ends_m(wishes: Sequence[Wish]) -> Float64:
    """East and north of the start, then of the end, of each; near enough to group by."""
    rows = [(w.start.lon, w.start.lat, w.end.lon, w.end.lat) for w in wishes]
    degrees = np.array(rows, np.float64).reshape(-1, 4)
    shrink = np.cos(np.radians(degrees[:, 1].mean())) if len(degrees) else 1.0
    return np.multiply(degrees, METRES_PER_DEGREE * np.array([shrink, 1.0, shrink, 1.0]))
