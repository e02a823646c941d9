"""A driver publishes, changes, pauses and ends an offer on the running demo."""

from __future__ import annotations

import json
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import sqlalchemy as sa

from carpool.compile import VERSION, unpack_body
from carpool.offers import VIA_LIMIT
from carpool.privacy import FARTHEST_M
from core.geo import Coordinate, distance_m
from mobility.actions.run_demo import RunningServer, users_file
from mobility.actions.seed_demo_users import read_users
from mobility.db.engine import Engine
from mobility.db.offers import SqlOfferStore
from mobility.db.schema import compiled_offer
from mobility.installation import opened_database
from mobility.settings import Settings
from mobility.world_keeper import WorldKeeper
from tests.support.bookings import Booth, Driven

FRESH_S = 5.0
"""Changes are there within a second; the machine may be busy."""


@pytest.fixture(scope="module")
def bearer(demo_home: Path, demo_server: RunningServer) -> Callable[[str], dict[str, str]]:
    users = read_users(users_file(Settings(home=demo_home)))
    tokens = {user["email"].split("@")[0]: user["token"] for user in users}
    return lambda who: {"authorization": f"Bearer {tokens[who]}"}


@pytest.fixture
def driver(
    api: httpx.Client, bearer: Callable[[str], dict[str, str]]
) -> Iterator[Callable[..., httpx.Response]]:
    """Requests of the demo's driver; what is left open of his offers is ended in the end."""

    def ask(method: str, path: str = "", **more: Any) -> httpx.Response:
        headers = {**bearer("driver"), **more.pop("headers", {})}
        return api.request(method, f"/mobility/v1/offers{path}", headers=headers, **more)

    yield ask
    for own in ask("GET").json()["offers"]:
        if own["state"] != "ended":
            ask("DELETE", f"/{own['id']}")


@pytest.fixture(scope="module")
def content(demo_home: Path) -> dict[str, Any]:
    """Some drive of the demo's own offers, as a driver enters it."""
    offers = json.loads((demo_home / "demo" / "offers.json").read_text(encoding="utf-8"))
    entered: dict[str, Any] = {n: v for n, v in offers[0].items() if n not in {"driver", "id"}}
    for end in (entered["start"], entered["end"], *entered["vias"]):
        end.pop("name", None)
    return entered


def count(api: httpx.Client) -> int:
    found: int = api.get("/mobility/v1/territory").json()["offer_count"]
    return found


def wait_for(api: httpx.Client, wanted: int) -> None:
    until = time.monotonic() + FRESH_S
    while count(api) != wanted:
        assert time.monotonic() < until, f"{count(api)} offers are searched, not {wanted}"
        time.sleep(0.05)


def code_of(answer: httpx.Response) -> str:
    found: str = answer.json()["code"]
    return found


def test_an_offer_is_found_until_it_is_paused_and_again_when_resumed(
    api: httpx.Client, driver: Callable[..., httpx.Response], content: dict[str, Any]
) -> None:
    before = count(api)
    published = driver("POST", json=content)
    assert published.status_code == 201, published.text
    own = published.json()
    assert (own["state"], own["version"], own["driver"]) == ("published", 1, "demo:Denis")
    assert own["drive_s"] > 60
    assert own["point_count"] > 0
    path = f"/{own['id']}"
    wait_for(api, before + 1)
    assert driver("POST", f"{path}/pause").json()["state"] == "paused"
    wait_for(api, before)
    assert driver("POST", f"{path}/resume").json()["state"] == "published"
    wait_for(api, before + 1)
    assert driver("DELETE", path).json()["state"] == "ended"
    wait_for(api, before)
    for again in (("DELETE", path), ("POST", f"{path}/resume"), ("POST", f"{path}/pause")):
        assert code_of(driver(*again)) == "offer_ended"
    changed = driver("PUT", path, json={**content, "version": 1})
    assert code_of(changed) == "offer_ended"


