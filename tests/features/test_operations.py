"""What an operator sees of running processes: request ids, the log, metrics, probes, a calm end."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from mobility.actions.run_demo import RunningServer, start_server
from mobility.settings import Settings
from tests.conftest import free_port

PLAN = "/api/v6/plan"
STOPPED_CLIENTS = 24
WORKERS = 2


@pytest.fixture(scope="module")
def served(demo_home: Path) -> Iterator[RunningServer]:
    """The demo in two processes, whose log begins with them."""
    (demo_home / "logs" / "serve.log").write_text("")
    server = start_server(Settings(home=demo_home), free_port(), workers=WORKERS)
    yield server
    server.process.terminate()
    server.process.wait(timeout=30)


@pytest.fixture
def question(demo_home: Path) -> dict[str, str]:
    rider = json.loads((demo_home / "demo" / "riders.json").read_text())[0]
    ends = [f"{rider[end]['lat']},{rider[end]['lon']}" for end in ("from", "to")]
    return {"fromPlace": ends[0], "toPlace": ends[1], "time": "2026-11-24T07:00:00+01:00"}


def ask(server: RunningServer, path: str, **given: Any) -> httpx.Response:
    """One request on a connection of its own: the port leads to any of the processes."""
    return httpx.get(server.base_url + path, timeout=30, **given)


def lines_of(home: Path, request_id: str) -> list[dict[str, Any]]:
    """Lines of the log that belong to a request; it is written when the answer is out."""
    until_s = time.monotonic() + 5
    while True:
        text = (home / "logs" / "serve.log").read_text()
        lines = [json.loads(line) for line in text.splitlines()]
        found = [line for line in lines if line.get("request_id") == request_id]
        if found or time.monotonic() > until_s:
            return found
        time.sleep(0.05)


def measured(server: RunningServer) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    """(name, labels) → value of every sample."""
    families = text_string_to_metric_families(ask(server, "/metrics").text)
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in families
        for sample in family.samples
    }


def children_of(server: RunningServer) -> list[str]:
    """Find the processes that answer requests."""
    found = subprocess.run(
        ["pgrep", "-P", str(server.process.pid), "-f", "spawn_main"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    return found.stdout.split()


def labelled(**labels: str) -> frozenset[tuple[str, str]]:
    return frozenset(labels.items())


def test_request_keeps_its_id_from_the_proxy_to_the_log(
    served: RunningServer, demo_home: Path, question: dict[str, str]
) -> None:
    answer = ask(served, PLAN, params=question, headers={"x-request-id": "proxy-4711"})
    assert answer.headers["x-request-id"] == "proxy-4711"
    (line,) = lines_of(demo_home, "proxy-4711")
    assert line["event"] == "request"
    assert (line["path"], line["status"], line["level"]) == (PLAN, 200, "info")
    assert line["took_ms"] > 0


def test_log_never_says_where_people_are(
    served: RunningServer, demo_home: Path, question: dict[str, str]
) -> None:
    ask(served, PLAN, params=question, headers={"x-request-id": "private"})
    assert lines_of(demo_home, "private")
    assert question["fromPlace"].split(",")[0] not in (demo_home / "logs/serve.log").read_text()


def test_id_that_could_forge_a_log_line_is_replaced(served: RunningServer) -> None:
    answer = ask(served, "/healthz", headers={"x-request-id": 'a","level":"error'})
    assert answer.headers["x-request-id"].isalnum()


def test_every_line_of_the_log_is_json(served: RunningServer, demo_home: Path) -> None:
    ask(served, "/no-such-page", headers={"x-request-id": "unknown-page"})
    (line,) = lines_of(demo_home, "unknown-page")
    assert line["status"] == 404
    for text in (demo_home / "logs" / "serve.log").read_text().splitlines():
        assert {"event", "level", "at"} <= json.loads(text).keys()


def test_metrics_count_the_requests_of_all_processes(
    served: RunningServer, question: dict[str, str]
) -> None:
    count = ("mobility_request_seconds_count", labelled(method="GET", endpoint=PLAN, status="200"))
    stages = [
        ("mobility_stage_seconds_count", labelled(stage=stage))
        for stage in ("search", "price", "write")
    ]
    before = measured(served)
    for _ in range(10):
        assert ask(served, PLAN, params=question).status_code == 200
    after = measured(served)
    assert after[count] - before.get(count, 0) == 10
    for stage in stages:  # a process that still warms up plans as well
        assert after[stage] - before.get(stage, 0) >= 10


def test_metrics_tell_the_world_of_every_process(served: RunningServer) -> None:
    now_s = time.time()
    samples = measured(served)
    ready = ask(served, "/readyz").json()
    ours = set(children_of(served))
    assert len(ours) == WORKERS
    for name in ("mobility_world_revision", "mobility_world_checked_timestamp_seconds"):
        told = {dict(of)["pid"] for sample, of in samples if sample == name}
        assert ours <= told  # another server of this home may run as well
    revisions = {v for (name, _), v in samples.items() if name == "mobility_world_revision"}
    assert revisions == {ready["revision"]}
    for (name, _), value in samples.items():
        if name == "mobility_world_checked_timestamp_seconds":
            assert now_s - 5 < value < now_s + 5
        if name == "mobility_changes_waiting":
            assert value == 0


def test_metrics_tell_when_each_feed_ends(served: RunningServer) -> None:
    about = ask(served, "/mobility/v1/territory").json()
    told = {
        dict(of)["feed"]: time.strftime("%Y-%m-%d", time.gmtime(value))
        for (name, of), value in measured(served).items()
        if name == "mobility_feed_last_day_timestamp_seconds"
    }
    assert told == {feed["id"]: feed["valid_to"] for feed in about["feeds"]}


def test_paths_that_do_not_exist_add_no_metric(served: RunningServer) -> None:
    for number in range(5):
        ask(served, f"/made-up-{number}")
        httpx.request(f"VERB{number}", served.base_url + "/healthz")
    labels = [dict(of) for name, of in measured(served) if name == "mobility_request_seconds_count"]
    assert not [of for of in labels if "made-up" in of["endpoint"] or "VERB" in of["method"]]
    assert any(of["endpoint"] == "other" for of in labels)


def test_readiness_names_the_world_that_is_served(served: RunningServer, demo_home: Path) -> None:
    ready = ask(served, "/readyz").json()
    assert (ready["status"], ready["missing"]) == ("ready", [])
    assert ready["snapshot"] == (demo_home / "snapshots" / "current").resolve().name


def test_server_that_is_told_to_stop_answers_what_it_was_asked(
    demo_home: Path, question: dict[str, str]
) -> None:
    server = start_server(Settings(home=demo_home), free_port(), workers=WORKERS)
    statuses: list[int] = []
    asked = threading.Barrier(STOPPED_CLIENTS + 1)

    def client() -> None:
        with httpx.Client(base_url=server.base_url, timeout=30) as http:
            http.get("/healthz")
            asked.wait()
            wide = {**question, "searchWindow": "14400"}  # takes a second or so
            statuses.append(http.get(PLAN, params=wide).status_code)

    threads = [threading.Thread(target=client) for _ in range(STOPPED_CLIENTS)]
    for thread in threads:
        thread.start()
    asked.wait()
    while measured(server)["mobility_requests_under_way", labelled()] < STOPPED_CLIENTS / 2:
        assert len(statuses) < STOPPED_CLIENTS / 2, "half are answered: ask for more"
    server.process.send_signal(signal.SIGTERM)
    for thread in threads:
        thread.join()
    assert server.process.wait(timeout=30) == 0
    assert statuses == [200] * STOPPED_CLIENTS


@pytest.mark.parametrize(
    ("name", "value"), [("MOBILITY_LOG_LEVEL", "loud"), ("MOBILITY_LOG_FORMAT", "xml")]
)
def test_setting_that_is_wrong_is_named(tmp_path: Path, name: str, value: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "mobility.cli", "stop"],
        env={name: value, "MOBILITY_HOME": str(tmp_path), "PATH": "/usr/bin:/bin"},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert name in done.stderr
