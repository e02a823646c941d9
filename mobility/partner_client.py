"""The door to other operators' servers: their Standard Covoiturage, asked and told over HTTP."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from typing import Any

import httpx

from core.errors import Unavailable

TIMEOUT_S = 10.0
"""Between two parts of an answer."""
WHOLE_S = 30.0
"""For all parts of one answer."""
BYTE_LIMIT = 20_000_000
"""Of one answer: thousands of rows."""
FINAL = frozenset({400, 404, 405, 409, 410, 422})
"""Statuses of what will be refused as well another time."""


class PartnerAway(Unavailable):
    """Another operator's server does not answer as the standard says; a later try may do."""

    code = "partner_away"


class PartnerRefuses(Unavailable):
    """Another operator's server refuses what it is asked, and would again."""

    code = "partner_refuses"


class PartnerClient:
    """
    Asks one operator; its key goes out in a header and nowhere else.

    Parameters
    ----------
    transport
        Stands for the network in tests.
    """

    def __init__(self, key: str | None, transport: httpx.BaseTransport | None = None) -> None:
        headers = {"accept": "application/json"} | ({"x-api-key": key} if key else {})
        self._http = httpx.Client(
            headers=headers, timeout=TIMEOUT_S, follow_redirects=False, transport=transport
        )

    def close(self) -> None:
        """Let the connections go."""
        self._http.close()

    def get_rows(self, address: str, params: Mapping[str, str | float]) -> list[Any]:
        """Rows of an answer; raises `PartnerAway` or `PartnerRefuses`."""
        try:
            content = json.loads(self._ask("GET", address, params=params))
        except ValueError as error:
            raise PartnerAway("the answer is no JSON") from error
        if not isinstance(content, list):
            raise PartnerAway("the answer is no list")
        return content

    def post(self, address: str, content: Mapping[str, Any]) -> None:
        """Tell something; raises `PartnerAway` or `PartnerRefuses`."""
        self._ask("POST", address, json=content)

    def _ask(self, method: str, address: str, **more: Any) -> bytes:  # noqa: ANN401 — passed on
        until, parts, size = time.monotonic() + WHOLE_S, [], 0
        try:
            with self._http.stream(method, address, **more) as answer:
                status = answer.status_code
                if status in FINAL:
                    raise PartnerRefuses(f"status {status}")
                if not answer.is_success:
                    raise PartnerAway(f"status {status}")
                for part in answer.iter_bytes():
                    parts.append(part)
                    size += len(part)
                    if size > BYTE_LIMIT or time.monotonic() > until:
                        raise PartnerAway("the answer is too long, or too slow")
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            # Its text may hold the address with what is asked; never the header with the key.
            raise PartnerAway(type(error).__name__) from error
        return b"".join(parts)
