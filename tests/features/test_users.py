"""People register, sign in and are held to what they may do, on the running demo."""

from __future__ import annotations

import datetime as dt
import json
import stat
import threading
import uuid
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
import sqlalchemy as sa
from psycopg.errors import InsufficientPrivilege

from core.errors import MobilityError
from mobility.actions import sign_in as sign_in_action
from mobility.actions.grant_scopes import LastAuthority, grant_scopes
from mobility.actions.register_user import Registration, register_user
from mobility.actions.run_demo import RunningServer, users_file
from mobility.actions.seed_demo_users import read_users, seed_users
from mobility.actions.sign_in import TRIES
from mobility.db.engine import Engine
from mobility.db.users import find_principal, list_users, set_password
from mobility.live import RateLimits
from mobility.settings import Settings
from mobility.users.bearer import digest
from mobility.users.passwords import hash_password, is_password
from mobility.users.scopes import EVERYBODYS, Scope
from tests.support.users import NOW, PASSWORD, Somebody, code_of

NOT_BY_TOKEN = "tokens_may_not"


def sign_in(api: httpx.Client, email: str, password: str = PASSWORD, **more: str) -> httpx.Response:
    given = {"email": email, "password": password, **more}
    return api.post("/mobility/v1/sessions", json=given)


def test_somebody_registers_signs_in_and_is_known(api: httpx.Client) -> None:
    given = {"email": " Marie.Curie@Example.ORG ", "password": PASSWORD, "alias": "Marie  C."}
    registered = api.post("/mobility/v1/users", json=given)
    assert registered.status_code == 201, registered.text
    begun = sign_in(api, "marie.curie@example.org", label="téléphone")
    assert begun.status_code == 201, begun.text
    bearer = {"authorization": f"Bearer {begun.json()['secret']}"}
    known = api.get("/mobility/v1/users/me", headers=bearer).json()
    assert known == registered.json()
    assert (known["email"], known["alias"]) == ("marie.curie@example.org", "Marie C.")
    assert known["scopes"] == ["driver", "rider"]


def test_a_wrong_password_and_an_unknown_address_are_refused_in_the_same_words(
    api: httpx.Client, somebody: Callable[..., Somebody]
) -> None:
    answers = [
        sign_in(api, somebody().email, "quelque chose d'autre"),
        sign_in(api, f"{uuid.uuid4().hex}@example.org"),
        sign_in(api, "no address at all"),
    ]
    assert {a.status_code for a in answers} == {401}
    assert {a.headers["www-authenticate"] for a in answers} == {"Bearer"}
    assert len({a.text for a in answers}) == 1


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"email": "nobody"}, "email_invalid"),
        ({"email": "a@b@c.org"}, "email_invalid"),
        ({"alias": "x@y.org"}, "alias_invalid"),
        ({"alias": " "}, "alias_invalid"),
        ({"password": "court"}, "password_weak"),
        ({"password": "aaaaaaaaaaaaaaaa"}, "password_weak"),
        ({"password": "Nouvelle-2026 !"}, "password_weak"),
    ],
)
def test_what_will_not_do_is_refused_by_name(
    engine: Engine, changed: dict[str, str], code: str
) -> None:
    given = {"email": "nouvelle@example.org", "password": PASSWORD, "alias": "Nouvelle"}
    with pytest.raises(MobilityError) as refused:
        register_user(engine, Registration(**{**given, **changed}), NOW)
    assert refused.value.code == code
    with engine.connect() as connection:
        assert not [u for u in list_users(connection) if u.alias == "Nouvelle"]


