"""What is kept of what one used: handed over, or erased: /mobility/v1/fare-data."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from pydantic import BaseModel

from mobility.actions.erase_fares import ask_for_erasure
from mobility.api.access import Rider, installation_of, now_of
from mobility.api.answers import json_answer
from mobility.db.fare_data import read_fare_data

router = APIRouter(prefix="/mobility/v1/fare-data", tags=["fares"])


class ErasureFacts(BaseModel):
    """How far an erasure is."""

    is_done: bool
    waits_for: list[str]
    """Months, as `2027-03`, of which the statements have to be issued first."""


@router.get("")
def export(request: Request, rider: Rider) -> Any:  # noqa: ANN401 — a response
    """Hand over all that is kept of what one used: cards, taps, legs, choices, statements …"""
    with installation_of(request).engine.connect() as connection:
        data = read_fare_data(connection, rider.person_id)
    headers = {"content-disposition": 'attachment; filename="fare-data.json"'}
    return json_answer(data, **headers)


@router.delete("")
def erase(request: Request, rider: Rider) -> ErasureFacts:
    """Part from cards at once, and from all one used once its months are issued.

    Amounts stay in the books: of an account that is nobody's.
    """
    with installation_of(request).engine.begin() as connection:
        waiting = ask_for_erasure(connection, rider.person_id, now_of(request))
    return ErasureFacts(is_done=not waiting, waits_for=[f"{month:%Y-%m}" for month in waiting])
