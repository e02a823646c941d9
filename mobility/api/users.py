"""Users, their sessions and tokens, and the audit log, under /mobility/v1."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from mobility.actions.grant_scopes import grant_scopes
from mobility.actions.register_user import Registration, normal_email, register_user
from mobility.actions.sign_in import Issued, change_password, issue_token, sign_in
from mobility.api.access import (
    Authority,
    InPerson,
    SignedIn,
    address_of,
    forget_cookie,
    installation_of,
    keep_in_cookie,
    now_of,
)
from mobility.db.audit import list_acts, record_act
from mobility.db.users import (
    User,
    UserNotFound,
    find_user,
    get_user,
    list_sessions,
    revoke_others,
    revoke_session,
)
from mobility.users.scopes import Scope, parse_scopes

router = APIRouter(prefix="/mobility/v1", tags=["users"])
TOKENS = 50
"""That one person gives in an hour."""
REGISTRATIONS, SIGN_INS, WINDOW_S = 20, 100, 3_600
"""From one network address in an hour; a school or a works shares one."""
PAGE = 100
Text = Annotated[str, Field(max_length=1_000)]
Label = Annotated[str, Field(min_length=1, max_length=80, pattern=r"^[^\x00]*$")]


class _Given(BaseModel):
    model_config = ConfigDict(extra="forbid")


class NewUser(_Given):
    """What somebody enters to register."""

    email: Text
    password: Text
    alias: Text
    """Name by which others know the person."""


class UserFacts(BaseModel):
    """A user, to himself and to the authority."""

    id: uuid.UUID
    alias: str
    email: str | None
    scopes: list[Scope]
    created_at: dt.datetime


class SignIn(_Given):
    """What somebody enters to sign in."""

    email: Text
    password: Text
    label: Label = "web"
    """What the list of sessions calls this one."""
    cookie: bool = False
    """For pages of this server: the browser keeps the secret, and the answer does not tell it."""


class SessionBegun(BaseModel):
    """A new session; `secret` is shown this once."""

    id: uuid.UUID
    secret: str | None
    """None where a cookie keeps it."""
    scopes: list[Scope]
    expires_at: dt.datetime


class SessionFacts(BaseModel):
    """A place where one is signed in, or a token that one has given."""

    id: uuid.UUID
    kind: Literal["sign_in", "token"]
    label: str
    scopes: list[Scope]
    created_at: dt.datetime
    used_at: dt.datetime
    """To five minutes."""
    expires_at: dt.datetime
    current: bool
    """The one that asks."""


class NewToken(_Given):
    """What a program is to be allowed."""

    label: Label
    scopes: list[Scope]
    days: int = 90


class PasswordChange(_Given):
    """The password that one has, and the next one."""

    current: Text
    new: Text


class Ended(BaseModel):
    """How many sessions and tokens were ended."""

    ended: int


class ScopeChange(_Given):
    """All that a user may do from now on."""

    scopes: list[str]


class Act(BaseModel):
    """One entry of the audit log."""

    id: int
    at: dt.datetime
    actor_id: uuid.UUID | None
    act: str
    subject: str
    detail: dict[str, Any]


class Acts(BaseModel):
    """A page of the audit log, the newest first."""

    acts: list[Act]
    next: int | None
    """`before` of the page after it."""


@router.post("/users", status_code=201)
def register(request: Request, given: NewUser) -> UserFacts:
    """Register, as rider and driver."""
    here = installation_of(request)
    here.limits.count(f"register:{address_of(request)}", most=REGISTRATIONS, per_s=WINDOW_S)
    registration = Registration(given.email, given.password, given.alias)
    return user_facts(register_user(here.engine, registration, now_of(request)))


@router.get("/users/me")
def read_myself(request: Request, principal: SignedIn) -> UserFacts:
    """Whoever asks."""
    with installation_of(request).engine.connect() as connection:
        return user_facts(get_user(connection, principal.user_id))


@router.put("/users/me/password")
def replace_password(request: Request, principal: InPerson, given: PasswordChange) -> Ended:
    """Change one's password; every other session and token ends."""
    here = installation_of(request)
    here.limits.count(f"password:{principal.user_id}", most=SIGN_INS, per_s=WINDOW_S)
    ended = change_password(
        here.engine, principal, current=given.current, new=given.new, now=now_of(request)
    )
    return Ended(ended=ended)


