"""Other operators' offers are fetched, compiled and searched like our own."""

from __future__ import annotations

import datetime as dt
import uuid
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Any, TypeVar

import numpy as np
import structlog

from carpool.compile import OfferUnusable, compile_offer, pack_body
from carpool.offers import InvalidOffer, Offer, parse_offer
from carpool.outside import (
    Drive,
    RowUnusable,
    digest_of,
    offer_of,
    one_car_each,
    read_journey,
    read_regular_trip,
)
from core.geo import Coordinate
from core.ids import OfferId
from core.time import day_start_epoch_s
from mobility.db.engine import Engine
from mobility.db.offers import SqlOfferStore
from mobility.db.operators import StoredOperator, claim_due, note_fetched
from mobility.db.outside_offers import (
    KnownOffer,
    end_outside,
    know,
    list_known,
    note_seen,
    purge_ended,
)
from mobility.live import Wakeups
from mobility.partner_client import PartnerAway, PartnerClient, PartnerRefuses
from mobility.world import Snapshot
from routing.network import Network
from routing.raptor.body_table import Body
from routing.street.straight import great_circle_m

log = structlog.get_logger()
EVERY = dt.timedelta(minutes=30)
"""How often an operator that answers is asked."""
LEASE = dt.timedelta(hours=1)
"""So long a process has for one operator, before another may begin anew."""
FIRST_RETRY, LAST_RETRY = dt.timedelta(minutes=2), dt.timedelta(hours=4)
"""After a first failure, and after many: twice as long each time."""
KEPT_UNSEEN = dt.timedelta(days=1)
"""So long an offer is searched that an operator who does not answer in full has not told again."""
KEPT_ENDED = dt.timedelta(days=2)
DAYS_AHEAD = 3
"""Today and the days behind it whose journeys are asked for."""
PLACES_LIMIT, NEAR_M, FAR_M = 8, 5_000.0, 20_000.0
"""Main places: so many that no meeting point is farther than this from one, or as many as this."""
QUERIES_LIMIT = 1_500
FULL = 200
"""Rows that are asked for; who gives as many may have more: the time is asked in halves."""
SHORTEST_DELTA_S = 900
FAILURES_LIMIT = 3
"""Queries in a row without an answer, after which an operator is left alone."""
OFFERS_LIMIT = 5_000
"""Offers of one operator."""
LONGER_BY = 1.3
"""A drive through drawn points that is so much longer than without was not understood."""
AT_ONCE = 100
"""Offers of one transaction."""
DAY_S, HALF_DAY_S, SPARE_S = 86_400, 43_200, 3_600
T = TypeVar("T")
Open = Callable[[StoredOperator], PartnerClient]


@dataclass(slots=True)
class Fetched:
    """What one operator's answers came to."""

    queries: int = 0
    failed: int = 0
    reason: str | None = None
    """Of the last query that failed."""
    complete: bool = False
    """Whether all was answered: what was not told has ended."""
    rows: int = 0
    bad: int = 0
    """Rows that say nothing that could be used, or of cars that are full."""
    cars: int = 0
    added: int = 0
    changed: int = 0
    unchanged: int = 0
    unusable: int = 0
    """Drives that nobody can make on the streets of this territory."""
    left_out: int = 0
    """Above the limit of one operator."""
    ended: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    """Why rows were bad, and how often."""

    def as_json(self) -> dict[str, Any]:
        """The same, to keep and to print."""
        names = [name for name in self.__slots__ if name != "reasons"]
        values = {name: getattr(self, name) for name in names}
        return {**values, "reasons": dict(self.reasons.most_common(5))}


def fetch_due(
    engine: Engine, wakeups: Wakeups, snapshot: Snapshot, opened: Open, *, now: dt.datetime
) -> dict[str, Fetched]:
    """Ask every operator whose time has come; several processes never ask one at a time."""
    done: dict[str, Fetched] = {}
    while True:
        with engine.begin() as connection:
            operator = claim_due(connection, now, now + LEASE)
        if operator is None:
            break
        client = opened(operator)
        try:
            fetched = fetch_operator(engine, wakeups, snapshot, operator, client, now=now)
        finally:
            client.close()
        done[operator.told.operator] = fetched
        failures = 0 if fetched.complete else operator.failures + 1
        wait = EVERY if failures == 0 else min(FIRST_RETRY * 2 ** min(failures - 1, 10), LAST_RETRY)
        with engine.begin() as connection:
            last = {**fetched.as_json(), "at": now.isoformat()}
            note_fetched(connection, operator.told.operator, last, now + wait, failures)
        say = log.info if fetched.complete else log.warning
        say("other operator's offers fetched", operator=operator.told.operator, **last)
    with engine.begin() as connection:
        purge_ended(connection, now - KEPT_ENDED)
    return done


