"""
Taps over HTTP, from the moment a batch is due until its riders' months are rated and committed.

    python benchmarks/tap_storm.py --home FOLDER [--seconds 300] [--taps 500]

`FOLDER` is the home of a demo (`MOBILITY_HOME=FOLDER make demo`); 5,000 cards are added to it, each
with 40 bus rides in the last thirty days. Batches of 20 taps of cards drawn at random, at stops
drawn at random (a card held twice to one reader is one tap), arrive at fixed times whether or not
those before are answered (open loop); one server process, the client on the same two cores. Writes
benchmarks/results/tap_storm.json, commit latency of one row beside it.
"""

from __future__ import annotations

import argparse
import datetime as dt
import http.client
import json
import random
import sys
import threading
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import sqlalchemy as sa

sys.path.insert(0, str(Path(__file__).parent.parent))

from benchmarks.recorded import record
from core.modes import Mode
from mobility.actions.run_demo import start_server, users_file
from mobility.actions.seed_demo_users import read_users
from mobility.db.engine import read_quote_key
from mobility.db.media import hold_media
from mobility.db.usage import add_legs
from mobility.installation import open_installation, opened_as_owner
from mobility.mapping.cloud_events import medium_digest
from mobility.settings import Settings
from mobility.world import World, open_snapshot
from payments.tariff import FareLeg
from tests.conftest import free_port
from tests.support.usage import line_of

CARDS, RIDES, BATCH, SENDERS, SEED = 5_000, 40, 20, 32, 9


def fill(home: Path) -> tuple[tuple[str, list[str]], list[str], list[float]]:
    """Add cards and what they were used for; a bus line with a stop, the cards, commit times."""
    here = open_installation(Settings(home=home))
    dice, now = random.Random(SEED), dt.datetime.now(dt.UTC)
    cards = [f"storm {nth}" for nth in range(CARDS)]
    with here.engine.begin() as connection:
        key = read_quote_key(connection)
        accounts = hold_media(connection, [medium_digest(key, card) for card in cards], now)
        for account in accounts.values():
            legs = [
                FareLeg("bus", now - dt.timedelta(minutes=dice.randrange(1_500, 43_200)), 0,
                        id=f"storm:{account}:{nth}")
                for nth in range(RIDES)
            ]  # fmt: skip
            add_legs(connection, [(account, leg) for leg in legs])
    route, stops = line_of(World(open_snapshot(here.snapshot_folder)), Mode.BUS)
    commits = []
    with opened_as_owner(here.settings) as owner, owner.connect() as connection:
        # So many rows at once: PostgreSQL would see to it by itself within a minute.
        connection.execute(sa.text("analyze"))
        connection.execute(sa.text("create table if not exists bench_one (n int)"))
        connection.commit()
        for n in range(200):
            begun = time.perf_counter()
            connection.execute(sa.text("insert into bench_one values (:n)"), {"n": n})
            connection.commit()
            commits.append(time.perf_counter() - begun)
        connection.execute(sa.text("drop table bench_one"))
        connection.commit()
    here.close()
    return (route, stops), cards, commits


def main() -> None:
    """Fill, send, record."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--home", type=Path, required=True)
    parser.add_argument("--seconds", type=int, default=300)
    parser.add_argument("--taps", type=int, default=500, help="taps a second")
    options = parser.parse_args()
    (route, stops), cards, commits = fill(options.home)
    settings = Settings(home=options.home)
    token = next(u for u in read_users(users_file(settings)) if u["email"].startswith("operator"))
    server = start_server(settings, free_port())
    netloc = urlsplit(server.base_url).netloc
    headers = {"authorization": f"Bearer {token['token']}", "content-type": "application/json"}
    dice, own = random.Random(SEED), threading.local()

    def batch() -> str:
        at = dt.datetime.now(dt.UTC).isoformat()
        return json.dumps([
            {"specversion": "1.0", "source": "/storm", "id": str(uuid.uuid4()),
             "type": "mobility.tap.board", "time": at,
             "data": {"medium": dice.choice(cards), "stop": dice.choice(stops), "route": route}}
            for _ in range(BATCH)
        ])  # fmt: skip

    def ask(body: str) -> http.client.HTTPResponse:
        connection = getattr(own, "connection", None)
        if connection is None:
            connection = own.connection = http.client.HTTPConnection(netloc, timeout=60)
        connection.request("POST", "/mobility/v1/usage", body, headers)
        answer: http.client.HTTPResponse = connection.getresponse()
        return answer

    def send(due: float) -> float:
        wait = due - time.perf_counter()
        if wait > 0:
            time.sleep(wait)
        body = batch()
        try:
            answer = ask(body)
        except (ConnectionError, http.client.HTTPException):
            own.connection = None  # it was idle for longer than the server keeps one
            answer = ask(body)
        told: dict[str, Any] = json.loads(answer.read())
        assert answer.status == 200, told
        assert told["refused"] == [], told
        return time.perf_counter() - due

    try:
        for _ in range(20):
            send(time.perf_counter())
        every, count = BATCH / options.taps, options.seconds * options.taps // BATCH
        start = time.perf_counter() + 1
        with ThreadPoolExecutor(SENDERS) as pool:
            took = list(pool.map(send, [start + nth * every for nth in range(count)]))
        seconds = time.perf_counter() - start
    finally:
        server.process.terminate()
        server.process.wait(timeout=30)
    record(
        "tap_storm",
        {
            "cards": CARDS,
            "rides of a card": RIDES,
            "batch": BATCH,
            "wanted, taps a second": options.taps,
            "taken, taps a second": round(count * BATCH / seconds),
            "seconds": round(seconds),
            "batch, ms": percentiles_ms(took),
            "commit of one row, ms": percentiles_ms(commits),
        },
    )


def percentiles_ms(values: list[float]) -> dict[str, float]:
    shares = np.percentile(np.array(values) * 1_000, (50, 95, 99)).round(1).tolist()
    return dict(zip(("p50", "p95", "p99"), shares, strict=True))


if __name__ == "__main__":
    main()
