"""What tests of the served product share."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from mobility.actions.run_demo import RunningServer


@pytest.fixture(scope="module")
def api(demo_server: RunningServer) -> Iterator[httpx.Client]:
    """A client of the demo."""
    with httpx.Client(base_url=demo_server.base_url, timeout=30) as client:
        yield client
