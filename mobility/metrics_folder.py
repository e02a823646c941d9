"""
Where the processes of one home keep their metrics, so that any of them can tell of all.

The Prometheus library reads the environment variable when it is first imported: a command that
starts long-lived processes calls `share_metrics` before it imports anything that measures.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

VARIABLE = "PROMETHEUS_MULTIPROC_DIR"
FOLDER = "metrics"
OF_PROCESS = re.compile(r".+_(\d+)\.db")
"""`counter_4711.db`: written by process 4711."""


def share_metrics(home: Path) -> None:
    """Let this process and those that it starts measure into the home's folder."""
    folder = home / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    for file in _left_behind(folder):
        file.unlink(missing_ok=True)
    os.environ[VARIABLE] = str(folder.resolve())


def end_dead_gauges(folder: Path) -> None:
    """Forget the present state of processes that are gone; what they counted stays."""
    for file in _left_behind(folder):
        if file.name.startswith("gauge_live"):
            file.unlink(missing_ok=True)


def _left_behind(folder: Path) -> list[Path]:
    """Files of processes that no longer run."""
    found = ((file, OF_PROCESS.fullmatch(file.name)) for file in folder.iterdir())
    return [file for file, of in found if of is not None and not Path(f"/proc/{of[1]}").exists()]
