"""Who pays a month: parts, ceilings and what is left to the rider."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import InvalidInput
from payments.bill import Proof
from payments.month import MonthBill, month_of, rate_month
from payments.own_price import OwnPrices
from payments.payers import Part, Spent, add_up, charged_parts, share_out
from payments.rights import ANOTHER_RIDER, HeldPass, PaidFor, Rights
from payments.tariff import FareLeg, Payer, Tariff
from payments.tariff_file import parse_tariff
from payments.versions import Tariffs
from tests.payments.test_month import APRIL, MARCH, WEEKS, bus, days, earlier
from tests.support.random_fares import NAMES, SPRING, modes, some, tariffs, trips
from tests.support.rated_months import prices_of, rated_months

pytestmark = pytest.mark.unit
ALWAYS = dt.date(2027, 1, 1), dt.date(2027, 12, 31)
limits = st.none() | st.integers(0, 5).map(lambda n: n * 60)


@st.composite
def payers(draw: st.DrawFn) -> tuple[Payer, ...]:
    found = []
    for nth in range(draw(st.integers(0, 3))):
        share, per_km = draw(st.sampled_from(((500, None), (1_000, None), (0, 20_000))))
        found.append(
            Payer(
                f"payer{nth}", draw(modes), draw(st.booleans()), share, per_km,
                draw(limits), draw(limits), draw(limits), draw(limits), draw(st.booleans()),
            )
        )  # fmt: skip
    return tuple(found)


@st.composite
def rights(draw: st.DrawFn) -> list[PaidFor]:
    found = []
    for _ in range(draw(st.integers(0, 4))):
        first = dt.date(2027, 3, 20) + dt.timedelta(days=draw(st.integers(0, 20)))
        last = first + dt.timedelta(days=draw(st.integers(0, 30)))
        who = draw(st.sampled_from(("payer0", "payer1", "payer2", "nobody")))
        found.append(PaidFor(who, draw(st.sampled_from(("acme", "durand"))), first, last))
    return found


def some_subscriptions(tariff: Tariff, paying: tuple[Payer, ...]) -> Tariff:
    products = [replace(p, is_subscription=n % 2 == 0) for n, p in enumerate(tariff.products)]
    return replace(tariff, products=tuple(products), payers=paying)


@some
@given(tariffs(), payers(), rights(), trips(6, SPRING), trips(3, SPRING), st.integers(0, 3))
def test_parts_and_the_rest_are_the_month_and_nobody_pays_above_his_ceiling(
    tariff: Tariff,
    paying: tuple[Payer, ...],
    paid_for: list[PaidFor],
    legs: list[FareLeg],
    before: list[FareLeg],
    spent: int,
) -> None:
    own = some_subscriptions(tariff, paying)
    known = Spent(
        {(p.id, party): spent * 40 for p in paying for party in ("", "acme", "durand")},
        {payer.id: spent * 50 for payer in paying},
    )
    for month in (MARCH, APRIL):
        rated = rated_months([own], [*legs, *earlier(before)], (), [month])[month]
        parts = share_out(Tariffs((own,)), rated, paid_for, known)
        checked(own, rated, parts, paid_for, known)
        left = [charge.amount_cents for charge in rated.charges]
        for part in parts:
            left[part.charge] -= part.amount_cents
        assert min(left, default=0) >= 0
        assert sum(left) + sum(add_up(parts).values()) == rated.amount_cents


def checked(
    tariff: Tariff, rated: MonthBill, parts: tuple[Part, ...], paid_for: list[PaidFor], known: Spent
) -> None:
    """Each rule said the plain way, part by part."""
    whole = [charge.amount_cents for charge in rated.charges]
    by_charge: dict[int, int] = defaultdict(int)
    by_party: dict[tuple[str, str], int] = defaultdict(int)
    for part in parts:
        (payer,) = (p for p in tariff.payers if p.id == part.payer)
        charge = rated.charges[part.charge]
        legs = [rated.bill.legs[row] for row in charge.legs]
        day = charge.since or tariff.clock(legs[0])[1]
        assert part.amount_cents > 0
        assert {leg.mode for leg in legs} <= payer.modes
        if payer.is_for_everybody:
            assert part.party == ""
        else:
            assert any(
                (r.payer, r.party) == (part.payer, part.party) and r.valid_from <= day <= r.valid_to
                for r in paid_for
            )
        if payer.only_subscriptions:
            (product,) = (p for p in tariff.products if p.id == charge.rule)
            assert charge.kind == "product"
            assert product.is_subscription
        if payer.max_leg_cents is not None:
            assert part.amount_cents <= payer.max_leg_cents * len(legs)
        if payer.per_km_millicents is None:
            assert (
                2_000 * part.amount_cents <= 2 * whole[part.charge] * payer.share_permille + 1_000
            )
        else:
            metres = sum(leg.metres for leg in legs)
            assert 1e6 * part.amount_cents <= metres * payer.per_km_millicents + 500_000
        by_charge[part.charge] += part.amount_cents
        by_party[part.payer, part.party] += part.amount_cents
    assert by_party == add_up(parts)
    assert all(cents <= whole[row] for row, cents in by_charge.items())
    for payer in tariff.payers:
        of_payer = {key: cents for key, cents in by_party.items() if key[0] == payer.id}
        for key, cents in of_payer.items():
            assert payer.max_month_cents is None or cents <= payer.max_month_cents
            if payer.max_year_cents is not None:
                assert cents + known.in_year.get(key, 0) <= payer.max_year_cents
        if payer.budget_cents is not None and of_payer:
            paid = sum(of_payer.values()) + known.from_budget.get(payer.id, 0)
            assert paid <= payer.budget_cents


@some
@given(
    st.dictionaries(st.tuples(st.sampled_from("ab"), st.sampled_from("xy")), st.integers(1, 90)),
    st.integers(0, 300), st.integers(0, 300),
)  # fmt: skip
def test_of_what_is_lost_nobody_pays_anything(
    parts: dict[tuple[str, str], int], more: int, charged: int
) -> None:
    amount = sum(parts.values()) + more
    charged = min(charged, amount)
    cut = charged_parts(parts, amount, charged)
    assert sum(cut.values()) <= charged
    assert all(0 < cents <= parts[key] for key, cents in cut.items())
    assert charged_parts(parts, amount, amount) == parts


def test_an_employer_pays_half_of_what_a_week_adds_to_the_month() -> None:
    tariff = replace(
        WEEKS,
        products=tuple(replace(p, is_subscription=p.id == "week") for p in WEEKS.products),
        payers=(Payer("employer", frozenset(NAMES), only_subscriptions=True, share_permille=500),),
    )
    every = [bus(day, hour) for day in days(dt.date(2027, 3, 30), 5) for hour in (6, 12)]
    rights = [PaidFor("employer", "acme", *ALWAYS)]
    march, april = rated_months([tariff], every).values()
    # March is two days by themselves; April is what the week of ten adds to their six.
    assert share_out(Tariffs((tariff,)), march, rights) == ()
    assert share_out(Tariffs((tariff,)), april, rights) == (Part(0, "employer", "acme", 200),)
    assert (
        share_out(Tariffs((tariff,)), april, [replace(rights[0], valid_to=dt.date(2027, 3, 29))])
        == ()
    )
    own = prices_of(tariff, every, Rights(paid_for=tuple(rights)))
    added = own.price([bus(dt.date(2027, 4, 3), 20)])
    assert (added.amount_cents, added.paid_cents, added.so_far_cents) == (0, 0, 200)


@some
@given(tariffs(), payers(), rights(), trips(5, SPRING), trips(3, SPRING))
def test_what_a_journey_adds_is_what_is_left_of_it_to_the_rider(
    tariff: Tariff,
    paying: tuple[Payer, ...],
    paid_for: list[PaidFor],
    legs: list[FareLeg],
    journey: list[FareLeg],
) -> None:
    planned = sorted(journey, key=lambda leg: leg.board_at)
    if len({month_of(tariff, leg) for leg in planned}) != 1:
        return
    own, month = some_subscriptions(tariff, paying), month_of(tariff, planned[0])

    def to_pay(used: list[FareLeg]) -> int:
        rated = rated_months([own], used, (), [month])[month]
        parts = share_out(Tariffs((own,)), rated, paid_for)
        return rated.amount_cents - sum(part.amount_cents for part in parts)

    named = [replace(leg, id=f"planned:{row}") for row, leg in enumerate(planned)]
    added = prices_of(own, legs, Rights(paid_for=tuple(paid_for))).price(planned)
    assert added.amount_cents == to_pay([*legs, *named]) - to_pay(legs)
    assert added.so_far_cents == to_pay(legs)


def test_a_pass_bought_elsewhere_is_paid_already() -> None:
    held = HeldPass("week", dt.date(2027, 4, 1), dt.date(2027, 4, 7))
    rights = Rights(proofs=(Proof("youth", *ALWAYS),), passes=(held,))
    used = [bus(day) for day in days(dt.date(2027, 3, 31), 9)] + [bus(APRIL, 9, "rail")]
    legs = rights.paid_legs(Tariffs((WEEKS,)), used)
    assert [leg.promised_cents for leg in legs] == [None, *[0] * 7, None, None]
    assert rated_months([WEEKS], legs)[APRIL].amount_cents == 200 + 700
    assert rights.pass_of(Tariffs((WEEKS,)), used[1]) == "week"
    assert rights.pass_of(Tariffs((WEEKS,)), used[-1]) is None
    own = prices_of(WEEKS, legs, rights)
    assert own.price([bus(APRIL, 18)]).amount_cents == 0
    assert own.price([bus(dt.date(2027, 4, 8), 18)]).amount_cents == 100  # a day is 300


@pytest.mark.parametrize(
    ("given_payer", "said"),
    [
        ({"id": "Employer", "share_permille": 500}, "a-z"),
        ({"id": "employer"}, "either share_permille or per_km_millicents"),
        ({"id": "rider", "share_permille": 500}, "is taken"),
        ({"id": "employer", "share_permille": 1_001}, "more than all"),
        ({"id": "employer", "share_permille": 500, "max_day_cents": 3}, "max_day_cents"),
        ({"id": "employer", "share_permille": 500, "only_subscriptions": 1}, "true or false"),
    ],
)
def test_a_payer_is_read_or_refused(given_payer: dict[str, object], said: str) -> None:
    content = {
        "tariff": "t", "currency": "EUR", "timezone": "Europe/Paris", "leg_prices": [],
        "payers": [given_payer],
    }  # fmt: skip
    with pytest.raises(InvalidInput, match=said):
        parse_tariff(content)


@some
@given(tariffs(), payers(), trips(9, SPRING), rights(), st.integers(0, 14))
def test_another_rider_pays_whatever_others_leave_of_what_begins_in_his_days(
    tariff: Tariff, paying: tuple[Payer, ...], legs: list[FareLeg], known: list[PaidFor], since: int
) -> None:
    own = Tariffs((some_subscriptions(tariff, paying),))
    month = rate_month(own.versions, legs, MARCH)
    first = dt.date(2027, 3, 24) + dt.timedelta(days=since)
    another = PaidFor(ANOTHER_RIDER, "someone", first, ALWAYS[1])
    before = share_out(own, month, known)
    parts = share_out(own, month, [another, *known])
    assert [part for part in parts if part.payer != ANOTHER_RIDER] == list(before)
    left = [charge.amount_cents for charge in month.charges]
    for part in before:
        left[part.charge] -= part.amount_cents
    wanted = {
        row: left[row]
        for row, charge in enumerate(month.charges)
        if left[row] and (charge.since or own.clock(month.bill.legs[charge.legs[0]])[1]) >= first
    }
    assert {p.charge: p.amount_cents for p in parts if p.payer == ANOTHER_RIDER} == wanted


def test_a_rider_for_whom_another_pays_sees_journeys_that_cost_him_nothing() -> None:
    another = PaidFor(ANOTHER_RIDER, "someone", *ALWAYS)
    prices = OwnPrices(Tariffs((WEEKS,)), [bus(APRIL, 9)], Rights(paid_for=(another,)))
    added = prices.price([bus(APRIL, 18)])
    assert (added.amount_cents, added.so_far_cents) == (0, 0)
    assert (
        added.paid_cents
        == OwnPrices(Tariffs((WEEKS,)), [bus(APRIL, 9)]).price([bus(APRIL, 18)]).amount_cents
    )
