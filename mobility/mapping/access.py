"""What a leg is to a wheelchair, as an extra member of the MOTIS answer."""

from __future__ import annotations

from typing import Any

from gtfs_data.enums import PathwayMode
from gtfs_data.timetable import Timetable
from routing.itinerary import Access


def write_access(timetable: Timetable, access: Access) -> dict[str, Any]:
    """Yes, no or unknown, who says so, and the pathways and elevators of a walk."""
    written: dict[str, Any] = {
        "accessible": access.step_free.name.lower(),
        "accessible_sources": list(access.sources),
    }
    if access.pathways:
        written["pathways"] = [
            {
                "id": timetable.pathway_id[pathway],
                "mode": PathwayMode(int(timetable.pathway_mode[pathway])).name.lower(),
            }
            for pathway in access.pathways
        ]
    if access.elevators:
        written["elevators"] = list(access.elevators)
    return written
