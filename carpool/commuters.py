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

    Only riders who can walk to a meeting point of the offer at both ends, at about its time, are
    looked at closely; the detour counts like the rider's own time.
    """
    near = {direction: _Near(looked, direction) for direction in Direction}
    served = np.zeros(len(network.points.id), bool)
    for row, published in enumerate(offers):
        offer, body = published.offer, published.body
        fitting = Fitting(network, offer, body)
        served[:] = False
        served[body.point] = True
        together = weeks.riders_of(row)
        ends_s = offer.depart_to_s + body.solo_s + body.budget_s
        pairs = []
        for direction, of in near.items():
            could = together & of.touches(served)
            could &= (of.leave_from_s <= ends_s) & (of.arrive_by_s >= offer.depart_from_s)
            for rider in np.flatnonzero(could).tolist():
                wish, ends = looked[rider]
                times = dict(wish.directions())[direction]
                match = fitting.match(wish, ends, direction, times, sparing=True)
                if match is not None:
                    pairs.append(Pair(rider, row, direction, match))
        yield pairs


class _Near:
    """Meeting points of all riders one way, end to end, and when they travel."""

    def __init__(self, looked: Sequence[Looked], direction: Direction) -> None:
        out = direction is Direction.OUT
        self._count = len(looked)
        pairs = [
            (ends.from_start, ends.to_end) if out else (ends.from_end, ends.to_start)
            for _, ends in looked
        ]
        self._sides = [_end_to_end([pair[side][0] for pair in pairs]) for side in (0, 1)]
        never = Times(2**40, -1)
        times = [dict(wish.directions()).get(direction, never) for wish, _ in looked]
        self.leave_from_s = np.array([t.leave_from_s for t in times], np.int64)
        self.arrive_by_s = np.array([t.arrive_by_s for t in times], np.int64)

    def touches(self, served: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
        """Riders with a served meeting point at both ends."""
        found = np.ones(self._count, bool)
        for point, owner in self._sides:
            found &= np.bincount(owner[served[point]], minlength=self._count) > 0
        return found


def _end_to_end(points: Sequence[Int32]) -> tuple[Int32, Int64]:
    owner = np.repeat(np.arange(len(points)), [len(own) for own in points])
    return np.concatenate([np.zeros(0, np.int32), *points]), owner


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
