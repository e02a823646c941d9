"""`mobility tariff …`: what people try a tariff with before they publish it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from core.errors import MobilityError
from mobility.cli import app
from tests.support.territories import shared_data

TARIFF = """
tariff: tried
currency: EUR
timezone: Europe/Paris
leg_prices:
  - {id: bus, when: {mode: bus}, base_cents: 160}
  - {id: rail, when: {mode: rail}, base_cents: 120, per_km_millicents: 9000}
fare_journeys: {window_min: 90, modes: [bus, rail]}
products:
  - {id: day, period: fare_day, modes: [bus], price_cents: 450}
"""
LEGS = """mode;board_at;metres
bus;2027-03-24 08:00;
rail;2027-03-24 09:00;20000
bus;2027-03-24 12:00;
bus;2027-03-24 14:00;
bus;2027-03-24 18:00;
"""


@pytest.fixture
def run(tmp_path: Path) -> object:
    (tmp_path / "tariff.yaml").write_text(TARIFF)
    (tmp_path / "legs.csv").write_text(LEGS)

    def run(*words: str) -> Result:
        full = [str(tmp_path / word) if "." in word and "/" not in word else word for word in words]
        return CliRunner().invoke(app, ["tariff", *full], env={"COLUMNS": "200"})

    return run


def test_bill_is_printed_line_by_line_and_for_scripts(run: object) -> None:
    assert callable(run)
    told = run("rate", "tariff.yaml", "legs.csv")
    assert told.exit_code == 0, told.output
    assert "“day” pass from 2027-03-24" in told.output
    # The day product covers the buses; the train is 1.20 + 1.80.
    facts = json.loads(run("rate", "tariff.yaml", "legs.csv", "--json").output)
    assert [(c["rule"], c["amount_cents"]) for c in facts["charges"]] == [
        ("day", 450), ("rail", 300),
    ]  # fmt: skip
    assert (facts["amount_cents"], facts["unpriced"]) == (750, [])


def test_bill_is_explained_when_asked_for(run: object) -> None:
    assert callable(run)
    told = run("rate", "tariff.yaml", "legs.csv", "--explain")
    assert told.exit_code == 0, told.output
    assert "450 < 640" in told.output
    assert "120 + 20 km × 9 = 300" in told.output
    # Without it three buses, and a fourth joined to the train.
    assert "without “day” it would be 780" in told.output
    facts = json.loads(run("rate", "tariff.yaml", "legs.csv", "--explain", "--json").output)
    assert facts["alternatives"] == [{"product": "day", "is_bought": True, "amount_cents": 780}]


def test_examples_that_cost_something_else_are_named(run: object, tmp_path: Path) -> None:
    assert callable(run)
    (tmp_path / "examples.csv").write_text(
        "example,mode,board_at,metres,expected_cents\n"
        "one bus,bus,2027-03-24 08:00,,160\n"
        "bus and train,bus,2027-03-24 08:00,,\n"
        "bus and train,rail,2027-03-24 08:30,10000,210\n"
        "ferry,ferry,2027-03-24 08:30,,100\n"
    )
    told = run("test", "tariff.yaml", "examples.csv")
    assert told.exit_code == 1
    assert "2 of 3 examples as expected" in told.output
    assert "ferry: without a price, expected 100" in told.output


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("mode,metres\nbus,1\n", "column board_at is missing"),
        ("mode,board_at\nzeppelin,2027-03-24 08:00\n", "line 2: mode 'zeppelin'"),
        ("mode,board_at\nbus,soon\n", "line 2: board_at 'soon' is not a time"),
        ("mode,board_at,metres\nbus,2027-03-24 08:00,far\n", "line 2: metres 'far'"),
    ],
)
def test_row_that_cannot_be_read_is_named(
    run: object, tmp_path: Path, text: str, message: str
) -> None:
    assert callable(run)
    (tmp_path / "legs.csv").write_text(text)
    told = run("rate", "tariff.yaml", "legs.csv")
    assert isinstance(told.exception, MobilityError)
    assert message in str(told.exception)


def test_contradictions_are_shown_and_end_the_command(run: object, tmp_path: Path) -> None:
    assert callable(run)
    assert run("check", "tariff.yaml").exit_code == 0
    dear = TARIFF.replace("price_cents: 450", "price_cents: 9999")
    (tmp_path / "tariff.yaml").write_text(dear)
    told = run("check", "tariff.yaml")
    assert told.exit_code == 1
    assert "product_never_chosen: nobody is better off with day" in told.output
    facts = json.loads(run("check", "tariff.yaml", "--json").output)
    assert [finding["rule"] for finding in facts["findings"]] == ["day"]


def test_tariff_is_begun_from_the_fares_of_a_feed(run: object, tmp_path: Path) -> None:
    assert callable(run)
    feed = str(shared_data("porto") / "metro_2025_explicit.zip")
    told = run("import", feed, "--feed", "metro", "--out", "begun.yaml")
    assert told.exit_code == 0, told.output
    assert "left out: fare 1: transfers without a limit of time" in told.output
    again = run("import", feed, "--feed", "metro", "--out", "begun.yaml")
    assert isinstance(again.exception, MobilityError)
    rated = run("rate", "begun.yaml", "legs.csv")
    assert "no_fare_for_bus" in rated.output
    assert (tmp_path / "begun.yaml").read_text().startswith("tariff: metro")
