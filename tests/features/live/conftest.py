"""Rides on the demo that a rider is sure to be taken along on."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from carpool.bookings import BookingState
from core.time import to_instant
from mobility.actions.book_seats import confirm_seats
from mobility.installation import Installation, open_installation
from mobility.settings import Settings
from mobility.users.scopes import EVERYBODYS, Principal
from tests.support.bookings import Booth, Driven, pairs_alone
from tests.support.ridden import MINUTE, Ridden
from tests.support.users import Somebody

HTTP_DEPARTS = 12 * MINUTE
"""From now: near enough to be followed."""


@pytest.fixture(scope="module")
def here(demo_home: Path, booth: Booth) -> Iterator[Installation]:
    opened = open_installation(Settings(home=demo_home))
    yield opened
    opened.close()


@pytest.fixture
def ridden(
    booth: Booth, here: Installation, driven: Callable[..., Driven]
) -> Callable[..., Ridden]:
    """Publishes a drive and books a seat on it, hours before."""

    def publish(*, rider: Principal | None = None, from_start_s: int = 0, **changes: Any) -> Ridden:
        drive = driven(**changes)
        body = drive.way.body
        p, q, _ = next(
            pair for pair in pairs_alone(drive.way) if body.from_start_s[pair[0]] >= from_start_s
        )
        who = rider or booth.person("rider")
        before = to_instant(drive.way.earliest_s) - dt.timedelta(hours=2)
        (held,) = booth.hold(who, booth.quote(drive, p, q), now=before)
        (booked,) = confirm_seats(booth.desk, who, held.id, now=before)
        assert booked.state is BookingState.CONFIRMED
        return Ridden(booth, here, drive, who, booked, (p, q))

    return publish


@pytest.fixture
def today(
    ridden: Callable[..., Ridden], booth: Booth, somebody: Callable[..., Somebody]
) -> Callable[..., tuple[Ridden, Somebody, Somebody]]:
    """A ride that leaves soon, with the secrets of its driver and its rider."""

    def publish(**changes: Any) -> tuple[Ridden, Somebody, Somebody]:
        driver, rider = somebody(), somebody()
        zone = booth.desk.snapshot.network.zone
        leaves = (dt.datetime.now(dt.UTC) + HTTP_DEPARTS).astimezone(zone)
        second = leaves.hour * 3600 + leaves.minute * 60
        ride = ridden(
            rider=principal(rider), driver=principal(driver), date=leaves.date(),
            window_s=(second, second + 600), **changes,
        )  # fmt: skip
        return ride, driver, rider

    return publish


def principal(who: Somebody) -> Principal:
    return Principal(who.id, who.person_id, uuid.uuid4(), EVERYBODYS)
