"""Versions of the tariff: drafted, reviewed, published from a day on, taken back."""

from __future__ import annotations

import datetime as dt
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from mobility.actions.close_month import close_month, correct_months
from mobility.actions.publish_tariff import (
    DayTaken,
    Desk,
    NothingBefore,
    NotReviewed,
    StartsWithinMonth,
    TariffKept,
    TariffState,
    discard_draft,
    draft_tariff,
    publish_tariff,
    review_tariff,
    roll_back_tariff,
    show_tariffs,
)
from mobility.db.audit import list_acts
from mobility.db.engine import Engine
from mobility.db.ledger import read_balances
from mobility.db.tariffs import TariffUnknown, find_version, list_publications
from mobility.published_tariffs import read_tariffs
from payments.tariff import FareLeg, InvalidTariff
from payments.tariff_file import read_tariff_text
from payments.versions import Tariffs
from tests.features.conftest import ZONE
from tests.support.booked import Ask
from tests.support.books import empty_books, new_accounts, ride
from tests.support.users import code_of

MARCH, APRIL = dt.date(2027, 3, 1), dt.date(2027, 4, 1)
PARIS = ZoneInfo("Europe/Paris")


def written(name: str, cents: int, more: str = "") -> str:
    return f"""\
tariff: {name}
currency: EUR
timezone: Europe/Paris
leg_prices:
  - {{id: bus, when: {{mode: bus}}, base_cents: {cents}}}
products:
  - {{id: week, period: rolling_7d, modes: [bus], price_cents: 900}}
{more}"""


FIRST, SECOND = written("first", 200), written("second", 300)
PARADOX = written(
    "paradox",
    200,
    "fare_journeys:\n  - {id: pair, window_min: 60, pattern: [bus, bus], price_cents: 10}\n",
)


@pytest.fixture
def books(home: Path) -> Iterator[Engine]:
    with empty_books(home) as engine:
        yield engine


@contextmanager
def desk_on(books: Engine, day: dt.date) -> Iterator[Desk]:
    with books.begin() as connection:
        yield Desk(connection, dt.datetime.combine(day, dt.time(10), PARIS))


def ready(desk: Desk, source: str) -> str:
    stored = draft_tariff(desk, source)
    assert review_tariff(desk, stored.hash) == []
    return stored.hash


def held(books: Engine, of_territory: str | None = FIRST) -> Tariffs:
    with books.connect() as connection:
        standing = None if of_territory is None else read_tariff_text(of_territory)
        found = read_tariffs(connection, standing)
    assert found is not None
    return found


def spans(tariffs: Tariffs) -> list[tuple[str, dt.date | None, dt.date | None]]:
    return [(own.id, own.valid_from, own.valid_to) for own in tariffs.versions]


def test_a_version_holds_from_its_day_on_and_can_be_taken_back(books: Engine) -> None:
    standing = read_tariff_text(FIRST), FIRST
    with desk_on(books, dt.date(2027, 3, 10)) as desk:
        stored = draft_tariff(desk, SECOND)
        assert draft_tariff(desk, SECOND) == stored
        assert [act.act for act in list_acts(desk.connection, None, 9)] == ["tariff_drafted"]
        with pytest.raises(NotReviewed):
            publish_tariff(desk, stored.hash, APRIL, standing)
        review_tariff(desk, stored.hash[:8])
        publish_tariff(desk, stored.hash[:8], APRIL, standing)
        with pytest.raises(DayTaken, match="another version"):
            publish_tariff(desk, stored.hash, APRIL, standing)
        with pytest.raises(DayTaken, match="has begun"):
            publish_tariff(desk, stored.hash, dt.date(2027, 3, 10), standing)
    both = [("first", None, dt.date(2027, 3, 31)), ("second", APRIL, None)]
    assert spans(held(books)) == both
    # The file of the territory no longer counts.
    assert spans(held(books, None)) == both
    with desk_on(books, dt.date(2027, 3, 20)) as desk:
        shown = show_tariffs(desk.connection, desk.now)
        assert {own.stored.name: own.state for own in shown} == {
            "first": TariffState.PUBLISHED, "second": TariffState.PUBLISHED
        }  # fmt: skip
        publication, _ = roll_back_tariff(desk)
        assert publication.hash == read_tariff_text(FIRST).content_hash
        with pytest.raises(NothingBefore):
            roll_back_tariff(desk)
    assert spans(held(books)) == [("first", None, None)]


