"""What a booking waits for, and what it does not."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
import sqlalchemy as sa

from mobility.actions.book_seats import RideNotFree
from mobility.db.engine import in_one_trip
from mobility.db.rides import AlreadyOnTheWay, SqlRideStore
from mobility.db.schema import person, ride
from tests.support.bookings import Booth, Driven, first_pair

QUICK_S = 10
UNIQUE = "23505"
"""SQLSTATE of a row that is there already."""


def test_who_has_no_place_is_refused_while_somebody_else_has_the_ride(
    booth: Booth, driven: Callable[..., Driven]
) -> None:
    full = driven(seat_count=1)
    quote = booth.quote(full, *first_pair(full))
    (held,) = booth.hold(booth.person("first"), quote)
    other = booth.person("other")
    with ThreadPoolExecutor() as pool:
        with booth.desk.engine.begin() as connection:
            SqlRideStore(connection).lock_ride(held.ride_id)
            refused = pool.submit(booth.hold, other, quote).exception(QUICK_S)
        assert isinstance(refused, RideNotFree)


def test_a_plan_that_changed_before_the_lock_is_looked_at_again(
    booth: Booth, driven: Callable[..., Driven], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The only seat is taken by another between the look at the plan and the lock."""
    ride_of = driven(seat_count=1)
    quote = booth.quote(ride_of, *first_pair(ride_of))
    first, second = booth.person("first"), booth.person("second")
    lock_rides = SqlRideStore.lock_rides

    def after_another(store: SqlRideStore, ids: list[object]) -> object:
        monkeypatch.setattr(SqlRideStore, "lock_rides", lock_rides)
        booth.hold(first, quote)
        return lock_rides(store, ids)  # type: ignore[arg-type]

    monkeypatch.setattr(SqlRideStore, "lock_rides", after_another)
    with pytest.raises(RideNotFree):
        booth.hold(second, quote)
    assert booth.seats_taken(ride_of) == [("held", 1)]


def test_a_ride_that_a_restored_database_does_not_have_is_made_anew(
    booth: Booth, driven: Callable[..., Driven]
) -> None:
    of = driven()
    quote = booth.quote(of, *first_pair(of))
    with pytest.raises(AlreadyOnTheWay):
        booth.hold(of.driver, quote)  # makes the ride, and this process knows it
    with booth.desk.engine.begin() as connection:
        gone = connection.execute(ride.delete().where(ride.c.offer_id == of.offer.id))
    assert gone.rowcount == 1
    assert len(booth.hold(booth.person("rider"), quote)) == 1


def test_what_one_of_several_writes_raises_undoes_all(booth: Booth) -> None:
    first, second, third = (booth.person(name) for name in ("first", "second", "third"))
    before, taken = booth.alias(first), booth.alias(third)

    def rename() -> None:
        with booth.desk.engine.begin() as connection, in_one_trip(connection):
            for who, alias in ((first, f"{before}-new"), (second, taken)):
                of = person.c.id == who.person_id
                connection.execute(person.update().where(of).values(alias=alias))

    with pytest.raises(sa.exc.IntegrityError) as raised:
        rename()
    assert getattr(raised.value.orig, "sqlstate", None) == UNIQUE
    assert (booth.alias(first), booth.alias(third)) == (before, taken)
