"""Rides of carpool are forgotten in time, and nobody misses anything that he could still use."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
import sqlalchemy as sa

from carpool.bookings import BookingEvent
from carpool.chances import Chance
from carpool.offers import WEEKDAYS, OfferState
from carpool.partner_bookings import Kind, Status
from carpool.ratings import score
from carpool.retention import cut
from core.geo import Coordinate
from core.ids import OfferId
from mobility.actions import forget_rides as action
from mobility.actions.book_series import Wanted, book_series
from mobility.actions.change_booking import Side, resolve_complaint
from mobility.actions.forget_rides import forget_rides
from mobility.actions.forget_usage import RIDERS_KEPT
from mobility.actions.rate_ride import rate_ride
from mobility.db.chances import forget_seats, keep_seats, list_chances
from mobility.db.engine import Engine
from mobility.db.journeys import JourneyEnds
from mobility.db.notices import list_notices, tell
from mobility.db.offers import SqlOfferStore
from mobility.db.partners import PartnerBooking, add_partner_booking
from mobility.db.past_rides import forget_bookings, is_own_turn
from mobility.db.proposals import Proposal, ProposalState, add_proposal, read_standing
from mobility.db.ratings import list_ratings, scores_of
from mobility.db.schema import (
    answered,
    booking,
    notice,
    offer,
    outbox,
    partner_booking,
    partner_event,
    past_seats,
    proposal,
    ride,
    series,
    series_date,
    wish,
)
from mobility.users.scopes import EVERYBODYS, Principal
from tests.support.booked import Ask
from tests.support.bookings import Booth, Driven, at_once, first_pair, now
from tests.support.past_rides import (
    all_rows,
    bill,
    count_of,
    make_changes_old,
    make_old,
    naming,
    nobody_forgets,
    ride_along,
    wait_for_turn,
)
from tests.support.users import Somebody

DAY = dt.timedelta(days=1)
HERE, THERE = Coordinate(46.463, 1.037), Coordinate(46.528, 1.010)


@pytest.fixture(autouse=True)
def _in_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a test forgets is forgotten then, though the server's upkeep forgets as well."""
    monkeypatch.setattr(action, "is_own_turn", wait_for_turn)


@pytest.fixture
def undisturbed(engine: Engine) -> Iterator[ExitStack]:
    """Keeps the server from forgetting until it is closed."""
    with ExitStack() as stack:
        stack.enter_context(nobody_forgets(engine))
        yield stack


@pytest.fixture
def ridden(booth: Booth, driven: Callable[..., Driven]) -> Callable[..., tuple[Driven, Any]]:
    """Rides along so many days ago; the ride is billed, and rated by both unless said otherwise."""

    def make(days: int, rider: Principal, stars: int = 2, **more: Any) -> tuple[Driven, Any]:
        drive = driven(**more)
        booked = ride_along(booth, drive, rider)
        bill(booth, booked)
        if stars:
            for who, side in ((rider, Side.RIDER), (drive.driver, Side.DRIVER)):
                rate_ride(booth.desk.engine, who, side, booked.id, stars, "", now=booked.dropoff_by)
        make_old(booth, drive, booked, days * DAY)
        return drive, booked

    return make


def person_of(somebody: Somebody) -> Principal:
    """A user of the API, to book as."""
    return Principal(somebody.id, somebody.person_id, uuid.uuid4(), EVERYBODYS)


def test_a_ride_of_121_days_ago_is_forgotten_and_one_of_119_is_not(
    booth: Booth,
    engine: Engine,
    ridden: Callable[..., tuple[Driven, Any]],
    undisturbed: ExitStack,
) -> None:
    rider = booth.person("rider")
    drive, old = ridden(121, rider, stars=2)
    _, young = ridden(119, rider, stars=4, driver=drive.driver)
    people = [rider.person_id, drive.driver.person_id]
    later = now() + 8 * DAY

    def known() -> dict[uuid.UUID, Any]:
        with engine.connect() as connection:
            return scores_of(connection, people, later)

    told = [old.id, old.ride_id, old.together_id]
    with engine.begin() as connection:  # as if another operator had booked it
        seat = PartnerBooking(
            uuid.uuid4(), rider.user_id, str(uuid.uuid4()), Kind.SEAT, {}, None, old.id, None, None
        )
        add_partner_booking(connection, seat, now())
        add_event(connection, seat.id)
    before = known()
    assert before[rider.person_id].count == 2
    assert {table for table, _ in naming(all_rows(engine), *told)} >= {
        "booking", "ride", "journey", "rating", "outbox", "notice", "partner_booking",
    }  # fmt: skip
    undisturbed.close()
    forget_rides(engine, now())
    assert count_of(engine, booking, [old.id, young.id]) == 1
    assert count_of(engine, ride, [old.ride_id, young.ride_id]) == 1
    left = naming(all_rows(engine), *told)
    # That something changed, of which nothing is left; and the leg, which fares forget.
    assert {table for table, _ in left} <= {"change", "fare_leg"}
    assert known() == before
    with engine.connect() as connection:
        assert [each.stars for each in list_ratings(connection, rider.person_id, later)] == [4]
    rows = sorted(map(str, all_rows(engine)))
    forget_rides(engine, now())
    again = sorted(map(str, all_rows(engine)))
    own = [str(each) for each in (*people, young.id, young.ride_id)]
    assert [r for r in again if any(i in r for i in own)] == [
        r for r in rows if any(i in r for i in own)
    ]


