"""Another carpool operator, as its server answers ours."""

from __future__ import annotations

import datetime as dt
import json
import re
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import httpx

from mobility.actions.fetch_outside import Fetched, fetch_due
from mobility.actions.manage_operators import enter_operator
from mobility.db.changes import latest_revision
from mobility.db.operators import Operator, get_operator, make_due
from mobility.db.outside_offers import list_known
from mobility.partner_client import PartnerClient
from tests.support.bookings import Booth
from tests.support.standard_covoiturage import ZONE, Json

NOW = dt.datetime.now(dt.UTC)
TOMORROW = (NOW.astimezone(ZONE) + dt.timedelta(days=1)).date()


@dataclass
class OtherOperator:
    """
    Answers every search with all of its rows, as a careless server may.

    `spoil` may give another answer, or raise what the network would.
    """

    operator: str = field(default_factory=lambda: f"op-{uuid.uuid4().hex[:12]}.example.org")
    key: str = field(default_factory=lambda: f"secret-{uuid.uuid4().hex}")
    journeys: list[Any] = field(default_factory=list)
    trips: list[Any] = field(default_factory=list)
    asked: list[httpx.Request] = field(default_factory=list)
    spoil: Callable[[httpx.Request], httpx.Response | None] = lambda _: None

    @property
    def url(self) -> str:
        return f"https://{self.operator}/standard"

    def client(self, key: str | None = None) -> PartnerClient:
        return PartnerClient(key or self.key, httpx.MockTransport(self._answer))

    def _answer(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        spoilt = self.spoil(request)
        if spoilt is not None:
            return spoilt
        if request.headers.get("x-api-key") != self.key:
            return httpx.Response(401)
        found = re.fullmatch(r"/standard/driver_(journeys|regular_trips)", request.url.path)
        assert found is not None
        rows = self.journeys if found[1] == "journeys" else self.trips
        return httpx.Response(200, content=json.dumps(rows))

    def journey(self, start: Json, end: Json, pickup_s: int, **changes: Any) -> Json:
        """A row about a drive of somebody new."""
        number = uuid.uuid4().hex
        driver = {"id": number, "operator": self.operator, "alias": f"Nils {number[:4]}"}
        row = {
            "id": number, "operator": self.operator, "driver": driver, "duration": 600,
            "type": "PLANNED", "passengerPickupLat": start["lat"],
            "passengerPickupLng": start["lon"], "passengerDropLat": end["lat"],
            "passengerDropLng": end["lon"], "passengerPickupDate": pickup_s, "availableSeats": 2,
            "price": {"type": "PAYING", "amount": 1.8, "currency": "EUR"},
            "webUrl": f"https://{self.operator}/j/{number}",
        }  # fmt: skip
        return {**row, **changes}

    def trip(self, start: Json, end: Json, clock: str, days: list[str], **changes: Any) -> Json:
        """A row about what somebody new drives every week."""
        row = self.journey(start, end, 0, **changes)
        for name in ("passengerPickupDate", "id", "type"):
            del row[name]
        schedules = [{"passengerPickupDay": d, "passengerPickupTimeOfDay": clock} for d in days]
        return {**row, "schedules": schedules}


class Fetching:
    """One operator, fetched into the demo at times of one's own."""

    def __init__(self, booth: Booth, other: OtherOperator) -> None:
        self.desk, self.other, self.engine = booth.desk, other, booth.desk.engine
        told = Operator(other.operator, other.url, None, None)
        enter_operator(self.engine, told, other.key, now=NOW)

    def __call__(self, now: dt.datetime = NOW) -> Fetched:
        with self.engine.begin() as connection:
            make_due(connection, now)
        done = fetch_due(
            self.engine, self.desk.wakeups, self.desk.snapshot,
            lambda operator: self.other.client(operator.key), now=now,
        )  # fmt: skip
        return done[self.other.operator]

    def known(self) -> dict[str, Any]:
        with self.engine.connect() as connection:
            return {str(of.offer_id): of for of in self._list(connection).values()}

    def _list(self, connection: Any) -> dict[str, Any]:
        return list_known(connection, self.other.operator)

    def revision(self) -> int:
        with self.engine.connect() as connection:
            return latest_revision(connection)

    def stored(self) -> Any:
        with self.engine.connect() as connection:
            return get_operator(connection, self.other.operator)
