"""
Offers → flexible trips: which meeting points a driver can serve, and how far off his way.

A point is a candidate when going there costs no more than the budget. Drive seconds are sums of
whole seconds over the same arcs for the driver's own way and for every detour, so a point on his
own path costs exactly nothing and an offer without a budget serves all of those.
"""

from __future__ import annotations

import struct
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from carpool.offers import InvalidOffer, Offer
from carpool.spread import spread_choice
from core.geo import METRES_PER_DEGREE, Coordinate
from routing.doors import STRETCH_COLUMNS, Stretch, nearest_point
from routing.network import Network
from routing.raptor.body_table import Body
from routing.raptor.flexible import LONGEST_DRIVE_S
from routing.street.access import Snapped, Ties, seconds_along_edge, ties
from routing.street.drive import FAR_S

STREET_LIMIT_M = 500.0
"""A driver's ends and stops must lie this near a street open to cars."""
SHORTEST_DRIVE_S = 60
SEARCHED_LIMIT = 128
"""Points of one offer that the search looks at; what it finds is bettered on all of them."""


Int32 = npt.NDArray[np.int32]


class OfferUnusable(InvalidOffer):
    """No drive can be found for the offer on this territory's streets."""

    code = "offer_unusable"


def compile_offer(network: Network, offer: Offer) -> Body:
    """
    Find the meeting points that an offer can serve.

    Raises
    ------
    OfferUnusable
        An end is far from any street open to cars, no road joins them, or the drive takes so long
        that nobody drives it in one go.
    """
    of = f"offer {offer.id}: "
    places = [
        snap_to_street(network, place, of=of) for place in (offer.start, *offer.vias, offer.end)
    ]
    leaving = [_tie(network, place, leaving=True) for place in places[:-1]]
    reaching = [_tie(network, place, leaving=False) for place in places[1:]]
    solo = [
        min(
            network.drive.between(a.pairs(), b.pairs()),
            _or_far(seconds_along_edge(network.streets, "car", start, end)),
        )
        for a, b, start, end in zip(leaving, reaching, places[:-1], places[1:], strict=True)
    ]
    if max(solo) >= FAR_S:
        raise OfferUnusable(f"offer {offer.id}: no road joins its ends")
    solo_s = sum(solo)
    if solo_s < SHORTEST_DRIVE_S:
        raise OfferUnusable(f"offer {offer.id}: its ends are next to each other")
    if solo_s + offer.detour_budget_s > LONGEST_DRIVE_S:
        raise OfferUnusable(f"offer {offer.id}: it takes more than {LONGEST_DRIVE_S // 3600} hours")
    node = network.points.car_node
    stops_there = np.ones(len(node), bool)
    stops_there[[network.point_row[p] for p in offer.struck_points if p in network.point_row]] = 0
    parts, stretches = [], []
    before_s = 0
    for segment, (a, b) in enumerate(zip(leaving, reaching, strict=True)):
        after_s = solo_s - before_s - solo[segment]
        from_start_s = network.drive.from_place(a.pairs(), node) + before_s
        to_end_s = network.drive.to_place(node, b.pairs()) + after_s
        served = np.flatnonzero(
            (from_start_s < FAR_S)
            & (to_end_s < FAR_S)
            & (from_start_s + to_end_s <= solo_s + offer.detour_budget_s)
            & stops_there
        )
        columns = served, from_start_s[served], to_end_s[served], np.full(len(served), segment)
        parts.append(np.array(columns, np.int32))
        if offer.door:
            ends = places[segment], places[segment + 1]
            ways = tuple(a.pairs()), tuple(b.pairs())
            stretches.append(Stretch(segment, before_s, after_s, *ways, *_near(network, *ends)))
        before_s += solo[segment]
    table = np.concatenate(parts, axis=1)
    searched = _searched(network, table, solo_s, offer.detour_budget_s)
    table = table[:, passing_order(table[1], searched)].astype(np.uint16)
    return Body(
        point=table[0],
        from_start_s=table[1],
        to_end_s=table[2],
        segment=table[3],
        solo_s=solo_s,
        budget_s=offer.detour_budget_s,
        seat_count=offer.seat_count,
        via_nodes=tuple(int(at.node[0]) for at in reaching[:-1]),
        stretches=tuple(stretches),
        searched_count=None if searched.all() else int(searched.sum()),
    )


def snap_to_street(network: Network, place: Coordinate, *, of: str = "") -> Snapped:
    """Nearest street open to cars; raises `OfferUnusable`, its message beginning with `of`."""
    at = network.find_snapped("car", place, STREET_LIMIT_M)
    if at is None:
        raise OfferUnusable(
            f"{of}no street open to cars within {STREET_LIMIT_M:.0f} m of "
            f"{place.lat:.5f}, {place.lon:.5f}"
        )
    return at


