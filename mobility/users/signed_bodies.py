"""
Bodies signed by devices, with Ed25519: detached JSON Web Signatures.

References
----------
RFC 7515 appendix F (detached content), RFC 8037 (Ed25519 keys).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

from core.errors import InvalidInput, NotAllowed

ALGORITHMS = ["Ed25519", "EdDSA"]
CURVE = "Ed25519"


class KeyInvalid(InvalidInput):
    """No public key of a device."""

    code = "key_invalid"


class SignatureInvalid(NotAllowed):
    """A body that its device has not signed."""

    code = "signature_invalid"


def check_key(key: Mapping[str, str]) -> None:
    """Raise `KeyInvalid` unless it is a public key as a JSON Web Key."""
    from joserfc.errors import JoseError  # noqa: PLC0415 — most have no devices that sign
    from joserfc.jwk import OKPKey  # noqa: PLC0415

    try:
        known = OKPKey.import_key(dict(key))
    except (JoseError, ValueError) as error:
        raise KeyInvalid('a key is {"kty": "OKP", "crv": "Ed25519", "x": …}') from error
    if known.curve_name != CURVE or known.is_private:
        raise KeyInvalid(f"a public key on the curve {CURVE} is wanted, and never a private one")


def check_signature(key: Mapping[str, str], signature: str, body: bytes) -> dt.datetime | None:
    """
    Raise `SignatureInvalid` unless the key's owner has signed a body.

    Returns when it did so by its own clock, if it tells that (`iat`, as in RFC 7519).
    """
    from joserfc import jws  # noqa: PLC0415
    from joserfc.errors import JoseError  # noqa: PLC0415
    from joserfc.jwk import OKPKey  # noqa: PLC0415
    from joserfc.registry import HeaderParameter  # noqa: PLC0415

    issued_at = {"iat": HeaderParameter("Issued At", "int")}
    registry = jws.JWSRegistry(issued_at, ALGORITHMS)
    try:
        known = OKPKey.import_key(dict(key))
        signed = jws.deserialize_compact(signature, known, registry=registry, payload=body)
        at_s = signed.headers().get("iat")
        return None if at_s is None else dt.datetime.fromtimestamp(at_s, dt.UTC)
    except (JoseError, ValueError, OverflowError, OSError) as error:
        raise SignatureInvalid("the signature is not that of the device over this body") from error
