"""Bookings on a database that is not as this process knows it, and writes that go together."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import sqlalchemy as sa

from mobility.db.engine import in_one_trip
from mobility.db.rides import AlreadyOnTheWay
from mobility.db.schema import person, ride
from tests.support.bookings import Booth, Driven, first_pair

UNIQUE = "23505"
"""SQLSTATE of a row that is there already."""


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
