"""A client that openapi-python-client generates from the MOTIS document parses every answer."""

from __future__ import annotations

import json
import subprocess
import venv
from pathlib import Path

import pytest

from mobility.actions.run_demo import RunningServer
from tests.support.motis import specs

GENERATOR = "openapi-python-client==0.29.1"
"""In an environment of its own: it wants another typer than ours."""
SCRIPT = Path(__file__).parent.parent / "clients" / "generated_client.py"


@pytest.fixture(scope="module")
def generator() -> Path:
    """Folder of programs where the generator is installed; made once per machine."""
    folder = Path.home() / ".cache" / "mobility" / "tools" / GENERATOR.replace("==", "-")
    programs = folder / "bin"
    if not (programs / "openapi-python-client").is_file():
        venv.create(folder, with_pip=True, clear=True)
        install = [str(programs / "pip"), "install", "-q", GENERATOR]
        done = subprocess.run(install, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            pytest.skip(f"{GENERATOR} cannot be installed (is there a network?): {done.stderr}")
    return programs


def test_generated_client_parses_every_answer(
    demo_server: RunningServer, generator: Path, tmp_path: Path
) -> None:
    config = tmp_path / "config.json"
    config.write_text('{"post_hooks": []}')
    made = subprocess.run(
        [generator / "openapi-python-client", "generate", "--meta", "none", "--config", config,
         "--path", specs().resolve() / "openapi.yaml", "--output-path", tmp_path / "motis"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert made.returncode == 0, made.stdout + made.stderr
    done = subprocess.run(
        [generator / "python", SCRIPT, tmp_path, demo_server.base_url],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    told = json.loads(done.stdout)
    assert told.pop("trip unknown") == [404, "Error", None]
    assert {name: status for name, (status, _, _) in told.items()} == dict.fromkeys(told, 200)
    for name in ("geocode", "reverseGeocode", "stops"):
        kind, count = told.pop(name)[1:]
        assert kind == "list"
        assert count > 0
    assert not [name for name, (_, kind, _) in told.items() if kind in ("NoneType", "Error")]
