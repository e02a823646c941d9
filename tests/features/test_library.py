"""docs/library.md, run block by block on the demo; and what the library promises beside it."""

from __future__ import annotations

import io
import re
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import pytest

from core.errors import InvalidInput
from mobility.library import Territory, open_territory

PAGE = Path(__file__).parents[2] / "docs" / "library.md"
BLOCK = re.compile(r"```python\n(.*?)```(?:\n```text\n(.*?)```)?", re.DOTALL)


@pytest.fixture
def beside_home(demo_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder in which the demo's home is called as in the docs."""
    (tmp_path / ".mobility").symlink_to(demo_home)
    monkeypatch.chdir(tmp_path)


@pytest.mark.usefixtures("beside_home")
def test_every_block_of_the_page_prints_what_the_page_says() -> None:
    names: dict[str, Any] = {}
    blocks = BLOCK.findall(PAGE.read_text(encoding="utf-8"))
    assert len(blocks) > 6
    for code, wanted in blocks:
        printed = io.StringIO()
        with redirect_stdout(printed):
            exec(compile(code, str(PAGE), "exec"), names)
        assert printed.getvalue() == wanted, code


@pytest.fixture(scope="module")
def territory(demo_home: Path) -> Territory:
    """The demo without offers."""
    return open_territory(demo_home / "snapshots" / "current")


def test_a_notebook_shows_journeys_leg_by_leg(territory: Territory) -> None:
    journeys = territory.plan("Gare", "Centre hospitalier", depart="2026-11-24T07:00")
    shown = journeys._repr_html_()
    assert shown.startswith("<pre>")
    assert "Centre hospitalier" in shown
    assert repr(journeys).count(" EUR") >= len(journeys) > 0
    assert list(journeys) == list(journeys[:]) == list(journeys.answer.itineraries)


def test_a_notebook_shows_an_isochrone_as_a_drawing(territory: Territory) -> None:
    areas = territory.isochrone("Gare", depart="2026-11-24T07:00", minutes=[10])
    assert areas._repr_svg_().startswith("<svg")


def test_the_last_arrival_is_asked_for_as_well(territory: Territory) -> None:
    journeys = territory.plan("Gare", "Centre hospitalier", arrive="2026-11-24T09:00")
    ends = [j.itinerary.end_at.isoformat() for j in journeys]
    assert max(ends) <= "2026-11-24T08:00:00+00:00"


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"depart": "2026-11-24T07:00", "arrive": "2026-11-24T09:00"}, "exclude each other"),
        ({"depart": "tomorrow"}, "not an ISO 8601 time"),
    ],
)
def test_contradictions_are_told(territory: Territory, wrong: dict[str, str], said: str) -> None:
    with pytest.raises(InvalidInput, match=said):
        territory.plan("Gare", "Centre hospitalier", **wrong)


def test_places_that_are_nowhere_are_told(territory: Territory) -> None:
    with pytest.raises(InvalidInput, match="not a place on Earth"):
        territory.one_to_all((146.0, 1.0))
    with pytest.raises(InvalidInput, match="minutes are missing"):
        territory.isochrone("Gare", minutes=[])
    with pytest.raises(InvalidInput, match="pairs are expected"):
        territory.matrix([], ["Gare"])
