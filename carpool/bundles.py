"""
Bundles: sets of riders whom one driver can take, out and back, with what each set is worth.

A bundle is one drive out with its riders, and the same driver's way back for those of them who
want one. All of it holds on one day: seats, what each rider was promised, and the driver's budget
for the whole set, in the best of all orders of stops.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from carpool.kernels import NO_WAY, best_stop_order
from carpool.ride_plans import RideWay
from routing.street.drive import UNREACHABLE_S

Valued = tuple[tuple[int, ...], int]
"""Riders and what their rides are worth."""
RIDERS_LIMIT = 4
"""Riders of one bundle: a car's seats."""
TRIED_LIMIT = 20
"""Riders of one drive that are combined, those worth most alone."""
BUNDLES_LIMIT = 200
"""Bundles of one drive that are kept, those worth most."""
ASKED_FULL = 10
"""A driver asked so many times already weighs each second of detour twice."""
TURN_S = 60
"""What being asked once more counts: among drivers alike, whoever was asked least has his turn."""


@dataclass(frozen=True, slots=True)
class RiderLeg:
    """How one rider would ride with one offer; seconds of the day."""

    pickup: int
    """Row of the body's candidates."""
    dropoff: int
    ready_s: int
    """At the meeting point at the earliest."""
    due_s: int
    """Out of the car at the latest."""
    seats: int
    worth_s: int
    """What the ride is worth, in seconds of a rider, before the time aboard and the detour."""


@dataclass(frozen=True, slots=True)
class Stops:
    """When the riders of one offer get in and out."""

    at_s: tuple[tuple[int, int], ...]
    """Pick-up and drop-off of each rider, seconds of the day."""
    detour_s: int


@dataclass(frozen=True, slots=True)
class Driven:
    """An offer with all riders who could ride, each alone."""

    way: RideWay
    legs: Mapping[int, RiderLeg]
    """By row of the rider."""
    asked: int
    """How often its driver was asked for detours lately."""
    _known: dict[tuple[int, ...], Stops | None] = field(default_factory=dict, repr=False)

    def stops(self, riders: tuple[int, ...]) -> Stops | None:
        """Best order of stops for a set of riders, rows ascending; None if they do not go."""
        if riders not in self._known:
            self._known[riders] = order_stops(self.way, [self.legs[rider] for rider in riders])
        return self._known[riders]

    def value_s(self, riders: tuple[int, ...], stops: Stops) -> int:
        """What these riders' rides are worth, less the time aboard and the driver's detour."""
        worth_s = sum(self.legs[rider].worth_s for rider in riders)
        aboard_s = sum(out_s - in_s for in_s, out_s in stops.at_s)
        return worth_s - aboard_s - stops.detour_s * (ASKED_FULL + self.asked) // ASKED_FULL


@dataclass(frozen=True, slots=True)
class Bundle:
    """Riders of one drive out, and those of them who come back."""

    out: int
    """Row of the offer."""
    back: int | None
    """Row of the same driver's offer by which those who want to come back do."""
    riders: tuple[int, ...]
    """Rows of the riders, ascending."""
    value_s: int


def order_stops(way: RideWay, legs: Sequence[RiderLeg]) -> Stops | None:
    """Try all orders of stops; None where no order keeps all promises."""
    rows = np.array([row for leg in legs for row in (leg.pickup, leg.dropoff)])
    body = way.body
    from_start_s, to_end_s, segment = (
        column[rows].astype(np.int64) for column in (body.from_start_s, body.to_end_s, body.segment)
    )
    point = body.point[rows]
    hop_s = way.drive_s[np.ix_(point, point)].astype(np.int64)
    hop_s[hop_s == UNREACHABLE_S] = NO_WAY
    through_s = to_end_s[:, None] + from_start_s[None, :] - body.solo_s
    later = segment[None, :] - segment[:, None]
    hop_s = np.where(later == 0, hop_s, np.where(later > 0, through_s, NO_WAY))
    earliest_s = np.array([s for leg in legs for s in (leg.ready_s, 0)])
    latest_s = np.array([s for leg in legs for s in (leg.due_s, leg.due_s)])
    seats = np.array([s for leg in legs for s in (leg.seats, -leg.seats)])
    at_s = np.zeros(len(rows), np.int64)
    drive_s = best_stop_order(
        from_start_s, to_end_s, hop_s, earliest_s, latest_s, seats, way.limit_s,
        way.earliest_s, way.latest_s, way.seat_count, at_s,
    )  # fmt: skip
    if drive_s == NO_WAY:
        return None
    pairs = tuple(zip(at_s[::2].tolist(), at_s[1::2].tolist(), strict=True))
    return Stops(pairs, drive_s - body.solo_s)


