"""What is measured, for Prometheus: the one door to its library. docs/operations.md explains it."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from prometheus_client import REGISTRY, CollectorRegistry, Gauge, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

from mobility.metrics_folder import VARIABLE, end_dead_gauges

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
REQUEST_BUCKETS_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
STAGE_BUCKETS_S = (0.0001, 0.0005, *REQUEST_BUCKETS_S)

REQUEST_S = Histogram(
    "mobility_request_seconds",
    "Time from a request's arrival to the end of its answer.",
    ("method", "endpoint", "status"),
    buckets=REQUEST_BUCKETS_S,
)
REQUESTS_UNDER_WAY = Gauge(
    "mobility_requests_under_way",
    "Requests that are being answered, or wait for a thread.",
    multiprocess_mode="livesum",
)
STAGE_S = Histogram(
    "mobility_stage_seconds",
    "Time in one stage of an answer: search, price, write.",
    ("stage",),
    buckets=STAGE_BUCKETS_S,
)
WORLD_REVISION = Gauge(
    "mobility_world_revision",
    "Last change of the database that a process serves.",
    multiprocess_mode="liveall",
)
WORLD_OFFERS = Gauge(
    "mobility_world_offers", "Carpool offers that a process serves.", multiprocess_mode="liveall"
)
SNAPSHOT_BUILT_AT = Gauge(
    "mobility_snapshot_built_timestamp_seconds",
    "When the snapshot that a process serves was built.",
    multiprocess_mode="liveall",
)
FEED_LAST_DAY_AT = Gauge(
    "mobility_feed_last_day_timestamp_seconds",
    "Noon of the last day on which a feed of the served snapshot runs, UTC.",
    ("feed",),
    multiprocess_mode="livemostrecent",
)
WORLD_CHECKED_AT = Gauge(
    "mobility_world_checked_timestamp_seconds",
    "When a process last found its world up to date with the database.",
    multiprocess_mode="liveall",
)
LEDGER_WRONG = Gauge(
    "mobility_ledger_wrong_accounts",
    "Accounts of the ledger whose balance was not that of their postings, last time they were"
    " recounted.",
    multiprocess_mode="livemostrecent",
)
CHANGES_WAITING = Gauge(
    "mobility_changes_waiting",
    "Changed offers that a process has read from the database and not yet taken over.",
    multiprocess_mode="liveall",
)
WORLD_SWAP_S = Histogram(
    "mobility_world_swap_seconds",
    "Time to make a new world: changed offers, or another snapshot.",
    ("kind",),
    buckets=(0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30, 60),
)


@contextmanager
def timed(histogram: Histogram, *labels: str) -> Iterator[None]:
    """Measure how long the block takes, also when it fails."""
    begun_s = time.perf_counter()
    try:
        yield
    finally:
        histogram.labels(*labels).observe(time.perf_counter() - begun_s)


def metrics_text() -> bytes:
    """Metrics of every process of the home, or of this one where it measures for itself."""
    folder = os.environ.get(VARIABLE)
    if folder is None:
        return generate_latest(REGISTRY)
    end_dead_gauges(Path(folder))
    registry = CollectorRegistry()
    MultiProcessCollector(registry, path=folder)  # type: ignore[no-untyped-call] # their types lack
    return generate_latest(registry)
