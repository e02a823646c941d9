"""Where a drive of the demo goes, and what people are called."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from mobility.db.engine import Engine
from mobility.db.schema import person
from tests.support.users import Somebody

Drive = Callable[..., dict[str, Any]]


@pytest.fixture
def alias(engine: Engine) -> Callable[[Somebody], str]:
    def read(who: Somebody) -> str:
        with engine.connect() as connection:
            query = person.select().where(person.c.id == who.person_id)
            return str(connection.execute(query).mappings().one()["alias"])

    return read


@pytest.fixture
def ends(drive: Drive) -> dict[str, Any]:
    """Between where a drive of the demo goes."""
    own = drive(120)
    return {"start": own["start"], "end": own["end"]}
