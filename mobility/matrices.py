"""
Matrices of travel times, computed by the workers of dask.distributed.

A task is a few origins. A worker gets the folder of the snapshot, opens it once and maps its
arrays, as every other process does: networks are never sent. Origins are searched one by one, so
the result is the same however they are spread.

Workers of this machine are threads: five sixths of the work is in kernels, which release the GIL,
so two go nearly twice as fast, at once, while processes first take ten seconds to start.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import numpy.typing as npt
from distributed import Client, KilledWorker, LocalCluster, as_completed

from core.errors import InvalidInput, Unavailable
from gtfs_data.store import SnapshotInvalid, read_manifest
from routing.matrix import Destinations, MatrixRows, matrix_rows, prepare_destinations
from routing.network import Network, open_network
from routing.query import Endpoint, Limits
from routing.travel_times import TravelQuery

CHUNK_ORIGINS = 8
"""Origins of one task: half a second of work on a city, so that none waits long for the last."""
CELL_LIMIT = 20_000_000
"""Pairs of one matrix: half a gigabyte with three percentiles."""
CONNECT_S = 10


class SchedulerAway(Unavailable):
    """The dask scheduler does not answer, or its workers died."""

    code = "scheduler_away"


@dataclass(frozen=True, slots=True)
class Study:
    """What a worker needs besides the origins."""

    snapshot: Path
    built_at: str
    destinations: tuple[Endpoint, ...]
    query: TravelQuery
    percentiles: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Matrix:
    """Travel times from origins to destinations over a window of departures."""

    origins: tuple[Endpoint, ...]
    destinations: tuple[Endpoint, ...]
    query: TravelQuery
    percentiles: tuple[int, ...]
    seconds: npt.NDArray[np.int32]
    """Shape (percentile_count, origin_count, destination_count); `FAR`: not reached then."""
    reached_share: npt.NDArray[np.float64]
    """Shape (origin_count, destination_count): departures at which the destination is reached."""


def compute_matrix(
    snapshot: Path,
    origins: Sequence[Endpoint],
    destinations: Sequence[Endpoint],
    query: TravelQuery,
    *,
    percentiles: Sequence[int] = (5, 50, 95),
    workers: int = 1,
    scheduler: str | None = None,
    on_done: Callable[[int], None] = lambda _: None,
) -> Matrix:
    """
    Compute a matrix; several workers are threads of this process.

    Parameters
    ----------
    snapshot
        Folder of a snapshot, which every worker of `scheduler` must see under the same name.
    scheduler
        Address of a dask scheduler, ``tcp://host:8786``; `workers` is not read then.
    on_done
        Called with the number of origins that are done.

    Raises
    ------
    InvalidInput
        No places, too many pairs, or percentiles out of bounds.
    PlaceUnknown
        A stop id that the timetable does not have.
    SchedulerAway
        The scheduler does not answer.
    SnapshotInvalid
        No snapshot there, or a worker sees another one.
    """
    if not 0 < len(origins) * len(destinations) <= CELL_LIMIT:
        raise InvalidInput(
            f"{len(origins)} origins × {len(destinations)} destinations: "
            f"1 to {CELL_LIMIT:,} pairs are expected"
        )
    built_at = str(read_manifest(snapshot)["built_at"])
    study = Study(snapshot.resolve(), built_at, tuple(destinations), query, tuple(percentiles))
    chunks = [tuple(origins[i : i + CHUNK_ORIGINS]) for i in range(0, len(origins), CHUNK_ORIGINS)]
    rows: dict[int, MatrixRows] = {}
    for number, found in _answers(study, chunks, workers, scheduler):
        rows[number] = found
        on_done(sum(len(chunks[i]) for i in rows))
    ordered = [rows[i] for i in range(len(chunks))]
    return Matrix(
        tuple(origins),
        study.destinations,
        query,
        study.percentiles,
        np.concatenate([r.seconds for r in ordered], axis=1),
        np.concatenate([r.reached_share for r in ordered]),
    )


def answer_chunk(study: Study, origins: Sequence[Endpoint]) -> MatrixRows:
    """One task: rows of a few origins, on whichever machine."""
    network, limits = _opened(study.snapshot, study.built_at)
    return matrix_rows(
        network,
        origins,
        _prepared(study),
        study.query,
        percentiles=study.percentiles,
        limits=limits,
    )


@lru_cache(maxsize=1)
def _opened(snapshot: Path, built_at: str) -> tuple[Network, Limits]:
    about = read_manifest(snapshot)
    if about["built_at"] != built_at:
        raise SnapshotInvalid(f"{snapshot} was built at {about['built_at']}, not at {built_at}")
    return open_network(snapshot), Limits(**about["limits"])


@lru_cache(maxsize=1)
def _prepared(study: Study) -> Destinations:
    network, _ = _opened(study.snapshot, study.built_at)
    return prepare_destinations(network, study.destinations, study.query)


def _answers(
    study: Study,
    chunks: Sequence[tuple[Endpoint, ...]],
    workers: int,
    scheduler: str | None,
) -> Iterator[tuple[int, MatrixRows]]:
    """Rows of each chunk with its number, as they get done."""
    if scheduler is None and workers <= 1:
        for number, chunk in enumerate(chunks):
            yield number, answer_chunk(study, chunk)
        return
    with _client(scheduler, min(workers, len(chunks))) as client:
        shared = client.scatter(study, broadcast=True)
        numbers = {
            client.submit(answer_chunk, shared, c, pure=False): i for i, c in enumerate(chunks)
        }
        try:
            for future in as_completed(numbers):
                yield numbers[future], future.result()
        except KilledWorker as error:
            raise SchedulerAway(f"workers died again and again: {error}") from error


@contextmanager
def _client(scheduler: str | None, workers: int) -> Iterator[Client]:
    """Client of the scheduler named, or of one with threads of this process."""
    logging.getLogger("distributed").setLevel(logging.WARNING)  # it tells of every connection
    if scheduler is not None:
        try:
            client = Client(scheduler, timeout=CONNECT_S)
        except (OSError, ValueError) as error:
            raise SchedulerAway(f"no dask scheduler answers at {scheduler}: {error}") from error
        with client:
            yield client
        return
    with (
        LocalCluster(
            n_workers=workers,
            threads_per_worker=1,
            processes=False,
            dashboard_address="127.0.0.1:0",
            scheduler_kwargs={"dashboard": False},
        ) as cluster,
        Client(cluster) as client,
    ):
        yield client
