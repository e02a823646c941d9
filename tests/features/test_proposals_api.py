"""Regular commuters are matched on the running demo; both people are told what they may know."""

from __future__ import annotations

import datetime as dt
import json
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest
import sqlalchemy as sa

from mobility.actions.match_commuters import match_commuters
from mobility.db.engine import Engine
from mobility.db.proposals import MatchingUnderWay, taking_turn
from mobility.db.schema import follower, person, proposal
from mobility.installation import open_installation
from mobility.jobs.match_commuters import NightlyMatch
from mobility.jobs.separate_run import SeparateRun
from mobility.settings import Settings
from mobility.wish_book import WishBook
from mobility.world import World, open_snapshot
from mobility.world_keeper import WorldKeeper
from tests.features.test_wishes_api import ZONE, told, wait_for
from tests.support.users import Somebody

Ask = Callable[..., httpx.Response]
NOW = dt.datetime.now(dt.UTC)
SEEN_BY_DRIVERS = {"pickup_point", "dropoff_point", "pickup_at", "dropoff_at"}
NAMED = {"pickup_name", "dropoff_name"}
"""What the points are called, whoever asks."""


@pytest.fixture(scope="module")
def ends(demo_home: Path) -> dict[str, Any]:
    offers = json.loads((demo_home / "demo" / "offers.json").read_text(encoding="utf-8"))
    return {n: {"lat": offers[0][n]["lat"], "lon": offers[0][n]["lon"]} for n in ("start", "end")}


@pytest.fixture
def weeks() -> dict[str, str]:
    """Months of which no offer of the demo, nor of another test, knows."""
    first = NOW.astimezone(ZONE).date() + dt.timedelta(days=290)
    return {
        "valid_from": first.isoformat(),
        "valid_to": (first + dt.timedelta(days=60)).isoformat(),
    }


@pytest.fixture
def commute(
    ask: Ask, ends: dict[str, Any], weeks: dict[str, str]
) -> Iterator[Callable[[str], list[str]]]:
    """Publishes a driver's way out and back, at an hour at which nobody else of the demo drives."""
    own: list[tuple[str, str]] = []

    def publish(who: str, **changes: Any) -> list[str]:
        there = {**ends["start"], "public": True}, {**ends["end"], "public": True}
        for (start, end), clock in ((there, "03:00"), (there[::-1], "23:00")):
            content = {
                "start": start, "end": end, "depart_from": clock, "depart_to": clock,
                "seats": 3, "detour_budget_s": 900, "weekdays": ["mon", "tue"], **weeks, **changes,
            }  # fmt: skip
            answer = ask(who, "POST", "/offers", json=content)
            assert answer.status_code == 201, answer.text
            own.append((who, answer.json()["id"]))
        return [offer_id for _, offer_id in own[-2:]]

    yield publish
    for who, offer_id in own:
        ask(who, "DELETE", f"/offers/{offer_id}")


@pytest.fixture
def wish(ask: Ask, ends: dict[str, Any], weeks: dict[str, str]) -> Iterator[Callable[..., str]]:
    own: list[tuple[str, str]] = []

    def save(who: str, **changes: Any) -> str:
        content = {
            **ends, "out": {"leave_from": "02:50", "arrive_by": "04:30"},
            "back": {"leave_from": "22:50", "arrive_by": "24:30"},
            "weekdays": ["tue", "wed"], **weeks, **changes,
        }  # fmt: skip
        answer = ask(who, "POST", "/wishes", json=content)
        assert answer.status_code == 201, answer.text
        own.append((who, answer.json()["id"]))
        return own[-1][1]

    yield save
    for who, wish_id in own:
        ask(who, "DELETE", f"/wishes/{wish_id}")


