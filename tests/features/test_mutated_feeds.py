"""
Spoilt feeds: each is built or refused by an error of ours, in time and memory.

Sixty at every run, thousands among the slow tests.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.mutations import sources
from tests.support.territories import shared_data

ROOT = Path(__file__).resolve().parents[2]
PROCESS_COUNT = 2
SECONDS_LIMIT = 60
PEAK_LIMIT_MB = 2048


def spoil_and_build(first: int, last: int) -> list[dict[str, object]]:
    """Outcomes of feeds `first` to before `last`, from processes of their own."""
    data = shared_data("broken").parent
    share = -(-(last - first) // PROCESS_COUNT)
    processes = [
        subprocess.Popen(
            [sys.executable, "-m", "tests.support.mutations", str(begin),
             str(min(begin + share, last)), str(data)],
            cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )
        for begin in range(first, last, share)
    ]  # fmt: skip
    told = []
    for process in processes:
        out, err = process.communicate()
        assert process.returncode == 0, err[-2000:]
        told += [json.loads(line) for line in out.splitlines()]
    return told


@pytest.mark.parametrize(
    ("first", "last"),
    [
        (440, 500),
        pytest.param(0, 440, marks=pytest.mark.slow),
        pytest.param(500, 5000, marks=pytest.mark.slow),
    ],
)
def test_spoilt_feeds_are_built_or_refused(first: int, last: int) -> None:
    told = spoil_and_build(first, last)
    assert len(told) == last - first
    traces = [f"seed {t['seed']} ({t['source']}): {t['trace']}" for t in told if t["trace"]]
    assert not traces, "\n".join(traces[:3])
    assert max(float(str(t["seconds"])) for t in told) <= SECONDS_LIMIT
    assert max(int(str(t["peak_mb"])) for t in told) <= PEAK_LIMIT_MB
    built = sum(t["outcome"] == "built" for t in told)
    assert 0.2 < built / len(told) < 0.9  # spoilt in earnest, and not beyond reading


def test_many_different_feeds_are_spoilt() -> None:
    assert len(sources(shared_data("broken").parent)) >= 50
