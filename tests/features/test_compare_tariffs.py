"""Two tariffs on the same generated riders."""

from __future__ import annotations

import datetime as dt
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from mobility.actions.compare_tariffs import (
    ALL,
    GeneratedRiders,
    compare_tariffs,
    generate_riders,
)
from mobility.demo.tariff import TARIFF_YAML
from mobility.world import World
from payments.month import month_of
from payments.rating import rate
from payments.tariff import Tariff
from payments.tariff_file import parse_tariff, read_tariff
from tests.support.bookings import Booth

COUNT, SEED = 16, 3


@pytest.fixture(scope="module")
def month() -> dt.date:
    """The next one: the demo's timetables cover it."""
    return (dt.datetime.now(dt.UTC).date().replace(day=1) + dt.timedelta(days=32)).replace(day=1)


@pytest.fixture(scope="module")
def riders(booth: Booth, month: dt.date) -> GeneratedRiders:
    world = World(booth.desk.snapshot)
    return generate_riders(world, month, ["jeune"], COUNT, seed=SEED)


def tariff(**changes: Any) -> Tariff:
    return parse_tariff(yaml.safe_load(TARIFF_YAML) | changes)


def test_the_same_seed_makes_the_same_riders_of_the_month(
    booth: Booth, month: dt.date, riders: GeneratedRiders
) -> None:
    own = tariff()
    again = generate_riders(World(booth.desk.snapshot), month, ["jeune"], 4, seed=SEED)
    assert [again.legs.rider(n) for n in range(4)] == [riders.legs.rider(n) for n in range(4)]
    assert len(riders) == COUNT
    legs = [leg for row in range(COUNT) for leg in riders.legs.rider(row).legs]
    assert len(legs) > 5 * COUNT
    assert {month_of(own, leg) for leg in legs} == {month}
    assert all(own.fare_day(leg.board_at).weekday() < 5 for leg in legs)
    assert not {leg.mode for leg in legs} & {"carpool", "other"}


def test_many_riders_travel_as_some_whose_ways_were_planned(
    booth: Booth, month: dt.date, riders: GeneratedRiders, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mobility.actions.compare_tariffs.WAYS_LIMIT", 3)
    many = generate_riders(World(booth.desk.snapshot), month, ["jeune"], 40, seed=SEED)
    assert [many.legs.rider(n) for n in range(3)] == [riders.legs.rider(n) for n in range(3)]
    hours = [
        {(leg.route, leg.board_at.time()) for leg in many.legs.rider(row).legs} for row in range(40)
    ]
    planned = set().union(*hours[:3])
    assert all(own <= planned for own in hours[3:])
    assert len({tuple(many.legs.rider(row).legs) for row in range(40)}) > 30


def test_what_changes_is_the_difference_of_bills(month: dt.date, riders: GeneratedRiders) -> None:
    before = tariff()
    dearer = tariff(products=[])
    found = compare_tariffs(before, dearer, riders)
    every = [riders.legs.rider(row) for row in range(COUNT)]
    wanted = [
        [rate([of], own.legs, own.proofs).amount_cents for own in every] for of in (before, dearer)
    ]
    change = [b - a for a, b in zip(*wanted, strict=True)]
    everybody = found[0]
    assert everybody.category == ALL
    assert (everybody.before_cents, everybody.after_cents) == tuple(map(sum, wanted))
    assert everybody.losers == sum(cents > 0 for cents in change) > 0
    assert (everybody.winners, everybody.most_lost_cents) == (0, max(change))
    for name in ("riders", "trips", "before_cents", "after_cents", "winners", "losers"):
        assert getattr(everybody, name) == sum(getattr(own, name) for own in found[1:])
    assert [own.category for own in found] == [ALL, None, "jeune"]
    assert found[2].riders == sum(bool(own.proofs) for own in every) > 0
    same = compare_tariffs(before, before, riders)
    assert all((own.winners, own.losers, own.most_lost_cents) == (0, 0, 0) for own in same)


def test_the_command_says_that_its_riders_are_generated(
    demo_home: Path, tmp_path: Path, month: dt.date
) -> None:
    files = []
    for name, text in (("a", TARIFF_YAML), ("b", TARIFF_YAML.replace("150", "120"))):
        files.append(tmp_path / f"{name}.yaml")
        files[-1].write_text(text, encoding="utf-8")
        read_tariff(files[-1])
    command = ["fares", "compare", *map(str, files), "--month", f"{month:%Y-%m}", "--riders", "6"]
    run = [sys.executable, "-m", "mobility.cli", *command]
    environment = {**os.environ, "MOBILITY_HOME": str(demo_home), "COLUMNS": "200"}
    told = json.loads(subprocess.check_output([*run, "--json"], env=environment))
    assert told["generated"] is True
    assert told["changes"][0]["riders"] == 6
    assert told["changes"][0]["losers"] == 0
    for side in ("before", "after"):
        assert sum(told["operators"][side].values()) == told["changes"][0][f"{side}_cents"]
    assert all(":" in name for name in told["operators"]["before"])  # agencies of feeds
    shown = subprocess.check_output(run, env=environment, text=True)
    assert "Generated riders" in shown
