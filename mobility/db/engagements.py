"""
When people are on the way by booked rides: nobody sits in two cars at once.

An exclusion constraint of PostgreSQL sees to it, whatever is booked at the same time.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg
from sqlalchemy.exc import IntegrityError

from core.errors import Conflict
from mobility.db.engine import LATER
from mobility.db.schema import engagement, person

EXCLUSION = "23P01"
"""SQLSTATE of a row that an exclusion constraint refuses."""


class AlreadyOnTheWay(Conflict):
    """Somebody would sit in two cars at once."""

    code = "already_on_the_way"


@contextmanager
def one_car_at_a_time() -> Iterator[None]:
    """Raise `AlreadyOnTheWay` where somebody would be on the way in two cars at once."""
    try:
        yield
    except IntegrityError as error:
        if getattr(error.orig, "sqlstate", None) != EXCLUSION:
            raise
        raise AlreadyOnTheWay(
            "whoever drives or rides here is on the way in another car at that time"
        ) from error


class Engagement(NamedTuple):
    """When a person is on the way by a ride."""

    ride_id: uuid.UUID
    person_id: uuid.UUID
    start: dt.datetime
    end: dt.datetime


def engage(connection: sa.Connection, whens: Sequence[Engagement], *, later: bool = False) -> None:
    """
    Say when people are on the way by rides, each once a ride.

    One of them in another car then is told of by `one_car_at_a_time`; at the latest by the
    commit if it is for later.
    """
    ordered = sorted(whens, key=lambda of: of.person_id)
    values = {f"{name}s": [getattr(of, name) for of in ordered] for name in Engagement._fields}
    connection.execute(_ENGAGE, values, execution_options=LATER if later else {})


def is_on_the_way(
    connection: sa.Connection, person_id: uuid.UUID, start: dt.datetime, end: dt.datetime
) -> bool:
    """Whether a person drives or rides at some time between two moments."""
    query = sa.select(engagement.c.ride_id).where(
        engagement.c.person_id == person_id,
        engagement.c.during.op("&&")(pg.Range(start, end)),
    )
    return connection.execute(query.limit(1)).first() is not None


def lock_person(connection: sa.Connection, person_id: uuid.UUID) -> None:
    """Let whatever else this person books wait until the commit."""
    connection.execute(_PERSON_LOCKED, {"of": person_id}, execution_options=LATER)


def disengage(
    connection: sa.Connection, ride_id: uuid.UUID, person_ids: Sequence[uuid.UUID]
) -> None:
    """Give people their time back."""
    gone = {"of": ride_id, "who": person_ids}
    connection.execute(_DISENGAGE, gone, execution_options=LATER)


# Statements of every booking, made once.
_WHENS = (
    sa.func.unnest(
        sa.bindparam("ride_ids", type_=pg.ARRAY(sa.Uuid)),
        sa.bindparam("person_ids", type_=pg.ARRAY(sa.Uuid)),
        sa.bindparam("starts", type_=pg.ARRAY(sa.DateTime(timezone=True))),
        sa.bindparam("ends", type_=pg.ARRAY(sa.DateTime(timezone=True))),
    )
    .table_valued("ride_id", "person_id", "start", "end")
    .render_derived()
)
_ENGAGE_NEW = pg.insert(engagement).from_select(
    ["ride_id", "person_id", "during"],
    sa.select(
        _WHENS.c.ride_id, _WHENS.c.person_id, sa.func.tstzrange(_WHENS.c.start, _WHENS.c.end)
    ),
)  # fmt: skip
_ENGAGE = _ENGAGE_NEW.on_conflict_do_update(
    index_elements=[engagement.c.ride_id, engagement.c.person_id],
    set_={"during": _ENGAGE_NEW.excluded.during},
)
_DISENGAGE = engagement.delete().where(
    engagement.c.ride_id == sa.bindparam("of"),
    engagement.c.person_id == sa.any_(sa.bindparam("who", type_=pg.ARRAY(sa.Uuid))),
)
_PERSON_LOCKED = (
    sa.select(person.c.id).where(person.c.id == sa.bindparam("of")).with_for_update(key_share=True)
)
