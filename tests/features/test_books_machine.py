"""Months of a few riders driven through closing, corrections and payments; what holds always."""

from __future__ import annotations

import datetime as dt
import random
import uuid
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from mobility.actions.close_month import CHARGED_FOR, MonthClosed, close_month, correct_months
from mobility.actions.rate_riders import renew_months
from mobility.actions.receive_payment import receive_payment
from mobility.db.engine import Engine
from mobility.db.fare_schema import fare_account
from mobility.db.ledger import (
    GroupChanged,
    Overdrawn,
    add_postings,
    list_postings,
    read_balances,
)
from mobility.db.paid_months import list_settled
from mobility.db.rights import Right, list_rights, put_right
from mobility.db.schema import person
from mobility.db.statements import mark_stale
from payments.bill import Proof
from payments.ledger import NEVER_OVERDRAWN, Entry, balances, is_genuine, post
from payments.rights import ANOTHER_RIDER, HeldPass, PaidFor
from payments.tariff import FareLeg
from payments.tariff_file import parse_tariff
from payments.versions import Tariffs
from tests.features.test_close_month import APRIL, MARCH, state
from tests.support.books import empty_books, owned, ride
from tests.support.rated_months import rated_months

BEGIN = dt.datetime(2027, 5, 3, 8, tzinfo=dt.UTC)
LAST = dt.datetime(2027, 5, 28, tzinfo=dt.UTC)
"""Later it is forgotten whose rides those of March and before were."""
MONTHS = MARCH, APRIL
TARIFFS = Tariffs((parse_tariff(
    {
        "tariff": "machine", "currency": "EUR", "timezone": "Europe/Paris",
        "leg_prices": [
            {"id": "bus", "when": {"mode": "bus"}, "base_cents": 201},
            {"id": "rail", "when": {"mode": "rail"}, "base_cents": 333},
            {"id": "bike", "when": {"mode": "bike"}, "base_cents": 149},
            {"id": "pool", "when": {"mode": "carpool"}, "base_cents": 251},
        ],
        "categories": [{"id": "youth", "permille": 500}],
        "products": [
            {"id": "day", "period": "fare_day", "modes": ["bus", "rail"], "price_cents": 501},
            {"id": "week", "period": "rolling_7d", "modes": ["bus", "rail"], "price_cents": 901,
             "is_subscription": True},
        ],
        "payers": [
            {"id": "employer", "share_permille": 500, "only_subscriptions": True},
            {"id": "bikes", "share_permille": 1000, "modes": "bike", "max_month_cents": 299},
            {"id": "pool", "share_permille": 400, "modes": "carpool", "is_for_everybody": True},
        ],
        "revenue_shares": {"products": {"week": {"AM_TCL": 2, "porto:STCP": 1}}},
    }
),))  # fmt: skip
PERSONS = [uuid.UUID(int=1 + nth) for nth in range(3)]
ACCOUNTS = [uuid.UUID(int=11 + nth) for nth in range(3)]
CLOSED_FIRST: tuple[dict[dt.date, bool], ...] = (
    {MARCH: True}, {MARCH: True, APRIL: True}, {MARCH: True, APRIL: False}, {APRIL: True},
    {MARCH: False, APRIL: True}, {MARCH: False}, {},
)  # fmt: skip
"""Months that are closed at first, and whether finally."""
CLEARED = (
    "posting", "ledger_balance", "statement", "statement_number", "rider_month", "closed_month",
    "fare_leg", "payer_budget", "proof", "audit",
)  # fmt: skip
"""Tables of which nothing is left for the next run."""

riders = st.sampled_from((0, 0, 1, 2))
near_end = st.sampled_from((28, 29, 30, 31, 2)).map(lambda day: dt.date(2027, 3, day))
near_begin = st.sampled_from((1, 2, 3, 4, 20)).map(lambda day: dt.date(2027, 4, day))
days = near_end | near_begin
kinds = st.sampled_from(
    (("bus", "AM_TCL"), ("bus", "porto:STCP"), ("rail", "AM_TCL"), ("rail", ""), ("bike", ""),
     ("carpool", ""))
)  # fmt: skip


def used(days: st.SearchStrategy[dt.date]) -> st.SearchStrategy[Any]:
    """Who has used what, when, and how far."""
    return st.tuples(riders, days, st.integers(5, 20), kinds, st.sampled_from((0, 700, 3_001)))


