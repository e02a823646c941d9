"""Bookings on a database that is not as this process knows it, and writes that go together."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable

import pytest
import sqlalchemy as sa

from mobility.db.engagements import AlreadyOnTheWay
from mobility.db.engine import LATER, DatabaseAway, begin_in_trips
from mobility.db.rides import RideNotFound
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


@pytest.mark.parametrize("reads", [False, True])
def test_what_one_of_several_writes_raises_undoes_all(booth: Booth, *, reads: bool) -> None:
    first, second, third = (booth.person(name) for name in ("first", "second", "third"))
    before, taken = booth.alias(first), booth.alias(third)

    def rename() -> None:
        with begin_in_trips(booth.desk.engine) as connection:
            for who, alias in ((first, f"{before}-new"), (second, taken), (third, taken)):
                of = person.c.id == who.person_id
                write = person.update().where(of).values(alias=alias)
                connection.execute(write, execution_options=LATER)
            if reads:
                connection.execute(sa.select(person.c.id).limit(1))

    with pytest.raises(sa.exc.IntegrityError) as raised:
        rename()
    assert getattr(raised.value.orig, "sqlstate", None) == UNIQUE
    assert (booth.alias(first), booth.alias(third)) == (before, taken)


def test_what_is_written_later_is_there_once_it_is_read_or_committed(booth: Booth) -> None:
    who = booth.person("first")
    of = person.c.id == who.person_id
    alias = booth.alias(who)
    with begin_in_trips(booth.desk.engine) as connection:
        for end in ("-a", "-b"):
            write = person.update().where(of).values(alias=person.c.alias + end)
            connection.execute(write, execution_options=LATER)
            found = connection.execute(sa.select(person.c.alias).where(of)).scalar_one()
            alias += end
            assert found == alias
        last = person.update().where(of).values(alias=f"{alias}-c")
        connection.execute(last, execution_options=LATER)
    assert booth.alias(who) == f"{alias}-c"


def test_one_s_own_error_is_not_hidden_by_what_a_later_write_raises(booth: Booth) -> None:
    first, second = booth.person("first"), booth.person("second")
    taken = booth.alias(second)

    def rename() -> None:
        with begin_in_trips(booth.desk.engine) as connection:
            write = person.update().where(person.c.id == first.person_id).values(alias=taken)
            connection.execute(write, execution_options=LATER)
            raise RideNotFound("another reason")

    with pytest.raises(RideNotFound):
        rename()
    assert booth.alias(first) != taken


def test_a_transaction_goes_on_behind_a_write_that_was_taken_back(booth: Booth) -> None:
    first, second = booth.person("first"), booth.person("second")
    taken = booth.alias(second)
    of = person.c.id == first.person_id
    with begin_in_trips(booth.desk.engine) as connection:
        with pytest.raises(sa.exc.IntegrityError), connection.begin_nested():
            connection.execute(person.update().where(of).values(alias=taken))
        write = person.update().where(of).values(alias=f"{taken}-too")
        connection.execute(write, execution_options=LATER)
    assert booth.alias(first) == f"{taken}-too"


def test_a_server_that_goes_away_in_between_is_told_of_as_such(booth: Booth) -> None:
    def end() -> None:
        with begin_in_trips(booth.desk.engine) as connection:
            driver = connection.connection.driver_connection
            assert driver is not None
            with socket.socket(fileno=os.dup(driver.fileno())) as line:
                line.shutdown(socket.SHUT_RDWR)
            connection.execute(sa.select(person.c.id).limit(1))

    with pytest.raises(DatabaseAway):
        end()
    assert booth.alias(booth.person("first"))