def test_what_holds_already_is_left_tomorrow_at_the_soonest(books: Engine) -> None:
    with desk_on(books, dt.date(2027, 2, 10)) as desk:
        # Nothing held before: whatever is used from now on may have a price.
        publish_tariff(desk, ready(desk, FIRST), dt.date(2027, 2, 1), None)
        publish_tariff(desk, ready(desk, SECOND), MARCH, None)
    with desk_on(books, dt.date(2027, 3, 5)) as desk:
        roll_back_tariff(desk)
    assert spans(held(books, None)) == [
        ("first", dt.date(2027, 2, 1), dt.date(2027, 2, 28)),
        ("second", MARCH, dt.date(2027, 3, 5)),
        ("first", dt.date(2027, 3, 6), None),
    ]
    with books.connect() as connection:
        late = dt.datetime(2027, 4, 1, tzinfo=dt.UTC)
        states = {own.stored.name: own.state for own in show_tariffs(connection, late)}
    assert states == {"first": TariffState.PUBLISHED, "second": TariffState.RETIRED}


def test_a_version_is_reviewed_with_what_the_linter_finds(books: Engine) -> None:
    with desk_on(books, MARCH) as desk:
        stored = draft_tariff(desk, PARADOX)
        found = review_tariff(desk, stored.hash)
        assert [row["code"] for row in found] == ["ride_lowers_bill"]
        assert find_version(desk.connection, stored.hash).reviewed_at is None
        assert review_tariff(desk, stored.hash, is_accepted=True) == found
        kept = find_version(desk.connection, stored.hash)
        assert kept.findings == found
        assert kept.reviewed_at == desk.now
        with pytest.raises(TariffKept):
            discard_draft(desk, stored.hash)
        other = draft_tariff(desk, SECOND)
        discard_draft(desk, other.hash)
        with pytest.raises(TariffUnknown):
            find_version(desk.connection, other.hash)
        with pytest.raises(InvalidTariff, match="currency"):
            draft_tariff(desk, FIRST.replace("EUR", "euro"))


def test_versions_have_one_currency_clock_and_fare_day(books: Engine) -> None:
    with desk_on(books, MARCH) as desk:
        publish_tariff(desk, ready(desk, FIRST), MARCH, None)
        for change in (("EUR", "USD"), ("Europe/Paris", "Europe/London")):
            other = ready(desk, SECOND.replace(*change))
            with pytest.raises(InvalidTariff, match="one currency"):
                publish_tariff(desk, other, APRIL, None)
    with books.connect() as connection:
        assert [own.effective_from for own in list_publications(connection)] == [MARCH]


def test_a_version_with_products_of_a_month_begins_on_its_first_unless_accepted(
    books: Engine,
) -> None:
    month = "  - {id: month, period: calendar_month, modes: [bus], price_cents: 3000}\n"
    within = dt.date(2027, 4, 15)
    with desk_on(books, MARCH) as desk:
        publish_tariff(desk, ready(desk, FIRST), MARCH, None)
        monthly = ready(desk, written("monthly", 300, month))
        with pytest.raises(StartsWithinMonth, match=r"month of the month .*2027-04-15"):
            publish_tariff(desk, monthly, within, None)
        publish_tariff(desk, monthly, within, None, is_accepted=True)
        publish_tariff(desk, monthly, dt.date(2027, 5, 1), None)
        # Its file says the day, so that it was accepted when it was reviewed.
        source = written("said", 300, f"{month}valid_from: 2027-06-15\n")
        stored = draft_tariff(desk, source)
        review_tariff(desk, stored.hash, is_accepted=True)
        publish_tariff(desk, stored.hash, dt.date(2027, 6, 15), None)
        with pytest.raises(StartsWithinMonth):
            publish_tariff(desk, stored.hash, dt.date(2027, 6, 16), None)
    with books.connect() as connection:
        days = [own.effective_from for own in list_publications(connection)]
    assert days == [MARCH, within, dt.date(2027, 5, 1), dt.date(2027, 6, 15)]


@pytest.mark.parametrize(
    "statement",
    [
        "update tariff_version set source = 'other'",
        "delete from tariff_version",
        "truncate tariff_version cascade",
    ],
)
def test_nobody_changes_what_was_published(books: Engine, statement: str) -> None:
    with desk_on(books, MARCH) as desk:
        publish_tariff(desk, ready(desk, FIRST), APRIL, None)
    with pytest.raises(DBAPIError), books.begin() as connection:
        connection.execute(sa.text(statement))


