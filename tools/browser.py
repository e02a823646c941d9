"""Make sure that a Chromium is there for the page's tests; say so when it cannot be."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")

if __name__ == "__main__":
    if any(shutil.which(name) for name in NAMES):
        sys.exit(0)
    if os.geteuid() == 0 and shutil.which("apt-get"):
        print("Installing Chromium with apt-get for the page's tests …", flush=True)
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        subprocess.call(["apt-get", "update", "-q"], **quiet)
        subprocess.call(
            ["apt-get", "install", "-qy", "--no-install-recommends", "chromium"], **quiet
        )
    if not any(shutil.which(name) for name in NAMES):
        print("No Chromium found: the page's tests will be skipped. Install chromium to run them.")