@router.get("/users")
def find_by_email(
    request: Request, principal: Authority, email: Annotated[str, Query(max_length=300)]
) -> UserFacts:
    """Find who signs in with an address; the audit log keeps that it was asked for."""
    with installation_of(request).engine.begin() as connection:
        found = find_user(connection, normal_email(email))
        if found is None:
            raise UserNotFound("nobody signs in with this address")
        record_act(connection, principal.user_id, "user_looked_up", str(found.id), {})
    return user_facts(found)


@router.put("/users/{user_id}/scopes")
def replace_scopes(
    request: Request, principal: Authority, user_id: uuid.UUID, given: ScopeChange
) -> UserFacts:
    """Say what a user may do; running sessions follow at once."""
    engine = installation_of(request).engine
    return user_facts(grant_scopes(engine, principal.user_id, user_id, parse_scopes(given.scopes)))


@router.post("/sessions", status_code=201)
def begin_session(request: Request, response: Response, given: SignIn) -> SessionBegun:
    """Sign in."""
    here = installation_of(request)
    here.limits.count(f"sign-in-from:{address_of(request)}", most=SIGN_INS, per_s=WINDOW_S)
    issued = sign_in(
        here.engine, here.limits, email=given.email, password=given.password, label=given.label,
        now=now_of(request),
    )  # fmt: skip
    told = begun(issued)
    if given.cookie:
        keep_in_cookie(request, response, issued.secret, issued.expires_at)
        told.secret = None
    return told


@router.get("/sessions")
def read_sessions(request: Request, principal: SignedIn) -> list[SessionFacts]:
    """List one's sessions and tokens, the last used first."""
    with installation_of(request).engine.connect() as connection:
        found = list_sessions(connection, principal.user_id, now_of(request))
    return [
        SessionFacts(
            id=s.id, kind=s.kind, label=s.label, scopes=sorted(s.scopes), created_at=s.created_at,
            used_at=s.used_at, expires_at=s.expires_at, current=s.id == principal.session_id,
        )
        for s in found
    ]  # fmt: skip


@router.delete("/sessions/{session_id}", status_code=204)
def end_session(
    request: Request,
    response: Response,
    principal: SignedIn,
    session_id: uuid.UUID | Literal["current"],
) -> None:
    """Sign out here, or elsewhere, or take a token back."""
    which = principal.session_id if session_id == "current" else session_id
    if which == principal.session_id:
        forget_cookie(response)
    else:
        principal.require_person()
    with installation_of(request).engine.begin() as connection:
        revoke_session(connection, principal.user_id, which, now_of(request))


@router.delete("/sessions")
def end_other_sessions(request: Request, principal: InPerson) -> Ended:
    """End all of one's sessions and tokens but the one that asks."""
    with installation_of(request).engine.begin() as connection:
        kept = principal.session_id
        return Ended(ended=revoke_others(connection, principal.user_id, kept, now_of(request)))


@router.post("/tokens", status_code=201)
def give_token(request: Request, principal: InPerson, given: NewToken) -> SessionBegun:
    """Give a program part of what one may do."""
    here = installation_of(request)
    here.limits.count(f"token:{principal.user_id}", most=TOKENS, per_s=WINDOW_S)
    issued = issue_token(
        here.engine, principal, label=given.label,
        scopes=frozenset(given.scopes), days=given.days, now=now_of(request),
    )  # fmt: skip
    return begun(issued)


@router.get("/audit")
def read_audit(
    request: Request,
    _principal: Authority,
    before: Annotated[int | None, Query(ge=1, lt=2**63)] = None,
    count: Annotated[int, Query(ge=1, le=PAGE)] = PAGE,
) -> Acts:
    """Read the audit log, the newest acts first."""
    with installation_of(request).engine.connect() as connection:
        found = list_acts(connection, before, count)
    acts = [Act.model_validate(entry, from_attributes=True) for entry in found]
    return Acts(acts=acts, next=found[-1].id if len(found) == count else None)


def user_facts(user: User) -> UserFacts:
    """A user, to himself and to the authority."""
    return UserFacts(
        id=user.id, alias=user.alias, email=user.email, scopes=sorted(user.scopes),
        created_at=user.created_at,
    )  # fmt: skip


def begun(issued: Issued) -> SessionBegun:
    """Tell of a new session; its secret is never told again."""
    return SessionBegun(
        id=issued.session_id, secret=issued.secret, scopes=sorted(issued.scopes),
        expires_at=issued.expires_at,
    )  # fmt: skip