def timed_offer(offer: Offer, body: Body) -> Offer:
    """
    The offer with the window in which its driver leaves, where he said when he has to be there.

    He leaves so early that he is there in time with his whole budget used up.

    Raises
    ------
    OfferUnusable
        He would leave on the day before.
    """
    if offer.arrive_s is None:
        return offer
    first_s, last_s = offer.arrive_s
    to_s = last_s - body.solo_s - body.budget_s
    from_s = min(first_s - body.solo_s, to_s)
    if from_s < 0:
        raise OfferUnusable(
            f"offer {offer.id}: to be there in time he leaves on the day before: offer that day, "
            "and write the arrival as 24:10 for ten past midnight"
        )
    return replace(offer, depart_from_s=from_s, depart_to_s=to_s)


def without_points(body: Body, shut: npt.NDArray[np.bool_]) -> Body:
    """
    A body whose driver stops at none of some points; the same where he does not anyway.

    Parameters
    ----------
    shut
        Shape (point_count,).
    """
    kept = ~shut[body.point]
    if kept.all():
        return body
    columns = {
        name: getattr(body, name)[kept] for name in ("point", "from_start_s", "to_end_s", "segment")
    }
    searched = int(kept[: body.searched].sum())
    return replace(
        body, **columns, searched_count=None if body.searched_count is None else searched
    )


def passing_order(from_start_s: Int32, searched: npt.NDArray[np.bool_]) -> npt.NDArray[np.intp]:
    """Order in which a body keeps its candidates: see `Body.searched_count`."""
    return np.lexsort((from_start_s, ~searched))


def _searched(network: Network, table: Int32, solo_s: int, budget_s: int) -> npt.NDArray[np.bool_]:
    points = network.points
    x_m, y_m = (
        np.asarray(column)[table[0]] * METRES_PER_DEGREE * scale
        for column, scale in ((points.lon, np.cos(np.radians(points.lat.mean()))), (points.lat, 1))
    )
    detour = (table[1] + table[2] - solo_s) / max(budget_s, 1)
    return spread_choice(x_m, y_m, detour, SEARCHED_LIMIT)


def _tie(network: Network, at: Snapped, *, leaving: bool) -> Ties:
    return ties(network.streets, "car", at, leaving=leaving, off_street_mps=float("inf"))


def _near(network: Network, start: Snapped, end: Snapped) -> tuple[tuple[int, int], ...]:
    """Meeting points near both ends of a part of the drive, see `Stretch`."""
    node = network.points.car_node
    reaching, leaving = (_tie(network, start, leaving=False), _tie(network, end, leaving=True))
    return (
        nearest_point(network.drive.to_place(node, reaching.pairs())),
        nearest_point(network.drive.from_place(leaving.pairs(), node)),
    )


def _or_far(seconds: int | None) -> int:
    return FAR_S if seconds is None else seconds


_HEADER = struct.Struct("<8i")
VERSION = 4


def pack_body(body: Body) -> bytes:
    """Compiled offer as bytes, for the store: header, via nodes, stretches, then four columns."""
    header = _HEADER.pack(
        VERSION, len(body.point), body.searched, len(body.via_nodes), len(body.stretches),
        body.solo_s, body.budget_s, body.seat_count,
    )  # fmt: skip
    columns = body.point, body.from_start_s, body.to_end_s, body.segment
    numbers = *body.via_nodes, *(n for stretch in body.stretches for n in stretch.row(0))
    return (
        header
        + np.array(numbers).astype("<i4").tobytes()
        + b"".join(c.astype("<u2").tobytes() for c in columns)
    )


def unpack_body(data: bytes) -> Body | None:
    """Undo `pack_body`; None for what an older version has packed."""
    if data[:4] != VERSION.to_bytes(4, "little"):
        return None
    _, count, searched, vias, parts, solo_s, budget_s, seats = _HEADER.unpack_from(data)
    numbers = np.frombuffer(data, "<i4", vias + parts * STRETCH_COLUMNS, _HEADER.size)
    via_nodes, rows = numbers[:vias], numbers[vias:].reshape(parts, STRETCH_COLUMNS)
    table = np.frombuffer(data, "<u2", offset=_HEADER.size + numbers.nbytes).reshape(4, count)
    return Body(
        point=table[0],
        from_start_s=table[1],
        to_end_s=table[2],
        segment=table[3],
        solo_s=solo_s,
        budget_s=budget_s,
        seat_count=seats,
        via_nodes=tuple(via_nodes.tolist()),
        stretches=tuple(map(Stretch.of_row, rows.tolist())),
        searched_count=None if searched == count else searched,
    )
