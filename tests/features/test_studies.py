"""Isochrones and matrices of the demo over HTTP and from the command line."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest
import shapely

TUESDAY = "2026-11-24T07:00:00+01:00"
STATION = "46.575533,1.183188"


def outlines(api: httpx.Client, **given: Any) -> dict[str, Any]:
    answer = api.get("/mobility/v1/isochrone", params={"place": STATION, "time": TUESDAY, **given})
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/geo+json"
    read: dict[str, Any] = answer.json()
    return read


def test_an_app_gets_outlines_that_it_can_draw(api: httpx.Client) -> None:
    features = outlines(api, minutes="10,30", window=15)["features"]
    assert [f["properties"]["minutes"] for f in features] == [10, 30]
    small, large = (shapely.geometry.shape(f["geometry"]) for f in features)
    assert small.is_valid
    assert large.is_valid
    assert small.difference(large).area < 1e-9
    assert large.contains(shapely.Point(1.183188, 46.575533))


def test_a_stop_is_a_place_and_defaults_hold(api: httpx.Client) -> None:
    features = outlines(api, place="urbain:S027")["features"]
    assert [f["properties"]["minutes"] for f in features] == [15, 30, 45]
    assert features[0]["properties"]["percentile"] == 50


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"place": ""}, "invalid_input"),
        ({"place": "urbain:nowhere"}, "place_unknown"),
        ({"minutes": "15,x"}, "invalid_input"),
        ({"minutes": "0"}, "invalid_input"),
        ({"minutes": "121"}, "invalid_input"),
        ({"minutes": ",".join(["10"] * 25)}, "invalid_input"),
        ({"window": "-1"}, "invalid_input"),
        ({"window": "121"}, "invalid_input"),
        ({"percentile": "0"}, "invalid_input"),
        ({"time": "yesterday"}, "invalid_input"),
        ({"time": "2031-01-01T08:00"}, "no_service_on_date"),
    ],
)
def test_what_cannot_be_understood_is_told(
    api: httpx.Client, given: dict[str, str], code: str
) -> None:
    answer = api.get("/mobility/v1/isochrone", params={"place": STATION, "time": TUESDAY, **given})
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["code"] == code


def run(*words: str | Path, home: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "mobility.cli", *map(str, words)],
        capture_output=True, text=True, timeout=120, check=False,
        env={"MOBILITY_HOME": str(home), "PATH": "/usr/bin:/bin", "COLUMNS": "200"},
    )  # fmt: skip


def test_an_isochrone_is_written_as_a_file(demo_home: Path, tmp_path: Path) -> None:
    out = tmp_path / "reach.geojson"
    done = run(
        "isochrone", "Gare", "--depart", TUESDAY, "--minutes", "15,30", "--window", "20",
        "--out", out, home=demo_home,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("From Gare: 15 min ")
    assert len(json.loads(out.read_text())["features"]) == 2


def test_a_matrix_goes_on_where_a_row_is_wrong(demo_home: Path, tmp_path: Path) -> None:
    homes, schools = tmp_path / "homes.csv", tmp_path / "schools.csv"
    homes.write_text(f"id,lat,lon\nstation,{STATION}\nnowhere,abc,1\n")
    schools.write_text("id,stop_id,lat,lon\nschool,,46.583361,1.217272\nhospital,urbain:S003,,\n")
    words = ("matrix", homes, schools, "--depart", TUESDAY, "--percentiles", "50")
    done = run(*words, home=demo_home)
    assert done.returncode == 0, done.stderr
    header, *rows = done.stdout.splitlines()
    assert header == "from,to,median_s,reached_share"
    assert [row.rpartition(",")[2] for row in rows] == ["1.0", "1.0"]
    assert f"{homes} row 3: lat is 'abc': degrees are expected; left out" in done.stderr
    as_json = run(*words, "--json", home=demo_home)
    told = json.loads(as_json.stdout)
    assert [f"{r['from']},{r['to']},{r['median_s']},1.0" for r in told["rows"]] == rows
    assert len(told["problems"]) == 1


@pytest.mark.parametrize(
    ("option", "said"),
    [(("--percentiles", "5,x"), "whole numbers"), (("--out", "times.xlsx"), ".csv or .parquet")],
)
def test_options_that_are_wrong_end_in_one_line(
    demo_home: Path, tmp_path: Path, option: tuple[str, str], said: str
) -> None:
    homes = tmp_path / "homes.csv"
    homes.write_text(f"id,lat,lon\nstation,{STATION}\n")
    done = run("matrix", homes, homes, *option, home=demo_home)
    assert done.returncode == 1
    assert said in done.stderr
    assert "Traceback" not in done.stderr
