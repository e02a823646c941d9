"""What the demo's rider has used lately, told as readers and operators would tell it."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterator
from contextlib import suppress
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np

from core.modes import RAIL_MODES, Mode, mode_of_route_type
from gtfs_data.timetable import Timetable
from mobility.actions.take_usage import take_usage
from mobility.db.engine import Engine, read_quote_key
from mobility.db.media import MediumTaken, link_medium
from mobility.db.rights import put_right
from mobility.mapping.cloud_events import RIDE, medium_digest, read_event
from mobility.world import World
from payments.ride_halves import RideHalf
from payments.rights import PaidFor
from payments.tariff import ONE_DAY

CARD = "demo-rosa"
EMPLOYER = "atelier-durand"
BUS_DAYS = (11, 3, 2, 1, 0)
"""Days before the last one on which three buses reach the cap of a day; four of them a week's."""
BUS_HOURS = (7, 10, 17)
TRAIN_DAY, CARPOOL_DAY, BIKE_DAY = 5, 4, 4
LAST_OF_MONTH = 28
"""Of the month before: it shows all of that as well, also to who looks on the second of a month."""


def seed_usage(engine: Engine, world: World, rider_id: uuid.UUID, now: dt.datetime) -> None:
    """
    Link a card to the rider and tell what it was used for, once for each date.

    That is in the days until yesterday, and in the month before. The tap out of trains comes after
    all else: until then the whole line was billed.
    """
    if world.tariffs is None:
        return
    with engine.connect() as connection:
        key = read_quote_key(connection)
    # Somebody who tries the demo may have linked it to another user: it is his then.
    with suppress(MediumTaken), engine.begin() as connection:
        link_medium(
            connection, medium_digest(key, CARD), rider_id, "Carte de démonstration", now,
            world.tariffs.month_start,
        )  # fmt: skip
    _seed_payers(engine, rider_id, now)
    network = world.network
    today = now.astimezone(network.zone).date()
    last_month = (today.replace(day=1) - ONE_DAY).replace(day=LAST_OF_MONTH)
    read = [
        [read_event(event, "demo", key, network, now) for event in _events(network.timetable, last)]
        for last in (last_month, today - ONE_DAY)
    ]
    told = [[each for each in events if not isinstance(each, RideHalf)] for events in read]
    take_usage(engine, world, [event for *first, _ in told for event in first], now)
    take_usage(engine, world, [late for *_, late in told], now)


def _seed_payers(engine: Engine, rider_id: uuid.UUID, now: dt.datetime) -> None:
    """Her employer pays half of her passes, and of her carpool rides and bikes."""
    year = (now.date() - 40 * ONE_DAY).replace(month=1, day=1), dt.date(now.year, 12, 31)
    with engine.begin() as connection:
        for payer in ("employer", "mobility"):
            put_right(connection, rider_id, PaidFor(payer, EMPLOYER, *year), "demo", now)


def _events(t: Timetable, last: dt.date) -> Iterator[dict[str, Any]]:
    """What a card is used for in the days until the last one; the tap out of a train at the end."""
    zone = ZoneInfo(t.feed_zone[0])
    bus_route, bus_stops = _line(t, frozenset({Mode.BUS}))
    train_route, train_stops = _line(t, RAIL_MODES)

    def event(days_before: int, hour: float, kind: str, **data: object) -> dict[str, Any]:
        day = last - days_before * ONE_DAY
        at = dt.datetime.combine(day, dt.time(), zone) + dt.timedelta(hours=hour)
        return {
            "specversion": "1.0", "source": "demo", "id": f"{day}/{hour}/{kind}",
            "type": kind, "time": at.isoformat(), "data": {"medium": CARD, **data},
        }  # fmt: skip

    tap = "mobility.tap."
    yield event(TRAIN_DAY, 7.5, f"{tap}in", stop=train_stops[0], route=train_route)
    yield event(CARPOOL_DAY, 7, RIDE, mode="carpool", metres=14_200, seconds=1_140)
    yield event(BIKE_DAY, 18, RIDE, mode="bike", metres=6_400, seconds=2_700)
    for days_before in BUS_DAYS:
        for hour in BUS_HOURS:
            yield event(days_before, hour, f"{tap}board", stop=bus_stops[0], route=bus_route)
    end = len(train_stops) // 2
    yield event(TRAIN_DAY, 8, f"{tap}out", stop=train_stops[end], route=train_route)


def _line(t: Timetable, modes: frozenset[Mode]) -> tuple[str, list[str]]:
    """The longest way of a line of some modes: its route and its stops."""
    wanted = np.array([mode_of_route_type(kind) in modes for kind in t.route_type.tolist()], bool)
    lengths = np.where(wanted[t.pattern_route], np.diff(t.pattern_first_stop), 0)
    pattern = int(lengths.argmax())
    first = t.pattern_first_stop[pattern]
    stops = t.pattern_stop[first : first + lengths[pattern]].tolist()
    return t.route_id[t.pattern_route[pattern]], [t.stop_id[stop] for stop in stops]