def test_of_eight_who_register_the_same_address_at_once_one_is_let_in(engine: Engine) -> None:
    email, results = f"{uuid.uuid4().hex}@example.org", []
    together = threading.Barrier(8)

    def register(number: int) -> None:
        together.wait()
        registration = Registration(email, PASSWORD, f"{email[:12]} {number}")
        try:
            register_user(engine, registration, NOW)
        except MobilityError as error:
            results.append(error.code)
        else:
            results.append("registered")

    threads = [threading.Thread(target=register, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(results) == ["email_taken"] * 7 + ["registered"]
    with engine.connect() as connection:  # no person is left behind by the seven
        persons = sa.text("select count(*) from person where alias like :alias")
        assert connection.execute(persons, {"alias": f"{email[:12]}%"}).scalar_one() == 1


def test_passwords_for_one_address_cannot_be_tried_without_end(
    api: httpx.Client, somebody: Callable[..., Somebody]
) -> None:
    email = somebody().email
    for _ in range(TRIES - 1):
        assert sign_in(api, email, "pas le bon mot").status_code == 401
    assert sign_in(api, email).status_code == 201  # and the count begins anew
    for _ in range(TRIES):
        assert sign_in(api, email, "pas le bon mot").status_code == 401
    refused = sign_in(api, email)
    assert refused.status_code == 429
    assert 0 < int(refused.headers["retry-after"]) <= 900
    assert sign_in(api, somebody().email).status_code == 201  # others may still


def test_sessions_are_listed_and_ended_one_by_one(
    api: httpx.Client, somebody: Callable[..., Somebody]
) -> None:
    me = somebody()
    phone = sign_in(api, me.email, label="téléphone").json()
    listed = api.get("/mobility/v1/sessions", headers=me.headers).json()
    assert {(s["kind"], s["label"], s["current"]) for s in listed} == {
        ("sign_in", "test", True), ("sign_in", "téléphone", False),
    }  # fmt: skip
    assert not any("secret" in s or "digest" in s for s in listed)
    path = f"/mobility/v1/sessions/{phone['id']}"
    assert api.delete(path, headers=somebody().headers).status_code == 404  # not somebody else's
    assert api.delete(path, headers=me.headers).status_code == 204
    assert api.delete(path, headers=me.headers).status_code == 404
    bearer = {"authorization": f"Bearer {phone['secret']}"}
    assert code_of(api.get("/mobility/v1/users/me", headers=bearer)) == "not_signed_in"
    assert api.delete("/mobility/v1/sessions/current", headers=me.headers).status_code == 204
    assert api.get("/mobility/v1/sessions", headers=me.headers).status_code == 401


def test_a_page_signs_in_by_a_cookie_that_other_sites_cannot_use(
    api: httpx.Client, demo_server: RunningServer, somebody: Callable[..., Somebody]
) -> None:
    me = somebody()
    with httpx.Client(base_url=demo_server.base_url, timeout=30) as browser:
        given = {"email": me.email, "password": PASSWORD, "cookie": True}
        begun = browser.post("/mobility/v1/sessions", json=given)
        assert begun.status_code == 201, begun.text
        assert begun.json()["secret"] is None
        cookie = begun.headers["set-cookie"].lower()
        for part in ("httponly", "samesite=strict", "path=/mobility", "mobility_session=mob_"):
            assert part in cookie
        assert browser.get("/mobility/v1/users/me").json()["email"] == me.email
        password = {"current": PASSWORD, "new": PASSWORD}
        for headers in (
            {"sec-fetch-site": "cross-site"},
            {"sec-fetch-site": "same-site"},
            {"origin": "https://elsewhere.example"},
        ):
            refused = browser.put("/mobility/v1/users/me/password", json=password, headers=headers)
            assert (refused.status_code, code_of(refused)) == (403, "cross_site")
        own = {"sec-fetch-site": "same-origin", "origin": demo_server.base_url}
        path = "/mobility/v1/sessions/current"
        ended = browser.delete(path, headers=own)
        assert ended.status_code == 204
        assert not browser.cookies
        assert browser.get("/mobility/v1/users/me").status_code == 401
    # Whoever sends the secret himself may do so from anywhere.
    answer = api.get("/mobility/v1/users/me", headers={**me.headers, "origin": "https://a.example"})
    assert answer.status_code == 200


def test_a_new_password_ends_every_other_session(
    api: httpx.Client, somebody: Callable[..., Somebody]
) -> None:
    me = somebody()
    phone = {"authorization": f"Bearer {sign_in(api, me.email).json()['secret']}"}
    path, new = "/mobility/v1/users/me/password", "un autre tracteur et deux poules"
    wrong = api.put(path, headers=me.headers, json={"current": "pas celui-là", "new": new})
    assert (wrong.status_code, code_of(wrong)) == (422, "current_password_wrong")
    weak = api.put(path, headers=me.headers, json={"current": PASSWORD, "new": "court"})
    assert code_of(weak) == "password_weak"
    assert api.get("/mobility/v1/users/me", headers=phone).status_code == 200
    done = api.put(path, headers=me.headers, json={"current": PASSWORD, "new": new})
    assert done.json() == {"ended": 1}
    assert api.get("/mobility/v1/users/me", headers=phone).status_code == 401
    assert api.get("/mobility/v1/users/me", headers=me.headers).status_code == 200
    assert sign_in(api, me.email).status_code == 401
    assert sign_in(api, me.email, new).status_code == 201


def test_a_token_does_part_of_what_its_giver_may_and_no_more(
    api: httpx.Client, somebody: Callable[..., Somebody]
) -> None:
    me = somebody(Scope.RIDER, Scope.DRIVER)

    def ask(*scopes: str, days: int = 7) -> httpx.Response:
        given = {"label": "agenda", "scopes": scopes, "days": days}
        return api.post("/mobility/v1/tokens", headers=me.headers, json=given)

    assert code_of(ask("authority")) == "too_much_asked"
    assert code_of(ask("rider", "operator")) == "too_much_asked"
    assert code_of(ask()) == "too_much_asked"
    assert code_of(ask("rider", days=400)) == "too_much_asked"
    given = ask("rider").json()
    assert given["scopes"] == ["rider"]
    bearer = {"authorization": f"Bearer {given['secret']}"}
    # It gives nothing on, ends nothing but itself, and changes no password.
    another = {"label": "plus", "scopes": ["rider"]}
    assert code_of(api.post("/mobility/v1/tokens", headers=bearer, json=another)) == NOT_BY_TOKEN
    assert code_of(api.delete("/mobility/v1/sessions", headers=bearer)) == NOT_BY_TOKEN
    mine = next(
        s for s in api.get("/mobility/v1/sessions", headers=me.headers).json() if s["current"]
    )
    other = api.delete(f"/mobility/v1/sessions/{mine['id']}", headers=bearer)
    assert code_of(other) == NOT_BY_TOKEN
    password = {"current": PASSWORD, "new": "un autre tracteur et deux poules"}
    changed = api.put("/mobility/v1/users/me/password", headers=bearer, json=password)
    assert code_of(changed) == NOT_BY_TOKEN
    assert api.delete("/mobility/v1/sessions/current", headers=bearer).status_code == 204
    assert api.get("/mobility/v1/users/me", headers=bearer).status_code == 401


def test_a_token_that_is_over_is_refused(
    api: httpx.Client, somebody: Callable[..., Somebody]
) -> None:
    late = somebody(at=NOW - dt.timedelta(days=6), days=5)
    assert api.get("/mobility/v1/users/me", headers=late.headers).status_code == 401


def test_what_is_taken_from_a_user_is_taken_from_running_sessions(
    api: httpx.Client, somebody: Callable[..., Somebody]
) -> None:
    chief, other = somebody(*EVERYBODYS, Scope.AUTHORITY), somebody(Scope.AUTHORITY, Scope.RIDER)
    assert api.get("/mobility/v1/audit", headers=other.headers).status_code == 200
    path = f"/mobility/v1/users/{other.id}/scopes"
    unknown = api.put(path, headers=chief.headers, json={"scopes": ["king"]})
    assert code_of(unknown) == "scope_unknown"
    changed = api.put(path, headers=chief.headers, json={"scopes": ["rider"]})
    assert changed.json()["scopes"] == ["rider"]
    assert code_of(api.get("/mobility/v1/audit", headers=other.headers)) == "not_allowed"
    newest = api.get("/mobility/v1/audit", headers=chief.headers, params={"count": 1}).json()
    act = newest["acts"][0]
    assert (act["act"], act["actor_id"]) == ("scopes_granted", str(chief.id))
    assert act["subject"] == str(other.id)
    assert act["detail"] == {"before": ["authority", "rider"], "after": ["rider"]}
    page = {"count": 1, "before": newest["next"]}
    older = api.get("/mobility/v1/audit", headers=chief.headers, params=page).json()
    assert older["acts"][0]["id"] < act["id"]


def test_what_was_taken_from_a_token_does_not_come_back_to_it(
    api: httpx.Client, engine: Engine, somebody: Callable[..., Somebody]
) -> None:
    me = somebody(Scope.RIDER, Scope.OPERATOR)
    given = {"label": "écran", "scopes": ["operator", "rider"]}
    token = api.post("/mobility/v1/tokens", headers=me.headers, json=given).json()

    def scopes(secret: str) -> frozenset[Scope]:
        with engine.begin() as connection:
            found = find_principal(connection, digest(secret), NOW)
        assert found is not None
        return found.scopes

    for own in ({Scope.RIDER}, {Scope.RIDER, Scope.OPERATOR}):
        grant_scopes(engine, None, me.id, own)
        assert scopes(me.secret) == own  # a session follows, both ways
        assert scopes(token["secret"]) == {Scope.RIDER}


def test_a_password_changed_while_one_signs_in_with_the_old_one_lets_nobody_in(
    engine: Engine, somebody: Callable[..., Somebody], monkeypatch: pytest.MonkeyPatch
) -> None:
    me = somebody()

    def changed_meanwhile(hashed: str | None, password: str) -> bool:
        right = is_password(hashed, password)
        with engine.begin() as connection:
            set_password(connection, me.id, hash_password("un autre tracteur et deux poules"))
        return right

    monkeypatch.setattr(sign_in_action, "is_password", changed_meanwhile)
    limits = RateLimits("redis://127.0.0.1:1/0")
    with pytest.raises(sign_in_action.WrongPassword):
        sign_in_action.sign_in(
            engine, limits, email=me.email, password=PASSWORD, label="late", now=NOW
        )


def test_looking_a_person_up_is_kept(api: httpx.Client, somebody: Callable[..., Somebody]) -> None:
    chief, other = somebody(Scope.AUTHORITY), somebody()
    query = {"email": other.email.upper()}
    found = api.get("/mobility/v1/users", headers=chief.headers, params=query)
    assert found.json()["id"] == str(other.id)
    acts = api.get("/mobility/v1/audit", headers=chief.headers, params={"count": 1}).json()["acts"]
    assert (acts[0]["act"], acts[0]["subject"]) == ("user_looked_up", str(other.id))


def test_two_authorities_who_take_each_others_scope_away_leave_one(
    engine: Engine, somebody: Callable[..., Somebody]
) -> None:
    pair = [somebody(Scope.AUTHORITY) for _ in range(2)]
    with engine.connect() as connection:
        known = list_users(connection, Scope.AUTHORITY)
    others = [u for u in known if u.id not in {p.id for p in pair}]
    for user in others:
        grant_scopes(engine, None, user.id, user.scopes - {Scope.AUTHORITY})
    together, refused = threading.Barrier(2), []

    def take(actor: Somebody, from_: Somebody) -> None:
        together.wait()
        try:
            grant_scopes(engine, actor.id, from_.id, frozenset())
        except LastAuthority as error:
            refused.append(error.code)

    threads = [threading.Thread(target=take, args=p) for p in (pair, pair[::-1])]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with engine.connect() as connection:
        left = list_users(connection, Scope.AUTHORITY)
    for user in others:
        grant_scopes(engine, None, user.id, user.scopes)
    assert refused == ["last_authority"]
    assert len(left) == 1


@pytest.mark.parametrize(
    "change", ["update audit set act = ''", "delete from audit", "truncate audit"]
)
def test_nobody_rewrites_the_audit_log(engine: Engine, change: str) -> None:
    with (
        pytest.raises(sa.exc.ProgrammingError) as refused,
        engine.begin() as connection,
    ):
        connection.execute(sa.text(change))
    assert isinstance(refused.value.orig, InsufficientPrivilege)


def test_neither_passwords_nor_secrets_are_stored(
    api: httpx.Client, engine: Engine, somebody: Callable[..., Somebody]
) -> None:
    me = somebody()
    secret = sign_in(api, me.email).json()["secret"]
    with engine.connect() as connection:
        rows = [
            str(row)
            for table in ("user", "session", "audit", "person")
            for row in connection.execute(sa.text(f'select * from "{table}"'))
        ]
        hashed = connection.execute(
            sa.text('select password_hash from "user" where id = :id'), {"id": me.id}
        ).scalar_one()
    assert not any(text in row for row in rows for text in (PASSWORD, secret, me.secret))
    assert hashed.startswith("$argon2id$v=19$m=65536,t=3,p=4$")
    assert is_password(hashed, PASSWORD)
    assert not is_password(hashed, PASSWORD + " ")


def test_the_demos_users_sign_in_with_what_is_printed(
    api: httpx.Client, demo_home: Path, engine: Engine
) -> None:
    file = users_file(Settings(home=demo_home))
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    listed = json.loads(file.read_text(encoding="utf-8"))
    found = {}
    for user in listed:
        begun = sign_in(api, user["email"], user["password"])
        assert begun.status_code == 201, begun.text
        bearer = {"authorization": f"Bearer {user['token']}"}
        me = api.get("/mobility/v1/users/me", headers=bearer).json()
        assert me["scopes"] == begun.json()["scopes"]
        found[user["email"].split("@")[0]] = me["scopes"]
    assert found == {
        "rider": ["rider"],
        "driver": ["driver", "rider"],
        "operator": ["driver", "operator", "rider"],
        "authority": ["authority", "driver", "rider"],
        "app": ["app"],
    }


def test_a_demo_that_lost_the_passwords_of_its_users_gets_new_ones(
    api: httpx.Client, engine: Engine, demo_home: Path, tmp_path: Path
) -> None:
    kept = users_file(Settings(home=demo_home))
    before = {u["email"]: u["password"] for u in read_users(kept)}
    seed_users(engine, tmp_path / "users.json")
    kept.write_text((tmp_path / "users.json").read_text(encoding="utf-8"), encoding="utf-8")
    for user in read_users(kept):
        assert user["password"] != before[user["email"]]
        assert sign_in(api, user["email"], user["password"]).status_code == 201
