"""Peak memory of processes."""

from __future__ import annotations

from pathlib import Path


def peak_bytes(pid: int | str = "self") -> int:
    """
    Most memory that a process has held at once, of its own; 0 once it has ended.

    `ru_maxrss` would not do: a process begins with what its parent held, be it a test of gigabytes.
    """
    lines = Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines()
    held = [int(line.split()[1]) for line in lines if line.startswith("VmHWM")]
    return held[0] * 1024 if held else 0