def test_pages_show_what_is_kept_and_know_nothing_of_the_rest(
    engine: Engine,
    ask: Ask,
    somebody: Callable[..., Somebody],
    ridden: Callable[..., tuple[Driven, Any]],
    undisturbed: ExitStack,
) -> None:
    who = somebody()
    rider = person_of(who)
    (_, old), (_, young) = (ridden(days, rider, stars=3) for days in (130, 110))

    def own(**params: Any) -> list[str]:
        page = ask(who.secret, "GET", "/bookings", params=params).json()
        return [each["id"] for each in page["bookings"]]

    assert set(own()) == {str(old.id), str(young.id)}
    undisturbed.close()
    forget_rides(engine, now())
    assert own() == [str(young.id)]
    assert own(after=str(old.id)) == []
    for path in ("", "/plan-b", "/live"):
        assert ask(who.secret, "GET", f"/bookings/{old.id}{path}").status_code == 404
    rated = ask(who.secret, "POST", f"/bookings/{old.id}/complain")
    assert rated.status_code == 404
    ratings = ask(who.secret, "GET", "/ratings").json()
    assert (ratings["count"], len(ratings["ratings"])) == (2, 1)
    told = {n["content"].get("booking_id") for n in ask(who.secret, "GET", "/notices").json()}
    assert str(young.id) in told
    assert str(old.id) not in told
    assert ask(who.secret, "GET", "/bills").status_code == 200


def test_an_open_complaint_keeps_its_booking_until_it_is_looked_at(
    booth: Booth, engine: Engine, driven: Callable[..., Driven]
) -> None:
    rider, other, drive = booth.person("rider"), booth.person("other"), driven(seat_count=3)
    booked = ride_along(booth, drive, rider)
    (unanswered,) = booth.book(other, booth.quote(driven(), *first_pair(drive)))
    bill(booth, booked)
    booth.act(rider, Side.RIDER, booked.id, BookingEvent.COMPLAIN, at=booked.dropoff_by)
    make_old(booth, drive, booked, 150 * DAY)
    forget_rides(engine, now())
    assert count_of(engine, booking, [booked.id]) == count_of(engine, ride, [booked.ride_id]) == 1
    assert count_of(engine, offer, [uuid.UUID(drive.offer.id)]) == 1
    assert booth.state(unanswered.id) == "confirmed"
    resolve_complaint(booth.desk, rider, booked.id, now=now())
    forget_rides(engine, now())
    with engine.begin() as connection:  # its two people read what came of it, for a week
        for who in (rider, drive.driver):
            told = list_notices(connection, who.person_id, after=0, count=100)
            assert told[-1].kind == "booking_resolve"
        own = booking.update().where(booking.c.id == booked.id)
        connection.execute(own.values(changed_at=now() - 8 * DAY))
    forget_rides(engine, now())
    assert count_of(engine, booking, [booked.id]) == count_of(engine, ride, [booked.ride_id]) == 0
    with engine.begin() as connection:
        make_changes_old(connection, drive.offer.id, 2 * DAY)
    forget_rides(engine, now())
    assert count_of(engine, offer, [uuid.UUID(drive.offer.id)]) == 0


@pytest.mark.usefixtures("undisturbed")
def test_what_is_not_billed_yet_is_kept(
    booth: Booth, engine: Engine, ridden: Callable[..., tuple[Driven, Any]]
) -> None:
    _, booked = ridden(125, booth.person("rider"))
    past, own = cut(now(), RIDERS_KEPT), outbox.c.booking_id == booked.id
    found = sa.select(booking.c.id).where(booking.c.id == booked.id)
    with engine.connect() as connection:
        for billed_at, left in ((None, 1), (now(), 0)):
            connection.execute(outbox.update().where(own).values(billed_at=billed_at))
            forget_bookings(connection, past, 1_000)
            assert len(connection.execute(found).all()) == left
        connection.rollback()


