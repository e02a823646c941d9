"""
Every offer, every pick-up, every drop-off: the earliest arrival of walk, ride and walk.

Drives come from `street_oracle.drive_table`; no offer is left out and no candidate is thinned.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from itertools import pairwise, product
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from tests.oracles.street_oracle import FAR_S, Hung, Int32, StreetOracle

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from zoneinfo import ZoneInfo

    from carpool.offers import Offer
    from core.geo import Coordinate

WALK_LIMIT_S = 900
PICKUP_STOP_S = 60
HALF_DAY_S = 43_200
Rows = npt.NDArray[np.int64]
VARIANT_LIMIT = 16
"""Choices among equally near streets of an offer's places that are followed up."""


@dataclass(frozen=True, slots=True)
class DriverWay:
    """An offer's drive by one choice of streets: T0, and df and db by segment and point."""

    solo_s: int
    from_start_s: tuple[Int32, ...]
    to_end_s: tuple[Int32, ...]

    def ride_s(self, between_s: Int32, seg: tuple[int, int], pick: Rows, drop: Rows) -> Int32:
        """M for every pair: through the driver's own stops when the segments differ."""
        if seg[0] == seg[1]:
            return between_s[np.ix_(pick, drop)]
        through: Int32 = (
            self.to_end_s[seg[0]][pick][:, None]
            + self.from_start_s[seg[1]][drop][None, :]
            - self.solo_s
        )
        return through


@dataclass(frozen=True, slots=True)
class BestRide:
    """Earliest arrival by one ride."""

    arrival_at: dt.datetime
    board_at: dt.datetime
    offer: Offer
    pickup: int
    dropoff: int


class OfferDrives:
    """Drive seconds between all meeting points, and from and to the places of all offers."""

    def __init__(self, streets: StreetOracle, offers: Sequence[Offer]) -> None:
        self.streets, self.offers = streets, offers
        count = len(streets.points.lat)
        points = [streets.at_point(i, car=True) for i in range(count)]
        choices = [self._choices(offer) for offer in offers]
        hung = {h for variants in choices for places in variants for h in places}
        row_of = {h: count + i for i, h in enumerate(hung)}
        table = streets.drive_table([*points, *row_of], [*points, *row_of])
        self.between_s: Int32 = table[:count, :count]
        """Shape (P, P)."""
        self._ways = {
            offer.id: [self._way(table, [row_of[h] for h in v], count) for v in variants]
            for offer, variants in zip(offers, choices, strict=True)
        }

    def _choices(self, offer: Offer) -> list[tuple[Hung, ...]]:
        hung = [self.streets.driver(p) for p in (offer.start, *offer.vias, offer.end)]
        return list(product(*hung))[:VARIANT_LIMIT]

    @staticmethod
    def _way(table: Int32, rows: list[int], count: int) -> DriverWay:
        parts = [int(table[a, b]) for a, b in pairwise(rows)]
        far = np.int32(FAR_S)
        before = [sum(parts[:i]) for i in range(len(parts))]
        after = [sum(parts[i + 1 :]) for i in range(len(parts))]
        return DriverWay(
            min(sum(parts), FAR_S),
            tuple(
                np.minimum(table[a, :count] + b, far) for a, b in zip(rows, before, strict=False)
            ),
            tuple(
                np.minimum(table[:count, a] + b, far) for a, b in zip(rows[1:], after, strict=True)
            ),
        )

    def ways(self, offer: Offer) -> list[DriverWay]:
        """Drives of an offer, one for each choice among equally near streets."""
        return self._ways[offer.id]


def clock_epoch_s(date: dt.date, seconds: int, zone: ZoneInfo) -> int:
    """Epoch second of a clock time of a service day, which starts at noon minus twelve hours."""
    noon = dt.datetime(date.year, date.month, date.day, 12, tzinfo=zone)
    return int(noon.timestamp()) - HALF_DAY_S + seconds


