"""What the benchmarks share: the real Porto, and how a result is written."""

from __future__ import annotations

import json
import os
import platform
import sys
import tempfile
from pathlib import Path
from typing import Any

from mobility.world import Snapshot
from tests.support.territories import build_real

RESULTS = Path(__file__).parent / "results"


def build_porto(home: Path | None = None) -> Snapshot:
    """Porto's buses and metro on its streets, built under `home` (a new folder if not given)."""
    data = Path(os.environ.get("MOBILITY_SHARED_DATA", "../shared/data")) / "porto"
    if not data.is_dir():
        sys.exit(f"real data is absent: {data} (set MOBILITY_SHARED_DATA)")
    data = data.resolve()
    feeds = {"stcp": data / "stcp_2025_redated.zip", "metro": data / "metro_2025_explicit.zip"}
    home = home or Path(tempfile.mkdtemp(prefix="mobility-bench-"))
    return build_real("porto", "Europe/Lisbon", data / "porto.osm.pbf", feeds, home)


def this_machine() -> dict[str, Any]:
    """What figures depend on."""
    return {
        "cpu_count": os.cpu_count(),
        "machine": platform.machine(),
        "python": platform.python_version(),
        "load_average": round(os.getloadavg()[0], 1),
    }


def record(name: str, result: dict[str, Any]) -> None:
    """Write ``results/name.json``."""
    text = json.dumps({**result, "machine": this_machine()}, indent=1)
    (RESULTS / f"{name}.json").write_text(text + "\n")
    print(text)
