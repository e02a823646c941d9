"""docs/payments.md: its worked month is rated as it says."""

from __future__ import annotations

import re
from pathlib import Path

import yaml
from typer.testing import CliRunner

from mobility.cli import app
from payments.tariff_file import parse_tariff
from payments.tariff_lint import lint

PAGE = Path(__file__).resolve().parents[2] / "docs" / "payments.md"


def block(name: str) -> str:
    found = re.search(rf"```\w+ {name}\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert found is not None, name
    return found[1]


def test_worked_month_costs_what_the_page_says(tmp_path: Path) -> None:
    (tmp_path / "tariff.yaml").write_text(block("tariff"), encoding="utf-8")
    (tmp_path / "legs.csv").write_text(block("legs"), encoding="utf-8")
    words = ["tariff", "rate", str(tmp_path / "tariff.yaml"), str(tmp_path / "legs.csv")]
    told = CliRunner().invoke(app, words, env={"COLUMNS": "160"})
    assert told.exit_code == 0, told.output
    rows = [re.findall(r"[^│┃]+", line) for line in told.output.splitlines() if "│" in line]
    printed = [" ".join(" ".join(cells).split()) for cells in rows]
    assert printed == [" ".join(line.split()) for line in block("bill").splitlines()]


def test_tariff_of_the_page_has_no_contradiction() -> None:
    assert lint(parse_tariff(yaml.safe_load(block("tariff")))) == []