class CarpoolOracle:
    """Best single rides among all offers of a territory."""

    def __init__(self, drives: OfferDrives, zone: ZoneInfo) -> None:
        self.drives, self.zone, self.streets = drives, zone, drives.streets
        self._segments = list(self._flat())
        self._from_s = np.array([way.from_start_s[i] for _, way, (i, _) in self._segments])
        self._to_s = np.array([way.to_end_s[j] for _, way, (_, j) in self._segments])
        self._most_s = np.array(
            [way.solo_s + offer.detour_budget_s for offer, way, _ in self._segments]
        )

    def _flat(self) -> Iterator[tuple[Offer, DriverWay, tuple[int, int]]]:
        """Offer, way, and the segments of pick-up and drop-off."""
        for offer in self.drives.offers:
            for way in self.drives.ways(offer)[:1]:
                for i in range(len(way.from_start_s)):
                    for j in range(i, len(way.from_start_s)):
                        yield offer, way, (i, j)

    def best(
        self, origin: Coordinate, destination: Coordinate, at: dt.datetime, *, seats: int = 1
    ) -> BestRide | None:
        """Earliest arrival of walk (≤ 900 s), ride and walk (≤ 900 s), leaving at `at` or later."""
        starts, ends = self.streets.person(origin), self.streets.person(destination)
        if not starts or not ends:
            return None
        to_s = self.streets.walks_to_points(starts[0], WALK_LIMIT_S)
        from_s = self.streets.walks_from_points(ends[0], WALK_LIMIT_S)
        pick, drop = np.flatnonzero(to_s < FAR_S), np.flatnonzero(from_s < FAR_S)
        if len(pick) == 0 or len(drop) == 0:
            return None
        now_s = int(at.timestamp())
        ready_s = now_s + to_s[pick]
        least = self._from_s[:, pick].min(axis=1) + self._to_s[:, drop].min(axis=1)
        best: tuple[int, int, int, int, Offer] | None = None
        today = at.astimezone(self.zone).date()
        for k in np.flatnonzero(least <= self._most_s).tolist():
            offer = self._segments[k][0]
            for ahead in (-1, 0, 1):
                date = today + dt.timedelta(days=ahead)
                if offer.seat_count < seats or not offer.runs_on(date):
                    continue
                found = self._ride(k, date, pick, drop, ready_s, from_s[drop])
                if found is not None and (best is None or found[0] < best[0]):
                    best = (*found, offer)
        if best is None:
            return None
        arrive_s, board_s, p, q, offer = best
        zone = self.zone
        return BestRide(
            dt.datetime.fromtimestamp(arrive_s, zone),
            dt.datetime.fromtimestamp(board_s, zone), offer, p, q,
        )  # fmt: skip

    def _ride(
        self,
        k: int,
        date: dt.date,
        pick: npt.NDArray[np.int64],
        drop: npt.NDArray[np.int64],
        ready_s: npt.NDArray[np.int64],
        egress_s: npt.NDArray[np.int64],
    ) -> tuple[int, int, int, int] | None:
        offer, way, segments = self._segments[k]
        first_s = clock_epoch_s(date, offer.depart_from_s, self.zone)
        last_s = clock_epoch_s(date, offer.depart_to_s, self.zone)
        df, db = self._from_s[k][pick], self._to_s[k][drop]
        board_s = np.maximum(ready_s, first_s + df)
        in_time = board_s <= last_s + df
        if not in_time.any():
            return None
        ride_s = way.ride_s(self.drives.between_s, segments, pick, drop).astype(np.int64)
        allowed = df[:, None] + ride_s + db[None, :] <= self._most_s[k]
        allowed &= in_time[:, None] & (pick[:, None] != drop[None, :])
        arrive_s = board_s[:, None] + PICKUP_STOP_S + ride_s + egress_s[None, :]
        arrive_s = np.where(allowed, arrive_s, np.iinfo(np.int64).max)
        a, b = np.unravel_index(int(arrive_s.argmin()), arrive_s.shape)
        if not allowed[a, b]:
            return None
        return int(arrive_s[a, b]), int(board_s[a]), int(pick[a]), int(drop[b])