def fetch_operator(
    engine: Engine,
    wakeups: Wakeups,
    snapshot: Snapshot,
    operator: StoredOperator,
    client: PartnerClient,
    *,
    now: dt.datetime,
) -> Fetched:
    """Ask one operator for all it has here, and bring what is searched of it up to date."""
    fetched = Fetched()
    assert operator.told.url is not None
    asking = _Asking(client, operator.told.url, snapshot.network, fetched)
    drives = one_car_each(asking.drives(now))
    fetched.cars = len(drives)
    _store(engine, wakeups, snapshot, operator, drives, fetched, now)
    return fetched


class _Asking:
    """Asks between all main places, for each day ahead and for what is regular."""

    def __init__(self, client: PartnerClient, url: str, network: Network, fetched: Fetched) -> None:
        self._client, self._url, self._network, self._fetched = client, url, network, fetched
        self._in_a_row = 0

    def drives(self, now: dt.datetime) -> list[Drive]:
        """All that could be read."""
        zone, fetched = self._network.zone, self._fetched
        today = now.astimezone(zone).date()
        places, radius_m = main_places(self._network)
        found: dict[str, Drive] = {}
        try:
            for start in places:
                for end in places:
                    between = _between(start, end, radius_m)
                    for row in self._regular(between, HALF_DAY_S, HALF_DAY_S):
                        self._read(row, read_regular_trip, found)
                    for ahead in range(DAYS_AHEAD):
                        date = today + dt.timedelta(days=ahead)
                        noon_s = day_start_epoch_s(date, zone) + HALF_DAY_S
                        for row in self._dated(between, noon_s, HALF_DAY_S + SPARE_S // 2):
                            self._read(row, lambda row: [read_journey(row, zone)], found)
            fetched.complete = fetched.failed == 0
        except PartnerAway:
            pass  # what was told before is good
        last = today + dt.timedelta(days=DAYS_AHEAD)
        return [d for d in found.values() if d.date is None or today <= d.date <= last]

    def _read(
        self,
        row: Mapping[str, Any],
        read: Callable[[Mapping[str, Any]], list[Drive]],
        found: dict[str, Drive],
    ) -> None:
        self._fetched.rows += 1
        try:
            for drive in read(row):
                known = found.get(drive.key)
                if known is None or known.duration_s < drive.duration_s:
                    found[drive.key] = drive
        except (RowUnusable, ValueError, OverflowError, OSError) as error:
            self._fetched.bad += 1
            self._fetched.reasons[str(error)[:80]] += 1

    def _dated(
        self, between: Mapping[str, float], at_s: int, delta_s: int
    ) -> Iterator[Mapping[str, Any]]:
        asked = {**between, "departureDate": at_s, "timeDelta": delta_s, "count": FULL}
        rows = self._rows("driver_journeys", asked)
        if len(rows) >= FULL and delta_s > SHORTEST_DELTA_S:
            half_s = (delta_s + 1) // 2
            for part_s in (at_s - half_s, at_s + half_s):
                yield from self._dated(between, part_s, half_s)
            return
        yield from rows

    def _regular(
        self, between: Mapping[str, float], clock_s: int, delta_s: int
    ) -> Iterator[Mapping[str, Any]]:
        clock = f"{clock_s // 3600 % 24:02d}:{clock_s // 60 % 60:02d}:{clock_s % 60:02d}"
        asked: dict[str, str | float] = {
            **between,
            "departureTimeOfDay": clock,
            "timeDelta": delta_s,
            "count": FULL,
        }
        rows = self._rows("driver_regular_trips", asked)
        if len(rows) >= FULL and delta_s > SHORTEST_DELTA_S:
            half_s = (delta_s + 1) // 2
            for part_s in (clock_s - half_s, clock_s + half_s):
                yield from self._regular(between, part_s, half_s)
            return
        yield from rows

    def _rows(self, path: str, asked: Mapping[str, str | float]) -> Sequence[Any]:
        """One answer; none where that failed; raises `PartnerAway` once it has failed too often."""
        fetched = self._fetched
        if fetched.queries >= QUERIES_LIMIT:
            fetched.failed, fetched.reason = fetched.failed + 1, "too many queries"
            raise PartnerAway(fetched.reason)
        fetched.queries += 1
        try:
            rows = self._client.get_rows(f"{self._url}/{path}", asked)
        except (PartnerAway, PartnerRefuses) as error:
            self._in_a_row += 1
            fetched.failed, fetched.reason = fetched.failed + 1, f"{path}: {error}"
            if self._in_a_row >= FAILURES_LIMIT:
                raise PartnerAway(fetched.reason) from error
            return ()
        self._in_a_row = 0
        return rows


def main_places(network: Network) -> tuple[list[Coordinate], float]:
    """
    Places around which all meeting points lie, and the radius in metres.

    Each is the point farthest from those before, until none is far or they are many; nobody asks
    farther around than `FAR_M`.
    """
    lat, lon = np.asarray(network.points.lat), np.asarray(network.points.lon)
    if not len(lat):
        return [], 0.0
    chosen = [int(great_circle_m(float(lat.mean()), float(lon.mean()), lat, lon).argmin())]
    away_m = great_circle_m(float(lat[chosen[0]]), float(lon[chosen[0]]), lat, lon)
    while away_m.max() > NEAR_M and len(chosen) < PLACES_LIMIT:
        chosen.append(int(away_m.argmax()))
        more_m = great_circle_m(float(lat[chosen[-1]]), float(lon[chosen[-1]]), lat, lon)
        away_m = np.minimum(away_m, more_m)
    places = [Coordinate(float(lat[i]), float(lon[i])) for i in chosen]
    return places, min(max(float(away_m.max()), 1_000.0), FAR_M)


def _between(start: Coordinate, end: Coordinate, radius_m: float) -> dict[str, float]:
    radius_km = round(radius_m / 1000 + 0.05, 1)
    return {
        "departureLat": start.lat, "departureLng": start.lon, "departureRadius": radius_km,
        "arrivalLat": end.lat, "arrivalLng": end.lon, "arrivalRadius": radius_km,
    }  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Change:
    """A new offer, or a new version of one."""

    key: str
    offer: Offer
    digest: bytes
    body: Body
    known: KnownOffer | None


def _store(
    engine: Engine,
    wakeups: Wakeups,
    snapshot: Snapshot,
    operator: StoredOperator,
    drives: Sequence[Drive],
    fetched: Fetched,
    now: dt.datetime,
) -> None:
    """Compile what is new, before any transaction; store it, and end what is gone."""
    name = operator.told.operator
    today = now.astimezone(snapshot.network.zone).date()
    with engine.connect() as connection:
        known = list_known(connection, name)
    seen: list[str] = []
    for part in _parts(_changes(snapshot, name, drives, known, today, fetched, seen)):
        _announce(engine, wakeups, snapshot, operator, part, now)
    with engine.begin() as connection:
        note_seen(connection, name, seen, now)
    gone = [
        key
        for key, one in known.items()
        if key not in set(seen)
        and (
            fetched.complete
            or one.seen_at < now - KEPT_UNSEEN
            or parse_offer(one.content, one.offer_id).valid_to < today
        )
    ]
    for ended in _parts(gone):
        with engine.begin() as connection:
            revision = max(end_outside(connection, name, key, now) for key in ended)
        wakeups.announce(revision)
    fetched.ended = len(gone)


def _parts(items: Iterable[T]) -> Iterator[list[T]]:
    """Items of one transaction each."""
    left = iter(items)
    while part := list(islice(left, AT_ONCE)):
        yield part


def _changes(
    snapshot: Snapshot,
    name: str,
    drives: Sequence[Drive],
    known: Mapping[str, KnownOffer],
    today: dt.date,
    fetched: Fetched,
    seen: list[str],
) -> Iterator[_Change]:
    """What is new or other than known; keys of all that is there are added to `seen`."""
    for drive in drives:
        if len(seen) >= OFFERS_LIMIT:
            fetched.left_out += 1
            continue
        try:
            offer = offer_of(drive, name, today)
            digest, before = digest_of(offer), known.get(drive.key)
            if before is not None and (before.ended or before.digest == digest):
                fetched.unchanged += 1
                seen.append(drive.key)
                continue
            offer_id = OfferId(str(uuid.uuid4())) if before is None else before.offer_id
            offer, body = _compiled(snapshot.network, replace(offer, id=offer_id))
        except InvalidOffer:
            fetched.unusable += 1
            continue
        seen.append(drive.key)
        fetched.added += before is None
        fetched.changed += before is not None
        yield _Change(drive.key, offer, digest, body, before)


def _compiled(network: Network, offer: Offer) -> tuple[Offer, Body]:
    """Compile an offer along its drawn way, or without it where that does not lead through."""
    plain = replace(offer, vias=())
    body = compile_offer(network, plain)
    if not offer.vias:
        return offer, body
    try:
        drawn = compile_offer(network, offer)
    except OfferUnusable:
        return plain, body
    return (offer, drawn) if drawn.solo_s <= body.solo_s * LONGER_BY else (plain, body)


def _announce(
    engine: Engine,
    wakeups: Wakeups,
    snapshot: Snapshot,
    operator: StoredOperator,
    changes: Sequence[_Change],
    now: dt.datetime,
) -> None:
    """Store some offers at once, then wake the processes that search them."""
    ground, revision = snapshot.ground_hash, 0
    with engine.begin() as connection:
        store = SqlOfferStore(connection)
        for change in changes:
            packed = pack_body(change.body)
            if change.known is None:
                revision = store.add_offer(
                    change.offer, ground, packed, driver_id=operator.person_id
                )
            else:
                revision = store.replace_offer(change.offer, change.known.version, ground, packed)
            know(
                connection, operator.told.operator, change.key, change.offer.id, change.digest, now
            )
    wakeups.announce(revision)
