"""Whether drivers come is learnt from how their booked rides have ended."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

from carpool.bookings import BookingEvent
from carpool.chances import LATE_CANCEL, Chance
from core.ids import OfferId
from mobility.actions.change_booking import Said, Side, change_booking
from mobility.actions.run_ride import start_ride
from mobility.db.chances import list_chances
from tests.support.bookings import Booth, Driven, first_pair

NOT_BEFORE = dt.timedelta()


def chances(booth: Booth, at: dt.datetime) -> dict[OfferId, Chance]:
    with booth.desk.engine.connect() as connection:
        return list_chances(connection, at)


def test_who_comes_and_who_calls_off_on_the_day_is_told_apart(
    booth: Booth, driven: Callable[..., Driven]
) -> None:
    rides = kept, broken, in_time = [driven(seat_count=4) for _ in range(3)]
    riders = [booth.person("rider") for _ in range(3)]
    booked = {
        ride.offer.id: [
            booth.book(rider, booth.quote(ride, *first_pair(ride), spare_s=900))[0]
            for rider in riders
        ]
        for ride in rides
    }
    at = booked[kept.offer.id][0].pickup_from

    def happen(ride: Driven, event: BookingEvent, before: dt.timedelta = NOT_BEFORE) -> None:
        when = booked[ride.offer.id][0].pickup_from - before
        for of in booked[ride.offer.id]:
            said = Said(when, of.code)
            change_booking(booth.desk, ride.driver, Side.DRIVER, of.id, event, said, now=when)

    start_ride(booth.desk, kept.driver, booked[kept.offer.id][0].ride_id, now=at)
    happen(kept, BookingEvent.BOARD)
    happen(kept, BookingEvent.COMPLETE)
    happen(broken, BookingEvent.CANCEL_DRIVER, LATE_CANCEL / 2)
    happen(in_time, BookingEvent.CANCEL_DRIVER, 2 * LATE_CANCEL)
    found = chances(booth, at)
    assert found[kept.offer.id] is Chance.LIKELY
    assert found[broken.offer.id] is Chance.UNSURE
    assert in_time.offer.id not in found
    assert kept.offer.id not in chances(booth, at + dt.timedelta(days=200))
