"""
Answers have the shape of recorded ones.

The recordings are of other territories (KDE's test data, see the specification's README): each
is paired with the request that asks the same of the demo, at places of the demo. Compared are
names and JSON types, at every depth: whatever a recording has, ours has too, and where all
elements of a recorded list have it, so do all of ours.
"""

from __future__ import annotations

import json
import re
from collections import Counter, defaultdict
from typing import Any

import httpx
import pytest

from mobility.actions.run_demo import RunningServer
from tests.support.motis import HOSPITAL, STATION, TIME, specs

FARM = "46.460909,1.038042"
A_TRIP = "20261124_urbain:T-1-LV-010"

ABSENT = {
    r"^debugOutput\.": "each server counts its own things",
    r"\.alerts\b": "no alerts are read yet",
    r"^direct\[\]\.legs\[\]\.steps\[\]\.osmWay$": "compiled streets do not keep numbers of ways",
    r"\.steps\[\]\.osmWay$": "the same",
    r"\.zip$": "not in the generated street data",
    r"\.(houseNumber)$": "house numbers are not indexed",
    r"^\[\]\.level$": "geocoding has no levels",
}
"""What recordings have and ours do not, with the reason."""
PAIRS = {
    "journey-direct-walk": (
        "/api/v5/plan",
        {"fromPlace": HOSPITAL, "toPlace": "46.5860,1.1800", "time": TIME, "transitModes": ""},
    ),
    "journey-transit": (
        "/api/v5/plan",
        {"fromPlace": FARM, "toPlace": HOSPITAL, "time": TIME, "directModes": ""},
    ),
    "location-addresses": ("/api/v1/geocode", {"text": "rue de", "type": "ADDRESS"}),
    "location-name-search": ("/api/v1/geocode", {"text": "gare", "type": "STOP"}),
    "location-geo-search": ("/api/v1/reverse-geocode", {"place": HOSPITAL}),
    "location-map-stops": ("/api/v1/map/stops", {"min": "46.57,1.21", "max": "46.58,1.19"}),
    "stopover-arrival": (
        "/api/v1/stoptimes",
        {"stopId": STATION, "time": TIME, "arriveBy": "true", "n": "12"},
    ),
    "stopover-arrival-realtime": (
        "/api/v1/stoptimes",
        {"stopId": STATION, "time": TIME, "arriveBy": "true", "n": "12"},
    ),
    "stopover-departure": ("/api/v1/stoptimes", {"stopId": STATION, "time": TIME, "n": "12"}),
    "trip-alerts": ("/api/v4/trip", {"tripId": A_TRIP}),
    "trip-limited-entry-exit": ("/api/v4/trip", {"tripId": A_TRIP}),
}
REFUSED = {
    "journey-bike-rental": (
        "/api/v5/plan",
        {"fromPlace": HOSPITAL, "toPlace": FARM, "directModes": "RENTAL"},
        400,
    ),
    "location-rentals": ("/api/v1/map/rentals", {"min": "46.5,1.2", "max": "46.6,1.1"}, 404),
}
"""Shared vehicles: no feed of them is read yet."""


class Shape:
    """Names at every depth of a value: how often, within how many parents, with which types."""

    def __init__(self, value: Any) -> None:
        self.types: defaultdict[str, set[str]] = defaultdict(set)
        self.count: Counter[str] = Counter()
        self.parents: Counter[str] = Counter()
        self._walk(value, "")

    def _walk(self, value: Any, path: str) -> None:
        if isinstance(value, list):
            for item in value:
                self._walk(item, f"{path}[]")
        elif isinstance(value, dict):
            self.parents[path] += 1
            for name, item in value.items():
                own = f"{path}.{name}".lstrip(".")
                self.count[own] += 1
                self.types[own].add(json_type(item))
                self._walk(item, own)

    def always(self, path: str) -> bool:
        """Whether every parent has this name."""
        parent = path.rpartition(".")[0]
        return self.count[path] == self.parents[parent]


def json_type(value: Any) -> str:
    kinds = ((bool, "boolean"), ((int, float), "number"), (str, "text"), (list, "list"))
    return next((name for kind, name in kinds if isinstance(value, kind)), "object")


def recorded(name: str) -> Any:
    return json.loads((specs() / "fixtures" / f"{name}.in.json").read_text(encoding="utf-8"))


def differences(wanted: Shape, ours: Shape) -> list[str]:
    found = []
    for path, types in wanted.types.items():
        if any(re.search(pattern, path) for pattern in ABSENT):
            continue
        if path not in ours.types:
            found.append(f"{path} is absent")
        elif not ours.types[path] <= types:
            found.append(f"{path} is {ours.types[path]}, not {types}")
        elif wanted.always(path) and not ours.always(path):
            found.append(f"{path} is not always there")
    return found


@pytest.mark.parametrize("name", PAIRS)
def test_answer_has_the_shape_of_the_recorded_one(demo_server: RunningServer, name: str) -> None:
    path, params = PAIRS[name]
    wanted = Shape(recorded(name))
    answer = httpx.get(demo_server.base_url + path, params=params, timeout=30)
    assert answer.status_code == 200, answer.text
    assert differences(wanted, Shape(answer.json())) == []


@pytest.mark.parametrize("name", REFUSED)
def test_recorded_rentals_are_refused_in_the_shape_of_motis(
    demo_server: RunningServer, name: str
) -> None:
    path, params, status = REFUSED[name]
    assert recorded(name)
    answer = httpx.get(demo_server.base_url + path, params=params, timeout=30)
    assert answer.status_code == status
    assert answer.json()["error"]


def test_every_recording_is_asked_for() -> None:
    names = {path.name.removesuffix(".in.json") for path in (specs() / "fixtures").iterdir()}
    assert names == PAIRS.keys() | REFUSED.keys()


def test_a_missing_name_or_another_type_is_noticed() -> None:
    wanted = Shape([{"a": 1, "b": {"c": "x"}}, {"a": 2, "b": {"c": "y"}}])
    assert differences(wanted, Shape([{"a": 1, "b": {"c": "x"}}])) == []
    assert differences(wanted, Shape([{"b": {"c": "x"}}])) == ["[].a is absent"]
    assert differences(wanted, Shape([{"a": "1", "b": {"c": "x"}}])) == [
        "[].a is {'text'}, not {'number'}"
    ]
    assert differences(wanted, Shape([{"a": 1, "b": {"c": "x"}}, {"a": 1, "b": {}}])) == [
        "[].b.c is not always there"
    ]
