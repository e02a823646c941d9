"""OSM tags of streets that a wheelchair uses, and of those that it does not."""

from __future__ import annotations

import pytest

from routing.street.rules import Speeds, use_of_way
from routing.street.step_free import StepFree

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        ({}, StepFree.UNKNOWN),
        ({"wheelchair": "yes"}, StepFree.YES),
        ({"wheelchair": "designated"}, StepFree.YES),
        ({"wheelchair": "limited"}, StepFree.UNKNOWN),
        ({"wheelchair": "no"}, StepFree.NO),
        ({"kerb": "raised"}, StepFree.NO),
        ({"kerb": "lowered"}, StepFree.UNKNOWN),
        ({"kerb": "raised", "wheelchair": "yes"}, StepFree.YES),
        ({"incline": "12%"}, StepFree.NO),
        ({"incline": "-12 %"}, StepFree.NO),
        ({"incline": "5%"}, StepFree.UNKNOWN),
        ({"incline": "up"}, StepFree.UNKNOWN),
        ({"smoothness": "bad"}, StepFree.NO),
        ({"smoothness": "intermediate"}, StepFree.UNKNOWN),
        ({"width": "0.7"}, StepFree.NO),
        ({"width": "1.5 m"}, StepFree.UNKNOWN),
        ({"highway": "steps"}, StepFree.NO),
        ({"highway": "steps", "wheelchair": "yes"}, StepFree.NO),
    ],
)
def test_wheelchair_uses_a_street_unless_something_speaks_against_it(
    tags: dict[str, str], expected: StepFree
) -> None:
    use = use_of_way({"highway": "footway", **tags}, Speeds())
    assert use.step_free is expected
    assert use.wheelchair_mps == (0 if expected is StepFree.NO else 0.8)
    assert use.foot_mps > 0


def test_wheelchair_is_never_faster_than_a_walker() -> None:
    use = use_of_way({"highway": "footway"}, Speeds(foot_mps=0.5, wheelchair_mps=0.8))
    assert use.wheelchair_mps == 0.5


def test_street_that_is_closed_to_walkers_is_closed_to_wheelchairs() -> None:
    use = use_of_way({"highway": "footway", "foot": "no", "wheelchair": "yes"}, Speeds())
    assert use.wheelchair_mps == 0