def test_a_changed_offer_is_another_version_and_the_first_to_change_one_wins(
    driver: Callable[..., httpx.Response], content: dict[str, Any]
) -> None:
    own = driver("POST", json=content).json()
    path, together, codes = f"/{own['id']}", threading.Barrier(6), []

    def change(seats: int) -> None:
        together.wait()
        answer = driver("PUT", path, json={**content, "seats": seats, "version": 1})
        codes.append(answer.json().get("code", f"version {answer.json().get('version')}"))

    threads = [threading.Thread(target=change, args=(n,)) for n in range(1, 7)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(codes) == ["offer_changed"] * 5 + ["version 2"]
    assert driver("GET", path).json()["version"] == 2


def test_a_new_version_that_will_not_do_leaves_the_old_one(
    driver: Callable[..., httpx.Response], content: dict[str, Any]
) -> None:
    own = driver("POST", json=content).json()
    path = f"/{own['id']}"
    for changes, code in (
        ({"seats": 99}, "invalid_offer"),
        ({"depart_from": "25 o'clock"}, "invalid_offer"),
        ({"end": {"lat": 0.0, "lon": 0.0}}, "offer_unusable"),
        ({"valid_to": "2000-01-01"}, "invalid_offer"),
        ({"weekdays": ["someday"]}, "invalid_input"),
        ({"color": "red"}, "invalid_input"),
    ):
        refused = driver("PUT", path, json={**content, "version": 1, **changes})
        assert (refused.status_code, code_of(refused)) == (422, code), refused.text
    facts = ("drive_s", "point_count")  # said when an offer is published or changed only
    kept = {k: v for k, v in driver("GET", path).json().items() if k not in facts}
    assert kept == {k: v for k, v in own.items() if k not in facts}


def test_a_driver_hears_what_a_drive_costs_before_he_offers_it(
    driver: Callable[..., httpx.Response], content: dict[str, Any]
) -> None:
    place = {end: {n: content[end][n] for n in ("lat", "lon")} for end in ("start", "end")}
    told = driver("POST", "/costs", json={**place, "seats": 3})
    assert told.status_code == 200, told.text
    facts = told.json()
    whole = facts["energy_cents"] + facts["toll_cents"]
    assert facts["metres"] > 1_000
    assert facts["energy_cents"] == round(facts["metres"] * 0.0152)
    assert [round(whole / people + 1e-6) for people in (2, 3, 4)] == facts["share_cents"]
    diesel = driver("POST", "/costs", json={**place, "energy": "diesel", "fiscal_power": 4}).json()
    assert diesel["energy_cents"] < facts["energy_cents"]
    nowhere = driver("POST", "/costs", json={**place, "end": {"lat": 0.0, "lon": 0.0}})
    assert (nowhere.status_code, code_of(nowhere)) == (422, "offer_unusable")


def test_a_drawn_line_becomes_stops_and_tells_of_no_home(
    driver: Callable[..., httpx.Response], content: dict[str, Any], demo_home: Path, booth: Booth
) -> None:
    network = booth.desk.snapshot.network
    offers = json.loads((demo_home / "demo" / "offers.json").read_text(encoding="utf-8"))
    start, end = (Coordinate(content[e]["lat"], content[e]["lon"]) for e in ("start", "end"))
    others = [Coordinate(o["end"]["lat"], o["end"]["lon"]) for o in offers]
    around = max(others, key=lambda place: distance_m(start, place) + distance_m(place, end))
    line = []
    for a, b in ((start, around), (around, end)):
        ends = [network.find_snapped("car", place, 500) for place in (a, b)]
        route = network.find_route("car", *ends, 7_200)  # type: ignore[arg-type]
        assert route is not None
        line += [{"lat": p, "lon": q} for p, q in zip(route.lat, route.lon, strict=True)]
    asked = {**content, "vias": [], "line": line[:: len(line) // 1_000 + 1]}
    public = {name: {**content[name], "public": True} for name in ("start", "end")}
    private = {name: {**content[name], "public": False} for name in ("start", "end")}
    plain = driver("POST", json={**content, **public, "vias": []}).json()
    drawn = driver("POST", json={**asked, **public})
    assert drawn.status_code == 201, drawn.text
    assert 1 <= len(drawn.json()["vias"]) <= VIA_LIMIT
    assert drawn.json()["drive_s"] > plain["drive_s"]
    places = {end: {n: content[end][n] for n in ("lat", "lon")} for end in ("start", "end")}
    costs = driver("POST", "/costs", json={**places, "line": asked["line"]})
    assert costs.json()["drive_s"] == drawn.json()["drive_s"]
    of_home = driver("POST", json={**asked, **private})
    assert of_home.status_code == 201, of_home.text
    for via in of_home.json()["vias"]:
        for home in (start, end):
            assert distance_m(home, Coordinate(via["lat"], via["lon"])) >= FARTHEST_M
    for path, known in (("", asked), ("/costs", {**places, "line": line[:9]})):
        both = driver("POST", path, json={**known, "vias": line[:1]})
        assert (both.status_code, code_of(both)) == (422, "invalid_offer")
    short = driver("POST", json={**asked, "line": line[:1]})
    assert (short.status_code, code_of(short)) == (422, "line_unusable")


def test_a_request_that_comes_twice_publishes_once(
    driver: Callable[..., httpx.Response], content: dict[str, Any]
) -> None:
    key = {"idempotency-key": uuid.uuid4().hex}
    together, answers = threading.Barrier(6), []

    def publish() -> None:
        together.wait()
        answers.append(driver("POST", json=content, headers=key))

    threads = [threading.Thread(target=publish) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {a.status_code for a in answers} == {201}
    assert len({a.json()["id"] for a in answers}) == 1
    assert sum(own["state"] == "published" for own in driver("GET").json()["offers"]) == 1
    other = driver("POST", json={**content, "seats": 1}, headers=key)
    assert code_of(other) == "idempotency_key_reused"


def test_offers_are_read_page_by_page_the_newest_first(
    driver: Callable[..., httpx.Response], content: dict[str, Any]
) -> None:
    made = [driver("POST", json=content).json()["id"] for _ in range(5)]
    seen, after = [], {}
    for _ in range(3):
        page = driver("GET", params={"count": 2, **after}).json()
        seen += [offer["id"] for offer in page["offers"]]
        after = {"after": page["next"]}
    assert seen[:5] == made[::-1]


def test_nobody_sees_or_changes_offers_of_others(
    api: httpx.Client,
    driver: Callable[..., httpx.Response],
    bearer: Callable[[str], dict[str, str]],
    content: dict[str, Any],
) -> None:
    own = driver("POST", json=content).json()
    path, other = f"/mobility/v1/offers/{own['id']}", bearer("operator")
    requests: list[tuple[str, str, Any]] = [
        ("GET", path, None), ("DELETE", path, None), ("POST", f"{path}/pause", None),
        ("PUT", path, {**content, "version": 1}),
    ]  # fmt: skip
    for method, where, body in requests:
        answer = api.request(method, where, headers=other, json=body)
        assert (answer.status_code, code_of(answer)) == (404, "offer_not_found")
    theirs = api.get("/mobility/v1/offers", headers=other).json()["offers"]
    assert own["id"] not in {offer["id"] for offer in theirs}


def stands_for(demo_home: Path, offer_id: str) -> tuple[Any, Any]:
    """Ends of an offer as every search knows them."""
    with opened_database(Settings(home=demo_home)) as engine, engine.connect() as connection:
        stored = SqlOfferStore(connection).list_changed(0, "")
    (own,) = [s for s in stored if s.offer.id == offer_id]
    assert own.entered is None  # no search and no compilation reads what was entered
    return own.offer.start, own.offer.end


def test_a_home_is_always_replaced_by_the_same_other_place(
    driver: Callable[..., httpx.Response],
    bearer: Callable[[str], dict[str, str]],
    api: httpx.Client,
    content: dict[str, Any],
    demo_home: Path,
) -> None:
    home = Coordinate(content["start"]["lat"], content["start"]["lon"])
    public = {**content["end"], "public": True}
    next_door = {"lat": home.lat + 0.001, "lon": home.lon}  # 111 m on
    first = driver("POST", json={**content, "end": public}).json()
    second = driver("POST", json={**content, "start": next_door}).json()
    assert first["start"] == {**content["start"], "public": False}  # he himself sees his own
    assert first["end"] == public
    (start, end), (start_again, moved_end) = (
        stands_for(demo_home, offer["id"]) for offer in (first, second)
    )
    assert start == start_again
    assert 490 < distance_m(home, start) < 1_510
    assert end == Coordinate(content["end"]["lat"], content["end"]["lon"])
    assert 490 < distance_m(end, moved_end) < 1_510
    other = api.post("/mobility/v1/offers", headers=bearer("operator"), json=content).json()
    assert stands_for(demo_home, other["id"])[0] != start  # of somebody else
    api.delete(f"/mobility/v1/offers/{other['id']}", headers=bearer("operator"))


def test_places_entered_at_once_are_one(
    driver: Callable[..., httpx.Response], content: dict[str, Any], demo_home: Path
) -> None:
    start = {"lat": content["start"]["lat"] + 0.02, "lon": content["start"]["lon"]}
    together, offers = threading.Barrier(6), []

    def publish() -> None:
        together.wait()
        offers.append(driver("POST", json={**content, "start": start}).json())

    threads = [threading.Thread(target=publish) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({stands_for(demo_home, offer["id"])[0] for offer in offers}) == 1


def test_what_an_older_program_compiled_is_compiled_anew_once(
    engine: Engine, booth: Booth, driven: Callable[..., Driven]
) -> None:
    offer = driven().offer
    older = (VERSION - 1).to_bytes(4, "little") + bytes(60)
    row = compiled_offer.c.offer_id == uuid.UUID(offer.id)
    with engine.begin() as connection:
        connection.execute(compiled_offer.update().where(row).values(body=older))
    keeper = WorldKeeper(booth.desk.snapshot, engine, booth.desk.wakeups)
    keeper.catch_up()
    with engine.connect() as connection:
        body = connection.execute(sa.select(compiled_offer.c.body).where(row)).scalar_one()
    assert unpack_body(body) is not None
    assert offer.id in keeper.world.published