some_used = (
    st.lists(used(near_end), min_size=1, max_size=6)
    | st.lists(used(near_begin), min_size=1, max_size=6)
    | st.lists(used(days), min_size=1, max_size=6)
)
"""Often of one month alone: the other one's price may change by it, too."""
shuffles = st.randoms(use_true_random=False)
Proved = tuple[int, str, dt.date, int]
proved = st.tuples(
    riders, st.sampled_from(("youth", "week", "employer", "bikes", ANOTHER_RIDER)), days,
    st.sampled_from((0, 3, 40)),
)  # fmt: skip


class Books(RuleBasedStateMachine):
    """Riders who travel, prove, pay; and an office that closes and corrects whenever it likes."""

    books: ClassVar[Engine]
    owner: ClassVar[Engine]
    came: ClassVar[Counter[str]] = Counter()
    """How often something happened in all runs."""

    def __init__(self) -> None:
        super().__init__()
        self.now = BEGIN
        self.legs: list[tuple[uuid.UUID, FareLeg]] = []
        self.rights: list[tuple[int, Right]] = []
        self.paid: dict[uuid.UUID, int] = defaultdict(int)
        self.references = 0
        self._clear()

    def _clear(self) -> None:
        with self.owner.begin() as connection:
            connection.execute(sa.text("set local session_replication_role = replica"))
            connection.execute(sa.text(f"truncate {', '.join(CLEARED)} cascade"))

    @initialize(
        drawn=st.lists(used(days), min_size=4, max_size=14),
        dice=shuffles,
        closed=st.sampled_from(CLOSED_FIRST),
        paid=st.sampled_from((0, 150, 600)),
    )
    def some_rides_are_known(
        self, drawn: list[Any], dice: random.Random, closed: dict[dt.date, bool], paid: int
    ) -> None:
        """Most runs begin with months that are closed, and paid: late is what comes after."""
        self.learn(drawn, 0, dice)
        for month, is_final in closed.items():
            self.close(month, is_final=is_final)
        if paid:
            self.somebody_pays(0, paid, 0)

    @rule(
        drawn=some_used, again=st.integers(0, 3), dice=shuffles, right=st.none() | proved,
        days=st.sampled_from((0, 0, 0, 11)), corrected=st.sampled_from((True, True, False)),
    )  # fmt: skip
    def rides_become_known(
        self, drawn: list[Any], again: int, dice: random.Random, right: Proved | None, *,
        days: int, corrected: bool,
    ) -> None:  # fmt: skip
        self.wait(days)
        self.learn(drawn, again, dice)
        if right is not None:
            self.prove(right)
        if corrected:
            self.correct()

    def learn(self, drawn: list[Any], again: int, dice: random.Random) -> None:
        new: list[tuple[uuid.UUID, FareLeg]] = []
        for rider, day, hour, (mode, operator), metres in drawn:
            at = dt.datetime(day.year, day.month, day.day, hour, tzinfo=dt.UTC)
            name = f"leg{len(self.legs) + len(new)}"
            leg = FareLeg(mode, at, metres, operator=operator, id=name)
            new.append((ACCOUNTS[rider], leg))
        batch = [*new, *dice.sample(self.legs, min(again, len(self.legs))), *new[:again]]
        dice.shuffle(batch)
        self.legs += new
        cut = dice.randrange(len(batch) + 1)
        for part in (batch[:cut], batch[cut:]):
            if part:
                ride(self.books, TARIFFS, part, self.now)

    @rule(drawn=proved, days=st.sampled_from((0, 1, 4)))
    def something_is_proved(self, drawn: Proved, days: int) -> None:
        self.wait(days)
        self.prove(drawn)
        self.correct()

    def prove(self, drawn: Proved) -> None:
        rider, name, since, days_more = drawn
        span = since, since + dt.timedelta(days=days_more)
        right: Right = PaidFor(name, "acme", *span)
        if name == "youth":
            right = Proof(name, *span)
        elif name == "week":
            right = HeldPass(name, *span)
        elif name == ANOTHER_RIDER:
            right = PaidFor(name, str(ACCOUNTS[(rider + 1) % 3]), *span)
        self.grant(rider, right)

    def grant(self, rider: int, right: Right) -> None:
        """Keep it as `PUT /proofs` does."""
        self.rights.append((rider, right))
        with self.books.begin() as connection:
            put_right(connection, PERSONS[rider], right, "test", self.now)
            mark_stale(connection, [ACCOUNTS[rider]], right.valid_from.replace(day=1))
            renew_months(connection, TARIFFS, [ACCOUNTS[rider]], MONTHS)
        self.came["right"] += 1

    def wait(self, days: int) -> None:
        self.now = min(self.now + dt.timedelta(days=days), LAST)

    @rule(month=st.sampled_from(MONTHS), is_final=st.sampled_from((True, True, False)))
    def months_are_closed(self, month: dt.date, *, is_final: bool) -> None:
        self.close(month, is_final=is_final)
        self.correct()

    def close(self, month: dt.date, *, is_final: bool) -> None:
        try:
            close_month(self.books, TARIFFS, month, now=self.now, is_final=is_final)
        except MonthClosed:
            assert not is_final
            return
        self.came["final" if is_final else "provisional"] += 1
        before = self.count()
        again = close_month(self.books, TARIFFS, month, now=self.now, is_final=is_final)
        assert (again.months, self.count()) == (0, before)

    def correct(self) -> None:
        before, count = self.posted(), self.count()
        correct_months(self.books, TARIFFS, now=self.now)
        for key, (posted, lost, issued_at) in self.posted().items():
            posted_before, lost_before, _ = before.get(key, (0, 0, None))
            change = posted + lost - posted_before - lost_before
            if change < 0:  # what was lost is taken from first
                assert lost == max(lost_before + change, 0)
            elif issued_at is not None and self.now > issued_at + CHARGED_FOR:
                assert (posted, lost) == (posted_before, lost_before + change)
            else:
                assert (posted, lost) == (posted_before + change, lost_before)
        after = self.count()
        assert correct_months(self.books, TARIFFS, now=self.now) == 0
        assert self.count() == after
        self.came["corrected"] += after > count

    def posted(self) -> dict[Any, tuple[int, int, dt.datetime | None]]:
        """What of each month was charged, what was lost, and when it was issued."""
        names = "account_id, month, posted_cents, lost_cents"
        with self.books.connect() as connection:
            rows = connection.execute(sa.text(
                f"select {names}, coalesce(issued_at, closed_at) from rider_month "
                "left join closed_month using (month)"
            ))  # fmt: skip
            return {(row[0], row[1]): tuple(row[2:]) for row in rows}

    @rule(row=st.integers(0, 99), cents=st.integers(1, 900), other=st.integers(0, 1))
    def somebody_pays(self, row: int, cents: int, other: int) -> None:
        with self.books.connect() as connection:
            issued = connection.execute(
                sa.text("select account_id, year, number from statement order by number")
            ).all()
        if not issued:
            return
        account, year, number = issued[row % len(issued)]
        name = f"{year}-{number:06d}"
        more: dict[str, Any] = {"rail": "transfer", "now": self.now}
        more["reference"] = f"ref{self.references}"
        assert receive_payment(self.books, name, cents, **more).is_new
        self.references += 1
        self.paid[account] += cents
        before = self.count()
        if other:
            with pytest.raises(GroupChanged):
                receive_payment(self.books, name, cents + other, **more)
        assert not receive_payment(self.books, name, cents, **more).is_new
        assert self.count() == before
        self.came["payment"] += 1

    @rule(cleared=st.integers(1, 400), paid=st.integers(1, 500))
    def an_operator_is_paid(self, cleared: int, paid: int) -> None:
        """No more than was cleared for it, whatever is tried."""
        held = -self.net().get("operator:AM_TCL", 0)
        for kind, cents in (("operator_cleared", cleared), ("operator_paid", paid)):
            entry = Entry(kind, cents, {"operator": "AM_TCL"})
            group = post(f"run:{self.references}:{kind}", "2027-05", "EUR", [entry])
            try:
                with self.books.begin() as connection:
                    add_postings(connection, [group], self.now.date())
            except Overdrawn:
                assert kind == "operator_paid"
                assert paid > held + cleared
                self.came["overdrawn"] += 1
            else:
                assert kind == "operator_cleared" or paid <= held + cleared
        self.references += 1

    @invariant()
    def books_are_in_order(self) -> None:
        found = state(self.books)
        groups: dict[str, list[Any]] = defaultdict(list)
        for posting in found["postings"]:
            assert is_genuine(posting)
            groups[posting.group].append(posting)
        for own in groups.values():
            assert [posting.nth for posting in own] == list(range(len(own)))
            assert sum(of.net_cents for of in balances(own).values()) == 0
        for account, cents in found["net"].items():
            assert account.partition(":")[0] not in NEVER_OVERDRAWN or cents <= 0
        assert sum(found["net"].values()) == 0
        paid: dict[str, int] = defaultdict(int)
        for posting in found["postings"]:
            if posting.kind == "payment_sent":
                paid[posting.credit] += posting.amount_cents
        assert paid == {f"rider:{account}": cents for account, cents in self.paid.items()}
        with self.books.connect() as connection:
            for account in ACCOUNTS:
                settled = list_settled(connection, account)
                owing = found["net"].get(f"rider:{account}", 0) > 0
                own = [m for m in found["months"] if m["account_id"] == account]
                issued = {m["month"] for m in own if m["state"] == "issued"}
                is_provisional = any(m["state"] == "provisional" for m in own)
                # Whoever owes something has a month that is not paid; nobody else has one.
                unpaid = issued - settled or is_provisional or self.pays_for_others(found, account)
                assert not owing or unpaid
                assert settled <= issued
                assert owing or settled == issued
        self.came["checked"] += 1

    def pays_for_others(self, found: dict[str, Any], account: uuid.UUID) -> bool:
        return any(p["party"] == str(account) for m in found["months"] for p in m["parts"])

    def count(self) -> int:
        with self.books.connect() as connection:
            found = connection.execute(sa.text("select count(*) from posting"))
            return int(found.scalar_one())

    def net(self) -> dict[str, int]:
        with self.books.connect() as connection:
            return {a: own.net_cents for (a, _), own in read_balances(connection).items()}

    def of_months(self) -> dict[str, int]:
        """Balances by all that was posted of months, without payments."""
        with self.books.connect() as connection:
            every = [posting for posting, _ in list_postings(connection)]
        counted = balances(p for p in every if p.group.partition(":")[0] in ("month", "shares"))
        return {account: own.net_cents for (account, _), own in counted.items() if own.net_cents}

    def finish(self) -> None:
        """Close and correct all there is; each month is then posted as the reference rates it."""
        for month in MONTHS:
            close_month(self.books, TARIFFS, month, now=self.now)
        correct_months(self.books, TARIFFS, now=self.now)
        assert correct_months(self.books, TARIFFS, now=self.now) == 0
        self.books_are_in_order()
        with self.books.connect() as connection:
            rights = list_rights(connection, ACCOUNTS)
        posted = {
            (m["account_id"], m["month"]): m["posted_cents"] + m["lost_cents"]
            for m in state(self.books)["months"]
        }
        for account in ACCOUNTS:
            own = rights[account]
            legs = own.paid_legs(TARIFFS, [leg for of, leg in self.legs if of == account])
            rated = rated_months(TARIFFS.versions, legs, own.proofs, MONTHS)
            for month in MONTHS:
                assert posted.get((account, month), 0) == rated[month].amount_cents

    def teardown(self) -> None:
        """Whatever has happened: the same as if all had been known before months were closed."""
        self.finish()
        with self.books.connect() as connection:
            every = [posting for posting, _ in list_postings(connection)]
            assert balances(every) == read_balances(connection)
        late = self.of_months()
        self._clear()
        self.paid.clear()
        self.now = BEGIN
        for rider, right in self.rights:
            with self.books.begin() as connection:
                put_right(connection, PERSONS[rider], right, "test", self.now)
        if self.legs:
            ride(self.books, TARIFFS, self.legs, self.now)
        self.finish()
        on_time = self.of_months()
        if "loss:late_usage" in late:
            # Riders are spared it, and operators have earned it.
            late, on_time = (
                {a: cents for a, cents in of.items() if a.startswith("revenue:")}
                for of in (late, on_time)
            )
            self.came["lost"] += 1
        assert late == on_time
        self.came["compared"] += 1


