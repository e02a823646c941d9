"""Who may ride with whom: each rule by itself, then many offers at once against one at a time."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from carpool.audience import (
    ANYBODY,
    EVERYONE,
    Audience,
    Circle,
    Need,
    NotInAudience,
    OfferTerms,
    Person,
    Seeker,
    carried,
    may_ride,
)
from core.errors import InvalidInput

pytestmark = pytest.mark.unit

WORKS, CAMPUS = uuid.UUID(int=1), uuid.UUID(int=2)
ANNA, BENO = uuid.UUID(int=11), uuid.UUID(int=12)
WOMEN, VERIFIED = Circle(Audience.WOMEN), Circle(Audience.VERIFIED)
OF_WORKS, OF_CAMPUS = Circle(Audience.COMMUNITY, WORKS), Circle(Audience.COMMUNITY, CAMPUS)


@dataclass(frozen=True)
class Said:
    circle: Circle = EVERYONE
    takes: frozenset[Need] = frozenset()


@pytest.mark.parametrize(
    ("person", "circle", "may"),
    [
        (Person(), EVERYONE, True),
        (Person(), WOMEN, False),
        (Person(is_woman=True), WOMEN, True),
        (Person(is_verified=True), WOMEN, False),
        (Person(is_woman=True), VERIFIED, False),
        (Person(is_verified=True), VERIFIED, True),
        (Person(communities=frozenset({WORKS})), OF_WORKS, True),
        (Person(communities=frozenset({WORKS})), OF_CAMPUS, False),
    ],
)
def test_an_offer_is_for_those_who_belong_to_its_audience(
    person: Person, circle: Circle, may: bool
) -> None:
    assert may_ride(Seeker(person), Said(circle), ANNA) is may
    if not may:
        with pytest.raises(NotInAudience):
            person.require(circle)


def test_who_travels_within_a_circle_is_shown_its_offers_alone() -> None:
    woman = Person(is_woman=True, communities=frozenset({WORKS}))
    among_women = Seeker(woman, circle=WOMEN)
    shown = [
        c for c in (EVERYONE, WOMEN, VERIFIED, OF_WORKS) if may_ride(among_women, Said(c), ANNA)
    ]
    assert shown == [WOMEN]
    assert not may_ride(Seeker(circle=WOMEN), Said(WOMEN), ANNA), "she has not said so"


def test_people_who_stay_apart_do_not_ride_together() -> None:
    apart = Seeker(Person(apart=frozenset({ANNA})))
    assert not may_ride(apart, Said(), ANNA)
    assert may_ride(apart, Said(), BENO)


def test_a_car_takes_what_it_says_and_a_bag_where_a_trunk_fits() -> None:
    trunk = frozenset({Need.LARGE_LUGGAGE})
    assert carried(trunk) == {Need.LARGE_LUGGAGE, Need.SMALL_LUGGAGE}
    assert carried({Need.SMALL_LUGGAGE}) == {Need.SMALL_LUGGAGE}
    with_bag = Seeker(needs=frozenset({Need.SMALL_LUGGAGE}))
    assert may_ride(with_bag, Said(takes=trunk), ANNA)
    assert not may_ride(with_bag, Said(), ANNA)
    assert not may_ride(Seeker(needs=trunk), Said(takes=frozenset({Need.SMALL_LUGGAGE})), ANNA)


@pytest.mark.parametrize(
    ("audience", "community"), [(Audience.COMMUNITY, None), (Audience.WOMEN, WORKS)]
)
def test_a_community_is_named_where_it_is_one_and_nowhere_else(
    audience: Audience, community: uuid.UUID | None
) -> None:
    with pytest.raises(InvalidInput, match="community"):
        Circle(audience, community)


circles = st.sampled_from([EVERYONE, WOMEN, VERIFIED, OF_WORKS, OF_CAMPUS])
needs = st.frozensets(st.sampled_from(Need))
people = st.builds(
    Person,
    is_woman=st.booleans(),
    is_verified=st.booleans(),
    communities=st.frozensets(st.sampled_from([WORKS, CAMPUS])),
    apart=st.frozensets(st.sampled_from([ANNA, BENO])),
)
seekers = st.one_of(st.just(ANYBODY), st.builds(Seeker, people, needs, circles))
said = st.builds(Said, circles, needs)
drivers = st.sampled_from([ANNA, BENO, None])


@settings(derandomize=True, deadline=None, database=None, max_examples=300)
@given(seekers, st.lists(st.tuples(said, drivers), max_size=6))
def test_many_offers_at_once_are_as_each_by_itself(
    seeker: Seeker, given_offers: list[tuple[Said, uuid.UUID | None]]
) -> None:
    terms = OfferTerms([offer for offer, _ in given_offers], [who for _, who in given_offers])
    expected = [may_ride(seeker, offer, driver) for offer, driver in given_offers]
    assert terms.open_to(seeker).tolist() == expected