def test_a_month_with_two_versions_is_priced_day_by_day_and_closed(books: Engine) -> None:
    with desk_on(books, dt.date(2027, 3, 1)) as desk:
        standing = read_tariff_text(FIRST), FIRST
        publish_tariff(desk, ready(desk, SECOND), dt.date(2027, 3, 15), standing)
    tariffs = held(books)
    (account,) = new_accounts(books, 1, desk.now)
    legs = [
        FareLeg("bus", dt.datetime(2027, month, day, 8, tzinfo=dt.UTC), 0, id=str(uuid.uuid4()))
        for month, day in ((3, 3), (3, 14), (3, 15), (4, 2))
    ]
    ride(books, tariffs, [(account, leg) for leg in legs], desk.now)
    closed = dt.datetime(2027, 5, 2, tzinfo=dt.UTC)
    for month in (MARCH, APRIL):
        close_month(books, tariffs, month, now=closed)
    with books.connect() as connection:
        net = {of: own.net_cents for (of, _), own in read_balances(connection).items()}
        hashes = set(connection.execute(sa.text("select tariff_hash from rider_month")).scalars())
    assert net[f"rider:{account}"] == 200 + 200 + 300 + 300
    # April depends on both as well: a week may have begun in March.
    assert len(hashes - {own.content_hash for own in tariffs.versions}) == 1
    # A version of later months changes nothing of these; neither does one that reads the same.
    with desk_on(books, dt.date(2027, 5, 2)) as desk:
        publish_tariff(desk, ready(desk, written("third", 500)), dt.date(2027, 6, 1), None)
    ride(books, held(books), [(account, legs[0])], closed)
    assert correct_months(books, held(books), now=closed) == 2
    with books.connect() as connection:
        assert read_balances(connection)[f"rider:{account}", "EUR"].net_cents == 1_000


def test_the_authority_publishes_by_the_api_and_others_do_not(ask: Ask) -> None:
    now = ask("rider", "GET", "/../../open-data/tariff.yaml")
    assert now.status_code == 200
    since = (dt.datetime.now(ZONE).date() + dt.timedelta(days=200)).replace(day=15)
    source = now.text.replace("base_cents: 150", "base_cents: 170")
    assert ask("operator", "POST", "/tariffs", json={"source": source}).status_code == 403
    assert code_of(ask("authority", "POST", "/tariffs", json={"source": "tariff: x"})) == (
        "invalid_tariff"
    )
    drafted = ask("authority", "POST", "/tariffs", json={"source": source})
    assert drafted.status_code == 201, drafted.text
    own = drafted.json()["hash"]
    assert ask("authority", "GET", f"/tariffs/{own[:12]}").text == source
    reviewed = ask("authority", "POST", f"/tariffs/{own}/review", json={})
    assert (reviewed.json()["findings"], reviewed.json()["state"]) == ([], "reviewed")
    day = {"effective_from": since.isoformat()}
    refused = ask("authority", "POST", f"/tariffs/{own}/publication", json=day)
    assert (refused.status_code, code_of(refused)) == (409, "tariff_starts_within_month")
    accepted = {**day, "accept_findings": True}
    published = ask("authority", "POST", f"/tariffs/{own}/publication", json=accepted)
    assert published.json()["days"] == [{"first": since.isoformat(), "last": None}]
    try:
        told = ""
        until = time.monotonic() + 20
        while told != source and time.monotonic() < until:
            told = ask("rider", "GET", f"/../../open-data/tariff.yaml?on={since}").text
            time.sleep(0.1)
        assert told == source
        assert ask("rider", "GET", "/../../open-data/tariff.yaml").text == now.text
    finally:
        back = ask("authority", "POST", "/tariffs/rollback")
    assert back.json()["name"] == "demo-valmont"
    listed = {each["hash"]: each["state"] for each in ask("authority", "GET", "/tariffs").json()}
    assert listed[own] == "reviewed"
    acts = [each["act"] for each in ask("authority", "GET", "/audit").json()["acts"]]
    assert [act for act in acts if act.startswith("tariff_")][:4] == [
        "tariff_rolled_back", "tariff_published", "tariff_reviewed", "tariff_drafted"
    ]  # fmt: skip
