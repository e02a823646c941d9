"""
Build time and peak memory of four territories, each in a process of its own.

    python benchmarks/build_territories.py     # writes benchmarks/results/build_territories.json

Time is that of `mobility build` from its start to its end, imports, base map and findings
included; the peak is that of the largest process. Mexico City is built as published (frequencies,
expanded by the build) and as explicit trips (3 million rows to read). Porto is built a second time
with another calendar of its buses, so that the streets are taken over.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import yaml

sys.path.insert(0, str(Path(__file__).parent.parent))

from benchmarks.explicit_feed import expand
from benchmarks.recorded import record

Territory = tuple[str, str, dict[str, str], str | None]


def territories(data: Path, out: Path) -> list[Territory]:
    """Name, zone, feeds and streets of what is built, in order."""
    explicit = out / "cdmx_explicit.zip"
    expand(data / "feeds/cdmx_frequencies.zip", explicit)
    stcp, porto = str(data / "porto/stcp_2025_redated.zip"), str(data / "porto/porto.osm.pbf")
    metro = str(data / "porto/metro_2025_explicit.zip")
    older = str(data / "porto/stcp_2024.zip")
    mexico = "America/Mexico_City"
    return [
        ("porto", "Europe/Lisbon", {"stcp": stcp, "metro": metro}, porto),
        ("porto, one feed anew", "Europe/Lisbon", {"stcp": older, "metro": metro}, porto),
        ("mexico city", mexico, {"cdmx": str(data / "feeds/cdmx_frequencies.zip")}, None),
        ("mexico city, explicit", mexico, {"cdmx": str(explicit)}, None),
        ("hart_2018", "America/New_York", {"hart": str(data / "feeds/hart_2018.zip")}, None),
        ("montpellier", "Europe/Paris", {"tam": str(data / "montpellier/tam_gtfs.zip")}, None),
    ]  # fmt: skip


def build(territory: Territory, out: Path) -> dict[str, Any]:
    """One build, measured from outside."""
    name, zone, feeds, osm = territory
    content: dict[str, Any] = {
        "id": name.split(",")[0].replace(" ", "-").replace("_", "-"),
        "name": name,
        "timezone": zone,
        "feeds": [{"id": feed, "path": path} for feed, path in feeds.items()],
    }
    if osm is not None:
        content["osm"] = {"path": osm}
    file = out / "territory.yaml"
    file.write_text(yaml.safe_dump(content))
    command = [sys.executable, "-m", "mobility.cli", "build", str(file), "--json", "--allow-drop",
               "--out", str(out / "snapshots")]  # fmt: skip
    began = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    answer = json.loads(process.stdout.read())
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0
    return {
        "territory": name,
        "seconds": round(time.perf_counter() - began, 1),
        "peak_mb": round(usage.ru_maxrss / 1024),
        **{key: answer["counts"][key] for key in ("stops", "trips", "stop_times", "street_edges")},
    }


def main() -> None:
    data = Path(os.environ.get("MOBILITY_SHARED_DATA", "../shared/data"))
    if not data.is_dir():
        sys.exit(f"real data is absent: {data} (set MOBILITY_SHARED_DATA)")
    rows = []
    with tempfile.TemporaryDirectory(prefix="mobility-bench-") as folder:
        for territory in territories(data.resolve(), Path(folder)):
            rows.append(build(territory, Path(folder)))
            print(json.dumps(rows[-1]))
    record("build_territories", {"builds": rows})


if __name__ == "__main__":
    main()
