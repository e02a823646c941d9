"""
Clients that ask for journeys without a break, in a process of their own.

They do not wait for Python of the test, which switches and verifies meanwhile.

Usage: ``python -m tests.support.plan_clients BASE_URL COUNT``, with the questions as a JSON list on
standard input. One line of JSON an answer, until they are killed: ``[at, seconds,
snapshot, lines]``, where `at` is of the clock `time.monotonic`, or ``["failed", why]``.
"""

from __future__ import annotations

import gc
import http.client
import itertools
import json
import os
import sys
import threading
import time
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import urlencode, urlsplit

import orjson

NOT_LINES = ("WALK", "RIDE_SHARING")


def ask(address: str, paths: Iterable[str]) -> None:
    """Ask one question after the other over one connection."""
    connection = http.client.HTTPConnection(address, timeout=30)
    for path in paths:
        asked = time.monotonic()
        try:
            connection.request("GET", path)
            response = connection.getresponse()
            body = response.read()
        except OSError as error:
            say(["failed", repr(error)])
            connection.close()
            continue
        now = time.monotonic()
        if response.status == http.client.OK:
            answer = orjson.loads(body)
            say([now, now - asked, answer["mobility"]["snapshot"], lines_of(answer)])
        else:
            say(["failed", f"{response.status} {body[:200]!r}"])


def lines_of(answer: Mapping[str, Any]) -> list[str]:
    """Names of the lines that the itineraries ride."""
    legs = (leg for itinerary in answer["itineraries"] for leg in itinerary["legs"])
    return [leg["routeShortName"] for leg in legs if leg["mode"] not in NOT_LINES]


def say(what: list[Any]) -> None:
    """Write one line, whole."""
    os.write(sys.stdout.fileno(), orjson.dumps(what, option=orjson.OPT_APPEND_NEWLINE))


def main(base_url: str, count: int) -> None:
    """Run the clients until they are killed."""
    paths = [f"/api/v6/plan?{urlencode(question)}" for question in json.load(sys.stdin)]
    threads = [
        threading.Thread(
            target=ask,
            args=(urlsplit(base_url).netloc, itertools.islice(itertools.cycle(paths), n, None)),
        )
        for n in range(count)
    ]
    gc.freeze()
    for thread in threads:
        thread.start()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