def run(home: Path) -> dict[str, Any]:
    """Match everybody, as a person at a terminal does."""
    done = subprocess.run(
        [sys.executable, "-m", "mobility.cli", "offers", "match", "--seconds", "5", "--json"],
        capture_output=True, text=True, check=False, timeout=300,
        env={"MOBILITY_HOME": str(home), "PATH": "/usr/bin:/bin"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def world_of(home: Path) -> World:
    """What the servers of a home serve now."""
    here = open_installation(Settings(home=home))
    keeper = WorldKeeper(open_snapshot(here.snapshot_folder), here.engine, here.wakeups)
    keeper.catch_up()
    here.close()
    return keeper.world


def listed(ask: Ask, who: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = ask(who, "GET", "/proposals").json()
    return found


def test_a_driver_learns_of_a_rider_once_he_said_yes_and_then_where_and_when_alone(
    ask: Ask,
    demo_home: Path,
    commute: Callable[[str], list[str]],
    wish: Callable[..., str],
    somebody: Callable[..., Somebody],
) -> None:
    rider, driver, stranger = (somebody().secret for _ in range(3))
    out_id, back_id = commute(driver)
    wish_id = wish(rider)
    done = run(demo_home)
    assert done["proposal_count"] >= 1
    (made,) = listed(ask, rider)
    assert (made["role"], made["state"], made["wish_id"]) == ("rider", "open", wish_id)
    assert (made["offer_id"], made["back_offer_id"]) == (out_id, back_id)
    assert made["weekdays"] == ["tue"]
    assert "03:00" <= made["out"]["pickup_at"] < made["out"]["dropoff_at"] < "04:30"
    assert made["out"]["dropoff_at"] <= made["out"]["arrival_at"] <= "04:30"
    assert made["back"]["pickup_at"] >= "23:00"
    notice = told(ask, rider, "proposal_made", wish_id=wish_id)
    assert notice is not None
    assert notice["proposal_id"] == made["id"]
    # Of the driver's notices none tells who or where, and he can neither see nor answer it.
    assert listed(ask, driver) == []
    assert told(ask, driver, "rider_interested") is None
    assert list(wait_for(lambda: told(ask, driver, "offer_wanted"))) == ["offer_id"]
    path = f"/proposals/{made['id']}"
    for who in (driver, stranger):
        assert ask(who, "POST", f"{path}/interested").status_code == 404
        assert ask(who, "POST", f"{path}/decline").status_code == 404
    # He says yes, twice: the driver is told once.
    for _ in range(2):
        answer = ask(rider, "POST", f"{path}/interested")
        assert (answer.status_code, answer.json()["state"]) == (200, "interested")
    (seen,) = listed(ask, driver)
    assert (seen["role"], seen["wish_id"], seen["out"]["arrival_at"]) == ("driver", None, None)
    shown = {n for n, value in seen["out"].items() if value is not None}
    assert shown == SEEN_BY_DRIVERS | NAMED
    content = told(ask, driver, "rider_interested")
    assert content is not None
    assert set(content) == {"proposal_id", "offer_id", "weekdays", "out", "back"}
    assert set(content["out"]) == set(content["back"]) == SEEN_BY_DRIVERS
    whole = json.dumps([content, seen])
    assert wish_id not in whole
    # The driver says no: the rider hears it, and they are not brought together again.
    assert ask(driver, "POST", f"{path}/decline").status_code == 204
    assert told(ask, rider, "proposal_declined", proposal_id=made["id"]) is not None
    assert listed(ask, rider) == listed(ask, driver) == []
    assert ask(rider, "POST", f"{path}/interested").status_code == 409
    run(demo_home)
    assert listed(ask, rider) == []


def test_a_second_run_changes_nothing_and_an_offer_that_ends_ends_its_proposals(
    ask: Ask,
    demo_home: Path,
    commute: Callable[[str], list[str]],
    wish: Callable[..., str],
    somebody: Callable[..., Somebody],
) -> None:
    driver, riders = somebody().secret, [somebody().secret for _ in range(3)]
    out_id, _ = commute(driver)
    for rider in riders:
        wish(rider)
    run(demo_home)
    before = [listed(ask, rider) for rider in riders]
    assert [len(some) for some in before] == [1, 1, 1], "three seats, three riders"
    with ThreadPoolExecutor(2) as pool:
        processes = [pool.submit(NightlyRun(demo_home)) for _ in range(2)]
    assert {one.result() for one in processes} <= {0, 1}
    assert [listed(ask, rider) for rider in riders] == before
    ask(driver, "DELETE", f"/offers/{out_id}")
    assert [listed(ask, rider) for rider in riders] == [[], [], []]


class NightlyRun:
    """A run as a worker starts it; its exit code."""

    def __init__(self, home: Path) -> None:
        self._home = home

    def __call__(self) -> int:
        words = [sys.executable, "-m", "mobility.cli", "offers", "match", "--json"]
        env = {"MOBILITY_HOME": str(self._home), "PATH": "/usr/bin:/bin"}
        return subprocess.run(words, env=env, check=False, capture_output=True).returncode


def test_whoever_wants_to_come_back_is_not_proposed_to_a_driver_who_does_not(
    ask: Ask,
    demo_home: Path,
    commute: Callable[..., list[str]],
    wish: Callable[..., str],
    somebody: Callable[..., Somebody],
) -> None:
    driver, returning, single = (somebody().secret for _ in range(3))
    _, back_id = commute(driver)
    ask(driver, "DELETE", f"/offers/{back_id}")
    wish(returning)
    wish(single, back=None)
    run(demo_home)
    assert listed(ask, returning) == []
    (made,) = listed(ask, single)
    assert made["back"] is None
    assert made["back_offer_id"] is None


def test_whatever_changes_while_a_run_goes_on_is_left_alone(
    ask: Ask,
    demo_home: Path,
    engine: Engine,
    commute: Callable[[str], list[str]],
    wish: Callable[..., str],
    somebody: Callable[..., Somebody],
) -> None:
    rider, driver = somebody().secret, somebody().secret
    commute(driver)
    wish_id = wish(rider)
    world = world_of(demo_home)

    def end_wish(step: str) -> None:
        if step == "proposals":
            assert ask(rider, "DELETE", f"/wishes/{wish_id}").status_code == 200

    done = match_commuters(engine, world, WishBook(), now=NOW, time_limit_s=5, on_step=end_wish)
    assert done.overtaken_count >= 1
    with engine.connect() as connection:
        query = sa.select(sa.func.count()).where(proposal.c.wish_id == uuid.UUID(wish_id))
        assert connection.execute(query).scalar() == 0


class CutOff(Exception):
    """A run that ends before its end."""


def test_a_run_that_is_cut_off_leaves_nothing_and_the_next_one_makes_up_for_it(
    ask: Ask,
    demo_home: Path,
    engine: Engine,
    commute: Callable[[str], list[str]],
    wish: Callable[..., str],
    somebody: Callable[..., Somebody],
) -> None:
    rider, driver = somebody().secret, somebody().secret
    commute(driver)
    wish(rider)
    world = world_of(demo_home)

    def cut(step: str) -> None:
        if step == "proposals":
            raise CutOff

    with pytest.raises(CutOff):
        match_commuters(engine, world, WishBook(), now=NOW, time_limit_s=5, on_step=cut)
    assert listed(ask, rider) == []
    match_commuters(engine, world, WishBook(), now=NOW, time_limit_s=5)
    assert len(listed(ask, rider)) == 1


def test_one_process_matches_at_a_time(engine: Engine, demo_home: Path) -> None:
    with taking_turn(engine), pytest.raises(MatchingUnderWay), taking_turn(engine):
        pass
    with taking_turn(engine):
        assert NightlyRun(demo_home)() == 1
    assert NightlyRun(demo_home)() == 0


def test_a_night_has_one_run_and_a_run_that_failed_is_tried_again(engine: Engine) -> None:
    def noted(day: int) -> None:
        with engine.begin() as connection:
            own = follower.update().where(follower.c.name == "commuters")
            connection.execute(own.values(revision=day))

    noted(0)
    night = dt.datetime(2026, 12, 10, 3, tzinfo=ZONE)
    run = SeparateRun("matched", (sys.executable, "-c", "import sys; sys.exit(1)"))
    nightly = NightlyMatch(run)
    begun = []
    for after_min in (-90, 0, 1, 20, 180, 40):
        at = night + dt.timedelta(minutes=after_min)
        if after_min == 40:
            noted(at.date().toordinal())
        nightly.look(engine, at)
        begun.append(run._process is not None)
        if run._process is not None:
            assert run._process.wait() == 1
            run.is_running()
    assert begun == [False, True, False, True, False, False]
    nightly.stop()


def test_people_are_proposed_within_their_circles_and_never_once_they_stay_apart(
    ask: Ask,
    engine: Engine,
    demo_home: Path,
    commute: Callable[..., list[str]],
    wish: Callable[..., str],
    somebody: Callable[..., Somebody],
) -> None:
    driver, woman, man = (somebody().secret for _ in range(3))
    for who in (driver, woman):
        assert ask(who, "PUT", "/users/me/woman", json={"is_woman": True}).status_code == 200
    commute(driver, audience="women")
    wish(man)
    wish(woman)
    run(demo_home)
    assert listed(ask, man) == []
    (made,) = listed(ask, woman)
    with engine.connect() as connection:
        query = sa.select(proposal.c.driver_id).where(proposal.c.id == uuid.UUID(made["id"]))
        alias = sa.select(person.c.alias).where(person.c.id == query.scalar_subquery())
        name = connection.execute(alias).scalar_one()
    assert ask(woman, "POST", f"/proposals/{made['id']}/interested").status_code == 200
    assert ask(woman, "POST", "/blocks", json={"alias": name}).status_code == 201
    assert listed(ask, woman) == listed(ask, driver) == []
    assert told(ask, driver, "proposal_declined") is None, "nobody is told of a block"
    run(demo_home)
    assert listed(ask, woman) == []
