"""Real feeds built without a street map, measured in a process of their own."""

from __future__ import annotations

import datetime as dt
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
import yaml
from starlette.datastructures import QueryParams

from mobility.api.parameters import Parameters
from mobility.api.plan import answer_plan
from mobility.snapshots import current_snapshot
from mobility.world import World, open_snapshot
from tests.support.memory import peak_bytes

ROOT = Path(__file__).resolve().parents[2]
BUILD_LIMIT_S = 60
BUILD_LIMIT_BYTES = 3 * 2**30
LOOK_S = 0.02
"""Between two looks at what a build holds."""


@dataclass(frozen=True, slots=True)
class BareTerritory:
    """A territory of feeds alone, and what its build took."""

    world: World
    build_s: float
    peak_bytes: int

    def plan(self, origin: str, destination: str, at: dt.datetime, **params: Any) -> dict[str, Any]:
        """
        Answer of plan (v6) between two places or stop ids, as a client reads it.

        A leg for each trip, so that each can be looked up.
        """
        given = {"fromPlace": origin, "toPlace": destination, "time": at.isoformat()}
        given |= {"joinInterlinedLegs": "false"}
        given |= {name: str(value) for name, value in params.items()}
        answer = answer_plan(self.world, Parameters(QueryParams(given)), given, version=6)
        read: dict[str, Any] = orjson.loads(orjson.dumps(answer))
        return read


def build_bare(territory_id: str, zone: str, feeds: dict[str, Path], out: Path) -> BareTerritory:
    """Run `mobility build` on feeds without streets, as an operator does, and open the result."""
    content = {
        "id": territory_id,
        "name": territory_id.title(),
        "timezone": zone,
        "feeds": [{"id": feed, "path": str(path)} for feed, path in feeds.items()],
    }
    (out / "territory.yaml").write_text(yaml.safe_dump(content))
    begun = time.monotonic()
    command = [sys.executable, "-m", "mobility.cli", "build", str(out / "territory.yaml")]
    with (out / "log").open("wb") as log:
        process = subprocess.Popen(
            [*command, "--json", "--out", str(out / "snapshots")], cwd=ROOT, stdout=log, stderr=log
        )
        held = 0
        while process.poll() is None:  # not waited for between: its status can be read
            held = max(held, peak_bytes(process.pid))
            time.sleep(LOOK_S)
    assert held > 0, "nobody has looked at it"
    assert process.returncode == 0, (out / "log").read_text()[-2000:]
    snapshot = open_snapshot(current_snapshot(out / "snapshots"))
    return BareTerritory(World(snapshot), time.monotonic() - begun, held)
