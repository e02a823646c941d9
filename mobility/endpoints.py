"""Places as people say them: `lat,lon`, the id of a stop, or a name."""

from __future__ import annotations

from core.errors import InvalidInput
from core.geo import Coordinate, parse_coordinate
from core.ids import StopId
from mobility.world import Snapshot
from routing.network import Network
from routing.places import MatchKind
from routing.query import Endpoint


def find_endpoint(snapshot: Snapshot, text: str) -> Endpoint:
    """
    Where a search starts or ends; of several places of a name, the best match.

    Raises
    ------
    InvalidInput
        Nothing is called so.
    """
    place = parse_coordinate(text)
    if place is not None:
        return Endpoint(place, None, text)
    stop = find_stop(snapshot.network, text)
    if stop is not None:
        return stop
    matches = snapshot.places.search(text, count=1)
    if not matches:
        raise InvalidInput(f"nothing is called {text!r} here: try another name, or lat,lon")
    match = matches[0]
    stop_id = StopId(match.id) if match.kind is MatchKind.STOP else None
    return Endpoint(match.coordinate, stop_id, match.name)


def find_stop(network: Network, stop_id: str) -> Endpoint | None:
    """A stop by its id, or None."""
    row = network.stop_row.get(stop_id)
    if row is None:
        return None
    t = network.timetable
    where = Coordinate(float(t.stop_lat[row]), float(t.stop_lon[row]))
    return Endpoint(where, StopId(stop_id), t.stop_name[row])
