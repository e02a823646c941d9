"""schemathesis against the running demo, by the MOTIS API's own document."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from mobility.actions.run_demo import RunningServer
from tests.support.motis import specs

OPERATIONS = (
    "plan", "planPost", "oneToAll", "reverseGeocode", "geocode", "trip", "stoptimes", "initial",
    "stops", "health",
)  # fmt: skip
CHECKS = (
    "not_a_server_error", "status_code_conformance", "content_type_conformance",
    "response_headers_conformance", "response_schema_conformance", "negative_data_rejection",
    "unsupported_method",
)  # fmt: skip
"""`positive_data_acceptance` is left out: what we do not offer is refused by its name."""
HOOKS = Path(__file__).parent.parent / "support" / "schemathesis_hooks.py"
REAL_VALUES = """
[parameters]
fromPlace = "46.460909,1.038042"
toPlace = "46.58883,1.177209"
one = "urbain:S002"
stopId = "urbain:S002"
tripId = "20261124_urbain:T-1-LV-010"
place = "46.58883,1.177209"
min = "46.4,1.4"
max = "46.8,1.0"
time = "2026-11-24T07:00:00Z"
"""
"""Places, stops and a trip of the demo: with invented ones nothing is ever searched."""


@pytest.mark.parametrize(
    "values",
    [pytest.param("", id="invented", marks=pytest.mark.slow), pytest.param(REAL_VALUES, id="real")],
)
@pytest.mark.parametrize("count", [20, pytest.param(1000, marks=pytest.mark.slow)])
def test_no_answer_breaks_the_document(
    demo_server: RunningServer, tmp_path: Path, values: str, count: int
) -> None:
    config = tmp_path / "schemathesis.toml"
    config.write_text(f'hooks = "{HOOKS}"\n{values}')
    command = [
        str(Path(sys.executable).parent / "schemathesis"), "--config-file", str(config), "run",
        str(specs().resolve() / "openapi.yaml"), "--url", demo_server.base_url, "--no-color",
        "--phases", "examples,coverage,fuzzing", "--max-examples", str(count), "--seed", "1",
        "--checks", ",".join(CHECKS), "--workers", "1", "--request-timeout", "30",
        "--continue-on-failure",
    ]  # fmt: skip
    # One worker: Python 3.11 cannot parse source in two threads at once, and Hypothesis does.
    for operation in OPERATIONS:
        command += ["--include-operation-id", operation]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    print("\n".join(done.stdout.splitlines()[-8:]))
    assert done.returncode == 0, done.stdout[-5000:]
    assert f"{len(OPERATIONS)} selected" in done.stdout
