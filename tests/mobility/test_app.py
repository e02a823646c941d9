"""What a process that answers requests loads."""

from __future__ import annotations

import subprocess
import sys

BUILDS_ONLY = (
    "pandas", "gtfs_kit", "networkx", "osmnx", "ortools", "scipy.sparse",
    "scipy.spatial", "scipy.ndimage", "alembic",
)  # fmt: skip


def test_a_process_that_answers_requests_loads_nothing_that_only_builds_need() -> None:
    # Three processes start at once after a crash: what they import is time without service.
    code = f"import sys, mobility.app; print([m for m in {BUILDS_ONLY!r} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
