"""
Quotes: what a rider was shown, signed, so that he can book exactly that.

A quote is not stored. It promises a pick-up window, a latest arrival and a price; whether the ride
can still keep them is decided when it is booked, whatever its driver or others have changed since.
"""

from __future__ import annotations

import base64
import binascii
import dataclasses
import datetime as dt
import hashlib
import hmac
import json
from dataclasses import dataclass

from carpool.audience import Need
from core.errors import InvalidInput
from core.geo import Coordinate
from core.ids import OfferId

VERSION = 1
MAC_BYTES = 16
QUOTED = 10
"""Values of a quote before what its rider brings, and the doors behind that."""


class QuoteInvalid(InvalidInput):
    """A quote that this installation has not signed."""

    code = "quote_invalid"


@dataclass(frozen=True, slots=True)
class Quote:
    """One ride of an itinerary; times are epoch seconds."""

    offer: OfferId
    date: dt.date
    pickup: str
    """Id of the meeting point."""
    dropoff: str
    pickup_s: int
    """The rider is there by now at the latest, and the driver not before."""
    dropoff_s: int
    latest_s: int
    """When the rider must be there: what he takes next would leave without him."""
    seats: int
    price_cents: int | None
    """For all seats; None where no tariff says."""
    currency: str
    needs: tuple[Need, ...] = ()
    """What the rider brings along."""
    pickup_door: Coordinate | None = None
    dropoff_door: Coordinate | None = None
    """Where the car comes to the door; the meeting point stands for it."""


def sign_quote(quote: Quote, key: bytes) -> str:
    """Quote as text; the same quote gives the same text."""
    values: list[object] = [VERSION, *(getattr(quote, name) for name in _FIELDS)]
    values[2] = quote.date.isoformat()
    doors = quote.pickup_door, quote.dropoff_door
    values[-len(doors) :] = [door and (door.lat, door.lon) for door in doors]
    while len(values) > 1 + QUOTED and not values[-1]:
        values.pop()
    content = json.dumps(values, separators=(",", ":")).encode()
    return _text(_mac(content, key) + content)


_FIELDS = tuple(field.name for field in dataclasses.fields(Quote))


def read_quote(text: str, key: bytes) -> Quote:
    """Undo `sign_quote`; raises `QuoteInvalid`."""
    try:
        data = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except (binascii.Error, ValueError) as error:
        raise QuoteInvalid("this is not a quote") from error
    mac, content = data[:MAC_BYTES], data[MAC_BYTES:]
    if not hmac.compare_digest(mac, _mac(content, key)):
        raise QuoteInvalid("this quote is not from here: search again")
    version, *values = json.loads(content)
    if version != VERSION:
        raise QuoteInvalid("this quote is of an older version: search again")
    values[1] = dt.date.fromisoformat(values[1])
    facts, needs, doors = values[:QUOTED], values[QUOTED : QUOTED + 1], values[QUOTED + 1 :]
    return Quote(
        *facts,
        *(tuple(map(Need, names)) for names in needs),
        *(None if door is None else Coordinate(*door) for door in doors),
    )


def _mac(content: bytes, key: bytes) -> bytes:
    assert key, "without a key anybody could sign"
    return hashlib.blake2b(content, key=key, digest_size=MAC_BYTES, person=b"quote").digest()


def _text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")
