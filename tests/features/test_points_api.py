"""Three people suspend a bad meeting point; the authority confirms or restores it."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from mobility.actions.report_point import report_point
from mobility.db.engine import Engine
from mobility.db.points import Reason, Report, lock_points, suspend
from mobility.db.schema import audit
from tests.support.booked import Ask, book, found, leg_of, told, wait_until
from tests.support.bookings import Booth, Driven, at_once, first_pair, now, outcome
from tests.support.users import Somebody, code_of

UNSAFE = {"reason": "unsafe", "text": "sans trottoir"}


def path_of(point: str) -> str:
    return f"/meeting-points/{quote(point, safe='')}"


@pytest.fixture
def restored(ask: Ask) -> Any:
    """Points that are put back at the end."""
    points: set[str] = set()
    yield points
    for point in points:
        ask("authority", "POST", f"{path_of(point)}/restore")


def report(ask: Ask, who: Somebody, point: str) -> httpx.Response:
    return ask(who.secret, "POST", f"{path_of(point)}/reports", json=UNSAFE)


def test_three_people_suspend_a_point_and_the_authority_restores_it(
    api: httpx.Client,
    ask: Ask,
    engine: Engine,
    somebody: Callable[..., Somebody],
    drive: Callable[..., dict[str, Any]],
    restored: set[str],
) -> None:
    offer = drive(150, seats=3)
    leg = found(api, offer)
    point = leg["mobility"]["pickup_point_id"]
    restored.add(point)
    assert book(ask, leg, confirm=True).status_code == 201
    left = found(api, offer)
    unbooked = drive(151)
    assert found(api, unbooked)["mobility"]["pickup_point_id"] == point
    first, second, third = (somebody() for _ in range(3))
    assert report(ask, first, point).json() == {"suspended": False}
    assert code_of(report(ask, first, point)) == "already_reported"
    assert report(ask, second, point).json() == {"suspended": False}
    assert report(ask, third, point).json() == {"suspended": True}

    def elsewhere() -> bool:
        """Whether neither the whole offer nor what is left of the booked one stops there."""
        legs = [leg_of(api, offer), leg_of(api, unbooked)]
        return point not in {
            leg["mobility"][end]
            for leg in legs
            if leg is not None
            for end in ("pickup_point_id", "dropoff_point_id")
        }

    wait_until(elsewhere)
    other = somebody()
    refused = book(ask, left, who=other.secret)
    if left["mobility"]["pickup_point_id"] == point:
        assert (refused.status_code, code_of(refused)) == (409, "point_suspended")
    for who in ("rider", "driver"):
        notice = told(ask, who, "point_suspended", point=point, date=offer["date"])
        assert notice is not None, who
        assert notice["booking_id"]
    assert told(ask, "authority", "point_suspended", point=point, booking_id=None)
    assert code_of(ask(first.secret, "GET", "/meeting-points/reported")) == "not_allowed"
    listed = {p["point"]: p for p in ask("authority", "GET", "/meeting-points/reported").json()}
    assert [r["text"] for r in listed[point]["reports"]] == ["sans trottoir"] * 3
    assert set(listed[point]["reports"][0]) == {"reason", "text", "at"}, "not who"
    assert ask("authority", "POST", f"{path_of(point)}/suspend").status_code == 204
    listed = {p["point"]: p for p in ask("authority", "GET", "/meeting-points/reported").json()}
    assert (listed[point]["reports"], listed[point]["confirmed_at"] is not None) == ([], True)
    assert report(ask, first, point).json() == {"suspended": True}, "its last one was looked at"
    assert ask("authority", "POST", f"{path_of(point)}/restore").status_code == 204
    wait_until(lambda: not elsewhere())
    with engine.connect() as connection:
        rows = connection.execute(
            audit.select().where(audit.c.subject == point).order_by(audit.c.id)
        )
        acts = [row.act for row in rows]
    assert acts == ["point_suspended", "point_suspension_confirmed", "point_restored"]
    assert report(ask, second, point).json() == {"suspended": False}, "counted anew"


def test_what_is_no_point_is_not_reported(ask: Ask, somebody: Callable[..., Somebody]) -> None:
    who = somebody()
    unknown = report(ask, who, f"nowhere/{uuid.uuid4()}")
    assert (unknown.status_code, code_of(unknown)) == (404, "point_unknown")
    assert code_of(ask("authority", "POST", f"{path_of('nowhere')}/suspend")) == "point_unknown"
    wrong = ask(who.secret, "POST", f"{path_of('x')}/reports", json={"reason": "ugly"})
    assert (wrong.status_code, code_of(wrong)) == (422, "invalid_input")


def test_a_point_that_is_suspended_while_somebody_books_is_not_booked_untold(
    booth: Booth, driven: Callable[..., Driven], ask: Ask, restored: set[str]
) -> None:
    """Whichever comes first, a booking at a suspended point is either refused or told of it."""
    for _ in range(4):
        ride, rider = driven(), booth.person("rider")
        pickup, dropoff = first_pair(ride)
        point = booth.desk.snapshot.network.points.id[ride.way.body.point[pickup]]
        restored.add(point)
        for who in (booth.person("one"), booth.person("two")):
            report_point(booth.desk, who, point, Report(Reason.UNSAFE, "", now()), now=now())
        third, text = booth.person("three"), booth.quote(ride, pickup, dropoff)

        def last(third: Any = third, point: str = point) -> bool:
            given = Report(Reason.UNSAFE, "", now())
            return report_point(booth.desk, third, point, given, now=now())

        results = at_once(
            last,
            lambda rider=rider, text=text: booth.hold(rider, text),  # type: ignore[misc]
        )
        assert results[0] is True
        if results[1] != "point_suspended":
            (held,) = results[1]
            with booth.desk.engine.connect() as connection:
                from mobility.db.notices import was_told

                assert was_told(
                    connection, rider.person_id, "point_suspended", since=held.created_at
                )
        ask("authority", "POST", f"{path_of(point)}/restore")


def test_who_books_waits_for_whoever_suspends(
    booth: Booth, driven: Callable[..., Driven], ask: Ask, restored: set[str]
) -> None:

    ride, rider = driven(), booth.person("rider")
    pickup, dropoff = first_pair(ride)
    point = booth.desk.snapshot.network.points.id[ride.way.body.point[dropoff]]
    restored.add(point)
    text, result = booth.quote(ride, pickup, dropoff), []
    with booth.desk.engine.begin() as connection:
        lock_points(connection)
        thread = threading.Thread(
            target=lambda: result.append(outcome(lambda: booth.hold(rider, text))[1])
        )
        thread.start()
        thread.join(timeout=1)
        assert thread.is_alive(), "it waits"
        suspend(connection, point, now())
    thread.join(timeout=30)
    assert result == ["point_suspended"]