def test_stars_and_seats_count_once_however_many_forget_and_whoever_dies(
    booth: Booth,
    engine: Engine,
    ridden: Callable[..., tuple[Driven, Any]],
    driven: Callable[..., Driven],
    undisturbed: ExitStack,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    driver = booth.person("driver")
    offered = driven(driver=driver)
    booked = [
        ridden(121 + i, booth.person("rider"), stars=i + 1, driver=driver)[1] for i in range(4)
    ]

    def known() -> tuple[Any, Chance]:
        with engine.connect() as connection:
            scores = scores_of(connection, [driver.person_id], now() + 8 * DAY)
            return scores, list_chances(connection, now())[offered.offer.id]

    before = known()
    assert before == ({driver.person_id: score(1 + 2 + 3 + 4, 4)}, Chance.LIKELY)

    def dies(connection: Any, ids: Any) -> None:
        keep_seats(connection, ids)
        raise RuntimeError("no power")

    undisturbed.close()
    with monkeypatch.context() as patch:
        patch.setattr("mobility.db.past_rides.keep_seats", dies)
        with pytest.raises(RuntimeError):
            forget_rides(engine, now())
    assert count_of(engine, booking, [of.id for of in booked]) == 4
    with monkeypatch.context() as patch:
        patch.setattr(action, "AT_ONCE", 1)
        patch.setattr(action, "is_own_turn", is_own_turn)
        results = at_once(*(lambda: forget_rides(engine, now()) for _ in range(4)))
    assert all(isinstance(result, int) for result in results)
    forget_rides(engine, now())
    assert count_of(engine, booking, [of.id for of in booked]) == 0
    assert known() == before
    query = sa.select(past_seats.c.ran_count, past_seats.c.broken_count)
    own = query.where(past_seats.c.driver_id == driver.person_id)
    with engine.connect() as connection:
        assert connection.execute(own).all() == [(1, 0)] * 4
        # The last of them 191 days ago: they say nothing any more of whether he comes.
        assert offered.offer.id not in list_chances(connection, now() + 70 * DAY)
        assert forget_seats(connection, now() + 70 * DAY) >= 4
        assert connection.execute(own).all() == []
        connection.rollback()


def test_a_series_is_forgotten_as_a_whole_before_its_first_ride(
    booth: Booth, engine: Engine, driven: Callable[..., Driven]
) -> None:
    first = driven()
    last, days = first.date + 20 * DAY, frozenset(WEEKDAYS)
    drive = booth.offer(first.offer, date=first.date, valid_to=last, weekdays=days)
    rider = booth.person("rider")
    quotes = [booth.quote(drive, *first_pair(drive))]
    asked = Wanted(quotes, [], days, last, both_or_none=False, ends=JourneyEnds(HERE, THERE))
    begun = book_series(booth.desk, rider, asked, booth.key, key="once", now=now())
    with engine.connect() as connection:
        of = sa.select(booking.c.id).where(booking.c.rider_id == rider.person_id)
        bookings = list(connection.execute(of).scalars())
    assert len(bookings) > 10
    own, date = series_date.c.series_id == begun, series_date.c.date
    for ago, left in ((117, 1), (120, 0)):
        with engine.begin() as connection:
            from_date = connection.execute(sa.select(sa.func.min(date)).where(own)).scalar_one()
            by = from_date - (now() - ago * DAY).date()
            connection.execute(series_date.update().where(own).values(date=date - by.days))
        forget_rides(engine, now())
        assert count_of(engine, series, [begun]) == left
    assert count_of(engine, booking, bookings) == len(bookings)


def test_wishes_and_offers_that_are_over_go_and_who_has_declined_whom_stays(
    engine: Engine,
    ask: Ask,
    somebody: Callable[..., Somebody],
    driven: Callable[..., Driven],
) -> None:
    who = somebody()
    rider = person_of(who)
    once, regular, ended, lately = [driven() for _ in range(4)]
    today = now().date()
    dates = {"valid_from": today.isoformat(), "valid_to": (today + 30 * DAY).isoformat()}
    content = {
        "start": {"lat": HERE.lat, "lon": HERE.lon},
        "end": {"lat": THERE.lat, "lon": THERE.lon},
        "out": {"leave_from": "02:50", "arrive_by": "04:30"}, "weekdays": ["mon"], **dates,
    }  # fmt: skip
    wishes = [
        uuid.UUID(ask(who.secret, "POST", "/wishes", json=content).json()["id"]) for _ in range(3)
    ]
    with engine.begin() as connection:
        for of in (ended, lately):
            SqlOfferStore(connection).change_state(of.offer.id, OfferState.ENDED)
        for subject in (ended.offer.id, wishes[1]):
            make_changes_old(connection, subject, 121 * DAY)
        past = wish.update().where(wish.c.id == wishes[0])
        connection.execute(past.values(valid_to=today - 123 * DAY))
        connection.execute(wish.update().where(wish.c.id == wishes[1]).values(open=False))
        for wish_id, of, state in (
            (wishes[0], regular, ProposalState.DECLINED), (wishes[2], once, ProposalState.LAPSED),
        ):  # fmt: skip
            made = Proposal(
                uuid.uuid4(), wish_id, uuid.UUID(of.offer.id), None, rider.person_id,
                of.driver.person_id, state, {}, now(), now(),
            )  # fmt: skip
            add_proposal(connection, made)
        over = {**content_of(connection, once.offer.id), "valid_from": "2020-01-01"}
        over["valid_to"] = (today - 123 * DAY).isoformat()
        own = offer.update().where(offer.c.id == uuid.UUID(once.offer.id))
        connection.execute(own.values(content=over))
    forget_rides(engine, now())
    assert [count_of(engine, wish, [each]) for each in wishes] == [0, 0, 1]
    ids = [uuid.UUID(of.offer.id) for of in (once, regular, ended, lately)]
    assert [count_of(engine, offer, [each]) for each in ids] == [1, 1, 0, 1]
    with engine.begin() as connection:
        # Every process was told first that it has ended.
        state = connection.execute(sa.select(offer.c.state).where(offer.c.id == ids[0])).scalar()
        assert state == OfferState.ENDED
        make_changes_old(connection, once.offer.id, 2 * DAY)
    forget_rides(engine, now())
    assert [count_of(engine, offer, [each]) for each in ids] == [0, 1, 0, 1]
    assert [each["id"] for each in ask(who.secret, "GET", "/wishes").json()] == [str(wishes[2])]
    assert ask(who.secret, "GET", "/proposals").json() == []
    with engine.connect() as connection:
        own = sa.select(proposal.c.id).where(proposal.c.rider_id == rider.person_id)
        assert connection.execute(own).all() == []
        declined = read_standing(connection, now()).declined
    assert (rider.person_id, regular.driver.person_id) in declined
    assert (rider.person_id, once.driver.person_id) not in declined


def add_event(connection: sa.Connection, partner_booking_id: uuid.UUID) -> None:
    """Something that another operator was told."""
    event = {"id": uuid.uuid4(), "partner_booking_id": partner_booking_id, "status": "CONFIRMED"}
    told = {"at": now(), "due_at": now(), "outcome": "delivered"}
    connection.execute(partner_event.insert().values(**event, **told))


def content_of(connection: sa.Connection, offer_id: OfferId) -> dict[str, Any]:
    query = sa.select(offer.c.content).where(offer.c.id == uuid.UUID(offer_id))
    found: dict[str, Any] = connection.execute(query).scalar_one()
    return found


def test_rides_with_other_operators_notices_and_answers_go_in_time(
    booth: Booth, engine: Engine
) -> None:
    rider = booth.person("rider")
    made: dict[Any, uuid.UUID] = {}
    with engine.begin() as connection:
        for days in (121, 119, None):
            picked_up = int((now() - days * DAY).timestamp()) if days else "soon"
            made[days] = uuid.uuid4()
            told = PartnerBooking(
                made[days], rider.user_id, str(uuid.uuid4()), Kind.TOLD,
                {"passengerPickupDate": picked_up}, Status.CONFIRMED, None, rider.person_id, None,
            )  # fmt: skip
            add_partner_booking(connection, told, now())
        add_event(connection, made[121])
        for days in (121, 119):
            tell(connection, rider.person_id, "test", {"days": days}, now() - days * DAY)
        for key, days in (("old", 3), ("young", 1)):
            at = now() - days * DAY
            given = {"user_id": rider.user_id, "key": key, "asked": b"", "at": at}
            connection.execute(answered.insert().values(given))
    forget_rides(engine, now())
    assert [count_of(engine, partner_booking, [made[days]]) for days in (121, 119)] == [0, 1]
    assert count_of(engine, partner_booking, [made[None]]) == 0
    with engine.connect() as connection:
        left = sa.select(notice.c.content).where(notice.c.person_id == rider.person_id)
        assert connection.execute(left).scalars().all() == [{"days": 119}]
        keys = sa.select(answered.c.key).where(answered.c.user_id == rider.user_id)
        assert connection.execute(keys).scalars().all() == ["young"]
