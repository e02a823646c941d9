"""An agent books for somebody who has only a telephone, until that person signs in himself."""

from __future__ import annotations

import datetime as dt
import re
import secrets
import uuid

from carpool.bookings import BookingStateConflict
from core.errors import Conflict, InvalidInput, NotFound
from mobility.actions.register_user import add_named_user, normal_alias, normal_email
from mobility.db.assisted import (
    Assisted,
    add_assisted,
    are_assisted,
    find_told,
    get_assisted,
    list_by_telephone,
    set_claim,
    take_claim,
)
from mobility.db.audit import record_act
from mobility.db.changes import lock_changes
from mobility.db.engine import Engine
from mobility.db.notices import mark_read, tell
from mobility.db.rides import BookingNotFound, SqlRideStore
from mobility.db.users import User, get_user, lock_user, set_email, set_password, set_scopes
from mobility.users.bearer import digest
from mobility.users.passwords import check_password, hash_password
from mobility.users.scopes import EVERYBODYS, TOKEN, Principal, Scope

RIDER_ONLY = frozenset({Scope.RIDER})
CLAIM_LIVES = dt.timedelta(days=7)
CODE_SIGNS, CODE_LENGTH = "23456789ABCDEFGHJKMNPQRSTUVWXYZ", 12
"""Signs that nobody confuses over the telephone; 31¹² codes are not guessed at any rate."""
LISTED = 50
DRIVER_SAYS = "driver_says"
_TELEPHONE = re.compile(r"\+?[0-9]{6,15}")


class TelephoneInvalid(InvalidInput):
    """Not a number that could be called."""

    code = "telephone_invalid"


class ClaimInvalid(InvalidInput):
    """A code that nobody was given, or that was used, or is too old."""

    code = "claim_invalid"


class NotByAgent(Conflict):
    """The rider reads what he is told himself: no agent calls him."""

    code = "not_by_agent"


class NoticeNotFound(NotFound):
    """A notice that is for nobody for whom agents book."""

    code = "notice_not_found"


def register_assisted(
    engine: Engine, agent: Principal, alias: str, telephone: str, *, now: dt.datetime
) -> Assisted:
    """
    Register somebody by the name that drivers see and a telephone, and nothing else.

    Where somebody has the name, a number is put behind it.

    Raises
    ------
    AliasInvalid, TelephoneInvalid
        Not a name to show to others, or no number.
    """
    wanted, number = normal_alias(alias), normal_telephone(telephone)
    with engine.begin() as connection:
        user = add_named_user(connection, wanted, RIDER_ONLY, now)
        add_assisted(connection, user.id, number, now)
        record_act(connection, agent.user_id, "assisted_registered", str(user.id), {})
        return get_assisted(connection, user.id)


def find_assisted(engine: Engine, agent: Principal, telephone: str) -> list[Assisted]:
    """Whoever is reached by a telephone; the audit log keeps of whom it was asked."""
    number = normal_telephone(telephone)
    with engine.begin() as connection:
        found = list_by_telephone(connection, number, LISTED)
        for one in found:
            record_act(connection, agent.user_id, "assisted_looked_up", str(one.user_id), {})
    return found


def normal_telephone(text: str) -> str:
    """Number as it is compared; raises `TelephoneInvalid`."""
    number = re.sub(r"[\s./()-]", "", text)
    number = f"+{number[2:]}" if number.startswith("00") else number
    if not _TELEPHONE.fullmatch(number):
        raise TelephoneInvalid("telephone: 6 to 15 digits, such as +33 5 55 00 00 00")
    return number


def stand_in(engine: Engine, agent: Principal, user_id: uuid.UUID, what: str) -> Principal:
    """
    Rider for whom an agent acts; the audit log keeps what he asked for.

    Raises
    ------
    NotAllowed, AssistedNotFound
        Whoever asks is no agent; agents do not book for that user.
    """
    agent.require((Scope.OPERATOR,))
    with engine.begin() as connection:
        found = get_assisted(connection, user_id)
        record_act(connection, agent.user_id, "on_behalf", str(user_id), {"asked": what})
    # As a token: what only a person does himself is not for agents.
    return Principal(user_id, found.person_id, agent.session_id, RIDER_ONLY, TOKEN)


def note_called(engine: Engine, agent: Principal, notice_id: int, *, now: dt.datetime) -> None:
    """The person was called: he knows all that he was told so far; raises `NoticeNotFound`."""
    with engine.begin() as connection:
        found = find_told(connection, notice_id)
        if found is None:
            raise NoticeNotFound(f"no notice {notice_id} is for anybody for whom agents book")
        mark_read(connection, found.person_id, notice_id, now)
        detail = {"notice": notice_id}
        record_act(connection, agent.user_id, "assisted_called", str(found.user_id), detail)


def tell_by_agent(
    engine: Engine,
    driver: Principal,
    ride_id: uuid.UUID,
    booking_id: uuid.UUID,
    text: str,
    *,
    now: dt.datetime,
) -> None:
    """
    A driver has his rider called, who has only a telephone.

    Raises
    ------
    BookingNotFound, NotByAgent, BookingStateConflict
        It is no rider of his, none for whom agents book, or none any more.
    """
    with engine.begin() as connection:
        booking, driver_id = SqlRideStore(connection).find_booking(booking_id)
        if driver_id != driver.person_id or booking.ride_id != ride_id:
            raise BookingNotFound(f"you have no booking {booking_id}")
        if not are_assisted(connection, [booking.rider_id]):
            raise NotByAgent("this rider reads his notices himself")
        if not booking.takes_seats:
            raise BookingStateConflict(f"the booking is {booking.state}: nobody is to be called")
        lock_changes(connection)  # readers who go on from the last number miss none
        content = {"booking_id": str(booking_id), "ride_id": str(ride_id), "text": text}
        tell(connection, booking.rider_id, DRIVER_SAYS, content, now)


def give_claim_code(
    engine: Engine, agent: Principal, user_id: uuid.UUID, *, now: dt.datetime
) -> tuple[str, dt.datetime]:
    """A code by which a person takes his account over, once; and until when."""
    signs = "".join(secrets.choice(CODE_SIGNS) for _ in range(CODE_LENGTH))
    until = now + CLAIM_LIVES
    with engine.begin() as connection:
        get_assisted(connection, user_id)
        set_claim(connection, user_id, digest(signs), until)
        record_act(connection, agent.user_id, "claim_code_given", str(user_id), {})
    return "-".join(signs[i : i + 4] for i in range(0, CODE_LENGTH, 4)), until


def claim_account(
    engine: Engine, code: str, email: str, password: str, *, now: dt.datetime
) -> User:
    """
    Take one's account over: from now on one signs in oneself, and agents book no more.

    Raises
    ------
    ClaimInvalid, EmailInvalid, EmailTaken, PasswordWeak
        The code is not good, or something entered will not do: then the code stays good.
    """
    address = normal_email(email)
    check_password(password, address.split("@")[0])
    hashed = hash_password(password)  # before the transaction: it takes its time
    signs = re.sub(r"[\s-]", "", code).upper()
    with engine.begin() as connection:
        user_id = take_claim(connection, digest(signs), now)
        if user_id is None:
            raise ClaimInvalid("this code is not good any more: ask for another one")
        lock_user(connection, user_id)
        set_email(connection, user_id, address)
        set_password(connection, user_id, hashed)
        set_scopes(connection, user_id, EVERYBODYS)
        record_act(connection, user_id, "account_claimed", str(user_id), {})
        return get_user(connection, user_id)
