"""What carpool needs from the outside; `mobility/db` implements it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from carpool.offers import Offer
from core.ids import OfferId


@dataclass(frozen=True, slots=True)
class StoredOffer:
    """An offer as the store keeps it, with its compiled body for one ground, if there is one."""

    offer: Offer
    version: int
    active: bool
    body: bytes | None


class OfferStore(Protocol):
    """Keeps offers, their compiled bodies, and the revisions by which they change."""

    def add_offer(self, offer: Offer, ground_hash: str, body: bytes) -> int:
        """Store a new offer with its compiled body; returns the revision of the change."""
        ...

    def end_offer(self, offer_id: OfferId) -> int:
        """End an offer; raises `NotFound` when there is none. Returns the revision."""
        ...

    def list_changed(self, after_revision: int, ground_hash: str) -> list[StoredOffer]:
        """Offers that changed after a revision, ended ones included, each once."""
        ...

    def save_body(self, offer_id: OfferId, version: int, ground_hash: str, body: bytes) -> None:
        """Keep a body compiled for another ground."""
        ...

    def latest_revision(self) -> int:
        """Revision of the last visible change; 0 before the first."""
        ...