def list_bundles(
    outward: Sequence[Driven],
    homeward: Sequence[Driven],
    returns: Mapping[int, Sequence[int]],
    *,
    wants_back: Sequence[bool],
    same_day: Callable[[int, int | None, int], bool],
) -> Iterator[Bundle]:
    """
    List the bundles that are worth something, offer by offer.

    Of each drive at most `TRIED_LIMIT` riders are combined, and `BUNDLES_LIMIT` bundles kept. A
    set is tried only where each part of it goes: driving there for fewer riders is never longer.

    Parameters
    ----------
    outward, homeward
        Each offer with the riders whom it takes out, and with those whom it takes back.
    returns
        For an offer, its driver's other offers by which riders could come back.
    wants_back
        For each rider, whether he rides only if he can come back.
    same_day
        Whether a rider travels on a day on which the offer out, and the one back, are driven.
    """
    for out, driven in enumerate(outward):
        riders = sorted(driven.legs)
        for back in (None, *returns.get(out, ())):
            coming = {} if back is None else homeward[back].legs
            alone = [
                rider
                for rider in riders
                if (not wants_back[rider] or rider in coming) and same_day(out, back, rider)
            ]
            if back is not None and not any(wants_back[rider] for rider in alone):
                continue  # as without it
            way_back = None if back is None else homeward[back]
            yield from (
                Bundle(out, back, riders, value_s)
                for riders, value_s in _of_drive(driven, way_back, alone, wants_back)
            )


def _of_drive(
    out: Driven, back: Driven | None, alone: Sequence[int], wants_back: Sequence[bool]
) -> list[Valued]:
    """Sets of riders for a drive, and a way back that at least one of each set takes."""

    def valued(riders: tuple[int, ...]) -> Valued | None:
        coming = tuple(rider for rider in riders if wants_back[rider])
        sides = [(out, riders)]
        if back is not None and coming:
            sides.append((back, coming))
        value_s = -TURN_S * out.asked
        for driven, aboard in sides:
            stops = driven.stops(aboard)
            if stops is None:
                return None
            value_s += driven.value_s(aboard, stops)
        return riders, value_s

    found = [one for rider in alone if (one := valued((rider,))) is not None]
    found = sorted(found, key=_worth)[:TRIED_LIMIT]
    together = {riders for riders, _ in found}
    tried = sorted(rider for riders, _ in found for rider in riders)
    layer = found
    for _ in range(1, RIDERS_LIMIT):
        grown = []
        for riders, _ in sorted(layer, key=_worth)[:BUNDLES_LIMIT]:
            for rider in tried:
                more = (*riders, rider)
                parts = (more[:k] + more[k + 1 :] for k in range(len(more)))
                if rider <= riders[-1] or not all(part in together for part in parts):
                    continue
                larger = valued(more)
                if larger is not None:
                    grown.append(larger)
        together |= {riders for riders, _ in grown}
        found += grown
        layer = grown
    # A set of which nobody comes back is listed without a way back: here it would be there twice.
    kept = [
        (riders, value_s)
        for riders, value_s in found
        if value_s > 0 and any(wants_back[rider] for rider in riders) == (back is not None)
    ]
    return sorted(kept, key=_worth)[:BUNDLES_LIMIT]


def _worth(valued: Valued) -> tuple[int, tuple[int, ...]]:
    return -valued[1], valued[0]
