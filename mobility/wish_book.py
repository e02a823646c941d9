"""Open wishes of a process with the meeting points that each can walk to."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Collection, Sequence

from carpool.wishes import Ends, Wish, reach_of_wish
from mobility.db.engine import Connection
from mobility.db.wishes import list_open
from mobility.world import Snapshot

Looked = tuple[Wish, Ends]


class WishBook:
    """Finds walks once for a wish and a snapshot. Safe to share between threads."""

    def __init__(self) -> None:
        self._kept: tuple[Snapshot | None, dict[uuid.UUID, Looked]] = (None, {})

    def open_wishes(
        self, connection: Connection, snapshot: Snapshot, today: dt.date
    ) -> Sequence[Looked]:
        """All wishes that are looked after, with their walks on a snapshot."""
        wishes = list_open(connection, today)
        before, known = self._kept
        if before is not snapshot:
            known = {}
        looked = {
            wish.id: known.get(wish.id) or (wish, reach_of_wish(snapshot.network, wish))
            for wish in wishes
        }
        self._kept = snapshot, looked  # swapped whole: threads take no lock
        return list(looked.values())


def of_ids(wishes: Sequence[Looked], ids: Collection[uuid.UUID]) -> list[Looked]:
    """Those of some ids."""
    return [looked for looked in wishes if looked[0].id in ids]
