"""Instructions street by street, and names that older versions of the API know."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from core.geo import METRES_PER_DEGREE
from core.modes import Mode
from gtfs_data.store import Texts
from mobility.mapping.motis import MotisWriter
from mobility.mapping.steps import write_steps
from routing.itinerary import Shape
from routing.street.graph import KINDS, Streets

pytestmark = pytest.mark.unit

NAMES = ["", "Grande Rue", "Rue Basse"]


def streets(*edges: tuple[str, str]) -> Streets:
    """Edges as (name, kind)."""
    return cast(
        "Streets",
        SimpleNamespace(
            names=Texts.of(NAMES),
            edge_name=np.array([NAMES.index(name) for name, _ in edges], np.int32),
            edge_kind=np.array([KINDS.index(kind) for _, kind in edges], np.int32),
        ),
    )


def way(*points: tuple[float, float, int]) -> Shape:
    """Points as metres east and north, and the edge by which one gets there."""
    east, north, edge = (np.array(column) for column in zip(*points, strict=True))
    return Shape(
        lat=north / METRES_PER_DEGREE,
        lon=east / METRES_PER_DEGREE,
        metres=0.0,
        edge=edge.astype(np.int32),
    )


def told(steps: list[dict[str, Any]]) -> list[str]:
    return [
        f"{s['relativeDirection']} {s['streetName'] or '-'} {round(s['distance'])}" for s in steps
    ]


def test_each_street_is_one_step_named_by_the_turn_into_it() -> None:
    # From a house 5 m to the street, 100 m north in two pieces, then east, down some stairs.
    town = streets(("Grande Rue", "residential"), ("Grande Rue", "residential"),
                   ("Rue Basse", "residential"), ("", "steps"))  # fmt: skip
    shape = way((-5, 0, -1), (0, 0, -1), (0, 40, 0), (0, 100, 1), (70, 100, 2), (80, 100, 3))
    steps = write_steps(town, shape, 6)
    assert told(steps) == [
        "DEPART - 5",
        "LEFT Grande Rue 100",
        "RIGHT Rue Basse 70",
        "STAIRS - 10",
    ]
    assert [step["polyline"]["length"] for step in steps] == [2, 3, 2, 2]


@pytest.mark.parametrize(
    ("degrees", "name"),
    [
        (0, "CONTINUE"), (15, "CONTINUE"), (-15, "CONTINUE"), (30, "SLIGHTLY_RIGHT"),
        (-30, "SLIGHTLY_LEFT"), (90, "RIGHT"), (-90, "LEFT"), (150, "HARD_RIGHT"),
        (-150, "HARD_LEFT"), (175, "UTURN_RIGHT"), (-175, "UTURN_LEFT"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("heading", [0, 100, 190, 350])
def test_turns_are_named_by_their_angle(heading: int, degrees: int, name: str) -> None:
    # A hundred metres on a heading (clockwise from north), then a hundred after the turn.
    first, second = np.radians(heading), np.radians(heading + degrees)
    corner = (100 * np.sin(first), 100 * np.cos(first))
    end = (corner[0] + 100 * np.sin(second), corner[1] + 100 * np.cos(second))
    town = streets(("Grande Rue", "residential"), ("Rue Basse", "residential"))
    steps = write_steps(town, way((0, 0, -1), (*corner, 0), (*end, 1)), 6)
    assert [step["relativeDirection"] for step in steps] == ["DEPART", name]


def test_way_without_streets_has_one_step_without_a_name() -> None:
    assert told(write_steps(streets(), way((0, 0, -1), (0, 50, -1)), 6)) == ["DEPART - 50"]
    assert write_steps(streets(("", "path")), way((0, 0, -1)), 6) == []


@pytest.mark.parametrize(
    ("version", "names"),
    [(4, ["METRO", "AREAL_LIFT", "SUBWAY"]), (5, ["SUBURBAN", "AERIAL_LIFT", "SUBWAY"])],
)
def test_two_modes_were_renamed_in_v5(version: int, names: list[str]) -> None:
    network = SimpleNamespace(timetable=None, zone=ZoneInfo("Europe/Paris"))
    writer = MotisWriter(cast("Any", SimpleNamespace(network=network)), version, "fr")
    assert writer.modes([Mode.SUBURBAN, Mode.AERIAL_LIFT, Mode.SUBWAY]) == names
