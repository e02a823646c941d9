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
from payments.rights import PaidFor

CARD = "demo-rosa"
EMPLOYER = "atelier-durand"
BUS_DAYS = (12, 4, 3, 2, 1)
"""Days ago on which three buses reach the cap of a day; the last four that of a week."""
BUS_HOURS = (7, 10, 17)
TRAIN_DAYS_AGO, CARPOOL_DAYS_AGO, BIKE_DAYS_AGO = 6, 5, 5


def seed_usage(engine: Engine, world: World, rider_id: uuid.UUID, now: dt.datetime) -> None:
    """
    Link a card to the rider and tell what it was used for in the last days, once for each date.

    The train's tap out comes after all else: until then its whole line was billed.
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
    *first, late = [
        read_event(event, "demo", key, network, now) for event in _events(network.timetable, now)
    ]
    take_usage(engine, world, first, now)
    take_usage(engine, world, [late], now)


def _seed_payers(engine: Engine, rider_id: uuid.UUID, now: dt.datetime) -> None:
    """Her employer pays half of her passes, and of her carpool rides and bikes."""
    first = (now - dt.timedelta(days=max(BUS_DAYS))).date().replace(month=1, day=1)
    year = first, dt.date(now.year, 12, 31)
    with engine.begin() as connection:
        for payer in ("employer", "mobility"):
            put_right(connection, rider_id, PaidFor(payer, EMPLOYER, *year), "demo", now)


def _events(t: Timetable, now: dt.datetime) -> Iterator[dict[str, Any]]:
    zone = ZoneInfo(t.feed_zone[0])
    bus_route, bus_stops = _line(t, frozenset({Mode.BUS}))
    train_route, train_stops = _line(t, RAIL_MODES)

    def event(days_ago: int, hour: float, kind: str, **data: object) -> dict[str, Any]:
        day = now.astimezone(zone).date() - dt.timedelta(days=days_ago)
        at = dt.datetime.combine(day, dt.time(), zone) + dt.timedelta(hours=hour)
        return {
            "specversion": "1.0", "source": "demo", "id": f"{day}/{hour}/{kind}",
            "type": kind, "time": at.isoformat(), "data": {"medium": CARD, **data},
        }  # fmt: skip

    tap = "mobility.tap."
    yield event(TRAIN_DAYS_AGO, 7.5, f"{tap}in", stop=train_stops[0], route=train_route)
    yield event(CARPOOL_DAYS_AGO, 7, RIDE, mode="carpool", metres=14_200, seconds=1_140)
    yield event(BIKE_DAYS_AGO, 18, RIDE, mode="bike", metres=6_400, seconds=2_700)
    for days_ago in BUS_DAYS:
        for hour in BUS_HOURS:
            yield event(days_ago, hour, f"{tap}board", stop=bus_stops[0], route=bus_route)
    end = len(train_stops) // 2
    yield event(TRAIN_DAYS_AGO, 8, f"{tap}out", stop=train_stops[end], route=train_route)


def _line(t: Timetable, modes: frozenset[Mode]) -> tuple[str, list[str]]:
    """The longest way of a line of some modes: its route and its stops."""
    wanted = np.array([mode_of_route_type(kind) in modes for kind in t.route_type.tolist()], bool)
    lengths = np.where(wanted[t.pattern_route], np.diff(t.pattern_first_stop), 0)
    pattern = int(lengths.argmax())
    first = t.pattern_first_stop[pattern]
    stops = t.pattern_stop[first : first + lengths[pattern]].tolist()
    return t.route_id[t.pattern_route[pattern]], [t.stop_id[stop] for stop in stops]