@pytest.fixture
def books(home: Path) -> Iterator[Engine]:
    with empty_books(home) as engine:
        with engine.begin() as connection:
            for own, account in zip(PERSONS, ACCOUNTS, strict=True):
                named = {"id": own, "alias": str(own), "created_at": BEGIN}
                connection.execute(person.insert().values(named))
                opened = {"id": account, "person_id": own, "created_at": BEGIN}
                connection.execute(fare_account.insert().values(opened))
        yield engine


def test_whatever_becomes_known_when_the_books_are_those_of_all_known_on_time(
    home: Path, books: Engine
) -> None:
    Books.came.clear()
    with owned(home, books) as owner:
        Books.books, Books.owner = books, owner
        run_state_machine_as_test(
            Books,
            settings=settings(
                max_examples=120, stateful_step_count=10, deadline=None, derandomize=True,
                database=None, suppress_health_check=list(HealthCheck),
            ),
        )  # fmt: skip
    # Or else it finds nothing: what it does is the same each time.
    assert min(Books.came[name] for name in ("right", "corrected")) >= 20
    assert min(Books.came[name] for name in ("final", "payment", "compared")) >= 10
    assert min(Books.came[name] for name in ("provisional", "lost", "overdrawn")) >= 3
    assert Books.came["compared"] - Books.came["lost"] >= 8
